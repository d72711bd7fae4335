"""Alerts as rows: what a rule found, who looks after it, and how it ended (TS-825, TS-826).

Findings are written in the platform's name. People acknowledge and close by the actions in `strongroom.messages`, with
Write on the alert. Closing needs a note. Whoever is involved in an alert of severity High or above, because entries
behind it are theirs, can only propose to close it: somebody else has to agree.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import orjson

from strongroom.audit.activities import Activity
from strongroom.audit.proofs import inclusion
from strongroom.clock import iso
from strongroom.errors import AccessDenied, Conflict, InvalidRequest, NotFound
from strongroom.identity.directory import change, make, note, number, text
from strongroom.ids import Guid, Reference
from strongroom.monitoring.rules import Severity
from strongroom.monitoring.tables import ALERT, RULE
from strongroom.monitoring.watching import Added, Counted, Raised, users_of
from strongroom.records import Session
from strongroom.records.activity import tell
from strongroom.records.authorize import demand_existing
from strongroom.schema.model import Rights
from strongroom.store.protocol import Row, Transaction, Value

NEW, ACKNOWLEDGED, IN_PROGRESS, RESOLVED, FALSE_POSITIVE = 1, 2, 3, 4, 5
"""`alert.state`."""

MOST_ROWS = 200
"""Entries that an alert names; beyond, it counts."""

_MOST_USERS = 100
_LONGEST_NOTE = 4000
_MOST_MINUTES = 30 * 24 * 60


# --- findings ------------------------------------------------------------------------------------------------------


def raise_alert(session: Session, finding: Raised, *, is_told: bool) -> Row:
    """The row of a new alert. `is_told`: nobody but the console is to be told, so that has happened."""
    rule, counted = finding.rule, finding.counted
    group = f": {finding.group}" if finding.group else ""
    return _raised(
        session,
        {
            "name": f"{rule.name}{group}"[:500],
            "alertruleid": Reference(RULE, rule.id),
            "code": rule.code or None,
            "severity": rule.severity.value,
            "state": NEW,
            "groupvalue": finding.group or None,
            "hits": len(counted),
            "total": min(finding.total, 2_147_483_647),
            "firsthiton": _dated(counted[0]),
            "lasthiton": _dated(counted[-1]),
            "suppresseduntil": iso(datetime.fromtimestamp(finding.quiet_until, UTC)),
            "trailrows": _named(counted),
            "involvedusers": " ".join(sorted(users_of(counted))[:_MOST_USERS]) or None,
            "toldon": session.now if is_told else None,
            "tellattempts": 0,
        },
    )


def raise_directly(
    session: Session, code: str, name: str, severity: Severity, about: str, *, words: str = "", once: bool = False
) -> Row | None:
    """An alert about what is in no entry of the trail. One that is open already is not raised again; with `once` nor is
    one that was closed. `words` is what people are told besides."""
    known = session.transaction.rows_where(session.table(ALERT), {"groupvalue": about[:400]})
    if any(text(row, "code") == code and (once or number(row, "state") < RESOLVED) for row in known):
        return None
    return _raised(
        session,
        {
            "name": f"{name}: {about}"[:500],
            "code": code,
            "severity": severity.value,
            "state": NEW,
            "groupvalue": about[:400],
            "hits": 0,
            "total": 0,
            "firsthiton": session.now,
            "lasthiton": session.now,
            "tellattempts": 0,
            "note": words or None,
        },
    )


def _raised(session: Session, values: dict[str, Value]) -> Row:
    """A new alert, which is an event of its own whatever is audited."""
    row = make(session, ALERT, values)
    told = {"name": text(row, "name"), "code": text(row, "code"), "severity": number(row, "severity")}
    tell(session, Activity.ALERT_RAISED, table=ALERT, row=row.id, details={**told, "entries": number(row, "hits")})
    return row


def add_entries(session: Session, found: Sequence[Added]) -> None:
    """Entries that belong to alerts whose suppression has not ended."""
    together: dict[tuple[Guid, str], list[Added]] = {}
    for each in found:
        together.setdefault((each.rule.id, each.group), []).append(each)
    for (rule, group), added in together.items():
        row = newest(session.transaction, rule, group)
        if row is None:
            continue
        counted = tuple(each.counted for each in added)
        users = set(text(row, "involvedusers").split()) | users_of(counted)
        more: dict[str, Value] = {
            "hits": number(row, "hits") + len(counted),
            "total": min(number(row, "total") + sum(each.weight for each in counted), 2_147_483_647),
            "lasthiton": max(text(row, "lasthiton"), _dated(counted[-1])),
            "involvedusers": " ".join(sorted(users)[:_MOST_USERS]) or None,
            "trailrows": _named(counted, text(row, "trailrows")),
        }
        note(session, row, more)


def newest(transaction: Transaction, rule: Guid, group: str) -> Row | None:
    """The last alert of a rule for a group."""
    wanted: dict[str, Value] = {"alertruleid": Reference(RULE, rule), "groupvalue": group or None}
    if not group:
        del wanted["groupvalue"]
    found = transaction.rows_where(transaction.schema.tables[ALERT], wanted)
    return next((row for row in reversed(found) if text(row, "groupvalue") == group), None)


def suppressed(transaction: Transaction, rule: Guid, now: str) -> list[Row]:
    """The alerts of a rule that further entries are still added to."""
    found = transaction.rows_where(transaction.schema.tables[ALERT], {"alertruleid": Reference(RULE, rule)})
    return [row for row in found if text(row, "suppresseduntil") > now]


# --- people --------------------------------------------------------------------------------------------------------


def acknowledge(session: Session, alert: Guid, said: str | None) -> Row:
    """Somebody looks after it."""
    row = _open(session, alert)
    if number(row, "state") != NEW:
        raise Conflict("This alert is acknowledged already.", details=_reason("not-new", "TS-825"))
    change(
        session,
        row,
        {
            "state": ACKNOWLEDGED,
            "acknowledgedby": session.user,
            "acknowledgedon": session.now,
            "note": _noted(session, row, said),
        },
    )
    return row


def suppress(session: Session, alert: Guid, minutes: int, why: str) -> Row:
    """Add further entries to this alert for so long, instead of raising new ones."""
    row = _open(session, alert)
    if not 1 <= minutes <= _MOST_MINUTES:
        raise InvalidRequest(
            f"An alert is suppressed for 1 to {_MOST_MINUTES} minutes.", details=_reason("bad-minutes", "TS-825")
        )
    until = iso(session.clock.now() + timedelta(minutes=minutes))
    change(session, row, {"suppresseduntil": until, "suppressionreason": _said(why, "Reason")[:500]})
    return row


def close(session: Session, alert: Guid, state: int, said: str) -> Row:
    """End it as resolved or as a false positive; or propose that, where the caller is involved (TS-826)."""
    row = _open(session, alert)
    if state not in (RESOLVED, FALSE_POSITIVE):
        raise InvalidRequest(
            "An alert is closed as 4 (Resolved) or 5 (False positive).", details=_reason("bad-state", "TS-825")
        )
    noted = _noted(session, row, _said(said, "Note"))
    is_grave = Severity(number(row, "severity") or 1).is_grave
    involved = text(row, "involvedusers").split()
    if is_grave and not {session.caller.id, session.caller.initiating_id}.isdisjoint(involved):
        proposed = row.values.get("proposedby")
        if proposed is not None:
            raise AccessDenied(
                "Closing this alert was proposed already by somebody who is involved; another person has to agree.",
                code="0x80048306",
                details=_reason("own-alert", "TS-826"),
            )
        change(session, row, {"state": IN_PROGRESS, "proposedby": session.user, "note": noted})
        return row
    change(session, row, {"state": state, "closedby": session.user, "closedon": session.now, "note": noted})
    return row


def rule_off(session: Session, row: Row, how: str, why: str) -> None:
    """Tell the trail that a rule does not watch any more (TS-826)."""
    tell(
        session,
        Activity.ALERT_RULE_OFF,
        table=RULE,
        row=row.id,
        details={"rule": text(row, "name"), "code": text(row, "code"), "how": how, "reason": why},
    )


# --- evidence ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Evidence:
    """One entry behind an alert, with its place in the log and the proof that it stands there."""

    sequence: int
    table: str
    id: Guid
    leaf_hash: str
    tree_size: int
    path: tuple[str, ...]


def evidence(session: Session, alert: Guid) -> list[Evidence]:
    """The entries behind an alert, with their proofs in the newest signed head (TS-825)."""
    row = demand_existing(session, session.table(ALERT), alert, Rights.READ)
    log = session.transaction.log
    found: list[Evidence] = []
    for sequence, table, identity in orjson.loads(text(row, "trailrows") or "[]"):
        leaf = next(iter(log.leaves(sequence, 1)), None)
        if leaf is None or leaf.audit_id != identity:
            raise NotFound(f"The entry {identity} behind this alert is not in the log any more.")
        size, path = inclusion(log, sequence, None)
        found.append(Evidence(sequence, table, Guid(identity), leaf.hash, size, tuple(each.hex() for each in path)))
    return found


# --- parts ---------------------------------------------------------------------------------------------------------


def _open(session: Session, alert: Guid) -> Row:
    row = demand_existing(session, session.table(ALERT), alert, Rights.WRITE)
    if number(row, "state") >= RESOLVED:
        raise Conflict("This alert is closed.", details=_reason("closed", "TS-825"))
    return row


def _said(said: str, name: str) -> str:
    if not said.strip():
        raise InvalidRequest(f"'{name}' says why: write a sentence.", details=_reason("note-missing", "TS-825"))
    return said.strip()[:_LONGEST_NOTE]


def _noted(session: Session, row: Row, said: str | None) -> str | None:
    """The notes so far, and one more with who says it."""
    before = text(row, "note")
    if not said or not said.strip():
        return before or None
    line = f"{session.now} {session.caller.facts.name}: {said.strip()[:_LONGEST_NOTE]}"
    return f"{before}\n{line}".strip()


def _named(counted: Sequence[Counted], before: str = "") -> str:
    """The entries by place, table and id."""
    known: list[list[object]] = orjson.loads(before) if before else []
    more = [[each.entry.sequence, each.entry.row.table.logical_name, each.entry.row.id] for each in counted]
    return orjson.dumps([*known, *more][:MOST_ROWS]).decode()


def _dated(counted: Counted) -> str:
    return str(counted.entry.row.values["createdon"])


def _reason(reason: str, rule: str) -> dict[str, object]:
    return {"reason": reason, "rule": rule, "target": "alert"}
