"""Row predicates of plans as query predicates: folded, and moved under another alias."""

from dataclasses import replace

from strongroom.access.plan import Plan
from strongroom.errors import IntegrityViolation
from strongroom.query.ast import (
    FALSE,
    TRUE,
    And,
    Constant,
    Exists,
    Or,
    OwnerIn,
    Predicate,
    SharedWith,
    Source,
    UnitIn,
    conjunction,
)


def row_predicate(plan: Plan, alias: str = "") -> Predicate:
    """The rows of `plan` as one predicate under `alias`: any branch, and every guard. Never null."""
    granted = disjunction(*branch_predicates(plan, alias))
    return conjunction(granted, *(under(guard.predicate, alias) for guard in plan.guards)) or TRUE


def branch_predicates(plan: Plan, alias: str = "") -> tuple[Predicate, ...]:
    """The branches of `plan` with equal kinds folded into one predicate each, under `alias`."""
    reach, right = plan.reach, plan.right
    if reach.everything:
        return (TRUE,)
    folded: list[Predicate] = []
    if reach.units:
        folded.append(UnitIn(alias, reach.units))
    if reach.owners:
        folded.append(OwnerIn(alias, reach.owners))
    if reach.shared_with:
        folded.append(SharedWith(alias, reach.shared_with, right))
    if reach.shared_directly_with:
        folded.append(SharedWith(alias, reach.shared_directly_with, right, direct_only=True))
    return (*folded, *(under(other, alias) for other in reach.others))


def disjunction(*parts: Predicate) -> Predicate:
    """Any of `parts`; false when there is none."""
    if TRUE in parts:
        return TRUE
    if not parts:
        return FALSE
    return parts[0] if len(parts) == 1 else Or(parts)


def under(predicate: Predicate, alias: str) -> Predicate:
    """`predicate` of a plan, written over the alias `""`, moved under `alias`.

    Every alias in it gets `alias` as prefix; those inside an `Exists` begin with `~` and thereby stay unique in the
    whole query, which no reader gives aliases with that character.
    """
    match predicate:
        case Constant():
            return predicate
        case OwnerIn(inner, keys):
            return OwnerIn(alias + inner, keys)
        case UnitIn(inner, keys):
            return UnitIn(alias + inner, keys)
        case SharedWith(inner, principals, right, direct_only):
            return SharedWith(alias + inner, principals, right, direct_only)
        case And(parts):
            return And(tuple(under(part, alias) for part in parts))
        case Or(parts):
            return Or(tuple(under(part, alias) for part in parts))
        case Exists(link, source, where) if not predicate.joins:
            return Exists(
                replace(link, outer_alias=alias + link.outer_alias),
                Source(source.table, alias + source.alias),
                None if where is None else under(where, alias),
                negated=predicate.negated,
            )
        case _:
            raise IntegrityViolation(f"A plan holds a predicate that plans do not have: {type(predicate).__name__}.")
