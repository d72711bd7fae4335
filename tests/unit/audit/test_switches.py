"""What leaves entries: the organisation, the table and the column each have a switch (`IsAuditEnabled`)."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.worlds import World

from strongroom.ids import Guid
from strongroom.records import change_schema
from strongroom.schema.changes import NewColumn
from strongroom.schema.model import ColumnType
from strongroom.store.database import StoreDatabase
from strongroom.store.protocol import Row


@pytest.fixture
def world(database: StoreDatabase) -> Iterator[World]:
    yield World(database)


def entries(world: World, row: Guid) -> list[Row]:
    with world.database.read() as transaction:
        audit = transaction.schema.tables["audit"]
        return [each for each in transaction.rows_where(audit, {}) if getattr(each.values["objectid"], "id", "") == row]


def test_the_trail_is_on_from_the_beginning(world: World) -> None:
    """Default on: creation, change and deletion are told."""
    account = world.create("account", name="A")
    world.update("account", account, name="B")
    world.delete("account", account)
    assert [each.values["action"] for each in entries(world, account)] == [1, 2, 3]


def test_the_organisation_switches_all_of_it_off_and_the_switch_itself_is_told(world: World) -> None:
    """`isauditenabled`: nothing but the switching leaves an entry, of actions 110 and 107."""
    organization = world.born.organization
    account = world.create("account", name="A")
    world.update("organization", organization, isauditenabled=False)
    world.update("account", account, name="B")
    other = world.create("account", name="C")
    world.delete("account", other)
    world.update("organization", organization, isauditenabled=True)
    world.update("account", account, name="D")

    assert [each.values["action"] for each in entries(world, account)] == [1, 2]
    assert entries(world, other) == []
    assert [each.values["action"] for each in entries(world, organization)][-2:] == [110, 107]


def test_a_table_and_a_column_can_be_left_out(world: World) -> None:
    """`IsAuditEnabled` of tables and columns: the entry leaves out the column, the table leaves none."""
    left_out = NewColumn("new_note", ColumnType.STRING, is_audited=False)
    table = world.new_table("thing", NewColumn("new_told", ColumnType.STRING), left_out)
    row = world.make(table, {"new_name": "A", "new_told": "told", "new_note": "silent"})
    (created,) = entries(world, row)
    assert "told" in str(created.values["changedata"])
    assert "silent" not in str(created.values["changedata"])

    with world.administrating() as session:
        before = session.schema.tables[table]
        tables = {**session.schema.tables, table: replace(before, is_audited=False)}
        change_schema(session, replace(session.schema, tables=tables))
    world.change(table, row, {"new_told": "again"})
    assert len(entries(world, row)) == 1
