"""A request has a limit of time (WA-433, TS-307)."""

import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from tests.engines import ENGINES, Stores
from tests.homes import make_home
from tests.servers import start_server
from tests.wire.client import Api, Json

NS = "Microsoft.Dynamics.CRM"
ROWS = 200


@pytest.fixture(scope="module", params=ENGINES)
def api(request: pytest.FixtureRequest, stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The administrator of a server that gives each request one second, on both engines, with some rows."""
    home = make_home(tmp_path_factory.mktemp("limited"), stores, str(request.param))
    (Path(home) / "strongroom.toml").write_text("[server]\nrequest_timeout_s = 1\n")
    server = start_server(home)
    with httpx.Client(timeout=60) as http:
        found = Api(server.api, server.token(), http)
        for start in range(0, ROWS, 40):
            targets: list[Json] = [
                {"@odata.type": f"{NS}.account", "name": f"A {start + number}", "numberofemployees": number}
                for number in range(40)
            ]
            made = found.send("POST", f"accounts/{NS}.CreateMultiple", {"Targets": targets})
            assert made.status_code == 200, made.text
        yield found
    server.stop()


def heavy() -> str:
    """Every account beside every other one, several times, in an order that only the last of them decides."""
    text = "<attribute name='name'/><order attribute='numberofemployees'/>"
    for alias in "dcba":
        text = f"<link-entity name='account' from='statecode' to='statecode' alias='{alias}'>{text}</link-entity>"
    fetch = f"<fetch count='5'><entity name='account'><attribute name='name'/>{text}</entity></fetch>"
    return f"accounts?fetchXml={quote(fetch)}"


def test_a_request_that_takes_too_long_is_ended_and_the_server_goes_on(api: Api) -> None:
    """WA-433: 500 with a message that names the limit; the very next requests are answered."""
    for _ in range(2):
        started = time.monotonic()
        api.refused("GET", heavy(), status=500, code="0x80044151", says="longer than 1 second and")
        assert 1 <= time.monotonic() - started < 20
        assert len(api.rows("accounts?$select=name")) == ROWS
    api.refused("GET", heavy(), status=500, says="server.request_timeout_s")


def test_what_came_before_in_a_batch_stays_and_what_comes_after_is_done(api: Api) -> None:
    """WA-433: each part is a unit of work of its own, with a limit of its own."""
    parts = ["accounts?$select=name&$top=1", heavy(), "accounts?$select=name&$top=2"]
    lines = "".join(
        f"--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
        f"GET {api.root}{part} HTTP/1.1\r\n\r\n\r\n"
        for part in parts
    )
    headers = {"Content-Type": "multipart/mixed; boundary=b", "Prefer": "odata.continue-on-error"}

    answer = api.send("POST", "$batch", content=f"{lines}--b--\r\n".encode(), headers=headers)

    statuses = [line.split(" ")[1] for line in answer.text.splitlines() if line.startswith("HTTP/1.1")]
    assert statuses == ["200", "500", "200"]
    assert "0x80044151" in answer.text
