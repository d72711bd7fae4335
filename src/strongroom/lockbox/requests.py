"""Asking for access, deciding, ending, and emergencies (TS-1501 to TS-1507), in the control environment.

    asked ──► a second person of support agrees ──► Action needed ──► Approved ──► Ended
                                                        │               └────────► Revoked
                                                        ├──────────────► Denied
                                                        └──────────────► Expired (no answer is a no)

Who may do what is decided by privileges: Create on `lockboxrequest` asks (role Support), Write on it decides (role
Lockbox Approver). Nobody decides on their own request, the second person of support does not decide for the customer,
and an approval may narrow what was asked for, never widen it. Every step is a change of the row, which the trail tells.
"""

from datetime import datetime, timedelta

from strongroom.audit.activities import Activity
from strongroom.clock import iso
from strongroom.errors import AccessDenied, Conflict, InvalidRequest
from strongroom.identity.directory import change, find, flag, make, number, text
from strongroom.ids import Guid, Reference
from strongroom.lockbox.reach import Reach, reach_of
from strongroom.lockbox.scope import Scope, check_scope, scope_in, whole_scope
from strongroom.lockbox.sessions import begin_session, end_session
from strongroom.lockbox.tables import EXCLUSION, POLICY, REQUEST
from strongroom.records import Session
from strongroom.records.activity import tell
from strongroom.records.authorize import demand_existing, demand_privilege
from strongroom.schema.model import Rights
from strongroom.store.protocol import Row

ACTION_NEEDED, APPROVED, DENIED, EXPIRED, REVOKED, ENDED = 1, 2, 3, 4, 5, 6
"""`lockboxrequest.requeststatus`."""

SECOND_PERSON, OPEN, OVER, REVIEWED, LAPSED = 1, 2, 3, 4, 5
"""`lockboxexclusion.exclusionstate`."""

BREAK_GLASS_MINUTES = 60
_SECOND_PERSON_WITHIN = timedelta(minutes=30)
_REVIEW_WITHIN_DAYS = 3
_LEAST_REASON, _LONGEST_REASON = 10, 4000


# --- requests ------------------------------------------------------------------------------------------------------


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
            "justification": _reason(why, "Justification"),
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
    _demand_other(session, row, "requesterid")
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
            requester=_name_of(session, row, "requesterid"),
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
            "decision": _reason(why, "Reason", least=1),
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
        raise _not_pending("Only an access that is approved can be ended.")
    with reach.writing(text(row, "environmentname")) as there:
        end_session(there, Guid(text(row, "sessionuid")))
        tell(there, Activity.SUPPORT_ACCESS, table="lockboxsession", details={"step": "ended", "request": request})
    change(
        session,
        row,
        {
            "requeststatus": ENDED if is_own else REVOKED,
            "decision": _reason(why, "Reason", least=1),
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
        raise _not_pending("This request is not approved.")
    return _token(session, text(row, "environmentname"), Guid(text(row, "sessionuid")))


def expire(session: Session) -> int:
    """Say of requests that nobody answered, and of accesses whose time is over, that they are over (TS-1503); how many.
    Nothing waits for it: what is over is refused anyway."""
    number_of = 0
    for row in session.transaction.rows_where(session.table(REQUEST), {"requeststatus": ACTION_NEEDED}):
        if text(row, "expireson") <= session.now:
            change(session, row, {"requeststatus": EXPIRED})
            number_of += 1
    for row in session.transaction.rows_where(session.table(REQUEST), {"requeststatus": APPROVED}):
        if "" < text(row, "accessexpireson") <= session.now:
            change(session, row, {"requeststatus": ENDED})
            number_of += 1
    for row in session.transaction.rows_where(session.table(EXCLUSION), {"exclusionstate": OPEN}):
        if text(row, "accessexpireson") <= session.now:
            change(session, row, {"exclusionstate": OVER})
            number_of += 1
    return number_of


# --- emergencies ---------------------------------------------------------------------------------------------------


def break_glass(session: Session, environment: str, why: str, second: Guid) -> Row:
    """An operator asks for access without consent, to restore the service; `second` has to agree (TS-1507)."""
    reach = reach_of(session)
    demand_privilege(session, session.table(EXCLUSION), Rights.CREATE)
    name = reach.name_of(environment)
    policy = find(session.transaction, POLICY, name=name)
    if policy is not None and not flag(policy, "allowsbreakglass"):
        raise AccessDenied(
            f"The owner of '{name}' allows no access without consent, also not in an emergency.",
            code="0x80048306",
            details={"reason": "break-glass-off", "rule": "TS-1507", "target": "EnvironmentId"},
        )
    if second == session.caller.id:
        raise _same_person("The second operator is somebody else.")
    other = session.transaction.row(session.table("systemuser"), second)
    if other is None or flag(other, "isdisabled"):
        raise InvalidRequest(
            "SecondOperatorId names an enabled user of the control environment.",
            details={"reason": "unknown-user", "rule": "TS-1507", "target": "SecondOperatorId"},
        )
    return make(
        session,
        EXCLUSION,
        {
            "name": f"{session.caller.facts.name} in {name}"[:300],
            "environmentname": name,
            "operatorid": session.user,
            "secondoperatorid": other.reference(),
            "reason": _reason(why, "Reason"),
            "exclusionstate": SECOND_PERSON,
        },
    )


def confirm_break_glass(session: Session, exclusion: Guid) -> Row:
    """The second operator agrees: access begins, the customer is told at once, and a review is due."""
    reach = reach_of(session)
    demand_privilege(session, session.table(EXCLUSION), Rights.CREATE)
    row = _exclusion(session, exclusion, SECOND_PERSON)
    if row.values.get("secondoperatorid") != session.user:
        raise _same_person("The second operator who was named has to agree.")
    asked = datetime.fromisoformat(text(row, "createdon"))
    if session.clock.now() - asked > _SECOND_PERSON_WITHIN:
        change(session, row, {"exclusionstate": LAPSED})
        return row
    name = text(row, "environmentname")
    with reach.writing(name) as there:
        opened = begin_session(
            there,
            request=row.id,
            name=f"EMERGENCY {text(row, 'name')}",
            requester=_name_of(session, row, "operatorid"),
            why=text(row, "reason"),
            scope=whole_scope(there.schema),
            minutes=BREAK_GLASS_MINUTES,
            emergency=True,
        )
        tell(there, Activity.BREAK_GLASS, table="lockboxsession", row=opened.id, details={"exclusion": row.id})
    tell(session, Activity.BREAK_GLASS, table=EXCLUSION, row=row.id, details={"environment": name})
    change(
        session,
        row,
        {
            "exclusionstate": OPEN,
            "sessionuid": opened.id,
            "accessexpireson": text(opened, "accessexpireson"),
            "reviewdueon": iso(_working_days_after(session.clock.now(), _REVIEW_WITHIN_DAYS)),
        },
    )
    return row


def open_emergency(session: Session, exclusion: Guid) -> tuple[str, str]:
    """A bearer token for the operator whose emergency two people stand for, and when it ends."""
    row = _exclusion(session, exclusion, OPEN)
    if row.values.get("operatorid") != session.user:
        raise _same_person("The access is for the operator who asked for it.")
    return _token(session, text(row, "environmentname"), Guid(text(row, "sessionuid")))


def end_emergency(session: Session, exclusion: Guid) -> Row:
    """End an emergency access now: by an operator of it, or by whoever decides for the customer."""
    reach = reach_of(session)
    row = _exclusion(session, exclusion, OPEN)
    if session.user not in (row.values.get("operatorid"), row.values.get("secondoperatorid")):
        demand_privilege(session, session.table(REQUEST), Rights.WRITE)
    with reach.writing(text(row, "environmentname")) as there:
        end_session(there, Guid(text(row, "sessionuid")))
    change(session, row, {"exclusionstate": OVER, "accessexpireson": session.now})
    return row


def review(session: Session, exclusion: Guid, said: str) -> Row:
    """The customer's review of an emergency: by whoever decides, not by the operators of it."""
    demand_privilege(session, session.table(REQUEST), Rights.WRITE)
    row = _exclusion(session, exclusion, OVER)
    if session.user in (row.values.get("operatorid"), row.values.get("secondoperatorid")):
        raise _same_person("An emergency is reviewed by somebody who was no part of it.")
    change(
        session,
        row,
        {
            "exclusionstate": REVIEWED,
            "reviewedby": session.user,
            "reviewedon": session.now,
            "review": _reason(said, "Note", least=1),
        },
    )
    return row


# --- parts ---------------------------------------------------------------------------------------------------------


def _request(session: Session, request: Guid, right: Rights) -> Row:
    reach_of(session)
    return demand_existing(session, session.table(REQUEST), request, right)


def _pending(session: Session, request: Guid, right: Rights) -> Row:
    row = _request(session, request, right)
    if number(row, "requeststatus") != ACTION_NEEDED or text(row, "expireson") <= session.now:
        raise _not_pending("This request waits for no decision any more.")
    return row


def _exclusion(session: Session, exclusion: Guid, state: int) -> Row:
    reach_of(session)
    row = demand_existing(session, session.table(EXCLUSION), exclusion, Rights.READ)
    now_state = number(row, "exclusionstate")
    if now_state == OPEN and text(row, "accessexpireson") <= session.now:
        now_state = OVER
    if now_state != state:
        raise _not_pending("This emergency is at another step.")
    return row


def _demand_decider(session: Session, row: Row) -> None:
    """Who asked, and who agreed for support, does not decide for the customer (TS-1502)."""
    _demand_other(session, row, "requesterid")
    if row.values.get("internallyapprovedby") is None:
        raise Conflict(
            "A second person of support has to agree first (ApproveInternally).",
            details={"reason": "not-approved-internally", "rule": "TS-1502", "target": "lockboxrequest"},
        )
    _demand_other(session, row, "internallyapprovedby")


def _demand_other(session: Session, row: Row, column: str) -> None:
    if row.values.get(column) in (session.user, session.initiating_user):
        raise _same_person("Nobody decides on what they asked for or stand for themselves.")


def _same_person(message: str) -> AccessDenied:
    return AccessDenied(
        message, code="0x80048306", details={"reason": "own-access", "rule": "TS-1502", "target": "lockboxrequest"}
    )


def _not_pending(message: str) -> Conflict:
    return Conflict(message, details={"reason": "not-pending", "rule": "TS-1503", "target": "lockboxrequest"})


def _demand_minutes(minutes: int, most: int) -> None:
    if not 1 <= minutes <= most:
        raise InvalidRequest(
            f"An access lasts 1 to {most} minutes (lockbox.max_minutes).",
            details={"reason": "bad-minutes", "rule": "TS-1504", "target": "Minutes"},
        )


def _reason(why: str, target: str, *, least: int = _LEAST_REASON) -> str:
    if len(why.strip()) < least:
        raise InvalidRequest(
            f"'{target}' says why, in at least {least} characters.",
            details={"reason": "reason-too-short", "rule": "TS-1502", "target": target},
        )
    return why.strip()[:_LONGEST_REASON]


def _name_of(session: Session, row: Row, column: str) -> str:
    user = row.values.get(column)
    found = session.transaction.row(session.table("systemuser"), user.id) if isinstance(user, Reference) else None
    return "" if found is None else text(found, "domainname") or text(found, "fullname")


def _token(session: Session, name: str, session_id: Guid) -> tuple[str, str]:
    reach: Reach = reach_of(session)
    with reach.writing(name) as there:
        opened = there.transaction.row(there.table("lockboxsession"), session_id)
        if opened is None or text(opened, "endedon") or text(opened, "accessexpireson") <= there.now:
            raise _not_pending("This access has ended.")
        principal, ends = opened.values.get("principalid"), text(opened, "accessexpireson")
        tell(there, Activity.TOKEN_ISSUED, table="lockboxsession", row=session_id, details={"for": "support"})
    if not isinstance(principal, Reference):
        raise _not_pending("This access has ended.")
    left = datetime.fromisoformat(ends) - session.clock.now()
    return reach.token(name, principal.id, max(left, timedelta(seconds=1))), ends


def _working_days_after(moment: datetime, days: int) -> datetime:
    """So many days later, Saturdays and Sundays not counted."""
    while days:
        moment += timedelta(days=1)
        days -= moment.weekday() < 5
    return moment
