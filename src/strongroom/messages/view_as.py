"""`sr_ViewAs`: beginning to look at an environment as another user. It changes nothing; the trail has it as a question
about that user (SM-165), because what follows are requests that read as them (`MSCRMCallerID`, SM-68)."""

from strongroom.access.resolve import holds
from strongroom.environment import ACT_ON_BEHALF
from strongroom.errors import AccessDenied, NotFound
from strongroom.ids import Reference
from strongroom.messages.operation import Arguments, Kind, Operation, Parameter, Result, function
from strongroom.records import Session
from strongroom.records.trail import note_question

_NAME = "sr_ViewAs"


def _view_as(session: Session, arguments: Arguments) -> Result:
    user = Reference("systemuser", arguments.guid("UserId"))
    if session.caller.initiated_by is not None:
        raise AccessDenied("Who acts for another user already cannot look as a third one.", code="0x8004a110")
    if not holds(session.caller, ACT_ON_BEHALF):
        raise AccessDenied("User does not have the privilege to act on behalf another user.", code="0x8004a110")
    facts = session.transaction.facts(user)
    if facts is None:
        raise NotFound(f"There is no user {user.id}.", code="0x80040217")
    note_question(session, user, _NAME, "view as")
    return {"UserId": user.id}


OPERATIONS: tuple[Operation, ...] = (
    function(_NAME, _view_as, Parameter("UserId", Kind.GUID), properties={"UserId": "Edm.Guid"}, is_own=True),
)
