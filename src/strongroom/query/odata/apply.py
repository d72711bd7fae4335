"""`$apply` → an aggregating query (section 15).

    filter(statecode eq 0)/groupby((industrycode),aggregate(revenue with sum as total,$count as number))

A filter may come first; then one `groupby` or one `aggregate`. Group keys keep their wire name, keys of a related row
are called `{table}_{column}` (WA-222).
"""

import re
from dataclasses import dataclass, field

from strongroom.errors import QueryError
from strongroom.query.ast import Aggregate, AggregateFunction, Field, Output, Predicate
from strongroom.query.limits import MAX_CONDITIONS
from strongroom.query.names import hint, shown
from strongroom.query.odata.edm import NUMBERS, edm_type
from strongroom.query.odata.filter import predicate
from strongroom.query.odata.operands import resolve_column
from strongroom.query.odata.parser import Parser
from strongroom.query.odata.scope import Scope
from strongroom.query.odata.syntax import Path
from strongroom.schema.model import ColumnType

_METHODS = {
    "sum": AggregateFunction.SUM,
    "average": AggregateFunction.AVERAGE,
    "min": AggregateFunction.MINIMUM,
    "max": AggregateFunction.MAXIMUM,
    "countdistinct": AggregateFunction.COUNT_DISTINCT,
}
_ORDERED = (AggregateFunction.MINIMUM, AggregateFunction.MAXIMUM)
_STEPS = ("filter", "groupby", "aggregate")
_IDENTIFIER = re.compile(r"[A-Za-z_]\w{0,127}", re.ASCII)
_UNGROUPABLE = frozenset({ColumnType.IMAGE, ColumnType.FILE, ColumnType.PARTYLIST, ColumnType.MANAGEDPROPERTY})


@dataclass(slots=True)
class Aggregation:
    """What `$apply` asks for. `groups` is keyed by output name, in order."""

    where: Predicate | None = None
    groups: dict[str, Field] = field(default_factory=dict[str, Field])
    aggregates: dict[str, Aggregate] = field(default_factory=dict[str, Aggregate])

    @property
    def outputs(self) -> tuple[Output, ...]:
        keys = tuple(Output(name, key) for name, key in self.groups.items())
        return keys + tuple(Output(name, aggregate) for name, aggregate in self.aggregates.items())


def read_apply(scope: Scope, text: str) -> Aggregation:
    """The aggregation that `text` asks for. Raises `QueryError` with a position."""
    parser = Parser(text)
    found = Aggregation()
    step = _step(parser)
    if step == "filter":
        parser.expect("(")
        found.where = predicate(scope, parser.expression())
        parser.expect(")")
        if not parser.accept("/"):
            raise parser.error("'/groupby(…)' or '/aggregate(…)' is expected behind the filter")
        position = parser.current.position
        step = _step(parser)
        if step == "filter":
            raise parser.fault(position, "Only one filter may come first; join its conditions with 'and'.")
    parser.expect("(")
    if step == "groupby":
        _read_groups(scope, parser, found)
        if parser.accept(","):
            position = parser.current.position
            if _step(parser) != "aggregate":
                raise parser.fault(position, "Only 'aggregate(…)' may follow the columns of 'groupby'.")
            parser.expect("(")
            _read_aggregates(scope, parser, found)
            parser.expect(")")
    else:
        _read_aggregates(scope, parser, found)
    parser.expect(")")
    if not parser.at_end:
        raise parser.error("The end of $apply is expected here; a transformation may only follow 'filter(…)'")
    return found


def _step(parser: Parser) -> str:
    token = parser.current
    name = parser.expect_name("A transformation (filter, groupby or aggregate)").value
    if name not in _STEPS:
        message = f"The transformation '{shown(name)}' is not supported; there are filter, groupby and aggregate."
        raise parser.fault(token.position, message + hint(name, _STEPS))
    return name


def _read_groups(scope: Scope, parser: Parser, found: Aggregation) -> None:
    parser.expect("(")
    while True:
        path = parser.path()
        key = resolve_column(scope, path)
        kind = key.column.type
        if kind is ColumnType.DATETIME:
            message = f"Rows cannot be grouped by the date column '{key.column.logical_name}' in $apply; use FetchXML."
            raise QueryError(message, position=path.position)
        if kind in _UNGROUPABLE:
            message = f"Rows cannot be grouped by the column '{key.column.logical_name}' of type {kind.value}."
            raise QueryError(message, position=path.position)
        name = _group_name(scope, key, path)
        _take_name(found, name, path.position)
        found.groups[name] = key
        if not parser.accept(","):
            break
    parser.expect(")")


def _group_name(scope: Scope, key: Field, path: Path) -> str:
    """The wire name of a group key; of a related row's column `{table}_{column}`."""
    if len(path.segments) == 1:
        return key.column.property_name
    join = next((join for join in scope.joins.all() if join.source.alias == key.alias), None)
    # A path to the id of a related row is the lookup itself and has no join.
    table = join.source.table.logical_name if join is not None else key.column.targets[0]
    return f"{table}_{key.column.logical_name if join is not None else path.segments[-1]}"


def _read_aggregates(scope: Scope, parser: Parser, found: Aggregation) -> None:
    while True:
        start = parser.current.position
        aggregate = _aggregate(scope, parser)
        if not parser.current.is_word("as"):
            raise parser.error("'as' and a name for the result are expected here")
        parser.advance()
        alias = parser.expect_name("A name for the result")
        if not _IDENTIFIER.fullmatch(alias.value):
            raise parser.fault(
                alias.position, f"'{shown(alias.value)}' is not a name for a result: use letters and digits."
            )
        _take_name(found, alias.value, alias.position)
        found.aggregates[alias.value] = aggregate
        if len(found.aggregates) > MAX_CONDITIONS:
            raise QueryError(f"An aggregation may have {MAX_CONDITIONS} results.", position=start)
        if not parser.accept(","):
            break


def _aggregate(scope: Scope, parser: Parser) -> Aggregate:
    if parser.current.is_word("$count"):
        parser.advance()
        return Aggregate(AggregateFunction.COUNT, None)
    path = parser.path()
    field_ = resolve_column(scope, path)
    if not parser.current.is_word("with"):
        raise parser.error("'with' and a method (sum, average, min, max, countdistinct) are expected here")
    parser.advance()
    token = parser.expect_name("A method (sum, average, min, max, countdistinct)")
    function = _METHODS.get(token.value)
    if function is None:
        known = ", ".join(_METHODS)
        message = f"The method '{shown(token.value)}' is not supported; there are {known}.{hint(token.value, _METHODS)}"
        raise parser.fault(token.position, message)
    _check_operand(field_, function, token.value, path.position)
    return Aggregate(function, field_)


def _check_operand(operand: Field, function: AggregateFunction, method: str, position: int) -> None:
    column = operand.column
    is_number = edm_type(column) in NUMBERS and not column.type.is_choice
    is_date = column.type is ColumnType.DATETIME
    fits = function is AggregateFunction.COUNT_DISTINCT or is_number or (is_date and function in _ORDERED)
    if not fits or column.type in _UNGROUPABLE:
        message = f"The method '{method}' does not fit the column '{column.logical_name}' of type {column.type.value}."
        raise QueryError(message, position=position)


def _take_name(found: Aggregation, name: str, position: int) -> None:
    if name in found.groups or name in found.aggregates:
        message = f"The name '{shown(name)}' occurs twice in $apply; every result needs a name of its own."
        raise QueryError(message, position=position)
