"""Monitoring through messages: alerts acknowledged, suppressed, closed, with their evidence; rules tried on the past;
destinations of the stream tested (TS-819, TS-824 to TS-826)."""

from dataclasses import replace
from datetime import datetime

from strongroom.errors import Conflict, InvalidRequest
from strongroom.identity.directory import find, note, number, text
from strongroom.ids import EMPTY_GUID
from strongroom.messages.operation import Arguments, Kind, Operation, Parameter, Result, action, function
from strongroom.monitoring import alerts
from strongroom.monitoring.evaluation import trial_in
from strongroom.monitoring.health import health_of
from strongroom.monitoring.rules import AlertRule, read_rule, rule_of
from strongroom.monitoring.tables import ALERT, DELIVERY, DESTINATION, RULE
from strongroom.monitoring.watching import Raised
from strongroom.records import Session
from strongroom.records.authorize import demand_existing, demand_privilege
from strongroom.schema.model import Rights
from strongroom.store.protocol import Row, Value

_ALERT = Parameter("AlertId", Kind.GUID)
_STATE = {"State": "Edm.Int32"}
_DESCRIBED = (
    "name",
    "severity",
    "source",
    "filter",
    "condition",
    "windowminutes",
    "threshold",
    "counts",
    "countcolumn",
    "groupby",
    "suppressminutes",
)
"""Columns of a rule that a trial of one that is not stored yet may give."""


def _acknowledge(session: Session, arguments: Arguments) -> Result:
    return _state(alerts.acknowledge(session, arguments.guid("AlertId"), arguments.optional_text("Note")))


def _suppress(session: Session, arguments: Arguments) -> Result:
    row = alerts.suppress(session, arguments.guid("AlertId"), arguments.integer("Minutes"), arguments.text("Reason"))
    return {"SuppressedUntil": text(row, "suppresseduntil")}


def _close(session: Session, arguments: Arguments) -> Result:
    row = alerts.close(session, arguments.guid("AlertId"), arguments.integer("State"), arguments.text("Note"))
    return {**_state(row), "NeedsSecondPerson": number(row, "state") < alerts.RESOLVED}


def _state(row: Row) -> dict[str, object]:
    return {"State": number(row, "state")}


def _test_destination(session: Session, arguments: Arguments) -> Result:
    """TS-819: whoever sends there tries it within seconds, and `siemdelivery` then says how it went: a request does not
    wait for a receiver."""
    row = demand_existing(session, session.table(DESTINATION), arguments.guid("SiemDestinationId"), Rights.WRITE)
    delivery = find(session.transaction, DELIVERY, siemdestinationid=row.reference())
    if delivery is None:
        raise Conflict(
            "Nothing is sent there yet: is the destination on, and a server running?",
            details={"reason": "not-begun", "rule": "TS-819", "target": "SiemDestinationId"},
        )
    note(session, delivery, {"testwanted": True})
    return {"SiemDeliveryId": delivery.id}


def _health(session: Session, _: Arguments) -> Result:
    """Whether sealing, rules and streams are at work. Needs Read on alerts."""
    demand_privilege(session, session.table(ALERT), Rights.READ)
    found = health_of(session.transaction, session.clock.now())
    return {
        "Status": "ok" if found.is_well else "degraded",
        "Leaves": found.leaves,
        "SealedOn": found.sealed_on,
        "WaitingForSealSeconds": found.waiting_for_seal_s,
        "WaitingForRules": found.waiting_for_rules,
        "WaitingEvents": found.waiting_events,
        "FailingDestinations": found.failing_destinations,
        "OpenAlerts": sum(found.open_alerts.values()),
        "Problems": list(found.problems),
    }


def _evidence(session: Session, arguments: Arguments) -> Result:
    found = alerts.evidence(session, arguments.guid("AlertId"))
    return {
        "Entries": [
            {
                "Sequence": each.sequence,
                "Table": each.table,
                "Id": each.id,
                "LeafHash": each.leaf_hash,
                "TreeSize": each.tree_size,
                "Path": list(each.path),
            }
            for each in found
        ]
    }


def _try(session: Session, arguments: Arguments) -> Result:
    """TS-824: what a rule, stored or described, would have raised in a time of the past."""
    begun, ended = arguments.moment("From"), arguments.moment("To")
    if begun >= ended:
        raise InvalidRequest(
            "From lies before To.", details={"reason": "bad-range", "rule": "TS-824", "target": "From"}
        )
    found = trial_in(session.transaction, _rule(session, arguments), begun, ended)
    return {"Alerts": [_shown(each) for each in found], "Count": len(found)}


def _rule(session: Session, arguments: Arguments) -> AlertRule:
    described, stored = arguments.optional_object("Rule"), arguments.values.get("AlertRuleId")
    if (described is None) == (stored is None):
        raise InvalidRequest("Name a rule by AlertRuleId, or describe one in Rule: one of them.")
    demand_privilege(session, session.table("audit"), Rights.READ)
    demand_privilege(session, session.table("activitylog"), Rights.READ)
    if described is None:
        row = demand_existing(session, session.table(RULE), arguments.guid("AlertRuleId"), Rights.READ)
        return rule_of(session.schema, row, session.now)
    unknown = next((name for name in described if name not in _DESCRIBED), None)
    if unknown is not None:
        raise InvalidRequest(f"'{unknown[:100]}' is nothing that describes a rule; these are: {', '.join(_DESCRIBED)}.")
    values: dict[str, Value] = dict(described)
    return read_rule(session.schema, EMPTY_GUID, "", values, session.now)


def _shown(found: Raised) -> dict[str, object]:
    first, last = found.counted[0].entry.row, found.counted[-1].entry.row
    return {
        "Group": found.group,
        "Entries": len(found.counted),
        "Count": found.total,
        "First": _utc(str(first.values["createdon"])),
        "Last": _utc(str(last.values["createdon"])),
    }


def _utc(moment: str) -> str:
    return datetime.fromisoformat(moment).strftime("%Y-%m-%dT%H:%M:%SZ")


_HEALTH = {
    "Status": "Edm.String",
    "Leaves": "Edm.Int64",
    "SealedOn": "Edm.DateTimeOffset",
    "WaitingForSealSeconds": "Edm.Int32",
    "WaitingForRules": "Edm.Int64",
    "WaitingEvents": "Edm.Int64",
    "FailingDestinations": "Edm.Int32",
    "OpenAlerts": "Edm.Int32",
    "Problems": "Collection(Edm.String)",
}
_ACTIONS = (
    action("AcknowledgeAlert", _acknowledge, _ALERT, Parameter("Note", Kind.STRING, required=False), properties=_STATE),
    action(
        "SuppressAlert",
        _suppress,
        _ALERT,
        Parameter("Minutes", Kind.INTEGER),
        Parameter("Reason", Kind.STRING),
        properties={"SuppressedUntil": "Edm.DateTimeOffset"},
    ),
    action(
        "CloseAlert",
        _close,
        _ALERT,
        Parameter("State", Kind.INTEGER),
        Parameter("Note", Kind.STRING),
        properties={**_STATE, "NeedsSecondPerson": "Edm.Boolean"},
    ),
    action(
        "TestStreamDestination",
        _test_destination,
        Parameter("SiemDestinationId", Kind.GUID),
        properties={"SiemDeliveryId": "Edm.Guid"},
    ),
    action(
        "TryAlertRule",
        _try,
        Parameter("AlertRuleId", Kind.GUID, required=False),
        Parameter("Rule", Kind.COMPLEX, required=False, type="mscrm.crmbaseentity"),
        Parameter("From", Kind.STRING, type="Edm.DateTimeOffset"),
        Parameter("To", Kind.STRING, type="Edm.DateTimeOffset"),
        properties={"Alerts": "Collection(Strongroom.AlertTrial)", "Count": "Edm.Int32"},
    ),
)

OPERATIONS: tuple[Operation, ...] = (
    *(replace(each, is_own=True) for each in _ACTIONS),
    function(
        "RetrieveAlertEvidence",
        _evidence,
        _ALERT,
        properties={"Entries": "Collection(Strongroom.AlertEvidence)"},
        is_own=True,
    ),
    function("RetrieveHealth", _health, properties=_HEALTH, is_own=True),
)
