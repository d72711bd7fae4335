"""Rows by owner and by owning unit, over all user-owned tables: what a user leaves behind, what a unit holds."""

from collections.abc import Iterator, Mapping

from strongroom.access.plan import Branch, Plan
from strongroom.access.planned import PlannedSelect
from strongroom.audit.entries import Action
from strongroom.ids import Guid, Key, Reference
from strongroom.query.ast import Field, Output, OwnerIn, Predicate, Select, Source, UnitIn
from strongroom.records.assign import assign
from strongroom.records.authorize import demand
from strongroom.records.owners import demand_valid_owner, facts_of
from strongroom.records.session import Session
from strongroom.records.trail import record_act
from strongroom.schema.model import Rights, Table
from strongroom.store.protocol import Row, Value

_BATCH = 1000


def owns_rows(session: Session, owner: Key) -> bool:
    """Whether a user or team owns any row."""
    return _any(session, OwnerIn("", frozenset({owner})))


def holds_rows(session: Session, unit: Key) -> bool:
    """Whether a business unit owns any row."""
    return _any(session, UnitIn("", frozenset({unit})))


def move_possessions(session: Session, principal: Row) -> None:
    """Put every row of a user or team into its business unit (SM-27), and note on it how many of which table moved."""
    _note(session, principal, {t: session.transaction.settle_units(t, [principal.key]) for t in _owned_tables(session)})


def settle_everybody(session: Session, organization: Row) -> None:
    """Put every row into the business unit of its owner (SM-25)."""
    _note(session, organization, {t: session.transaction.settle_units(t) for t in _owned_tables(session)})


def _note(session: Session, row: Row, moved: Mapping[Table, int]) -> None:
    """One entry for all rows that followed, by table: an entry each would cost more than the move itself."""
    followed: dict[str, tuple[Value, Value]] = {t.logical_name: (None, number) for t, number in moved.items() if number}
    if followed:
        record_act(session, row, Action.CASCADE, followed)


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
