"""Calendar arithmetic in the caller's time zone (WA-205)."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.query import dates
from strongroom.query.dates import DateOutOfRange, FiscalCalendar

ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia", "Australia/Lord_Howe"]
)
MOMENTS = st.datetimes(datetime(1970, 1, 2), datetime(2199, 1, 1))  # noqa: DTZ001 -- naive on purpose: clock times


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_local_now_is_the_clock_on_the_wall():
    assert dates.local_now("2024-02-10T23:30:00Z", "Europe/Berlin") == at("2024-02-11T00:30:00")
    assert dates.local_now("2024-02-10T23:30:00Z", "America/New_York") == at("2024-02-10T18:30:00")


def test_an_unknown_zone_counts_as_utc():
    assert dates.local_now("2024-02-10T23:30:00Z", "Not/AZone") == at("2024-02-10T23:30:00")
    assert dates.local_now("2024-02-10T23:30:00Z", "../../etc/passwd") == at("2024-02-10T23:30:00")


def test_a_day_of_a_change_of_clocks_is_23_or_25_hours_long():
    def length(day: date) -> timedelta:
        span = dates.day_span(day)
        assert span.start is not None and span.end is not None
        ends = [at(dates.to_utc(end, "Europe/Berlin")) for end in (span.start, span.end)]
        return ends[1] - ends[0]

    assert length(date(2024, 3, 31)) == timedelta(hours=23)
    assert length(date(2024, 10, 27)) == timedelta(hours=25)


def test_elapsed_time_counts_hours_that_the_clocks_skip():
    assert dates.elapsed(at("2024-03-31T01:30:00"), "Europe/Berlin", minutes=60) == at("2024-03-31T03:30:00")


def test_the_repeated_hour_is_told_apart():
    first = dates.local_now("2024-10-27T00:30:00Z", "Europe/Berlin")
    second = dates.local_now("2024-10-27T01:30:00Z", "Europe/Berlin")

    assert first.replace(fold=0) == second.replace(fold=0)
    assert dates.to_utc(first, "Europe/Berlin") == "2024-10-27T00:30:00Z"
    assert dates.to_utc(second, "Europe/Berlin") == "2024-10-27T01:30:00Z"


@pytest.mark.parametrize(
    ("first", "start"), [(0, "2024-04-28"), (1, "2024-04-29"), (3, "2024-05-01"), (4, "2024-04-25")]
)
def test_weeks_begin_on_the_day_of_the_organisation(first: int, start: str):
    assert dates.week_start(at("2024-05-01T10:00:00"), first) == at(start)


def test_months_are_as_long_as_they_are():
    assert dates.add_months(at("2024-01-31T08:00:00"), 1) == at("2024-02-29T08:00:00")
    assert dates.add_months(at("2024-03-31T08:00:00"), -1) == at("2024-02-29T08:00:00")
    assert dates.add_months(at("2023-11-15T00:00:00"), 14) == at("2025-01-15T00:00:00")


@given(MOMENTS, st.integers(-1200, 1200))
def test_months_forth_and_back_stay_within_three_days(moment: datetime, months: int):
    there = dates.add_months(moment, months)

    assert timedelta() <= moment - dates.add_months(there, -months) <= timedelta(days=3)


@given(MOMENTS, ZONES)
def test_every_day_begins_at_or_before_each_of_its_moments(moment: datetime, zone: str):
    now = moment.replace(tzinfo=UTC, microsecond=0)
    local = dates.local_now(now.strftime("%Y-%m-%dT%H:%M:%SZ"), zone)
    span = dates.day_span(local.date())
    assert span.start is not None and span.end is not None

    start, end = (at(dates.to_utc(edge, zone)) for edge in (span.start, span.end))

    assert start <= now < end


def test_leaving_the_calendar_is_an_error_of_its_own():
    with pytest.raises(DateOutOfRange):
        dates.shifted(at("2024-01-01"), days=10**9)
    with pytest.raises(DateOutOfRange):
        dates.shifted(at("2024-01-01"), days=-200_000)
    with pytest.raises(DateOutOfRange):
        dates.add_months(at("2024-01-01"), 12 * 9000)
    with pytest.raises(DateOutOfRange):
        dates.elapsed(at("9999-12-31T23:00:00"), "UTC", minutes=120)
    with pytest.raises(DateOutOfRange):
        dates.to_utc(at("9999-12-31T23:00:00"), "America/New_York")


def test_moments_before_the_calendar_become_its_first():
    """WA-100: no stored value lies before it, so the comparison means the same."""
    assert dates.to_utc(at("1753-01-01"), "Asia/Tokyo") == "1753-01-01T00:00:00Z"


def test_the_last_day_has_no_end():
    assert dates.day_span(date(9999, 12, 31)).end is None


def test_fiscal_years_carry_the_number_of_the_year_they_begin_in():
    july = FiscalCalendar(7, 1, 3)

    assert july.year_of(at("2024-06-30T23:59:59")) == 2023
    assert july.year_of(at("2024-07-01")) == 2024
    assert july.period_of(at("2024-06-30")) == 4
    assert july.period_start(2024, 1) == at("2024-07-01")
    assert july.period_start(2024, 5) == at("2025-07-01")


def test_a_fiscal_year_may_begin_on_a_day_that_not_every_year_has():
    leap = FiscalCalendar(2, 29, 12)

    assert leap.year_start(2023) == at("2023-02-28")
    assert leap.year_start(2024) == at("2024-02-29")
    assert leap.periods == 1
