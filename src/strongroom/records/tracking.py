"""What has changed in a table since a version, for a client that keeps a copy of it (section 22 of the Web API).

Whoever wants to follow a table reads it whole once, as it is at one version, and asks for the difference from there on.
That takes Read at the level of the organization (WA-314): only of a table that was wholly there can be said what is
missing.

A caller who has lost that level since, and not Read itself, gets one last difference: what changed among the rows that
are still reached, and of all the others that were known their ids, as removed. There is nothing to go on with after it.

    since 1000                         until 1040
      Contoso   version 990, deleted  → gone
      Fabrikam  version 1012          → a row, or lost when it is not reached any more
      Litware   version 980           → nothing, or lost

A difference has three parts, in this order: rows in the order of their versions, deletions, losses. A page may hold the
end of one and the beginning of the next. `until` is the same for all pages: what changes while somebody turns them
belongs to the next difference.
"""

from dataclasses import dataclass, replace
from typing import Final

from strongroom.access.planning import plan_for
from strongroom.access.resolve import require_usable
from strongroom.clock import moment_of
from strongroom.errors import AccessDenied, InvalidRequest
from strongroom.ids import Guid
from strongroom.query.ast import (
    Comparison,
    Field,
    InList,
    Literal,
    Operator,
    Order,
    Output,
    Predicate,
    Select,
    Source,
    conjunction,
)
from strongroom.query.delta_tokens import UnknownDeltaToken
from strongroom.records.read import count, retrieve_page
from strongroom.records.session import Session
from strongroom.records.shapes import Record
from strongroom.schema.model import ColumnType, Rights, Table
from strongroom.store.layout import is_tracked

VERSION: Final = "versionnumber"
_LOOKED_AT: Final = 1_000
"""Rows that are looked at in one go for those that are not reached."""
_LOOKED_AT_IN_ALL: Final = 50_000
"""Rows that one page looks at before it gives what it has found."""


@dataclass(frozen=True, slots=True)
class Removed:
    """A row that is to be removed from the copy: it is gone, or not the caller's to read any more."""

    id: Guid
    is_deleted: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where the next page of a difference begins. `part` is 0 for rows, 1 for deletions, 2 for losses; `after` is the
    version, or the key of the row, that was dealt with last."""

    part: int
    after: int


@dataclass(frozen=True, slots=True)
class Difference:
    """One page. `next` is None on the last one; `is_final` when nothing can follow the whole difference."""

    rows: list[Record]
    removed: list[Removed]
    next: Place | None
    is_final: bool


@dataclass(frozen=True, slots=True)
class Span:
    """The versions that a difference is between: changes after `since`, up to and with `until`."""

    since: int
    until: int


def start_tracking(session: Session, table: Table) -> int:
    """The version at which a client that begins to follow `table` reads it. 403 without Read on the whole table."""
    if not _reaches_all(session, table):
        raise AccessDenied(
            f"Principal with id {session.caller.id} reads only some rows of entity {table.logical_name}: following its"
            " changes takes the Read privilege at the level of the organization.",
            code="0x80040220",
        )
    return session.transaction.tracking.version


def require_tracked(table: Table) -> None:
    """400 when changes of the table cannot be asked for."""
    if not is_tracked(table):
        raise InvalidRequest(
            f"Change tracking is not enabled for entity {table.logical_name}. Set ChangeTrackingEnabled of its"
            " definition."
        )


def require_known(session: Session, version: int, made_on: str) -> None:
    """400 when it is not known any more, or not yet, what has changed since `version`, told at `made_on` (WA-313)."""
    known = session.transaction.tracking
    made, now = moment_of(made_on), moment_of(session.now)
    if made is None or now is None or (now - made).days >= known.days or version < known.floor:
        raise UnknownDeltaToken(f"is older than {known.days} days")
    if version > known.version:
        raise UnknownDeltaToken("is newer than the environment, which has been restored since")


def at_version(select: Select, until: int) -> Select:
    """`select` as of a version: rows that have changed since belong to the difference that is asked for next."""
    return replace(
        select, where=conjunction(select.where, _versions(select.source.table, Operator.LESS_OR_EQUAL, until))
    )


def may_continue(session: Session, table: Table, *, is_own: bool) -> bool:
    """Whether a difference goes on for ever (True), or is the last one that the caller gets (False).

    403 when the table is closed altogether, or partly for somebody whose token it is not.
    """
    if _reaches_all(session, table):
        return True
    if not is_own:
        start_tracking(session, table)
    return False


def difference(
    session: Session, select: Select, span: Span, size: int, place: Place | None = None, *, goes_on: bool
) -> Difference:
    """A page of at most `size` entries: rows by `select`, which neither filters nor orders, and what is to be removed.

    `goes_on` is what `may_continue` said.
    """
    table = select.source.table
    at = place or Place(0, span.since)
    rows: list[Record] = []
    removed: list[Removed] = []
    following: Place | None = at
    if at.part == 0:
        page = retrieve_page(session, _changed(select, at.after, span.until, size))
        rows = page.rows
        is_more = page.position is not None and rows
        following = Place(0, rows[-1].version or span.until) if is_more else Place(1, span.since)
    room = size - len(rows)
    if following.part == 1 and room > 0:
        found = session.transaction.tracking.gone(table, following.after, span.until, span.since, room + 1)
        removed = [Removed(row_id, True) for _, row_id in found[:room]]
        following = Place(1, found[room - 1][0]) if len(found) > room else Place(2, 0)
        room -= len(removed)
    if following.part == 2 and goes_on:
        following = None
    elif following.part == 2 and room > 0:
        lost, following = _lost(session, table, following.after, span.since, room)
        removed += lost
    return Difference(rows, removed, following, is_final=not goes_on)


def count_changes(session: Session, table: Table, span: Span) -> int:
    """How many entries a difference has for somebody who reads the whole table."""
    changed = Select(
        Source(table), (Output(table.primary_id, Field("", table.id_column)),), where=_between(table, span)
    )
    gone = session.transaction.tracking.count_gone(table, span.since, span.until, span.since)
    return count(session, changed, None) + gone


def _reaches_all(session: Session, table: Table) -> bool:
    require_usable(session.caller)
    return plan_for(session.caller, table, Rights.READ).required().is_everything


def _lost(session: Session, table: Table, after: int, known: int, size: int) -> tuple[list[Removed], Place | None]:
    """Rows that were there at the version `known` and are not reached now. Keys and versions are counted together, so
    that a row was there if its key is not above."""
    lost: list[Removed] = []
    for _ in range(_LOOKED_AT_IN_ALL // _LOOKED_AT):
        there = session.transaction.tracking.rows_from(table, after, known, _LOOKED_AT)
        if not there:
            return lost, None
        reached = _reached(session, table, [row_id for _, row_id in there])
        for key, row_id in there:
            after = key
            if row_id not in reached:
                lost.append(Removed(row_id, False))
                if len(lost) == size:
                    return lost, Place(2, after)
    return lost, Place(2, after)


def _reached(session: Session, table: Table, ids: list[Guid]) -> set[Guid]:
    is_one = InList(Field("", table.id_column), tuple(Literal(row_id, ColumnType.UNIQUEIDENTIFIER) for row_id in ids))
    select = Select(Source(table), (Output(table.primary_id, Field("", table.id_column)),), where=is_one)
    return {record.id for record in retrieve_page(session, select).rows if record.id is not None}


def _changed(select: Select, after: int, until: int, size: int) -> Select:
    table = select.source.table
    version = Field("", table.columns[VERSION])
    where = _between(table, Span(after, until))
    return replace(select, where=where, order=(Order(version),), top=None, page_size=size, after=None)


def _between(table: Table, span: Span) -> Predicate | None:
    return conjunction(
        _versions(table, Operator.GREATER, span.since), _versions(table, Operator.LESS_OR_EQUAL, span.until)
    )


def _versions(table: Table, operator: Operator, version: int) -> Predicate:
    return Comparison(operator, Field("", table.columns[VERSION]), Literal(version, ColumnType.BIGINT))
