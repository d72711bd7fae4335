"""Reading: pages, single rows and counts, each under the plans of the caller (SM-5).

The store answers with tuples: the outputs, the hidden outputs that are added here (the version for the ETag, and what
expands need of their parents), the values of the order expressions and the row's id. A query that groups or is
distinct has neither version nor id.
"""

from dataclasses import replace

from strongroom.access.messages import does_not_exist
from strongroom.access.planned import PlannedSelect, planned
from strongroom.access.planning import plan_for
from strongroom.access.resolve import require_usable
from strongroom.ids import Guid
from strongroom.query.ast import (
    Comparison,
    Field,
    Literal,
    Operator,
    Select,
    conjunction,
)
from strongroom.records.address import missing, row_at
from strongroom.records.authorize import demand, demand_privilege, refusal_of
from strongroom.records.expand import extended, records_of
from strongroom.records.prepared import Prepared
from strongroom.records.readings import tell_readings
from strongroom.records.session import Session
from strongroom.records.shapes import Address, Layout, Page, Record
from strongroom.records.unmasked import planned_for
from strongroom.records.watching import Watch, watch_of
from strongroom.schema.model import ColumnType, Rights, Table
from strongroom.store.protocol import Row, Value

_NO_ALIASES: frozenset[str] = frozenset()
COUNT_CAP = 5000
"""How far totals are counted (WA-236)."""


def retrieve_page(session: Session, select: Select) -> Page:
    """One page of rows that the caller may read. Raises `AccessDenied` without the Read privilege (SM-153)."""
    require_usable(session.caller)
    if select.after == ():
        select = replace(select, after=None)
    prepared = _prepared(session, select)
    layout, query = prepared.layout, prepared.query
    rows = session.transaction.select(query)
    position: tuple[Value, ...] | None = None
    size = select.page_size
    if size is not None and len(rows) > size:
        rows = rows[:size]
        position = rows[-1][len(query.select.outputs) :] if _identifies_rows(select) else ()
    total, exceeded = None, False
    if select.count:
        number = session.transaction.count(query, COUNT_CAP + 1)
        total, exceeded = min(number, COUNT_CAP), number > COUNT_CAP
    records = _records(session, query, layout, rows)
    if prepared.watch is not None and session.tells_reading:
        tell_readings(session, prepared.watch, records, _joined_ids(query, prepared.watch, rows))
    return Page(records, position, total, exceeded)


def retrieve(session: Session, select: Select, address: Address) -> Record:
    """The one row at `address` with the outputs and expands of `select`.

    Refusals in this order: no privilege 403 (SM-150), no such row 404 (SM-152), not readable 403 (SM-151).
    """
    require_usable(session.caller)
    table = select.source.table
    demand_privilege(session, table, Rights.READ)
    if isinstance(address, str):
        row_id = address
    else:
        row = row_at(session, table, address)
        if row is None:
            raise missing(table, address)
        row_id = row.id
    is_this = Comparison(Operator.EQUAL, Field("", table.id_column), Literal(row_id, ColumnType.UNIQUEIDENTIFIER))
    one = replace(select, where=conjunction(select.where, is_this), order=(), top=None, page_size=None, after=None)
    layout, extended = _extended(one)
    watch = watch_of(select, one_row=True) if session.caller.facts.settings.audit_of_reads else None
    query = planned_for(session, extended, one_row=True, watched=_NO_ALIASES if watch is None else watch.joined)
    rows = session.transaction.select(query)
    if not rows:
        raise _why_not(session, table, row_id)
    records = _records(session, query, layout, rows)
    if watch is not None and session.tells_reading:
        tell_readings(session, watch, records, _joined_ids(query, watch, rows))
    return records[0]


def count(session: Session, select: Select, limit: int | None = COUNT_CAP) -> int:
    """How many rows the select would give without paging, counted no further than `limit` (WA-237)."""
    require_usable(session.caller)
    return session.transaction.count(planned(select, session.caller), limit)


def require(session: Session, table: Table, address: Address, right: Rights) -> Row:
    """The row at `address`, on which the caller has `right` (SM-150 to SM-152). For messages that act on a row."""
    require_usable(session.caller)
    demand_privilege(session, table, right)
    row = row_at(session, table, address)
    if row is None:
        raise missing(table, address)
    demand(session, right, row)
    return row


def _why_not(session: Session, table: Table, row_id: Guid) -> Exception:
    row = session.transaction.row(table, row_id)
    if row is None:
        return does_not_exist(table, row_id)
    if session.transaction.allows(plan_for(session.caller, table, Rights.READ), row):
        return does_not_exist(table, row_id)  # readable, so the select's own conditions left it out
    return refusal_of(session, Rights.READ, row)


def _prepared(session: Session, select: Select) -> Prepared:
    """The extended and planned form of a list's select; kept, unless unmasked reading makes each one its own."""
    kept = None if session.request.unmasked else session.rules.prepared.find(session.caller, select)
    if kept is not None:
        return kept
    layout, extended = _extended(select)
    watch = watch_of(select, one_row=False) if session.caller.facts.settings.audit_of_reads else None
    watched = _NO_ALIASES if watch is None or not _identifies_rows(select) else watch.joined
    query = planned_for(session, extended, one_row=False, watched=watched)
    made = Prepared(session.caller, select, layout, query, watch)
    if not session.request.unmasked:
        session.rules.prepared.keep(made)
    return made


def _joined_ids(query: PlannedSelect, watch: Watch, rows: list[tuple[Value, ...]]) -> dict[str, list[Value]]:
    """The ids of joined rows that are told, by alias: `planned_for` has put them among the outputs."""
    found: dict[str, list[Value]] = {}
    for alias in watch.joined:
        at = next((at for at, output in enumerate(query.select.outputs) if output.name == f"~{alias}"), None)
        if at is not None:
            found[alias] = [row[at] for row in rows]
    return found


def _identifies_rows(select: Select) -> bool:
    return not (select.is_aggregate or select.group_by or select.distinct)


def _extended(select: Select) -> tuple[Layout, Select]:
    return extended(select) if _identifies_rows(select) else (Layout(len(select.outputs), None, ()), select)


def _records(session: Session, query: PlannedSelect, layout: Layout, rows: list[tuple[Value, ...]]) -> list[Record]:
    if _identifies_rows(query.select):
        return records_of(session, query, layout, rows)
    return [Record(row[: layout.width]) for row in rows]
