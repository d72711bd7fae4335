"""Joins and `Exists` → SQL.

Every joined source is guarded by its plan inside the join: rows that may not be read do not exist (SM-153). Owner
columns that meet a user, a team or a unit are compared by key; a lookup to several tables must also name the table.
"""

from dataclasses import dataclass, replace

from strongroom.query.ast import Exists, Join, JoinKind, Link, Predicate, Source
from strongroom.schema.activities import tables_behind
from strongroom.store.compile import security
from strongroom.store.compile.expressions import Operand, field_operand, is_owner_column, owner_key
from strongroom.store.compile.writer import Bound, Scope, Writer
from strongroom.store.dialect import quote, text_literal
from strongroom.store.layout import has_table_column

_PRINCIPALS = {"systemuser", "team"}


@dataclass(frozen=True, slots=True)
class Joined:
    """A written join: the text that follows the FROM, and the scope in which its alias has a meaning."""

    sql: str
    scope: Scope
    bound: Bound


def join(writer: Writer, scope: Scope, node: Join, *, ordered: bool) -> Joined:
    """One join. `ordered` keeps the left side as the outer loop where the engine takes such a hint."""
    bound = writer.bound(node.source.table)
    inside = scope.within(node.source.alias, bound)
    word = writer.dialect.ordered_join() if ordered else "join"
    match node.kind:
        case JoinKind.FIRST_ROW:
            sql = f" {word} {_table(bound)} on {_is_first(writer, scope, node, bound)}"
        case JoinKind.INNER:
            steps = _steps(writer, inside, node.link, bound)
            conditions = (steps.condition, *_conditions(writer, inside, node.source, node.where))
            through = "" if steps.between is None else f" {word} {_table(steps.between)} on {steps.to_between}"
            sql = f"{through} {word} {_table(bound)} on {' and '.join(conditions)}"
        case JoinKind.OUTER:
            sql = _outer(writer, inside, node, bound)
    return Joined(sql, inside, bound)


def exists(writer: Writer, scope: Scope, node: Exists) -> str:
    """`exists (…)` for some linked row that may be read and satisfies the condition."""
    bound = writer.bound(node.source.table)
    inside = replace(scope.within(node.source.alias, bound), under_not=False)
    source, conditions = _matching(writer, inside, node.link, bound)
    for each in node.joins:
        joined = join(writer, inside, each, ordered=False)
        source += joined.sql
        inside = joined.scope
    conditions += _conditions(writer, inside, node.source, node.where)
    return f"exists (select 1 from {source} where {' and '.join(conditions)})"


@dataclass(frozen=True, slots=True)
class _Steps:
    """How a source hangs on the outer row: directly, or through rows of an intersect table (`between`)."""

    condition: str
    between: Bound | None = None
    to_between: str = ""


def _steps(writer: Writer, scope: Scope, link: Link, inner: Bound) -> _Steps:
    outer = scope[link.outer_alias]
    if link.intersect is None:
        return _Steps(_direct(writer, outer, link.outer_column, inner, link.inner_column))
    between = writer.bound(writer.schema.tables[link.intersect.intersect])
    return _Steps(
        f"{inner.column(inner.table.primary_id)} = {between.column(link.inner_column)}",
        between,
        f"{between.column(link.outer_column)} = {outer.column(outer.table.primary_id)}",
    )


def _matching(writer: Writer, scope: Scope, link: Link, bound: Bound) -> tuple[str, list[str]]:
    """The FROM of a sub-select over the linked rows, and the conditions that tie them to the outer row."""
    steps = _steps(writer, scope, link, bound)
    if steps.between is None:
        return _table(bound), [steps.condition]
    return f"{_table(steps.between)} join {_table(bound)} on {steps.condition}", [steps.to_between]


def _outer(writer: Writer, scope: Scope, node: Join, bound: Bound) -> str:
    steps = _steps(writer, scope, node.link, bound)
    if steps.between is None:
        conditions = (steps.condition, *_conditions(writer, scope, node.source, node.where))
        return f" left join {_table(bound)} on {' and '.join(conditions)}"
    # A link counts only when its far end may be read: otherwise a row without a match would be repeated per link.
    probe = writer.bound(node.source.table)
    probed = scope.within(node.source.alias, probe)
    far = f"{probe.column(probe.table.primary_id)} = {steps.between.column(node.link.inner_column)}"
    conditions = " and ".join((far, *_conditions(writer, probed, node.source, node.where)))
    return (
        f" left join {_table(steps.between)} on {steps.to_between}"
        f" and exists (select 1 from {_table(probe)} where {conditions})"
        f" left join {_table(bound)} on {steps.condition}"
    )


def _is_first(writer: Writer, scope: Scope, node: Join, bound: Bound) -> str:
    """The row is the first of those that match, by its id."""
    candidate = writer.bound(node.source.table)
    inside = scope.within(node.source.alias, candidate)
    source, conditions = _matching(writer, inside, node.link, candidate)
    conditions += _conditions(writer, inside, node.source, node.where)
    first = candidate.column(candidate.table.primary_id)
    return (
        f"{bound.column('id')} = (select {candidate.column('id')} from {source}"
        f" where {' and '.join(conditions)} order by {first} limit 1)"
    )


def _conditions(writer: Writer, scope: Scope, source: Source, where: Predicate | None) -> list[str]:
    """The plan of the source (unless a plan itself is being written), and the join's own condition."""
    parts: list[str] = []
    if not scope.by_plan:
        plan = writer.plan(source.alias)
        parts += security.row_predicate(writer, scope[source.alias], plan)
    if where is not None:
        parts.append(writer.condition(scope, where))
    return parts


def _table(bound: Bound) -> str:
    return f"{quote(bound.table.logical_name)} {bound.sql}"


def _direct(writer: Writer, outer: Bound, outer_column: str, inner: Bound, inner_column: str) -> str:
    key = _by_key(outer, outer_column, inner, inner_column) or _by_key(inner, inner_column, outer, outer_column)
    if key is not None:
        return key
    left = _operand(writer, outer, outer_column)
    right = _operand(writer, inner, inner_column)
    condition = f"{right.sql} = {left.sql}"
    for holder, column, target, target_column in (
        (outer, outer_column, inner, inner_column),
        (inner, inner_column, outer, outer_column),
    ):
        lookup = holder.table.columns[column]
        is_stored_lookup = has_table_column(lookup) and not is_owner_column(holder.table, column)
        if is_stored_lookup and target_column == target.table.primary_id:
            behind = [text_literal(name) for name in tables_behind(writer.schema, target.table.logical_name)]
            pointed = f"= {behind[0]}" if len(behind) == 1 else f"in ({', '.join(behind)})"
            condition += f" and {holder.column(f'{column}__table')} {pointed}"
    return condition


def _operand(writer: Writer, bound: Bound, column: str) -> Operand:
    return field_operand(writer, bound, bound.table.columns[column])


def _by_key(holder: Bound, column: str, target: Bound, target_column: str) -> str | None:
    """`owner` or `unit` of `holder` against the key of a user, team or unit; of two holders against each other."""
    if not is_owner_column(holder.table, column):
        return None
    if column == target_column and is_owner_column(target.table, target_column) and column == "ownerid":
        return f"{owner_key(target, column)} = {owner_key(holder, column)}"
    allowed = {
        "ownerid": _PRINCIPALS,
        "owninguser": {"systemuser"},
        "owningteam": {"team"},
        "owningbusinessunit": {"businessunit"},
    }[column]
    name = target.table.logical_name
    if name not in allowed or target_column != target.table.primary_id:
        return None
    return f"{target.column('id')} = {owner_key(holder, column)}"
