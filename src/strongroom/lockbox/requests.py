"""Asking for access, deciding and ending (TS-1501 to TS-1506), in the control environment.

    asked ──► a second person of support agrees ──► Action needed ──► Approved ──► Ended
                                                        │               └────────► Revoked
                                                        ├──────────────► Denied
                                                        └──────────────► Expired (no answer is a no)

Who may do what is decided by privileges: Create on `lockboxrequest` asks (role Support), Write on it decides (role
Lockbox Approver). Nobody decides on their own request, the second person of support does not decide for the customer,
and an approval may narrow what was asked for, never widen it. Every step is a change of the row, which the trail tells.
"""

from datetime import timedelta

from strongroom.audit.activities import Activity
from strongroom.clock import iso
from strongroom.errors import AccessDenied, Conflict, InvalidRequest
from strongroom.identity.directory import change, make, number, text
from strongroom.ids import Guid
from strongroom.lockbox.reach import reach_of
from strongroom.lockbox.scope import Scope, check_scope, scope_in
from strongroom.lockbox.sessions import begin_session, end_session
from strongroom.lockbox.steps import demand_other, name_of, not_pending, reason_in, token_for
from strongroom.lockbox.tables import REQUEST
from strongroom.records import Session
from strongroom.records.activity import tell
from strongroom.records.authorize import demand_existing, demand_privilege
from strongroom.schema.model import Rights
from strongroom.store.protocol import Row, Transaction

ACTION_NEEDED, APPROVED, DENIED, EXPIRED, REVOKED, ENDED = 1, 2, 3, 4, 5, 6
"""`lockboxrequest.requeststatus`."""


def ask(session: Session, environment: str, scope: Scope, minutes: int, why: str, case: str | None) -> Row:
    """A new request of the caller."""
    reach = reach_of(session)
    demand_privilege(session, session.table(REQUEST), Rights.CREATE)
    name = reach.name_of(environment)
    settings = reach.home.settings.lockbox
    _demand_minutes(minutes, settings.max_minutes)
    with reach.writing(name) as there:
        check_scope(there.schema, scope)
    requester = session.caller.facts.name
    return make(
        session,
        REQUEST,
        {
            "name": f"{requester} in {name}: {', '.join(sorted(scope.tables))}"[:300],
            "supportcase": case,
            "environmentname": name,
            "requesterid": session.user,
            "justification": reason_in(why, "Justification"),
            "accessminutes": minutes,
            "requestedon": session.now,
            "expireson": iso(session.clock.now() + timedelta(hours=settings.request_hours)),
            "requeststatus": ACTION_NEEDED,
            **scope.values(),
        },
    )


def approve_internally(session: Session, request: Guid) -> Row:
    """A second person of support agrees that the request may be put to the customer (TS-1502)."""
    demand_privilege(session, session.table(REQUEST), Rights.CREATE)
    row = _pending(session, request, Rights.READ)
    demand_other(session, row, "requesterid")
    change(session, row, {"internallyapprovedby": session.user})
    return row


def approve(session: Session, request: Guid, minutes: int | None, scope: Scope | None) -> Row:
    """The customer says yes, to all of it or to less. Access begins at once."""
    reach = reach_of(session)
    row = _pending(session, request, Rights.WRITE)
    _demand_decider(session, row)
    asked, asked_minutes = scope_in(row), number(row, "accessminutes")
    granted, granted_minutes = scope or asked, minutes or asked_minutes
    if granted_minutes > asked_minutes or granted_minutes < 1 or not granted.within(asked):
        raise InvalidRequest(
            "An approval may give less than was asked for, never more: of the minutes, tables, verbs and columns.",
            details={"reason": "cannot-widen", "rule": "TS-1502", "target": "lockboxrequest"},
        )
    change(
        session,
        row,
        {
            "requeststatus": APPROVED,
            "decidedby": session.user,
            "decidedon": session.now,
            "accessminutes": granted_minutes,
            **granted.values(),
        },
    )
    with reach.writing(text(row, "environmentname")) as there:
        opened = begin_session(
            there,
            request=row.id,
            name=text(row, "name"),
            requester=name_of(session, row, "requesterid"),
            why=text(row, "justification"),
            scope=granted,
            minutes=granted_minutes,
            emergency=False,
        )
        tell(there, Activity.SUPPORT_ACCESS, table="lockboxsession", row=opened.id, details={"step": "approved"})
    change(session, row, {"sessionuid": opened.id, "accessexpireson": text(opened, "accessexpireson")})
    return row


def deny(session: Session, request: Guid, why: str) -> Row:
    """The customer says no."""
    row = _pending(session, request, Rights.WRITE)
    _demand_decider(session, row)
    change(
        session,
        row,
        {
            "requeststatus": DENIED,
            "decidedby": session.user,
            "decidedon": session.now,
            "decision": reason_in(why, "Reason", least=1),
        },
    )
    return row


def revoke(session: Session, request: Guid, why: str) -> Row:
    """End an access now: by whoever decides, or by the one who has it."""
    reach = reach_of(session)
    row = _request(session, request, Rights.READ)
    is_own = row.values.get("requesterid") == session.user
    if not is_own:
        demand_privilege(session, session.table(REQUEST), Rights.WRITE)
    if number(row, "requeststatus") != APPROVED:
        raise not_pending("Only an access that is approved can be ended.")
    with reach.writing(text(row, "environmentname")) as there:
        end_session(there, Guid(text(row, "sessionuid")))
        tell(there, Activity.SUPPORT_ACCESS, table="lockboxsession", details={"step": "ended", "request": request})
    change(
        session,
        row,
        {
            "requeststatus": ENDED if is_own else REVOKED,
            "decision": reason_in(why, "Reason", least=1),
            "accessexpireson": session.now,
        },
    )
    return row


def open_access(session: Session, request: Guid) -> tuple[str, str]:
    """A bearer token for the access that was approved to the caller, and when it ends."""
    row = _request(session, request, Rights.READ)
    if row.values.get("requesterid") != session.user:
        raise AccessDenied(
            "An access is for the one who asked for it.",
            code="0x80048306",
            details={"reason": "not-yours", "rule": "TS-1504", "target": "lockboxrequest"},
        )
    if number(row, "requeststatus") != APPROVED:
        raise not_pending("This request is not approved.")
    return token_for(session, text(row, "environmentname"), Guid(text(row, "sessionuid")))


def is_due(transaction: Transaction, now: str) -> bool:
    """Whether something is over that is not said to be."""
    table = transaction.schema.tables[REQUEST]
    waiting = transaction.rows_where(table, {"requeststatus": ACTION_NEEDED})
    standing = transaction.rows_where(table, {"requeststatus": APPROVED})
    return any(text(row, "expireson") <= now for row in waiting) or any(
        "" < text(row, "accessexpireson") <= now for row in standing
    )


def expire(session: Session) -> int:
    """Say of requests that nobody answered, and of accesses whose time is over, that they are over (TS-1503); how many.
    Nothing waits for it: what is over is refused anyway."""
    over = 0
    for row in session.transaction.rows_where(session.table(REQUEST), {"requeststatus": ACTION_NEEDED}):
        if text(row, "expireson") <= session.now:
            change(session, row, {"requeststatus": EXPIRED})
            over += 1
    for row in session.transaction.rows_where(session.table(REQUEST), {"requeststatus": APPROVED}):
        if "" < text(row, "accessexpireson") <= session.now:
            change(session, row, {"requeststatus": ENDED})
            over += 1
    return over


def _request(session: Session, request: Guid, right: Rights) -> Row:
    reach_of(session)
    return demand_existing(session, session.table(REQUEST), request, right)


def _pending(session: Session, request: Guid, right: Rights) -> Row:
    row = _request(session, request, right)
    if number(row, "requeststatus") != ACTION_NEEDED or text(row, "expireson") <= session.now:
        raise not_pending("This request waits for no decision any more.")
    return row


def _demand_decider(session: Session, row: Row) -> None:
    """Who asked, and who agreed for support, does not decide for the customer (TS-1502)."""
    demand_other(session, row, "requesterid")
    if row.values.get("internallyapprovedby") is None:
        raise Conflict(
            "A second person of support has to agree first (ApproveInternally).",
            details={"reason": "not-approved-internally", "rule": "TS-1502", "target": "lockboxrequest"},
        )
    demand_other(session, row, "internallyapprovedby")


def _demand_minutes(minutes: int, most: int) -> None:
    if not 1 <= minutes <= most:
        raise InvalidRequest(
            f"An access lasts 1 to {most} minutes (lockbox.max_minutes).",
            details={"reason": "bad-minutes", "rule": "TS-1504", "target": "Minutes"},
        )
