"""Incidents that begin with an alert (TS-1608): somebody opens one, and what shakes the proof itself opens one alone.

The alert lies in the environment that it is about, the incident in the control environment: it names the alert and the
entries of the trail behind it in its first steps, so that the evidence is found again.
"""

from dataclasses import dataclass

from strongroom.identity.directory import find_all, number, text
from strongroom.ids import Guid
from strongroom.incidents import tables
from strongroom.incidents.register import add_known_step
from strongroom.records import NewRecord, Session, create
from strongroom.records.create import store_new
from strongroom.store.protocol import Row, Value

GRAVE = frozenset({"trail-tampered", "witness-disagrees", "isolation-failed"})
"""Codes of alerts that open an incident by themselves: proof or isolation fails."""


@dataclass(frozen=True, slots=True)
class AlertFacts:
    """An alert, as it is told to another environment."""

    environment: str
    alert: Guid
    name: str
    severity: int
    entries: str
    """Place, table and id of each entry behind it, as JSON; empty when no entry tells of it."""


def facts_of(environment: str, alert: Row) -> AlertFacts:
    """The facts of an alert of an environment."""
    return AlertFacts(environment, alert.id, text(alert, "name"), number(alert, "severity"), text(alert, "trailrows"))


def open_from_alert(session: Session, facts: AlertFacts, *, by_platform: bool = False) -> Guid:
    """Open an incident about an alert, in the control environment; the one that is open about it already, when there
    is one. It is an ordinary create of the caller's, unless the platform itself opens it."""
    name = f"{facts.environment}: {facts.name}"[:200]
    known = [row for row in find_all(session.transaction, tables.INCIDENT, name=name) if _is_open(row)]
    if known:
        return known[-1].id
    values: dict[str, Value] = {
        "name": name,
        "severity": facts.severity or None,
        "description": f"Opened from the alert {facts.alert} of the environment {facts.environment}.",
    }
    table = session.table(tables.INCIDENT)
    if by_platform:
        begun: dict[str, Value] = {"detectedon": session.now, "state": tables.NEW, "statecode": 0, "statuscode": 1}
        incident = store_new(session, table, {**values, **begun}).id
        add_known_step(session, incident, "Opened", "By the platform itself.")
    else:
        incident = create(session, table, NewRecord(values))
    add_known_step(session, incident, f"Alert {facts.alert} of {facts.environment}", facts.entries)
    return incident


def _is_open(row: Row) -> bool:
    return row.values.get("state") != tables.CLOSED
