"""Conditions with names mean what WA-201 to WA-206 and WA-245 say, whichever language they come from."""

from dataclasses import replace

import pytest
import spoken
from small_schema import ACCOUNT, CONTEXT, ID, SCHEMA, TEAM, UNIT, USER, USERS

from strongroom.errors import InvalidRequest, NotOffered, QueryError
from strongroom.query import named_conditions
from strongroom.query.ast import Field, LookupName, ReadContext
from strongroom.query.named_conditions import UnknownCondition, build, fetchxml_names, odata_names
from strongroom.query.odata import read_filter

MONDAY = replace(CONTEXT, now="2020-08-17T13:20:00Z")
"""The day of the examples in `date_conditions`."""


def told(name: str, column: str, *values: str | int, context: ReadContext = MONDAY) -> str:
    return spoken.predicate(build(name, Field("", ACCOUNT.columns[column]), values, context, SCHEMA))


def span(name: str, *values: str | int, column: str = "createdon", context: ReadContext = MONDAY) -> str:
    """The ends of a date condition as they are compared, without the column."""
    return told(name, column, *values, context=context).replace(f"{column} ", "").replace("'", "")


# --- dates -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("today", (), "(>= 2020-08-17T00:00:00Z and < 2020-08-18T00:00:00Z)"),
        ("yesterday", (), "(>= 2020-08-16T00:00:00Z and < 2020-08-17T00:00:00Z)"),
        ("tomorrow", (), "(>= 2020-08-18T00:00:00Z and < 2020-08-19T00:00:00Z)"),
        ("last-seven-days", (), "(>= 2020-08-10T00:00:00Z and <= 2020-08-17T13:20:00Z)"),
        ("next-seven-days", (), "(>= 2020-08-17T13:20:00Z and < 2020-08-25T00:00:00Z)"),
        ("last-week", (), "(>= 2020-08-09T00:00:00Z and < 2020-08-16T00:00:00Z)"),
        ("this-week", (), "(>= 2020-08-16T00:00:00Z and < 2020-08-23T00:00:00Z)"),
        ("next-week", (), "(>= 2020-08-23T00:00:00Z and < 2020-08-30T00:00:00Z)"),
        ("last-month", (), "(>= 2020-07-01T00:00:00Z and < 2020-08-01T00:00:00Z)"),
        ("this-month", (), "(>= 2020-08-01T00:00:00Z and < 2020-09-01T00:00:00Z)"),
        ("next-month", (), "(>= 2020-09-01T00:00:00Z and < 2020-10-01T00:00:00Z)"),
        ("last-year", (), "(>= 2019-01-01T00:00:00Z and < 2020-01-01T00:00:00Z)"),
        ("this-year", (), "(>= 2020-01-01T00:00:00Z and < 2021-01-01T00:00:00Z)"),
        ("next-year", (), "(>= 2021-01-01T00:00:00Z and < 2022-01-01T00:00:00Z)"),
        ("last-x-hours", (2,), "(>= 2020-08-17T11:00:00Z and <= 2020-08-17T13:20:00Z)"),
        ("next-x-hours", (2,), "(>= 2020-08-17T13:20:00Z and <= 2020-08-17T15:20:00Z)"),
        ("last-x-days", ("4",), "(>= 2020-08-13T00:00:00Z and <= 2020-08-17T13:20:00Z)"),
        ("next-x-days", (4,), "(>= 2020-08-17T13:20:00Z and < 2020-08-22T00:00:00Z)"),
        ("last-x-weeks", (2,), "(>= 2020-08-03T00:00:00Z and <= 2020-08-17T13:20:00Z)"),
        ("next-x-weeks", (2,), "(>= 2020-08-17T13:20:00Z and < 2020-09-01T00:00:00Z)"),
        ("last-x-months", (3,), "(>= 2020-05-17T00:00:00Z and <= 2020-08-17T13:20:00Z)"),
        ("next-x-months", (3,), "(>= 2020-08-17T13:20:00Z and < 2020-11-18T00:00:00Z)"),
        ("last-x-years", (1,), "(>= 2019-08-17T00:00:00Z and <= 2020-08-17T13:20:00Z)"),
        ("next-x-years", (1,), "(>= 2020-08-17T13:20:00Z and < 2021-08-18T00:00:00Z)"),
        ("olderthan-x-minutes", (30,), "< 2020-08-17T12:50:00Z"),
        ("olderthan-x-hours", (3,), "< 2020-08-17T10:20:00Z"),
        ("olderthan-x-days", (1,), "< 2020-08-16T13:20:00Z"),
        ("olderthan-x-weeks", (1,), "< 2020-08-10T13:20:00Z"),
        ("olderthan-x-months", (2,), "< 2020-06-17T13:20:00Z"),
        ("olderthan-x-years", (2,), "< 2018-08-17T13:20:00Z"),
        ("this-fiscal-year", (), "(>= 2020-01-01T00:00:00Z and < 2021-01-01T00:00:00Z)"),
        ("next-fiscal-year", (), "(>= 2021-01-01T00:00:00Z and < 2022-01-01T00:00:00Z)"),
        ("last-fiscal-year", (), "(>= 2019-01-01T00:00:00Z and < 2020-01-01T00:00:00Z)"),
        ("this-fiscal-period", (), "(>= 2020-07-01T00:00:00Z and < 2020-10-01T00:00:00Z)"),
        ("next-fiscal-period", (), "(>= 2020-10-01T00:00:00Z and < 2021-01-01T00:00:00Z)"),
        ("last-fiscal-period", (), "(>= 2020-04-01T00:00:00Z and < 2020-07-01T00:00:00Z)"),
        ("last-x-fiscal-years", (2,), "(>= 2018-01-01T00:00:00Z and < 2020-01-01T00:00:00Z)"),
        ("next-x-fiscal-years", (2,), "(>= 2021-01-01T00:00:00Z and < 2023-01-01T00:00:00Z)"),
        ("last-x-fiscal-periods", (2,), "(>= 2020-01-01T00:00:00Z and < 2020-07-01T00:00:00Z)"),
        ("next-x-fiscal-periods", (1,), "(>= 2020-10-01T00:00:00Z and < 2021-01-01T00:00:00Z)"),
        ("in-fiscal-year", (2013,), "(>= 2013-01-01T00:00:00Z and < 2014-01-01T00:00:00Z)"),
        ("in-fiscal-period-and-year", (2, 2013), "(>= 2013-04-01T00:00:00Z and < 2013-07-01T00:00:00Z)"),
        ("in-or-before-fiscal-period-and-year", (2, 2013), "< 2013-07-01T00:00:00Z"),
        ("in-or-after-fiscal-period-and-year", (2, 2013), ">= 2013-04-01T00:00:00Z"),
        ("on", ("2020-05-01",), "(>= 2020-05-01T00:00:00Z and < 2020-05-02T00:00:00Z)"),
        ("not-on", ("2020-05-01",), "not (>= 2020-05-01T00:00:00Z and < 2020-05-02T00:00:00Z)"),
        ("on-or-before", ("05/01/2020",), "< 2020-05-02T00:00:00Z"),
        ("on-or-after", ("2020-05-01T23:00:00Z",), ">= 2020-05-01T00:00:00Z"),
        ("on-or-before", ("9999-12-31",), ">= 1753-01-01T00:00:00Z"),
        ("on", ("9999-12-31",), ">= 9999-12-31T00:00:00Z"),
    ],
)
def test_date_conditions(name: str, values: tuple[str | int, ...], expected: str):
    assert span(name, *values) == expected


def test_days_are_those_of_the_caller():
    """WA-205: at half past eleven in London it is the next day in Berlin."""
    berlin = replace(CONTEXT, now="2024-02-10T23:30:00Z", time_zone="Europe/Berlin")

    assert span("today", context=berlin) == "(>= 2024-02-10T23:00:00Z and < 2024-02-11T23:00:00Z)"
    assert span("today", column="founded", context=berlin) == "(>= 2024-02-11 and < 2024-02-12)"
    assert span("today", column="opens", context=berlin) == "(>= 2024-02-11T00:00:00Z and < 2024-02-12T00:00:00Z)"
    assert span("on", "2024-07-01T23:00:00", context=berlin) == "(>= 2024-06-30T22:00:00Z and < 2024-07-01T22:00:00Z)"
    assert span("on", "2024-07-01", context=berlin) == "(>= 2024-06-30T22:00:00Z and < 2024-07-01T22:00:00Z)"
    assert span("on", "2024-07-01T23:00:00Z", context=berlin) == "(>= 2024-07-01T22:00:00Z and < 2024-07-02T22:00:00Z)"


def test_a_moment_whose_day_is_outside_the_calendar_is_refused():
    with pytest.raises(InvalidRequest, match="takes a date such as"):
        told("on", "createdon", "9999-12-31T23:00:00Z", context=replace(CONTEXT, time_zone="Asia/Tokyo"))


def test_the_week_begins_when_the_organisation_says():
    assert span("this-week", context=replace(MONDAY, week_starts_on=1)).startswith("(>= 2020-08-17")


def test_fiscal_periods_follow_the_organisation():
    april = replace(MONDAY, fiscal_start=(4, 6), fiscal_period_months=6)

    assert span("this-fiscal-period", context=april) == "(>= 2020-04-06T00:00:00Z and < 2020-10-06T00:00:00Z)"


def test_columns_of_days_include_the_days_that_are_touched():
    assert span("last-x-days", 2, column="founded") == "(>= 2020-08-15 and < 2020-08-18)"
    assert span("next-x-days", 2, column="founded") == "(>= 2020-08-17 and < 2020-08-20)"
    assert span("olderthan-x-days", 2, column="founded") == "< 2020-08-16"
    assert span("on-or-before", "9999-12-31", column="founded") == ">= 1753-01-01"
    assert span("on-or-after", "2020-08-16", column="founded") == ">= 2020-08-16"


def test_the_same_condition_has_two_names():
    pairs = {"LastXDays": "last-x-days", "In": "in", "UnderOrEqual": "eq-or-under", "EqualUserId": "eq-userid"}

    assert all(named_conditions.find(a) is named_conditions.find(b) is not None for a, b in pairs.items())


def test_every_operator_of_fetchxml_is_known():
    """WA-245, the list as it stands there."""
    listed = """eq ne neq gt ge lt le like not-like in not-in between not-between null not-null begins-with
        not-begin-with ends-with not-end-with contain-values not-contain-values on on-or-before on-or-after yesterday
        today tomorrow last-seven-days next-seven-days last-week this-week next-week last-month this-month next-month
        last-year this-year next-year last-x-hours next-x-hours last-x-days next-x-days last-x-weeks next-x-weeks
        last-x-months next-x-months last-x-years next-x-years olderthan-x-minutes olderthan-x-hours olderthan-x-days
        olderthan-x-weeks olderthan-x-months olderthan-x-years this-fiscal-year this-fiscal-period next-fiscal-year
        next-fiscal-period last-fiscal-year last-fiscal-period last-x-fiscal-years last-x-fiscal-periods
        next-x-fiscal-years next-x-fiscal-periods in-fiscal-year in-fiscal-period in-fiscal-period-and-year
        in-or-before-fiscal-period-and-year in-or-after-fiscal-period-and-year eq-userid ne-userid eq-userteams
        eq-useroruserteams eq-useroruserhierarchy eq-useroruserhierarchyandteams eq-businessid ne-businessid
        eq-userlanguage under eq-or-under not-under above eq-or-above"""

    assert set(listed.split()) <= set(fetchxml_names())


def test_every_query_function_of_odata_is_known():
    """WA-203, WA-204, the lists as they stand there."""
    listed = """Today Yesterday Tomorrow Last7Days Next7Days LastWeek ThisWeek NextWeek LastMonth ThisMonth NextMonth
        LastYear ThisYear NextYear LastXHours NextXHours LastXDays NextXDays LastXWeeks NextXWeeks LastXMonths
        NextXMonths LastXYears NextXYears OlderThanXMinutes OlderThanXHours OlderThanXDays OlderThanXWeeks
        OlderThanXMonths OlderThanXYears On OnOrBefore OnOrAfter NotOn InFiscalYear InFiscalPeriod
        InFiscalPeriodAndYear InOrBeforeFiscalPeriodAndYear InOrAfterFiscalPeriodAndYear ThisFiscalYear
        ThisFiscalPeriod NextFiscalYear NextFiscalPeriod LastFiscalYear LastFiscalPeriod LastXFiscalYears
        LastXFiscalPeriods NextXFiscalYears NextXFiscalPeriods EqualUserId NotEqualUserId EqualBusinessId
        NotEqualBusinessId EqualUserLanguage Above AboveOrEqual Under UnderOrEqual NotUnder EqualUserTeams
        EqualUserOrUserTeams EqualUserOrUserHierarchy EqualUserOrUserHierarchyAndTeams In NotIn Between NotBetween
        ContainValues DoesNotContainValues Contains BeginsWith DoesNotBeginWith EndsWith DoesNotEndWith Like NotLike
        DoesNotContain"""

    assert set(listed.split()) == set(odata_names())


# --- sets and texts ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "column", "values", "expected"),
    [
        ("eq", "name", ("x",), "name = 'x'"),
        ("neq", "industrycode", ("1",), "industrycode <> 1"),
        ("ge", "numberofemployees", (5,), "numberofemployees >= 5"),
        ("null", "name", (), "name is null"),
        ("not-null", "name", (), "name is not null"),
        ("in", "industrycode", ("1", "2", "1"), "industrycode in (1, 2)"),
        ("not-in", "primarycontactid", (f"{{{ID.upper()}}}",), f"primarycontactid not in ('{ID}')"),
        ("in", "sports", ("3", "1"), "sports = '1,3'"),
        ("between", "numberofemployees", ("1", "5"), "(numberofemployees >= 1 and numberofemployees <= 5)"),
        ("not-between", "numberofemployees", ("1", "5"), "(numberofemployees < 1 or numberofemployees > 5)"),
        ("contain-values", "sports", ("3", "1"), "sports holds [1, 3]"),
        ("not-contain-values", "sports", ("1",), "sports lacks [1]"),
        ("like", "name", ("%a_b",), "name like '%a_b'"),
        ("not-like", "name", ("a",), "name not like 'a'"),
        ("begins-with", "name", ("a",), "name startswith 'a'"),
        ("not-end-with", "name", ("a",), "name not endswith 'a'"),
        ("DoesNotContain", "name", ("a",), "name not contains 'a'"),
        ("eq-userid", "ownerid", (), f"ownerid = '{USER}'"),
        ("ne-userid", "owninguser", (), f"owninguser <> '{USER}'"),
        ("eq-businessid", "owningbusinessunit", (), f"owningbusinessunit = '{UNIT}'"),
        ("ne-businessid", "owningbusinessunit", (), f"owningbusinessunit <> '{UNIT}'"),
        ("eq-userteams", "ownerid", (), f"ownerid in ('{TEAM}')"),
        ("eq-useroruserteams", "ownerid", (), f"ownerid in ('{USER}', '{TEAM}')"),
        ("eq-userlanguage", "language", (), "language = 1033"),
        ("under", "accountid", (ID,), f"account_parent_account below {ID}"),
        ("above", "accountid", (ID,), f"account_parent_account above {ID}"),
    ],
)
def test_other_conditions(name: str, column: str, values: tuple[str | int, ...], expected: str):
    assert told(name, column, *values) == expected


def test_a_caller_without_teams_owns_nothing_through_them():
    assert told("eq-userteams", "ownerid", context=replace(CONTEXT, team_ids=())) == "False"


def test_a_hierarchy_condition_on_a_lookup_speaks_of_its_target():
    assert told("eq-or-under", "parentaccountid", ID) == (
        f"some account .parentaccountid.eq-or-under (accountid=.parentaccountid): "
        f".parentaccountid.eq-or-underaccount_parent_account below {ID}"
    )
    assert told("not-under", "parentaccountid", ID).startswith("(parentaccountid is not null and no account")
    assert "does not belong to a hierarchy" in refused("under", "transactioncurrencyid", ID)


def test_people_below_the_caller():
    built = build("eq-useroruserhierarchy", Field("", USERS.columns["systemuserid"]), (), CONTEXT, SCHEMA)
    assert spoken.predicate(built) == f"user_parent_user below {USER}"

    teams = told("eq-useroruserhierarchyandteams", "ownerid")
    assert teams.startswith(f"(ownerid in ('{TEAM}') or some systemuser")
    assert "some team .ownerid.eq-useroruserhierarchyandteams.team (teamid=.ownerid): some systemuser" in teams


def test_the_name_of_a_lookup_compares_as_text():
    name = LookupName("", ACCOUNT.columns["primarycontactid"])

    assert spoken.predicate(build("like", name, ("A%",), CONTEXT, SCHEMA)) == "name of primarycontactid like 'A%'"
    assert spoken.predicate(build("eq", name, ("A",), CONTEXT, SCHEMA)) == "name of primarycontactid = 'A'"
    with pytest.raises(InvalidRequest, match="needs a column, not the name of a lookup"):
        build("today", name, (), CONTEXT, SCHEMA)


# --- errors ------------------------------------------------------------------------------------------------------


def refused(name: str, column: str, *values: str | int) -> str:
    with pytest.raises(InvalidRequest) as caught:
        told(name, column, *values)
    return caught.value.message


@pytest.mark.parametrize(
    ("name", "column", "values", "part"),
    [
        ("last-x-days", "createdon", ("x",), "takes a whole number from 1, not 'x'"),
        ("last-x-days", "createdon", ("0",), "takes a whole number from 1, not '0'"),
        ("last-x-days", "createdon", ("-1",), "takes a whole number from 1, not '-1'"),
        ("last-x-days", "createdon", ("9" * 400,), "takes a whole number from 1"),
        ("last-x-days", "createdon", ("1000000",), "leads outside the calendar"),
        ("last-x-days", "createdon", (), "takes one value, not 0"),
        ("today", "createdon", (1,), "takes no value, not 1"),
        ("between", "createdon", ("2024-01-01",), "takes two values, not 1"),
        ("in", "name", (), "needs at least one value"),
        ("in", "numberofemployees", tuple(range(2001)), "has 2001 values; it may have 2000"),
        ("today", "name", (), "needs a date column; 'name' is of type String"),
        ("on", "createdon", ("2024-02-30",), "takes a date such as 2024-05-01"),
        ("like", "revenue", ("1",), "needs a text column; 'revenue' is of type Money"),
        ("contain-values", "industrycode", ("1",), "needs a column of several choices"),
        ("eq-userid", "name", (), "needs a lookup or an id"),
        ("under", "name", (ID,), "needs a primary key or a lookup"),
        ("under", "accountid", ("x",), "it takes a GUID"),
        ("eq", "createdon", ("soon",), "it takes a date such as 2024-05-01T10:15:00Z"),
        ("under", "processid", (ID,), "does not belong to a hierarchy"),
        ("on", "createdon", ("0001-01-01T00:00:00Z",), "takes a date such as 2024-05-01"),
        ("eq", "address1_latitude", ("x",), "it takes a number such as 1.25"),
        ("eq", "createdon", ("9999-12-31T23:00:00-05:00",), "between the years 1753 and 9999"),
        ("eq", "creditonhold", ("yes",), "it takes true, false, 1 or 0"),
        ("eq-userlanguage", "name", (), "does not hold the number of a language"),
        ("eq", "industrycode", ("one",), "it takes the whole number of a choice"),
        ("eq", "contract", ("x",), "cannot be compared with a value"),
        ("Contains", "name", ("x",), "searches full-text indexes"),
        ("in-fiscal-period-and-year", "createdon", (5, 2020), "leads outside the calendar"),
        ("in-fiscal-year", "createdon", (99999,), "leads outside the calendar"),
    ],
)
def test_wrong_uses_are_explained(name: str, column: str, values: tuple[str | int, ...], part: str):
    assert part in refused(name, column, *values)


def test_unknown_names_are_left_to_the_readers():
    with pytest.raises(UnknownCondition) as caught:
        told("last-x-day", "createdon", 1)

    assert caught.value.name == "last-x-day"


def test_a_fiscal_period_of_any_year_is_not_offered():
    with pytest.raises(NotOffered, match="in-fiscal-period-and-year"):
        told("in-fiscal-period", "createdon", 1)


# --- as functions in $filter -------------------------------------------------------------------------------------


def function(text: str) -> str:
    return spoken.predicate(read_filter(SCHEMA, ACCOUNT, text.replace("NS.", "Microsoft.Dynamics.CRM."), MONDAY)[0])


def refused_function(text: str) -> str:
    with pytest.raises(QueryError) as caught:
        function(text)
    return caught.value.message


def test_functions_take_parameters_by_name():
    """WA-200, WA-201."""
    assert function("NS.LastXDays(PropertyValue=4,PropertyName='createdon')").startswith("(createdon >= '2020-08-13")
    assert function('NS.In(PropertyName=\'industrycode\',PropertyValues=["1","2"])') == "industrycode in (1, 2)"
    assert function("NS.In(PropertyName='name',PropertyValues=['a','b'])") == "name in ('a', 'b')"
    assert function("NS.In(PropertyName='name',PropertyValues=[\"O'Brian\"])") == 'name in ("O\'Brian")'
    assert function("NS.Between(PropertyName='numberofemployees',PropertyValue1=1,PropertyValue2='5')") == (
        "(numberofemployees >= 1 and numberofemployees <= 5)"
    )
    assert function("NS.EqualUserId(PropertyName='ownerid') and name eq 'x'") == f"(ownerid = '{USER}' and name = 'x')"
    assert function("NS.EqualUserId(PropertyName='_ownerid_value')") == f"ownerid = '{USER}'"
    assert function("NS.Today(PropertyName='createdon') eq true") == function("NS.Today(PropertyName='createdon')")


def test_functions_take_aliases():
    """WA-176."""
    context = replace(MONDAY, aliases={"@n": "'name'", "@v": '["a","b"]'})
    text = "Microsoft.Dynamics.CRM.NotIn(PropertyName=@n,PropertyValues=@v)"

    assert spoken.predicate(read_filter(SCHEMA, ACCOUNT, text, context)[0]) == "name not in ('a', 'b')"


def test_functions_stand_behind_paths():
    assert function("primarycontactid/NS.Today(PropertyName='createdon')").startswith("(j1.createdon >= ")


def test_functions_stand_behind_lambda_variables():
    assert "(e1.createdon >= '2020-08-17" in function("Account_Tasks/any(t:t/NS.Today(PropertyName='createdon'))")


@pytest.mark.parametrize("text", ["not NS.Today(PropertyName='createdon')", "not (NS.Today(PropertyName='createdon'))",
                                  "not not NS.Today(PropertyName='createdon')",
                                  "NS.Today(PropertyName='createdon') eq false"])  # fmt: skip
def test_not_cannot_stand_before_a_function(text: str):
    """WA-202."""
    assert refused_function(text) == "Not operator along with the Custom Named Condition operators is not allowed."


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("NS.LastXDay(PropertyName='createdon',PropertyValue=1)", "CRM.LastXDay' was found. Did you mean 'LastXDays'?"),
        ("NS.last-x-days(PropertyName='createdon')", "Syntax error"),
        ("NS.eq(PropertyName='name',PropertyValue='x')", "An unknown function with name 'Microsoft.Dynamics.CRM.eq'"),
        ("NS.LastXDays(PropertyName='createdon')", "'PropertyValue' of 'Microsoft.Dynamics.CRM.LastXDays' is missing"),
        ("NS.Today()", "The parameter 'PropertyName' of 'Microsoft.Dynamics.CRM.Today' is missing"),
        ("NS.Today('createdon')", "have names: write Microsoft.Dynamics.CRM.Today(PropertyName=…)"),
        ("NS.Today(PropertyName='createdon',PropertyValue=1)", "'PropertyValue' is not a parameter"),
        ("NS.Today(PropertyName='createdon',PropertyName='createdon')", "occurs twice"),
        ("NS.Today(PropertyName=createdon)", "the name of a column in single quotes"),
        ("NS.Today(PropertyName='created')", "Could not find a property named 'created'"),
        ("NS.In(PropertyName='name',PropertyValues='x')", "is a list of texts"),
        ("NS.LastXDays(PropertyName='createdon',PropertyValue=[1])", "is one value"),
        ("NS.LastXDays(PropertyName='createdon',PropertyValue=null)", "must not be null"),
        ("NS.LastXDays(PropertyName='name',PropertyValue=1)", "needs a date column"),
    ],
)  # fmt: skip
def test_wrong_functions_are_explained(text: str, part: str):
    """WA-207."""
    assert part in refused_function(text)
