"""Moving users between business units and managers by the messages that have names of their own (WA-406).

`SetBusinessSystemUser` assigns what the user owns to `ReassignPrincipal` first; naming the user itself keeps its rows,
which follow it to the new unit (SM-27). `SetParentSystemUser` leaves the user's reports to the user, or gives them to
the manager that the user had.
"""

from strongroom.errors import InvalidRequest
from strongroom.ids import Reference
from strongroom.messages.operation import Arguments, Kind, Operation, Parameter, Result, action
from strongroom.records import Session, require, update
from strongroom.records.possessions import give_possessions
from strongroom.schema.model import Rights

_MANAGER = "parentsystemuserid"


def _set_business(session: Session, arguments: Arguments) -> Result:
    user, unit = arguments.bound(), _of_table(arguments, "BusinessUnit", "businessunit")
    settings = session.transaction.settings()
    stays = settings.matrix_access and not settings.always_move_record
    if arguments.flag("DoNotMoveAllRecords") and not stays:
        raise InvalidRequest(
            "'DoNotMoveAllRecords' needs record ownership across business units with "
            "AlwaysMoveRecordToOwnerBusinessUnit switched off: otherwise rows are always in the unit of their owner."
        )
    successor = arguments.reference("ReassignPrincipal")
    if successor != user:
        require(session, session.table("systemuser"), user.id, Rights.WRITE)
        give_possessions(session, user, successor)
    update(session, session.table("systemuser"), user.id, {"businessunitid": unit})
    return None


def _set_parent(session: Session, arguments: Arguments) -> Result:
    user, parent = arguments.bound(), _of_table(arguments, "Parent", "systemuser")
    users = session.table("systemuser")
    before = require(session, users, user.id, Rights.WRITE).values.get(_MANAGER)
    if not arguments.flag("KeepChildUsers"):
        for report in session.transaction.rows_where(users, {_MANAGER: user}):
            update(session, users, report.id, {_MANAGER: before})
    update(session, users, user.id, {_MANAGER: parent})
    return None


def _of_table(arguments: Arguments, name: str, table: str) -> Reference:
    reference = arguments.reference(name)
    if reference.table != table:
        raise InvalidRequest(f"'{name}' takes a {table}, not a row of '{reference.table}'.")
    return reference


OPERATIONS: tuple[Operation, ...] = (
    action(
        "SetBusinessSystemUser",
        _set_business,
        Parameter("BusinessUnit", Kind.REFERENCE, type="mscrm.businessunit"),
        Parameter("ReassignPrincipal", Kind.REFERENCE),
        Parameter("DoNotMoveAllRecords", Kind.BOOLEAN, required=False),
        bound_to=("systemuser",),
    ),
    action(
        "SetParentSystemUser",
        _set_parent,
        Parameter("Parent", Kind.REFERENCE, type="mscrm.systemuser"),
        Parameter("KeepChildUsers", Kind.BOOLEAN),
        bound_to=("systemuser",),
    ),
)
