"""What the steps of requests and of emergencies have in common: who may take one, and why it is refused."""

from datetime import datetime, timedelta

from strongroom.audit.activities import Activity
from strongroom.errors import AccessDenied, Conflict, InvalidRequest
from strongroom.identity.directory import text
from strongroom.ids import Guid, Reference
from strongroom.lockbox.reach import reach_of
from strongroom.lockbox.tables import SESSION
from strongroom.records import Session
from strongroom.records.activity import tell
from strongroom.store.protocol import Row

_LEAST_REASON, _LONGEST_REASON = 10, 4000


def demand_other(session: Session, row: Row, column: str) -> None:
    """Refuse whoever a column of the row names already, also behind an impersonation (TS-1502)."""
    if row.values.get(column) in (session.user, session.initiating_user):
        raise same_person("Nobody decides on what they asked for or stand for themselves.")


def same_person(message: str) -> AccessDenied:
    """403 `own-access`."""
    return AccessDenied(
        message, code="0x80048306", details={"reason": "own-access", "rule": "TS-1502", "target": "lockboxrequest"}
    )


def not_pending(message: str) -> Conflict:
    """409 `not-pending`."""
    return Conflict(message, details={"reason": "not-pending", "rule": "TS-1503", "target": "lockboxrequest"})


def reason_in(why: str, target: str, *, least: int = _LEAST_REASON) -> str:
    """A reason that says something."""
    if len(why.strip()) < least:
        raise InvalidRequest(
            f"'{target}' says why, in at least {least} characters.",
            details={"reason": "reason-too-short", "rule": "TS-1502", "target": target},
        )
    return why.strip()[:_LONGEST_REASON]


def name_of(session: Session, row: Row, column: str) -> str:
    """The sign-in name of a user that a column names."""
    user = row.values.get(column)
    found = session.transaction.row(session.table("systemuser"), user.id) if isinstance(user, Reference) else None
    return "" if found is None else text(found, "domainname") or text(found, "fullname")


def token_for(session: Session, environment: str, session_id: Guid) -> tuple[str, str]:
    """A bearer token for an access that stands, and when it ends."""
    reach = reach_of(session)
    with reach.writing(environment) as there:
        opened = there.transaction.row(there.table(SESSION), session_id)
        if opened is None or text(opened, "endedon") or text(opened, "accessexpireson") <= there.now:
            raise not_pending("This access has ended.")
        principal, ends = opened.values.get("principalid"), text(opened, "accessexpireson")
        tell(there, Activity.TOKEN_ISSUED, table=SESSION, row=session_id, details={"for": "support"})
    if not isinstance(principal, Reference):
        raise not_pending("This access has ended.")
    left = datetime.fromisoformat(ends) - session.clock.now()
    return reach.token(environment, principal.id, max(left, timedelta(seconds=1))), ends
