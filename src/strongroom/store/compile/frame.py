"""The part of a query that decides which rows there are: the root, the joins that count, the filter, the order.

A frame is cut into terms, one for each branch of the plan and each range of the order; `compile.keys` writes them.
"""

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
            return security.walk_branches(writer, frame.root, frame.plan, shares_apart=by_name)
        case Layout.MERGE:
            return security.merge_branches(writer, frame.root, frame.plan)


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
    if terms and branch.of_share is not None and order.is_name_order(frame.select):
        terms[0] = replace(terms[0], operand=replace(terms[0].operand, sql="s.sort"))
        terms[1] = replace(terms[1], operand=replace(terms[1].operand, sql="s.objectid"))
    return terms


def where(frame: Frame, cut: Cut, *, sets: str | None = None) -> str:
    """The WHERE of one term. `sets` stands for the condition on the branch's sets."""
    conditions = (*of_sets(cut, sets), *(cut.branch.of_share or ()), *cut.branch.conditions)
    conditions += (*position_of(cut), *frame.conditions)
    return f" where {' and '.join(conditions)}" if conditions else ""


def of_sets(cut: Cut, sets: str | None) -> tuple[str, ...]:
    """The condition on the branch's sets: `sets`, or that the key is one of them all."""
    if cut.branch.sets is None:
        return ()
    return (cut.branch.sets.condition if sets is None else sets,)


def position_of(cut: Cut) -> tuple[str, ...]:
    """The condition on the range of the order, where the term has one."""
    return () if cut.position is None else (cut.position,)


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
