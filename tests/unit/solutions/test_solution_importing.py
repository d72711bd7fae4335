"""Importing, on both engines: what comes, what waits, what is refused and leaves nothing behind."""

from uuid import uuid4

import pytest
from tests.unit.solutions.exports import PUBLISHED, published, role_xml, small
from tests.worlds import World

from strongroom.errors import AccessDenied, InvalidRequest
from strongroom.ids import Guid
from strongroom.records import RolePrivilege, Session, role_privileges, update
from strongroom.schema.model import Depth, Rights
from strongroom.solutions import Archive, Step, Verdict, import_solution, plan_import, read_solution
from strongroom.solutions.contents import kept_archive
from strongroom.store.protocol import Database


@pytest.fixture
def world(database: Database) -> World:
    """An environment with its first rows, on both engines."""
    return World(database)


def _import(session: Session, archive: Archive) -> tuple[Step, ...]:
    return import_solution(session, read_solution(archive), archive).steps


def test_every_published_export_imports_and_a_second_time_changes_nothing(world: World) -> None:
    """All seven into one environment, one after the other, then each again."""
    for name in PUBLISHED:
        with world.administrating() as session:
            steps = _import(session, published(name))
        assert any(step.verdict is Verdict.CREATE for step in steps), name
    for name in PUBLISHED:
        with world.administrating() as session:
            again = plan_import(session, read_solution(published(name)))
        assert not [step for step in again.steps if step.verdict in (Verdict.CREATE, Verdict.CHANGE)], name
    assert world.database.check() == []


def test_a_plan_changes_nothing(world: World) -> None:
    with world.administrating() as session:
        before = session.schema
        planned = plan_import(session, read_solution(published("test-engine.zip")))

    assert "te_key" in planned.schema.tables
    with world.administrating() as session:
        assert session.schema.tables.keys() == before.tables.keys()
        assert session.transaction.rows_where(session.table("solution"), {"uniquename": "TestEngine"}) == []


def test_a_user_with_an_imported_role_sees_what_it_grants(world: World) -> None:
    """SM-21, SM-32: the table is the solution's, the role too; nobody else sees the rows."""
    with world.administrating() as session:
        solution = read_solution(published("column-level-security.zip"))
        import_solution(session, solution, published("column-level-security.zip"))
    role = solution.roles[0].id
    reader, stranger = world.user("Reader", world.root, role), world.user("Stranger", world.root)
    row = world.create("sample_example", sample_name="Secret")

    assert world.visible("sample_example", reader) == {row}
    with pytest.raises(AccessDenied):
        world.visible("sample_example", stranger)


def test_privileges_and_depths_of_a_role_are_those_of_the_export(world: World) -> None:
    role = Guid(str(uuid4()))
    with world.administrating() as session:
        _import(session, small(role_xml(role, "Seller", prvReadAccount="Deep", prvWriteAccount="Basic")))
        held = role_privileges(session, role)

    names = {world.schema.privileges_by_id[each.privilege].name: each.depth for each in held}
    assert names == {"prvReadAccount": Depth.DEEP, "prvWriteAccount": Depth.BASIC}


def test_privileges_that_nobody_knows_wait_and_are_named(world: World) -> None:
    with world.administrating() as session:
        steps = _import(session, small(role_xml(str(uuid4()), "R", prvReadAccount="Basic", prvReadUnheardOf="Basic")))

    (waiting,) = [step for step in steps if step.verdict is Verdict.WAIT]
    assert "prvReadUnheardOf" in waiting.note


def test_a_depth_that_a_privilege_cannot_have_waits_and_is_not_widened(world: World) -> None:
    """SM-30: currencies belong to the organization, so that Basic has no meaning there."""
    role = Guid(str(uuid4()))
    with world.administrating() as session:
        _import(session, small(role_xml(role, "R", prvReadTransactionCurrency="Basic")))
        assert role_privileges(session, role) == []


def test_nobody_gives_more_by_a_solution_than_they_may_give(world: World) -> None:
    """SM-29: escalation by a solution that carries a role."""
    maker = _maker(world)
    with pytest.raises(AccessDenied), world.acting(maker) as session:
        _import(session, small(role_xml(str(uuid4()), "Mighty", prvReadAccount="Global")))

    with world.administrating() as session:
        assert session.transaction.rows_where(session.table("role"), {"name": "Mighty"}) == []
        assert session.transaction.rows_where(session.table("solution"), {"uniquename": "small"}) == []


def test_nobody_opens_a_secured_column_by_a_solution_that_calls_it_open(world: World) -> None:
    """SM-139: what changes metadata needs the privileges of metadata, in a solution too."""
    open_column = (
        '<Entities><Entity><Name>account</Name><EntityInfo><entity Name="Account"><attributes>'
        '<attribute PhysicalName="new_Salary"><Type>int</Type><IsCustomField>1</IsCustomField>'
        "<IsSecured>{}</IsSecured></attribute></attributes></entity></EntityInfo></Entity></Entities>"
    )
    with world.administrating() as session:
        _import(session, small(open_column.format(1), name="salaries"))
    assert world.schema.tables["account"].columns["new_salary"].is_secured

    with pytest.raises(AccessDenied), world.acting(_maker(world)) as session:
        _import(
            session, small(open_column.format(0).replace("<Type>", "<RequiredLevel>required</RequiredLevel><Type>"))
        )

    assert world.schema.tables["account"].columns["new_salary"].is_secured


def test_nobody_changes_a_role_that_is_there_to_more_than_they_hold(world: World) -> None:
    """SM-29: an update of a role that is theirs already."""
    role = str(uuid4())
    with world.administrating() as session:
        _import(session, small(role_xml(role, "Clerk", prvReadAccount="Basic")))
    maker = _maker(world)

    with pytest.raises(AccessDenied), world.acting(maker) as session:
        _import(session, small(role_xml(role, "Clerk", prvReadAccount="Global"), version="2.0"))

    with world.administrating() as session:
        assert [each.depth for each in role_privileges(session, Guid(role))] == [Depth.BASIC]


def test_the_value_of_an_environment_variable_comes_once_and_then_belongs_to_the_environment(world: World) -> None:
    archive = published("term-buddy.zip")
    with world.administrating() as session:
        _import(session, archive)
        table = session.table("environmentvariablevalue")
        rows = session.transaction.rows_where(table, {})
        assert len(rows) == 5
        update(session, table, rows[0].id, {"value": "ours"})
    with world.administrating() as session:
        _import(session, archive)
        row = session.transaction.row(table, rows[0].id)
        assert row is not None
        assert row.values["value"] == "ours"


def test_importing_needs_its_privilege(world: World) -> None:
    nobody = world.user("Nobody", world.root, world.role("Reads", {"account": {Rights.READ: Depth.GLOBAL}}))
    with pytest.raises(AccessDenied, match="prvImportCustomization"), world.acting(nobody) as session:
        _import(session, small(""))


def test_an_older_version_is_refused_and_a_newer_one_upgrades(world: World) -> None:
    with world.administrating() as session:
        _import(session, small("", version="1.2.0.0"))
    with pytest.raises(InvalidRequest, match=r"1\.10\.0\.0.*1\.9\.0\.0 is older"), world.administrating() as session:
        _import(session, small("", version="1.10.0.0"))
        _import(session, small("", version="1.9.0.0"))
    with world.administrating() as session:
        _import(session, small("", version="1.10.0.0"))
        (row,) = session.transaction.rows_where(session.table("solution"), {"uniquename": "small"})
        assert row.values["version"] == "1.10.0.0"


def test_the_archive_is_kept_as_it_came(world: World) -> None:
    archive = published("term-buddy.zip")
    with world.administrating() as session:
        imported = import_solution(session, read_solution(archive), archive)
        assert kept_archive(session, imported.solution) == archive.packed


def test_what_waits_comes_with_the_next_import(world: World) -> None:
    """A column over a choice of another solution: named while the choice is missing, there once it has come."""
    column = (
        '<Entities><Entity><Name>account</Name><EntityInfo><entity Name="Account"><attributes>'
        '<attribute PhysicalName="new_Colour"><Type>picklist</Type><IsCustomField>1</IsCustomField>'
        "<OptionSetName>new_colours</OptionSetName></attribute></attributes></entity></EntityInfo></Entity></Entities>"
    )
    choice = (
        '<optionsets><optionset Name="new_colours"><IsGlobal>1</IsGlobal><options><option value="10000">'
        '<labels><label description="Red" languagecode="1033"/></labels></option></options></optionset></optionsets>'
    )
    with world.administrating() as session:
        (waiting,) = [s for s in _import(session, small(column)) if s.verdict is Verdict.WAIT]
        assert "new_colours" in waiting.note
        _import(session, small(choice, name="colours"))
        steps = _import(session, small(column))
        assert [s.name for s in steps if s.verdict is Verdict.CREATE] == ["account.new_colour"]
        assert session.schema.tables["account"].columns["new_colour"].options[0].label == "Red"


def _maker(world: World) -> Guid:
    """Somebody who may import and make roles, and reads only their own accounts."""
    tables = ("role", "solution", "publisher", "solutioncomponent", "solutionarchive", "businessunit")
    rights = (Rights.CREATE, Rights.READ, Rights.WRITE, Rights.DELETE, Rights.APPEND, Rights.APPEND_TO)
    schema = world.schema
    privileges = {
        name: {
            right: max(schema.tables[name].privileges[right].depths, key=lambda d: d.value)
            for right in rights
            if right in schema.tables[name].privileges
        }
        for name in tables
    }
    role = world.role("Maker", {**privileges, "account": {Rights.READ: Depth.BASIC}})
    with world.administrating() as session:
        from strongroom.records import add_privileges

        add_privileges(
            session, role, [RolePrivilege(schema.privileges_by_name["prvImportCustomization"].id, Depth.GLOBAL)]
        )
    return world.user("Maker", world.root, role)
