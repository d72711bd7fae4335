"""A client that leaves while its request is worked at: the work ends, and nothing of it is done or left half done.

What is heavy here would take the two minutes that a request may take; a test that waits for the server to be idle
again therefore fails when the work goes on.
"""

import json
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from tests.engines import ENGINES, Stores
from tests.homes import make_home
from tests.servers import RunningServer, start_server
from tests.wire.client import Api, Json

NS = "Microsoft.Dynamics.CRM"
ROWS = 200
CHANGES = 300
PATIENCE_S = 45.0
"""What the server gets to notice; the work itself would take longer than this, as `heavy` is made."""


@pytest.fixture(scope="module", params=ENGINES)
def served(
    request: pytest.FixtureRequest, stores: Stores, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[RunningServer, Api]]:
    """A server that looks after its clients at once, with some rows, on both engines."""
    home = make_home(tmp_path_factory.mktemp("left"), stores, str(request.param))
    (Path(home) / "strongroom.toml").write_text("[server]\nabandoned_after_s = 0\n")
    server = start_server(home)
    with httpx.Client(timeout=60) as http:
        api = Api(server.api, server.token(), http)
        targets: list[Json] = [
            {"@odata.type": f"{NS}.account", "name": f"A {number}", "numberofemployees": number}
            for number in range(ROWS)
        ]
        made = api.send("POST", f"accounts/{NS}.CreateMultiple", {"Targets": targets})
        assert made.status_code == 200, made.text
        yield server, api
    server.stop()


def heavy() -> str:
    """Every account beside every other one, several times, in an order that only the last of them decides."""
    text = "<attribute name='name'/><order attribute='numberofemployees'/>"
    for alias in "dcba":
        text = f"<link-entity name='account' from='statecode' to='statecode' alias='{alias}'>{text}</link-entity>"
    return f"<fetch count='5'><entity name='account'><attribute name='name'/>{text}</entity></fetch>"


def leave(server: RunningServer, request: bytes, content_type: str = "", body: bytes = b"") -> None:
    """Send a request, and close the connection without waiting for the answer."""
    host, _, port = server.address.removeprefix("http://").partition(":")
    lines = [request.decode(), f"Host: {host}", f"Authorization: Bearer {server.token()}"]
    if body:
        lines += [f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
    with socket.create_connection((host, int(port)), timeout=30) as line:
        line.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


def statuses(server: RunningServer) -> list[int]:
    """The statuses of the requests that the server has answered, by its log."""
    lines = (json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{"))
    return [line["status"] for line in lines if line["message"] == "request"]


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait for something that happens soon."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, "it goes on"
        time.sleep(0.05)


def test_a_query_whose_client_has_left_is_ended(served: tuple[RunningServer, Api]) -> None:
    """TS-307: the store is free again long before the query would have ended."""
    server, api = served
    before = statuses(server).count(499)

    leave(server, f"GET /api/data/v9.2/accounts?fetchXml={quote(heavy())} HTTP/1.1".encode())

    wait_until(lambda: statuses(server).count(499) == before + 1)
    assert len(api.rows("accounts?$select=name")) == ROWS


def test_a_change_whose_client_has_left_is_undone_or_done_as_a_whole(served: tuple[RunningServer, Api]) -> None:
    """WA-53, WA-289: or done as a whole, where it was faster than the leaving; and the turn to write is free for the
    next one."""
    server, api = served
    answered = len(statuses(server))
    parts = [f"POST accounts HTTP/1.1\r\n\r\n{json.dumps({'name': f'Left {number}'})}" for number in range(CHANGES)]
    changes = "".join(
        f"--c\r\nContent-Type: application/http\r\nContent-ID: {number}\r\n\r\n{part}\r\n"
        for number, part in enumerate(parts)
    )
    body = f"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n{changes}--c--\r\n--b--\r\n".encode()

    leave(server, b"POST /api/data/v9.2/$batch HTTP/1.1", "multipart/mixed; boundary=b", body)

    wait_until(lambda: len(statuses(server)) > answered)
    assert len(api.rows("accounts?$select=name&$filter=startswith(name,'Left')")) in (0, CHANGES)
    assert api.send("POST", "accounts", {"name": "Next"}).status_code == 204


def test_of_a_batch_whose_client_has_left_each_part_is_whole_and_the_rest_is_not_begun(
    served: tuple[RunningServer, Api],
) -> None:
    """WA-291: parts are units of work of their own."""
    server, api = served
    parts = [f"POST accounts HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{json.dumps({'name': 'First part'})}"]
    parts += [f"GET accounts?fetchXml={heavy()} HTTP/1.1\r\n\r\n"]
    parts += [f"POST accounts HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{json.dumps({'name': 'Last part'})}"]
    body = "".join(f"--b\r\nContent-Type: application/http\r\n\r\n{part}\r\n" for part in parts) + "--b--\r\n"
    answered = len(statuses(server))

    leave(server, b"POST /api/data/v9.2/$batch HTTP/1.1", "multipart/mixed; boundary=b", body.encode())

    wait_until(lambda: len(statuses(server)) > answered)
    assert api.rows("accounts?$select=name&$filter=name eq 'Last part'") == []
    assert len(api.rows("accounts?$select=name&$filter=name eq 'First part'")) <= 1
