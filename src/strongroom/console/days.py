"""Days and moments as the reader means them: in their time zone, from midnight to midnight."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from strongroom.clock import iso
from strongroom.console.api import ApiError
from strongroom.console.visit import Visit
from strongroom.schema.model import Column, DateBehavior
from strongroom.translation import UTC_ZONE


def begins(day: date, zone: ZoneInfo) -> str:
    """When a day begins somewhere, as a literal of the Web API."""
    return iso(datetime.combine(day, time(), zone).astimezone(UTC))


def today(visit: Visit) -> date:
    """The reader's day."""
    return visit.environment.clock.now().astimezone(visit.zone).date()


def day_of(visit: Visit, given: str) -> date:
    """A day that somebody typed. Raises `ApiError` 400."""
    try:
        day = date.fromisoformat(given)
        begins(day + timedelta(days=1), visit.zone)  # the first and the last days of the calendar have no neighbours
        begins(day, visit.zone)
    except (ValueError, OverflowError):
        raise ApiError(400, "", visit.texts("'%(day)s' is no day; write it as 2026-03-31.", day=given)) from None
    return day


def day_bounds(visit: Visit, column: str) -> Sequence[str]:
    """Conditions for the days that a page's address asks for with `since` and `until`. Raises `ApiError` 400."""
    conditions: list[str] = []
    if visit.parameter("since"):
        conditions.append(f"{column} ge {begins(day_of(visit, visit.parameter('since')), visit.zone)}")
    if visit.parameter("until"):
        following = day_of(visit, visit.parameter("until")) + timedelta(days=1)
        conditions.append(f"{column} lt {begins(following, visit.zone)}")
    return conditions


def zone_of(visit: Visit, column: Column) -> ZoneInfo:
    """The zone that moments of a column are written in: the reader's, unless they mean the same hour everywhere."""
    return UTC_ZONE if column.behavior is DateBehavior.TIME_ZONE_INDEPENDENT else visit.zone


def local_time(moment: str, zone: ZoneInfo) -> str:
    """A moment of the Web API as a field of the kind `datetime-local` holds it; empty for what is none."""
    try:
        return datetime.fromisoformat(moment).astimezone(zone).strftime("%Y-%m-%dT%H:%M")
    except (ValueError, OverflowError):
        return ""


def moment_in(given: str, zone: ZoneInfo) -> str | None:
    """A moment that somebody typed, as a literal of the Web API; None for what is none."""
    try:
        typed = datetime.fromisoformat(given)
        return iso((typed if typed.tzinfo else typed.replace(tzinfo=zone)).astimezone(UTC))
    except (ValueError, OverflowError):
        return None
