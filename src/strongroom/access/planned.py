"""From a query to a query that security has seen, the only kind that the store compiles.

Every table that the query touches gets its own read plan: the root, joins, sub-selects and expands alike, and the
first one that the caller may not read at all refuses the whole query (SM-153). A secured column that the caller may
not read comes out as null (SM-132), and may not decide anything: neither which rows are found, nor their order, nor
their groups (SM-136). Both are settled here, before there is any SQL.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import assert_never

from strongroom.access.caller import Caller
from strongroom.access.columns import closed_in_query, decides, is_open, mask_of
from strongroom.access.plan import ColumnAccess, Plan
from strongroom.access.planning import plan_for
from strongroom.query.ast import (
    Aggregate,
    And,
    ChoiceMatch,
    Comparison,
    Constant,
    DateGroup,
    Exists,
    Expand,
    Expression,
    Field,
    Hierarchy,
    InList,
    IsNull,
    Join,
    Link,
    Literal,
    LookupName,
    LookupTable,
    Match,
    Not,
    Or,
    OwnerIn,
    Predicate,
    Select,
    SharedWith,
    Source,
    UnitIn,
)
from strongroom.schema.model import Column, Rights


@dataclass(frozen=True, slots=True)
class PlannedSelect:
    """A query that security has seen: every alias in `select` (joins and `Exists` included) has its read plan.

    `plans` is keyed by alias. `expands` are the planned forms of `select.expands`, in their order. `hidden` holds the
    outputs of `select` whose values are null for this caller (SM-132): closed columns, and names of lookups whose
    target's name is closed or masked. A column with shared values is hidden where rows are grouped. `unmasked` holds
    the outputs that show what their masks would cover (SM-138).
    """

    select: Select
    plans: Mapping[str, Plan]
    expands: tuple["PlannedSelect", ...] = ()
    hidden: frozenset[Expression] = frozenset()
    unmasked: frozenset[Expression] = frozenset()


def planned(select: Select, caller: Caller, unmask: ColumnAccess = ColumnAccess.NONE) -> PlannedSelect:
    """`select` with the caller's plans. `unmask` is what masks give way to, when they were asked to: to the permission
    to read one row unmasked, or all rows (SM-138). Expanded rows are lists, whatever they hang on.

    Raises `AccessDenied` 0x80040220 when the Read privilege of a table is missing (SM-153), and 0x8004f504 when a
    secured column that the caller may not read is used for more than output (SM-136).
    """
    walk = _Walk(caller, is_grouped=select.is_aggregate or select.distinct or bool(select.group_by))
    walk.source(select.source)
    walk.joins(select.joins)
    walk.predicate(select.where)
    for order in select.order:
        walk.expression(order.expression)
    for group in select.group_by:
        walk.expression(group)
    hidden = frozenset(output.expression for output in select.outputs if walk.hides(output.expression))
    if not unmask:
        return PlannedSelect(select, walk.plans, tuple(walk.expand(expand) for expand in select.expands), hidden)
    expands = tuple(walk.expand(expand, ColumnAccess.READ_UNMASKED_ALL) for expand in select.expands)
    unmasked = frozenset(output.expression for output in select.outputs if walk.unmasks(output.expression, unmask))
    return PlannedSelect(select, walk.plans, expands, hidden, unmasked)


class _Walk:
    """One pass over a query: collects the plans and refuses closed columns."""

    def __init__(self, caller: Caller, *, is_grouped: bool) -> None:
        self._caller = caller
        self._is_grouped = is_grouped
        self.plans: dict[str, Plan] = {}

    def source(self, source: Source) -> None:
        self.plans[source.alias] = plan_for(self._caller, source.table, Rights.READ).required()

    def joins(self, joins: Iterable[Join]) -> None:
        for join in joins:
            self.source(join.source)
            self._link(join.link, join.source.alias)
            self.predicate(join.where)

    def predicate(self, predicate: Predicate | None) -> None:
        match predicate:
            case Comparison(_, left, right):
                self.expression(left)
                self.expression(right)
            case IsNull(operand) | InList(operand) | Match(_, operand) | ChoiceMatch(operand):
                self.expression(operand)
            case And(parts) | Or(parts):
                for part in parts:
                    self.predicate(part)
            case Not(part):
                self.predicate(part)
            case Hierarchy(alias, relationship):
                self._use(alias, relationship.referencing_column)
            case Exists(link, source, where, joins):
                self.source(source)
                self._link(link, source.alias)
                self.joins(joins)
                self.predicate(where)
            case None | Constant() | OwnerIn() | UnitIn() | SharedWith():  # no columns in them
                pass
            case _:  # pragma: no cover - a new kind of predicate must be walked before it can be asked for
                assert_never(predicate)

    def expression(self, expression: Expression) -> None:
        """Refuse a closed column in an expression that decides something."""
        match expression:
            case Field(alias, column) | LookupTable(alias, column):
                self._use(alias, column.logical_name)
            case LookupName(alias, column):
                self._use(alias, column.logical_name)
                self._use_names(column)
            case Aggregate(_, operand):
                if operand is not None:
                    self.expression(operand)
            case DateGroup(operand):
                self.expression(operand)
            case Literal():
                pass
            case _:  # pragma: no cover - as for predicates
                assert_never(expression)

    def hides(self, expression: Expression) -> bool:
        """Whether an output is null for this caller. Outputs that compute something are refused instead."""
        match expression:
            case Field(alias, column) | LookupTable(alias, column):
                return self._hides(alias, column.logical_name)
            case LookupName(alias, column):
                return self._hides(alias, column.logical_name) or self._closed_name(column) is not None
            case _:
                self.expression(expression)
                return False

    def unmasks(self, expression: Expression, unmask: ColumnAccess) -> bool:
        """Whether an output shows what its mask would cover. Groups and distinct rows keep their masks: nobody could
        say afterwards whose values were read."""
        if self._is_grouped or not isinstance(expression, Field):
            return False
        plan, column = self.plans[expression.alias], expression.column.logical_name
        return column in plan.masking and is_open(plan, column, unmask)

    def expand(self, expand: Expand, unmask: ColumnAccess = ColumnAccess.NONE) -> PlannedSelect:
        """The related rows' query; following a closed lookup column would tell its value."""
        inner = planned(expand.select, self._caller, unmask)
        if expand.relationship is not None:
            holder = self.plans[""] if expand.to_parent else inner.plans[""]
            _require_open(holder, expand.relationship.referencing_column)
        return inner

    def _link(self, link: Link, inner_alias: str) -> None:
        if link.intersect is None:
            self._use(link.outer_alias, link.outer_column)
            self._use(inner_alias, link.inner_column)

    def _use(self, alias: str, column: str) -> None:
        _require_open(self.plans[alias], column)

    def _hides(self, alias: str, column: str) -> bool:
        """Whether no row shows its value. Rows that are made one are grouped by it, which is to decide (SM-136)."""
        plan = self.plans[alias]
        if column not in plan.mask:
            return False
        if is_open(plan, column, ColumnAccess.READ):
            if self._is_grouped:
                _require_open(plan, column)
            return False
        return self._is_grouped or column not in plan.shared_values

    def _use_names(self, column: Column) -> None:
        closed = self._closed_name(column)
        if closed is not None:
            table, name = closed
            raise closed_in_query(self._caller.schema.tables[table], name)

    def _closed_name(self, column: Column) -> tuple[str, str] | None:
        """The table and column of a name that `column` may lead to and that is closed to the caller, or masked."""
        for target in column.targets:
            table = self._caller.schema.tables.get(target)
            if table is None or table.primary_name is None:
                continue
            name = table.columns.get(table.primary_name)
            if name is not None and name.is_secured:
                allowed = mask_of(self._caller, table)[name.logical_name]
                if ColumnAccess.READ not in allowed or name.logical_name in self._caller.facts.masking.get(target, ()):
                    return target, name.logical_name
        return None


def _require_open(plan: Plan, column: str) -> None:
    if not decides(plan, column):
        raise closed_in_query(plan.table, column)
