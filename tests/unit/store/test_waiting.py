"""Work that nobody waits for is ended in the engine and undone as a whole, on both engines (TS-307, WA-53)."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from threading import Event, Thread

import pytest
from tests.unit.store.people import add, below, found, guid

from strongroom.errors import Abandoned
from strongroom.store.database import StoreDatabase
from strongroom.store.transaction import StoreTransaction
from strongroom.store.waiting import WAITING, Waiting


class Client:
    """Somebody at the other end of a connection."""

    def __init__(self) -> None:
        self.is_there = True
        self.looks = 0

    def has_left(self) -> bool:
        self.looks += 1
        return not self.is_there


@contextmanager
def waiting(client: Client, patience_s: float = 0) -> Generator[Waiting]:
    """A block of work that `client` waits for; it is told from beside when it has left, as a server tells it."""
    found = Waiting(client, patience_s)
    ended = Event()

    def watch() -> None:
        while not ended.wait(0.05):
            if found.has_left():
                found.abandon()
                return

    watcher = Thread(target=watch)
    watcher.start()
    token = WAITING.set(found)
    try:
        yield found
    finally:
        WAITING.reset(token)
        ended.set()
        watcher.join()


def work_hard(tx: StoreTransaction, rows: int = 10**9) -> None:
    """A statement over so many rows, which takes minutes."""
    below(tx).connection.query(
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < ?) select count(*) from n", (rows,)
    )


def test_a_statement_ends_when_its_client_leaves_and_the_next_transaction_runs(database: StoreDatabase) -> None:
    client = Client()
    leaving = Thread(target=lambda: (time.sleep(0.2), setattr(client, "is_there", False)))
    with waiting(client), pytest.raises(Abandoned) as caught, database.read() as tx:
        leaving.start()
        work_hard(tx)
    leaving.join()

    assert (caught.value.status, caught.value.details) == (499, {"reason": "client-left"})
    with database.read() as tx:
        work_hard(tx, 10)


def test_everything_that_an_abandoned_write_did_is_undone(database: StoreDatabase) -> None:
    """And the turn to write goes to the next one."""
    with database.write() as tx:
        ada = found(tx).ada
    client = Client()
    with waiting(client), pytest.raises(Abandoned), database.write() as tx:
        add(tx, "account", 101, ada, name="Left")
        client.is_there = False
        work_hard(tx)

    with database.write() as tx:
        assert tx.row(tx.schema.tables["account"], guid(101)) is None
        add(tx, "account", 101, ada, name="Next")


def test_a_write_that_is_abandoned_before_its_commit_is_undone(database: StoreDatabase) -> None:
    """It has not been answered, and nobody will be."""
    with database.write() as tx:
        ada = found(tx).ada
    client = Client()
    with waiting(client) as here, pytest.raises(Abandoned), database.write() as tx:
        add(tx, "account", 101, ada, name="Left")
        client.is_there = False
        _until(here)

    with database.read() as tx:
        assert tx.row(tx.schema.tables["account"], guid(101)) is None


def test_what_is_begun_for_a_client_that_has_left_ends_at_once(database: StoreDatabase) -> None:
    """The rest of a batch."""
    client = Client()
    client.is_there = False
    with waiting(client) as here:
        _until(here)
        for _ in range(3):
            with pytest.raises(Abandoned), database.read() as tx:
                work_hard(tx, 10)


def test_nobody_looks_before_the_patience_is_over(database: StoreDatabase) -> None:
    """A client that has closed its side of the connection still gets what is quick."""
    client = Client()
    client.is_there = False
    with waiting(client, 3600), database.read() as tx:
        work_hard(tx, 100_000)
    assert client.looks == 0


def test_work_of_the_servers_own_is_nobodys_to_end(database: StoreDatabase) -> None:
    """Rounds and jobs run in threads that no request has started."""
    client = Client()
    client.is_there = False
    outcome: list[str] = []

    def alone() -> None:
        with database.read() as tx:
            work_hard(tx, 100_000)
        outcome.append("done")

    with waiting(client):
        thread = Thread(target=alone)
        thread.start()
        thread.join()
    assert outcome == ["done"]


def _until(here: Waiting) -> None:
    deadline = time.monotonic() + 30
    while not here.has_left():
        assert time.monotonic() < deadline
        time.sleep(0.01)
