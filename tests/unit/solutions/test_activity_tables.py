"""Activity tables of a solution: activities here too, and again in what is exported (WA-340, WA-405)."""

import pytest
from tests.unit.solutions.exports import small
from tests.worlds import World

from strongroom.ids import Reference
from strongroom.query.ast import Comparison, Field, Literal, Operator, Output, Select, Source
from strongroom.records import Session, change_schema, delete, retrieve_page
from strongroom.schema.changes import NewColumn, NewTable, create_table
from strongroom.schema.model import ColumnType, Ownership, Schema
from strongroom.solutions import (
    Archive,
    Verdict,
    export_solution,
    import_solution,
    open_archive,
    plan_import,
    read_solution,
)
from strongroom.solutions.contents import Component, add_component, find_solution
from strongroom.solutions.removing import register
from strongroom.store.protocol import Database

ROOTS = "".join(f'<RootComponent type="1" schemaName="{each}" behavior="0"/>' for each in ("new_visit", "new_place"))


def _table(name: str, subject: str, *columns: str, is_activity: bool) -> str:
    attributes = "".join(
        f'<attribute PhysicalName="{each}"><Type>{kind}</Type><Name>{each.lower()}</Name>'
        f"<IsCustomField>{custom}</IsCustomField><DisplayMask>{mask}</DisplayMask><MaxLength>200</MaxLength></attribute>"
        for each, kind, custom, mask in (
            (subject, "nvarchar", int(not is_activity), "PrimaryName|ValidForAdvancedFind"),
            *((column, "nvarchar", 1, "ValidForAdvancedFind") for column in columns),
        )
    )
    return (
        f'<Entity><Name LocalizedName="{name}">{name}</Name><EntityInfo><entity Name="{name}"><LocalizedNames>'
        f'<LocalizedName description="{name}" languagecode="1033"/></LocalizedNames>'
        f"<attributes>{attributes}</attributes>"
        f"<EntitySetName>{name.lower()}s</EntitySetName><OwnershipTypeMask>UserOwned</OwnershipTypeMask>"
        f"<IsActivity>{int(is_activity)}</IsActivity></entity></EntityInfo></Entity>"
    )


RELATIONSHIPS = "".join(
    f'<EntityRelationship Name="{name}"><EntityRelationshipType>OneToMany</EntityRelationshipType>'
    f"<ReferencingEntityName>{child}</ReferencingEntityName><ReferencedEntityName>{parent}</ReferencedEntityName>"
    f"<ReferencingAttributeName>{lookup}</ReferencingAttributeName></EntityRelationship>"
    for name, child, parent, lookup in (
        ("new_visit_activity_parties", "ActivityParty", "new_visit", "ActivityId"),
        ("account_new_visits", "new_visit", "Account", "RegardingObjectId"),
        ("new_place_ActivityPointers", "ActivityPointer", "new_place", "RegardingObjectId"),
    )
)
BODY = (
    f"<Entities>{_table('new_visit', 'Subject', 'new_Outcome', is_activity=True)}"
    f"{_table('new_place', 'new_Name', is_activity=False)}</Entities>"
    f"<EntityRelationships>{RELATIONSHIPS}</EntityRelationships>"
)


@pytest.fixture
def world(database: Database) -> World:
    world = World(database)
    register(world.rules)
    return world


def _import(session: Session, archive: Archive) -> None:
    import_solution(session, read_solution(archive), archive)


def _is_real(schema: Schema) -> None:
    visit = schema.tables["new_visit"]
    assert visit.is_activity
    assert (visit.primary_id, visit.primary_name) == ("activityid", "subject")
    assert {"regardingobjectid", "scheduledend", "new_outcome"} <= visit.columns.keys()
    assert "new_visit" in schema.tables["activityparty"].columns["activityid"].targets
    assert schema.tables["new_place"].has_activities


def test_an_activity_table_of_a_solution_is_an_activity_here(world: World) -> None:
    """WA-340: planned, imported, filled with a row that appears among all activities, and removed."""
    archive = small(BODY, roots=ROOTS, managed="1")
    with world.administrating() as session:
        planned = plan_import(session, read_solution(archive))
        _is_real(planned.schema)
        assert not [each for each in planned.steps if each.kind == "table" and each.verdict is not Verdict.CREATE]
        import_solution(session, read_solution(archive), archive)
    _is_real(world.schema)

    place = world.create("new_place", new_name="Harbour")
    visit = world.create(
        "new_visit", subject="Inspect", new_outcome="good", regardingobjectid=Reference("new_place", place)
    )
    with world.acting(world.admin) as session:
        table = session.table("activitypointer")
        subject = table.columns["subject"]
        where = Comparison(Operator.EQUAL, Field("", table.id_column), Literal(visit, ColumnType.UNIQUEIDENTIFIER))
        found = retrieve_page(session, Select(Source(table), (Output("subject", Field("", subject)),), where=where))
    assert [row.values for row in found.rows] == [("Inspect",)]

    world.delete("new_visit", visit)
    with world.administrating() as session:
        solution = find_solution(session, "small")
        assert solution is not None
        delete(session, solution.table, solution.id)
    assert "new_visit" not in world.schema.tables
    assert "new_visit" not in world.schema.tables["activityparty"].columns["activityid"].targets


def test_an_activity_table_goes_out_as_one(world: World) -> None:
    """WA-405: the export imports again to the same state."""
    with world.administrating() as session:
        _import(session, small(BODY, roots=ROOTS))
        exported = export_solution(session, "small", as_managed=False)
    archive = open_archive("again.zip", exported)
    found = {each.logical_name: each for each in read_solution(archive).tables}
    assert found["new_visit"].is_activity and not found["new_place"].is_activity
    with world.administrating() as session:
        assert {each.verdict for each in plan_import(session, read_solution(archive)).steps} <= {
            Verdict.SAME,
            Verdict.KEEP,
        }


def test_an_activity_table_made_here_goes_out_as_one(world: World) -> None:
    """WA-340, WA-405: of a solution made here, too."""
    archive = small("<Entities/>")
    asked = NewTable("new_call", Ownership.USER, NewColumn("Subject", ColumnType.STRING), is_activity=True)
    with world.administrating() as session:
        import_solution(session, read_solution(archive), archive)
        change_schema(session, create_table(session.schema, asked))
        solution = find_solution(session, "small")
        assert solution is not None
        add_component(session, solution.id, Component(1, session.schema.tables["new_call"].metadata_id))
        exported = export_solution(session, "small", as_managed=False)
    (table,) = read_solution(open_archive("made.zip", exported)).tables
    assert table.is_activity
    assert table.primary_name is not None and table.primary_name.schema_name.lower() == "subject"


def test_a_table_that_is_no_activity_here_does_not_become_one(world: World) -> None:
    """WA-405: what cannot be, waits and is told by name; nothing else of the import is lost."""
    ordinary = f"<Entities>{_table('new_visit', 'new_Name', is_activity=False)}</Entities>"
    with world.administrating() as session:
        _import(session, small(ordinary, roots=ROOTS))
        steps = plan_import(session, read_solution(small(BODY, roots=ROOTS))).steps
    (step,) = [each for each in steps if each.kind == "table" and each.verdict is Verdict.WAIT]
    assert step.name == "new_visit"
    assert "an ordinary table here, an activity in the solution" in step.note
