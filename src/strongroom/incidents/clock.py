"""The 72 hours in which an authority is to be told of a personal-data breach (TS-1601): elapsed hours, from the moment
in which somebody became aware of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from strongroom.incidents.tables import INCIDENT, NO_RISK
from strongroom.store.protocol import Row

DEADLINE = timedelta(hours=72)
WARNINGS_H = (48, 24, 12, 1)
"""Remaining hours at which somebody is to be warned."""


@dataclass(frozen=True, slots=True)
class BreachClock:
    """The clock of one incident. `due` is None while no clock runs: no breach, or no risk likely."""

    aware: datetime | None
    due: datetime | None
    notified: datetime | None
    remaining: timedelta | None
    warning_h: int | None
    """The smallest of the warnings that has been reached, None before the first."""

    @property
    def is_late(self) -> bool:
        """Whether the time is over and nobody has told the authority."""
        return self.notified is None and self.remaining is not None and self.remaining <= timedelta(0)


def clock_of(incident: Row, now: datetime) -> BreachClock:
    """The clock of a row of `securityincident`."""
    if incident.table.logical_name != INCIDENT:
        raise ValueError(incident.table.logical_name)
    aware, notified = _moment(incident, "awareon"), _moment(incident, "authoritynotifiedon")
    runs = bool(incident.values.get("ispersonaldatabreach")) and incident.values.get("risklevel") != NO_RISK
    if aware is None or not runs:
        return BreachClock(aware, None, notified, None, None)
    due = aware + DEADLINE
    remaining = due - (notified or now)
    reached = [hours for hours in WARNINGS_H if remaining <= timedelta(hours=hours)]
    return BreachClock(aware, due, notified, remaining, min(reached, default=None) if notified is None else None)


def _moment(row: Row, column: str) -> datetime | None:
    value = row.values.get(column)
    return datetime.fromisoformat(value) if isinstance(value, str) else None
