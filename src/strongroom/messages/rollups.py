"""`CalculateRollupField`: a rollup of one row, worked out now (WA-403)."""

from strongroom.access.columns import require_columns
from strongroom.access.plan import ColumnAccess
from strongroom.access.planning import plan_for
from strongroom.background.recalculation import recalculate
from strongroom.errors import InvalidRequest
from strongroom.messages.entities import entity
from strongroom.messages.operation import ANY_TABLE, Arguments, Kind, Operation, Parameter, Result
from strongroom.query.ast import Field, Output, Select, Source
from strongroom.records import Session, require, retrieve
from strongroom.schema.model import Rights, SourceType


def _calculate(session: Session, arguments: Arguments) -> Result:
    target, name = arguments.reference("Target"), arguments.text("FieldName")
    table = session.table(target.table)
    row = require(session, table, target.id, Rights.READ)
    column = table.columns.get(name)
    if column is None or column.formula is None or column.source_type is not SourceType.ROLLUP:
        raise InvalidRequest(f"'{name[:100]}' is no rollup column of '{table.logical_name}'.")
    if column.is_secured:
        require_columns(plan_for(session.caller, table, Rights.READ), frozenset({name}), ColumnAccess.READ)
    recalculate(session, column, [row])
    shown = [name, f"{name}_date", f"{name}_state", *([f"{name}_base"] if f"{name}_base" in table.columns else [])]
    outputs = tuple(Output(each, Field("", table.columns[each])) for each in shown)
    record = retrieve(session, Select(Source(table), outputs), row.id)
    return {**entity(session.schema, target), **dict(zip(shown, record.values, strict=False))}


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "CalculateRollupField",
        True,
        _calculate,
        (Parameter("Target", Kind.REFERENCE), Parameter("FieldName", Kind.STRING)),
        result=ANY_TABLE,
        changes=True,
    ),
)
