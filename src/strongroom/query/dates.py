"""Calendar arithmetic in the caller's time zone (WA-205).

A period of the calendar (today, last month, this fiscal year) is a span of *local clock time*: naive datetimes, start
included, end excluded. What the span means in the database depends on the behaviour of the column that it meets:

- *user local* columns hold moments in UTC, so the ends are converted from the caller's zone;
- *time zone independent* columns hold clock times, so the ends are taken as they are;
- *date only* columns hold days, so the ends become days.

Worked example: for a caller in Berlin (UTC+1) at `2024-02-10T23:30:00Z` it is already half past midnight on the 11th.
*Today* is the local span 2024-02-11 00:00 to 2024-02-12 00:00; on `createdon` it becomes `2024-02-10T23:00:00Z` to
`2024-02-11T23:00:00Z`, on `birthdate` the one day `2024-02-11`.
"""

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from strongroom.clock import iso

FIRST_DAY = date(1753, 1, 1)
"""Earlier dates are not values of the platform (WA-100)."""

_ONE_DAY = timedelta(days=1)
_FIRST_MOMENT = datetime(1753, 1, 1, tzinfo=UTC)


class DateOutOfRange(ValueError):
    """The arithmetic left the calendar (years 1753 to 9999)."""


@dataclass(frozen=True, slots=True)
class Span:
    """Local clock time from `start` (included) to `end` (excluded, or included when `end_included`). None is open."""

    start: datetime | None = None
    end: datetime | None = None
    end_included: bool = False


@dataclass(frozen=True, slots=True)
class FiscalCalendar:
    """When fiscal years begin and how long their periods are. The default is the calendar year in quarters.

    A fiscal year carries the number of the calendar year in which it begins.
    """

    first_month: int = 1
    first_day: int = 1
    months_per_period: int = 3

    @property
    def periods(self) -> int:
        """Periods in a year, numbered from 1."""
        return 12 // self.months_per_period

    def year_start(self, year: int) -> datetime:
        """Local midnight at which the fiscal year `year` begins."""
        last_day = calendar.monthrange(_checked_year(year), self.first_month)[1]
        return datetime(year, self.first_month, min(self.first_day, last_day))  # noqa: DTZ001 (local clock time)

    def year_of(self, moment: datetime) -> int:
        """The fiscal year that `moment` lies in."""
        return moment.year if moment >= self.year_start(moment.year) else moment.year - 1

    def period_start(self, year: int, period: int) -> datetime:
        """Local midnight at which `period` of `year` begins; periods beyond the year run on into the next ones."""
        return add_months(self.year_start(year), (period - 1) * self.months_per_period)

    def period_of(self, moment: datetime) -> int:
        """The number of the period that `moment` lies in."""
        year = self.year_of(moment)
        period = self.periods
        while period > 1 and self.period_start(year, period) > moment:
            period -= 1
        return period


@lru_cache(maxsize=512)
def zone(name: str) -> ZoneInfo:
    """The time zone `name` (an IANA name). An unknown one counts as UTC: a user's setting must never break reading."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def local_now(now: str, zone_name: str) -> datetime:
    """The moment `now` (`2024-05-01T10:15:00Z`) as naive local clock time in the zone.

    `datetime.fold` tells the two passes of an hour apart that the end of summer time repeats.
    """
    moment = datetime.fromisoformat(now)
    return moment.astimezone(zone(zone_name)).replace(tzinfo=None)


def to_utc(local: datetime, zone_name: str) -> str:
    """Local clock time as a stored moment. A time that a change of clocks skips counts as if they had not changed."""
    try:
        moment = local.replace(tzinfo=zone(zone_name)).astimezone(UTC)
    except OverflowError as error:
        raise DateOutOfRange from error
    return iso(max(moment, _FIRST_MOMENT))


def as_clock_time(local: datetime) -> str:
    """Local clock time as a time zone independent column stores it."""
    return iso(local.replace(tzinfo=UTC))


def midnight(moment: datetime) -> datetime:
    """The beginning of the day of `moment`."""
    return datetime.combine(moment.date(), time())


def week_start(moment: datetime, first_weekday: int) -> datetime:
    """Midnight at which the week of `moment` begins; `first_weekday` counts from 0 for Sunday."""
    days_in = (moment.isoweekday() - first_weekday) % 7
    return shifted(midnight(moment), days=-days_in)


def month_start(moment: datetime) -> datetime:
    """Midnight at which the month of `moment` begins."""
    return midnight(moment).replace(day=1)


def year_start(moment: datetime) -> datetime:
    """Midnight at which the calendar year of `moment` begins."""
    return midnight(moment).replace(month=1, day=1)


def shifted(moment: datetime, *, days: int) -> datetime:
    """The same clock time on another day; leaving the calendar raises `DateOutOfRange`."""
    try:
        moved = moment + timedelta(days=days)
    except OverflowError as error:
        raise DateOutOfRange from error
    _checked_year(moved.year)
    return moved


def elapsed(moment: datetime, zone_name: str, *, minutes: int) -> datetime:
    """The local clock time when `minutes` have really passed since `moment`, changes of the clocks included."""
    try:
        moved = moment.replace(tzinfo=zone(zone_name)).astimezone(UTC) + timedelta(minutes=minutes)
        local = moved.astimezone(zone(zone_name)).replace(tzinfo=None)
    except OverflowError as error:
        raise DateOutOfRange from error
    _checked_year(local.year)
    return local


def add_months(moment: datetime, months: int) -> datetime:
    """`moment` moved by whole months; the day is the last of the month when the month has no such day."""
    index = moment.year * 12 + moment.month - 1 + months
    year, month = _checked_year(index // 12), index % 12 + 1
    return moment.replace(year=year, month=month, day=min(moment.day, calendar.monthrange(year, month)[1]))


def day_span(day: date) -> Span:
    """The one local day. The last day of the calendar has no end."""
    start = datetime.combine(day, time())
    return Span(start, None if day == date.max else shifted(start, days=1))


def first_excluded_day(span: Span) -> date | None:
    """The first day after the span for a column of days: a span that ends within a day still has that day."""
    if span.end is None:
        return None
    if span.end == midnight(span.end) and not span.end_included:
        return span.end.date()
    return (span.end + _ONE_DAY).date()


def _checked_year(year: int) -> int:
    if not FIRST_DAY.year <= year <= 9999:
        raise DateOutOfRange
    return year
