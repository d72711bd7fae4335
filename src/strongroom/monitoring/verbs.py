"""The rules that monitoring hangs in the verbs: what a client may write into an alert rule or a destination, and what
the trail is told of it."""

from functools import partial

from strongroom.errors import AccessDenied, Conflict, InvalidRequest
from strongroom.identity.directory import text
from strongroom.monitoring.alerts import rule_off
from strongroom.monitoring.destinations import check_destination
from strongroom.monitoring.outbound import Outbound
from strongroom.monitoring.rules import check_recipients, is_on, read_rule
from strongroom.monitoring.tables import ALERT, DESTINATION, RULE
from strongroom.monitoring.witness_tables import WITNESS
from strongroom.monitoring.witnesses import check_witness
from strongroom.records import Event, Rules, Session
from strongroom.store.protocol import Row, Value


def register_rules(rules: Rules, outbound: Outbound) -> None:
    """Hang all of them. `outbound` is what may be sent where."""
    rules.on(Event.BEFORE_CREATE, RULE, partial(_check_rule, outbound), name="alerts: rules can be read (TS-824)")
    rules.on(Event.BEFORE_UPDATE, RULE, partial(_check_rule, outbound), name="alerts: rules can be read (TS-824)")
    rules.on(Event.BEFORE_UPDATE, RULE, _tell_of_switch, name="alerts: switching off is an event (TS-826)")
    rules.on(Event.BEFORE_DELETE, RULE, _tell_of_removal, name="alerts: switching off is an event (TS-826)")
    rules.on(Event.BEFORE_DELETE, ALERT, _keep, name="alerts: their history stays (TS-003)")
    rules.on(
        Event.BEFORE_CREATE, DESTINATION, partial(_check_new, outbound), name="stream: allowed destinations (TS-819)"
    )
    rules.on(
        Event.BEFORE_UPDATE, DESTINATION, partial(_check_change, outbound), name="stream: allowed destinations (TS-819)"
    )
    for event in (Event.BEFORE_CREATE, Event.BEFORE_UPDATE):
        rules.on(event, WITNESS, partial(_check_witness, outbound), name="witnesses: allowed addresses (TS-815)")


def _check_rule(outbound: Outbound, session: Session, row: Row, values: dict[str, Value]) -> None:
    whole = {**row.values, **values}
    read_rule(session.schema, row.id, text(row, "code"), whole, session.now)
    check_recipients(whole, outbound)


def _tell_of_switch(session: Session, row: Row, values: dict[str, Value]) -> None:
    if not is_on(row) or (values.get("isenabled", True) is True and values.get("statecode", 0) == 0):
        return
    why = values.get("offreason")
    if not isinstance(why, str) or not why.strip():
        raise InvalidRequest(
            "A rule is switched off with the reason: set 'offreason' in the same request.",
            details={"reason": "reason-missing", "rule": "TS-826", "target": "offreason"},
        )
    rule_off(session, row, "switched off", why)


def _tell_of_removal(session: Session, row: Row, _: dict[str, Value]) -> None:
    if text(row, "code"):
        raise Conflict(
            f"The rule '{text(row, 'name')}' came with the platform: it is switched off, not removed.",
            details={"reason": "shipped-rule", "rule": "TS-826", "target": "alertrule"},
        )
    rule_off(session, row, "removed", "")


def _keep(_: Session, row: Row, __: dict[str, Value]) -> None:
    raise AccessDenied(
        "Alerts are a ledger: they are closed, not removed, nor what they hang on. Switch a rule off instead.",
        code="0x80048306",
        details={"reason": "ledger-table", "rule": "TS-003", "target": row.table.logical_name},
    )


def _check_witness(outbound: Outbound, _: Session, row: Row, values: dict[str, Value]) -> None:
    if row.values.get("name") not in (None, values.get("name", row.values.get("name"))):
        raise InvalidRequest(
            "The name of a witness is how it is known how far it has come: make a new one instead.",
            details={"reason": "name-fixed", "rule": "TS-815", "target": "name"},
        )
    check_witness({**row.values, **values}, outbound)


def _check_new(outbound: Outbound, _: Session, __: Row, values: dict[str, Value]) -> None:
    check_destination(values, outbound)


def _check_change(outbound: Outbound, _: Session, row: Row, values: dict[str, Value]) -> None:
    if "name" in values and values["name"] != row.values.get("name"):
        raise InvalidRequest(
            "The name of a destination is how its place in the log is kept: make a new one instead.",
            details={"reason": "name-fixed", "rule": "TS-818", "target": "name"},
        )
    check_destination({**row.values, **values}, outbound)
