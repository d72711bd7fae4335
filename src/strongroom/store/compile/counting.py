"""How many rows there are, from the counters where they know it (performance page, section 2, point 6).

Rows that owners and units bring in are added up from `counters`, whatever their number; only the shares outside these
sets are looked through. That needs a query without a filter and a plan of nothing but sets: everything else reads
what it counts.
"""

from strongroom.access.plan import Plan
from strongroom.query.ast import Select
from strongroom.store.compile import aliases, frame, groups, security
from strongroom.store.compile.frame import Cut
from strongroom.store.compile.statement import Statement
from strongroom.store.compile.strategy import Layout
from strongroom.store.compile.writer import Writer
from strongroom.store.dialect import key_list, text_literal
from strongroom.store.layout import is_counted


def knows(select: Select, plan: Plan) -> bool:
    """Whether the counters answer for owners and units."""
    plain = select.where is None and not aliases.early_joins(select) and not groups.is_grouped(select)
    return plain and not plan.guards and not plan.reach.others and is_counted(select.source.table)


def write(writer: Writer, select: Select, plan: Plan, limit: int | None, *, shares_only: bool) -> Statement:
    """The statement for the number of rows, or of those that shares alone bring in (`shares_only`). It may exceed
    `limit`, which only bounds the shares that are looked at."""
    reach = plan.reach
    table = text_literal(select.source.table.logical_name)
    if reach.everything:
        return Statement(f"select {_sum(table, '')}", tuple(writer.parameters), (None,))
    parts: list[str] = []
    sets = [f"{name} in {key_list(keys)}" for name, keys in (("owner", reach.owners), ("unit", reach.units)) if keys]
    if sets and not shares_only:
        parts.append(_sum(table, f" and ({' or '.join(sets)})"))
    found = frame.build(writer, select, Layout.MERGE, None, (), ordered=False)
    shared = [Cut(branch) for branch in security.share_branches(writer, found.root, plan, together=True)]
    if shared:
        parts.append(f"(select count(*) from ({frame.keys(writer, found, shared, lambda _: ('1 i',), limit)}) k)")
    return Statement(f"select {' + '.join(parts) or '0'}", tuple(writer.parameters), (None,))


def _sum(table: str, condition: str) -> str:
    return f"(select cast(coalesce(sum(amount), 0) as bigint) from counters where tablename = {table}{condition})"
