"""How many rows a caller sees, counted once for each version of the environment.

Every write raises the version, so a number holds for the snapshots of one version. A write of this process says what it
changed (`follow`), and takes everything else along to the version that it makes; after a write of another process
nothing is known. Numbers are kept in two parts, as they are counted: rows *inside* a caller's owners and units, which
change with the counters, and rows that *shares* alone bring in.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from threading import Lock

from strongroom.access.plan import Reach
from strongroom.schema.model import Rights, Table
from strongroom.store.engine import CounterChange
from strongroom.store.work import Work

_Sets = tuple[frozenset[int], frozenset[int]] | None
"""Owners and units; None is every row."""
_Sharing = tuple[Rights, frozenset[int], frozenset[int], frozenset[int], frozenset[int]]

_MOST_NUMBERS = 2_000
_MOST_CHANGES = 5_000


@dataclass
class _Kept:
    """What is known of one table at one version."""

    version: int
    inside: dict[_Sets, tuple[int, int]] = field(default_factory=dict[_Sets, tuple[int, int]])
    """The number, and how many of `changes` are in it."""
    shared: dict[_Sharing, int] = field(default_factory=dict[_Sharing, int])
    changes: list[tuple[int, int, int]] = field(default_factory=list[tuple[int, int, int]])
    """Owner, unit and amount of what this process has added since."""


class Numbers:
    """What one process has counted. Safe to use from several threads."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}
        self._lock = Lock()

    def inside(self, work: Work, table: Table, reach: Reach) -> int | None:
        """The number of rows of the caller's owners and units, when it is known for this snapshot."""
        with self._lock:
            kept = self._at(work, table)
            sets = _sets(reach)
            known = None if kept is None else kept.inside.get(sets)
            if kept is None or known is None:
                return None
            number, place = known
            if place < len(kept.changes):
                number += sum(n for owner, unit, n in kept.changes[place:] if _is_in(sets, owner, unit))
                kept.inside[sets] = (number, len(kept.changes))
            return number

    def shared(self, work: Work, table: Table, right: Rights, reach: Reach) -> int | None:
        """The number of rows that shares alone bring in, when it is known for this snapshot."""
        with self._lock:
            kept = self._at(work, table)
            return None if kept is None else kept.shared.get(_sharing(right, reach))

    def keep_inside(self, work: Work, table: Table, reach: Reach, number: int) -> None:
        """Remember what was counted in this snapshot."""
        with self._lock:
            kept = self._at(work, table)
            if kept is not None:
                if len(kept.inside) >= _MOST_NUMBERS:
                    kept.inside.clear()
                kept.inside[_sets(reach)] = (number, len(kept.changes))

    def keep_shared(self, work: Work, table: Table, right: Rights, reach: Reach, number: int) -> None:
        """Remember what was counted in this snapshot."""
        with self._lock:
            kept = self._at(work, table)
            if kept is not None:
                if len(kept.shared) >= _MOST_NUMBERS:
                    kept.shared.clear()
                kept.shared[_sharing(right, reach)] = number

    def follow(self, before: int, after: int, counted: Iterable[CounterChange], shares_changed: Iterable[str]) -> None:
        """This process has committed a write between two versions: with these changes of counters, and of shares, or of
        owners and units of shared rows, in these tables."""
        with self._lock:
            current = {name: kept for name, kept in self._kept.items() if kept.version == before}
            for name, owner, unit, amount in counted:
                if name in current:
                    current[name].changes.append((owner, unit, amount))
            for name in shares_changed:
                if name in current:
                    current[name].shared.clear()
            for kept in current.values():
                kept.version = after
                if len(kept.changes) > _MOST_CHANGES:
                    kept.changes.clear()
                    kept.inside.clear()

    def forget(self) -> None:
        """Tables have come or gone: begin anew."""
        with self._lock:
            self._kept.clear()

    def _at(self, work: Work, table: Table) -> _Kept | None:
        """What is kept for the snapshot of `work`. None in a write, whose own changes are nobody else's yet, and in a
        snapshot from before the newest that was asked about."""
        if work.writes:
            return None
        kept = self._kept.get(table.logical_name)
        if kept is None or kept.version < work.version:
            kept = self._kept[table.logical_name] = _Kept(work.version)
        return kept if kept.version == work.version else None


def _sets(reach: Reach) -> _Sets:
    return None if reach.everything else (reach.owners, reach.units)


def _is_in(sets: _Sets, owner: int, unit: int) -> bool:
    return sets is None or owner in sets[0] or unit in sets[1]


def _sharing(right: Rights, reach: Reach) -> _Sharing:
    return right, reach.owners, reach.units, reach.shared_with, reach.shared_directly_with
