"""Aggregates, groups and distinct rows.

The rows that go in are found as for a count, then read with everything that is grouped or aggregated, then grouped.
Text groups without regard to case (WA-101): by its folded form, showing the least of the spellings. Sums of integers
beyond 53 bits stay exact in SQLite by summing high and low parts, put together when the row is read.

Conditions on aggregates (SQL's HAVING) stand in `Select.where` beside the others and are taken apart here.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from strongroom.errors import InvalidRequest
from strongroom.query.ast import (
    Aggregate,
    AggregateFunction,
    And,
    Comparison,
    Expression,
    Field,
    Literal,
    LookupName,
    LookupTable,
    Output,
    Predicate,
    Select,
    conjunction,
)
from strongroom.store.compile import expressions, frame, lists, predicates
from strongroom.store.compile.expressions import Operand
from strongroom.store.compile.keys import select_keys
from strongroom.store.compile.statement import Statement
from strongroom.store.compile.strategy import Layout, limit_of
from strongroom.store.compile.values import Decode, decoder, rounding_for
from strongroom.store.compile.writer import Scope, Writer
from strongroom.store.dialect import Kind, kind_of

_PART = 1_000_000
"""Sums in SQLite are kept as a number of millions and a rest."""
_AVERAGE_DIGITS = 10
"""Digits after the point of an average (WA-223)."""
_FLOATS = frozenset({Kind.REAL})


@dataclass(slots=True)
class _Inner:
    """The columns of the sub-select that is grouped: each expression once."""

    writer: Writer
    scope: Scope
    columns: list[str] = field(default_factory=list[str])
    _known: dict[str, str] = field(default_factory=dict[str, str])

    def add(self, sql: str) -> str:
        name = self._known.get(sql)
        if name is None:
            name = self._known[sql] = f"c{len(self.columns)}"
            self.columns.append(f"{sql} {name}")
        return f"w.{name}"

    def shown(self, expression: Expression) -> str:
        return self.add(lists.output(self.writer, self.scope, expression))

    def compared(self, expression: Expression) -> Operand:
        if lists.is_closed(self.writer, expression):
            return Operand(self.add(expressions.NULL), Kind.TEXT)
        found = expressions.operand(self.writer, self.scope, expression)
        return Operand(self.add(found.sql), found.kind, found.scale)


def is_grouped(select: Select) -> bool:
    """Whether result rows are groups: they have no position and are paged by number."""
    return select.is_aggregate or select.distinct or bool(select.group_by)


def write(writer: Writer, select: Select, layout: Layout) -> Statement:
    """The statement for the groups (or the distinct rows) of `select`."""
    sql, decoders = _groups(writer, select, layout, paged=True)
    limit = select.aggregate_limit if select.is_aggregate else None
    return Statement(sql, tuple(writer.parameters), decoders, limit, one_plan=False if writer.parameters else None)


def count(writer: Writer, select: Select, layout: Layout, limit: int | None) -> Statement:
    """The statement that counts the groups."""
    sql, _ = _groups(writer, select, layout, paged=False)
    ending = "" if limit is None else f" limit {limit}"
    return Statement(f"select count(*) from ({sql}{ending}) g", tuple(writer.parameters), (None,))


def _groups(writer: Writer, select: Select, layout: Layout, *, paged: bool) -> tuple[str, tuple[Decode, ...]]:
    where, having = _split(select.where)
    found = frame.build(writer, select, layout, where, select.joins, ordered=False)
    limit = select.aggregate_limit + 1 if select.is_aggregate else None
    keys = select_keys(writer, found, frame.cuts(writer, found), lists.key_columns(found), limit)
    scope, source = lists.wide_source(writer, found, (), keys)
    inner = _Inner(writer, scope)
    groups = _group_expressions(select)
    group_keys = [inner.compared(each).sql for each in groups]
    shown: list[str] = []
    decoders: list[Decode] = []
    for output in select.outputs:
        sql, decode = _output(writer, inner, groups, output)
        shown.append(sql)
        decoders.append(decode)
    conditions = [_having(writer, inner, each) for each in having]
    ordering = _ordering(writer, inner, select, groups, group_keys) if paged else []
    if select.is_aggregate and paged:
        shown.append("sum(count(*)) over ()" if group_keys else "count(*)")
    inside = f"select {', '.join(inner.columns) or '1'} from {source}"
    sql = f"select {', '.join(shown)} from ({inside}) w"
    if group_keys:
        sql += f" group by {', '.join(group_keys)}"
    if conditions:
        sql += f" having {' and '.join(conditions)}"
    if ordering:
        sql += f" order by {', '.join(ordering)}"
    if paged:
        before = frame.offset(writer, select)
        sql += f" limit {limit_of(select)}" + ("" if before is None else f" offset {before}")
    return sql, tuple(decoders)


def _split(node: Predicate | None) -> tuple[Predicate | None, list[Comparison]]:
    parts = node.parts if isinstance(node, And) else () if node is None else (node,)
    having = [part for part in parts if isinstance(part, Comparison) and isinstance(part.left, Aggregate)]
    return conjunction(*(part for part in parts if part not in having)), having


def _group_expressions(select: Select) -> tuple[Expression, ...]:
    """What rows are grouped by: the query's own groups, or every output of a distinct query."""
    if select.is_aggregate or select.group_by:
        return select.group_by
    return tuple(output.expression for output in select.outputs)


def _output(writer: Writer, inner: _Inner, groups: tuple[Expression, ...], output: Output) -> tuple[str, Decode]:
    expression = output.expression
    if isinstance(expression, Aggregate):
        return _aggregate(writer, inner, expression)
    if isinstance(expression, LookupName | LookupTable) and Field(expression.alias, expression.column) in groups:
        return f"min({inner.shown(expression)})", None  # one row behind the lookup, so one name in the group
    if expression not in groups:
        raise InvalidRequest(f"{output.name!r} is neither grouped by nor aggregated.")
    compared = inner.compared(expression)
    if compared.is_text and not lists.is_closed(writer, expression):
        return f"min({inner.shown(expression)})", lists.mask_over(writer, expression)
    return compared.sql, decoder(writer.dialect, compared.kind, compared.scale)


def _aggregate(writer: Writer, inner: _Inner, node: Aggregate) -> tuple[str, Decode]:
    if node.function is AggregateFunction.COUNT or node.operand is None:
        return "count(*)", None
    compared = inner.compared(node.operand)
    kind, scale = kind_of(node.operand.column), compared.scale
    is_sqlite = writer.dialect.scales_numbers
    match node.function:
        case AggregateFunction.COUNT_COLUMN:
            return f"count({compared.sql})", None
        case AggregateFunction.COUNT_DISTINCT:
            return f"count(distinct {compared.sql})", None
        case AggregateFunction.MINIMUM | AggregateFunction.MAXIMUM:
            if kind in (Kind.TEXT, Kind.GUID, Kind.BOOLEAN):
                raise InvalidRequest(
                    f"{node.function.value} needs a number or a date, not {node.operand.column.logical_name!r}."
                )
            return f"{node.function.value}({compared.sql})", decoder(writer.dialect, kind, scale)
        case AggregateFunction.SUM | AggregateFunction.AVERAGE if kind not in _SUMMED:
            raise InvalidRequest(f"{node.function.value} needs a number, not {node.operand.column.logical_name!r}.")
        case AggregateFunction.SUM if kind in _FLOATS:
            return f"sum({compared.sql})", None
        case AggregateFunction.AVERAGE if kind in _FLOATS:
            return f"avg({compared.sql})", None
        case AggregateFunction.SUM if not is_sqlite:
            return f"sum({compared.sql})", _whole if kind is Kind.INTEGER else None
        case AggregateFunction.AVERAGE if not is_sqlite:
            return f"avg({compared.sql})", _rounded
        case AggregateFunction.SUM:
            return _parts(compared.sql), _sum_decoder(kind, scale)
        case _:
            return _parts(compared.sql), _average_decoder(scale)


_SUMMED = frozenset({Kind.INTEGER, Kind.NUMERIC, Kind.REAL})


def _parts(sql: str) -> str:
    """The sum of integers as `millions/rest/count`, which cannot overflow; null over no values."""
    total = f"sum({sql} / {_PART}) || '/' || sum({sql} % {_PART}) || '/' || count({sql})"
    return f"case when count({sql}) > 0 then {total} end"


def _total(value: object) -> tuple[int, int]:
    millions, rest, counted = (int(part) for part in str(value).split("/"))
    return millions * _PART + rest, counted


def _sum_decoder(kind: Kind, scale: int) -> Callable[[object], object]:
    def decode(value: object) -> object:
        if value is None:
            return None
        total, _ = _total(value)
        return total if kind is Kind.INTEGER else Decimal(total).scaleb(-scale)

    return decode


def _average_decoder(scale: int) -> Callable[[object], object]:
    def decode(value: object) -> object:
        if value is None:
            return None
        total, counted = _total(value)
        return _rounded(Decimal(total).scaleb(-scale) / counted)

    return decode


def _rounded(value: object) -> object:
    if not isinstance(value, Decimal):
        return value
    return value.quantize(Decimal(1).scaleb(-_AVERAGE_DIGITS), ROUND_HALF_UP)


def _whole(value: object) -> object:
    return int(value) if isinstance(value, Decimal) else value


def _comparable_aggregate(inner: _Inner, node: Aggregate) -> Operand:
    """An aggregate for comparing and ordering; sums and averages as doubles, which is close enough to sort by."""
    if node.operand is None:
        return Operand("count(*)", Kind.INTEGER)
    compared = inner.compared(node.operand)
    kind = kind_of(node.operand.column)
    match node.function:
        case AggregateFunction.SUM | AggregateFunction.AVERAGE:
            word = "sum" if node.function is AggregateFunction.SUM else "avg"
            return Operand(
                f"{word}(cast({compared.sql} as double precision)) / {10**compared.scale}.0",
                Kind.REAL,
            )
        case AggregateFunction.MINIMUM | AggregateFunction.MAXIMUM:
            return Operand(f"{node.function.value}({compared.sql})", kind, compared.scale)
        case AggregateFunction.COUNT_DISTINCT:
            return Operand(f"count(distinct {compared.sql})", Kind.INTEGER)
        case AggregateFunction.COUNT | AggregateFunction.COUNT_COLUMN:
            return Operand(f"count({compared.sql})", Kind.INTEGER)


def _having(writer: Writer, inner: _Inner, node: Comparison) -> str:
    if not isinstance(node.left, Aggregate) or not isinstance(node.right, Literal):
        raise InvalidRequest("An aggregate can only be compared with a value.")
    met = _comparable_aggregate(inner, node.left)
    bound = predicates.literal(writer, met, node.right, rounding_for(node.operator))
    return f"{met.sql} {node.operator.value} {bound}"


def _ordering(
    writer: Writer, inner: _Inner, select: Select, groups: tuple[Expression, ...], group_keys: list[str]
) -> list[str]:
    """The query's order, then the group keys, so that pages by number do not overlap."""
    terms: list[str] = []
    for each in select.order:
        expression = each.expression
        if isinstance(expression, Aggregate):
            sql = _comparable_aggregate(inner, expression).sql
        elif expression in groups:
            sql = inner.compared(expression).sql
        else:
            sql = f"{'max' if each.descending else 'min'}({inner.compared(expression).sql})"
        terms.append(writer.dialect.ordering(sql, descending=each.descending))
    used = {term.split(" ", 1)[0] for term in terms}
    return terms + [writer.dialect.ordering(key, descending=False) for key in group_keys if key not in used]
