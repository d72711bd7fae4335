"""Exports: what a file says is written again as it was read, and an environment exports what it is."""

from dataclasses import replace

import pytest
from tests.engines import Stores
from tests.unit.solutions.exports import PUBLISHED, published, small
from tests.worlds import World

from strongroom.errors import AccessDenied, InvalidRequest, NotFound
from strongroom.ids import Guid
from strongroom.records import NewRecord, change_schema, create
from strongroom.schema.changes import NewColumn, create_column
from strongroom.schema.model import ColumnType
from strongroom.solutions import (
    Archive,
    Solution,
    Verdict,
    export_solution,
    import_solution,
    open_archive,
    plan_import,
    read_solution,
)
from strongroom.solutions.contents import Component, add_component
from strongroom.solutions.writing import write_solution
from strongroom.store.protocol import Database


@pytest.mark.parametrize("name", PUBLISHED)
def test_what_is_written_reads_as_what_was_read(name: str) -> None:
    archive = published(name)
    solution = read_solution(archive)

    again = read_solution(Archive("again", write_solution(solution, archive)))

    assert replace(again, parts=()) == replace(solution, parts=())
    assert sorted(map(repr, again.parts)) == sorted(map(repr, solution.parts))


def test_an_export_imports_into_another_environment_to_the_same_state(
    database: Database, stores: Stores, engine: str
) -> None:
    """WA-405: all published exports, each imported, exported, imported elsewhere and exported there: the same bytes;
    and importing the export where it comes from changes nothing."""
    with stores.opened(engine) as another:
        here, there = World(database), World(another)
        _demand_same(here, there)


def _demand_same(here: World, there: World) -> None:
    for name in PUBLISHED:
        solution = _unmanaged(published(name))
        _import(here, solution, published(name))
        exported = _export(here, solution.unique_name)
        archive = open_archive("export.zip", exported)
        with here.administrating() as session:
            again = plan_import(session, read_solution(archive))
        _import(there, read_solution(archive), archive)

        assert not [step for step in again.steps if step.verdict in (Verdict.CREATE, Verdict.CHANGE)], name
        assert _export(there, solution.unique_name) == exported, name


def test_what_was_changed_since_the_import_is_exported_as_it_is_now(database: Database) -> None:
    world = World(database)
    solution = read_solution(published("column-level-security.zip"))
    _import(world, solution, published("column-level-security.zip"))
    with world.administrating() as session:
        column = NewColumn("sample_Later", ColumnType.INTEGER, minimum=0, maximum=9)
        change_schema(session, create_column(session.schema, "sample_example", column))

    (table,) = _read(_export(world, solution.unique_name)).tables

    later = next(column for column in table.columns if column.schema_name == "sample_Later")
    assert (later.type, later.minimum, later.maximum) == (ColumnType.INTEGER, 0, 9)


def test_parts_that_only_the_archive_holds_are_taken_over(database: Database) -> None:
    world = World(database)
    archive = published("term-buddy.zip")
    _import(world, read_solution(archive), archive)

    kept = _read(_export(world, "termbuddy")).kept
    assert sorted(map(repr, kept)) == sorted(map(repr, read_solution(archive).kept))


def test_a_solution_made_by_hand_exports_what_was_put_into_it(database: Database) -> None:
    world = World(database)
    role = world.role("Clerk")
    solution = _make(world, "handmade")
    with world.administrating() as session:
        add_component(session, solution, Component(20, role))

    exported = _read(_export(world, "handmade"))

    assert [each.name for each in exported.roles] == ["Clerk"]
    assert (exported.unique_name, exported.is_managed, exported.tables) == ("handmade", False, ())
    assert _read(_export(world, "handmade", as_managed=True)).is_managed


def test_who_may_export_what(database: Database) -> None:
    world = World(database)
    _import(world, read_solution(small("", name="theirs", managed="1")), small("", name="theirs", managed="1"))
    nobody = world.user("Nobody", world.root, world.role("Nothing"))

    with pytest.raises(AccessDenied, match="prvExportCustomization"), world.acting(nobody) as session:
        export_solution(session, "theirs")
    with pytest.raises(InvalidRequest, match="'theirs' is managed"):
        _export(world, "theirs")
    with pytest.raises(NotFound, match="no solution 'unheard'"):
        _export(world, "unheard")


def _make(world: World, name: str) -> Guid:
    with world.administrating() as session:
        publisher = session.transaction.rows_where(session.table("publisher"), {}, limit=1)[0].reference()
        values = {"uniquename": name, "friendlyname": name, "version": "1.0.0.0", "publisherid": publisher}
        return create(session, session.table("solution"), NewRecord(values))


def _unmanaged(archive: Archive) -> Solution:
    return replace(read_solution(archive), is_managed=False)


def _import(world: World, solution: Solution, archive: Archive) -> None:
    with world.administrating() as session:
        import_solution(session, solution, archive)


def _export(world: World, name: str, *, as_managed: bool = False) -> bytes:
    with world.administrating() as session:
        return export_solution(session, name, as_managed=as_managed)


def _read(data: bytes) -> Solution:
    return read_solution(open_archive("export.zip", data))
