"""Audit entries are stored with the change or not at all."""

import pytest
from tests.unit.store.people import found, guid

from strongroom.ids import Guid, Reference
from strongroom.store.database import StoreDatabase
from strongroom.store.transaction import StoreTransaction


def _entries(tx: StoreTransaction) -> list[tuple[object, ...]]:
    by_user = next(
        r for r in tx.schema.children_of("systemuser") if r.referencing_table == "audit" and r.lookup_nav == "userid"
    )
    names = ("operation", "objectid", "changedata", "createdon")
    return [tuple(row.values[name] for name in names) for row in tx.children(by_user, [guid(11)])]


def _entry(number: int) -> dict[str, object]:
    return {
        "operation": 2,
        "action": 2,
        "objectid": Reference("account", guid(number)),
        "objecttypecode": "account",
        "userid": Reference("systemuser", guid(11)),
        "transactionid": Guid(guid(77)),
        "changedata": '{"changed":[]}',
    }


@pytest.mark.parametrize("number", [1, 30])
def test_entries_are_kept_in_order_with_the_time_of_the_clock(database: StoreDatabase, number: int) -> None:
    with database.write() as tx:
        found(tx)
        tx.append_audit(_entry(100 + n) for n in range(number))

    with database.read() as tx:
        assert _entries(tx) == [
            (2, Reference("account", guid(100 + n)), '{"changed":[]}', "2026-01-05T09:30:00Z") for n in range(number)
        ]


def test_entries_of_a_change_that_fails_are_not_kept(database: StoreDatabase) -> None:
    with database.write() as tx:
        found(tx)
    with pytest.raises(ZeroDivisionError), database.write() as tx:
        tx.append_audit([_entry(100)])
        _ = 1 / 0

    with database.read() as tx:
        assert _entries(tx) == []
