"""Section 13: Dataverse's query functions (WA-200 to WA-207)."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.wire.client import NS, Api
from tests.wire.sample import Sample, make_sample

_ALL = ["ada", "bob", "c%d", "Éva"]


@pytest.fixture(scope="module")
def sample(api: Api) -> Sample:
    return make_sample(api)


def call(name: str, column: str, *rest: str) -> str:
    """A query function as clients write it."""
    parameters = ",".join((f"PropertyName='{column}'", *rest))
    return f"{NS}.{name}({parameters})"


def test_parameters_go_by_name_in_any_order(sample: Sample) -> None:
    """WA-200: literals or aliases; the logical name of a lookup and its wire name."""
    grace = sample.contacts["Grace"]
    assert sample.where(f"{NS}.LastXDays(PropertyValue=2,PropertyName='createdon')") == _ALL
    assert sample.where(f"{NS}.LastXDays(PropertyName=@c,PropertyValue=@n)", "&@c='createdon'&@n=2") == _ALL
    for column in ("primarycontactid", "_primarycontactid_value"):
        assert sample.where(call("In", column, f'PropertyValues=["{grace}"]')) == ["ada", "bob"]


def test_lists_hold_texts_in_either_quotes(sample: Sample) -> None:
    """WA-201: texts also for numbers and ids; an apostrophe in double quotes."""
    assert sample.where(call("In", "numberofemployees", 'PropertyValues=["5","6"]')) == ["ada"]
    assert sample.where(call("In", "numberofemployees", "PropertyValues=['5','6']")) == ["ada"]
    assert sample.where(call("In", "accountnumber", 'PropertyValues=["O\'Brian","ada"]')) == ["ada"]
    bob = sample.ids["bob"]
    assert sample.where(call("In", "accountid", f'PropertyValues=["{bob}"]')) == ["bob"]
    assert sample.where(call("In", "numberofemployees", "PropertyValues=@v"), '&@v=["5"]') == ["ada"]


def test_sets(sample: Sample) -> None:
    """WA-204: In, NotIn, Between, NotBetween; the last two with a list, as Dataverse has it, or with two values."""
    assert sample.where(call("NotIn", "numberofemployees", 'PropertyValues=["5"]')) == ["bob", "Éva"]
    for values in ('PropertyValues=["5","9"]', "PropertyValue1=5,PropertyValue2=9"):
        assert sample.where(call("Between", "numberofemployees", values)) == ["ada"]
        assert sample.where(call("NotBetween", "numberofemployees", values)) == ["bob", "Éva"]
    sample.refused(call("Between", "numberofemployees", 'PropertyValues=["5"]'))


def test_not_before_a_function_is_400(sample: Sample) -> None:
    """WA-202."""
    sample.refused(
        f"not {call('Today', 'createdon')}",
        "Not operator along with the Custom Named Condition operators is not allowed",
    )


@pytest.mark.parametrize(
    ("function", "value", "found"),
    [
        ("Today", None, True),
        ("Yesterday", None, False),
        ("Tomorrow", None, False),
        ("Last7Days", None, True),
        ("ThisWeek", None, True),
        ("LastWeek", None, False),
        ("NextWeek", None, False),
        ("ThisMonth", None, True),
        ("LastMonth", None, False),
        ("NextMonth", None, False),
        ("ThisYear", None, True),
        ("LastYear", None, False),
        ("NextYear", None, False),
        ("LastXHours", 2, True),
        ("LastXDays", 1, True),
        ("LastXMonths", 1, True),
        ("LastXYears", 1, True),
        ("OlderThanXMinutes", 600, False),
        ("OlderThanXHours", 10, False),
        ("OlderThanXDays", 2, False),
        ("OlderThanXMonths", 1, False),
        ("OlderThanXYears", 1, False),
        ("ThisFiscalYear", None, True),
        ("ThisFiscalPeriod", None, True),
        ("LastFiscalYear", None, False),
        ("NextFiscalPeriod", None, False),
        ("LastXFiscalYears", 2, False),
        ("NextXFiscalPeriods", 2, False),
    ],
)
def test_dates_relative_to_now(sample: Sample, function: str, value: int | None, found: bool) -> None:
    """WA-203, WA-205: rows made a moment ago."""
    rest = () if value is None else (f"PropertyValue={value}",)
    quoted = () if value is None else (f"PropertyValue='{value}'",)

    assert sample.where(call(function, "createdon", *rest)) == (_ALL if found else [])
    assert sample.where(call(function, "createdon", *quoted)) == (_ALL if found else [])


def test_days(sample: Sample) -> None:
    """WA-203: On, OnOrBefore, OnOrAfter, NotOn, with a bare or a quoted day in the caller's zone."""
    now = datetime.now(UTC)
    today, past = now.date(), now.date() - timedelta(days=30)
    assert sample.where(call("On", "createdon", f"PropertyValue='{past}'")) == []
    assert sample.where(call("NotOn", "createdon", f"PropertyValue='{past}'")) == _ALL
    assert sample.where(call("OnOrAfter", "createdon", f"PropertyValue={past}")) == _ALL
    assert sample.where(call("OnOrBefore", "createdon", f"PropertyValue='{past}'")) == []
    tomorrow = today + timedelta(days=1)
    assert sample.where(call("OnOrBefore", "createdon", f"PropertyValue={tomorrow}")) == _ALL


def test_days_begin_at_the_callers_midnight(api: Api) -> None:
    """WA-205: LastXDays(n) reaches from local midnight n days ago to now."""
    stem = f"zone {datetime.now(UTC).timestamp()}"
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    moments = {
        "before": midnight - timedelta(days=3, minutes=1),
        "after": midnight - timedelta(days=3) + timedelta(minutes=1),
        "future": datetime.now(UTC) + timedelta(hours=1),
    }
    for name, moment in moments.items():
        when = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        api.new("tasks", {"subject": f"{stem} {name}", "scheduledstart": when})

    def within(function: str, *rest: str) -> list[str]:
        condition = call(function, "scheduledstart", *rest)
        rows = api.rows(f"tasks?$select=subject&$filter=startswith(subject,'{stem}') and {condition}")
        return [row["subject"].removeprefix(f"{stem} ") for row in rows]

    assert within("LastXDays", "PropertyValue=3") == ["after"]
    assert within("NextXHours", "PropertyValue=2") == ["future"]
    assert within("NextXDays", "PropertyValue=1") == within("Next7Days") == ["future"]


def test_weeks_and_fiscal_years_follow_the_organization(api: Api) -> None:
    """WA-205: the first day of the week and the fiscal calendar are settings, in force for the next request."""
    stem = f"week {datetime.now(UTC).timestamp()}"
    today = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    for days in range(-7, 8):
        when = (today + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
        api.new("tasks", {"subject": f"{stem} {days}", "scheduledstart": when})
    organization = api.rows("organizations?$select=organizationid,weekstartdaycode,fiscalcalendarstart")[0]
    address = f"organizations({organization['organizationid']})"

    def this_week() -> list[int]:
        condition = f"startswith(subject,'{stem}') and {call('ThisWeek', 'scheduledstart')}"
        rows = api.rows(f"tasks?$select=subject&$filter={condition}")
        return sorted(int(row["subject"].rsplit(" ", 1)[1]) for row in rows)

    sunday_based = (today.weekday() + 1) % 7
    assert this_week() == list(range(-sunday_based, 7 - sunday_based))
    try:
        assert api.send("PATCH", address, {"weekstartdaycode": 1}).status_code == 204
        assert this_week() == list(range(-today.weekday(), 7 - today.weekday()))

        begin = (today + timedelta(days=1)).strftime("2001-%m-%dT00:00:00Z")
        if not begin.startswith("2001-02-29"):
            changed = api.send("PATCH", address, {"fiscalcalendarstart": begin, "fiscalperiodtype": 2003})
            assert changed.status_code == 204
            condition = f"startswith(subject,'{stem}') and {call('NextFiscalYear', 'scheduledstart')}"
            assert len(api.rows(f"tasks?$select=subject&$filter={condition}")) == 7
    finally:
        api.send("PATCH", address, {"weekstartdaycode": 0, "fiscalcalendarstart": None, "fiscalperiodtype": None})


def test_who_asks(api: Api, sample: Sample) -> None:
    """WA-204: users, business units and teams."""
    for column in ("ownerid", "_ownerid_value"):
        assert sample.where(call("EqualUserId", column)) == _ALL
        assert sample.where(call("NotEqualUserId", column)) == []
    assert sample.where(call("EqualBusinessId", "owningbusinessunit")) == _ALL
    assert sample.where(call("NotEqualBusinessId", "owningbusinessunit")) == []
    assert sample.where(call("EqualUserOrUserTeams", "ownerid")) == _ALL
    assert sample.where(call("EqualUserTeams", "ownerid")) == []
    assert sample.where(call("EqualUserOrUserHierarchy", "ownerid")) == _ALL


def test_hierarchies(sample: Sample) -> None:
    """WA-204, WA-206: Above, Under and their kin along the hierarchical relationship of the table."""
    ada, bob, last = (f"PropertyValue='{sample.ids[name]}'" for name in ("ada", "bob", "c%d"))
    assert sample.where(call("Under", "accountid", ada)) == ["bob", "c%d"]
    assert sample.where(call("UnderOrEqual", "accountid", bob)) == ["bob", "c%d"]
    assert sample.where(call("Above", "accountid", last)) == ["ada", "bob"]
    assert sample.where(call("AboveOrEqual", "accountid", bob)) == ["ada", "bob"]
    assert sample.where(call("NotUnder", "accountid", bob)) == ["ada", "bob", "Éva"]
    sample.refused(call("Under", "name", ada))
    tasks = f"tasks?$filter={call('Under', 'activityid', ada)}"
    sample.api.refused("GET", tasks, status=400)


def test_texts(sample: Sample) -> None:
    """WA-204: the text conditions; `Contains` needs a full-text index, which no table has."""
    value = "PropertyValue='AD'"
    assert sample.where(call("BeginsWith", "accountnumber", value)) == ["ada"]
    assert sample.where(call("DoesNotBeginWith", "accountnumber", value)) == ["c%d"]
    assert sample.where(call("EndsWith", "accountnumber", "PropertyValue='A'")) == ["ada"]
    assert sample.where(call("DoesNotEndWith", "accountnumber", "PropertyValue='A'")) == ["c%d"]
    assert sample.where(call("Like", "accountnumber", "PropertyValue='_D%'")) == ["ada"]
    assert sample.where(call("NotLike", "accountnumber", "PropertyValue='_D%'")) == ["c%d"]
    sample.refused(call("Contains", "name", value))


def test_several_choices(api: Api, boxes: str) -> None:
    """WA-204: ContainValues and DoesNotContainValues on a column of several choices."""
    stem = f"multi {datetime.now(UTC).timestamp()}"
    for name, values in (("a", "1,3"), ("b", "9"), ("none", None)):
        api.new(boxes, {"wire_name": f"{stem} {name}", "wire_multi": values})

    def having(function: str, values: str) -> list[str]:
        condition = f"startswith(wire_name,'{stem}') and {call(function, 'wire_multi', f'PropertyValues={values}')}"
        rows = api.rows(f"{boxes}?$select=wire_name&$orderby=wire_name&$filter={condition}")
        return [row["wire_name"].rsplit(" ", 1)[1] for row in rows]

    assert having("ContainValues", '["3"]') == ["a"]
    assert having("ContainValues", '["1","9"]') == ["a", "b"]
    assert having("DoesNotContainValues", '["3"]') == ["b", "none"]


def test_unknown_names_and_missing_parameters_are_400(sample: Sample) -> None:
    """WA-207, WA-200."""
    sample.refused(call("X", "createdon"), "An unknown function with name 'Microsoft.Dynamics.CRM.X' was found")
    sample.refused("Today(PropertyName='createdon')", "An unknown function with name 'Today' was found")
    for condition in (
        f"{NS}.Today()",
        call("LastXDays", "createdon"),
        call("Today", "nope"),
        call("Today", "name"),
        call("LastXDays", "createdon", "PropertyValue=3", "Foo=2"),
        call("LastXDays", "createdon", "PropertyValue='x'"),
    ):
        sample.refused(condition)
