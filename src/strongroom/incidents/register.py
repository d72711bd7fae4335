"""What is done about an incident: declared a breach, scoped, notified, closed (TS-1601 to TS-1607).

Everything leaves a step in the timeline, which is a ledger, besides the entries of the trail. An incident is worked on
by whoever may write it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from strongroom.clock import iso
from strongroom.errors import AccessDenied, Conflict, InvalidRequest
from strongroom.ids import Guid, Reference
from strongroom.incidents import tables
from strongroom.incidents.clock import BreachClock, clock_of
from strongroom.incidents.templates import SHIPPED, filled, missing
from strongroom.records import Event, Rules, Session
from strongroom.records.create import store_new
from strongroom.records.read import require
from strongroom.records.update import write_changes
from strongroom.schema.model import Rights
from strongroom.store.protocol import Row, Value

LEAST_RECIPIENT, MOST_RECIPIENT = tables.TO_AUTHORITY, tables.TO_CUSTOMER


@dataclass(frozen=True, slots=True)
class ScopePart:
    """One table of one environment, as `incidents.exposure` found it."""

    environment: str
    user: Guid
    since: str
    until: str
    table: str
    could: int
    read: int
    changed: int
    is_of_people: bool
    digest: str


@dataclass(frozen=True, slots=True)
class Notice:
    """What a notification says, and what it lacks."""

    content: str
    missing: tuple[str, ...]
    phase: int


def declare_breach(
    session: Session, incident: Guid, risk: int, assessment: str, aware: datetime | None = None
) -> BreachClock:
    """Say that an incident is a personal-data breach, and of what risk; the clock runs from `aware`, or from when the
    incident says. Where no risk is likely, the assessment says why (TS-1601)."""
    row = _incident(session, incident)
    if not tables.NO_RISK <= risk <= tables.HIGH_RISK:
        raise InvalidRequest("RiskLevel is 1 (none likely), 2 (risk) or 3 (high risk).")
    if risk == tables.NO_RISK and not assessment.strip():
        raise _refused("assessment", "Say why no risk is likely: Assessment.", "Assessment")
    now = session.clock.now()
    since = iso(aware) if aware is not None else row.values.get("awareon") or session.now
    if str(since) > iso(now):
        raise InvalidRequest("Nobody is aware of something in the future: AwareOn.")
    changes: dict[str, Value] = {
        "ispersonaldatabreach": True,
        "risklevel": risk,
        "assessment": assessment.strip() or None,
        "awareon": since,
    }
    write_changes(session, row, changes)
    _step(session, row, tables.CLOCK, f"Breach declared: {tables.RISKS[risk - 1]}, aware since {since}", assessment)
    return clock_of(row, now)


def incident_clock(session: Session, incident: Guid) -> BreachClock:
    """The clock of an incident that the caller may read."""
    return clock_of(require(session, session.table(tables.INCIDENT), incident, Rights.READ), session.clock.now())


def add_step(session: Session, incident: Guid, name: str, note: str) -> Guid:
    """Write something into the timeline."""
    row = _incident(session, incident)
    if not name.strip():
        raise InvalidRequest("A step needs a name.")
    return _step(session, row, tables.NOTE, name, note)


def add_known_step(session: Session, incident: Guid, name: str, note: str) -> None:
    """Write into the timeline of an incident that was opened in this session."""
    row = session.transaction.row(session.table(tables.INCIDENT), incident)
    if row is not None:
        _step(session, row, tables.NOTE, name, note)


def add_decision(session: Session, incident: Guid, name: str, note: str) -> Guid:
    """Write into the timeline what was decided and done."""
    return _step(session, _incident(session, incident), tables.DECISION, name, note)


def record_scope(session: Session, incident: Guid, parts: list[ScopePart]) -> int:
    """Keep what an environment's trail told of somebody; how many tables. Numbers of an earlier estimate stay."""
    row = _incident(session, incident)
    for part in parts:
        values: dict[str, Value] = {
            "name": part.table,
            "securityincidentid": row.reference(),
            "environment": part.environment,
            "principalid": part.user,
            "fromtime": part.since,
            "totime": part.until,
            "rowscould": part.could,
            "rowsread": part.read,
            "rowschanged": part.changed,
            "isofpeople": part.is_of_people,
            "digest": part.digest,
        }
        store_new(session, session.table(tables.SCOPE), {**values, "statecode": 0, "statuscode": 1})
    if parts:
        _step(session, row, tables.SCOPED, f"Scope in {parts[0].environment}: {len(parts)} tables", "")
    return len(parts)


def notice(session: Session, incident: Guid, recipient: int) -> Notice:
    """What a notification would say and lacks; nothing is sent."""
    row = _incident(session, incident)
    if not LEAST_RECIPIENT <= recipient <= MOST_RECIPIENT:
        raise InvalidRequest("Recipient is 1 (authority), 2 (people) or 3 (customer).")
    values = _said(session, row)
    template = _template(session, recipient)
    earlier = _notifications(session, row, recipient)
    return Notice(filled(template, values), tuple(missing(recipient, values)), len(earlier) + 1)


def notify(
    session: Session,
    incident: Guid,
    recipient: int,
    *,
    delay_reason: str = "",
    exception: str = "",
    authority: Guid | None = None,
) -> Guid:
    """Record that somebody was told, with what was said, or by `exception` why nobody is (TS-1601 to TS-1605).

    400 `content-missing` names what is missing, 400 `delay-reason` when the 72 hours are over and nobody says why.
    """
    row = _incident(session, incident)
    words = notice(session, incident, recipient)
    if not exception and words.missing:
        raise _refused("content-missing", f"The notification lacks {', '.join(words.missing)}.", words.missing[0])
    clock = clock_of(row, session.clock.now())
    if recipient == tables.TO_AUTHORITY and not exception and clock.is_late and not delay_reason.strip():
        raise _refused("delay-reason", "The 72 hours are over: say why it took longer, DelayReason.", "DelayReason")
    content = "" if exception else words.content
    values: dict[str, Value] = {
        "name": f"{tables.RECIPIENTS[recipient - 1]}: {row.values.get('name')}"[:400],
        "securityincidentid": row.reference(),
        "recipient": recipient,
        "supervisoryauthorityid": None if authority is None else Reference(tables.AUTHORITY, authority),
        "issent": not exception,
        "phase": words.phase,
        "delayreason": delay_reason.strip() or None,
        "reason": exception.strip() or None,
        "content": content or None,
        "contentsha256": sha256(content.encode()).hexdigest() if content else None,
    }
    made = store_new(session, session.table(tables.NOTIFICATION), {**values, "statecode": 0, "statuscode": 1})
    noted = {tables.TO_AUTHORITY: "authoritynotifiedon", tables.TO_SUBJECTS: "subjectsnotifiedon"}.get(recipient)
    if noted is not None and not exception and row.values.get(noted) is None:
        write_changes(session, row, {noted: session.now})
    told = "told" if not exception else "not told"
    _step(session, row, tables.NOTIFIED, f"{tables.RECIPIENTS[recipient - 1]} {told}", delay_reason or exception)
    return made.id


def close_incident(session: Session, incident: Guid, lessons: str) -> None:
    """Close an incident: with lessons, without open tasks, and with whoever had to be told having been told, or the
    reason why not (TS-1607). 409 `follow-ups-open` names what is open."""
    row = _incident(session, incident)
    if row.values.get("state") == tables.CLOSED:
        raise Conflict("This incident is closed already.")
    if not lessons.strip():
        raise InvalidRequest("Say what was learned: Lessons.")
    still_open = _still_open(session, row)
    if still_open:
        raise Conflict(
            f"Still open: {', '.join(still_open)}.",
            code="follow-ups-open",
            details={"reason": "follow-ups-open", "rule": "TS-1607", "target": "SecurityIncidentId"},
        )
    write_changes(session, row, {"state": tables.CLOSED, "lessons": lessons.strip(), "closedon": session.now})
    _step(session, row, tables.STATE, "Closed", lessons)


def register_rules(rules: Rules) -> None:
    """Hang the rules of the tables in the verbs. In an environment without these tables they never run."""
    rules.on(Event.BEFORE_CREATE, tables.INCIDENT, _begin, name="incidents: when and in what state they begin")
    rules.on(Event.AFTER_CREATE, tables.INCIDENT, _tell_begin, name="incidents: the first step (TS-1607)")
    rules.on(Event.BEFORE_UPDATE, tables.INCIDENT, _change, name="incidents: the clock is not moved unseen (TS-1601)")
    rules.on(Event.BEFORE_DELETE, tables.INCIDENT, _refuse, name="incidents: the register keeps all of them (TS-1607)")


def _begin(session: Session, _: Row, values: dict[str, Value]) -> None:
    values["detectedon"] = values.get("detectedon") or session.now
    values["severity"] = values.get("severity") or 2
    values["state"] = values.get("state") or tables.NEW
    if values["state"] == tables.CLOSED:
        raise InvalidRequest("An incident does not begin closed.")


def _tell_begin(session: Session, row: Row, _: dict[str, Value]) -> None:
    _step(session, row, tables.STATE, "Opened", "")


def _change(session: Session, row: Row, changes: dict[str, Value]) -> None:
    if row.values.get("state") == tables.CLOSED:
        raise Conflict("A closed incident is not changed any more: open a new one that names it.")
    state, aware = changes.get("state"), changes.get("awareon")
    if state == tables.CLOSED:
        raise InvalidRequest("An incident is closed by CloseIncident, which asks for lessons.")
    if "awareon" in changes and row.values.get("awareon") not in (None, aware):
        reason = changes.get("awarereason")
        if not isinstance(reason, str) or not reason.strip():
            raise _refused("aware-reason", "Say why the clock is moved, in the same change: awarereason.", "awareon")
        _step(session, row, tables.CLOCK, f"Aware since {aware} instead of {row.values['awareon']}", reason)
    if isinstance(state, int) and state != row.values.get("state"):
        if state == tables.CONTAINED and row.values.get("containedon") is None:
            changes["containedon"] = session.now
        _step(session, row, tables.STATE, tables.STATES[state - 1], "")


def _refuse(_: Session, row: Row, __: dict[str, Value]) -> None:
    raise AccessDenied(
        "The register keeps every incident, also those that nobody was told of.",
        code="0x80048306",
        details={"reason": "ledger-table", "rule": "TS-003", "target": row.table.logical_name},
    )


def _incident(session: Session, incident: Guid) -> Row:
    return require(session, session.table(tables.INCIDENT), incident, Rights.WRITE)


def _step(session: Session, incident: Row, kind: int, name: str, note: str) -> Guid:
    values: dict[str, Value] = {
        "name": name.strip()[:400],
        "securityincidentid": incident.reference(),
        "kind": kind,
        "note": note.strip() or None,
        "author": session.user,
        "statecode": 0,
        "statuscode": 1,
    }
    return store_new(session, session.table(tables.STEP), values).id


def _said(session: Session, row: Row) -> Mapping[str, str]:
    """What stands for the names in a template."""
    scopes = session.transaction.rows_where(session.table(tables.SCOPE), {"securityincidentid": row.reference()})
    seen = [
        (bool(each.values["isofpeople"]), _number(each, "rowsread") + _number(each, "rowschanged")) for each in scopes
    ]
    texts = {name: str(row.values.get(name) or "") for name in ("name", "awareon", *_TEXTS)}
    return {
        **texts,
        "rows": f"{sum(number for _, number in seen):,}",
        "people": f"{sum(number for is_of_people, number in seen if is_of_people):,}",
    }


_TEXTS = ("nature", "categories", "contact", "consequences", "measures")


def _number(row: Row, name: str) -> int:
    value = row.values.get(name)
    return value if isinstance(value, int) else 0


def _template(session: Session, recipient: int) -> str:
    found = session.transaction.rows_where(session.table(tables.TEMPLATE), {"recipient": recipient, "statecode": 0})
    return str(found[-1].values.get("content") or "") if found else SHIPPED[recipient]


def _notifications(session: Session, row: Row, recipient: int) -> list[Row]:
    about: dict[str, Value] = {"securityincidentid": row.reference(), "recipient": recipient}
    return session.transaction.rows_where(session.table(tables.NOTIFICATION), about)


def _still_open(session: Session, row: Row) -> list[str]:
    tasks = session.transaction.rows_where(session.table(tables.TASK), {"securityincidentid": row.reference()})
    still_open = [f"task '{task.values.get('name')}'" for task in tasks if not task.values.get("isdone")]
    if row.values.get("ispersonaldatabreach"):
        risk = row.values.get("risklevel")
        if risk != tables.NO_RISK and not _notifications(session, row, tables.TO_AUTHORITY):
            still_open.append("the authority")
        if risk == tables.HIGH_RISK and not _notifications(session, row, tables.TO_SUBJECTS):
            still_open.append("the people concerned")
    return still_open


def _refused(reason: str, message: str, target: str) -> InvalidRequest:
    return InvalidRequest(message, code=reason, details={"reason": reason, "rule": "TS-1601", "target": target})
