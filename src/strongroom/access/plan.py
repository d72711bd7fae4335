"""The answer of the security model to one question: which rows and columns may this caller use, and why.

A `Plan` is made for (caller, table, right). A row is granted when at least one `branch` holds and every `guard`
holds; `mask` says what is open of the columns. Lists compile the branches into SQL, checks evaluate them on one row,
explanations print their reasons: there is no second evaluator.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntFlag
from types import MappingProxyType

from strongroom.access.masking import Mask
from strongroom.errors import AccessDenied
from strongroom.query.ast import TRUE, OwnerIn, Predicate, SharedWith, UnitIn
from strongroom.schema.model import Rights, Table


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a branch is there. `code` is one of `access.reasons`; `sources` are the rows of configuration it came from.

    A source is (table, id, name) and the chain ends in the caller: role, then the team through which it was reached.
    The source of a share is `principalobjectaccess` with the id and name of the principal that has it.
    """

    code: str
    sources: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Branch:
    """One way to reach rows. `predicate` is over the one table, under the alias `""`, and never null.

    All reasons hold when the predicate does, but for a `SharedWith` of both masks: its reason `share-inherited` holds
    by the inherited mask, its other reasons by the direct one. An `Exists` in a predicate looks at the other table
    with the engine's eyes: its `where` is complete, and its aliases (all begin with `~`) need no plans of their own.
    """

    predicate: Predicate
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Guard:
    """What every granted row must satisfy besides (a legal hold, a policy)."""

    predicate: Predicate
    reason: Reason


class ColumnAccess(IntFlag):
    """What the caller may do with a secured column; columns that are not secured are not in a mask."""

    NONE = 0
    READ = 1
    CREATE = 2
    UPDATE = 4
    READ_UNMASKED_ONE = 8
    READ_UNMASKED_ALL = 16


@dataclass(frozen=True, slots=True)
class Reach:
    """All branches of a plan folded into sets: what the store lays its statements out by."""

    everything: bool
    owners: frozenset[int]
    units: frozenset[int]
    shared_with: frozenset[int]
    shared_directly_with: frozenset[int]
    """Principals whose direct shares alone count (hierarchy, SM-146)."""
    others: tuple[Predicate, ...]
    """Branches that are none of the above (portal, finance)."""

    @property
    def uses_shares(self) -> bool:
        """Whether some rows may be reached by shares alone."""
        return bool(self.shared_with or self.shared_directly_with)


_OPEN: Mapping[str, ColumnAccess] = MappingProxyType({})
_NO_MASKS: Mapping[str, Mask] = MappingProxyType({})
_NO_VALUES: Mapping[str, tuple[frozenset[int], ...]] = MappingProxyType({})


@dataclass(frozen=True)
class Plan:
    """Which rows of `table` the caller may use `right` on, and what of their columns.

    `refusal` is set when the privilege itself is missing (SM-21): then there are no branches, and using the plan at
    all is the error.
    """

    table: Table
    right: Rights
    branches: tuple[Branch, ...] = ()
    guards: tuple[Guard, ...] = ()
    mask: Mapping[str, ColumnAccess] = field(default_factory=lambda: _OPEN, hash=False)
    masking: Mapping[str, Mask] = field(default_factory=lambda: _NO_MASKS, hash=False)
    """Secured columns whose values are shown masked (SM-137)."""
    shared_values: Mapping[str, tuple[frozenset[int], ...]] = field(default_factory=lambda: _NO_VALUES, hash=False)
    """Secured columns that are closed but for rows whose value is shared with one principal of each set (SM-134):
    for Read the value may be read there, for Write changed. A column is here when there may be such rows."""
    refusal: AccessDenied | None = field(default=None, hash=False, compare=False)
    reach: Reach = field(init=False, hash=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "reach", _fold(self.branches))

    @property
    def is_everything(self) -> bool:
        """Every row, without condition."""
        return self.reach.everything and not self.guards

    def required(self) -> "Plan":
        """This plan, or its refusal raised."""
        if self.refusal is not None:
            # A fresh error each time: plans are cached, and a raised exception keeps its frames.
            raise AccessDenied(self.refusal.message, code=self.refusal.code, details=self.refusal.details)
        return self

    def with_guard(self, guard: Guard) -> "Plan":
        """The same plan with one more condition on every row."""
        return replace(self, guards=(*self.guards, guard))


def plan_of_all(table: Table) -> Plan:
    """Every row of a table, for the platform itself."""
    return Plan(table, Rights.READ, (Branch(TRUE, ()),))


def _fold(branches: tuple[Branch, ...]) -> Reach:
    everything = False
    owners: set[int] = set()
    units: set[int] = set()
    shared: set[int] = set()
    shared_directly: set[int] = set()
    others: list[Predicate] = []
    for branch in branches:
        match branch.predicate:
            case OwnerIn(_, keys):
                owners |= keys
            case UnitIn(_, keys):
                units |= keys
            case SharedWith(_, principals, _, direct_only):
                (shared_directly if direct_only else shared).update(principals)
            case predicate if predicate == TRUE:
                everything = True
            case predicate:
                others.append(predicate)
    return Reach(
        everything,
        frozenset(owners),
        frozenset(units),
        frozenset(shared),
        frozenset(shared_directly - shared),
        tuple(others),
    )
