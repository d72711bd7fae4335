"""How the row predicate is laid out: decided by what the counters say, never by the data itself.

Costs are in instructions of SQLite's virtual machine, measured on the archetypes of the performance page; only their
ratios matter. A wrong guess costs time and never changes a result.
"""

from collections.abc import Iterator
from enum import Enum

from strongroom.access.plan import Plan, Reach
from strongroom.query.ast import And, Comparison, Field, InList, JoinKind, Literal, Operator, Predicate, Select
from strongroom.schema.model import Column, ColumnType
from strongroom.store.compile import aliases, order
from strongroom.store.compile.estimate import Estimate
from strongroom.store.dialect import Dialect

DEFAULT_LIMIT = 5001
_TESTED_ROW = 16
_GATHERED_ROW = 12
_MERGED_ROW = 30
_MOST_OTHERS = 100
"""Branches of another kind than sets that may have terms of their own; SQLite takes 500 terms in all."""
_FILTER_SHARE = 0.1
"""What a filter of unknown effect is taken to let through."""
_BOOKKEEPING = frozenset(
    {"createdby", "createdonbehalfby", "modifiedby", "modifiedonbehalfby", "transactioncurrencyid"}
)
"""Lookups that have no index (`store.indexes`), or that nearly every row has the same value of."""


class Layout(Enum):
    """The shape of the statement that finds the keys."""

    OPEN = "open"  # every row is reached: no predicate but the filter
    TEST = "test"  # the filter finds few rows by an index; each is tested
    WALK = "walk"  # along the order's index, testing each row; shares apart
    MERGE = "merge"  # disjoint branches, merged in order (or gathered, when no index gives the order)


def limit_of(select: Select) -> int:
    """How many rows the statement may give: one more than a page, or the caller's own `top` when that is less."""
    limit = DEFAULT_LIMIT if select.page_size is None else select.page_size + 1
    return limit if select.top is None else min(limit, select.top)


def choose(dialect: Dialect, select: Select, plan: Plan, estimate: Estimate) -> Layout:
    """The layout for a list."""
    settled = _settled(select, plan)
    if settled is not None:
        return settled
    reach = plan.reach
    seen = estimate(select.source.table, reach)
    total = max(seen.total, 1)
    share = min(max(seen.visible, 1) / total, 1.0)
    passing = 1.0 if select.where is None else _FILTER_SHARE
    rows = limit_of(select) / passing
    walk = _TESTED_ROW * min(rows / share, total) if order.is_index_order(select) else _GATHERED_ROW * total
    if order.is_name_order(select):
        if len(reach.others) > _MOST_OTHERS:
            return Layout.WALK
        merge = dialect.cost_of_term * _sets(reach) + _MERGED_ROW * min(rows, max(seen.visible, 1))
    else:
        merge = _GATHERED_ROW * seen.visible + dialect.cost_of_term
    return Layout.WALK if walk <= merge else Layout.MERGE


def choose_unordered(select: Select, plan: Plan, estimate: Estimate | None) -> Layout:
    """The layout for counting and grouping, where every visible row is read once."""
    settled = _settled(select, plan)
    if settled is not None:
        return settled
    if estimate is not None:
        seen = estimate(select.source.table, plan.reach)
        if seen.visible * 2 > seen.total:
            return Layout.WALK
    return Layout.MERGE


def _settled(select: Select, plan: Plan) -> Layout | None:
    if plan.reach.everything:
        return Layout.TEST if is_selective(select) else Layout.OPEN
    if not plan.branches or is_selective(select):
        return Layout.TEST
    return None


def is_selective(select: Select) -> bool:
    """Whether some part of the filter surely finds few rows by an index: an id, a lookup, an indexed text."""
    inner = {"", select.source.alias} | {
        join.source.alias for join in aliases.early_joins(select) if join.kind is not JoinKind.OUTER
    }
    return any(_finds_few(part, inner) for part in _conjuncts(select.where))


def names_one_row(select: Select) -> bool:
    """Whether the filter asks for the root's row with a certain id."""
    return any(
        isinstance(part, Comparison)
        and part.operator is Operator.EQUAL
        and part.left == Field(select.source.alias, select.source.table.id_column)
        for part in _conjuncts(select.where)
    )


def _conjuncts(node: Predicate | None) -> Iterator[Predicate]:
    if isinstance(node, And):
        for part in node.parts:
            yield from _conjuncts(part)
    elif node is not None:
        yield node


def _finds_few(node: Predicate, inner: set[str]) -> bool:
    match node:
        case Comparison(Operator.EQUAL, Field(alias, column), Literal()) if alias in inner:
            return _leads_to_few(column)
        case InList(Field(alias, column), _, False) if alias in inner:
            return _leads_to_few(column)
        case _:
            return False


def _leads_to_few(column: Column) -> bool:
    if column.type.is_lookup:
        return column.logical_name not in _BOOKKEEPING
    return column.type is ColumnType.UNIQUEIDENTIFIER or (column.type is ColumnType.STRING and column.is_indexed)


def _sets(reach: Reach) -> int:
    """What merging reads from and walking does not; shares are apart from both."""
    return len(reach.owners) + len(reach.units) + len(reach.others)
