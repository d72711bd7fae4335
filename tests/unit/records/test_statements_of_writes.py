"""Performance page, W4 and W5: what a write asks of the store does not grow by accident, whatever the machine.

On PostgreSQL each statement is a way to the server and back; on SQLCipher each page that a commit writes is encrypted,
authenticated and copied.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.engines import DATA_KEY, Stores
from tests.worlds import World, depths

from strongroom.ids import Guid, Reference
from strongroom.records import NewRecord, create_multiple
from strongroom.schema.model import Depth
from strongroom.store.database import StoreDatabase
from strongroom.store.postgresql import PostgresqlConnection
from strongroom.store.sqlcipher import SqlcipherConnection

PAGE_WITH_HEAD = 4096 + 24
"""What one page takes in the write-ahead log."""


class _Noting:
    """Stands before a driver's connection or cursor and notes the statements that pass."""

    def __init__(self, real: Any, texts: list[str]) -> None:
        self._real = real
        self._texts = texts

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        return self._noted(found) if name in ("execute", "executemany", "copy") else found

    def _noted(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(text: str, *more: Any) -> Any:
            self._texts.append(text)
            return method(text, *more)

        return call


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that reach the driver of either engine, from connections that open from now on."""
    texts: list[str] = []
    for kind, place in ((SqlcipherConnection, "_raw"), (PostgresqlConnection, "_cursor")):

        def noting(connection: Any, *arguments: Any, made: Any = kind.__init__, place: str = place) -> None:
            made(connection, *arguments)
            setattr(connection, place, _Noting(getattr(connection, place), texts))

        monkeypatch.setattr(kind, "__init__", noting)
    return texts


def _world(stores: Stores, engine: str) -> tuple[World, StoreDatabase]:
    database = stores.open(stores.place(engine))
    return World(database), database


def _accounts(owners: list[Guid], number: int) -> list[NewRecord]:
    return [
        NewRecord({"name": f"Account {place}", "ownerid": Reference("systemuser", owners[place % len(owners)])})
        for place in range(number)
    ]


def test_a_single_write_takes_the_fewest_statements_there_are(stores: Stores, engine: str, sent: list[str]) -> None:
    """Row, audit entry, counters and the environment's version: PostgreSQL takes the last three with one statement,
    prepared once, before the commit. An update reads the row first."""
    world, database = _world(stores, engine)
    account = world.create("account", name="A")
    world.create("account", name="B")
    sent.clear()
    world.create("account", name="C")
    created = list(sent)
    sent.clear()
    world.update("account", account, numberofemployees=7)
    updated = list(sent)
    database.close()

    if engine == "postgresql":
        assert (len(created), len(updated)) == (4, 5)
        assert "audit" in created[2] and "counters" in created[2] and "update stamp" in created[2]
        assert created[3] == "commit"
    else:
        assert (len(created), len(updated)) == (7, 7)


def test_a_bulk_write_takes_the_same_statements_for_many_rows_as_for_some(
    stores: Stores, engine: str, sent: list[str]
) -> None:
    """WA-300: nothing is asked for each row, and nothing for each owner that is known."""
    world, database = _world(stores, engine)
    role = world.role("Owner", {"account": depths(Depth.GLOBAL)})
    owners = [world.user(f"User {number}", world.root, role) for number in range(12)]
    counts: list[int] = []
    for number in (30, 30, 300):  # the first one learns who the owners are
        sent.clear()
        with world.administrating() as session:
            create_multiple(session, session.table("account"), _accounts(owners, number))
        counts.append(len(sent))
    database.close()

    assert counts[0] > counts[1] == counts[2] <= 9


def test_auditing_adds_four_pages_to_a_change(stores: Stores) -> None:
    """The entry, and one page of each of its three indexes: another index would show here."""
    place = Path(stores.place("sqlcipher"))
    database = stores.open(place)
    world = World(database)
    account = world.create("account", name="A")
    beside = SqlcipherConnection(place, DATA_KEY, 1)
    pages: dict[bool, int] = {}
    for is_on in (True, False):
        world.update("organization", world.born.organization, isauditenabled=is_on)
        world.update("account", account, numberofemployees=1)
        beside.query("pragma wal_checkpoint(truncate)")
        world.update("account", account, numberofemployees=2 + is_on)
        pages[is_on] = place.with_name(f"{place.name}-wal").stat().st_size // PAGE_WITH_HEAD
    beside.close()
    database.close()

    assert pages[True] - pages[False] == 4
    assert pages[True] <= 7


def test_values_that_are_there_already_are_not_written_again(stores: Stores, engine: str, sent: list[str]) -> None:
    """WA-147: a client that sends back the whole row changes what differs, and the version."""
    world, database = _world(stores, engine)
    account = world.create("account", name="A", telephone1="1", revenue=5, donotemail=True)
    sent.clear()
    world.update("account", account, name="A", telephone1="2", revenue=5, donotemail=True)
    (written,) = [text for text in sent if text.startswith("update ") and "account" in text]
    assert "telephone1" in written and "versionnumber" in written
    assert not any(name in written for name in ('"name"', "revenue", "donotemail"))
    assert not any("principalobjectaccess" in text for text in sent)
    database.close()
