"""The rules that the lockbox hangs in the verbs: its evidence is changed by nobody, and protection does not end at once
(TS-003, TS-1508)."""

from datetime import timedelta

from strongroom.clock import iso
from strongroom.errors import AccessDenied
from strongroom.identity.directory import text
from strongroom.lockbox.tables import COMMAND, EXCLUSION, POLICY, REQUEST, SESSION
from strongroom.records import Event, Rules, Session
from strongroom.store.protocol import Row, Value

PROTECTION_ENDS_AFTER = timedelta(hours=24)
"""So that whoever switches protection off cannot use that at once."""


def register_rules(rules: Rules) -> None:
    """Hang all of them. In an environment without these tables they never run."""
    for table in (COMMAND, SESSION, REQUEST, EXCLUSION):
        for event in (Event.BEFORE_CREATE, Event.BEFORE_UPDATE, Event.BEFORE_DELETE):
            rules.on(event, table, _refuse, name="lockbox: evidence that nobody edits (TS-003)")
    rules.on(Event.BEFORE_UPDATE, POLICY, _delay, name="lockbox: protection ends a day later (TS-1508)")
    rules.on(Event.BEFORE_DELETE, POLICY, _refuse, name="lockbox: policies are changed, not removed (TS-1508)")


def _refuse(_: Session, row: Row, __: dict[str, Value]) -> None:
    raise AccessDenied(
        f"'{row.table.logical_name}' is a ledger: its rows are written by the platform, by the lockbox's own actions.",
        code="0x80048306",
        details={"reason": "ledger-table", "rule": "TS-003", "target": row.table.logical_name},
    )


def _delay(session: Session, row: Row, values: dict[str, Value]) -> None:
    if values.get("isprotected") is False and row.values.get("isprotected") is True:
        values["protectionendson"] = text(row, "protectionendson") or iso(session.clock.now() + PROTECTION_ENDS_AFTER)
    elif values.get("isprotected") is True:
        values["protectionendson"] = None
