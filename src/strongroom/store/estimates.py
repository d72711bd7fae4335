"""How much of a table a caller sees, from the counters: exactly, and roughly for the compiler's choice of a plan.

A process keeps the counters of a table, what it added up from them, and the numbers of shared rows that it has counted.
Every write raises the environment's version, so what is kept holds for one version: a write of this process tells what
it changed (`follow`) and takes the rest along; after one of another process, a table's counters are read again.
Estimates may be a little old (a twentieth of the table's size, or 500 versions): nothing but speed depends on them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from threading import Lock

from strongroom.access.plan import Reach
from strongroom.schema.model import Rights, Table
from strongroom.store.compile.estimate import Visible
from strongroom.store.counters import stored_counts
from strongroom.store.engine import CounterChange
from strongroom.store.work import Work

_Sets = tuple[frozenset[int], frozenset[int]]
_Sharing = tuple[Rights, frozenset[int], frozenset[int], frozenset[int], frozenset[int]]
_MOST_SETS = 2_000
_MOST_CHANGES = 5_000


@dataclass
class _Known:
    """The counters of one table at one version."""

    version: int
    total: int
    counts: dict[tuple[int, int], int]
    visible: dict[_Sets, tuple[int, int]] = field(default_factory=dict[_Sets, tuple[int, int]])
    """Rows that sets of owners and units reach, and how many of `changes` the number has in it."""
    changes: list[tuple[int, int, int]] = field(default_factory=list[tuple[int, int, int]])
    """Owner, unit and amount of what was added since the counters were read."""
    shared: dict[_Sharing, int] = field(default_factory=dict[_Sharing, int])
    """Rows that shares alone bring in."""

    def seen(self, reach: Reach) -> int:
        if reach.everything:
            return self.total
        sets = (reach.owners, reach.units)
        owners, units = sets
        known = self.visible.get(sets)
        if known is None:
            number = sum(n for (owner, unit), n in self.counts.items() if owner in owners or unit in units)
            if len(self.visible) >= _MOST_SETS:
                self.visible.clear()
        elif known[1] == len(self.changes):
            return known[0]
        else:
            number, place = known
            number += sum(n for owner, unit, n in self.changes[place:] if owner in owners or unit in units)
        self.visible[sets] = (number, len(self.changes))
        return number

    def add(self, owner: int, unit: int, amount: int) -> None:
        if len(self.changes) >= _MOST_CHANGES:
            self.changes.clear()
            self.visible.clear()
        self.changes.append((owner, unit, amount))
        self.counts[owner, unit] = self.counts.get((owner, unit), 0) + amount
        self.total += amount


class Estimates:
    """What one process knows of the counters. Safe to use from several threads."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}
        self._lock = Lock()

    def visible(self, work: Work, table: Table, reach: Reach) -> Visible:
        """Rows that `reach` finds by owner or unit, and all rows of the table."""
        known = self._known.get(table.logical_name)
        if known is None or abs(work.version - known.version) > max(500, known.total // 20):
            known = self._read(work, table)
        with self._lock:
            return Visible(known.seen(reach), known.total)

    def exactly(self, work: Work, table: Table, reach: Reach) -> int | None:
        """The number of rows that `reach` finds by owner or unit in this snapshot. None in a write, whose own changes
        are nobody else's yet."""
        if work.writes:
            return None
        with self._lock:
            known = self._known.get(table.logical_name)
            if known is not None and known.version == work.version:
                return known.seen(reach)
        known = self._read(work, table)
        with self._lock:
            return known.seen(reach) if known.version == work.version else None

    def shared(self, work: Work, table: Table, right: Rights, reach: Reach) -> int | None:
        """The number of rows that shares alone bring in, when it has been counted in a snapshot of this version."""
        with self._lock:
            known = self._known.get(table.logical_name)
            if work.writes or known is None or known.version != work.version:
                return None
            return known.shared.get(_sharing(right, reach))

    def keep_shared(self, work: Work, table: Table, right: Rights, reach: Reach, number: int) -> None:
        """Remember such a number."""
        with self._lock:
            known = self._known.get(table.logical_name)
            if not work.writes and known is not None and known.version == work.version:
                if len(known.shared) >= _MOST_SETS:
                    known.shared.clear()
                known.shared[_sharing(right, reach)] = number

    def follow(self, before: int, after: int, counted: Iterable[CounterChange], shares_changed: Iterable[str]) -> None:
        """This process has committed a write between two versions: what it changed of the counters, and the tables
        whose shares, or whose shared rows, it changed."""
        with self._lock:
            current = {name: known for name, known in self._known.items() if known.version == before}
            for name, owner, unit, amount in counted:
                if name in current:
                    current[name].add(owner, unit, amount)
            for name in shares_changed:
                if name in current:
                    current[name].shared.clear()
            for known in current.values():
                known.version = after

    def forget(self) -> None:
        """Tables have come or gone: begin anew."""
        with self._lock:
            self._known.clear()

    def _read(self, work: Work, table: Table) -> _Known:
        counts = stored_counts(work.connection, table.logical_name)
        found = _Known(work.version, sum(counts.values()), counts)
        if not work.writes:
            with self._lock:
                known = self._known.get(table.logical_name)
                if known is None or known.version <= work.version:  # never back to an older snapshot
                    self._known[table.logical_name] = found
        return found


def _sharing(right: Rights, reach: Reach) -> _Sharing:
    return right, reach.owners, reach.units, reach.shared_with, reach.shared_directly_with
