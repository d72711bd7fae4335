"""Rows by owner and by owning unit, over all user-owned tables: what a user leaves behind, what a unit holds."""

from collections.abc import Iterator

from strongroom.access.plan import Branch, Plan
from strongroom.access.planned import PlannedSelect
from strongroom.ids import Guid, Key, Reference
from strongroom.query.ast import Field, Output, OwnerIn, Predicate, Select, Source, UnitIn
from strongroom.records.assign import assign
from strongroom.records.authorize import demand
from strongroom.records.owners import demand_valid_owner, facts_of
from strongroom.records.session import Session
from strongroom.schema.model import Rights, Table
from strongroom.store.protocol import Row

_BATCH = 1000


def owns_rows(session: Session, owner: Key) -> bool:
    """Whether a user or team owns any row."""
    return _any(session, OwnerIn("", frozenset({owner})))


def holds_rows(session: Session, unit: Key) -> bool:
    """Whether a business unit owns any row."""
    return _any(session, UnitIn("", frozenset({unit})))


def move_possessions(session: Session, owner: Key, unit: Key) -> None:
    """Put every row of `owner` into `unit` (SM-25, SM-27)."""
    for table in _owned_tables(session):
        for row in _rows_of(session, table, owner):
            if row.unit != unit:
                session.transaction.update(row, {}, unit=unit)


def give_possessions(session: Session, owner: Reference, successor: Reference) -> None:
    """Assign every row of `owner` to `successor`, with the rights and cascades of an assign (SM-90 to SM-97)."""
    facts, transaction = facts_of(session, owner), session.transaction
    for table in _owned_tables(session):
        rows = list(_rows_of(session, table, facts.key))
        if not rows:
            continue
        demand_valid_owner(session, table, successor)
        for row in rows:
            current = transaction.row(table, row.id)  # an assign before this one may have cascaded to it
            if current is not None and current.owner == facts.key:
                demand(session, Rights.ASSIGN, current)
                assign(session, current, successor)


def _owned_tables(session: Session) -> list[Table]:
    return [table for table in session.schema.tables.values() if table.has_owner]


def _any(session: Session, predicate: Predicate) -> bool:
    return any(session.transaction.count(_query(table, predicate), 1) for table in _owned_tables(session))


def _rows_of(session: Session, table: Table, owner: Key) -> Iterator[Row]:
    """The rows of an owner, read in batches once their ids are known."""
    found = session.transaction.select(_query(table, OwnerIn("", frozenset({owner}))))
    ids = [Guid(str(row[0])) for row in found]
    for start in range(0, len(ids), _BATCH):
        yield from session.transaction.rows(table, ids[start : start + _BATCH]).values()


def _query(table: Table, predicate: Predicate) -> PlannedSelect:
    select = Select(Source(table), (Output(table.primary_id, Field("", table.id_column)),))
    return PlannedSelect(select, {"": Plan(table, Rights.READ, (Branch(predicate, ()),))})
