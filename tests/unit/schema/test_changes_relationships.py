"""Making and removing relationships and keys (WA-72, WA-73, WA-346 to WA-348)."""

import pytest

from strongroom.errors import InvalidRequest, NotFound
from strongroom.schema.changes import (
    NewAssociation,
    NewColumn,
    NewKey,
    NewRelationship,
    create_association,
    create_column,
    create_key,
    create_lookup,
    delete_column,
    delete_key,
    delete_relationship,
    replace_relationship,
    set_key_active,
)
from strongroom.schema.model import Cascade, ColumnType, Schema

TABLE = "new_bankaccount"
LOOKUP = NewColumn("new_AccountOwner", ColumnType.LOOKUP)


@pytest.fixture
def linked(banked: Schema) -> Schema:
    cascade = Cascade(assign="Cascade", delete="Restrict")
    return create_lookup(banked, LOOKUP, [NewRelationship("new_contact_banks", "contact", TABLE, cascade)])


def test_navigation_names_default_to_the_names_of_lookup_and_relationship(linked: Schema) -> None:
    """WA-72, WA-73."""
    relationship = linked.relationships["new_contact_banks"]

    assert linked.lookup_nav(TABLE, "new_AccountOwner") is relationship
    assert linked.collection_nav("contact", "new_contact_banks") is relationship
    assert relationship.referencing_column == "new_accountowner"
    assert relationship.referenced_column == "contactid"
    assert relationship.cascade == Cascade(assign="Cascade", delete="Restrict")
    assert linked.tables[TABLE].columns["new_accountowner"].targets == ("contact",)
    assert linked.tables[TABLE].columns["new_accountowner"].property_name == "_new_accountowner_value"


def test_navigation_names_can_be_given(banked: Schema) -> None:
    """WA-73."""
    new = NewRelationship("new_r", "contact", TABLE, lookup_nav="new_Who", collection_nav="new_Banks")
    schema = create_lookup(banked, LOOKUP, [new])

    assert schema.lookup_nav(TABLE, "new_Who") is schema.collection_nav("contact", "new_Banks")


def test_a_multi_table_lookup_has_one_navigation_property_for_each_target(banked: Schema) -> None:
    """WA-72, WA-348."""
    targets = ("account", "contact")
    schema = create_lookup(banked, LOOKUP, [NewRelationship(f"new_{t}_banks", t, TABLE) for t in targets])

    assert schema.tables[TABLE].columns["new_accountowner"].targets == targets
    for target in targets:
        relationship = schema.lookup_nav(TABLE, f"new_AccountOwner_{target}")
        assert relationship is not None
        assert relationship.referenced_table == target


def test_removing_one_relationship_of_a_multi_table_lookup_keeps_the_lookup(banked: Schema) -> None:
    targets = ("account", "contact")
    schema = create_lookup(banked, LOOKUP, [NewRelationship(f"new_{t}_banks", t, TABLE) for t in targets])

    schema = delete_relationship(schema, "new_account_banks")

    assert schema.tables[TABLE].columns["new_accountowner"].targets == ("contact",)


def test_removing_the_last_relationship_removes_the_lookup(linked: Schema, banked: Schema) -> None:
    """WA-345."""
    schema = delete_relationship(linked, "new_contact_banks")

    assert schema.tables == banked.tables
    assert schema.relationships == banked.relationships


def test_removing_the_lookup_removes_its_relationships(linked: Schema, banked: Schema) -> None:
    schema = delete_column(linked, TABLE, "new_accountowner")

    assert schema.relationships == banked.relationships


def test_cascades_can_be_replaced_and_unknown_ones_are_refused(linked: Schema) -> None:
    """WA-344."""
    schema = replace_relationship(linked, "new_contact_banks", Cascade(share="Active"), is_hierarchical=False)

    assert schema.relationships["new_contact_banks"].cascade.share == "Active"
    with pytest.raises(InvalidRequest, match="Share"):
        replace_relationship(linked, "new_contact_banks", Cascade(share="RemoveLink"), is_hierarchical=False)


def test_only_one_hierarchy_within_one_table(banked: Schema) -> None:
    """WA-206."""
    parent = NewRelationship("new_bank_bank", TABLE, TABLE, is_hierarchical=True)
    schema = create_lookup(banked, LOOKUP, [parent])

    assert schema.relationships["new_bank_bank"].is_hierarchical
    other = NewColumn("new_Other", ColumnType.LOOKUP)
    for name, target in (("new_again", TABLE), ("new_elsewhere", "contact")):
        with pytest.raises(InvalidRequest):
            create_lookup(schema, other, [NewRelationship(name, target, TABLE, is_hierarchical=True)])


@pytest.mark.parametrize(
    ("lookup", "new"),
    [
        (LOOKUP, NewRelationship("new_contact_banks", "contact", TABLE)),
        (NewColumn("new_Code", ColumnType.LOOKUP), NewRelationship("new_r", "contact", TABLE)),
        (LOOKUP, NewRelationship("new_r", "contact", TABLE, lookup_nav="new_code")),
        (LOOKUP, NewRelationship("new_r", "contact", TABLE, collection_nav="fullname")),
        (LOOKUP, NewRelationship("new_r", "contact", TABLE, lookup_nav="createdby")),
        (LOOKUP, NewRelationship("new r", "contact", TABLE)),
        (LOOKUP, NewRelationship("new_r", "systemuserroles", TABLE)),
        (LOOKUP, NewRelationship("new_r", "contact", TABLE, Cascade(delete="Explode"))),
        (NewColumn("new_Customer", ColumnType.CUSTOMER), NewRelationship("new_r", "contact", TABLE)),
    ],
)
def test_names_that_are_taken_or_wrong_are_refused(linked: Schema, lookup: NewColumn, new: NewRelationship) -> None:
    """WA-353."""
    with pytest.raises(InvalidRequest):
        create_lookup(linked, lookup, [new])


def test_relationships_that_do_not_fit_one_lookup_are_refused(banked: Schema) -> None:
    """WA-348, WA-353."""
    one = NewRelationship("new_a", "account", TABLE)
    for wanted in (
        [],
        [one, NewRelationship("new_b", "account", "contact")],
        [one, NewRelationship("new_b", "account", TABLE)],
        [one, NewRelationship("new_a", "contact", TABLE)],
        [NewRelationship("new_a", TABLE, TABLE, lookup_nav="new_x", collection_nav="new_x")],
        [NewRelationship("a", "account", TABLE)],
        [NewRelationship("", "account", TABLE)],
        [NewRelationship("new_" + "x" * 100, "account", TABLE)],
    ):
        with pytest.raises(InvalidRequest):
            create_lookup(banked, LOOKUP, wanted)


def test_a_lookup_can_be_secured_from_the_start(banked: Schema) -> None:
    """SM-130."""
    secured = NewColumn("new_Owner", ColumnType.LOOKUP, is_secured=True)
    schema = create_lookup(banked, secured, [NewRelationship("new_a", "account", TABLE)])

    assert schema.tables[TABLE].columns["new_owner"].is_secured


def test_a_lookup_in_a_key_cannot_lose_its_last_target(linked: Schema) -> None:
    """WA-345."""
    keyed = create_key(linked, TABLE, NewKey("new_k", ("new_accountowner",)))

    with pytest.raises(InvalidRequest, match="new_k"):
        delete_relationship(keyed, "new_contact_banks")


def test_a_relationship_to_an_unknown_table_is_404(banked: Schema) -> None:
    with pytest.raises(NotFound):
        create_lookup(banked, LOOKUP, [NewRelationship("new_r", "new_nothing", TABLE)])


def test_a_many_to_many_relationship_has_an_intersect_and_the_same_name_at_both_ends(banked: Schema) -> None:
    """WA-64, WA-73, WA-347."""
    schema = create_association(banked, NewAssociation("new_bank_contacts", TABLE, "contact", "new_bank_contact"))
    association = schema.many_to_many["new_bank_contacts"]

    assert schema.many_nav(TABLE, "new_bank_contacts") is association
    assert schema.many_nav("contact", "new_bank_contacts") is association
    table = schema.tables["new_bank_contact"]
    assert table.is_intersect
    assert {"new_bank_contactid", "new_bankaccountid", "contactid", "versionnumber"} == table.columns.keys()
    assert delete_relationship(schema, "new_bank_contacts").tables == banked.tables


def test_a_many_to_many_relationship_within_one_table_has_two_ends(banked: Schema) -> None:
    schema = create_association(banked, NewAssociation("new_alike", TABLE, TABLE))
    association = schema.many_to_many["new_alike"]

    assert association.column1 != association.column2
    assert association.nav1 != association.nav2


@pytest.mark.parametrize(
    "new",
    [
        NewAssociation("new_taken", TABLE, "contact", "contact_x"),
        NewAssociation("new_x", TABLE, "systemuserroles"),
        NewAssociation("new_x", TABLE, TABLE, nav1="new_same", nav2="new_same"),
        NewAssociation("new_x", TABLE, "contact", nav1="new_code"),
        NewAssociation("new_x", TABLE, "contact", nav1="no way"),
        NewAssociation("account_primary_contact", TABLE, "contact"),
        NewAssociation("new_x", TABLE, "contact", "new_bankaccount"),
    ],
)
def test_many_to_many_relationships_with_names_that_are_taken_or_wrong_are_refused(
    banked: Schema, new: NewAssociation
) -> None:
    """WA-353."""
    schema = create_association(banked, NewAssociation("new_taken", TABLE, "contact", "new_first"))

    with pytest.raises(InvalidRequest):
        create_association(schema, new)


def test_two_activities_share_the_name_of_their_key_and_have_two_columns(banked: Schema) -> None:
    association = create_association(banked, NewAssociation("new_x", "task", "email")).many_to_many["new_x"]

    assert (association.column1, association.column2) == ("taskid", "emailid")


def test_unknown_relationships_and_keys_are_404(banked: Schema) -> None:
    with pytest.raises(NotFound):
        delete_relationship(banked, "new_nothing")
    with pytest.raises(NotFound):
        replace_relationship(banked, "new_nothing", Cascade(), is_hierarchical=False)
    with pytest.raises(NotFound):
        delete_key(banked, TABLE, "new_nothing")


def test_a_table_has_at_most_ten_keys_with_names_of_their_own(banked: Schema) -> None:
    """WA-346."""
    columns = tuple(NewColumn(f"new_c{number}", ColumnType.INTEGER) for number in range(11))
    schema = banked
    for column in columns:
        schema = create_column(schema, TABLE, column)
    for number in range(10):
        schema = create_key(schema, TABLE, NewKey(f"new_k{number}", (f"new_c{number}",)))

    with pytest.raises(InvalidRequest, match="limit"):
        create_key(schema, TABLE, NewKey("new_k10", ("new_c10",)))
    with pytest.raises(InvalidRequest) as caught:
        create_key(schema, TABLE, NewKey("new_K1", ("new_c10",)))
    assert caught.value.code == "0x80047010"


def test_platform_relationships_cannot_be_deleted(banked: Schema) -> None:
    for name in ("account_primary_contact", "teammembership_association"):
        with pytest.raises(InvalidRequest):
            delete_relationship(banked, name)


def test_a_key_is_made_marked_and_removed(banked: Schema) -> None:
    """WA-346."""
    schema = create_key(banked, TABLE, NewKey("new_TheKey", ("new_code", "new_name")))
    key = schema.tables[TABLE].keys[0]
    assert (key.logical_name, key.columns, key.is_active) == ("new_thekey", ("new_code", "new_name"), True)

    failed = set_key_active(schema, TABLE, "new_thekey", False)
    assert failed.version == schema.version
    assert not failed.tables[TABLE].keys[0].is_active

    assert delete_key(schema, TABLE, "new_thekey").tables[TABLE].keys == ()


@pytest.mark.parametrize(
    "new",
    [
        NewKey("new_k", ()),
        NewKey("new_k", ("new_nothing",)),
        NewKey("new_k", ("new_code", "new_code")),
        NewKey("new_k", ("ownerid",)),
        NewKey("new_k", ("statecode",)),
        NewKey("new_k", ("new_code",) * 17),
        NewKey("k", ("new_code",)),
        NewKey("new_again", ("new_name",)),
    ],
)
def test_keys_that_cannot_be_are_refused(banked: Schema, new: NewKey) -> None:
    """WA-346."""
    keyed = create_key(banked, TABLE, NewKey("new_first", ("new_name",)))

    with pytest.raises(InvalidRequest):
        create_key(keyed, TABLE, new)
