"""FetchXML means what WA-240 to WA-259 say."""

from dataclasses import replace
from xml.sax.saxutils import quoteattr

import pytest
import spoken
from hypothesis import given
from hypothesis import strategies as st

from strongroom.errors import FetchXmlError, InvalidRequest, NotOffered, StrongroomError
from strongroom.query.ast import JoinKind, ReadContext, Select
from strongroom.query.fetchxml import FetchQuery, continued, read_fetchxml
from strongroom.query.paging import MalformedCookie, make_fetch_cookie
from strongroom.schema.standard_tables import standard_schema

SCHEMA = standard_schema()
USER = "11111111-1111-1111-1111-111111111111"
UNIT = "22222222-2222-2222-2222-222222222222"
CONTEXT = ReadContext(USER, UNIT, (), "2024-05-01T10:15:00Z", "Europe/Berlin")
KEY = b"k" * 32


def read(text: str) -> FetchQuery:
    return read_fetchxml(SCHEMA, text, CONTEXT, expected_table=None)


def select(inside: str, fetch: str = "", table: str = "account") -> Select:
    return read(f'<fetch {fetch}><entity name="{table}">{inside}</entity></fetch>').select


def where(conditions: str, table: str = "account") -> str:
    return spoken.predicate(select(f"<no-attrs/><filter>{conditions}</filter>", table=table).where)


def condition(attribute: str, operator: str, value: str | None = None, table: str = "account") -> str:
    given_value = "" if value is None else f" value={quoteattr(value)}"
    return where(f'<condition attribute="{attribute}" operator="{operator}"{given_value}/>', table)


def refusal(text: str) -> StrongroomError:
    with pytest.raises(StrongroomError) as caught:
        read(text)
    return caught.value


# --- columns -----------------------------------------------------------------------------------------------------


def test_columns_have_the_names_of_wa_249():
    found = select(
        '<attribute name="name"/><attribute name="primarycontactid"/><attribute name="revenue" alias="money"/>'
        '<link-entity name="contact" from="contactid" to="primarycontactid" alias="who">'
        '<attribute name="fullname"/><attribute name="ownerid"/></link-entity>'
        '<link-entity name="systemuser" from="systemuserid" to="createdby"><attribute name="fullname"/></link-entity>'
    )

    assert spoken.outputs(found) == {
        "name": "name",
        "_primarycontactid_value": "primarycontactid",
        "money": "revenue",
        "accountid": "accountid",
        "who.fullname": "who.fullname",
        "who.ownerid": "who.ownerid",
        "systemuser1.fullname": "systemuser1.fullname",
    }


def test_all_attributes_lists_readable_columns_and_an_entity_without_attributes_means_the_same():
    listed, implied = select("<all-attributes/>"), select("")

    assert listed.outputs == implied.outputs
    assert {"name", "_ownerid_value", "accountid", "statecode"} <= {output.name for output in listed.outputs}
    assert "entityimage" not in {output.name for output in listed.outputs}


def test_no_attrs_leaves_the_primary_key_alone():
    assert spoken.outputs(select("<no-attrs/>")) == {"accountid": "accountid"}


def test_distinct_does_not_add_the_primary_key_wa_259():
    found = select('<attribute name="name"/>', 'distinct="true"')

    assert found.distinct
    assert spoken.outputs(found) == {"name": "name"}


def test_derived_columns_give_the_name_and_table_of_a_lookups_target():
    found = select('<attribute name="parentaccountidname"/><attribute name="owneridtype"/>')

    assert spoken.outputs(found) == {
        "parentaccountidname": "name of parentaccountid",
        "owneridtype": "table of ownerid",
        "accountid": "accountid",
    }


def test_the_label_of_a_choice_can_be_compared_but_not_selected():
    assert condition("accountcategorycodename", "eq", "preferred CUSTOMER") == "accountcategorycode in (1)"
    assert condition("accountcategorycodename", "not-like", "%custom_r") == "accountcategorycode not in (1)"
    assert condition("accountcategorycodename", "eq", "Nobody") == "False"
    assert condition("donotemailname", "ne", "*") == "donotemail is not null"

    error = refusal('<fetch><entity name="account"><attribute name="accountcategorycodename"/></entity></fetch>')

    assert "name 'accountcategorycode' instead" in error.message


# --- conditions --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attribute", "operator", "value", "expected"),
    [
        ("name", "eq", "O'Brian", 'name = "O\'Brian"'),
        ("name", "neq", "x", "name <> 'x'"),
        ("numberofemployees", "ge", "5", "numberofemployees >= 5"),
        ("revenue", "lt", "5.25", "revenue < Decimal('5.25')"),
        ("donotemail", "eq", "1", "donotemail = True"),
        ("statecode", "eq", "0", "statecode = 0"),
        ("name", "like", "a%[_]", "name like 'a%[_]'"),
        ("name", "not-begin-with", "a", "name not startswith 'a'"),
        ("name", "null", None, "name is null"),
        ("parentaccountid", "not-null", None, "parentaccountid is not null"),
        ("ownerid", "eq-userid", None, f"ownerid = '{USER}'"),
        (
            "createdon",
            "today",
            None,
            "(createdon >= '2024-04-30T22:00:00Z' and createdon < '2024-05-01T22:00:00Z')",
        ),
        ("createdon", "on-or-after", "05/02/2024", "createdon >= '2024-05-01T22:00:00Z'"),
        ("primarycontactidname", "ends-with", "son", "name of primarycontactid endswith 'son'"),
    ],
)
def test_a_condition_is_typed_by_its_column(attribute: str, operator: str, value: str | None, expected: str):
    """WA-245, WA-246."""
    assert condition(attribute, operator, value) == expected


def test_a_guid_is_read_with_braces_and_in_upper_case():
    guid = "0A1B2C3D-0000-0000-0000-00000000000F"

    assert condition("primarycontactid", "eq", "{" + guid + "}") == f"primarycontactid = '{guid.lower()}'"


def test_a_type_code_stands_for_its_table():
    assert condition("objecttypecode", "eq", "1", table="annotation") == "objecttypecode = 'account'"


def test_lists_and_ranges_take_value_elements():
    values = "<value>1</value><value>3</value><value>1</value>"

    assert where(f'<condition attribute="statecode" operator="in">{values}</condition>') == "statecode in (1, 3)"
    assert (
        where('<condition attribute="revenue" operator="between"><value>1</value><value>2</value></condition>')
        == "(revenue >= Decimal('1') and revenue <= Decimal('2'))"
    )


@pytest.mark.parametrize(
    ("attribute", "operator", "value", "part"),
    [
        ("statecode", "eq", "Active", "whole number"),
        ("primarycontactid", "eq", "Joe", "GUID"),
        ("createdon", "gt", "2024-02-30", "date"),
        ("revenue", "gt", "much", "number"),
        ("name", "eq", None, "one value"),
        ("name", "null", "x", "no value"),
        ("name", "equals", "x", "no condition operator 'equals'"),
        ("name", "NotOn", "x", "no condition operator"),
        ("primarycontactid", "like", "%x%", "text"),
        ("donotemail", "gt", "0", "needs an order"),
        ("entityimage", "eq", "x", "file"),
        ("owneridtype", "eq", "8", "cannot be asked for"),
    ],
)
def test_a_value_or_operator_that_does_not_fit_is_refused_with_what_would(
    attribute: str, operator: str, value: str | None, part: str
):
    with pytest.raises(InvalidRequest) as caught:
        condition(attribute, operator, value)

    assert part in caught.value.message


def test_labels_are_asked_for_null_and_by_the_beginning_of_the_text():
    assert condition("accountcategorycodename", "null") == "accountcategorycode is null"
    assert condition("accountcategorycodename", "not-null") == "accountcategorycode is not null"
    assert condition("accountcategorycodename", "begins-with", "STAND") == "accountcategorycode in (2)"
    assert condition("donotemailname", "ends-with", "not allow") == "donotemail in (True)"
    values = "<value>x</value><value>standard</value>"
    labels = where(f'<condition attribute="accountcategorycodename" operator="in">{values}</condition>')
    assert labels == "accountcategorycode in (2)"


@pytest.mark.parametrize(
    ("operator", "value", "part"),
    [
        ("like", "%a" * 101, "at most 200 characters"),
        ("null", "x", "takes no value"),
        ("gt", "x", "cannot be used on the label"),
        ("eq", None, "one value"),
    ],
)
def test_a_condition_on_a_label_takes_what_a_text_takes(operator: str, value: str | None, part: str):
    with pytest.raises(FetchXmlError, match=part):
        condition("accountcategorycodename", operator, value)


def test_columns_of_every_kind_compare_with_their_like():
    same = (
        ("numberofemployees", "importsequencenumber"),
        ("createdon", "modifiedon"),
        ("industrycode", "territorycode"),
        ("revenue", "creditlimit"),
        ("donotfax", "donotemail"),
        ("parentaccountidname", "name"),
        ("parentaccountid", "accountid"),
    )
    for left, right in same:
        assert where(f'<condition attribute="{left}" operator="eq" valueof="{right}"/>').endswith(f"= {right}")
    for left, right in (
        ("createdon", "name"),
        ("industrycode", "numberofemployees"),
        ("accountcategorycodename", "name"),
    ):
        with pytest.raises(FetchXmlError, match="cannot be compared"):
            where(f'<condition attribute="{left}" operator="eq" valueof="{right}"/>')


def test_the_root_answers_to_its_own_name_in_conditions_of_links():
    found = select(
        '<no-attrs/><link-entity name="contact" from="parentcustomerid" to="accountid"><filter>'
        '<condition entityname="account" attribute="name" operator="eq" value="x"/></filter></link-entity>'
    )

    assert spoken.predicate(found.joins[0].where) == "name = 'x'"


def test_filters_nest_and_empty_ones_ask_nothing():
    assert where("<filter/>") == "all"
    assert where('<filter type="or"><filter/></filter>') == "all"
    assert (
        where(
            '<condition attribute="name" operator="null"/><filter type="or">'
            '<condition attribute="fax" operator="null"/><condition attribute="telephone1" operator="null"/></filter>'
        )
        == "(name is null and (fax is null or telephone1 is null))"
    )


def test_valueof_compares_columns_of_one_type_wa_247():
    joined = (
        '<no-attrs/><link-entity name="contact" from="contactid" to="primarycontactid" alias="c"/>'
        '<filter><condition attribute="name" operator="ne" valueof="{}"/></filter>'
    )

    assert spoken.predicate(select(joined.format("emailaddress1")).where) == "name <> emailaddress1"
    assert spoken.predicate(select(joined.format("c.fullname")).where) == "name <> c.fullname"
    for other, operator in (("revenue", "eq"), ("fax", "like")):
        with pytest.raises(FetchXmlError):
            where(f'<condition attribute="name" operator="{operator}" valueof="{other}"/>')


@pytest.mark.parametrize(
    ("inside", "part"),
    [
        ('<filter hint="merge"/>', "can only be 'union'"),
        ('<filter><condition column="name" operator="null" attribute="name"/></filter>', "'column' of a condition"),
        ('<filter><condition attribute="name" operator="eq" valueof="fax" value="x"/></filter>', "not both"),
        (
            '<filter><condition attribute="name" operator="eq" value="x"><value>y</value></condition></filter>',
            "not both",
        ),
        ('<filter><condition attribute="name" operator="eq" entityname="z" value="x"/></filter>', "the alias 'z'"),
        ('<filter><condition attribute="isprivate" operator="null"/></filter>', "cannot be read"),
        ('<filter><link-entity name="task" from="regardingobjectid" to="accountid"/></filter>', "inside a filter"),
        ('<link-entity name="task" from="regardingobjectid" to="accountid" link-type="any"/>', "outside a filter"),
        ('<link-entity name="task" from="regardingobjectid" to="name"/>', "different types"),
        ('<link-entity name="task" from="nothing" to="accountid"/>', "doesn't contain attribute"),
        ('<link-entity name="account" from="entityimage" to="entityimage"/>', "cannot be used to link"),
        ('<link-entity name="contact" to="primarycontactid" alias="a.b"/>', "may only hold letters"),
        ('<attribute name="name" alias="x"/><attribute name="fax" alias="x"/>', "have the name 'x'"),
        ('<attribute name="name" groupby="true"/>', "needs aggregate='true'"),
        ('<order attribute="owneridtype"/>', "cannot be sorted by"),
        ('<order attribute="entityimage"/>', "cannot be sorted by"),
        ('<attribute name="owneridtype" alias="kind"/><order alias="kind"/>', "cannot be sorted by 'kind'"),
        ('<order attribute="name" alias="x"/>', "either 'attribute' or 'alias'"),
    ],
)
def test_what_has_no_meaning_is_refused_by_name(inside: str, part: str):
    with pytest.raises(FetchXmlError) as caught:
        select(inside)

    assert part in caught.value.message


@pytest.mark.parametrize(
    ("table", "attribute", "part"),
    [
        ("email", "bcc", "party list"),
        ("systemuser", "organizationidname", "use 'organizationid'"),
        ("solution", "publisheridprefix", "use 'publisherid'"),
    ],
)
def test_columns_that_hold_no_value_say_what_to_use(table: str, attribute: str, part: str):
    with pytest.raises(FetchXmlError) as caught:
        select(f'<attribute name="{attribute}"/>', table=table)

    assert part in caught.value.message


# --- links -------------------------------------------------------------------------------------------------------


def test_a_filter_of_a_link_belongs_to_its_join_and_entityname_asks_after_it_wa_248():
    found = select(
        '<no-attrs/><filter><condition entityname="c" attribute="contactid" operator="null"/></filter>'
        '<link-entity name="contact" from="contactid" to="primarycontactid" alias="c" link-type="outer">'
        '<filter><condition attribute="firstname" operator="eq" value="Ann"/></filter></link-entity>'
    )

    assert [spoken.join(join) for join in found.joins] == [
        "outer contact c (contactid=.primarycontactid): c.firstname = 'Ann'"
    ]
    assert spoken.predicate(found.where) == "c.contactid is null"


def test_links_nest_and_pass_through_intersect_tables():
    found = select(
        '<no-attrs/><link-entity name="teammembership" from="systemuserid" to="systemuserid" intersect="true">'
        '<link-entity name="team" from="teamid" to="teamid" alias="t"/></link-entity>',
        table="systemuser",
    )

    assert [spoken.join(join) for join in found.joins] == [
        "inner teammembership teammembership1 (systemuserid=.systemuserid)",
        "inner team t (teamid=teammembership1.teamid)",
    ]


def test_missing_columns_of_a_link_are_inferred_only_when_one_relationship_fits():
    """WA-243."""
    found = select('<no-attrs/><link-entity name="opportunity" to="accountid" from="parentaccountid"/>')
    inferred = select('<no-attrs/><link-entity name="contact" to="primarycontactid"/>')

    assert spoken.join(found.joins[0]) == "inner opportunity opportunity1 (parentaccountid=.accountid)"
    assert spoken.join(inferred.joins[0]) == "inner contact contact1 (contactid=.primarycontactid)"
    several = refusal('<fetch><entity name="account"><link-entity name="systemuser"/></entity></fetch>')
    assert "Several relationships" in several.message
    none = refusal('<fetch><entity name="account"><link-entity name="role"/></entity></fetch>')
    assert "No relationship" in none.message


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("any", "some task link1 (regardingobjectid=.accountid): link1.subject = 'x'"),
        ("not any", "no task link1 (regardingobjectid=.accountid): link1.subject = 'x'"),
        ("not all", "some task link1 (regardingobjectid=.accountid): link1.subject = 'x'"),
        (
            "all",
            "(some task link1 (regardingobjectid=.accountid)"
            " and no task link2 (regardingobjectid=.accountid): link2.subject = 'x')",
        ),
    ],
)
def test_link_types_in_filters_mean_what_wa_244_says(kind: str, expected: str):
    text = (
        f'<link-entity name="task" from="regardingobjectid" to="accountid" link-type="{kind}"><filter>'
        '<condition attribute="subject" operator="eq" value="x"/></filter></link-entity>'
    )

    assert where(text).replace("link3", "link2") == expected


def test_exists_asks_and_may_join_inside():
    found = select(
        '<no-attrs/><link-entity name="contact" from="parentcustomerid" to="accountid" link-type="exists" alias="c">'
        '<filter><condition entityname="u" attribute="fullname" operator="eq" value="Ann"/></filter>'
        '<link-entity name="systemuser" from="systemuserid" to="createdby" alias="u"/></link-entity>'
    )

    assert found.joins == ()
    assert spoken.predicate(found.where) == (
        "some contact link1 (parentcustomerid=.accountid)"
        " inner systemuser link2 (systemuserid=link1.createdby): link2.fullname = 'Ann'"
    )


def test_a_link_that_only_asks_gives_no_columns():
    error = refusal(
        '<fetch><entity name="account"><link-entity name="contact" from="parentcustomerid" to="accountid"'
        ' link-type="in"><attribute name="fullname"/></link-entity></entity></fetch>'
    )

    assert "gives no columns" in error.message


def test_a_filter_may_name_a_later_link_only_where_the_answer_is_the_same():
    first = (
        '<link-entity name="contact" from="contactid" to="primarycontactid" alias="a" link-type="{}"><filter>'
        '<condition attribute="fullname" operator="eq" valueof="b.fullname"/></filter></link-entity>'
        '<link-entity name="systemuser" from="systemuserid" to="createdby" alias="b"/>'
    )

    moved = select("<no-attrs/>" + first.format("inner"))

    assert moved.joins[0].where is None
    assert spoken.predicate(moved.where) == "a.fullname = b.fullname"
    assert "comes later" in refusal(f'<fetch><entity name="account">{first.format("outer")}</entity></fetch>').message


def test_more_than_15_links_are_refused_with_the_documented_code():
    link = '<link-entity name="contact" from="parentcustomerid" to="accountid"/>'

    error = refusal(f'<fetch><entity name="account">{link * 16}</entity></fetch>')

    assert error.code == "0x8004430d"
    assert error.message.startswith("Number of link entities in query exceeded maximum limit.")
    assert len(select("<no-attrs/>" + link * 15).joins) == 15


def test_more_than_500_conditions_are_refused():
    one = '<condition attribute="name" operator="null"/>'

    assert where(one * 500)
    with pytest.raises(FetchXmlError, match="501 conditions"):
        where(one * 501)


def test_aliases_are_unique_without_regard_to_case():
    twice = '<link-entity name="contact" from="contactid" to="primarycontactid" alias="{}"/>'

    error = refusal(f'<fetch><entity name="account">{twice.format("a")}{twice.format("A")}</entity></fetch>')

    assert "used twice" in error.message


def test_the_first_row_of_a_link_is_a_join_of_its_own_kind():
    found = select(
        '<no-attrs/><link-entity name="contact" from="parentcustomerid" to="accountid"'
        ' link-type="matchfirstrowusingcrossapply" alias="c"><attribute name="fullname"/></link-entity>'
    )

    assert found.joins[0].kind is JoinKind.FIRST_ROW
    assert found.order == ()


# --- aggregates --------------------------------------------------------------------------------------------------


def test_aggregates_group_by_columns_and_parts_of_dates_wa_251():
    found = select(
        '<attribute name="accountid" aggregate="count" alias="rows"/>'
        '<attribute name="ownerid" aggregate="countcolumn" distinct="true" alias="owners"/>'
        '<attribute name="revenue" aggregate="avg" alias="mean"/>'
        '<attribute name="createdon" groupby="true" dategrouping="month" alias="month"/>'
        '<attribute name="createdon" groupby="true" dategrouping="year" usertimezone="false" alias="year"/>'
        '<attribute name="primarycontactidname" groupby="true" alias="who"/>'
        '<order alias="rows" descending="true"/><order alias="month"/>',
        'aggregate="true" aggregatelimit="100"',
    )

    assert spoken.outputs(found) == {
        "rows": "count()",
        "owners": "countdistinct(ownerid)",
        "mean": "average(revenue)",
        "month": "month(createdon+120)",
        "year": "year(createdon+0)",
        "who": "name of primarycontactid",
    }
    assert [spoken.value(group) for group in found.group_by] == [
        "month(createdon+120)",
        "year(createdon+0)",
        "name of primarycontactid",
    ]
    assert [spoken.order(order) for order in found.order] == ["count() desc", "month(createdon+120)"]
    assert found.is_aggregate
    assert found.aggregate_limit == 100


@pytest.mark.parametrize(
    ("attribute", "part"),
    [
        ('<attribute name="name" aggregate="count"/>', "needs the attribute 'alias'"),
        ('<attribute name="name" alias="a"/>', "needs 'aggregate' or groupby"),
        ('<attribute name="name" alias="a" aggregate="median"/>', "no aggregate 'median'"),
        ('<attribute name="name" alias="a" aggregate="sum"/>', "needs a number"),
        ('<attribute name="name" alias="a" aggregate="count" groupby="true"/>', "not both"),
        ('<attribute name="name" alias="a" aggregate="sum" distinct="true"/>', "countcolumn"),
        ('<attribute name="name" alias="a" groupby="true" dategrouping="day"/>', "needs a date"),
        ('<attribute name="createdon" alias="a" groupby="true" dategrouping="fiscal-year"/>', "not offered"),
        ('<attribute name="createdon" alias="a" groupby="true" dategrouping="moon"/>', "no date grouping"),
        ("<all-attributes/>", "cannot have <all-attributes>"),
        ("", "shows no column"),
        ('<attribute name="name" alias="a" rowaggregate="CountChildren"/>', "'rowaggregate' is not offered"),
        ('<attribute name="owneridtype" alias="a" groupby="true"/>', "cannot be grouped by"),
        ('<attribute name="description" alias="a" groupby="true"/>', "cannot be grouped by"),
        ('<attribute name="createdon" alias="a" aggregate="min" dategrouping="day"/>', "belongs to an attribute"),
        ('<attribute name="parentaccountidname" alias="a" aggregate="count"/>', "Only stored columns"),
        ('<attribute name="name" alias="a" groupby="true"/><order attribute="name"/>', "needs the 'alias'"),
        ('<attribute name="name" alias="a" groupby="true"/><order alias="b"/>', "has the alias 'b'"),
    ],
)
def test_an_aggregate_that_means_nothing_is_refused(attribute: str, part: str):
    error = refusal(f'<fetch aggregate="true"><entity name="account">{attribute}</entity></fetch>')

    assert part in error.message


# --- order and paging --------------------------------------------------------------------------------------------


def test_orders_follow_the_document_and_lookups_sort_by_name():
    inside = (
        '<no-attrs/><order attribute="name" descending="true"/><order attribute="primarycontactid"/>'
        '<order entityname="c" attribute="fullname"/>'
        '<link-entity name="contact" from="contactid" to="primarycontactid" alias="c">'
        '<order attribute="createdon"/></link-entity>'
    )

    assert [spoken.order(order) for order in select(inside).order] == [
        "name desc",
        "name of primarycontactid",
        "c.fullname",
        "c.createdon",
    ]
    assert spoken.order(select(inside, 'useraworderby="true"').order[1]) == "primarycontactid"


def test_an_order_may_name_a_column_of_the_result():
    found = select('<attribute name="name" alias="n"/><order alias="n" descending="true"/>', 'distinct="true"')

    assert [spoken.order(order) for order in found.order] == ["name desc"]


def test_distinct_rows_sort_a_lookup_by_what_they_show_of_it():
    by_id = select('<attribute name="ownerid"/><order attribute="ownerid"/>', 'distinct="true"')
    by_name = select('<attribute name="owneridname"/><order attribute="ownerid"/>', 'distinct="true"')

    assert [spoken.order(order) for order in (*by_id.order, *by_name.order)] == ["ownerid", "name of ownerid"]


def test_a_join_that_gives_several_rows_orders_by_their_ids_too():
    """So that a page can end between them (WA-233)."""
    found = select(
        '<no-attrs/><order attribute="name"/>'
        '<link-entity name="contact" from="parentcustomerid" to="accountid" alias="c"/>'
    )

    assert [spoken.order(order) for order in found.order] == ["name", "accountid", "c.contactid"]


def test_distinct_rows_sort_only_by_what_they_show():
    with pytest.raises(FetchXmlError, match="only be sorted by its own columns"):
        select('<attribute name="name"/><order attribute="fax"/>', 'distinct="true"')


def test_paging_attributes_are_read_and_bounded_wa_252():
    query = read('<fetch count="9000" page="3" returntotalrecordcount="true"><entity name="account"/></fetch>')

    assert (query.select.page_size, query.page, query.returns_total_count) == (5000, 3, True)
    assert (query.select.page_number, query.select.after) == (3, None)
    too_far = refusal('<fetch count="5000" page="11"><entity name="account"/></fetch>')
    assert "first 50,000 rows" in too_far.message


def test_top_stands_alone_but_for_the_page_that_one_client_always_writes_wa_253():
    assert select("<no-attrs/>", 'page="1" top="7"').top == 7
    for fetch in ('top="7" page="2"', 'top="7" count="2"', 'top="0"', 'top="5001"'):
        with pytest.raises(FetchXmlError):
            select("<no-attrs/>", fetch)


@pytest.mark.parametrize(
    ("inside", "fetch", "allowed"),
    [
        ('<order attribute="name"/>', "", True),
        ('<attribute name="name"/>', 'distinct="true"', False),
        ('<attribute name="name" alias="n" aggregate="count"/>', 'aggregate="true"', False),
        (
            '<link-entity name="contact" from="contactid" to="primarycontactid">'
            '<order attribute="fullname"/></link-entity>',
            "",
            False,
        ),
    ],
)
def test_a_cookie_is_given_only_where_a_position_exists_wa_254(inside: str, fetch: str, allowed: bool):
    assert read(f'<fetch {fetch}><entity name="account">{inside}</entity></fetch>').allows_cookie is allowed


def test_a_cookie_leads_on_and_fits_only_its_own_query_wa_253():
    page = '<fetch count="2"{}><entity name="account"><order attribute="{}"/></entity></fetch>'
    first = read(page.format("", "name"))
    cookie = make_fetch_cookie(("Zoë", USER), 2, first.fingerprint, KEY)
    sent = f" page='2' paging-cookie={quoteattr(cookie)}"

    second = continued(read(page.format(sent, "name")), KEY)

    assert (second.select.after, second.select.page_number, second.page) == (("Zoë", USER), 2, 2)
    assert continued(first, KEY) == first
    for other in (read(page.format(sent, "fax")), replace(read(page.format(sent, "name")), page=3)):
        with pytest.raises(MalformedCookie):
            continued(other, KEY)


# --- shape -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code", "part"),
    [
        ("", "0x80040201", "Invalid XML"),
        ("<fetch>", "0x80040201", "Invalid XML"),
        ("<fetch/>", "0x80040201", "exactly one <entity>"),
        ("<feed/>", "0x80040201", "must be <fetch>"),
        ('<fetch><entity name="accounts"/></fetch>', "0x80041102", "Did you mean 'account'?"),
        (
            '<fetch><entity name="account"><attribute name="nam"/></entity></fetch>',
            "0x80041103",
            "'account' entity doesn't contain attribute with Name = 'nam'. Did you mean 'name'?",
        ),
        (
            '<fetch><entity name="account"><atribute name="x"/></entity></fetch>',
            "0x80040201",
            "Did you mean 'attribute'",
        ),
        ('<fetch size="1"><entity name="account"/></fetch>', "0x80040201", "no attribute 'size'"),
        ('<fetch distinct="yes"><entity name="account"/></fetch>', "0x80040201", "'true' or 'false'"),
        ('<fetch count="-1"><entity name="account"/></fetch>', "0x80040201", "a number from"),
        ('<fetch datasource="live"><entity name="account"/></fetch>', "0x80040201", "'live' does not exist"),
        ('<fetch min-active-row-version="true"><entity name="account"/></fetch>', "0x80040201", "is not offered"),
        ('<fetch options="Faster"><entity name="account"/></fetch>', "0x80040201", "no query option 'Faster'"),
        ('<fetch><entity name="account">hello</entity></fetch>', "0x80040201", "cannot hold the text"),
        ('<fetch><entity name="account"><filter type="xor"/></entity></fetch>', "0x80040201", "'and' or 'or'"),
        ('<fetch xmlns="urn:x"><entity name="account"/></fetch>', "0x80040201", "no attribute 'xmlns'"),
        (
            '<!DOCTYPE fetch [<!ENTITY a "b">]><fetch><entity name="&a;"/></fetch>',
            "0x80040201",
            "document type declaration is not allowed",
        ),
        ("<fetch>\x00</fetch>", "0x80040201", "Invalid XML"),
        ("<fetch>\ud800</fetch>", "0x80040201", "not valid Unicode"),
        ("<a>" * 65 + "</a>" * 65, "0x80040201", "nested deeper than 64"),
        ("<fetch>" + " " * (1024 * 1024) + "</fetch>", "0x80040201", "longer than 1,048,576 bytes"),
    ],
)
def test_what_is_not_fetchxml_is_refused_with_its_code_wa_241_wa_257(text: str, code: str, part: str):
    error = refusal(text)

    assert error.code == code
    assert part in error.message


def test_the_entity_must_be_that_of_the_url_wa_240():
    with pytest.raises(FetchXmlError, match="'contacts' holds 'contact'"):
        read_fetchxml(
            SCHEMA, '<fetch><entity name="account"/></fetch>', CONTEXT, expected_table=SCHEMA.tables["contact"]
        )


def test_retained_rows_are_named_as_not_offered_wa_242():
    with pytest.raises(NotOffered):
        read('<fetch datasource="retained"><entity name="account"/></fetch>')


_NAMES = st.sampled_from(
    ["fetch", "entity", "attribute", "filter", "condition", "link-entity", "order", "value", "no-attrs"]
)
_VALUES = st.sampled_from(
    [
        "account",
        "contact",
        "name",
        "accountid",
        "primarycontactid",
        "eq",
        "in",
        "any",
        "outer",
        "true",
        "and",
        "5",
        "",
        "é",
    ]
)
_KEYS = st.sampled_from(
    [
        "name",
        "attribute",
        "operator",
        "value",
        "from",
        "to",
        "alias",
        "link-type",
        "aggregate",
        "groupby",
        "top",
        "type",
    ]
)


def _element(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    def text(name: str, attributes: dict[str, str], inside: list[str]) -> str:
        written = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items())
        return f"<{name}{written}>{''.join(inside)}</{name}>"

    return st.builds(text, _NAMES, st.dictionaries(_KEYS, _VALUES, max_size=4), st.lists(children, max_size=3))


@given(st.recursive(st.just(""), _element, max_leaves=8))
def test_any_document_is_read_or_refused_but_never_breaks_the_reader(inside: str):
    """WA-434."""
    try:
        found = read(f'<fetch><entity name="account">{inside}</entity></fetch>')
    except StrongroomError as error:
        assert error.status in (400, 501)
        assert error.message
    else:
        assert found.select.outputs
