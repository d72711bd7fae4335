"""Lists: one page of rows in order.

Where the order's own index leads to the rows and there is one term, the page is read directly. Everywhere else the
keys come first, from narrow terms, and the wide rows of the page are fetched by key.
"""

from strongroom.access.masking import Mask
from strongroom.access.plan import ColumnAccess
from strongroom.query.ast import Expression, Field, Join, JoinKind, LookupName, LookupTable, Select
from strongroom.store.compile import aliases, expressions, frame, joins, order, owners, security, strategy
from strongroom.store.compile.frame import Cut, Early, Frame
from strongroom.store.compile.keys import Columns, is_one_term, select_keys
from strongroom.store.compile.statement import Statement
from strongroom.store.compile.strategy import Layout, limit_of
from strongroom.store.compile.values import Decode, Opening, decoder
from strongroom.store.compile.writer import Scope, Writer
from strongroom.store.dialect import quote


def write(writer: Writer, select: Select, layout: Layout) -> Statement:
    """The statement for one page of `select`."""
    early = aliases.early_joins(select)
    late = tuple(join for join in select.joins if join not in early)
    found = frame.build(writer, select, layout, select.where, early, ordered=True)
    cuts = frame.cuts(writer, found)
    sql = (
        _direct(writer, found, cuts[0], late)
        if _is_direct(writer, found, cuts)
        else _keys_first(writer, found, cuts, late)
    )
    decoders = [output_decoder(writer, output.expression) for output in select.outputs]
    decoders += (decoder(writer.dialect, term.operand.kind, term.operand.scale) for term in found.terms)
    return Statement(sql, tuple(writer.parameters), tuple(decoders), one_plan=_has_one_plan(writer, select))


def _has_one_plan(writer: Writer, select: Select) -> bool | None:
    """Whether the values say no more than which row is meant, or where the page begins: neither changes how rows are
    best found. Those of a filter do. None without values."""
    if not writer.parameters:
        return None
    if strategy.names_one_row(select):
        return True
    after = select.after or ()
    first = writer.shape.place(after) if after else 0
    return all(first <= parameter.place < first + len(after) for parameter in writer.parameters)


def _is_direct(writer: Writer, found: Frame, cuts: list[Cut]) -> bool:
    """Whether one term follows an index in the order of the list, or finds one row, so that nothing wide is sorted."""
    if _is_one_row(writer, found, cuts):
        return True
    if found.layout is Layout.TEST or len(cuts) > 1 or cuts[0].branch.of_share is not None:
        return False
    if not is_one_term(writer, found, cuts[0]):
        return False
    return len(found.terms) <= 2 and order.is_index_order(found.select)


def _is_one_row(writer: Writer, found: Frame, cuts: list[Cut]) -> bool:
    """Whether the filter asks for one row by its id, and nothing repeats or skips it."""
    if found.joins or len(cuts) > 1 or frame.offset(writer, found.select) is not None:
        return False
    return found.layout is Layout.TEST and strategy.names_one_row(found.select)


def _direct(writer: Writer, found: Frame, cut: Cut, late: tuple[Join, ...]) -> str:
    scope, joined = late_joins(writer, found.scope, late)
    scope, behind = owners.joined(writer, scope, [each.expression for each in found.select.outputs])
    shown = [output(writer, scope, each.expression) for each in found.select.outputs]
    shown += (term.operand.sql for term in found.terms)
    ordering = order.written(writer, found.terms, lambda _, term: term.operand.sql)
    before = frame.offset(writer, found.select)
    offset = "" if before is None else f" offset {before}"
    return (
        f"select {', '.join(shown)} from {found.source}{found.joins}{joined}{behind}{frame.where(found, cut)}"
        f" order by {ordering} limit {limit_of(found.select)}{offset}"
    )


def _keys_first(writer: Writer, found: Frame, cuts: list[Cut], late: tuple[Join, ...]) -> str:
    keys = select_keys(writer, found, cuts, key_columns(found), limit_of(found.select))
    scope, source = wide_source(writer, found, late, keys)
    shown = [output(writer, scope, each.expression) for each in found.select.outputs]
    shown += (f"k.s{index}" for index in range(len(found.terms)))
    ordering = order.written(writer, found.terms, lambda index, _: f"k.s{index}")
    return f"select {', '.join(shown)} from {source} order by {ordering}"


def key_columns(found: Frame) -> Columns:
    """The keys that a term carries: the root's, and those of the joined rows."""
    joined = tuple(f"{each.bound.column('id')} j{index}" for index, each in enumerate(found.early))
    return lambda key: (f"{key} i", *joined)


def wide_source(writer: Writer, found: Frame, late: tuple[Join, ...], keys: str) -> tuple[Scope, str]:
    """The found keys with their wide rows beside them, and the scope in which the query's aliases mean these rows."""
    join = writer.dialect.ordered_join()
    source = f"({keys}) k {join} {found.source} on {found.root.column('id')} = k.i"
    for index, each in enumerate(found.early):
        source += _wide_join(join, each, index)
    scope, joined = late_joins(writer, found.scope, late)
    scope, behind = owners.joined(writer, scope, [each.expression for each in found.select.outputs])
    return scope, source + joined + behind


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
    """One value of the answer. A secured column that the plan does not open is null (SM-132), but where the row's value
    is shared (SM-134)."""
    if is_closed(writer, expression):
        return expressions.NULL
    value = expressions.value(writer, scope, expression)
    if isinstance(expression, Field) and expression.column.is_encrypted:
        bound = scope[expression.alias]
        value = f"cast({bound.column(bound.table.primary_id)} as text) || ' ' || {value}"
    if isinstance(expression, Field | LookupName | LookupTable):
        sharers = writer.plan(expression.alias).shared_values.get(expression.column.logical_name)
        if sharers is not None:
            bound = scope[expression.alias]
            conditions = [
                security.value_shared_with(writer.dialect, bound, expression.column, each) for each in sharers
            ]
            return f"case when {' and '.join(conditions)} then {value} end"
    return value


def is_closed(writer: Writer, expression: Expression) -> bool:
    """Whether the expression is a hidden output, or a column that the plan of its source closes."""
    if not isinstance(expression, Field | LookupName | LookupTable):
        return False
    if expression in writer.hidden:
        return True
    plan, name = writer.plan(expression.alias), expression.column.logical_name
    access = plan.mask.get(name)
    if access is None:  # a secured column of which the plan says nothing is closed
        return expression.column.is_secured
    return not access & ColumnAccess.READ and name not in plan.shared_values


def output_decoder(writer: Writer, expression: Expression) -> Decode:
    """What makes the driver's value of an output ours."""
    if is_closed(writer, expression):
        return None
    if isinstance(expression, Field) and expression.column.is_encrypted:
        table = writer.plan(expression.alias).table.logical_name
        return Opening(writer.keys, table, expression.column.logical_name, mask_over(writer, expression))
    kind, scale = expressions.kind_of_expression(writer, expression)
    return mask_over(writer, expression) or decoder(writer.dialect, kind, scale)


def mask_over(writer: Writer, expression: Expression) -> Mask | None:
    """The mask that covers the values of an output (SM-137): only texts have one."""
    if not isinstance(expression, Field):
        return None
    mask = writer.plan(expression.alias).masking.get(expression.column.logical_name)
    return None if mask is None or expression in writer.unmasked else mask
