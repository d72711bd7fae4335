"""Lists: one page of rows in order.

Where the order's own index leads to the rows and there is one term, the page is read directly. Everywhere else the
keys come first, from narrow terms, and the wide rows of the page are fetched by key.
"""

from strongroom.access.plan import ColumnAccess
from strongroom.query.ast import Expression, Field, Join, JoinKind, LookupName, LookupTable, Select
from strongroom.store.compile import aliases, expressions, frame, joins, order
from strongroom.store.compile.frame import Early, Frame
from strongroom.store.compile.statement import Statement
from strongroom.store.compile.strategy import Layout, limit_of
from strongroom.store.compile.values import Decode, decoder
from strongroom.store.compile.writer import Scope, Writer
from strongroom.store.dialect import quote


def write(writer: Writer, select: Select, layout: Layout) -> Statement:
    """The statement for one page of `select`."""
    early = aliases.early_joins(select)
    late = tuple(join for join in select.joins if join not in early)
    found = frame.build(writer, select, layout, select.where, early, ordered=True)
    sql = _direct(writer, found, late) if _is_direct(writer, found) else _keys_first(writer, found, late)
    decoders = [output_decoder(writer, output.expression) for output in select.outputs]
    decoders += (decoder(writer.dialect, term.operand.kind, term.operand.scale) for term in found.terms)
    return Statement(sql, tuple(writer.parameters), tuple(decoders))


def _is_direct(writer: Writer, found: Frame) -> bool:
    if found.layout is Layout.TEST or len(found.terms) > 2 or not order.is_index_order(found.select):
        return False
    terms = frame.branches(writer, found)
    return len(terms) == 1 and terms[0].sharer is None and len(frame.positions(writer, found, terms[0])) == 1


def _direct(writer: Writer, found: Frame, late: tuple[Join, ...]) -> str:
    (branch,) = frame.branches(writer, found)
    (position,) = frame.positions(writer, found, branch)
    scope, joined = late_joins(writer, found.scope, late)
    shown = [output(writer, scope, each.expression) for each in found.select.outputs]
    shown += (term.operand.sql for term in found.terms)
    conditions = [each for each in (*branch.conditions, position, *found.conditions) if each]
    where = f" where {' and '.join(conditions)}" if conditions else ""
    ordering = ", ".join(writer.dialect.ordering(term.operand.sql, descending=term.descending) for term in found.terms)
    before = frame.offset(writer, found.select)
    offset = "" if before is None else f" offset {before}"
    return (
        f"select {', '.join(shown)} from {found.source}{found.joins}{joined}{where}"
        f" order by {ordering} limit {limit_of(found.select)}{offset}"
    )


def _keys_first(writer: Writer, found: Frame, late: tuple[Join, ...]) -> str:
    carried = key_columns(found)
    keys = frame.keys(writer, found, carried, limit_of(found.select))
    scope, source = wide_source(writer, found, late, keys)
    shown = [output(writer, scope, each.expression) for each in found.select.outputs]
    shown += (f"k.s{index}" for index in range(len(found.terms)))
    ordering = ", ".join(
        writer.dialect.ordering(f"k.s{index}", descending=term.descending) for index, term in enumerate(found.terms)
    )
    return f"select {', '.join(shown)} from {source} order by {ordering}"


def key_columns(found: Frame) -> tuple[str, ...]:
    """The keys that a term carries: the root's, and those of the joined rows."""
    joined = (f"{each.bound.column('id')} j{index}" for index, each in enumerate(found.early))
    return (f"{found.root.column('id')} i", *joined)


def wide_source(writer: Writer, found: Frame, late: tuple[Join, ...], keys: str) -> tuple[Scope, str]:
    """The found keys with their wide rows beside them, and the scope in which the query's aliases mean these rows."""
    join = writer.dialect.ordered_join()
    source = f"({keys}) k {join} {found.source} on {found.root.column('id')} = k.i"
    for index, each in enumerate(found.early):
        source += _wide_join(join, each, index)
    scope, joined = late_joins(writer, found.scope, late)
    return scope, source + joined


def _wide_join(join: str, early: Early, index: int) -> str:
    word = "left join" if early.node.kind is JoinKind.OUTER else join
    bound = early.bound
    return f" {word} {quote(bound.table.logical_name)} {bound.sql} on {bound.column('id')} = k.j{index}"


def late_joins(writer: Writer, scope: Scope, late: tuple[Join, ...]) -> tuple[Scope, str]:
    """Joins that are looked up for the rows of the page alone."""
    text = ""
    for node in late:
        joined = joins.join(writer, scope, node, ordered=True)
        text += joined.sql
        scope = joined.scope
    return scope, text


def output(writer: Writer, scope: Scope, expression: Expression) -> str:
    """One value of the answer. A secured column that the plan does not open is null (SM-132)."""
    if is_masked(writer, expression):
        return expressions.NULL
    return expressions.value(writer, scope, expression)


def is_masked(writer: Writer, expression: Expression) -> bool:
    """Whether the expression shows a secured column that the plan of its source does not let the caller read."""
    if not isinstance(expression, Field | LookupName | LookupTable) or not expression.column.is_secured:
        return False
    access = writer.plan(expression.alias).mask.get(expression.column.logical_name, ColumnAccess.NONE)
    return not access & ColumnAccess.READ


def output_decoder(writer: Writer, expression: Expression) -> Decode:
    """What makes the driver's value of an output ours."""
    kind, scale = expressions.kind_of_expression(writer, expression)
    return None if is_masked(writer, expression) else decoder(writer.dialect, kind, scale)
