"""The log as its readers go through it: in the order of commits, from a place that is kept.

A reader is each destination of the stream, and the alert rules together. Where it has come to is a row of
`siemdelivery`, moved on only once what was read has been dealt with: after a crash the last batch comes again, and none
is left out.
"""

from dataclasses import dataclass
from datetime import datetime

from strongroom.identity.directory import find, make, note, number
from strongroom.ids import Reference
from strongroom.monitoring.tables import DELIVERY
from strongroom.records import Session
from strongroom.store.protocol import Row, Transaction, Value

RULES = "alert-rules"
"""The name of the reader that the alert rules are."""


@dataclass(frozen=True, slots=True)
class Place:
    """One place of the log. `row` is None once the entry was removed: by retention, when `gone` says when."""

    sequence: int
    row: Row | None
    gone: str | None


def places(transaction: Transaction, start: int, limit: int) -> list[Place]:
    """What stands in the log from `start` on."""
    return [Place(leaf.sequence, leaf.row, leaf.gone) for leaf in transaction.log.leaves(start, limit)]


def place_at(transaction: Transaction, moment: datetime) -> int:
    """The first place whose entry is not older than `moment`; the log's end when there is none. Entries are written at
    the end of units of work and dated at their beginning, so neighbours may stand in another order by seconds."""
    low, high = 0, transaction.log.size()
    while low < high:
        middle = (low + high) // 2
        at = _dated(transaction, middle, high)
        if at is not None and at < moment:
            low = middle + 1
        else:
            high = middle
    return low


# --- where readers have come to ------------------------------------------------------------------------------------


def position(transaction: Transaction, reader: str) -> int | None:
    """The next place that a reader looks at; None for one that has not begun."""
    row = find(transaction, DELIVERY, name=reader)
    return None if row is None else number(row, "position")


def begin(session: Session, reader: str, at: int, destination: Reference | None = None) -> Row:
    """A reader that begins at a place."""
    values: dict[str, Value] = {
        "name": reader,
        "siemdestinationid": destination,
        "position": at,
        "delivered": 0,
        "failures": 0,
        "state": 1,
    }
    return make(session, DELIVERY, values)


def move(session: Session, reader: str, to: int, **facts: Value) -> None:
    """A reader has come to `to`."""
    row = find(session.transaction, DELIVERY, name=reader)
    if row is not None:
        note(session, row, {"position": to, **facts})


def _dated(transaction: Transaction, start: int, end: int) -> datetime | None:
    """When the first entry from `start` on that is still there was made."""
    while start < end:
        found = transaction.log.leaves(start, min(500, end - start))
        for leaf in found:
            if leaf.row is not None:
                return datetime.fromisoformat(str(leaf.row.values["createdon"]))
        if not found:
            return None
        start = found[-1].sequence + 1
    return None
