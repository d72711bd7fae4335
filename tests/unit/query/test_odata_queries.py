"""Whole OData queries: `$select`, `$orderby`, `$top`, `$apply` (sections 11, 15, 16 of the Web API)."""

import pytest
import spoken
from small_schema import ACCOUNT, CONTACT, CONTEXT, SCHEMA, TASK, USERS

from strongroom.errors import QueryError
from strongroom.query.ast import Select
from strongroom.query.odata import read_query, split_options
from strongroom.schema.model import Table


def read(raw: str, table: Table = ACCOUNT, page_size: int | None = None) -> Select:
    return read_query(SCHEMA, table, split_options(raw), CONTEXT, page_size=page_size)


def names(raw: str, table: Table = ACCOUNT) -> list[str]:
    return [output.name for output in read(raw, table).outputs]


def orders(raw: str, table: Table = ACCOUNT) -> list[str]:
    return [spoken.order(order) for order in read(raw, table).order]


def refusal(raw: str, table: Table = ACCOUNT) -> QueryError:
    with pytest.raises(QueryError) as caught:
        read(raw, table)
    return caught.value


# --- $select -----------------------------------------------------------------------------------------------------


def test_selected_columns_come_in_order_with_the_primary_key():
    """WA-173."""
    assert names("$select= name , accountnumber,name") == ["name", "accountnumber", "accountid"]
    assert names("$select=accountid,name") == ["accountid", "name"]


def test_a_money_column_brings_the_currency():
    """WA-85, WA-125."""
    assert names("$select=revenue") == ["revenue", "accountid", "_transactioncurrencyid_value"]


def test_lookups_are_selected_by_wire_name_or_navigation_property():
    """WA-127."""
    assert names("$select=_primarycontactid_value") == ["_primarycontactid_value", "accountid"]
    assert names("$select=primarycontactid,ownerid") == ["_primarycontactid_value", "_ownerid_value", "accountid"]
    assert names("$select=sr_KeyPerson") == ["_sr_keyperson_value", "accountid"]
    assert names("$select=parentcustomerid_account", CONTACT) == ["_parentcustomerid_value", "contactid"]


@pytest.mark.parametrize("raw", ["", "$select=", "$select=*", "$select= "])
def test_without_select_all_readable_columns_come(raw: str):
    """WA-126: no image content, no column that is not valid for read, every lookup by wire name."""
    found = names(raw)

    assert found[0] == "accountid"
    assert {"name", "_ownerid_value", "sports", "contract", "_transactioncurrencyid_value"} <= set(found)
    assert not {"entityimage", "secretnote", "ownerid", "primarycontactid"} & set(found)
    assert len(found) == len(set(found)) == len(ACCOUNT.columns) - 2


def test_images_come_when_they_are_asked_for():
    assert names("$select=entityimage") == ["entityimage", "accountid"]


def test_users_have_both_names_of_their_id():
    """WA-211."""
    assert names("$select=fullname", USERS) == ["fullname", "systemuserid", "ownerid"]
    assert names("$select=ownerid", USERS) == ["systemuserid", "ownerid"]


@pytest.mark.parametrize(
    ("raw", "part"),
    [
        ("$select=nmae", "Could not find a property named 'nmae' on type 'Microsoft.Dynamics.CRM.account'."),
        ("$select=secretnote", "Could not find a property named 'secretnote'"),
        ("$select=Account_Tasks", "Could not find a property named 'Account_Tasks'"),
        ("$select=name,", "The name of a column is expected here, not the end"),
        ("$select=name accountnumber", "',' or the end is expected here"),
        ("$select=primarycontactid/fullname", "$expand=primarycontactid($select=…)"),
        ("$select='name'", "The name of a column is expected here"),
    ],
)
def test_wrong_selects_are_refused(raw: str, part: str):
    assert part in refusal(raw).message


# --- $orderby ----------------------------------------------------------------------------------------------------


def test_orders_have_directions():
    """WA-174."""
    assert orders("$orderby=name desc,createdon, industrycode asc") == ["name desc", "createdon", "industrycode"]
    assert orders("$orderby=name,name desc") == ["name"]
    assert orders("$orderby=") == []


def test_a_lookup_orders_by_the_name_of_its_target():
    """WA-174."""
    assert orders("$orderby=_primarycontactid_value desc") == ["name of primarycontactid desc"]


def test_orders_and_filters_share_joins():
    select = read("$orderby=primarycontactid/fullname&$filter=primarycontactid/emailaddress1 ne null")

    assert [spoken.order(order) for order in select.order] == ["j1.fullname"]
    assert len(select.joins) == 1


def test_an_alias_may_name_the_column():
    """WA-176."""
    assert orders("$orderby=@p desc&@p=name") == ["name desc"]


@pytest.mark.parametrize(
    ("raw", "part"),
    [
        ("$orderby=nmae", "Could not find a property named 'nmae'"),
        ("$orderby=name descending", "'descending' is not a direction: it is asc or desc."),
        ("$orderby=name DESC", "Did you mean 'desc'?"),
        ("$orderby=name desc accountnumber", "',' or the end is expected here"),
        ("$orderby=name,", "is expected here, not the end"),
        ("$orderby=tolower(name)", "takes columns, not functions"),
        ("$orderby=5", "takes columns, not values"),
        ("$orderby=@p&@p=5", "takes columns, not values"),
        ("$orderby=primarycontactid", "the value of the lookup is '_primarycontactid_value'"),
        ("$orderby=entityimage", "cannot be ordered by the column 'entityimage' of type Image"),
        ("$orderby=Account_Tasks/subject", "is a collection"),
    ],
)
def test_wrong_orders_are_refused(raw: str, part: str):
    assert part in refusal(raw).message


# --- pages and counts --------------------------------------------------------------------------------------------


def test_a_page_has_5000_rows_unless_top_or_the_client_says_less():
    """WA-175, WA-230."""
    assert (read("").top, read("").page_size) == (None, 5000)
    assert (read("$top=3").top, read("$top=3").page_size) == (3, None)
    assert (read("$top=3", page_size=10).top, read("$top=3", page_size=10).page_size) == (None, 10)
    assert read("", page_size=6000).page_size == 5000


def test_count_is_carried():
    assert read("$count=true").count
    assert not read("").count


def test_the_same_text_gives_the_same_query():
    raw = "$filter=primarycontactid/fullname eq 'x' and Account_Tasks/any()&$orderby=owninguser/fullname"

    assert read(raw) == read(raw)


def test_option_order_does_not_matter():
    """WA-451."""
    assert read("$top=1&$select=name") == read("$select=name&$top=1")


# --- $apply ------------------------------------------------------------------------------------------------------


def test_groups_and_aggregates():
    """WA-220, WA-221, WA-222."""
    select = read(
        "$apply=filter(statecode eq 0)/groupby((industrycode,_ownerid_value,primarycontactid/fullname),"
        "aggregate(revenue with sum as total,$count as number,accountid with countdistinct as different,"
        "numberofemployees with average as mean,createdon with min as first))"
    )

    assert spoken.outputs(select) == {
        "industrycode": "industrycode",
        "_ownerid_value": "ownerid",
        "contact_fullname": "j1.fullname",
        "total": "sum(revenue)",
        "number": "count()",
        "different": "countdistinct(accountid)",
        "mean": "average(numberofemployees)",
        "first": "min(createdon)",
    }
    assert [spoken.value(key) for key in select.group_by] == ["industrycode", "ownerid", "j1.fullname"]
    assert spoken.predicate(select.where) == "statecode = 0"
    assert select.is_aggregate


def test_a_key_of_a_related_row_has_the_name_of_its_table():
    assert [o.name for o in read("$apply=groupby((primarycontactid/contactid))").outputs] == ["contact_contactid"]


def test_an_aggregation_of_all_rows():
    select = read("$apply=aggregate($count as n)&$filter=name eq 'x'&$count=true")

    assert (spoken.outputs(select), select.group_by) == ({"n": "count()"}, ())
    assert spoken.predicate(select.where) == "name = 'x'"
    assert not select.count


def test_filters_beside_and_inside_apply_both_hold():
    """WA-224."""
    select = read("$apply=filter(statecode eq 0)/aggregate($count as n)&$filter=name eq 'x'")

    assert spoken.predicate(select.where) == "(name = 'x' and statecode = 0)"


def test_groups_are_ordered_by_their_keys():
    """WA-224."""
    apply = "$apply=groupby((industrycode,_ownerid_value),aggregate($count as n))"

    assert orders(f"{apply}&$orderby=industrycode desc") == ["industrycode desc"]
    assert orders(f"{apply}&$orderby=_ownerid_value") == ["ownerid"]
    assert "The query node SingleValueOpenPropertyAccess is not supported" in refusal(f"{apply}&$orderby=n").message
    assert "columns of the groups only" in refusal(f"{apply}&$orderby=name").message
    assert "columns of the groups only" in refusal(f"{apply}&$orderby=primarycontactid/fullname").message


@pytest.mark.parametrize("option", ["$top=1", "$select=name", "$expand=primarycontactid"])
def test_options_that_cannot_stand_beside_apply(option: str):
    """WA-224."""
    assert (
        f"'{option.split('=')[0]}' cannot stand beside $apply"
        in refusal(f"$apply=aggregate($count as n)&{option}").message
    )


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "A transformation"),
        ("concat(aggregate($count as n))", "The transformation 'concat' is not supported"),
        ("topcount(5,revenue)", "The transformation 'topcount' is not supported"),
        ("group((name))", "Did you mean 'groupby'?"),
        ("filter(statecode eq 0)", "is expected behind the filter"),
        ("filter(statecode eq 0)/filter(statecode eq 1)/aggregate($count as n)", "Only one filter"),
        ("aggregate(revenue with sum)", "'as' and a name"),
        ("aggregate(revenue as x)", "'with' and a method"),
        ("aggregate(revenue with median as x)", "The method 'median' is not supported"),
        ("aggregate(revenue with sum as x,revenue with max as x)", "The name 'x' occurs twice"),
        ("groupby((name),aggregate(revenue with sum as name))", "The name 'name' occurs twice"),
        ("aggregate(revenue with sum as Über)", "is not a name for a result"),
        ("aggregate(name with sum as x)", "The method 'sum' does not fit the column 'name' of type String"),
        ("aggregate(industrycode with average as x)", "does not fit the column 'industrycode' of type Picklist"),
        ("aggregate(createdon with sum as x)", "does not fit the column 'createdon'"),
        ("aggregate(nmae with sum as x)", "Could not find a property named 'nmae'"),
        ("groupby((createdon))", "cannot be grouped by the date column 'createdon'"),
        ("groupby((entityimage))", "cannot be grouped by the column 'entityimage' of type Image"),
        ("groupby(name)", "'(' is expected here"),
        ("groupby((name),name)", "The transformation 'name' is not supported"),
        ("groupby((name),filter(true))", "Only 'aggregate(…)' may follow"),
        ("groupby((name))/aggregate($count as n)", "The end of $apply is expected here"),
        ("aggregate($count as n", "')' is expected here"),
    ],
)
def test_wrong_aggregations_are_refused(text: str, part: str):
    """WA-220, WA-221, WA-224."""
    assert part in refusal(f"$apply={text}").message


def test_an_aggregation_has_at_most_500_results():
    results = ",".join(f"$count as n{number}" for number in range(501))

    assert "may have 500 results" in refusal(f"$apply=aggregate({results})").message


def test_activities_select_their_own_id():
    assert names("$select=subject", TASK) == ["subject", "activityid"]
