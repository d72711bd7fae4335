"""What a principal read and changed in a time, and what they could read: computed from the trail (TS-1604).

*Did* is what the activity log and the trail tell: rows that were shown or exported, rows that were changed. *Could* is
what the access core says of the user's rights now. Both are told apart, table by table. Runs in the environment that
it is about; needs `prvReadActivityLog` and `prvReadAuditSummary`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

import orjson

from strongroom.access.planned import planned
from strongroom.access.resolve import require_privilege
from strongroom.audit.activities import Category
from strongroom.audit.entries import Operation
from strongroom.clock import iso
from strongroom.errors import InvalidRequest
from strongroom.ids import Guid, Reference
from strongroom.query.ast import Comparison, Field, InList, Literal, Operator, Or, Output, Select, Source, conjunction
from strongroom.records import Session
from strongroom.records.activity_search import MOST, ActivitySearch, search_activity
from strongroom.records.explaining import what_can_see
from strongroom.schema.model import ColumnType, Rights

PEOPLE = frozenset({"contact", "lead", "systemuser"})
"""Tables whose rows are people."""

_DEEPEST = 50_000
_CHANGES = (Operation.CREATE, Operation.UPDATE, Operation.DELETE)


@dataclass(slots=True)
class TableExposure:
    """One table: ids of rows that were read and changed, how many more were read that nobody can name, how many could
    be read."""

    table: str
    read: set[Guid] = field(default_factory=set[Guid])
    changed: set[Guid] = field(default_factory=set[Guid])
    unnamed: int = 0
    could: int = 0

    @property
    def is_of_people(self) -> bool:
        """Whether its rows are people."""
        return self.table in PEOPLE

    @property
    def digest(self) -> str:
        """SHA-256 of the ids of all rows that were read or changed, sorted, each on a line."""
        return sha256("".join(f"{row}\n" for row in sorted(self.read | self.changed)).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Exposure:
    """What came of the question."""

    user: Guid
    since: datetime
    until: datetime
    tables: tuple[TableExposure, ...]
    activities: int
    entries: int

    @property
    def rows(self) -> int:
        """Rows that were read or changed."""
        return sum(len(each.read | each.changed) + each.unnamed for each in self.tables)

    @property
    def people(self) -> int:
        """Those of them that are people."""
        return sum(len(each.read | each.changed) + each.unnamed for each in self.tables if each.is_of_people)


def exposure_of(session: Session, user: Guid, since: datetime, until: datetime) -> Exposure:
    """What `user` did in this time, and could. `NotFound` or 403 as every question about a user."""
    require_privilege(session.caller, "prvReadAuditSummary")
    found: dict[str, TableExposure] = {}
    activities = entries = 0
    for row in _activities(session, user, since, until):
        activities += 1
        name = str(row["objecttypecode"] or "")
        if not name:
            continue
        table = found.setdefault(name, TableExposure(name))
        if row["objectid"] is not None:
            table.read.add(Guid(str(row["objectid"])))
        elif isinstance(row["objectids"], str):
            table.read.update(Guid(str(each)) for each in orjson.loads(row["objectids"]))
        else:
            table.unnamed += int(str(row["objectcount"] or 0))
    for name, row_id in _changes(session, user, since, until):
        entries += 1
        found.setdefault(name, TableExposure(name)).changed.add(row_id)
    for seen in what_can_see(session, Reference("systemuser", user), Rights.READ):
        if seen.rows:
            found.setdefault(seen.table.logical_name, TableExposure(seen.table.logical_name)).could = seen.rows
    tables = tuple(sorted(found.values(), key=lambda each: (-len(each.read | each.changed), -each.could, each.table)))
    return Exposure(user, since, until, tables, activities, entries)


def _activities(session: Session, user: Guid, since: datetime, until: datetime) -> Iterator[dict[str, object]]:
    """Readings and exports of the user, newest first."""
    for page in range(1, _DEEPEST // MOST + 1):
        seen = (Category.READ, Category.EXPORT)
        search = ActivitySearch(since, until, user=user, categories=seen, page=page, size=MOST)
        found = search_activity(session, search)
        yield from (dict(row) for row in found.rows)
        if not found.more:
            return
    raise InvalidRequest(f"The user did more than {_DEEPEST:,} things in this time: ask for less of it at once.")


def _changes(session: Session, user: Guid, since: datetime, until: datetime) -> Iterator[tuple[str, Guid]]:
    """Table and id of each row that the user changed, entry by entry."""
    table = session.table("audit")

    def equal(name: str) -> Comparison:
        return Comparison(Operator.EQUAL, Field("", table.columns[name]), Literal(user, ColumnType.UNIQUEIDENTIFIER))

    def when(operator: Operator, moment: datetime) -> Comparison:
        return Comparison(operator, Field("", table.columns["createdon"]), Literal(iso(moment), ColumnType.DATETIME))

    operations = tuple(Literal(each.value, ColumnType.PICKLIST) for each in _CHANGES)
    select = Select(
        Source(table),
        tuple(Output(name, Field("", table.columns[name])) for name in ("objecttypecode", "objectid")),
        where=conjunction(
            when(Operator.GREATER_OR_EQUAL, since),
            when(Operator.LESS_OR_EQUAL, until),
            Or((equal("userid"), equal("callinguserid"))),
            InList(Field("", table.columns["operation"]), operations),
        ),
    )
    for row in session.transaction.select(planned(select, session.caller)):
        if row[1] is not None:
            yield str(row[0]), Guid(str(row[1]))
