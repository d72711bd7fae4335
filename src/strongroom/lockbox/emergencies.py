"""Emergencies: access without the customer's consent, to restore the service (TS-1507).

Two people stand for it: the operator who asks names a second one, who agrees within half an hour. It lasts an hour,
opens what holds business data to be read and put right, but no secured column, and is told to the customer at once; a
review by somebody who was no part of it is due within three working days. The customer can switch it off altogether.
"""

from datetime import datetime, timedelta

from strongroom.audit.activities import Activity
from strongroom.clock import iso
from strongroom.errors import AccessDenied, InvalidRequest
from strongroom.identity.directory import change, find, flag, make, number, text
from strongroom.ids import Guid
from strongroom.lockbox.reach import reach_of
from strongroom.lockbox.scope import whole_scope
from strongroom.lockbox.sessions import begin_session, end_session
from strongroom.lockbox.steps import name_of, not_pending, reason_in, same_person, token_for
from strongroom.lockbox.tables import EXCLUSION, POLICY, REQUEST
from strongroom.records import Session
from strongroom.records.activity import tell
from strongroom.records.authorize import demand_existing, demand_privilege
from strongroom.schema.model import Rights
from strongroom.store.protocol import Row

SECOND_PERSON, OPEN, OVER, REVIEWED, LAPSED = 1, 2, 3, 4, 5
"""`lockboxexclusion.exclusionstate`. An access whose time is over is `OPEN` until somebody reviews it."""

BREAK_GLASS_MINUTES = 60
_SECOND_PERSON_WITHIN = timedelta(minutes=30)
_REVIEW_WITHIN_DAYS = 3


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
        raise same_person("The second operator is somebody else.")
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
            "reason": reason_in(why, "Reason"),
            "exclusionstate": SECOND_PERSON,
        },
    )


def confirm_break_glass(session: Session, exclusion: Guid) -> Row:
    """The second operator agrees: access begins, the customer is told at once, and a review is due."""
    reach = reach_of(session)
    demand_privilege(session, session.table(EXCLUSION), Rights.CREATE)
    row = _exclusion(session, exclusion, SECOND_PERSON)
    if row.values.get("secondoperatorid") != session.user:
        raise same_person("The second operator who was named has to agree.")
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
            requester=name_of(session, row, "operatorid"),
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
        raise same_person("The access is for the operator who asked for it.")
    return token_for(session, text(row, "environmentname"), Guid(text(row, "sessionuid")))


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
        raise same_person("An emergency is reviewed by somebody who was no part of it.")
    change(
        session,
        row,
        {
            "exclusionstate": REVIEWED,
            "reviewedby": session.user,
            "reviewedon": session.now,
            "review": reason_in(said, "Note", least=1),
        },
    )
    return row


def _exclusion(session: Session, exclusion: Guid, state: int) -> Row:
    reach_of(session)
    row = demand_existing(session, session.table(EXCLUSION), exclusion, Rights.READ)
    now_state = number(row, "exclusionstate")
    if now_state == OPEN and text(row, "accessexpireson") <= session.now:
        now_state = OVER
    if now_state != state:
        raise not_pending("This emergency is at another step.")
    return row


def _working_days_after(moment: datetime, days: int) -> datetime:
    """So many days later, Saturdays and Sundays not counted."""
    while days:
        moment += timedelta(days=1)
        days -= moment.weekday() < 5
    return moment
