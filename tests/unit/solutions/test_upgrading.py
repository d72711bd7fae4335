"""Upgrades, patches and clones of solutions (WA-405), and which version may come over which."""

import pytest
from tests.unit.solutions.exports import role_xml, small
from tests.worlds import World

from strongroom.errors import AccessDenied, InvalidRequest, NotFound, StrongroomError
from strongroom.ids import Guid
from strongroom.records import NewRecord, change_schema, create, delete
from strongroom.schema.changes import NewColumn, NewRelationship, create_lookup
from strongroom.schema.model import ColumnType, Depth
from strongroom.solutions import (
    Archive,
    ImportOptions,
    export_solution,
    find_solution,
    import_solution,
    open_archive,
    read_solution,
)
from strongroom.solutions.contents import Component, add_component, components_of
from strongroom.solutions.patches import clone_as_patch, clone_as_solution, demand_unlocked, patches_of
from strongroom.solutions.rules import register
from strongroom.solutions.upgrading import plan_upgrade, promote, stage_and_upgrade
from strongroom.solutions.versions import version_of
from strongroom.store.protocol import Database

_FIRST, _SECOND = "aaaaaaaa-0000-4000-8000-00000000000a", "aaaaaaaa-0000-4000-8000-00000000000b"
_HOLDING = ImportOptions(is_holding=True)


@pytest.fixture
def world(database: Database) -> World:
    """An environment with its first rows and the rules of solutions, on both engines."""
    world = World(database)
    register(world.rules)
    return world


def test_an_update_keeps_what_the_new_version_no_longer_has_and_an_upgrade_removes_it(world: World) -> None:
    _import(world, _tables("1.0", "deal", "offer"))

    _import(world, _tables("1.1", "deal"))
    assert {"new_deal", "new_offer"} <= world.schema.tables.keys()
    _upgrade(world, _tables("1.2", "deal"))

    assert "new_deal" in world.schema.tables
    assert "new_offer" not in world.schema.tables
    assert _version(world, "sales") == "1.2"


def test_an_upgrade_keeps_rows_and_customizations_of_what_stays(world: World) -> None:
    _import(world, _tables("1.0", "deal", "offer"))
    row = world.create("new_deal", new_name="kept")
    world.create("new_offer", new_name="lost")

    _upgrade(world, _tables("2.0", "deal", "visit"))

    with world.administrating() as session:
        found = session.transaction.row(session.table("new_deal"), row)
        assert found is not None
        assert found.values["new_name"] == "kept"
        layers = session.transaction.rows_where(session.table("msdyn_componentlayer"), {})
        assert {each.values["msdyn_solutionname"] for each in layers} == {"sales"}
        assert find_solution(session, "sales_Upgrade") is None
    assert "new_visit" in world.schema.tables
    assert world.database.check() == []


def test_what_an_upgrade_would_remove_is_told_before(world: World) -> None:
    _import(world, _tables("1.0", "deal", "offer"))

    with world.administrating() as session:
        planned, going = plan_upgrade(session, read_solution(_tables("2.0", "deal", "visit")))

    assert ("table", "new_offer") in {(each.kind, each.name) for each in going}
    assert not {each.name for each in going} & {"new_deal", "new_deal.new_name"}
    assert "new_visit" in {step.name for step in planned.steps}
    assert _version(world, "sales") == "1.0"


def test_a_staged_upgrade_holds_both_versions_until_it_is_promoted(world: World) -> None:
    _import(world, _tables("1.0", "deal", "offer"))
    _import(world, _tables("2.0", "deal", "visit"), _HOLDING)
    assert {"new_deal", "new_offer", "new_visit"} <= world.schema.tables.keys()
    assert (_version(world, "sales"), _version(world, "sales_Upgrade")) == ("1.0", "2.0")
    with pytest.raises(InvalidRequest, match=r"staged already.*DeleteAndPromote"):
        _import(world, _tables("3.0", "deal"))

    with world.administrating() as session:
        _, removed = promote(session, "sales")

    assert ("table", "new_offer") in {(each.kind, each.name) for each in removed}
    assert {"new_deal", "new_visit"} <= world.schema.tables.keys()
    assert "new_offer" not in world.schema.tables
    assert _version(world, "sales") == "2.0"


def test_a_staged_upgrade_can_be_given_up(world: World) -> None:
    _import(world, _tables("1.0", "deal", "offer"))
    _import(world, _tables("2.0", "deal", "visit"), _HOLDING)

    _remove(world, "sales_Upgrade")

    assert {"new_deal", "new_offer"} <= world.schema.tables.keys()
    assert "new_visit" not in world.schema.tables


def test_an_upgrade_that_would_take_what_others_need_is_refused_by_name_and_changes_nothing(world: World) -> None:
    _import(world, _tables("1.0", "deal", "offer"))
    with world.administrating() as session:
        lookup = NewColumn("new_Offer", ColumnType.LOOKUP)
        made = create_lookup(session.schema, lookup, (NewRelationship("new_account_offer", "new_offer", "account"),))
        change_schema(session, made)

    with pytest.raises(InvalidRequest, match=r"account\.new_offer"):
        _upgrade(world, _tables("2.0", "deal", "visit"))

    assert _version(world, "sales") == "1.0"
    assert {"new_deal", "new_offer"} <= world.schema.tables.keys()
    assert "new_visit" not in world.schema.tables


@pytest.mark.parametrize(
    ("version", "options", "says"),
    [
        ("1.9.9", ImportOptions(), r"here in version 1\.10\.0\.0, and 1\.9\.9 is older"),
        ("1.10", _HOLDING, r"an upgrade needs a higher one, and 1\.10 is not"),
        ("1.9", _HOLDING, "an upgrade needs a higher one"),
        ("one", ImportOptions(), "'one' is no version"),
        ("1", ImportOptions(), "'1' is no version"),
        ("1.2.3.4.5", ImportOptions(), "is no version"),
        ("-1.2", ImportOptions(), "is no version"),
    ],
)
def test_a_version_that_may_not_come_is_refused_and_nothing_changes(
    world: World, version: str, options: ImportOptions, says: str
) -> None:
    _import(world, _tables("1.10.0.0", "deal"))

    with pytest.raises(InvalidRequest, match=says):
        _import(world, _tables(version, "deal", "visit"), options)

    assert _version(world, "sales") == "1.10.0.0"
    assert "new_visit" not in world.schema.tables


def test_only_what_is_here_managed_is_upgraded(world: World) -> None:
    with pytest.raises(InvalidRequest, match="'sales' is not here"):
        _import(world, _tables("2.0", "deal"), _HOLDING)
    with pytest.raises(NotFound, match="No upgrade of 'sales' is staged"), world.administrating() as session:
        promote(session, "sales")
    _import(world, _tables("1.0", "deal", managed="0"))

    with pytest.raises(InvalidRequest, match="here unmanaged"):
        _import(world, _tables("2.0", "deal"))
    _import(world, _tables("1.0", "visit", name="theirs"))
    with pytest.raises(InvalidRequest, match="here managed; an unmanaged version"):
        _import(world, _tables("2.0", "visit", name="theirs", managed="0"))


def test_a_solution_that_is_not_here_is_simply_imported_by_an_upgrade(world: World) -> None:
    _upgrade(world, _tables("1.0", "deal"))

    assert _version(world, "sales") == "1.0"


def test_promoting_needs_the_right_to_import(world: World) -> None:
    _import(world, _tables("1.0", "deal"))
    _import(world, _tables("2.0", "deal"), _HOLDING)
    reader = world.user("Reader", world.root, world.role("Reads", by_name={"prvReadSolution": Depth.GLOBAL}))

    with pytest.raises(AccessDenied, match="prvImportCustomization"), world.acting(reader) as session:
        promote(session, "sales")


# --- patches -------------------------------------------------------------------------------------------------------


def test_a_patch_is_made_filled_exported_and_imported_over_its_parent(world: World) -> None:
    role = world.role("Clerk")
    _make(world, "mine", "1.2.3.4")

    with world.administrating() as session:
        patch = clone_as_patch(session, "mine", "Mine, patched", "1.2.4.0")
        add_component(session, patch, Component(20, role))
        row = session.transaction.row(session.table("solution"), patch)
        assert row is not None
        name = str(row.values["uniquename"])
        exported = open_archive("patch.zip", export_solution(session, name))

    assert name.startswith("mine_Patch_")
    assert read_solution(exported).version == "1.2.4.0"
    _import(world, exported)
    with world.administrating() as session:
        parent = find_solution(session, "mine")
        assert parent is not None
        assert [each.values["uniquename"] for each in patches_of(session, parent.id)] == [name]


def test_a_solution_with_patches_is_locked(world: World) -> None:
    _make(world, "mine", "1.0.0.0")
    with world.administrating() as session:
        clone_as_patch(session, "mine", "One", "1.0.1.0")
        parent = find_solution(session, "mine")
        assert parent is not None

        with pytest.raises(InvalidRequest, match=r"'mine' has patches \(mine_Patch_.*CloneAsSolution"):
            demand_unlocked(session, parent)


def test_cloning_a_solution_rolls_its_patches_up(world: World) -> None:
    first, second = world.role("First"), world.role("Second")
    solution = _make(world, "mine", "1.0.0.0")
    with world.administrating() as session:
        add_component(session, solution, Component(20, first))
        patch = clone_as_patch(session, "mine", "One", "1.0.1.0")
        add_component(session, patch, Component(20, second))

        clone_as_solution(session, "mine", "Mine", "1.1.0.0")

        assert {each.id for each in components_of(session, solution)} == {first, second}
        assert patches_of(session, solution) == []
    assert _version(world, "mine") == "1.1.0.0"


@pytest.mark.parametrize(
    ("version", "says"),
    [
        ("1.3.0.0", r"is 1\.2\.x\.y and higher than 1\.2\.3\.4"),
        ("2.2.4.0", r"is 1\.2\.x\.y"),
        ("1.2.3.4", "higher than"),
        ("1.2", "higher than"),
        ("x", "is no version"),
    ],
)
def test_a_patch_keeps_the_first_two_numbers_and_raises_the_others(world: World, version: str, says: str) -> None:
    _make(world, "mine", "1.2.3.4")

    with pytest.raises(InvalidRequest, match=says), world.administrating() as session:
        clone_as_patch(session, "mine", "One", version)


def test_a_clone_raises_one_of_the_first_two_numbers(world: World) -> None:
    _make(world, "mine", "1.2.3.4")

    with pytest.raises(InvalidRequest, match=r"is 1\.3\.0\.0 or higher"), world.administrating() as session:
        clone_as_solution(session, "mine", "Mine", "1.2.9.9")


def test_a_second_patch_is_higher_than_the_first(world: World) -> None:
    _make(world, "mine", "1.0.0.0")
    with world.administrating() as session:
        clone_as_patch(session, "mine", "One", "1.0.2.0")

    with pytest.raises(InvalidRequest, match=r"higher than 1\.0\.2\.0"), world.administrating() as session:
        clone_as_patch(session, "mine", "Two", "1.0.1.0")


def test_what_cannot_be_patched_is_refused_by_name(world: World) -> None:
    _import(world, _tables("1.0", "deal"))
    _make(world, "mine", "1.0.0.0")
    with world.administrating() as session:
        patch = clone_as_patch(session, "mine", "One", "1.0.1.0")
        row = session.transaction.row(session.table("solution"), patch)
        assert row is not None
        name = str(row.values["uniquename"])

        with pytest.raises(InvalidRequest, match="'sales' is managed"):
            clone_as_patch(session, "sales", "One", "1.0.1.0")
        with pytest.raises(InvalidRequest, match="is a patch itself"):
            clone_as_patch(session, name, "Two", "1.0.2.0")
        with pytest.raises(NotFound, match="no solution 'unheard'"):
            clone_as_patch(session, "unheard", "One", "1.0.1.0")


def test_a_patch_without_its_parent_waits_for_nobody(world: World) -> None:
    with pytest.raises(InvalidRequest, match=r"a patch of 'sales', which is not here"):
        _import(world, _tables("1.0.1.0", "deal", name="sales_Patch_1"))
    _import(world, _tables("1.0.0.0", "deal"))
    with pytest.raises(InvalidRequest, match=r"is 1\.0\.x\.y"):
        _import(world, _tables("1.1.0.0", "deal", name="sales_Patch_1"))
    with pytest.raises(InvalidRequest, match="is unmanaged, and 'sales' is not"):
        _import(world, _tables("1.0.1.0", "deal", name="sales_Patch_1", managed="0"))


def test_patches_of_a_managed_solution_go_with_an_upgrade_and_with_its_removal(world: World) -> None:
    _import(world, _tables("1.0.0.0", "deal"))
    _import(world, _tables("1.0.1.0", "visit", name="sales_Patch_1"))
    assert "new_visit" in world.schema.tables

    _upgrade(world, _tables("2.0.0.0", "deal"))
    assert "new_visit" not in world.schema.tables
    _import(world, _tables("2.0.1.0", "visit", name="sales_Patch_2"))
    _remove(world, "sales")

    with world.administrating() as session:
        assert find_solution(session, "sales_Patch_2") is None
    assert not {"new_visit", "new_deal"} & world.schema.tables.keys()


def test_versions_are_compared_number_by_number() -> None:
    assert version_of("1.10") > version_of("1.9.9.9")
    assert version_of("1.2") == version_of("1.2.0.0")
    for text in ("", "1..2", "1.2.", "1.2.3.4.5", "9999999999.1", None, 1):
        with pytest.raises(StrongroomError, match="no version"):
            version_of(text)


# --- worlds --------------------------------------------------------------------------------------------------------


def _tables(version: str, *names: str, name: str = "sales", managed: str = "1") -> Archive:
    """A managed solution with these tables, and a role."""
    entities = "".join(
        f'<Entity><Name>new_{each}</Name><EntityInfo><entity Name="new_{each}"><LocalizedNames>'
        f'<LocalizedName description="{each}" languagecode="1033"/></LocalizedNames><attributes>'
        '<attribute PhysicalName="new_Name"><Type>nvarchar</Type><IsCustomField>1</IsCustomField>'
        "<DisplayMask>PrimaryName</DisplayMask><MaxLength>100</MaxLength></attribute></attributes>"
        "<OwnershipTypeMask>UserOwned</OwnershipTypeMask></entity></EntityInfo></Entity>"
        for each in names
    )
    roots = "".join(f'<RootComponent type="1" schemaName="new_{each}" behavior="0"/>' for each in names)
    role = role_xml(_FIRST if name == "sales" else _SECOND, f"Seller of {name}", prvReadAccount="Basic")
    body = f"<Entities>{entities}</Entities>{role}"
    return small(body, name=name, version=version, managed=managed, roots=roots)


def _import(world: World, archive: Archive, options: ImportOptions | None = None) -> None:
    with world.administrating() as session:
        import_solution(session, read_solution(archive), archive, options or ImportOptions())


def _upgrade(world: World, archive: Archive) -> None:
    with world.administrating() as session:
        stage_and_upgrade(session, read_solution(archive), archive)


def _remove(world: World, name: str) -> None:
    with world.administrating() as session:
        row = find_solution(session, name)
        assert row is not None
        delete(session, row.table, row.id)


def _make(world: World, name: str, version: str) -> Guid:
    with world.administrating() as session:
        publisher = session.transaction.rows_where(session.table("publisher"), {}, limit=1)[0].reference()
        values = {"uniquename": name, "friendlyname": name, "version": version, "publisherid": publisher}
        return create(session, session.table("solution"), NewRecord(values))


def _version(world: World, name: str) -> object:
    with world.administrating() as session:
        row = find_solution(session, name)
        return None if row is None else row.values["version"]
