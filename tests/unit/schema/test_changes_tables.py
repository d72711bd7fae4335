"""Making, changing and removing tables (WA-70, WA-71, WA-340 to WA-345)."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from strongroom.errors import InvalidRequest, NotFound, StrongroomError
from strongroom.schema.changes import (
    NewAssociation,
    NewColumn,
    NewRelationship,
    NewTable,
    TableChange,
    create_association,
    create_lookup,
    create_table,
    delete_table,
    replace_table,
)
from strongroom.schema.model import ColumnType, Depth, Ownership, Rights, Schema
from strongroom.schema.naming import pluralized
from strongroom.schema.platform_tables import PLATFORM_TYPE_CODES
from strongroom.schema.system_columns import PLATFORM_KEPT


def refused(code: str, status: int, act: Callable[[], object]) -> StrongroomError:
    with pytest.raises(StrongroomError) as caught:
        act()
    assert (caught.value.code, caught.value.status) == (code, status), caught.value.message
    return caught.value


def table_named(name: str, ownership: Ownership = Ownership.USER, **more: object) -> NewTable:
    return NewTable(name, ownership, NewColumn("new_Name", ColumnType.STRING), **more)  # pyright: ignore[reportArgumentType]  # keyword arguments of a test helper


@pytest.mark.parametrize(
    ("singular", "plural"),
    [
        ("new_bankaccount", "new_bankaccounts"),
        ("opportunity", "opportunities"),
        ("new_box", "new_boxes"),
        ("new_bus", "new_buses"),
        ("new_batch", "new_batches"),
        ("new_dish", "new_dishes"),
        ("new_buzz", "new_buzzes"),
        ("new_day", "new_days"),
    ],
)
def test_entity_set_names_are_english_plurals(singular: str, plural: str) -> None:
    """WA-70."""
    assert pluralized(singular) == plural


def test_a_user_owned_table_has_the_system_columns_and_eight_privileges(banked: Schema) -> None:
    """WA-441, WA-342, SM-20."""
    table = banked.tables["new_bankaccount"]

    assert table.entity_set_name == "new_bankaccounts"
    assert (table.primary_id, table.primary_name) == ("new_bankaccountid", "new_name")
    assert PLATFORM_KEPT - {"organizationid", "exchangerate", "transactioncurrencyid"} <= table.columns.keys()
    assert "organizationid" not in table.columns
    assert {p.name for p in table.privileges.values()} == {
        f"prv{verb}new_BankAccount"
        for verb in ("Create", "Read", "Write", "Delete", "Assign", "Share", "Append", "AppendTo")
    }
    assert {p.depths for p in table.privileges.values()} == {frozenset(Depth)}
    assert [(o.value, o.default_status) for o in table.columns["statecode"].options] == [(0, 1), (1, 2)]
    assert table.object_type_code > 10_000
    assert table.derived["createdbyname"] == "createdby"


def test_an_organization_owned_table_has_six_privileges_at_global_and_no_owner(standard: Schema) -> None:
    """SM-11, WA-441."""
    schema = create_table(standard, table_named("new_Setting", Ownership.ORGANIZATION))
    table = schema.tables["new_setting"]

    assert len(table.privileges) == 6
    assert {p.depths for p in table.privileges.values()} == {frozenset({Depth.GLOBAL})}
    assert Rights.ASSIGN not in table.privileges
    assert "ownerid" not in table.columns
    assert "organizationid" in table.columns


def test_system_lookups_have_relationships_with_their_navigation_names(banked: Schema) -> None:
    """WA-72."""
    for nav, parent in (
        ("createdby", "systemuser"),
        ("modifiedby", "systemuser"),
        ("createdonbehalfby", "systemuser"),
        ("modifiedonbehalfby", "systemuser"),
        ("owningbusinessunit", "businessunit"),
        ("owninguser", "systemuser"),
        ("owningteam", "team"),
    ):
        relationship = banked.lookup_nav("new_bankaccount", nav)
        assert relationship is not None, nav
        assert relationship.referenced_table == parent


def test_column_values_of_a_new_table_can_be_shared(banked: Schema) -> None:
    """SM-134: `objectid_<table>` of principalobjectattributeaccess."""
    relationship = banked.lookup_nav("principalobjectattributeaccess", "objectid_new_bankaccount")

    assert relationship is not None
    assert relationship.cascade.delete == "Cascade"
    assert "new_bankaccount" in banked.tables["principalobjectattributeaccess"].columns["objectid"].targets


def test_notes_and_activities_can_hang_on_a_table_that_asks_for_them(standard: Schema) -> None:
    """WA-340, WA-72."""
    schema = create_table(standard, table_named("new_Case", has_notes=True, has_activities=True))

    assert schema.lookup_nav("annotation", "objectid_new_case") is not None
    task = schema.lookup_nav("task", "regardingobjectid_new_case_task")
    assert task is not None
    assert (task.collection_nav, task.cascade.share) == ("new_case_Tasks", "Cascade")
    assert schema.lookup_nav("activitypointer", "regardingobjectid_new_case") is not None


def test_notes_can_be_added_later_but_not_taken_away(banked: Schema) -> None:
    """WA-344."""
    schema = replace_table(banked, "new_bankaccount", TableChange(label="Konto", has_notes=True, is_audited=False))

    table = schema.tables["new_bankaccount"]
    assert (table.label, table.has_notes, table.is_audited) == ("Konto", True, False)
    assert schema.collection_nav("new_bankaccount", "new_bankaccount_Annotations") is not None
    with pytest.raises(InvalidRequest, match="HasNotes"):
        replace_table(schema, "new_bankaccount", TableChange(has_notes=False))


def test_a_taken_name_is_refused_with_0x80047010(banked: Schema) -> None:
    """WA-340."""
    refused("0x80047010", 400, lambda: create_table(banked, table_named("NEW_bankaccount")))
    refused("0x80047010", 400, lambda: create_table(banked, table_named("new_x", entity_set_name="accounts")))


@pytest.mark.parametrize(
    "name", ["", "bankaccount", "n_x", "1new_x", "toolongprefix_x", "new_", "new_ä", "mscrm_x", "new x"]
)
def test_a_name_without_a_publisher_prefix_is_refused(standard: Schema, name: str) -> None:
    """WA-71, WA-353."""
    refused("0x80040203", 400, lambda: create_table(standard, table_named(name)))


def test_a_column_named_like_a_system_column_or_given_twice_is_refused(standard: Schema) -> None:
    twice = NewColumn("new_NAME", ColumnType.STRING)

    refused("0x80047013", 400, lambda: create_table(standard, table_named("new_x", columns=(twice,))))


def test_ownership_none_cannot_be_chosen(standard: Schema) -> None:
    refused("0x80040203", 400, lambda: create_table(standard, table_named("new_x", Ownership.NONE)))


def test_a_primary_name_must_be_a_text_and_not_secured(standard: Schema) -> None:
    """WA-340, SM-139."""
    number = NewTable("new_X", Ownership.USER, NewColumn("new_Name", ColumnType.INTEGER))
    secured = NewTable("new_X", Ownership.USER, NewColumn("new_Name", ColumnType.STRING, is_secured=True))

    refused("0x80040203", 400, lambda: create_table(standard, number))
    refused("0x8004f501", 400, lambda: create_table(standard, secured))


def test_a_deleted_table_leaves_nothing_behind(banked: Schema, standard: Schema) -> None:
    """WA-345."""
    schema = create_lookup(
        banked,
        NewColumn("new_Bank", ColumnType.LOOKUP),
        [NewRelationship("new_bankaccount_contacts", "new_bankaccount", "contact")],
    )
    schema = create_association(schema, NewAssociation("new_bank_accounts", "new_bankaccount", "account"))

    schema = delete_table(schema, "new_bankaccount")

    assert schema.tables == standard.tables
    assert schema.relationships == standard.relationships
    assert schema.many_to_many == standard.many_to_many


def test_a_table_made_again_has_other_ids(banked: Schema) -> None:
    """Old permissions that name the old privilege or column must not come alive."""
    before = banked.tables["new_bankaccount"]
    schema = create_table(delete_table(banked, "new_bankaccount"), table_named("new_BankAccount"))
    after = schema.tables["new_bankaccount"]

    assert before.metadata_id != after.metadata_id
    assert before.columns["new_name"].metadata_id != after.columns["new_name"].metadata_id
    assert before.privileges[Rights.READ].id != after.privileges[Rights.READ].id


def test_platform_tables_cannot_be_deleted_and_unknown_ones_are_404(standard: Schema) -> None:
    refused("0x80040203", 400, lambda: delete_table(standard, "account"))
    with pytest.raises(NotFound):
        delete_table(standard, "new_nothing")


def test_changes_raise_the_version_and_leave_the_old_schema_alone(standard: Schema) -> None:
    """WA-352."""
    before = dict(standard.tables)

    schema = create_table(standard, table_named("new_X"))

    assert schema.version == standard.version + 1
    assert dict(standard.tables) == before


def test_a_custom_table_takes_no_type_code_of_the_platforms_own(standard: Schema) -> None:
    """So that tables of services which come with a later version find theirs free."""
    full = create_table(standard, table_named("new_Last"))
    last = replace(full.tables["new_last"], object_type_code=PLATFORM_TYPE_CODES.start - 1)
    full = replace(full, tables={**full.tables, "new_last": last})

    first, second = create_table(standard, table_named("new_Pet")), create_table(full, table_named("new_Pet"))

    assert first.tables["new_pet"].object_type_code not in PLATFORM_TYPE_CODES
    assert second.tables["new_pet"].object_type_code == PLATFORM_TYPE_CODES.stop
