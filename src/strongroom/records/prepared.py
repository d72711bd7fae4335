"""Queries that security has seen, kept for the next request that brings the very same select.

Edges keep the select of a query text; so a list that is asked for again by the same caller is neither extended nor
planned again. A caller stands for one security epoch and metadata version: after a change there is another one, and
nothing that was kept for the old one is found.
"""

from collections import OrderedDict
from dataclasses import dataclass

from strongroom.access.caller import Caller
from strongroom.access.planned import PlannedSelect
from strongroom.query.ast import Select
from strongroom.records.shapes import Layout
from strongroom.records.watching import Watch

_MOST = 1024


@dataclass(frozen=True, slots=True)
class Prepared:
    """What became of `select` for `caller`. Both are held, so that their identities cannot pass to others."""

    caller: Caller
    select: Select
    layout: Layout
    query: PlannedSelect
    watch: Watch | None = None
    """What is told of it whenever it is run (TS-808)."""


class PreparedQueries:
    """The queries of one environment, by identity of caller and select; the least used ones are dropped."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[int, int], Prepared] = OrderedDict()

    def find(self, caller: Caller, select: Select) -> Prepared | None:
        """What was kept for these two."""
        return self._kept.get((id(caller), id(select)))

    def keep(self, prepared: Prepared) -> None:
        """Remember, and drop the oldest when there are too many."""
        self._kept[id(prepared.caller), id(prepared.select)] = prepared
        if len(self._kept) > _MOST:
            self._kept.popitem(last=False)
