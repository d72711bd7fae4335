"""Reading under a plan: compile, run, decode. And the check of one row, by the same plan."""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from strongroom.access.plan import Plan, Reach
from strongroom.access.planned import PlannedSelect
from strongroom.schema.model import Table
from strongroom.store import shares
from strongroom.store.compile import Compiled, Statements, Visible, counting
from strongroom.store.estimates import Estimates
from strongroom.store.numbers import Numbers
from strongroom.store.protocol import Row, Value
from strongroom.store.work import Work

_MOST_RECENT = 512
_USES = 32
"""How often a statement is used before its layout is looked at again."""


@dataclass(slots=True)
class _Recent:
    """A compiled query. It holds the query, so that its identity cannot pass to another one."""

    query: PlannedSelect
    version: int
    compiled: Compiled
    left: int = _USES


@dataclass(frozen=True, slots=True)
class Reader:
    """What a process keeps from one query to the next. The lock is for threads that compile at the same time."""

    statements: Statements
    estimates: Estimates = field(default_factory=Estimates)
    numbers: Numbers = field(default_factory=Numbers)
    lock: Lock = field(default_factory=Lock)
    recent: dict[int, _Recent] = field(default_factory=dict[int, _Recent])
    """The very queries that were run lately, by identity: edges keep the query of a request that comes again."""

    def select(self, work: Work, query: PlannedSelect) -> list[tuple[Value, ...]]:
        """See `Transaction.select`."""
        known = self.recent.get(id(query))
        if known is None or known.query is not query or known.version != work.schema.version or not known.left:
            known = self._compile(work, query)
        known.left -= 1
        compiled = known.compiled
        return compiled.rows(work.connection.query(compiled.sql, compiled.parameters, one_plan=compiled.one_plan))

    def _compile(self, work: Work, query: PlannedSelect) -> _Recent:
        with self.lock:
            compiled = self.statements.select(query, work.schema, self._estimate(work))
            if len(self.recent) >= _MOST_RECENT:
                self.recent.clear()
            found = self.recent[id(query)] = _Recent(query, work.schema.version, compiled)
        return found

    def count(self, work: Work, query: PlannedSelect, limit: int | None) -> int:
        """See `Transaction.count`."""
        plan = query.plans[query.select.source.alias].required()
        if counting.knows(query.select, plan):
            found = self._by_counters(work, query, plan, limit)
        else:
            (found,) = self._counted(work, query, limit)
        return found if limit is None else min(found, limit)

    def _by_counters(self, work: Work, query: PlannedSelect, plan: Plan, limit: int | None) -> int:
        """The number of rows; at least `limit` where it is more. Only what is not known of this snapshot is counted."""
        table, reach, numbers = query.select.source.table, plan.reach, self.numbers
        inside = numbers.inside(work, table, reach)
        shared = numbers.shared(work, table, plan.right, reach) if counting.needs_shares(plan) else 0
        if inside is None:
            inside, newly_shared = self._counted(work, query, limit)
            numbers.keep_inside(work, table, reach, inside)
        elif shared is not None or (limit is not None and inside >= limit):
            return inside + (shared or 0)
        else:
            (newly_shared,) = self._counted(work, query, limit, shares_only=True)
        if limit is None or newly_shared < limit:
            numbers.keep_shared(work, table, plan.right, reach, newly_shared)
        return inside + newly_shared

    def _counted(
        self, work: Work, query: PlannedSelect, limit: int | None, *, shares_only: bool = False
    ) -> tuple[int, ...]:
        with self.lock:
            compiled = self.statements.count(query, work.schema, limit, self._estimate(work), shares_only=shares_only)
        return work.connection.query(compiled.sql, compiled.parameters)[0]

    def allows(self, work: Work, plan: Plan, row: Row) -> bool:
        """See `Transaction.allows`. A row that is not stored yet (its key is 0) has no shares."""
        reach = plan.required().reach
        if reach.everything or row.owner in reach.owners or row.unit in reach.units:
            if not plan.guards:
                return True
        elif not row.key or not (reach.uses_shares or reach.others):
            return False
        if plan.guards or reach.others:
            with self.lock:
                compiled = self.statements.check(plan, work.schema)
            return bool(work.connection.query(compiled.sql, (*compiled.parameters, row.key)))
        return shares.is_shared(work, row, reach.shared_with, reach.shared_directly_with, plan.right)

    def _estimate(self, work: Work) -> Callable[[Table, Reach], Visible]:
        return lambda table, reach: self.estimates.visible(work, table, reach)
