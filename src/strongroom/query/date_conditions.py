"""The conditions that relate a date to the present or to a day (WA-203, WA-205), for OData and FetchXML alike.

Each one is a span of local clock time that depends on *now* and up to two numbers. The shapes, with a Monday 13:00 as
now, follow the descriptions published for the platform's date operators:

- a named period (`this-month`) is the whole period;
- `last-x-days` 4 runs from midnight 4 days ago up to now, `next-x-days` 4 from now to the end of the 4th day to come;
  weeks, months and years likewise;
- `last-x-hours` 2 runs from 11:00, that is from the beginning of the current hour minus 2, up to now; `next-x-hours` 2
  from now to 15:00 exactly;
- `olderthan-x-months` 2 is everything before 13:00 two months ago.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from strongroom.query import dates
from strongroom.query.ast import (
    Comparison,
    Field,
    Literal,
    Operator,
    Predicate,
    ReadContext,
    conjunction,
)
from strongroom.query.dates import FiscalCalendar, Span
from strongroom.schema.model import ColumnType, DateBehavior


@dataclass(frozen=True, slots=True)
class Calendar:
    """What a span is reckoned from."""

    now: datetime
    """The caller's local clock time."""
    zone: str
    first_weekday: int
    fiscal: FiscalCalendar

    @property
    def today(self) -> datetime:
        return dates.midnight(self.now)

    def elapsed(self, moment: datetime, *, minutes: int) -> datetime:
        """`moment` moved by time that really passes, also when the clocks change meanwhile."""
        return dates.elapsed(moment, self.zone, minutes=minutes)


SpanMaker = Callable[[Calendar, Sequence[int]], Span]


@dataclass(frozen=True, slots=True)
class DateCondition:
    """One condition under its two names. It takes `numbers` whole numbers."""

    odata: str
    fetchxml: str
    numbers: int
    span: SpanMaker


def calendar_of(context: ReadContext) -> Calendar:
    """The calendar of the caller."""
    month, day = context.fiscal_start
    fiscal = FiscalCalendar(month, day, context.fiscal_period_months)
    now = dates.local_now(context.now, context.time_zone)
    return Calendar(now, context.time_zone, context.week_starts_on, fiscal)


def within(field: Field, span: Span, context: ReadContext) -> Predicate:
    """`field` lies in `span`. Raises `DateOutOfRange`."""
    parts: list[Predicate] = []
    column = field.column
    if column.is_date_only:
        after = dates.first_excluded_day(span)
        if span.start is not None:
            parts.append(_compared(field, Operator.GREATER_OR_EQUAL, span.start.date().isoformat()))
        if after is not None:
            parts.append(_compared(field, Operator.LESS, after.isoformat()))
    else:
        if span.start is not None:
            parts.append(_compared(field, Operator.GREATER_OR_EQUAL, _moment(field, span.start, context)))
        if span.end is not None:
            operator = Operator.LESS_OR_EQUAL if span.end_included else Operator.LESS
            parts.append(_compared(field, operator, _moment(field, span.end, context)))
    return conjunction(*parts) or _compared(field, Operator.GREATER_OR_EQUAL, _moment(field, _FIRST, context))


def on(day: date) -> Span:
    """The day."""
    return dates.day_span(day)


def on_or_before(day: date) -> Span:
    """The day and all days before it."""
    return Span(None, dates.day_span(day).end)


def on_or_after(day: date) -> Span:
    """The day and all days after it."""
    return Span(dates.day_span(day).start, None)


_FIRST = datetime.combine(dates.FIRST_DAY, datetime.min.time())


def _moment(field: Field, local: datetime, context: ReadContext) -> str:
    if field.column.is_date_only:
        return local.date().isoformat()
    if field.column.behavior is DateBehavior.TIME_ZONE_INDEPENDENT:
        return dates.as_clock_time(local)
    return dates.to_utc(local, context.time_zone)


def _compared(field: Field, operator: Operator, value: str) -> Comparison:
    return Comparison(operator, field, Literal(value, ColumnType.DATETIME))


# --- spans -------------------------------------------------------------------------------------------------------


def _days(first: int, after: int) -> SpanMaker:
    """Whole days counted from today."""
    return lambda c, _: Span(dates.shifted(c.today, days=first), dates.shifted(c.today, days=after))


def _week(offset: int) -> SpanMaker:
    def span(c: Calendar, _: Sequence[int]) -> Span:
        start = dates.shifted(dates.week_start(c.now, c.first_weekday), days=7 * offset)
        return Span(start, dates.shifted(start, days=7))

    return span


def _months(start_of: Callable[[datetime], datetime], length: int, offset: int) -> SpanMaker:
    """The month or year (`length` months) that lies `offset` of its kind from the present one."""

    def span(c: Calendar, _: Sequence[int]) -> Span:
        start = dates.add_months(start_of(c.now), offset * length)
        return Span(start, dates.add_months(start, length))

    return span


def _last_days(unit: int, fixed: int | None = None) -> SpanMaker:
    def span(c: Calendar, n: Sequence[int]) -> Span:
        count = n[0] if fixed is None else fixed
        return Span(dates.shifted(c.today, days=-unit * count), c.now, end_included=True)

    return span


def _next_days(unit: int, fixed: int | None = None) -> SpanMaker:
    def span(c: Calendar, n: Sequence[int]) -> Span:
        count = n[0] if fixed is None else fixed
        return Span(c.now, dates.shifted(c.today, days=unit * count + 1))

    return span


def _last_months(unit: int) -> SpanMaker:
    return lambda c, n: Span(dates.add_months(c.today, -unit * n[0]), c.now, end_included=True)


def _next_months(unit: int) -> SpanMaker:
    return lambda c, n: Span(c.now, dates.add_months(dates.shifted(c.today, days=1), unit * n[0]))


def _last_hours(c: Calendar, n: Sequence[int]) -> Span:
    hour = c.now.replace(minute=0, second=0)
    return Span(c.elapsed(hour, minutes=-60 * n[0]), c.now, end_included=True)


def _next_hours(c: Calendar, n: Sequence[int]) -> Span:
    return Span(c.now, c.elapsed(c.now, minutes=60 * n[0]), end_included=True)


def _older_minutes(unit: int) -> SpanMaker:
    return lambda c, n: Span(None, c.elapsed(c.now, minutes=-unit * n[0]))


def _older_days(unit: int) -> SpanMaker:
    return lambda c, n: Span(None, dates.shifted(c.now, days=-unit * n[0]))


def _older_months(unit: int) -> SpanMaker:
    return lambda c, n: Span(None, dates.add_months(c.now, -unit * n[0]))


def _fiscal_years(first: int, after: int) -> SpanMaker:
    """Whole fiscal years counted from the present one."""

    def span(c: Calendar, _: Sequence[int]) -> Span:
        year = c.fiscal.year_of(c.now)
        return Span(c.fiscal.year_start(year + first), c.fiscal.year_start(year + after))

    return span


def _fiscal_periods(first: int, after: int) -> SpanMaker:
    def span(c: Calendar, _: Sequence[int]) -> Span:
        start, end = _from_this_period(c, first), _from_this_period(c, after)
        return Span(start, end)

    return span


def _from_this_period(c: Calendar, offset: int) -> datetime:
    return c.fiscal.period_start(c.fiscal.year_of(c.now), c.fiscal.period_of(c.now) + offset)


def _last_fiscal_years(c: Calendar, n: Sequence[int]) -> Span:
    return _fiscal_years(-n[0], 0)(c, n)


def _next_fiscal_years(c: Calendar, n: Sequence[int]) -> Span:
    return _fiscal_years(1, n[0] + 1)(c, n)


def _last_fiscal_periods(c: Calendar, n: Sequence[int]) -> Span:
    return _fiscal_periods(-n[0], 0)(c, n)


def _next_fiscal_periods(c: Calendar, n: Sequence[int]) -> Span:
    return _fiscal_periods(1, n[0] + 1)(c, n)


def _in_fiscal_year(c: Calendar, n: Sequence[int]) -> Span:
    return Span(c.fiscal.year_start(n[0]), c.fiscal.year_start(n[0] + 1))


def _in_period(c: Calendar, n: Sequence[int]) -> Span:
    period, year = n
    if period > c.fiscal.periods:
        raise dates.DateOutOfRange
    return Span(c.fiscal.period_start(year, period), c.fiscal.period_start(year, period + 1))


def _in_or_before_period(c: Calendar, n: Sequence[int]) -> Span:
    return Span(None, _in_period(c, n).end)


def _in_or_after_period(c: Calendar, n: Sequence[int]) -> Span:
    return Span(_in_period(c, n).start, None)


CONDITIONS = (
    DateCondition("Today", "today", 0, _days(0, 1)),
    DateCondition("Yesterday", "yesterday", 0, _days(-1, 0)),
    DateCondition("Tomorrow", "tomorrow", 0, _days(1, 2)),
    DateCondition("Last7Days", "last-seven-days", 0, _last_days(1, 7)),
    DateCondition("Next7Days", "next-seven-days", 0, _next_days(1, 7)),
    DateCondition("LastWeek", "last-week", 0, _week(-1)),
    DateCondition("ThisWeek", "this-week", 0, _week(0)),
    DateCondition("NextWeek", "next-week", 0, _week(1)),
    DateCondition("LastMonth", "last-month", 0, _months(dates.month_start, 1, -1)),
    DateCondition("ThisMonth", "this-month", 0, _months(dates.month_start, 1, 0)),
    DateCondition("NextMonth", "next-month", 0, _months(dates.month_start, 1, 1)),
    DateCondition("LastYear", "last-year", 0, _months(dates.year_start, 12, -1)),
    DateCondition("ThisYear", "this-year", 0, _months(dates.year_start, 12, 0)),
    DateCondition("NextYear", "next-year", 0, _months(dates.year_start, 12, 1)),
    DateCondition("LastXHours", "last-x-hours", 1, _last_hours),
    DateCondition("NextXHours", "next-x-hours", 1, _next_hours),
    DateCondition("LastXDays", "last-x-days", 1, _last_days(1)),
    DateCondition("NextXDays", "next-x-days", 1, _next_days(1)),
    DateCondition("LastXWeeks", "last-x-weeks", 1, _last_days(7)),
    DateCondition("NextXWeeks", "next-x-weeks", 1, _next_days(7)),
    DateCondition("LastXMonths", "last-x-months", 1, _last_months(1)),
    DateCondition("NextXMonths", "next-x-months", 1, _next_months(1)),
    DateCondition("LastXYears", "last-x-years", 1, _last_months(12)),
    DateCondition("NextXYears", "next-x-years", 1, _next_months(12)),
    DateCondition("OlderThanXMinutes", "olderthan-x-minutes", 1, _older_minutes(1)),
    DateCondition("OlderThanXHours", "olderthan-x-hours", 1, _older_minutes(60)),
    DateCondition("OlderThanXDays", "olderthan-x-days", 1, _older_days(1)),
    DateCondition("OlderThanXWeeks", "olderthan-x-weeks", 1, _older_days(7)),
    DateCondition("OlderThanXMonths", "olderthan-x-months", 1, _older_months(1)),
    DateCondition("OlderThanXYears", "olderthan-x-years", 1, _older_months(12)),
    DateCondition("ThisFiscalYear", "this-fiscal-year", 0, _fiscal_years(0, 1)),
    DateCondition("NextFiscalYear", "next-fiscal-year", 0, _fiscal_years(1, 2)),
    DateCondition("LastFiscalYear", "last-fiscal-year", 0, _fiscal_years(-1, 0)),
    DateCondition("ThisFiscalPeriod", "this-fiscal-period", 0, _fiscal_periods(0, 1)),
    DateCondition("NextFiscalPeriod", "next-fiscal-period", 0, _fiscal_periods(1, 2)),
    DateCondition("LastFiscalPeriod", "last-fiscal-period", 0, _fiscal_periods(-1, 0)),
    DateCondition("LastXFiscalYears", "last-x-fiscal-years", 1, _last_fiscal_years),
    DateCondition("NextXFiscalYears", "next-x-fiscal-years", 1, _next_fiscal_years),
    DateCondition("LastXFiscalPeriods", "last-x-fiscal-periods", 1, _last_fiscal_periods),
    DateCondition("NextXFiscalPeriods", "next-x-fiscal-periods", 1, _next_fiscal_periods),
    DateCondition("InFiscalYear", "in-fiscal-year", 1, _in_fiscal_year),
    DateCondition("InFiscalPeriodAndYear", "in-fiscal-period-and-year", 2, _in_period),
    DateCondition("InOrBeforeFiscalPeriodAndYear", "in-or-before-fiscal-period-and-year", 2, _in_or_before_period),
    DateCondition("InOrAfterFiscalPeriodAndYear", "in-or-after-fiscal-period-and-year", 2, _in_or_after_period),
)
