"""Several transactions, threads and processes on one environment."""

import subprocess
import sys
from pathlib import Path
from threading import Event, Thread

import pytest
from tests.engines import Stores
from tests.unit.store.people import add, below, found, guid

from strongroom.errors import IntegrityViolation
from strongroom.store.database import StoreDatabase

_WRITER = """
import sys
from tests.engines import Stores
from tests.unit.store.people import add, guid
from pathlib import Path
place, first = sys.argv[1], int(sys.argv[2])
database = Stores(Path()).open(place)
for number in range(first, first + 25):
    with database.write() as tx:
        ada = tx.row(tx.schema.tables["systemuser"], guid(11))
        add(tx, "account", number, ada, name=f"Account {number}")
database.close()
"""


def test_a_read_sees_one_snapshot_while_others_write(database: StoreDatabase) -> None:
    with database.write() as tx:
        account = add(tx, "account", 101, found(tx).ada, name="Before")

    with database.read() as reading:
        first = reading.row(account.table, account.id)
        with database.write() as writing:
            writing.update(account, {"name": "After"})
        second = reading.row(account.table, account.id)
    with database.read() as reading:
        third = reading.row(account.table, account.id)

    assert [row.values["name"] for row in (first, second, third) if row] == ["Before", "Before", "After"]


def test_writes_do_not_nest(database: StoreDatabase) -> None:
    with database.write(), pytest.raises(IntegrityViolation, match="do not nest"), database.write():
        pass


def test_a_read_cannot_change_anything(database: StoreDatabase) -> None:
    with database.read() as tx, pytest.raises(IntegrityViolation, match="read transaction"):
        add(tx, "businessunit", 1, name="Root")


def test_threads_take_turns_to_write(database: StoreDatabase) -> None:
    with database.write() as tx:
        found(tx)
    holding, released = Event(), Event()
    order: list[str] = []

    def hold() -> None:
        with database.write():
            holding.set()
            released.wait(10)
            order.append("first")

    def follow() -> None:
        with database.write():
            order.append("second")

    threads = [Thread(target=hold), Thread(target=follow)]
    threads[0].start()
    holding.wait(10)
    threads[1].start()
    released.set()
    for thread in threads:
        thread.join(10)

    assert order == ["first", "second"]


def test_processes_write_side_by_side_and_see_each_other(stores: Stores, engine: str) -> None:
    """Every write of every process is there, versions are never used twice, and counters agree."""
    place = stores.place(engine)
    database = stores.open(place)
    with database.write() as tx:
        found(tx)
    root = Path(__file__).parents[3]
    writers = [
        subprocess.Popen([sys.executable, "-c", _WRITER, str(place), str(first)], cwd=root)
        for first in (1000, 2000, 3000)
    ]
    results = [writer.wait(60) for writer in writers]

    with database.read() as tx:
        ids = [guid(first + n) for first in (1000, 2000, 3000) for n in range(25)]
        rows = tx.rows(tx.schema.tables["account"], ids)
        version = below(tx).version
    doubts = database.check()
    database.close()
    assert results == [0, 0, 0]
    assert len(rows) == 75
    assert len({row.version for row in rows.values()}) == 75
    assert max(row.version for row in rows.values()) <= version
    assert doubts == []


def test_opening_does_not_wait_for_a_writer(stores: Stores, engine: str) -> None:
    place = stores.place(engine)
    writer = stores.open(place)
    with writer.write() as tx:
        found(tx)
        stores.open(place).close()
    writer.close()
