"""Removing solutions: what a managed one alone brought goes, what others need of it refuses, by name."""

import pytest
from tests.unit.solutions.exports import published, role_xml, small
from tests.worlds import World

from strongroom.errors import AccessDenied, InvalidRequest
from strongroom.ids import Guid
from strongroom.records import change_schema, delete
from strongroom.schema.changes import NewColumn, NewRelationship, create_column, create_lookup
from strongroom.schema.model import ColumnType, Depth, Rights
from strongroom.solutions import Archive, find_solution, import_solution, plan_removal, read_solution
from strongroom.solutions.removing import register
from strongroom.store.protocol import Database

_ROLE = "aaaaaaaa-0000-4000-8000-00000000000a"


@pytest.fixture
def world(database: Database) -> World:
    """An environment with its first rows and the rules of solutions, on both engines."""
    world = World(database)
    register(world.rules)
    return world


def test_a_managed_solution_takes_along_all_that_it_brought_and_leaves_what_was_there(world: World) -> None:
    before = world.schema
    _import(world, published("sales-order-processing.managed.zip"))
    assert "aipod_salesorderheader" in world.schema.tables
    world.create("aipod_salesorderheader")

    with world.administrating() as session:
        row = find_solution(session, "SalesOrderProcessingAutomation")
        assert row is not None
        going = {(each.kind, each.name) for each in plan_removal(session, row)}
    _remove(world, "SalesOrderProcessingAutomation")

    assert ("table", "aipod_salesorderheader") in going
    after = world.schema
    assert after.tables.keys() == before.tables.keys()
    assert after.relationships.keys() == before.relationships.keys()
    assert after.choices.keys() == before.choices.keys()
    with world.administrating() as session:
        for table in (
            "webresource",
            "workflow",
            "environmentvariabledefinition",
            "solutionarchive",
            "solutioncomponent",
        ):
            assert session.transaction.rows_where(session.table(table), {}) == [], table
    assert world.database.check() == []


def test_removing_an_unmanaged_solution_leaves_what_it_has(world: World) -> None:
    _import(world, published("test-engine.zip"))
    _remove(world, "TestEngine")

    assert "te_key" in world.schema.tables


def test_what_another_solution_has_too_stays_until_that_one_goes(world: World) -> None:
    for name in ("first", "second"):
        _import(world, _with_role(name))

    _remove(world, "first")
    assert _has_role(world)
    _remove(world, "second")
    assert not _has_role(world)


def test_what_was_made_here_before_the_solution_came_stays(world: World) -> None:
    """The active solution has it too, as in Dataverse the unmanaged layer has."""
    _import(world, _with_role("ours", managed="0"))
    with world.administrating() as session:
        row = find_solution(session, "ours")
        assert row is not None
        delete(session, row.table, row.id)
    _import(world, _with_role("theirs"))

    _remove(world, "theirs")

    assert _has_role(world)


def test_a_lookup_of_somebody_else_to_its_table_refuses_by_name(world: World) -> None:
    _import(world, published("polymorphic-lookup.zip"))
    with world.administrating() as session:
        lookup = NewColumn("new_Book", ColumnType.LOOKUP)
        change_schema(
            session,
            create_lookup(session.schema, lookup, (NewRelationship("new_account_book", "sample_book", "account"),)),
        )

    with pytest.raises(InvalidRequest, match=r"account\.new_book looks up sample_book"):
        _remove(world, "polymorphiclookupexamplesolution")

    assert "sample_book" in world.schema.tables
    with world.administrating() as session:
        assert find_solution(session, "polymorphiclookupexamplesolution") is not None


def test_removing_needs_the_privileges_of_what_goes(world: World) -> None:
    _import(world, published("polymorphic-lookup.zip"))
    rights = {Rights.READ: Depth.GLOBAL, Rights.DELETE: Depth.GLOBAL}
    tables = ("solution", "solutioncomponent", "solutionarchive", "savedquery", "systemform")
    cleaner = world.user("Cleaner", world.root, world.role("Cleans", dict.fromkeys(tables, rights)))

    with pytest.raises(AccessDenied), world.acting(cleaner) as session:
        row = find_solution(session, "polymorphiclookupexamplesolution")
        assert row is not None
        delete(session, row.table, row.id)

    assert "sample_book" in world.schema.tables


@pytest.mark.parametrize("name", ["Default", "Active"])
def test_the_solutions_of_the_platform_stay(world: World, name: str) -> None:
    with pytest.raises(InvalidRequest, match="belongs to the platform"):
        _remove(world, name)


def test_a_column_of_a_managed_solution_on_a_table_of_the_platform_goes_alone(world: World) -> None:
    column = (
        '<Entities><Entity><Name>account</Name><EntityInfo><entity Name="Account"><attributes>'
        '<attribute PhysicalName="new_Theirs"><Type>int</Type><IsCustomField>1</IsCustomField></attribute>'
        "</attributes></entity></EntityInfo></Entity></Entities>"
    )
    with world.administrating() as session:
        ours = NewColumn("new_Ours", ColumnType.INTEGER)
        change_schema(session, create_column(session.schema, "account", ours))
    _import(world, small(column, name="adds", managed="1"))
    assert "new_theirs" in world.schema.tables["account"].columns

    _remove(world, "adds")

    assert "new_theirs" not in world.schema.tables["account"].columns
    assert "new_ours" in world.schema.tables["account"].columns


def _with_role(name: str, *, managed: str = "1") -> Archive:
    return small(role_xml(_ROLE, "Seller", prvReadAccount="Basic"), name=name, managed=managed)


def _has_role(world: World) -> bool:
    with world.administrating() as session:
        return session.transaction.row(session.table("role"), Guid(_ROLE)) is not None


def _import(world: World, archive: Archive) -> None:
    with world.administrating() as session:
        import_solution(session, read_solution(archive), archive)


def _remove(world: World, name: str) -> None:
    with world.administrating() as session:
        row = find_solution(session, name)
        assert row is not None
        delete(session, row.table, row.id)
