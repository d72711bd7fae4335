"""Reminders before the 72 hours are over (TS-1601): at 48, 24, 12 and 1 hours left, and when they are over.

A reminder is an alert, with the words of a template of the home's own, one without a recipient, or of ours; the
responsible person is told besides whoever is told of alerts. Each is raised once, however often somebody looks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from strongroom.clock import iso
from strongroom.identity.directory import get, text
from strongroom.ids import Guid, Reference, parse_guid
from strongroom.incidents import tables
from strongroom.incidents.clock import BreachClock, clock_of
from strongroom.incidents.templates import REMINDER, filled
from strongroom.store.protocol import Row, Transaction

CODE = "breach-deadline"
"""The code of the alerts."""

_GRAVE_H = 12


@dataclass(frozen=True, slots=True)
class Reminder:
    """One of them. `about` is the same for the same incident and hours; `hours` is 0 once they are over."""

    incident: Guid
    hours: int
    name: str
    words: str

    @property
    def about(self) -> str:
        """What the alert is about."""
        return f"{self.incident} {self.hours} h"

    @property
    def is_grave(self) -> bool:
        """Whether little time is left."""
        return self.hours <= _GRAVE_H


def reminders(transaction: Transaction, now: datetime) -> Iterator[Reminder]:
    """What there is to remind somebody of."""
    breaches = transaction.rows_where(transaction.schema.tables[tables.INCIDENT], {"ispersonaldatabreach": True})
    for incident in breaches:
        clock = clock_of(incident, now)
        if incident.values.get("state") != tables.CLOSED and (clock.is_late or clock.warning_h is not None):
            yield _reminder(transaction, incident, clock)


def responsible_mail(transaction: Transaction, about: str) -> str | None:
    """The address of whoever is responsible for the incident that a reminder is about."""
    incident_id = parse_guid(about.partition(" ")[0])
    table = transaction.schema.tables.get(tables.INCIDENT)
    incident = None if incident_id is None or table is None else transaction.row(table, incident_id)
    responsible = None if incident is None else incident.values.get("responsibleid")
    if not isinstance(responsible, Reference):
        return None
    return text(get(transaction, responsible), "internalemailaddress") or None


def _reminder(transaction: Transaction, incident: Row, clock: BreachClock) -> Reminder:
    hours = 0 if clock.is_late else clock.warning_h or 0
    left = f"less than {hours} hours are left" if hours else "the 72 hours are over"
    values = {
        "name": text(incident, "name"),
        "left": left,
        "due": "" if clock.due is None else iso(clock.due),
        "awareon": text(incident, "awareon"),
        "id": incident.id,
    }
    kept = transaction.rows_where(transaction.schema.tables[tables.TEMPLATE], {"statecode": 0})
    own = [text(row, "content") for row in kept if row.values.get("recipient") is None]
    words = filled(own[-1] if own else REMINDER, values)
    return Reminder(incident.id, hours, f"Notification of a breach: {left}: {values['name']}", words)
