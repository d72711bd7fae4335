"""Searching what people did (TS-809, TS-821): an ordinary read of `activitylog`, under `prvReadActivityLog`.

A search is bound to a time, because the log is read in its order: newest first, by the index that also holds user,
category and table, so that activities of others are passed over without being read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from strongroom.access.planned import planned
from strongroom.access.resolve import require_usable
from strongroom.audit.activities import Activity, Category, Outcome
from strongroom.clock import iso
from strongroom.errors import InvalidRequest
from strongroom.ids import Guid, Reference
from strongroom.query.ast import (
    Comparison,
    Field,
    InList,
    IsNull,
    Literal,
    Match,
    Operator,
    Or,
    Order,
    Output,
    Predicate,
    Select,
    Source,
    TextMatch,
    conjunction,
)
from strongroom.records.session import Session
from strongroom.schema.activity_table import ACTIVITY_LOG
from strongroom.schema.model import ColumnType, Table
from strongroom.store.protocol import Value

LONGEST = timedelta(days=366)
"""The longest time that one search is about."""

MOST = 5000
"""Activities on one page."""

_DEEPEST = 50_000
_SHOWN: tuple[str, ...] = (
    "activitylogid",
    "createdon",
    "category",
    "activity",
    "outcome",
    "userid",
    "callinguserid",
    "objecttypecode",
    "objectid",
    "objectids",
    "objectcount",
    "objectdigest",
    "sensitivecolumns",
    "query",
    "details",
    "address",
    "client",
    "correlationid",
)
_TEXTS = ("activity", "query", "details", "address", "client", "correlationid", "sensitivecolumns")


@dataclass(frozen=True, slots=True)
class ActivitySearch:
    """What is looked for: everything that is given must hold. `since` and `until` are included."""

    since: datetime
    until: datetime
    user: Guid | None = None
    """The user, or the real user behind an impersonation."""
    target: Reference | None = None
    """A row: among those that a reading showed, or what an activity is about."""
    table: str | None = None
    categories: tuple[Category, ...] = ()
    activities: tuple[Activity, ...] = ()
    outcome: Outcome | None = None
    sensitive: bool = False
    """Only readings that showed sensitive columns."""
    least_rows: int | None = None
    """Only what was about so many rows or more."""
    text: str | None = None
    """Words in any of the texts of an activity."""
    page: int = 1
    size: int = 500


@dataclass(frozen=True, slots=True)
class Found:
    """One page of activities, newest first: columns by name, a lookup as its id."""

    rows: tuple[Mapping[str, Value], ...]
    more: bool


def search_activity(session: Session, search: ActivitySearch) -> Found:
    """The activities that a search finds. 403 without `prvReadActivityLog`, 400 `range-too-long`."""
    require_usable(session.caller)
    _demand_range(search)
    table = session.table(ACTIVITY_LOG)
    created = Field("", table.columns["createdon"])
    select = Select(
        Source(table),
        tuple(Output(name, Field("", table.columns[name])) for name in _SHOWN),
        where=conjunction(*_conditions(table, search)),
        order=(Order(created, descending=True),),
        page_size=search.size,
        page_number=search.page,
    )
    rows = session.transaction.select(planned(select, session.caller))
    shown = tuple(dict(zip(_SHOWN, row, strict=False)) for row in rows[: search.size])
    return Found(shown, len(rows) > search.size)


def _demand_range(search: ActivitySearch) -> None:
    if search.until < search.since:
        raise InvalidRequest("The time to search begins after it ends: From must not be later than To.")
    if search.until - search.since > LONGEST:
        raise InvalidRequest(
            f"A search is about at most {LONGEST.days} days; choose From and To closer together.",
            code="range-too-long",
            details={"reason": "range-too-long", "rule": "TS-809", "target": "From"},
        )
    if not 1 <= search.size <= MOST or search.page < 1 or search.page * search.size > _DEEPEST:
        raise InvalidRequest(
            f"A page has 1 to {MOST} activities, and pages go no deeper than {_DEEPEST:,}: narrow the time instead."
        )


def _conditions(table: Table, search: ActivitySearch) -> Sequence[Predicate]:
    def field(name: str) -> Field:
        return Field("", table.columns[name])

    def equal(name: str, value: object) -> Predicate:
        return Comparison(Operator.EQUAL, field(name), Literal(value, table.columns[name].type))

    def when(operator: Operator, moment: datetime) -> Predicate:
        return Comparison(operator, field("createdon"), Literal(iso(moment), ColumnType.DATETIME))

    found = [when(Operator.GREATER_OR_EQUAL, search.since), when(Operator.LESS_OR_EQUAL, search.until)]
    if search.user is not None:
        found.append(Or((equal("userid", search.user), equal("callinguserid", search.user))))
    if search.target is not None:
        named = Match(TextMatch.CONTAINS, field("objectids"), search.target.id)
        found += [equal("objecttypecode", search.target.table), Or((equal("objectid", search.target.id), named))]
    elif search.table is not None:
        found.append(equal("objecttypecode", search.table))
    if search.categories:
        values = tuple(Literal(each.value, ColumnType.PICKLIST) for each in search.categories)
        found.append(InList(field("category"), values))
    if search.activities:
        values = tuple(Literal(each.value, ColumnType.STRING) for each in search.activities)
        found.append(InList(field("activity"), values))
    if search.outcome is not None:
        found.append(equal("outcome", search.outcome.value))
    if search.sensitive:
        found.append(IsNull(field("sensitivecolumns"), negated=True))
    if search.least_rows is not None:
        least = Literal(search.least_rows, ColumnType.INTEGER)
        found.append(Comparison(Operator.GREATER_OR_EQUAL, field("objectcount"), least))
    if search.text:
        escaped = "".join(f"[{letter}]" if letter in "%_[" else letter for letter in search.text)
        found.append(Or(tuple(Match(TextMatch.CONTAINS, field(name), escaped) for name in _TEXTS)))
    return found
