"""How long it took (TS-1607): from the first sign to somebody's knowing, from there to the containment, and to the
notification of an authority. Computed from the rows of the register each time that somebody asks."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from strongroom.access.planning import plan_for
from strongroom.identity.directory import moment
from strongroom.incidents import tables
from strongroom.records import Session
from strongroom.schema.model import Rights
from strongroom.store.protocol import Row

_SPANS = (
    ("to be aware", "detectedon", "awareon"),
    ("to contain", "awareon", "containedon"),
    ("to notify", "awareon", "authoritynotifiedon"),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """One span over all incidents in which it is known: hours, None where there is none."""

    what: str
    incidents: int
    median_h: float | None
    longest_h: float | None

    @staticmethod
    def shown(hours: float | None) -> str:
        """Hours as people read them."""
        return "-" if hours is None else f"{hours:.1f} h"


def figures_of(session: Session) -> tuple[Figure, ...]:
    """The figures of the register. Needs Read on incidents."""
    table = session.table(tables.INCIDENT)
    plan_for(session.caller, table, Rights.READ).required()
    rows = session.transaction.rows_where(table, {})
    return tuple(_figure(what, rows, begun, ended) for what, begun, ended in _SPANS)


def _figure(what: str, rows: Sequence[Row], begun: str, ended: str) -> Figure:
    hours: list[float] = []
    for row in rows:
        first, last = moment(row, begun), moment(row, ended)
        if first is not None and last is not None:
            hours.append(max((last - first).total_seconds() / 3600, 0.0))
    return Figure(what, len(hours), median(hours) if hours else None, max(hours, default=None))
