"""`$expand` means what section 14 of the Web API says."""

import pytest
import spoken
from small_schema import ACCOUNT, CONTACT, CONTEXT, SCHEMA, TASK, USERS

from strongroom.errors import QueryError
from strongroom.query.ast import Expand
from strongroom.query.odata import read_query, split_options
from strongroom.schema.model import Table


def read(text: str, table: Table = ACCOUNT) -> tuple[Expand, ...]:
    return read_query(SCHEMA, table, split_options(f"$expand={text}"), CONTEXT).expands


def names(expand: Expand) -> list[str]:
    return [output.name for output in expand.select.outputs]


def refusal(text: str, table: Table = ACCOUNT) -> QueryError:
    with pytest.raises(QueryError) as caught:
        read(text, table)
    return caught.value


def test_a_single_valued_property():
    """WA-211: the target's primary key always comes along."""
    [expand] = read("primarycontactid($select=fullname)")

    assert (expand.name, expand.to_parent, expand.reference_only) == ("primarycontactid", True, False)
    assert expand.relationship is SCHEMA.relationships["account_primary_contact"]
    assert expand.select.source.table is CONTACT
    assert names(expand) == ["fullname", "contactid"]


def test_a_collection_with_all_options():
    """WA-210, WA-217."""
    [expand] = read("Account_Tasks($select=subject;$filter=contains(subject,'a;b,c)') and statecode eq 0;"
                    "$orderby=subject desc;$top=2)")  # fmt: skip

    assert not expand.to_parent
    assert expand.select.source.table is TASK
    assert names(expand) == ["subject", "activityid"]
    assert spoken.predicate(expand.select.where) == "(subject contains 'a;b,c)' and statecode = 0)"
    assert [spoken.order(order) for order in expand.select.order] == ["subject desc"]
    assert expand.select.top == 2


def test_several_properties_keep_their_order():
    found = read(" Account_Tasks , primarycontactid($select=fullname),owninguser")

    assert [expand.name for expand in found] == ["Account_Tasks", "primarycontactid", "owninguser"]


def test_many_to_many():
    [expand] = read("teammembership_association($select=name)", USERS)

    assert expand.relationship is None
    assert expand.many_to_many is SCHEMA.many_to_many["teammembership_association"]
    assert (expand.select.source.table.logical_name, expand.to_parent) == ("team", False)


def test_nested_expands():
    [expand] = read(
        "primarycontactid($select=fullname;$expand=parentcustomerid_account($select=name;$expand=owninguser))"
    )
    [inner] = expand.select.expands
    [innermost] = inner.select.expands

    assert (inner.name, inner.select.source.table) == ("parentcustomerid_account", ACCOUNT)
    assert innermost.select.source.table is USERS


def test_paths_in_an_expanded_filter_join_inside_its_own_query():
    [expand] = read("contact_customer_accounts($filter=owninguser/fullname eq 'x')")

    assert [spoken.join(join) for join in expand.select.joins] == ["outer systemuser j1 (systemuserid=.owninguser)"]


def test_references_alone():
    """WA-214."""
    assert read("primarycontactid/$ref")[0].reference_only
    assert refusal("Account_Tasks/$ref").message == (
        "Expand with $ref is only supported on lookup type navigation property."
    )


def test_the_owner_is_a_team_or_a_user():
    """WA-215: two expands of one name, each with the columns that its type has."""
    team, user = read("ownerid($select=ownerid,fullname,name)")

    assert (team.name, user.name) == ("ownerid", "ownerid")
    assert names(team) == ["teamid", "name", "ownerid"]
    assert names(user) == ["systemuserid", "fullname", "ownerid"]
    assert team.to_parent
    assert "type 'Microsoft.Dynamics.CRM.principal'" in refusal("ownerid($select=subject)").message


@pytest.mark.parametrize("option", ["$orderby=fullname", "$top=1"])
def test_single_valued_properties_take_no_order(option: str):
    """WA-213."""
    error = refusal(f"primarycontactid({option})")

    assert "Only $select and $filter clause can be provided while doing $expand on many-to-one" in error.message
    assert error.code == "0x80060888"


def test_no_order_in_a_query_with_nested_expands():
    """WA-213."""
    text = "Account_Tasks($orderby=subject),primarycontactid($expand=owninguser)"

    assert "Only $select and $filter clause can be provided" in refusal(text).message
    assert read("Account_Tasks($filter=statecode eq 0;$expand=owninguser)")


@pytest.mark.parametrize(
    "option", ["$skip=1", "$count=true", "$search=x", "$levels=2", "$Select=name", "select=name", "x"]
)
def test_other_options_inside_are_named(option: str):
    """WA-210."""
    assert f"'{option.split('=')[0]}' is not an option inside $expand" in refusal(f"Account_Tasks({option})").message


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("*", "$expand=* is not supported"),
        ("primarycontact", "Did you mean 'primarycontactid'?"),
        ("PrimaryContactId", "Could not find a property named 'PrimaryContactId'"),
        ("name", "is a column, not a navigation property"),
        ("primarycontactid,primarycontactid", "is expanded twice"),
        ("primarycontactid,", "The name of a navigation property is missing"),
        ("primarycontactid($select=fullname", "closing parenthesis missing"),
        ("primarycontactid)", "closing parenthesis without an opening one"),
        ("primarycontactid($filter=fullname eq 'x)", "unterminated string literal"),
        ("primarycontactid($select=fullname)x", "do not end with ')'"),
        ("primarycontactid($select=fullname;$select=fullname)", "occurs twice"),
        ("primarycontactid/owninguser", "write primarycontactid($expand=owninguser)"),
        ("primarycontactid($select=subject)", "In $expand=primarycontactid: Could not find a property named 'subject'"),
        ("Account_Tasks($top=0)", "Invalid value '0' for $top in $expand"),
        ("Account_Tasks($filter=)", "The $filter is empty"),
    ],
)
def test_wrong_expands_are_refused(text: str, part: str):
    assert part in refusal(text).message


def test_a_lookup_to_several_tables_has_a_property_for_each():
    assert "one navigation property for each table" in refusal("parentcustomerid", CONTACT).message


def test_fifteen_expands_are_allowed_and_sixteen_are_not():
    """WA-210."""

    def nested(levels: int) -> str:
        return "parentaccountid($expand=" * (levels - 1) + "parentaccountid" + ")" * (levels - 1)

    assert read(nested(15))
    assert "may expand 15 navigation properties" in refusal(nested(16)).message
    assert "may expand 15 navigation properties" in refusal(nested(3000)).message
    assert "may expand 15 navigation properties" in refusal(",".join(["primarycontactid"] * 16)).message


def test_conditions_of_all_filters_count_together():
    """WA-196."""
    conditions = " or ".join(["statecode eq 0"] * 250)
    text = f"Account_Tasks($filter={conditions}),contact_customer_accounts($filter={conditions} or statecode eq 1)"

    assert "more than 500 conditions" in refusal(text).message


def test_parameter_aliases_have_no_meaning_inside():
    """WA-176."""
    assert "'@p' cannot stand inside $expand" in refusal("Account_Tasks($filter=subject eq @p)").message


def test_an_empty_expand_is_ignored():
    assert read("") == ()
