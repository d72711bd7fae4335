"""Jobs that come again: `FREQ=DAILY;INTERVAL=3;`, the part of RFC 2445 that the documentation names (WA-308)."""

import calendar
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from strongroom.errors import InvalidRequest

_STEPS = {"HOURLY": timedelta(hours=1), "DAILY": timedelta(days=1), "WEEKLY": timedelta(weeks=1)}
_MONTHLY = "MONTHLY"
_PART = re.compile(r"(FREQ|INTERVAL)=([A-Z]{1,10}|\d{1,4})", re.IGNORECASE)
_MOST_INTERVAL = 999


@dataclass(frozen=True, slots=True)
class Recurrence:
    """How often a job runs."""

    frequency: str
    interval: int = 1

    def after(self, start: datetime, now: datetime) -> datetime:
        """The first time behind `now` of those that follow `start` in equal steps."""
        if self.frequency == _MONTHLY:
            number = 1
            while (moment := _months_later(start, number * self.interval)) <= now:
                number += 1
            return moment
        step = _STEPS[self.frequency] * self.interval
        return start + step * max(1, (now - start) // step + 1)


def read_recurrence(text: str) -> Recurrence:
    """The pattern that `text` holds; 400 for what is none, or not offered."""
    parts: dict[str, str] = {}
    for part in filter(None, (each.strip() for each in text[:200].split(";"))):
        found = _PART.fullmatch(part)
        if found is None or found[1].upper() in parts:
            raise _wrong(text)
        parts[found[1].upper()] = found[2].upper()
    frequency, interval = parts.get("FREQ", ""), parts.get("INTERVAL", "1")
    known = frequency == _MONTHLY or frequency in _STEPS
    if not known or not interval.isdigit() or not 1 <= int(interval) <= _MOST_INTERVAL:
        raise _wrong(text)
    return Recurrence(frequency, int(interval))


def _months_later(start: datetime, months: int) -> datetime:
    """The same day so many months later, or the last day of that month when it has fewer days."""
    month = start.month - 1 + months
    year, month = start.year + month // 12, month % 12 + 1
    return start.replace(year=year, month=month, day=min(start.day, calendar.monthrange(year, month)[1]))


def _wrong(text: str) -> InvalidRequest:
    return InvalidRequest(
        f"'{text[:60]}' is no recurrence pattern: write FREQ=HOURLY, DAILY, WEEKLY or MONTHLY, and INTERVAL="
        f"1 to {_MOST_INTERVAL} besides, as in 'FREQ=DAILY;INTERVAL=3;'."
    )
