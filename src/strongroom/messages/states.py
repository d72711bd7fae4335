"""`IsValidStateTransition`: whether a row may take a state and status (WA-403)."""

from strongroom.errors import InvalidRequest
from strongroom.messages.operation import Arguments, Kind, Operation, Parameter, Result, function
from strongroom.records import Session, require
from strongroom.schema.model import ColumnType, Rights


def _is_valid(session: Session, arguments: Arguments) -> Result:
    """The state by its name (`Active`, without regard to case) or number; -1 stands for the state's default status."""
    target = arguments.reference("Entity")
    table = session.table(target.table)
    require(session, table, target.id, Rights.READ)
    state = next((c for c in table.columns.values() if c.type is ColumnType.STATE), None)
    status = next((c for c in table.columns.values() if c.type is ColumnType.STATUS), None)
    if state is None or status is None:
        raise InvalidRequest(f"Rows of '{table.logical_name}' have no state.")
    named = arguments.text("NewState").strip().casefold()
    known = {text.casefold(): option.value for option in state.options for text in (option.label, str(option.value))}
    wanted = arguments.integer("NewStatus")
    fitting = {option.value for option in status.options if option.state == known.get(named)}
    return {"IsValid": named in known and (wanted in fitting or (wanted == -1 and bool(fitting)))}


OPERATIONS: tuple[Operation, ...] = (
    function(
        "IsValidStateTransition",
        _is_valid,
        Parameter("Entity", Kind.REFERENCE),
        Parameter("NewState", Kind.STRING),
        Parameter("NewStatus", Kind.INTEGER),
        properties={"IsValid": "Edm.Boolean"},
    ),
)
