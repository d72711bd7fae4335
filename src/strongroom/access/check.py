"""One row against a plan: the same branches that lists compile, evaluated on what security sees of the row.

Security sees three things of a row: the key of its owner, the key of its unit, and its shares. A branch that looks at
other rows (`Exists`) is asked of the store through the argument `elsewhere`; without it such a branch does not hold
(SM-7).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from strongroom.access.caller import Caller
from strongroom.access.plan import Branch, Plan, Reason
from strongroom.access.planning import plan_for
from strongroom.access.reasons import Code
from strongroom.access.resolve import is_disabled
from strongroom.access.rights import RIGHT_NAMES
from strongroom.ids import Key
from strongroom.query.ast import And, Constant, Or, OwnerIn, Predicate, SharedWith, UnitIn
from strongroom.schema.model import Depth, Ownership, Rights, Table


class HeldShare(Protocol):
    """What one principal has on a row; `store.protocol.Share` is one."""

    @property
    def principal(self) -> Key: ...
    @property
    def direct(self) -> Rights: ...
    @property
    def inherited(self) -> Rights: ...


@dataclass(frozen=True, slots=True)
class SecuredRow:
    """What security sees of a row. Owner and unit are None where the table has none."""

    owner: Key | None
    unit: Key | None
    shares: Sequence[HeldShare] = ()


Elsewhere = Callable[[Predicate], bool]
"""Whether a predicate that looks at other rows holds for the row in question."""


def nowhere(_: Predicate) -> bool:
    """The answer when nobody can look at other rows: no (SM-7)."""
    return False


def reach_of(plan: Plan, row: SecuredRow, elsewhere: Elsewhere = nowhere) -> tuple[Branch, ...]:
    """The branches of `plan` that hold for `row`, each with the reasons that hold; none when a guard excludes it."""
    if not all(_holds(guard.predicate, row, elsewhere) for guard in plan.guards):
        return ()
    return tuple(
        Branch(branch.predicate, reasons)
        for branch in plan.branches
        if (reasons := _reasons_that_hold(branch, row, elsewhere))
    )


def reasons_of(plan: Plan, row: SecuredRow, elsewhere: Elsewhere = nowhere) -> tuple[Reason, ...]:
    """Every reason for which `plan` reaches `row` (SM-160); empty when it does not."""
    return tuple(reason for branch in reach_of(plan, row, elsewhere) for reason in branch.reasons)


def reaches(plan: Plan, row: SecuredRow, elsewhere: Elsewhere = nowhere) -> bool:
    """Whether `plan` reaches `row`; never when it is a refusal."""
    return bool(reach_of(plan, row, elsewhere))


def can_read_table(caller: Caller, table: Table) -> bool:
    """Whether a user or team, resolved as `caller`, could own rows of `table` at all (SM-92)."""
    return plan_for(caller, table, Rights.READ).refusal is None


def rights_on(caller: Caller, table: Table, row: SecuredRow, elsewhere: Elsewhere = nowhere) -> Rights:
    """All rights that a user or team, resolved as `caller`, has on `row` (SM-170). Create is among them when the
    principal could create a row with that owner and unit. Users who may do nothing (SM-60 to SM-62) have none."""
    if is_disabled(caller.facts) or not caller.facts.roles:
        return Rights.NONE
    found = Rights.NONE
    for right in RIGHT_NAMES:
        if reaches(plan_for(caller, table, right), row, elsewhere):
            found |= right
    return found


def least_depth(caller: Caller, table: Table, row: SecuredRow) -> Depth:
    """The least depth of a role in the caller's own unit that would reach `row`; messages advise it (SM-151)."""
    if table.ownership in (Ownership.USER, Ownership.BUSINESS) and row.unit is not None:
        teams = caller.facts.teams if table.ownership is Ownership.USER else ()
        if row.owner in {caller.key, *(team.key for team in teams if team.owns_rows)}:
            return Depth.BASIC
        if row.unit == caller.unit:
            return Depth.LOCAL
        if row.unit in caller.facts.units.subtree(caller.unit):
            return Depth.DEEP
    return Depth.GLOBAL


def _reasons_that_hold(branch: Branch, row: SecuredRow, elsewhere: Elsewhere) -> tuple[Reason, ...]:
    match branch.predicate:
        case SharedWith(_, principals, right, False):
            direct = inherited = False
            for share in row.shares:
                if share.principal in principals:
                    direct = direct or right in share.direct
                    inherited = inherited or right in share.inherited
            return tuple(r for r in branch.reasons if (inherited if r.code == Code.SHARE_INHERITED else direct))
        case predicate:
            return branch.reasons if _holds(predicate, row, elsewhere) else ()


def _holds(predicate: Predicate, row: SecuredRow, elsewhere: Elsewhere) -> bool:
    match predicate:
        case Constant(value):
            return value
        case OwnerIn(_, keys):
            return row.owner in keys
        case UnitIn(_, keys):
            return row.unit in keys
        case SharedWith(_, principals, right, direct_only):
            return any(
                right in (share.direct if direct_only else share.direct | share.inherited)
                for share in row.shares
                if share.principal in principals
            )
        case And(parts) if _is_about_the_row(predicate):
            return all(_holds(part, row, elsewhere) for part in parts)
        case Or(parts) if _is_about_the_row(predicate):
            return any(_holds(part, row, elsewhere) for part in parts)
        case _:
            return elsewhere(predicate)


def _is_about_the_row(predicate: Predicate) -> bool:
    """Whether owner, unit and shares decide. A predicate that looks at other rows anywhere is asked as a whole, so
    that it is one question and one that the plan's own branch answers."""
    match predicate:
        case And(parts) | Or(parts):
            return all(_is_about_the_row(part) for part in parts)
        case _:
            return isinstance(predicate, Constant | OwnerIn | UnitIn | SharedWith)
