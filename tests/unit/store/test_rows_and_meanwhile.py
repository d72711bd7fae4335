"""What is done while rows are stored, which PostgreSQL does in the background: it is done once, and fails with them."""

import pytest
from tests.unit.store.people import found, guid

from strongroom.errors import PreconditionFailed
from strongroom.ids import Key
from strongroom.store.database import StoreDatabase
from strongroom.store.protocol import Row
from strongroom.store.transaction import StoreTransaction

NUMBERS = (1, 30, 5_000)
"""One row, few, and more than a socket holds."""


def accounts(tx: StoreTransaction, owner: Row, first: int, number: int) -> list[Row]:
    table = tx.schema.tables["account"]
    return [
        Row(table, Key(0), guid(first + place), owner.key, owner.unit, 0, {"name": f"Account {place} {'x' * 80}"})
        for place in range(number)
    ]


def fail() -> None:
    raise ZeroDivisionError


@pytest.mark.parametrize("number", NUMBERS)
def test_both_are_done(database: StoreDatabase, number: int) -> None:
    done: list[str] = []
    with database.write() as tx:
        ada = found(tx).ada
        rows = accounts(tx, ada, 1_000, number)
        tx.insert(tx.schema.tables["account"], rows, meanwhile=lambda: done.append("once"))

    assert done == ["once"]
    with database.read() as tx:
        assert set(tx.rows(tx.schema.tables["account"], [row.id for row in rows])) == {row.id for row in rows}


@pytest.mark.parametrize("number", NUMBERS)
def test_when_the_other_work_fails_nothing_is_stored(database: StoreDatabase, number: int) -> None:
    with database.write() as tx:
        ada = found(tx).ada
    with pytest.raises(ZeroDivisionError), database.write() as tx:
        tx.insert(tx.schema.tables["account"], accounts(tx, ada, 1_000, number), meanwhile=fail)

    with database.read() as tx:
        assert tx.rows_where(tx.schema.tables["account"], {}, limit=1) == []


@pytest.mark.parametrize("number", NUMBERS)
def test_a_refusal_of_the_rows_is_told_as_ever(database: StoreDatabase, number: int) -> None:
    with database.write() as tx:
        ada = found(tx).ada
        tx.insert(tx.schema.tables["account"], accounts(tx, ada, 1_000, 1))
    with pytest.raises(PreconditionFailed, match="this id already"), database.write() as tx:
        again = [*accounts(tx, ada, 2_000, number - 1), *accounts(tx, ada, 1_000, 1)]
        tx.insert(tx.schema.tables["account"], again, meanwhile=lambda: None)

    with database.write() as tx:  # the connection is as good as new
        tx.insert(tx.schema.tables["account"], accounts(tx, ada, 9_000, 1))
