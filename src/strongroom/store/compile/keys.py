"""The statement that finds the keys of a page: one term for each branch of the plan, cut at the page, narrow.

Wide values are read later, for the rows of the page alone (performance page, section 2). Two matters decide its form:

- *Many sets in order.* SQLite leaves the range of a key in `x in (…)` as soon as the page is full; one term is enough.
  PostgreSQL reads such a list to its end, but merges terms that come in order: a few keys become terms of their own,
  many become one term that reads the first rows of each key (`lateral`): it takes longer to run and far less to plan.
- *A bound.* The page of the first branch bounds the others: what comes after its last row is on no page. Without it, a
  branch reads on through all rows that an earlier branch has (a unit in which one owner owns nearly everything), and
  looks at the first rows of every principal that shares.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from strongroom.store.compile import order
from strongroom.store.compile.frame import Cut, Frame, of_sets, offset, position_of, sort_keys, where
from strongroom.store.compile.strategy import Layout
from strongroom.store.compile.writer import Writer
from strongroom.store.layout import SHARES

_MOST_SINGLE = 16
"""Keys that become terms of their own; PostgreSQL takes some 25 µs to plan each."""

Columns = Callable[[str], tuple[str, ...]]
"""What a term carries besides its sort keys, given the SQL of the root's key."""


def select_keys(writer: Writer, frame: Frame, found: list[Cut], columns: Columns, limit: int | None) -> str:
    """The statement that finds the rows: sort keys (`s0`, `s1` …) and then `columns`, in order, at most `limit`."""
    if limit is not None and _can_be_bounded(writer, frame, found):
        return _bounded(writer, frame, found, columns, limit)
    terms = [term for cut in found for term in _terms(writer, frame, cut, columns, limit)]
    before = offset(writer, frame.select) if frame.terms else None
    skipped = "" if before is None else f" offset {before}"
    return _united(writer, frame, terms, limit) + skipped


def is_one_term(writer: Writer, frame: Frame, cut: Cut) -> bool:
    """Whether the branch is one plain term: its rows lie in one set, or the engine reads many sets as one."""
    sets = cut.branch.sets
    return sets is None or len(sets.keys) == 1 or not _sets_are_apart(writer, frame)


def _sets_are_apart(writer: Writer, frame: Frame) -> bool:
    """Whether each key's rows must be named apart to come in the order of their index."""
    return bool(frame.terms) and not writer.dialect.stops_inside_in_lists and order.is_name_order(frame.select)


def _can_be_bounded(writer: Writer, frame: Frame, found: list[Cut]) -> bool:
    """Whether the first branch may bound the others: several branches, each one range of the ascending name order.

    Not with a filter where it may give a narrower range of the same order, and the engine would take only one of both.
    """
    if frame.select.where is not None and not writer.dialect.intersects_ranges:
        return False
    walks = frame.layout is Layout.WALK and not writer.dialect.stops_inside_in_lists
    if not (walks or frame.layout is Layout.MERGE) or frame.joins or not frame.terms:
        return False
    if not order.is_name_order(frame.select) or frame.terms[0].descending or offset(writer, frame.select) is not None:
        return False
    branches = [id(cut.branch) for cut in found]
    return found[0].branch.of_share is None and 1 < len(branches) == len(set(branches))


def _bounded(writer: Writer, frame: Frame, found: list[Cut], columns: Columns, limit: int) -> str:
    """The page of the first branch, and of the others no more than could come before its end."""
    first, *others = found
    names = ", ".join((*(f"s{index}" for index in range(len(frame.terms))), "i"))
    terms = [f"select {names} from o"]
    for cut in others:
        key = sort_keys(frame, cut.branch)[0].operand.sql
        below = f"{key} <= (select last from b)"
        position = below if cut.position is None else f"{cut.position} and {below}"
        terms += _terms(writer, frame, replace(cut, position=position), columns, limit)
        if cut.position is None:  # nulls come first and are no part of the range; after a position there are none
            terms += _terms(writer, frame, replace(cut, position=f"{key} is null"), columns, limit, seldom=True)
    page = _united(writer, frame, [*_terms(writer, frame, first, columns, limit)], limit)
    # A page that is not full bounds nothing.
    last = f"select coalesce((select max(s0) from o having count(*) >= {limit}), {writer.dialect.beyond_every_text()})"
    return (
        f"with o as materialized ({page}), b(last) as materialized ({last})"
        f" {_united(writer, frame, terms, limit, first_is_bare=True)}"
    )


def _united(writer: Writer, frame: Frame, terms: list[str], limit: int | None, *, first_is_bare: bool = False) -> str:
    """All terms together, in order and cut; and each of them too, where the engine merges what comes in order."""
    ending = _ending(writer, frame, limit)
    if len(terms) > 1 and frame.terms and not writer.dialect.stops_inside_in_lists:
        before = offset(writer, frame.select)
        inner = ending if before is None else f"{ending} + {before}"
        kept = 1 if first_is_bare else 0
        terms = [*terms[:kept], *(f"({term}{inner})" for term in terms[kept:])]
    return " union all ".join(terms) + ending


def _terms(
    writer: Writer, frame: Frame, cut: Cut, columns: Columns, limit: int | None, *, seldom: bool = False
) -> Iterator[str]:
    """The terms of one cut. `seldom` is for the rows without a name, which are mostly none: not worth several terms."""
    sets = cut.branch.sets
    if sets is None or is_one_term(writer, frame, cut):
        if seldom and sets is not None and len(sets.keys) > 1 and cut.branch.of_share is None:
            # Asked with `in`, SQLite would rather look through all rows of the table that have no name.
            rows = f"{writer.dialect.rows_of_keys(sets.keys)} cross join "
            yield _term(writer, frame, cut, columns, sets=f"{sets.column} = p.k", beside=rows)
        else:
            yield _term(writer, frame, cut, columns)
    elif len(sets.keys) <= _MOST_SINGLE and cut.branch.of_share is None and not seldom:
        for key in sorted(sets.keys):
            yield _term(writer, frame, cut, columns, sets=f"{sets.column} = {key}")
    else:
        each = _term(writer, frame, cut, columns, sets=f"{sets.column} = p.k")
        before = offset(writer, frame.select)
        ending = _ending(writer, frame, limit) + ("" if before is None else f" + {before}")
        yield f"select x.* from {writer.dialect.rows_of_keys(sets.keys)} cross join lateral ({each}{ending}) x"


def _term(
    writer: Writer, frame: Frame, cut: Cut, columns: Columns, *, sets: str | None = None, beside: str = ""
) -> str:
    """One term. `sets` stands for the condition on the branch's sets, `beside` before the table that is read."""
    shown = [f"{term.operand.sql} s{index}" for index, term in enumerate(sort_keys(frame, cut.branch))]
    root = frame.root.column("id")
    if cut.branch.of_share is None:
        source = f"{beside}{frame.source}{frame.joins}"
        return f"select {_list(*shown, *columns(root))} from {source}{where(frame, cut, sets=sets)}"
    is_row = f"{root} = s.object"
    if not frame.joins and (not frame.terms or order.is_name_order(frame.select)):
        # The shares alone give order and key. Without a join, SQLite leaves a principal's shares early.
        found = [*of_sets(cut, sets), *cut.branch.of_share, *position_of(cut)]
        if asked := (*cut.branch.conditions, *frame.conditions):
            row = " and ".join((is_row, *asked))
            is_open = f"exists (select 1 from {frame.source} where {row})"
            found.append(writer.dialect.hidden(is_open))  # no join in disguise
        return f"select {_list(*shown, *columns('s.object'))} from {SHARES} s where {' and '.join(found)}"
    source = f"{SHARES} s {writer.dialect.ordered_join()} {frame.source} on {is_row}{frame.joins}"
    return f"select {_list(*shown, *columns(root))} from {source}{where(frame, cut, sets=sets)}"


def _list(*expressions: str) -> str:
    return ", ".join(expressions)


def _ending(writer: Writer, frame: Frame, limit: int | None) -> str:
    ordering = ""
    if frame.terms:
        ordering = f" order by {order.written(writer, frame.terms, lambda index, _: str(index + 1))}"
    return ordering if limit is None else f"{ordering} limit {limit}"
