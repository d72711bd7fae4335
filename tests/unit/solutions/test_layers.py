"""Layers of managed solutions (WA-405): what an import, a customization and a removal leave in force, by name."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.solutions.exports import role_xml, small
from tests.worlds import World

from strongroom.errors import InvalidRequest
from strongroom.ids import Guid
from strongroom.records import NewRecord, RolePrivilege, add_privileges, change_schema, create, delete, update
from strongroom.schema.changes import NewColumn, create_column, delete_column, delete_table, replace_column
from strongroom.schema.model import Column, ColumnType, Depth
from strongroom.solutions import (
    Archive,
    ImportOptions,
    Step,
    Verdict,
    find_solution,
    import_solution,
    plan_import,
    read_solution,
)
from strongroom.solutions.component_rows import held_privileges
from strongroom.solutions.customizing import remove_customizations
from strongroom.solutions.definitions import COLUMN, merged
from strongroom.solutions.layers import layers_of
from strongroom.solutions.rules import register
from strongroom.store.protocol import Database

_ROLE = "aaaaaaaa-0000-4000-8000-00000000000a"
_VIEW = "aaaaaaaa-0000-4000-8000-00000000000b"


@pytest.fixture
def world(database: Database) -> World:
    """An environment with its first rows and the rules of solutions, on both engines."""
    world = World(database)
    register(world.rules)
    return world


def test_a_customization_stays_on_top_of_an_update_property_by_property(world: World) -> None:
    _import(world, _deals("base", label="Amount", length=100))
    _customize(world, label="Our amount")

    _import(world, _deals("base", version="1.1", label="Sum", length=400))

    assert _shown(world) == ("Our amount", 400)
    assert _layers(world) == [("base", ["label", "max_length"]), ("Active", ["label"])]


def test_what_was_not_customized_follows_the_update(world: World) -> None:
    _import(world, _deals("base", label="Amount", length=100))

    _import(world, _deals("base", version="1.1", label="Sum", length=400))

    assert _shown(world) == ("Sum", 400)
    assert [name for name, _ in _layers(world)] == ["base"]


def test_an_import_that_overwrites_takes_customizations_away(world: World) -> None:
    _import(world, _deals("base", label="Amount"))
    _customize(world, label="Our amount")

    _import(world, _deals("base", version="1.1", label="Sum"), ImportOptions(overwrites=True))

    assert _shown(world)[0] == "Sum"
    assert [name for name, _ in _layers(world)] == ["base"]


def test_the_topmost_managed_layer_holds_and_the_one_below_comes_back_when_it_goes(world: World) -> None:
    _import(world, _deals("base", label="Amount", length=100))
    _import(world, _deals("above", label="Sum", length=400))
    assert _shown(world) == ("Sum", 400)

    _import(world, _deals("base", version="2.0", label="Total", length=200))
    assert _shown(world) == ("Sum", 400)
    _remove(world, "above")

    assert _shown(world) == ("Total", 200)


def test_a_customization_outlives_the_layer_that_it_was_made_on(world: World) -> None:
    _import(world, _deals("base", label="Amount", length=100))
    _import(world, _deals("above", label="Sum", length=400))
    _customize(world, label="Ours")

    _remove(world, "above")

    assert _shown(world) == ("Ours", 100)
    assert _layers(world)[-1] == ("Active", ["label"])


def test_removing_customizations_gives_the_managed_layer_back(world: World) -> None:
    _import(world, _deals("base", label="Amount", length=100))
    _customize(world, label="Ours")

    with world.administrating() as session:
        assert remove_customizations(session, (COLUMN, _column(world).metadata_id)) == ("label",)
    assert _shown(world) == ("Amount", 100)
    assert [name for name, _ in _layers(world)] == ["base"]
    with world.administrating() as session:
        assert remove_customizations(session, (COLUMN, _column(world).metadata_id)) == ()


def test_what_was_made_here_by_hand_stays_on_top_when_a_managed_solution_brings_it_too(world: World) -> None:
    with world.administrating() as session:
        mine = NewColumn("new_Amount", ColumnType.STRING, label="Mine", max_length=50)
        change_schema(session, create_column(session.schema, "account", mine))

    steps = _import(world, _deals("base", label="Amount", length=100))

    assert _shown(world) == ("Mine", 50)
    (note,) = [step.note for step in steps if step.name == "account.new_amount"]
    assert "customized here" in note


def test_a_column_whose_maker_lets_nobody_change_it_is_not_changed(world: World) -> None:
    """The whole of it, or its name alone; by hand, by an unmanaged solution, by a managed one of another maker."""
    _import(world, _deals("base", label="Amount", flags="<IsCustomizable>0</IsCustomizable>"))

    with pytest.raises(InvalidRequest, match=r"'account\.new_amount'.*IsCustomizable is off"):
        _customize(world, label="Ours")
    with pytest.raises(InvalidRequest, match="IsCustomizable is off"):
        _import(world, _deals("ours", label="Ours", managed="0"))
    with pytest.raises(InvalidRequest, match="IsCustomizable is off"):
        _import(world, _deals("stranger", label="Theirs", publisher="stranger"))

    assert _shown(world)[0] == "Amount"
    _import(world, _deals("sister", label="Sum"))  # of the same maker
    assert _shown(world)[0] == "Sum"


def test_a_column_that_may_not_be_renamed_may_grow(world: World) -> None:
    _import(world, _deals("base", label="Amount", length=100, flags="<IsRenameable>0</IsRenameable>"))

    with pytest.raises(InvalidRequest, match="IsRenameable is off"):
        _customize(world, label="Ours")
    _customize(world, length=200)

    assert _shown(world) == ("Amount", 200)


def test_managed_parts_are_marked_and_go_with_their_solution_alone(world: World) -> None:
    _import(world, _table("base"))
    table = world.schema.tables["new_deal"]
    assert (table.is_managed, table.columns["new_name"].is_managed) == (True, True)

    with pytest.raises(InvalidRequest, match=r"table 'new_deal' belongs to a managed solution \(base\)"):
        _change(world, delete=("new_deal", None))
    with pytest.raises(InvalidRequest, match=r"column 'account\.new_amount' belongs to a managed solution"):
        _import(world, _deals("amounts"))
        _change(world, delete=("account", "new_amount"))


@pytest.mark.parametrize("flag", ["IsCustomizable", "CanCreateAttributes"])
def test_new_columns_on_a_table_need_the_leave_of_its_maker(world: World, flag: str) -> None:
    _import(world, _table("base", flags=f"<{flag}>0</{flag}>"))

    with pytest.raises(InvalidRequest, match=f"'new_deal'.*{flag} is off"), world.administrating() as session:
        more = NewColumn("new_More", ColumnType.INTEGER)
        change_schema(session, create_column(session.schema, "new_deal", more))


def test_new_views_of_a_table_need_the_leave_of_its_maker(world: World) -> None:
    _import(world, _table("base", flags="<CanCreateViews>0</CanCreateViews>"))

    with pytest.raises(InvalidRequest, match="CanCreateViews is off"), world.administrating() as session:
        values = {"name": "Mine", "returnedtypecode": "new_deal", "querytype": 0, "fetchxml": "<fetch/>"}
        create(session, session.table("savedquery"), NewRecord(values))


def test_a_view_has_layers_too_and_cannot_be_deleted_by_hand(world: World) -> None:
    view = Guid(_VIEW)
    _import(world, _with_view("base", "All deals"))
    with world.administrating() as session:
        update(session, session.table("savedquery"), view, {"name": "Our deals"})
    assert [name for name, _ in _layers(world, view)] == ["base", "Active"]

    _import(world, _with_view("base", "Every deal", version="2.0"))

    with world.administrating() as session:
        row = session.transaction.row(session.table("savedquery"), view)
        assert row is not None
        assert row.values["name"] == "Our deals"
        with pytest.raises(InvalidRequest, match=r"managed solution \(base\)"):
            delete(session, session.table("savedquery"), view)


def test_a_view_whose_maker_lets_nobody_change_it_stays_as_it_is(world: World) -> None:
    _import(world, _with_view("base", "All deals", flags="<IsCustomizable>0</IsCustomizable>"))

    with pytest.raises(InvalidRequest, match="IsCustomizable is off"), world.administrating() as session:
        update(session, session.table("savedquery"), Guid(_VIEW), {"name": "Our deals"})


def test_privileges_that_were_given_or_taken_here_stay_so_when_a_role_is_updated(world: World) -> None:
    """SM-21: a role is merged privilege by privilege."""
    _import(world, _role("base", prvReadAccount="Basic", prvReadContact="Basic"))
    _import(world, _role("ours", managed="0", prvReadAccount="Global", prvReadTeam="Local"))

    steps = _import(
        world, _role("base", version="2.0", prvReadAccount="Local", prvReadContact="Basic", prvReadLead="Deep")
    )

    (step,) = [step for step in steps if step.kind == "role"]
    assert "customized here" in step.note
    layer = _layers(world, Guid(_ROLE))
    assert layer == [("base", ["privileges"]), ("Active", ["privileges"])]
    with world.administrating() as session:
        held = held_privileges(session, Guid(_ROLE))
    assert held == {"prvReadAccount": "Global", "prvReadTeam": "Local", "prvReadLead": "Deep"}


def test_privileges_given_by_hand_are_a_layer_and_those_of_a_locked_role_stay(world: World) -> None:
    """SM-21: through `AddPrivilegesRole` as through an import."""
    _import(world, _role("base", prvReadAccount="Basic"))
    extra = [RolePrivilege(world.schema.privileges_by_name["prvReadLead"].id, Depth.BASIC)]
    with world.administrating() as session:
        add_privileges(session, Guid(_ROLE), extra)
    assert _layers(world, Guid(_ROLE)) == [("base", ["privileges"]), ("Active", ["privileges"])]

    _import(world, _role("base", version="2.0", flags="<IsCustomizable>0</IsCustomizable>", prvReadAccount="Basic"))
    with pytest.raises(InvalidRequest, match="IsCustomizable is off"), world.administrating() as session:
        add_privileges(session, Guid(_ROLE), [RolePrivilege(extra[0].privilege, Depth.GLOBAL)])


def test_an_environment_from_before_there_were_layers_takes_the_next_version_whole(world: World) -> None:
    _import(world, _deals("base", label="Amount"))
    with world.administrating() as session:
        table = session.table("msdyn_componentlayer")
        session.transaction.delete(table, session.transaction.rows_where(table, {}))

    _import(world, _deals("base", version="2.0", label="Sum"))

    assert _shown(world)[0] == "Sum"
    assert [name for name, _ in _layers(world)] == ["base"]


def test_what_forms_and_flows_lean_on_is_not_deleted(world: World) -> None:
    """WA-345: a script of a form, by name."""
    resource = {"name": "new_script.js", "displayname": "Script", "webresourcetype": 3}
    values = {
        "name": "Scripted",
        "objecttypecode": "account",
        "type": 2,
        "formxml": '<form><formLibraries><Library name="new_script.js"/></formLibraries></form>',
        "isdefault": False,
        "isdesktopenabled": True,
        "istabletenabled": True,
        "formactivationstate": 1,
        "formpresentation": 0,
    }
    with world.administrating() as session:
        made = create(session, session.table("webresource"), NewRecord(resource))
        form = create(session, session.table("systemform"), NewRecord(values))

    with pytest.raises(InvalidRequest, match="form 'Scripted' uses"), world.administrating() as session:
        delete(session, session.table("webresource"), made)
    with world.administrating() as session:
        delete(session, session.table("systemform"), form)
        delete(session, session.table("webresource"), made)


def test_removing_the_last_managed_layer_of_what_was_ours_makes_it_ours_again(world: World) -> None:
    with world.administrating() as session:
        mine = NewColumn("new_Amount", ColumnType.STRING, label="Mine", max_length=50)
        change_schema(session, create_column(session.schema, "account", mine))
    _import(world, _deals("base"))
    assert _column(world).is_managed

    _remove(world, "base")

    assert not _column(world).is_managed
    assert _layers(world) == []
    _customize(world, label="Ours")


def test_a_plan_tells_what_stays_on_top_and_changes_nothing(world: World) -> None:
    _import(world, _deals("base", label="Amount"))
    _customize(world, label="Ours")

    with world.administrating() as session:
        planned = plan_import(session, read_solution(_deals("base", version="2.0", label="Sum")))

    (step,) = [step for step in planned.steps if step.kind == "column"]
    assert (step.verdict, "label" in step.note) == (Verdict.SAME, True)
    with world.administrating() as session:
        (layer,) = layers_of(session, (COLUMN, _column(world).metadata_id))
        assert layer.definition["label"] == "Amount"


_VALUES = st.dictionaries(st.sampled_from("abc"), st.integers(0, 2), max_size=3)


@given(base=_VALUES, mine=_VALUES, theirs=_VALUES)
def test_a_merge_keeps_what_was_changed_here_and_takes_everything_else(
    base: dict[str, object], mine: dict[str, object], theirs: dict[str, object]
) -> None:
    result = merged(base, mine, theirs)

    for name in "abc":
        expected = mine if mine.get(name) != base.get(name) else theirs
        assert result.get(name) == expected.get(name)
    assert merged(base, base, theirs) == theirs
    assert merged(base, mine, base) == mine


# --- worlds --------------------------------------------------------------------------------------------------------


def _deals(
    name: str,
    *,
    version: str = "1.0",
    label: str = "Amount",
    length: int = 100,
    flags: str = "",
    managed: str = "1",
    publisher: str = "maker",
) -> Archive:
    """A solution with one column on account."""
    column = (
        '<Entities><Entity><Name>account</Name><EntityInfo><entity Name="Account"><attributes>'
        '<attribute PhysicalName="new_Amount"><Type>nvarchar</Type><IsCustomField>1</IsCustomField>'
        f"<MaxLength>{length}</MaxLength>{flags}"
        f'<displaynames><displayname description="{label}" languagecode="1033"/></displaynames></attribute>'
        "</attributes></entity></EntityInfo></Entity></Entities>"
    )
    return small(column, name=name, version=version, managed=managed, publisher=publisher)


def _table(name: str, *, flags: str = "", inside: str = "", version: str = "1.0") -> Archive:
    """A solution with a table of its own."""
    body = (
        '<Entities><Entity><Name>new_Deal</Name><EntityInfo><entity Name="new_Deal">'
        '<LocalizedNames><LocalizedName description="Deal" languagecode="1033"/></LocalizedNames><attributes>'
        '<attribute PhysicalName="new_Name"><Type>nvarchar</Type><IsCustomField>1</IsCustomField>'
        "<DisplayMask>PrimaryName</DisplayMask><MaxLength>100</MaxLength></attribute></attributes>"
        f"<OwnershipTypeMask>UserOwned</OwnershipTypeMask>{flags}</entity></EntityInfo>{inside}</Entity></Entities>"
    )
    return small(body, name=name, managed="1", version=version, roots='<RootComponent type="1" schemaName="new_deal"/>')


def _with_view(name: str, title: str, *, version: str = "1.0", flags: str = "") -> Archive:
    view = (
        f"<SavedQueries><savedqueries><savedquery>{flags}<savedqueryid>{{{_VIEW}}}</savedqueryid>"
        '<fetchxml><fetch><entity name="new_deal"/></fetch></fetchxml><LocalizedNames>'
        f'<LocalizedName description="{title}" languagecode="1033"/></LocalizedNames></savedquery></savedqueries>'
        "</SavedQueries>"
    )
    return _table(name, inside=view, version=version)


def _role(name: str, *, version: str = "1.0", managed: str = "1", flags: str = "", **privileges: str) -> Archive:
    role = role_xml(_ROLE, "Seller", **privileges).replace("<RolePrivileges>", f"{flags}<RolePrivileges>")
    return small(role, name=name, version=version, managed=managed)


def _import(world: World, archive: Archive, options: ImportOptions | None = None) -> tuple[Step, ...]:
    with world.administrating() as session:
        return import_solution(session, read_solution(archive), archive, options or ImportOptions()).steps


def _remove(world: World, name: str) -> None:
    with world.administrating() as session:
        row = find_solution(session, name)
        assert row is not None
        delete(session, row.table, row.id)


def _customize(world: World, *, label: str | None = None, length: int | None = None) -> None:
    known = _column(world)
    new = NewColumn("new_Amount", ColumnType.STRING, label=label or known.label, max_length=length or known.max_length)
    with world.administrating() as session:
        change_schema(session, replace_column(session.schema, "account", "new_amount", new))


def _change(world: World, *, delete: tuple[str, str | None]) -> None:
    table, column = delete
    with world.administrating() as session:
        schema = session.schema
        change_schema(session, delete_table(schema, table) if column is None else delete_column(schema, table, column))


def _column(world: World) -> Column:
    return world.schema.tables["account"].columns["new_amount"]


def _shown(world: World) -> tuple[str, int | None]:
    column = _column(world)
    return column.label, column.max_length


def _layers(world: World, component: Guid | None = None) -> list[tuple[str, list[str]]]:
    """(solution, properties that it changes) as clients read them, lowest first."""
    with world.administrating() as session:
        rows = session.transaction.rows_where(
            session.table("msdyn_componentlayer"), {"msdyn_componentid": component or _column(world).metadata_id}
        )
    found = sorted((row.values for row in rows), key=lambda values: int(str(values["msdyn_order"])))
    watched = {"label", "max_length", "privileges"}
    return [
        (
            str(values["msdyn_solutionname"]),
            [each["Key"] for each in json.loads(str(values["msdyn_changes"]))["Attributes"] if each["Key"] in watched],
        )
        for values in found
    ]
