"""The part of a query that decides which rows there are: the root, the joins that count, the filter, the order.

From a frame, `keys` writes the statement that finds the keys of a page: one term for each branch of the plan, cut at
the page, narrow. Wide values are read later, for the rows of the page alone (performance page, section 2).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import cast

from strongroom.access.plan import Plan
from strongroom.query.ast import Join, Predicate, Select
from strongroom.store.compile import aliases, joins, order, security
from strongroom.store.compile.order import Term
from strongroom.store.compile.security import Branch
from strongroom.store.compile.strategy import Layout
from strongroom.store.compile.writer import Bound, Scope, Writer
from strongroom.store.dialect import Kind, quote
from strongroom.store.layout import SHARES


@dataclass(frozen=True, slots=True)
class Early:
    """A join inside the frame: its node and the alias under which its row is bound."""

    node: Join
    bound: Bound


@dataclass(frozen=True, slots=True)
class Frame:
    """Everything that the terms of the key statement have in common."""

    select: Select
    plan: Plan
    layout: Layout
    root: Bound
    scope: Scope
    joins: str
    early: tuple[Early, ...]
    conditions: tuple[str, ...]
    terms: tuple[Term, ...]

    @property
    def source(self) -> str:
        return f"{quote(self.root.table.logical_name)} {self.root.sql}"


def build(
    writer: Writer,
    select: Select,
    layout: Layout,
    where: Predicate | None,
    joined_early: tuple[Join, ...],
    *,
    ordered: bool,
) -> Frame:
    """The frame of `select` with the filter `where` (the select's own, but for conditions on aggregates)."""
    plan = writer.plan(select.source.alias)
    root = writer.bound(select.source.table)
    scope = Scope({select.source.alias: root})
    text = ""
    early: list[Early] = []
    for node in joined_early:
        joined = joins.join(writer, scope, node, ordered=layout is not Layout.TEST)
        text += joined.sql
        scope = joined.scope
        early.append(Early(node, joined.bound))
    conditions = list(security.guards(writer, _quiet(root, select, layout), plan))
    if where is not None:
        tested = scope.within(select.source.alias, _quiet(root, select, layout))
        conditions.append(writer.condition(tested, where))
    repeated = tuple(each.bound for each in early if not aliases.is_to_one(each.node))
    terms = order.query_terms(writer, scope, select, repeated) if ordered else []
    return Frame(select, plan, layout, root, scope, text, tuple(early), tuple(conditions), tuple(terms))


def _quiet(root: Bound, select: Select, layout: Layout) -> Bound:
    """The root for the filter: unless the filter is what finds the rows, only the order's own column draws an index."""
    if layout is Layout.TEST:
        return root
    leading = order.leading_column(select)
    return replace(root, hidden=True, exposed=frozenset(() if leading is None else (leading,)))


def branches(writer: Writer, frame: Frame) -> list[Branch]:
    """The terms that the layout cuts the plan into."""
    by_name = bool(frame.terms) and order.is_name_order(frame.select)
    match frame.layout:
        case Layout.OPEN:
            return [Branch(())]
        case Layout.TEST if frame.plan.reach.everything:
            return [Branch(())]
        case Layout.TEST:
            return security.walk_branches(writer, frame.root, frame.plan, shares_apart=False, few_rows=True)
        case Layout.WALK:
            apart = by_name and security.are_few(writer.dialect, frame.plan.reach)
            return security.walk_branches(writer, frame.root, frame.plan, shares_apart=apart)
        case Layout.MERGE:
            together = writer.dialect.stops_inside_in_lists or not by_name
            return security.merge_branches(writer, frame.root, frame.plan, together=together)


@dataclass(frozen=True, slots=True)
class Cut:
    """One term of the key statement: a branch, and one range of the order that its rows may come from."""

    branch: Branch
    position: str | None = None


def cuts(writer: Writer, frame: Frame) -> list[Cut]:
    """All terms: each branch with everything, or with each of the ranges that lie after the position."""
    after = frame.select.after
    found = branches(writer, frame)
    if after is None or not frame.terms:
        return [Cut(branch) for branch in found]
    return [
        Cut(branch, position)
        for branch in found
        for position in order.alternatives(writer, sort_keys(frame, branch), after)
    ]


def sort_keys(frame: Frame, branch: Branch) -> list[Term]:
    """The sort keys as this branch reads them: a share carries the name and the GUID of its row."""
    terms = list(frame.terms)
    if terms and branch.sharer is not None and order.is_name_order(frame.select):
        terms[0] = replace(terms[0], operand=replace(terms[0].operand, sql="s.sort"))
        terms[1] = replace(terms[1], operand=replace(terms[1].operand, sql="s.objectid"))
    return terms


Columns = Callable[[str], tuple[str, ...]]
"""What a term carries besides its sort keys, given the SQL of the root's key."""


def keys(writer: Writer, frame: Frame, found: list[Cut], columns: Columns, limit: int | None) -> str:
    """The statement that finds the rows: sort keys (`s0`, `s1` …) and then `columns`, in order, at most `limit`."""
    if limit is not None and _can_be_bounded(writer, frame, found):
        return _bounded(writer, frame, found, columns, limit)
    terms = [_term(writer, frame, cut, columns) for cut in found]
    before = offset(writer, frame.select) if frame.terms else None
    ending = _ending(writer, frame, limit)
    skipped = "" if before is None else f" offset {before}"
    if len(terms) > 1 and frame.terms and not writer.dialect.stops_inside_in_lists:
        inner = ending if before is None else f"{ending} + {before}"
        terms = [f"({term}{inner})" for term in terms]
    return " union all ".join(terms) + ending + skipped


def _can_be_bounded(writer: Writer, frame: Frame, found: list[Cut]) -> bool:
    """Whether the first branch may bound the others: several branches, each one range of the ascending name order.

    Not with a filter, which may give a narrower range of the same order: SQLite would take only one of the two.
    """
    if frame.select.where is not None:
        return False
    if frame.layout is not Layout.MERGE or not writer.dialect.stops_inside_in_lists or frame.joins or not frame.terms:
        return False
    if not order.is_name_order(frame.select) or frame.terms[0].descending or offset(writer, frame.select) is not None:
        return False
    branches = [id(cut.branch) for cut in found]
    return found[0].branch.sharer is None and 1 < len(branches) == len(set(branches))


def _bounded(writer: Writer, frame: Frame, found: list[Cut], columns: Columns, limit: int) -> str:
    """The page of the first branch, and of the others no more than could come before its end.

    Without the bound, a branch reads on through all rows that an earlier branch has (a unit in which one owner owns
    nearly everything), and looks at the first rows of every principal that shares.
    """
    first, *others = found
    ending = _ending(writer, frame, limit)
    names = ", ".join((*(f"s{index}" for index in range(len(frame.terms))), "i"))
    terms = [f"select {names} from o"]
    for cut in others:
        key = sort_keys(frame, cut.branch)[0].operand.sql
        # Nulls come first and are no part of the range; after a position there are none.
        ranges = [f"{key} <= (select last from b)", *([f"{key} is null"] if cut.position is None else [])]
        for each in ranges:
            position = each if cut.position is None else f"{cut.position} and {each}"
            terms.append(_term(writer, frame, replace(cut, position=position), columns))
    # A page that is not full bounds nothing: every text is less than a blob.
    last = f"select coalesce((select max(s0) from o having count(*) >= {limit}), x'')"
    return (
        f"with o as materialized ({_term(writer, frame, first, columns)}{ending}), b(last) as materialized ({last})"
        f" {' union all '.join(terms)}{ending}"
    )


def _term(writer: Writer, frame: Frame, cut: Cut, columns: Columns) -> str:
    shown = [f"{term.operand.sql} s{index}" for index, term in enumerate(sort_keys(frame, cut.branch))]
    root = frame.root.column("id")
    if cut.branch.sharer is None:
        return f"select {', '.join((*shown, *columns(root)))} from {frame.source}{frame.joins}{where(frame, cut)}"
    is_row = f"{root} = s.object"
    if not frame.joins and (not frame.terms or order.is_name_order(frame.select)):
        # The shares alone give order and key. Without a join, SQLite leaves a principal's shares early.
        found = [*cut.branch.of_share, *_position(cut)]
        if asked := (*cut.branch.conditions, *frame.conditions):
            row = " and ".join((is_row, *asked))
            is_open = f"exists (select 1 from {frame.source} where {row})"
            found.append(writer.dialect.hidden(is_open))  # no join in disguise
        return f"select {', '.join((*shown, *columns('s.object')))} from {SHARES} s where {' and '.join(found)}"
    source = f"{SHARES} s {writer.dialect.ordered_join()} {frame.source} on {is_row}{frame.joins}"
    return f"select {', '.join((*shown, *columns(root)))} from {source}{where(frame, cut)}"


def where(frame: Frame, cut: Cut) -> str:
    """The WHERE of one term."""
    conditions = (*cut.branch.of_share, *cut.branch.conditions, *_position(cut), *frame.conditions)
    return f" where {' and '.join(conditions)}" if conditions else ""


def _position(cut: Cut) -> tuple[str, ...]:
    return () if cut.position is None else (cut.position,)


def _ending(writer: Writer, frame: Frame, limit: int | None) -> str:
    ordering = ""
    if frame.terms:
        ordering = f" order by {order.written(writer, frame.terms, lambda index, _: str(index + 1))}"
    return ordering if limit is None else f"{ordering} limit {limit}"


def offset(writer: Writer, select: Select) -> str | None:
    """Rows before the page, for paging by number without a position (FetchXML `page` without a cookie)."""
    if select.after is not None or select.page_number <= 1:
        return None
    size = select.page_size if select.page_size is not None else 5000
    return writer.bind(writer.shape.place(select), Kind.INTEGER, _RowsBefore(size))


@dataclass(frozen=True, slots=True)
class _RowsBefore:
    """Encodes a page number as the number of rows before the page."""

    size: int

    def __call__(self, value: object) -> object:
        return (cast(int, value) - 1) * self.size
