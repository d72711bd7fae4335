"""`strongroom trace`: what clients asked for in vain, by program and shape, and what one request does; both engines."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.engines import ENGINES, Stores
from tests.homes import make_home
from tests.servers import RunningServer, run_cli, start_server
from tests.wire.client import Api
from tests.wire.multipart import multipart, part, post, request

from strongroom.monitoring.trace import MOST_WAITING, Asked, Trace, option_names, program


@pytest.fixture(scope="module", params=ENGINES)
def served(
    request: pytest.FixtureRequest, stores: Stores, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[RunningServer, Api]]:
    """A server that keeps a trace, and its administrator."""
    home = make_home(tmp_path_factory.mktemp("traced"), stores, str(request.param))
    server = start_server(home, "--trace")
    with httpx.Client(timeout=60) as http:
        yield server, Api(server.api, server.token(), http)
    server.stop()


def traced(home: Path, *options: str, expect: int = 1) -> Any:
    return json.loads(run_cli("trace", "--home", str(home), "--json", *options, expect=expect).stdout)


def seen(api: Api, client: str, number: int) -> list[dict[str, Any]]:
    """The rows of a program, once there are so many: they are stored beside the requests."""
    deadline = time.monotonic() + 60
    while True:
        found = api.rows(f"refusedrequests?$filter=client eq '{client}'&$orderby=name")
        if len(found) >= number:
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.1)


def test_what_a_program_asked_for_in_vain_is_seen_by_shape(served: tuple[RunningServer, Api]) -> None:
    """Keys, values and users are not in it; what is answered is not in it either."""
    server, api = served
    program = {"User-Agent": "Seller/4.2 (somebody@meridian.example)"}
    for key in ("1", "2", "3"):
        path = f"acounts(0000000{key}-0000-0000-0000-000000000001)/name?$select=secretword"
        assert api.send("GET", path, headers=program).status_code == 404
    assert api.send("POST", "SendEmail", {}, headers=program).status_code == 501
    assert api.send("GET", "accounts?$select=name", headers=program).status_code == 200

    rows = seen(api, "Seller/4.2", 2)
    assert [(row["name"], row["status"], row["requests"]) for row in rows] == [
        ("GET acounts(…)/name?$select", 404, 3),
        ("POST SendEmail", 501, 1),
    ]
    assert "Did you mean 'accounts'" in rows[0]["message"]
    told = json.dumps(rows)
    assert "secretword" not in told
    assert "somebody" not in told
    lines = traced(server.home, "--client", "seller")
    assert {line["name"] for line in lines} == {row["name"] for row in rows}


def test_each_part_of_a_batch_counts_for_itself(served: tuple[RunningServer, Api]) -> None:
    _, api = served
    parts = [request("GET", "nothing"), request("GET", "accounts?$top=1"), request("GET", "accounts?$select=nme")]
    headers = {"User-Agent": "Batcher/1", "Prefer": "odata.continue-on-error"}
    answer = post(api, multipart([part(each) for each in parts]), headers=headers)
    assert answer.status_code == 200
    assert [row["name"] for row in seen(api, "Batcher/1", 2)] == ["GET accounts?$select", "GET nothing"]


def test_it_is_forgotten_when_asked(served: tuple[RunningServer, Api]) -> None:
    server, api = served
    assert api.send("GET", "nothing", headers={"User-Agent": "Gone/1"}).status_code == 404
    seen(api, "Gone/1", 1)
    assert "Forgotten" in run_cli("trace", "--home", str(server.home), "--clear").stdout
    assert traced(server.home, "--client", "Gone", expect=0) == []


@pytest.mark.parametrize(
    "query",
    [
        "$select=name&$filter=startswith(name,'Traced')&$expand=primarycontactid($select=fullname)",
        'fetchXml=<fetch><entity name="account"><attribute name="name"/></entity></fetch>',
        "sql=select name from account where name like 'Traced%'",
    ],
)
def test_what_one_request_does_is_told_step_by_step(served: tuple[RunningServer, Api], query: str) -> None:
    server, api = served
    api.new("accounts", {"name": "Traced"})

    told = traced(server.home, "--user", "admin", f"{server.api}accounts?{query}", expect=0)

    assert (told["status"], told["error"]) == (200, None)
    assert told["queries"][0]["query"].startswith("account: name")
    assert told["queries"][0]["plans"][0].startswith("Read account: every row; because ")
    assert any('from "account"' in ran["sql"] for ran in told["statements"])
    assert 0 <= told["storeMilliseconds"] <= told["milliseconds"]


def test_values_of_a_request_are_told_apart_from_its_sql(served: tuple[RunningServer, Api]) -> None:
    """Bound, never written into the statement."""
    server, _ = served
    told = traced(server.home, "--user", "admin", "accounts?$filter=name eq 'Needle in a haystack'", expect=0)
    assert any("'needle in a haystack'" in ran["values"] for ran in told["statements"])
    assert not any("haystack" in ran["sql"] for ran in told["statements"])


def test_a_refused_request_is_told_with_its_error(served: tuple[RunningServer, Api]) -> None:
    server, _ = served
    told = traced(server.home, "--user", "admin", "accounts?$select=nme", expect=1)
    assert (told["status"], told["error"]["code"], told["statements"]) == (400, "0x80060888", [])


def test_bad_input_of_the_command_is_said_and_ends_with_2(served: tuple[RunningServer, Api]) -> None:
    server, _ = served
    home = str(server.home)
    for arguments, says in (
        (("accounts",), "needs --user"),
        (("--user", "admin"), "which is missing"),
        (("--user", "nobody@example", "accounts"), "There is no user 'nobody@example'"),
        (("--user", "admin", "http://x/api/data/v7.0/accounts"), "v7.0"),
    ):
        assert says in run_cli("trace", "--home", home, *arguments, expect=2).stderr


def test_a_server_keeps_none_unless_asked(tmp_path: Path) -> None:
    home = tmp_path / "home"
    run_cli("init", "--home", str(home))
    assert "strongroom serve --trace" in run_cli("trace", "--home", str(home)).stdout


def test_shapes_that_wait_are_bounded() -> None:
    """A program that asks for ever new things does not fill the memory."""
    trace = Trace()
    for number in range(MOST_WAITING + 10):
        trace.note(Asked("p", "GET", f"a{number}", 404, ""), "", "2026-01-01T00:00:00Z")
    assert len(trace.take()) == MOST_WAITING
    assert trace.take() == {}


def test_programs_and_options_are_read_with_care() -> None:
    assert program("python-requests/2.32.3 x") == "python-requests/2.32.3"
    assert program(None) == program("(<script>)") == "unknown"
    assert option_names("%24top=1&$filter=name eq 'x'&<b>=2&fetchXml=y") == "?$filter&$top&fetchXml"
