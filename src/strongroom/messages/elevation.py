"""Taking a role for a time, and what its approver says (TS-730)."""

from strongroom.identity import elevation
from strongroom.messages.operation import Arguments, Kind, Operation, Parameter, Result, action
from strongroom.records import Session
from strongroom.store.protocol import Row


def _activate(session: Session, arguments: Arguments) -> Result:
    ticket = arguments.optional_text("Ticket") or ""
    return _told(
        elevation.activate(
            session, arguments.guid("Role"), arguments.integer("Minutes"), arguments.text("Reason"), ticket
        )
    )


def _decide(session: Session, arguments: Arguments) -> Result:
    return _told(elevation.decide(session, arguments.guid("ActivationId"), agrees=arguments.flag("Agrees")))


def _end(session: Session, arguments: Arguments) -> Result:
    return _told(elevation.end(session, arguments.guid("ActivationId")))


def _told(row: Row) -> Result:
    return {
        "ActivationId": row.id,
        "State": elevation.STATES[int(str(row.values["activationstate"]))],
        "EndsOn": row.values.get("endson"),
    }


_ACTIVATION = Parameter("ActivationId", Kind.GUID)
_ANSWER = {"ActivationId": "Edm.Guid", "State": "Edm.String", "EndsOn": "Edm.DateTimeOffset"}

OPERATIONS: tuple[Operation, ...] = (
    action(
        "ActivateRole",
        _activate,
        Parameter("Role", Kind.GUID),
        Parameter("Minutes", Kind.INTEGER),
        Parameter("Reason", Kind.STRING),
        Parameter("Ticket", Kind.STRING, required=False),
        properties=_ANSWER,
    ),
    action("DecideRoleActivation", _decide, _ACTIVATION, Parameter("Agrees", Kind.BOOLEAN), properties=_ANSWER),
    action("EndRoleActivation", _end, _ACTIVATION, properties=_ANSWER),
)
