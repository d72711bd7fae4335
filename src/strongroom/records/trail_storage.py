"""How much the trail holds and how fast it grows: by table, and in a year (TS-811, TS-807).

Entries of the last days are read and measured; what a day writes, kept for as long as retention says, is what a year
will hold. Needs `prvReadAuditPartitions`.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from strongroom.access.plan import Branch, Plan
from strongroom.access.planned import PlannedSelect
from strongroom.access.resolve import require_privilege, require_usable
from strongroom.audit.partitions import Partition, partitions
from strongroom.clock import iso
from strongroom.errors import InvalidRequest
from strongroom.query.ast import (
    TRUE,
    Aggregate,
    AggregateFunction,
    Comparison,
    Field,
    Literal,
    Operator,
    Output,
    Select,
    Source,
)
from strongroom.records.session import Session
from strongroom.schema.activity_table import ACTIVITY_LOG
from strongroom.schema.model import ColumnType, Rights, Table

_SAMPLE = 500
_ROW_BYTES = 420
"""What an entry takes besides its texts: its columns and its place in indexes and log, measured on both engines."""

_YEAR_DAYS = 365


@dataclass(frozen=True, slots=True)
class TableGrowth:
    """What a table's entries come to. `retention_days` is None for ever."""

    table: str
    entries_a_day: float
    bytes_a_day: float
    retention_days: int | None

    @property
    def bytes_in_a_year(self) -> int:
        """What is written in the next year and still there at its end."""
        kept = _YEAR_DAYS if self.retention_days is None else min(self.retention_days, _YEAR_DAYS)
        return round(self.bytes_a_day * kept)


@dataclass(frozen=True, slots=True)
class TrailStorage:
    """The report: partitions of `audit`, entries of both tables, and growth by table, the largest first."""

    entries: int
    activities: int
    leaves: int
    partitions: tuple[Partition, ...]
    days: int
    growth: tuple[TableGrowth, ...]

    @property
    def bytes_in_a_year(self) -> int:
        """The growth of all tables."""
        return sum(each.bytes_in_a_year for each in self.growth)


def trail_storage(session: Session, days: int = 7) -> TrailStorage:
    """The report; growth is measured over the last `days`."""
    require_usable(session.caller)
    require_privilege(session.caller, "prvReadAuditPartitions")
    if not 1 <= days <= _YEAR_DAYS:
        raise InvalidRequest(f"Growth is measured over 1 to {_YEAR_DAYS} days.")
    transaction, now = session.transaction, session.clock.now()
    since = iso(now - timedelta(days=days))
    retention = transaction.settings().retention
    audit, activities = session.table("audit"), session.table(ACTIVITY_LOG)
    growth = [
        TableGrowth(name, number / days, number / days * _bytes_each(session, audit, name), retention.of(name))
        for name, number in _by_table(session, audit, since).items()
    ]
    told = sum(_by_table(session, activities, since).values())
    if told:
        each = _bytes_each(session, activities, None)
        growth.append(TableGrowth(ACTIVITY_LOG, told / days, told / days * each, retention.activity_days))
    listed = tuple(partitions(transaction, now))
    return TrailStorage(
        sum(each.entries for each in listed),
        transaction.count(_all_of(activities), None),
        transaction.log.size(),
        listed,
        days,
        tuple(sorted(growth, key=lambda each: -each.bytes_a_day)),
    )


def _by_table(session: Session, table: Table, since: str) -> Counter[str]:
    """How many rows of the trail there are about each table since then."""
    about = Field("", table.columns["objecttypecode"])
    recent = Comparison(
        Operator.GREATER_OR_EQUAL, Field("", table.columns["createdon"]), Literal(since, ColumnType.DATETIME)
    )
    select = Select(
        Source(table),
        (Output("table", about), Output("number", Aggregate(AggregateFunction.COUNT, None))),
        where=recent,
        group_by=(about,),
        is_aggregate=True,
        aggregate_limit=1_000_000_000,
    )
    found: Counter[str] = Counter()
    for name, number in session.transaction.select(PlannedSelect(select, {"": _everything(table)})):
        found[str(name or "")] += int(str(number))
    return found


def _bytes_each(session: Session, table: Table, about: str | None) -> float:
    """What a row takes, by a sample of them."""
    named = {} if about is None else {"objecttypecode": about}
    rows = session.transaction.rows_where(table, named, limit=_SAMPLE)
    texts = sum(len(value) for row in rows for value in row.values.values() if isinstance(value, str))
    return _ROW_BYTES + (texts / len(rows) if rows else 0)


def _all_of(table: Table) -> PlannedSelect:
    return PlannedSelect(Select(Source(table), (Output("id", Field("", table.id_column)),)), {"": _everything(table)})


def _everything(table: Table) -> Plan:
    return Plan(table, Rights.READ, (Branch(TRUE, ()),))
