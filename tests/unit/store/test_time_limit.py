"""A unit of work has a limit of time; what exceeds it is cancelled in the engine and undone (WA-433)."""

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager

import pytest
from tests.engines import DATA_KEY, NAME, START, Stores
from tests.unit.store.people import add, below, found, guid

from strongroom.clock import TestClock
from strongroom.errors import TimeLimitExceeded
from strongroom.store.database import StoreDatabase, open_database
from strongroom.store.transaction import StoreTransaction

LIMIT_S = 0.3
ENOUGH_S = 20
"""How long the heavy statement would take at least, and more than a busy machine adds to the limit."""

Opening = Callable[[float | None], StoreDatabase]


@pytest.fixture
def opening(stores: Stores, engine: str) -> Iterator[Opening]:
    """Opens one environment, with or without a limit, on both engines."""
    place = stores.place(engine)
    opened: list[StoreDatabase] = []

    def open_with(limit_s: float | None) -> StoreDatabase:
        database = open_database(
            place, data_key=DATA_KEY, create=False, name=NAME, clock=TestClock(START), limit_s=limit_s
        )
        opened.append(database)
        return database

    yield open_with
    for database in opened:
        database.close()


def work_hard(tx: StoreTransaction, rows: int = 10**9) -> None:
    """A statement over so many rows."""
    below(tx).connection.query(
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < ?) select count(*) from n", (rows,)
    )


@contextmanager
def too_long() -> Generator[None]:
    """A block that the limit must end, long before it would end by itself."""
    started = time.monotonic()
    with pytest.raises(TimeLimitExceeded, match=f"longer than {LIMIT_S} seconds") as caught:
        yield
    assert LIMIT_S <= time.monotonic() - started < ENOUGH_S
    assert (caught.value.status, caught.value.code) == (500, "0x80044151")
    assert caught.value.details == {"reason": "query-timeout"}


def test_a_statement_that_takes_too_long_is_cancelled_and_the_next_is_answered(opening: Opening) -> None:
    """WA-433, TS-307: the message names the limit and the setting."""
    database = opening(LIMIT_S)
    with too_long(), database.read() as tx:
        work_hard(tx)

    for _ in range(3):
        with database.read() as tx:
            work_hard(tx, 10)


def test_everything_that_a_late_write_did_is_undone(opening: Opening) -> None:
    """WA-433: and the turn to write goes to the next one."""
    database = opening(LIMIT_S)
    with database.write() as tx:
        ada = found(tx).ada
        before = tx.stamp
    with too_long(), database.write() as tx:
        add(tx, "account", 101, ada, name="Late")
        tx.bump_security_epoch()
        work_hard(tx)

    with database.write() as tx:
        assert tx.row(tx.schema.tables["account"], guid(101)) is None
        assert tx.stamp == before
        add(tx, "account", 101, ada, name="In time")
    with database.read() as tx:
        row = tx.row(tx.schema.tables["account"], guid(101))
    assert row is not None
    assert row.values["name"] == "In time"


def test_many_short_statements_count_together(opening: Opening) -> None:
    """WA-433: the limit is that of the unit of work."""
    database = opening(LIMIT_S)
    with too_long(), database.read() as tx:
        while True:
            work_hard(tx, 100)


def test_a_write_that_is_late_at_its_commit_is_undone(opening: Opening) -> None:
    """WA-433: also when the time went by outside of the engine."""
    database = opening(LIMIT_S)
    with database.write() as tx:
        ada = found(tx).ada
    with too_long(), database.write() as tx:
        add(tx, "account", 101, ada, name="Late")
        end = time.monotonic() + LIMIT_S * 1.1
        while time.monotonic() < end:
            pass

    with database.read() as tx:
        assert tx.row(tx.schema.tables["account"], guid(101)) is None


def test_a_late_statement_gets_only_the_time_that_is_left(opening: Opening) -> None:
    """WA-433: one that begins in the middle does not have the whole limit for itself."""
    database = opening(2.0)
    started = time.monotonic()
    with pytest.raises(TimeLimitExceeded), database.read() as tx:
        while time.monotonic() < started + 1.5:
            work_hard(tx, 10_000)
        work_hard(tx)
    assert time.monotonic() - started < 3.0


def test_work_without_a_limit_takes_what_it_takes(opening: Opening) -> None:
    """Commands and bulk loads may be long."""
    rows = 10_000
    limited = opening(LIMIT_S)
    with too_long(), limited.read() as tx:
        while True:
            rows *= 2
            work_hard(tx, rows)

    with opening(None).read() as tx:
        work_hard(tx, rows)
