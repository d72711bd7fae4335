"""The rows of one table as foresight sees them: lots of rows with the same place, and the shares on single rows.

A *lot* is the rows of one owner in one business unit: a number from the counters, however many there are. When a
change moves rows, its lots have one place before and another one after; rows that come or go have only one of the two.
A plan reaches whole lots by its owners and units. Beyond them it reaches single rows by shares, and only those are
looked at one by one. So the cost of a difference depends on the numbers of owners, units and shares, never on rows.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from strongroom.access.changes import Effects
from strongroom.access.plan import Reach
from strongroom.errors import IntegrityViolation
from strongroom.ids import Guid, Key
from strongroom.schema.model import Rights, Table

Place = tuple[int, int]
"""Owner and unit; 0 stands for none."""


class SharedOne(Protocol):
    """One share with the row that it is on; `store.protocol.SharedRow` is one."""

    @property
    def row(self) -> Key: ...
    @property
    def id(self) -> Guid: ...
    @property
    def principal(self) -> Key: ...
    @property
    def direct(self) -> Rights: ...
    @property
    def inherited(self) -> Rights: ...
    @property
    def owner(self) -> Key: ...
    @property
    def unit(self) -> Key: ...


@dataclass(frozen=True, slots=True)
class Lot:
    """`rows` rows of one place. `before` is None for rows that a change brings, `after` for those that it removes."""

    rows: int
    before: Place | None
    after: Place | None


def lots_of(table: Table, counts: Mapping[Place, int], effects: Effects) -> list[Lot]:
    """The rows of a table, with the places to which a change moves them."""
    if table.logical_name == "role":
        return _lots_of_roles(counts, effects)
    moved = effects.principals if table.logical_name in ("systemuser", "team") else effects.possessions
    return [
        Lot(rows, (owner, unit), (owner, moved.get(Key(owner), Key(unit)))) for (owner, unit), rows in counts.items()
    ]


def _lots_of_roles(counts: Mapping[Place, int], effects: Effects) -> list[Lot]:
    """Role copies disappear and appear with the place of their unit (SM-28)."""
    lots = [
        Lot(rows - effects.roles_gone.get(Key(unit), 0), (owner, unit), (owner, unit))
        for (owner, unit), rows in counts.items()
    ]
    lots += [Lot(rows, (0, unit), None) for unit, rows in effects.roles_gone.items()]
    lots += [Lot(rows, None, (0, unit)) for unit, rows in effects.roles_new.items()]
    return lots


class Side:
    """The lots by owner and by unit, before the change or after it."""

    def __init__(self, places: Sequence[Place | None]) -> None:
        owners: dict[int, set[int]] = {}
        units: dict[int, set[int]] = {}
        everything: set[int] = set()
        for lot, place in enumerate(places):
            if place is not None:
                owners.setdefault(place[0], set()).add(lot)
                units.setdefault(place[1], set()).add(lot)
                everything.add(lot)
        self._owners = {owner: frozenset(lots) for owner, lots in owners.items()}
        self._units = units
        self._everything = frozenset(everything)
        self._known: dict[frozenset[int], frozenset[int]] = {}

    def reached(self, reach: Reach) -> frozenset[int]:
        """The lots that owners and units reach."""
        if reach.everything:
            return self._everything
        return self._in_units(reach.units).union(*(self._owners.get(owner, frozenset()) for owner in reach.owners))

    def _in_units(self, units: frozenset[int]) -> frozenset[int]:
        """Many users have the same units: their lots are put together once."""
        found = self._known.get(units)
        if found is None:
            few = units if len(units) < len(self._units) else self._units.keys() & units
            lots: set[int] = set()
            for unit in few:
                lots |= self._units.get(unit, set())
            found = self._known[units] = frozenset(lots)
        return found


class Shares:
    """Which rows each principal has a right on, by either mask and directly; rows are known by their keys."""

    def __init__(self, shares: Iterable[SharedOne], right: Rights) -> None:
        self._either: dict[int, set[Key]] = {}
        self._directly: dict[int, set[Key]] = {}
        for share in shares:
            if right in share.direct:
                self._directly.setdefault(share.principal, set()).add(share.row)
            if right in share.direct | share.inherited:
                self._either.setdefault(share.principal, set()).add(share.row)

    def reached(self, reach: Reach) -> set[Key]:
        """The rows that shares bring in, whether or not owners and units reach them too."""
        found: set[Key] = set()
        for principal in reach.shared_with & self._either.keys():
            found |= self._either[principal]
        for principal in reach.shared_directly_with & self._directly.keys():
            found |= self._directly[principal]
        return found


class Ground:
    """One table before and after a change."""

    def __init__(
        self, lots: Sequence[Lot], shares_before: Sequence[SharedOne], shares_after: Sequence[SharedOne], right: Rights
    ) -> None:
        self.lots = lots
        self.thinned = frozenset(lot.before for lot in lots if lot.after is None)
        """Places of which the change removes some rows."""
        self.before = Side([lot.before for lot in lots])
        moves = any(lot.before != lot.after for lot in lots)
        self.after = Side([lot.after for lot in lots]) if moves else self.before
        self.shares_before = Shares(shares_before, right)
        self.shares_after = self.shares_before if shares_after is shares_before else Shares(shares_after, right)
        self.shared_rows = {share.row: share for share in (*shares_before, *shares_after)}
        stay = [(number, lot.before) for number, lot in enumerate(lots) if lot.after is not None]
        places = {place: number for number, place in stay if place is not None}
        lost = [share for share in self.shared_rows.values() if (share.owner, share.unit) not in places]
        if lost:
            raise IntegrityViolation("The counters do not know the owner and unit of a row that is shared.")
        self.lot_of = {row: places[share.owner, share.unit] for row, share in self.shared_rows.items()}

    def size(self, lots: Iterable[int]) -> int:
        """How many rows some lots have."""
        return sum(self.lots[lot].rows for lot in lots)
