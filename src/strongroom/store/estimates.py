"""How much of a table a caller sees, from the counters, for the compiler's choice of a plan.

Estimates may be a little old: a process reads the counters of a table again when a twentieth of its size (or 500) new
versions have been handed out since. Nothing but speed depends on them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from strongroom.access.plan import Reach
from strongroom.schema.model import Table
from strongroom.store.compile.estimate import Visible
from strongroom.store.counters import stored_counts
from strongroom.store.work import Work

_Sets = tuple[frozenset[int], frozenset[int]]
_MOST_SETS = 2_000


@dataclass
class _Known:
    version: int
    total: int
    counts: Mapping[tuple[int, int], int]
    visible: dict[_Sets, int] = field(default_factory=dict[_Sets, int])


class Estimates:
    """What one process knows of the counters."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}

    def visible(self, work: Work, table: Table, reach: Reach) -> Visible:
        """Rows that `reach` finds by owner or unit, and all rows of the table."""
        known = self._known.get(table.logical_name)
        if known is None or abs(work.version - known.version) > max(500, known.total // 20):
            known = self._read(work, table)
        return Visible(_seen(known, reach), known.total)

    def _read(self, work: Work, table: Table) -> _Known:
        counts = stored_counts(work.connection, table.logical_name)
        found = _Known(work.version, sum(counts.values()), counts)
        if not work.writes:
            self._known[table.logical_name] = found
        return found


def _seen(known: _Known, reach: Reach) -> int:
    if reach.everything:
        return known.total
    sets = (reach.owners, reach.units)
    visible = known.visible.get(sets)
    if visible is None:
        owners, units = sets
        visible = sum(n for (owner, unit), n in known.counts.items() if owner in owners or unit in units)
        if len(known.visible) >= _MOST_SETS:
            known.visible.clear()
        known.visible[sets] = visible
    return visible
