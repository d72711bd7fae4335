"""Exports: what a file says is written again as it was read, and an environment exports what it is."""

from collections.abc import Iterator
from dataclasses import replace
from xml.etree.ElementTree import Element

import pytest
from tests.engines import Stores
from tests.unit.solutions.exports import PUBLISHED, published, small
from tests.worlds import World

from strongroom.errors import AccessDenied, InvalidRequest, NotFound
from strongroom.ids import Guid
from strongroom.records import NewRecord, change_schema, create
from strongroom.schema.changes import NewColumn, create_column, delete_column, replace_column
from strongroom.schema.model import ColumnType, SourceType
from strongroom.solutions import (
    Archive,
    Solution,
    Verdict,
    export_solution,
    find_solution,
    import_solution,
    open_archive,
    plan_import,
    read_solution,
)
from strongroom.solutions.contents import Component, add_component
from strongroom.solutions.originals import manifest_of, whole_document
from strongroom.solutions.overlay import identity_of
from strongroom.solutions.writing import write_solution
from strongroom.store.protocol import Database


@pytest.mark.parametrize("name", PUBLISHED)
def test_what_is_written_reads_as_what_was_read(name: str) -> None:
    archive = published(name)
    solution = read_solution(archive)

    again = read_solution(Archive("again", write_solution(solution, archive)))

    assert _sorted(again) == _sorted(solution)


@pytest.mark.parametrize("name", PUBLISHED)
def test_what_is_written_without_the_archive_reads_as_what_was_read(name: str) -> None:
    solution = read_solution(published(name))

    again = read_solution(Archive("again", write_solution(solution)))

    assert _sorted(replace(again, kept=())) == _sorted(replace(solution, kept=()))


def _sorted(solution: Solution) -> Solution:
    """In an order that does not depend on how the files lie."""
    return replace(
        solution,
        parts=tuple(sorted(solution.parts, key=repr)),
        relationships=tuple(sorted(solution.relationships, key=repr)),
        kept=tuple(sorted(solution.kept, key=repr)),
    )


def _demand_nothing_lost(name: str, exported: Archive) -> None:
    """Element by element and file by file, an export says what the original says: labels in other languages, images and
    messages of plug-in steps, waiting privileges and columns, missing dependencies, names of N:N navigation, all that
    nobody here takes apart."""
    original = published(name)
    document, merged = whole_document(original)
    assert list(_lost(document, whole_document(exported)[0])) == [], name
    path, manifest = manifest_of(original)
    assert list(_lost(_without_managed(manifest), _without_managed(manifest_of(exported)[1]))) == [], name
    kept = {path_: data for path_, data in original.files.items() if path_ not in (*merged, path)}
    assert {path_: exported.files.get(path_) for path_ in kept} == kept, name


def _lost(original: Element, exported: Element, path: str = "") -> Iterator[str]:
    """The places where an export does not say what the original says."""
    if original.attrib != exported.attrib or (original.text or "").strip() != (exported.text or "").strip():
        yield path
    places: dict[tuple[str, str], list[Element]] = {}
    for child in exported:
        places.setdefault((child.tag, identity_of(child)), []).append(child)
    for child in original:
        identity = identity_of(child).lstrip(":")
        place = f"{path}/{child.tag}".lstrip("/") + (f"[{identity}]" if identity else "")
        found = places.get((child.tag, identity_of(child)), [])
        if not found:
            yield place
        else:
            yield from _lost(child, found.pop(0), place)


def _without_managed(manifest: Element) -> Element:
    """Two of the published exports are managed; they are imported here as if they were not."""
    for element in manifest.iter("Managed"):
        element.text = "0"
    return manifest


def test_what_was_removed_here_since_the_import_is_not_exported_again(database: Database) -> None:
    world = World(database)
    archive = published("column-level-security.zip")
    solution = read_solution(archive)
    _import(world, solution, archive)
    with world.administrating() as session:
        schema = delete_column(session.schema, "sample_example", "sample_email")
        change_schema(session, schema)

    exported = _export(world, solution.unique_name)

    (table,) = _read(exported).tables
    assert "sample_Email" not in {column.schema_name for column in table.columns}
    document = open_archive("export.zip", exported).files["customizations.xml"].decode()
    assert 'PhysicalName="sample_Email"' not in document
    assert 'PhysicalName="sample_TelephoneNumber"' in document


def test_a_column_that_is_worked_out_goes_and_comes_with_its_formula(database: Database) -> None:
    world = World(database)
    archive = small("", name="sums")
    _import(world, read_solution(archive), archive)
    twice = '{"calculated": {"*": [{"column": "numberofemployees"}, 2]}}'
    column = NewColumn("new_Twice", ColumnType.INTEGER, source_type=SourceType.CALCULATED, formula=twice)
    with world.administrating() as session:
        schema = create_column(session.schema, "account", column)
        change_schema(session, schema)
        made = schema.tables["account"].columns["new_twice"]
        solution = find_solution(session, "sums")
        assert solution is not None
        add_component(session, solution.id, Component(2, made.metadata_id))

    (table,) = _read(_export(world, "sums")).tables

    (read,) = table.columns
    assert (read.source_type, read.formula) == (SourceType.CALCULATED, made.formula)


def test_the_navigation_of_an_association_keeps_its_names(database: Database) -> None:
    world = World(database)
    roles = "".join(
        f"<EntityRelationshipRole><NavigationPropertyName>new_{side}</NavigationPropertyName>"
        f"<AssociationRoleOrdinal>{ordinal}</AssociationRoleOrdinal></EntityRelationshipRole>"
        for ordinal, side in ((1, "Friends"), (2, "Fans"))
    )
    archive = small(
        '<EntityRelationships><EntityRelationship Name="new_friends"><EntityRelationshipType>ManyToMany'
        "</EntityRelationshipType><FirstEntityName>account</FirstEntityName><SecondEntityName>contact</SecondEntityName>"
        f"<EntityRelationshipRoles>{roles}</EntityRelationshipRoles></EntityRelationship></EntityRelationships>",
        name="friends",
    )

    _import(world, read_solution(archive), archive)

    made = world.schema.many_to_many["new_friends"]
    assert (made.nav1, made.nav2) == ("new_Friends", "new_Fans")
    (exported,) = _read(_export(world, "friends")).associations
    assert (exported.nav1, exported.nav2) == ("new_Friends", "new_Fans")


def test_a_changed_label_leaves_those_of_other_languages(database: Database) -> None:
    world = World(database)
    labels = "".join(
        f'<displayname description="{text}" languagecode="{language}"/>'
        for text, language in (("Sum", "1033"), ("Summe", "1031"))
    )
    column = (
        '<Entities><Entity><Name>account</Name><EntityInfo><entity Name="Account"><attributes>'
        '<attribute PhysicalName="new_Sum"><Type>int</Type><IsCustomField>1</IsCustomField>'
        f"<displaynames>{labels}</displaynames><AutoColumn>7</AutoColumn></attribute></attributes></entity></EntityInfo>"
        "</Entity></Entities>"
    )
    archive = small(column, name="sums")
    _import(world, read_solution(archive), archive)
    with world.administrating() as session:
        new = NewColumn("new_Sum", ColumnType.INTEGER, label="Total")
        change_schema(session, replace_column(session.schema, "account", "new_sum", new))

    document = open_archive("x.zip", _export(world, "sums")).files["customizations.xml"].decode()

    assert 'description="Total" languagecode="1033"' in document
    assert 'description="Summe" languagecode="1031"' in document
    assert "<AutoColumn>7</AutoColumn>" in document


def test_an_export_imports_into_another_environment_to_the_same_state(
    database: Database, stores: Stores, engine: str
) -> None:
    """WA-405: all published exports, each imported, exported, imported elsewhere and exported there: the same bytes;
    importing the export where it comes from changes nothing; and nothing of the original is lost."""
    with stores.opened(engine) as another:
        here, there = World(database), World(another)
        _demand_same(here, there)


def _demand_same(here: World, there: World) -> None:
    for name in PUBLISHED:
        solution = _unmanaged(published(name))
        _import(here, solution, published(name))
        exported = _export(here, solution.unique_name)
        archive = open_archive("export.zip", exported)
        _demand_nothing_lost(name, archive)
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
