"""Working out columns for many rows: rollups every hour, and calculated columns once when they are made (WA-403).

A rollup adds up all rows that point to the row, whoever may read them, as in Dataverse; whoever made the column decided
that. So its values are worked out by the platform itself. `<column>_date` says when the value last became another,
`<column>_state` 1 that it is worked out, and 2 that the result does not fit the column, which is then empty. The trail
has no entries of it, and `modifiedon` stays: nobody has changed the row.
"""

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal

from strongroom.access.plan import plan_of_all
from strongroom.access.planned import PlannedSelect
from strongroom.background.jobs import AT_ONCE, JOB, Order, State, Status, When, asked_of, begin
from strongroom.background.work import Piece, Running, Work
from strongroom.errors import InvalidRequest
from strongroom.ids import Guid
from strongroom.query.ast import (
    Aggregate,
    AggregateFunction,
    Field,
    InList,
    Literal,
    Output,
    Predicate,
    Select,
    Source,
    conjunction,
)
from strongroom.query.query_expression import read_query_expression
from strongroom.records import Session
from strongroom.records.calculated import calculated
from strongroom.records.reading_context import read_context
from strongroom.records.update import write_changes
from strongroom.schema.formulas import Rollup, RollupAggregate, check_formulas, child_of, rollup_of, worked_out
from strongroom.schema.model import Column, ColumnType, Schema, SourceType, Table
from strongroom.store.layout import scale
from strongroom.store.protocol import Row, Value

KIND = 58  # asyncoperation.operationtype: Mass Calculate Rollup Field
EVERY_HOUR = "FREQ=HOURLY;INTERVAL=1"
_PIECE = 200
_CALCULATED, _OVERFLOW = 1, 2
_FUNCTIONS = {
    RollupAggregate.COUNT: AggregateFunction.COUNT,
    RollupAggregate.SUM: AggregateFunction.SUM,
    RollupAggregate.AVERAGE: AggregateFunction.AVERAGE,
    RollupAggregate.MINIMUM: AggregateFunction.MINIMUM,
    RollupAggregate.MAXIMUM: AggregateFunction.MAXIMUM,
}


def begin_recalculation(session: Session, table: Table, column: Column, when: When = AT_ONCE) -> Row:
    """A new job of the platform that works out a column for all rows."""
    asked = {"table": table.logical_name, "column": column.logical_name}
    name = f"Work out {table.logical_name}.{column.logical_name}"
    return begin(session, Order(KIND, name, asked, "MassCalculateRollupField", when, of_platform=True))


def run(running: Running) -> str:
    """Work out, piece by piece; what is to be said when it is over."""
    while (said := _next(running)) is None:
        pass
    return said


WORK = Work(run)


def recalculate(session: Session, column: Column, rows: Sequence[Row]) -> int:
    """Work out a column for these rows, all of one table; how many have another value now."""
    if not rows:
        return 0
    is_rollup = column.source_type is SourceType.ROLLUP
    values = _rolled_up(session, rows[0].table, column, [row.id for row in rows]) if is_rollup else {}
    changed = 0
    for row in rows:
        changes = _of_rollup(column, row, values.get(row.id)) if is_rollup else _of_calculated(column, row)
        if any(row.values.get(name) != value for name, value in changes.items()):
            if is_rollup:
                changes[f"{column.logical_name}_date"] = session.now
            session.transaction.update(row, changes)
            changed += 1
    return changed


def follow_formulas(session: Session, before: Schema, after: Schema) -> None:
    """A rule of changes of metadata: formulas still make sense afterwards, new ones are worked out, those of columns
    that go are so no more."""
    check_formulas(after)
    known = {
        (table.logical_name, column.logical_name) for table in before.tables.values() for column in worked_out(table)
    }
    there: set[tuple[str, str]] = set()
    for table in after.tables.values():
        for column in worked_out(table):
            place = (table.logical_name, column.logical_name)
            there.add(place)
            if place not in known:
                _check_filter(session, after, column)
                is_rollup = column.source_type is SourceType.ROLLUP
                begin_recalculation(session, table, column, When(None, EVERY_HOUR) if is_rollup else AT_ONCE)
    if known - there:
        _cancel(session, known - there)


# --- pieces ------------------------------------------------------------------------------------------------------


def _next(running: Running) -> str | None:
    """One piece; what is to be said when it was the last."""
    with running.piece() as piece:
        table, column = _column(piece)
        reached = piece.reached
        after, looked, changed = reached.get("last"), _count(reached, "looked"), _count(reached, "changed")
        output = Output(table.primary_id, Field("", table.id_column))
        position = (after,) if isinstance(after, str) else None
        select = Select(Source(table), (output,), page_size=_PIECE, after=position)
        found = piece.session.transaction.select(PlannedSelect(select, {"": plan_of_all(table)}))
        ids = [Guid(str(each[0])) for each in found[:_PIECE]]
        rows = piece.session.transaction.rows(table, ids)
        changed += recalculate(piece.session, column, [rows[row_id] for row_id in ids])
        looked += len(ids)
        said = f"{looked} rows worked out, {changed} have another value now."
        if len(found) <= _PIECE:
            return said
        piece.note({"last": ids[-1], "looked": looked, "changed": changed}, said)
        return None


def _column(piece: Piece) -> tuple[Table, Column]:
    asked = piece.asked
    table = piece.session.schema.tables.get(str(asked.get("table")))
    column = None if table is None else table.columns.get(str(asked.get("column")))
    if table is None or column is None or column.formula is None:
        raise InvalidRequest("The column that was to be worked out is gone.")
    return table, column


def _count(reached: Mapping[str, object], name: str) -> int:
    value = reached.get(name)
    return value if isinstance(value, int) else 0


# --- values --------------------------------------------------------------------------------------------------------


def _of_calculated(column: Column, row: Row) -> dict[str, Value]:
    return {column.logical_name: calculated(column, row.values)}


def _of_rollup(column: Column, row: Row, value: Value) -> dict[str, Value]:
    """The columns of a rollup in one row. Amounts are added up in the base currency, and shown in the row's own."""
    name, state = column.logical_name, _CALCULATED
    changes: dict[str, Value] = {}
    if rollup_of(column).aggregate is RollupAggregate.COUNT:
        value = value or 0
    if isinstance(value, Decimal | int):
        amount = Decimal(value)
        if column.type is ColumnType.MONEY:
            changes[f"{name}_base"] = amount.quantize(Decimal("0.0001"), ROUND_HALF_UP)
            rate = row.values.get("exchangerate")
            amount = amount * rate if isinstance(rate, Decimal) else amount
        low, high = column.minimum, column.maximum
        if (low is not None and amount < low) or (high is not None and amount > high):
            value, state = None, _OVERFLOW
        elif column.type is ColumnType.INTEGER:
            value = int(amount)
        else:
            value = amount.quantize(Decimal(1).scaleb(-scale(column)), ROUND_HALF_UP)
    if column.type is ColumnType.MONEY and value is None:
        changes[f"{name}_base"] = None
    return {**changes, name: value, f"{name}_state": state}


def _rolled_up(session: Session, table: Table, column: Column, parents: Sequence[Guid]) -> dict[Guid, Value]:
    """The aggregate of each of these rows that any row points to."""
    rollup = rollup_of(column)
    child = child_of(session.schema, rollup)
    lookup = child.columns[session.schema.relationships[rollup.relationship].referencing_column]
    among = InList(Field("", lookup), tuple(Literal(each, ColumnType.UNIQUEIDENTIFIER) for each in parents))
    operand = None if rollup.column is None else Field("", _source(child, rollup.column))
    key = Field("", lookup)
    select = Select(
        Source(child),
        (Output("parent", key), Output("value", Aggregate(_FUNCTIONS[rollup.aggregate], operand))),
        where=conjunction(among, _filter(session, session.schema, rollup)),
        group_by=(key,),
        is_aggregate=True,
        aggregate_limit=10_000_000,
    )
    found = session.transaction.select(PlannedSelect(select, {"": plan_of_all(child)}))
    return {Guid(str(each[0])): each[1] for each in found}


def _source(child: Table, name: str) -> Column:
    """The column that is added up: of money its base amount, where there is one."""
    column = child.columns[name]
    return child.columns.get(f"{name}_base", column) if column.type is ColumnType.MONEY else column


def _filter(session: Session, schema: Schema, rollup: Rollup) -> Predicate | None:
    if rollup.filter is None:
        return None
    query = {"EntityName": child_of(schema, rollup).logical_name, "Criteria": rollup.filter}
    return read_query_expression(schema, query, read_context(session)).where


def _check_filter(session: Session, schema: Schema, column: Column) -> None:
    if column.source_type is SourceType.ROLLUP:
        _filter(session, schema, rollup_of(column))


def _cancel(session: Session, gone: set[tuple[str, str]]) -> None:
    """End the jobs that work out columns which are gone."""
    for row in session.transaction.rows_where(session.table(JOB), {"operationtype": KIND}):
        if row.values.get("statecode") == State.COMPLETED:
            continue
        asked = asked_of(row)
        if (asked.get("table"), asked.get("column")) in gone:
            over = {"statecode": State.COMPLETED, "statuscode": Status.CANCELED, "completedon": session.now}
            write_changes(session, row, {**over, "message": "The column is gone."})
