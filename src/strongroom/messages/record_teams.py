"""Access teams of single rows (SM-57), and owner teams that become access teams (SM-56)."""

from collections.abc import Callable

from strongroom.errors import InvalidRequest
from strongroom.ids import Guid, Reference
from strongroom.messages.operation import Arguments, Kind, Operation, Parameter, Result, action
from strongroom.records import Session, add_user_to_record_team, remove_user_from_record_team, update

_RECORD = Parameter("Record", Kind.REFERENCE)
_TEMPLATE = Parameter("TeamTemplate", Kind.REFERENCE, type="mscrm.teamtemplate")
_ANSWER = {"AccessTeamId": "Edm.Guid"}
_ACCESS = 1


def _changing(change: Callable[[Session, Guid, Reference, Guid], Guid]) -> Callable[[Session, Arguments], Result]:
    def run(session: Session, arguments: Arguments) -> Result:
        template = arguments.reference("TeamTemplate")
        if template.table != "teamtemplate":
            raise InvalidRequest(f"'TeamTemplate' takes a teamtemplate, not a row of '{template.table}'.")
        return {"AccessTeamId": change(session, arguments.bound().id, arguments.reference("Record"), template.id)}

    return run


def _convert(session: Session, arguments: Arguments) -> Result:
    update(session, session.table("team"), arguments.bound().id, {"teamtype": _ACCESS})
    return None


OPERATIONS: tuple[Operation, ...] = (
    action(
        "AddUserToRecordTeam",
        _changing(add_user_to_record_team),
        _RECORD,
        _TEMPLATE,
        properties=_ANSWER,
        bound_to=("systemuser",),
    ),
    action(
        "RemoveUserFromRecordTeam",
        _changing(remove_user_from_record_team),
        _RECORD,
        _TEMPLATE,
        properties=_ANSWER,
        bound_to=("systemuser",),
    ),
    action("ConvertOwnerTeamToAccessTeam", _convert, bound_to=("team",)),
)
