"""The trail by quarters, as Dataverse's audit partitions are (TS-805, TS-806): listed, and taken out whole.

A partition here is a quarter of a year of `audit`: its first and its last moment, and how many entries it has. The
present quarter is never taken out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from strongroom.access.plan import Branch, Plan
from strongroom.access.planned import PlannedSelect
from strongroom.clock import iso
from strongroom.query.ast import TRUE, Comparison, Field, Literal, Operator, Order, Output, Select, Source, conjunction
from strongroom.schema.model import ColumnType, Rights
from strongroom.store.protocol import Transaction

_MONTHS = 3


@dataclass(frozen=True, slots=True)
class Partition:
    """One quarter. `end` is its last second; None for the present one, which goes on."""

    number: int
    start: datetime
    end: datetime | None
    entries: int


def partitions(transaction: Transaction, now: datetime) -> list[Partition]:
    """The quarters from the first entry to the present, oldest first; those without entries are left out."""
    first = _first_entry(transaction)
    if first is None:
        return []
    found: list[Partition] = []
    for number, (start, after) in enumerate(_quarters(first, now), 1):
        entries = _entries_between(transaction, start, after)
        if entries:
            end = None if after > now else datetime.fromtimestamp(after.timestamp() - 1, UTC)
            found.append(Partition(number, start, end, entries))
    return found


def ended_before(transaction: Transaction, now: datetime, moment: datetime) -> list[Partition]:
    """The quarters that had ended at `moment`."""
    return [each for each in partitions(transaction, now) if each.end is not None and each.end <= moment]


def _quarters(first: datetime, now: datetime) -> Iterator[tuple[datetime, datetime]]:
    start = datetime(first.year, first.month - (first.month - 1) % _MONTHS, 1, tzinfo=UTC)
    while start <= now:
        after = datetime(start.year + start.month // 10, (start.month - 1 + _MONTHS) % 12 + 1, 1, tzinfo=UTC)
        yield start, after
        start = after


def _first_entry(transaction: Transaction) -> datetime | None:
    table = transaction.schema.tables["audit"]
    created = Field("", table.columns["createdon"])
    select = Select(Source(table), (Output("createdon", created),), order=(Order(created),), page_size=1)
    found = transaction.select(PlannedSelect(select, {"": Plan(table, Rights.READ, (Branch(TRUE, ()),))}))
    return datetime.fromisoformat(str(found[0][0])) if found else None


def _entries_between(transaction: Transaction, start: datetime, after: datetime) -> int:
    table = transaction.schema.tables["audit"]
    created = Field("", table.columns["createdon"])
    since = Comparison(Operator.GREATER_OR_EQUAL, created, Literal(iso(start), ColumnType.DATETIME))
    until = Comparison(Operator.LESS, created, Literal(iso(after), ColumnType.DATETIME))
    select = Select(Source(table), (Output("createdon", created),), where=conjunction(since, until))
    return transaction.count(PlannedSelect(select, {"": Plan(table, Rights.READ, (Branch(TRUE, ()),))}), None)
