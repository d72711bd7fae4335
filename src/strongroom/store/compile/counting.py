"""How many rows there are, from the counters where they know it (performance page, section 2, point 6).

Rows that owners and units bring in are added up from `counters`, whatever their number; only the shares outside these
sets are looked through. That needs a query without a filter and a plan of nothing but sets: everything else reads
what it counts.
"""

from strongroom.access.plan import Plan, Reach
from strongroom.query.ast import Select
from strongroom.store.compile import aliases, frame, groups, security
from strongroom.store.compile.frame import Cut
from strongroom.store.compile.keys import select_keys
from strongroom.store.compile.statement import Statement
from strongroom.store.compile.strategy import Layout
from strongroom.store.compile.writer import Writer
from strongroom.store.dialect import key_list, text_literal
from strongroom.store.layout import is_counted


def knows(select: Select, plan: Plan) -> bool:
    """Whether the counters answer for owners and units."""
    plain = select.where is None and not aliases.early_joins(select) and not groups.is_grouped(select)
    return plain and not plan.guards and not plan.reach.others and is_counted(select.source.table)


def needs_shares(plan: Plan) -> bool:
    """Whether shares may bring in rows that owners and units do not."""
    return not plan.reach.everything and plan.reach.uses_shares


def write(writer: Writer, select: Select, plan: Plan, limit: int | None, *, shares_only: bool) -> Statement:
    """The statement for two numbers: the rows that owners and units bring in, and those that shares alone bring in;
    or for the second alone (`shares_only`). `limit` bounds the shares that are looked at, and so the second number."""
    inside = "" if shares_only else f"{_inside(text_literal(select.source.table.logical_name), plan.reach)}, "
    shared = "0"
    if needs_shares(plan):
        found = frame.build(writer, select, Layout.MERGE, None, (), ordered=False)
        cuts = [Cut(branch) for branch in security.share_branches(writer, found.root, plan)]
        shared = f"(select count(*) from ({select_keys(writer, found, cuts, lambda _: ('1 i',), limit)}) k)"
    return Statement(f"select {inside}{shared}", tuple(writer.parameters), (None,) if shares_only else (None, None))


def _inside(table: str, reach: Reach) -> str:
    if reach.everything:
        condition = ""
    else:
        sets = (("owner", reach.owners), ("unit", reach.units))
        given = [f"{name} in {key_list(keys)}" for name, keys in sets if keys]
        if not given:
            return "0"
        condition = f" and ({' or '.join(given)})"
    return f"(select cast(coalesce(sum(amount), 0) as bigint) from counters where tablename = {table}{condition})"
