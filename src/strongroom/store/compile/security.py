"""The row predicate of a plan as SQL conditions.

Three forms: the parts (`owned_by`, `in_units`, `shared_with`), which are never null; the whole predicate of one source
(`row_predicate`), for joined sources and single rows; and, for the root of a list, `branches`: the same predicate cut
into disjoint terms, each with its own best index (performance page, section 2).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from strongroom.access.plan import Plan, Reach
from strongroom.schema.model import Column, Rights
from strongroom.store.compile.writer import Bound, Scope, Writer
from strongroom.store.dialect import Dialect, key_list, text_literal
from strongroom.store.layout import SHARES, VALUE_SHARES


@dataclass(frozen=True, slots=True)
class Sets:
    """A column that has one of some keys. The rows of each key lie in the order of an index."""

    column: str
    keys: frozenset[int]

    @property
    def condition(self) -> str:
        return f"{self.column} in {key_list(self.keys)}"


@dataclass(frozen=True, slots=True)
class Branch:
    """One term of a list: rows of the table, or rows that shares bring in. The conditions keep terms disjoint, and a
    row that several principals of one term share stands in it once."""

    conditions: tuple[str, ...] = ()
    """What the row of the table must satisfy."""
    sets: Sets | None = None
    """Where the term finds its rows: by owner, by unit, or shares by principal. Another condition, for the same row or
    share; it is apart, because not every engine reads many sets in order at once."""
    of_share: tuple[str, ...] | None = None
    """What the share `s` must satisfy, where the term is one of shares."""


def owned_by(bound: Bound, owners: Iterable[int], *, hide: Callable[[str], str] = str) -> str:
    """The row belongs to one of `owners`."""
    keys = key_list(owners)
    return "false" if keys == "()" else f"{hide(bound.column('owner'))} in {keys}"


def in_units(bound: Bound, units: Iterable[int], *, hide: Callable[[str], str] = str) -> str:
    """The row lies in one of `units`."""
    keys = key_list(units)
    return "false" if keys == "()" else f"{hide(bound.column('unit'))} in {keys}"


def mask_condition(share: str, right: Rights, *, direct_only: bool) -> str:
    """The share `share` has `right`: directly, or in either mask (SM-70)."""
    masks = f"{share}.accessrightsmask"
    if not direct_only:
        masks = f"({masks} | {share}.inheritedaccessrightsmask)"
    return f"({masks} & {right.value}) <> 0"


def shared_with(
    dialect: Dialect, bound: Bound, principals: Iterable[int], right: Rights, *, direct_only: bool = False
) -> str:
    """The row is shared with one of `principals`, by a look into its shares."""
    keys = key_list(principals)
    if keys == "()":
        return "false"
    table = text_literal(bound.table.logical_name)
    return (
        f"exists (select 1 from {SHARES} s where s.objecttypecode = {table} and s.object = {bound.column('id')}"
        f" and {dialect.hidden('s.principal')} in {keys} and {mask_condition('s', right, direct_only=direct_only)})"
    )


def value_shared_with(dialect: Dialect, bound: Bound, column: Column, principals: Iterable[int]) -> str:
    """The row's value of `column` may be read by one of `principals` because it was shared (SM-134, SM-135).

    The row's few shares are looked through, and never the many that a principal may have.
    """
    return (
        f"exists (select 1 from {VALUE_SHARES} v {dialect.ordered_join()} principal p on p.principalid = v.principalid"
        f" and p.kind = v.principalid__table where v.objectid = {bound.column(bound.table.primary_id)}"
        f" and v.attributeid = {text_literal(column.metadata_id)} and v.readaccess and p.id in {key_list(principals)})"
    )


def row_predicate(writer: Writer, bound: Bound, plan: Plan) -> tuple[str, ...]:
    """Everything that `plan` asks of a row of `bound`, as parts to be AND-ed; none when every row is open."""
    parts = list(guards(writer, bound, plan))
    if not plan.reach.everything:
        parts.insert(0, _reached(writer, bound, plan, with_shares=True))
    return tuple(parts)


def guards(writer: Writer, bound: Bound, plan: Plan) -> tuple[str, ...]:
    """The guards of `plan`: conditions on every row, whatever reached it."""
    scope = Scope.of_plan(bound)
    return tuple(writer.condition(scope, guard.predicate) for guard in plan.guards)


def walk_branches(
    writer: Writer, bound: Bound, plan: Plan, *, shares_apart: bool, few_rows: bool = False
) -> list[Branch]:
    """Every row is tested for owner and unit; shares are terms of their own when `shares_apart`. With `few_rows` the
    sets are compared with key by key: to make a look-up table of them would cost more than it saves."""
    if not shares_apart:
        return [Branch((_reached(writer, bound, plan, with_shares=True, few_rows=few_rows),))]
    return [Branch((_reached(writer, bound, plan, with_shares=False),)), *share_branches(writer, bound, plan)]


def merge_branches(writer: Writer, bound: Bound, plan: Plan) -> list[Branch]:
    """A term for the owners, one for the units, one for each other branch, one or two for the principals that share."""
    reach = plan.reach
    terms: list[Branch] = []
    beyond: tuple[str, ...] = ()
    for name, keys in _sets(reach):
        if keys:
            sets = Sets(bound.column(name), keys)
            terms.append(Branch(beyond, sets))
            beyond += (f"not ({sets.condition})",)
    scope = Scope.of_plan(bound)
    for other in reach.others:
        condition = writer.condition(scope, other)
        terms.append(Branch((condition, *beyond)))
        beyond += (f"not ({condition})",)
    return terms + share_branches(writer, bound, plan)


def _reached(writer: Writer, bound: Bound, plan: Plan, *, with_shares: bool, few_rows: bool = False) -> str:
    """Some branch reaches the row. No index is drawn by it: it tests rows that something else has found."""
    reach = plan.reach
    hide = writer.dialect.hidden
    parts: list[str] = []
    if few_rows and writer.dialect.builds_in_lists:
        parts += (_key_by_key(bound.column(name), keys) for name, keys in _sets(reach) if keys)
    else:
        if reach.owners:
            parts.append(owned_by(bound, reach.owners, hide=hide))
        if reach.units:
            parts.append(in_units(bound, reach.units, hide=hide))
    scope = Scope.of_plan(bound)
    parts += (f"({writer.condition(scope, other)})" for other in reach.others)
    if with_shares:
        if reach.shared_with:
            parts.append(shared_with(writer.dialect, bound, reach.shared_with, plan.right))
        if reach.shared_directly_with:
            directly = reach.shared_directly_with
            parts.append(shared_with(writer.dialect, bound, directly, plan.right, direct_only=True))
    return f"({' or '.join(parts)})" if parts else "false"


def _sets(reach: Reach) -> tuple[tuple[str, frozenset[int]], ...]:
    return (("owner", reach.owners), ("unit", reach.units))


def _key_by_key(column: str, keys: frozenset[int]) -> str:
    return f"(case {column} {' '.join(f'when {key} then 1' for key in sorted(keys))} else 0 end)"


def share_branches(writer: Writer, bound: Bound, plan: Plan) -> list[Branch]:
    """The rows that shares alone bring in: a term for the principals whose shares count by either mask, and one for
    those whose direct shares alone count (SM-146).

    A share knows owner and unit of its row, and whether the row has other shares (`store.share_keys`): only branches
    of another kind have to look at the row itself.
    """
    reach = plan.reach
    table = text_literal(bound.table.logical_name)
    inside = [f"not s.{name} in {key_list(keys)}" for name, keys in _sets(reach) if keys]
    scope = Scope.of_plan(bound)
    elsewhere = " or ".join(f"({writer.condition(scope, other)})" for other in reach.others)
    terms: list[Branch] = []
    earlier: list[str] = []
    for keys, direct_only in ((reach.shared_with, False), (reach.shared_directly_with, True)):
        if not keys:
            continue
        of_share = [
            f"s.objecttypecode = {table}",
            mask_condition("s", plan.right, direct_only=direct_only),
            *inside,
        ]
        other = (writer, table, keys, plan.right)
        others = [*earlier]
        if len(keys) > 1:
            others.append(_other_share(*other, direct_only=direct_only, is_before=True))
        if others:
            of_share.append(f"(s.alone = 1 or not ({' or '.join(others)}))")
        conditions = (f"not ({elsewhere})",) if elsewhere else ()
        terms.append(Branch(conditions, Sets("s.principal", keys), tuple(of_share)))
        earlier.append(_other_share(*other, direct_only=direct_only))
    return terms


def _other_share(
    writer: Writer,
    table: str,
    principals: frozenset[int],
    right: Rights,
    *,
    direct_only: bool,
    is_before: bool = False,
) -> str:
    """The row of share `s` is shared with one of `principals` too (with one whose key comes before that of `s`).

    The row's few shares are looked through; the keys must not draw the index, one search for each of them.
    """
    principal = writer.dialect.hidden("e.principal")
    before = f" and {principal} < s.principal" if is_before else ""
    return (
        f"exists (select 1 from {SHARES} e where e.objecttypecode = {table} and e.object = s.object"
        f" and {principal} in {key_list(principals)}{before}"
        f" and {mask_condition('e', right, direct_only=direct_only)})"
    )
