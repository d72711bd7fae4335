"""The entrance of the compiler, and the cache of what it made.

`Statements` belongs to one environment's store. A query of a known shape costs one walk over it: the key is looked up
and the values are bound. The layout depends on counters that move while rows come and go; it is asked for again now
and then, more seldom the longer a statement lives.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace

from strongroom.access.plan import Plan
from strongroom.access.planned import PlannedSelect
from strongroom.errors import IntegrityViolation
from strongroom.query.ast import Select
from strongroom.schema.model import Schema
from strongroom.store.column_keys import ColumnKeys
from strongroom.store.compile import aliases, counting, frame, groups, lists, predicates, security, shape, strategy
from strongroom.store.compile.estimate import Estimate
from strongroom.store.compile.keys import select_keys
from strongroom.store.compile.shape import Shape
from strongroom.store.compile.statement import Compiled, Statement
from strongroom.store.compile.strategy import Layout
from strongroom.store.compile.writer import Writer
from strongroom.store.dialect import Dialect, Kind, quote

MOST_TEXT = 16 * 2**20
"""Characters of SQL that are kept, in all."""
_LONGEST_WAIT = 64
"""Uses of a statement after which its layout is asked for again, at the latest."""


def compile_select(planned: PlannedSelect, schema: Schema, dialect: Dialect, estimate: Estimate) -> Compiled:
    """The statement for one page of `planned`, with its values. Not cached."""
    read = shape.read(planned)
    layout = _list_layout(planned, dialect, estimate)
    return _select(planned, schema, dialect, read, layout).bind(read.values)


def compile_count(
    planned: PlannedSelect, schema: Schema, dialect: Dialect, limit: int | None, estimate: Estimate | None = None
) -> Compiled:
    """The statement that counts the rows of `planned` without paging, no further than `limit`: one row, one column."""
    read = shape.read(planned)
    layout = strategy.choose_unordered(planned.select, _root_plan(planned), estimate)
    return _count(planned, schema, dialect, read, layout, limit).bind(read.values)


def compile_check(plan: Plan, schema: Schema, dialect: Dialect) -> Compiled:
    """The statement that says whether `plan` reaches one row: at most one row `(1,)`.

    Execute it with `(*compiled.parameters, key)`: the row's key is the last parameter.
    """
    read = shape.read_plan(plan)
    return _check(plan, schema, dialect, read).bind(read.values)


@dataclass(slots=True)
class _Entry:
    statement: Statement
    layout: Layout
    wait: int = 1
    left: int = 1


class Statements:
    """Compiled statements of one environment, by shape, plans and schema version; the least used ones are dropped."""

    def __init__(self, dialect: Dialect, capacity: int = 2000, keys: ColumnKeys | None = None) -> None:
        self._dialect = dialect
        self._keys = keys or ColumnKeys()
        self._capacity = capacity
        self._entries: OrderedDict[tuple[object, ...], _Entry] = OrderedDict()
        self._text = 0

    def select(self, planned: PlannedSelect, schema: Schema, estimate: Estimate) -> Compiled:
        """As `compile_select`."""
        read = shape.read(planned)
        key = ("select", schema.version, *read.tokens)
        entry = self._entries.get(key)
        if entry is not None:
            entry.left -= 1
            if entry.left > 0 or self._keeps_layout(entry, planned, estimate):
                self._entries.move_to_end(key)
                return entry.statement.bind(read.values)
        layout = _list_layout(planned, self._dialect, estimate)
        statement = _select(planned, schema, self._dialect, read, layout, self._keys)
        self._keep(key, _Entry(statement, layout))
        return statement.bind(read.values)

    def count(
        self,
        planned: PlannedSelect,
        schema: Schema,
        limit: int | None,
        estimate: Estimate | None = None,
        *,
        shares_only: bool = False,
    ) -> Compiled:
        """As `compile_count`; where the counters know, the statement of `counting.write`."""
        read = shape.read(planned)
        key = ("count", schema.version, limit, shares_only, *read.tokens)
        entry = self._entries.get(key)
        if entry is None:
            plan = _root_plan(planned)
            if counting.knows(planned.select, plan):
                writer = _writer(self._dialect, schema, planned.plans, read)
                counted = counting.write(writer, planned.select, plan, limit, shares_only=shares_only)
                entry = _Entry(counted, Layout.MERGE)
            else:
                layout = strategy.choose_unordered(planned.select, plan, estimate)
                entry = _Entry(_count(planned, schema, self._dialect, read, layout, limit), layout)
            self._keep(key, entry)
        return entry.statement.bind(read.values)

    def check(self, plan: Plan, schema: Schema) -> Compiled:
        """As `compile_check`."""
        read = shape.read_plan(plan)
        key = ("check", schema.version, *read.tokens)
        entry = self._entries.get(key)
        if entry is None:
            entry = _Entry(_check(plan, schema, self._dialect, read), Layout.TEST)
            self._keep(key, entry)
        return entry.statement.bind(read.values)

    def _keeps_layout(self, entry: _Entry, planned: PlannedSelect, estimate: Estimate) -> bool:
        entry.wait = entry.left = min(entry.wait * 2, _LONGEST_WAIT)
        return _list_layout(planned, self._dialect, estimate) is entry.layout

    def _keep(self, key: tuple[object, ...], entry: _Entry) -> None:
        replaced = self._entries.pop(key, None)
        self._text += len(entry.statement.sql) - (0 if replaced is None else len(replaced.statement.sql))
        self._entries[key] = entry
        while len(self._entries) > self._capacity or (self._text > MOST_TEXT and len(self._entries) > 1):
            _, dropped = self._entries.popitem(last=False)
            self._text -= len(dropped.statement.sql)


def _root_plan(planned: PlannedSelect) -> Plan:
    alias = planned.select.source.alias
    plan = planned.plans.get(alias)
    if plan is None:
        raise IntegrityViolation(f"The source {alias!r} has no plan.")
    return plan.required()


def _list_layout(planned: PlannedSelect, dialect: Dialect, estimate: Estimate) -> Layout:
    plan = _root_plan(planned)
    if groups.is_grouped(planned.select):
        return strategy.choose_unordered(planned.select, plan, estimate)
    return strategy.choose(dialect, planned.select, plan, estimate)


def _writer(
    dialect: Dialect,
    schema: Schema,
    plans: Mapping[str, Plan],
    read: Shape,
    planned: PlannedSelect | None = None,
) -> Writer:
    writer = Writer(dialect, schema, plans, read, predicates.predicate)
    return writer if planned is None else replace(writer, hidden=planned.hidden, unmasked=planned.unmasked)


def _select(
    planned: PlannedSelect,
    schema: Schema,
    dialect: Dialect,
    read: Shape,
    layout: Layout,
    keys: ColumnKeys | None = None,
) -> Statement:
    writer = _writer(dialect, schema, planned.plans, read, planned)
    if keys is not None:
        writer.keys = keys
    write = groups.write if groups.is_grouped(planned.select) else lists.write
    return write(writer, planned.select, layout)


def _count(
    planned: PlannedSelect, schema: Schema, dialect: Dialect, read: Shape, layout: Layout, limit: int | None
) -> Statement:
    writer = _writer(dialect, schema, planned.plans, read, planned)
    select: Select = planned.select
    if groups.is_grouped(select):
        return groups.count(writer, select, layout, limit)
    found = frame.build(writer, select, layout, select.where, aliases.early_joins(select), ordered=False)
    sql = f"select count(*) from ({select_keys(writer, found, frame.cuts(writer, found), lambda _: ('1 i',), limit)}) k"
    return Statement(sql, tuple(writer.parameters), (None,))


def _check(plan: Plan, schema: Schema, dialect: Dialect, read: Shape) -> Statement:
    writer = _writer(dialect, schema, {}, read)
    bound = writer.bound(plan.required().table)
    conditions = security.row_predicate(writer, bound, plan)
    key = dialect.placeholder(len(writer.parameters) + 1, Kind.INTEGER)
    where = " and ".join((f"{bound.column('id')} = {key}", *conditions))
    sql = f"select 1 from {quote(plan.table.logical_name)} {bound.sql} where {where}"
    return Statement(sql, tuple(writer.parameters), (None,))
