"""Rows as they were, and back to it (TS-810): an ordinary, authorized, audited write."""

from collections.abc import Iterator

import pytest
from tests.engines import START
from tests.worlds import World

from strongroom.audit.versions import version_at
from strongroom.clock import TestClock
from strongroom.errors import AccessDenied, Conflict, InvalidRequest, NotFound
from strongroom.ids import Guid, Reference
from strongroom.records.restoring import restore
from strongroom.schema.changes import NewColumn
from strongroom.schema.model import ColumnType, Depth, RequiredLevel, Rights
from strongroom.store.database import StoreDatabase
from strongroom.store.protocol import Value


@pytest.fixture
def world(database: StoreDatabase) -> Iterator[World]:
    yield World(database)


def entry(world: World, row: Guid, action: int, number: int = 0) -> Guid:
    """The entry about `row` with this action, counted from the first."""
    with world.database.read() as transaction:
        audit = transaction.schema.tables["audit"]
        found = transaction.rows_where(audit, {"objectid": Reference("account", row)})
        return [each.id for each in found if each.values["action"] == action][number]


def back(
    world: World, row: Guid, change: Guid, columns: list[str] | None = None, *, preview: bool = False
) -> dict[str, tuple[Value, Value]]:
    """Restore as the administrator: column → (from, to)."""
    with world.administrating() as session:
        done = restore(session, Reference("account", row), change, columns, preview=preview)
        return {each.column: (each.before, each.after) for each in done}


def values(world: World, row: Guid) -> dict[str, Value]:
    (found,) = world.rows("account", accountid=row)
    return found.values


def test_a_row_is_brought_back_to_what_it_was_before_a_change(world: World) -> None:
    account = world.create("account", name="A", telephone1="1")
    world.update("account", account, name="B")
    world.update("account", account, name="C", telephone1="2")
    first = entry(world, account, 2)

    assert back(world, account, first, preview=True) == {"name": ("C", "A"), "telephone1": ("2", "1")}
    assert values(world, account)["name"] == "C"
    assert back(world, account, first) == {"name": ("C", "A"), "telephone1": ("2", "1")}
    assert (values(world, account)["name"], values(world, account)["telephone1"]) == ("A", "1")
    assert entry(world, account, 2, 2)  # the restore is a change like any other
    assert back(world, account, first) == {}


def test_one_column_alone_is_brought_back(world: World) -> None:
    account = world.create("account", name="A", telephone1="1")
    world.update("account", account, name="B", telephone1="2")

    assert back(world, account, entry(world, account, 2), ["telephone1"]) == {"telephone1": ("2", "1")}
    assert values(world, account)["name"] == "B"
    with pytest.raises(InvalidRequest, match="no audited column"):
        back(world, account, entry(world, account, 2), ["nothing"])


def test_a_deleted_row_is_made_again_with_its_id(world: World) -> None:
    account = world.create("account", name="A", telephone1="1")
    world.delete("account", account)

    back(world, account, entry(world, account, 3))

    assert (values(world, account)["name"], values(world, account)["telephone1"]) == ("A", "1")


def test_a_deleted_row_whose_required_columns_are_not_in_the_trail_is_409(world: World) -> None:
    """TS-810: `not-fully-audited`, with the columns that are missing."""
    needed = RequiredLevel.APPLICATION_REQUIRED
    table = world.new_table("thing", NewColumn("new_code", ColumnType.STRING, is_audited=False, required=needed))
    row = world.make(table, {"new_name": "A", "new_code": "X"})
    world.delete(table, row)
    with world.database.read() as transaction:
        audit = transaction.schema.tables["audit"]
        deletion = transaction.rows_where(audit, {"objectid": Reference(table, row)})[-1].id

    with world.administrating() as session, pytest.raises(Conflict, match="new_code") as refused:
        restore(session, Reference(table, row), deletion)
    assert refused.value.code == "not-fully-audited"


def test_nothing_is_restored_before_the_beginning_or_by_the_entry_of_another_row(world: World) -> None:
    account, other = world.create("account", name="A"), world.create("account", name="B")
    with pytest.raises(InvalidRequest, match="did not exist"):
        back(world, account, entry(world, account, 1))
    with pytest.raises(NotFound):
        back(world, account, entry(world, other, 1))


def test_who_may_not_write_the_row_restores_nothing(world: World) -> None:
    """The trail's privilege opens the past, not the row."""
    account = world.create("account", name="A")
    world.update("account", account, name="B")
    reader = world.role(
        "Reader", {"account": {Rights.READ: Depth.GLOBAL}}, by_name={"prvReadRecordAuditHistory": Depth.GLOBAL}
    )
    ann = world.user("Ann", world.root, reader)

    with world.acting(ann) as session, pytest.raises(AccessDenied):
        restore(session, Reference("account", account), entry(world, account, 2))
    with world.acting(ann) as session:
        preview = restore(session, Reference("account", account), entry(world, account, 2), preview=True)
    assert [each.column for each in preview] == ["name"]


def test_a_row_is_seen_as_it_was_at_any_time(world: World) -> None:
    clock = world.clock
    assert isinstance(clock, TestClock)
    account = world.create("account", name="A")
    clock.move_to(START.replace(hour=10))
    world.update("account", account, name="B")
    clock.move_to(START.replace(hour=11))
    world.delete("account", account)

    def name(moment: str) -> Value:
        with world.administrating() as session:
            then = version_at(session.transaction, session.caller, Reference("account", account), moment).then
            return None if then is None else then["name"]

    assert name("2026-01-05T09:00:00Z") is None
    assert name("2026-01-05T09:30:00Z") == "A"
    assert name("2026-01-05T10:30:00Z") == "B"
    assert name("2026-01-05T11:30:00Z") is None
