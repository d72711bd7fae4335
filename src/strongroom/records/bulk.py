"""Many rows of one table in one unit of work (WA-300 to WA-306).

All or nothing: the first refusal names the index of its target, and nothing is kept. Rights, cascades, audit and
uniqueness are those of the single operations; what is the same for all rows is looked up once.
"""

from collections.abc import Mapping, Sequence

from strongroom.access.messages import does_not_exist
from strongroom.access.resolve import require_usable
from strongroom.errors import InvalidRequest
from strongroom.ids import Guid
from strongroom.records.address import find
from strongroom.records.authorize import demand, demand_privilege
from strongroom.records.create import create_rows, each, refuse_direct_writes
from strongroom.records.delete import delete_rows
from strongroom.records.duplicates import refuse_changed_duplicate, refuse_new_duplicates
from strongroom.records.session import Session
from strongroom.records.shapes import Address, NewRecord, Upserted
from strongroom.records.update import change_row, intent_of
from strongroom.records.write import create, delete, update, upsert
from strongroom.schema.activities import POINTER
from strongroom.schema.model import Rights, Table
from strongroom.store.protocol import Row, Value


def create_multiple(session: Session, table: Table, records: Sequence[NewRecord]) -> list[Guid]:
    """Create all `records` or none; ids in the order given. An error names the index of the target (WA-303)."""
    _demand_targets(records)
    require_usable(session.caller)
    if any(record.related for record in records):
        return each(records, lambda record: create(session, table, record))
    rows = create_rows(session, table, records)
    refuse_new_duplicates(session, table, rows)
    return [row.id for row in rows]


def update_multiple(session: Session, table: Table, updates: Sequence[tuple[Address, Mapping[str, Value]]]) -> None:
    """Update all rows or none (WA-301). The same row twice is 400."""
    _demand_targets(updates)
    require_usable(session.caller)
    if table.logical_name != POINTER:
        refuse_direct_writes(table)
    ids = each(updates, lambda update: find(session, table, update[0]))
    _demand_distinct(ids)
    if table.logical_name == POINTER:
        each(updates, lambda target: update(session, table, target[0], target[1]))
        return
    rows = session.transaction.rows(table, ids)

    def change(target: tuple[Guid, Mapping[str, Value]]) -> None:
        row_id, changes = target
        intent = intent_of(session, table, row_id, changes)
        for right in intent.rights:
            demand_privilege(session, table, right)
        row = _present(table, rows, row_id)
        change_row(session, row, intent, None)
        refuse_changed_duplicate(session, row)

    each(list(zip(ids, (changes for _, changes in updates), strict=True)), change)


def upsert_multiple(session: Session, table: Table, upserts: Sequence[tuple[Address, NewRecord]]) -> list[Upserted]:
    """Update or create each (WA-301)."""
    _demand_targets(upserts)
    require_usable(session.caller)
    return each(upserts, lambda target: upsert(session, table, target[0], target[1]))


def delete_multiple(session: Session, table: Table, addresses: Sequence[Address]) -> None:
    """Delete all rows or none (WA-302)."""
    _demand_targets(addresses)
    require_usable(session.caller)
    if table.logical_name != POINTER:
        refuse_direct_writes(table)
    ids = each(addresses, lambda address: find(session, table, address))
    _demand_distinct(ids)
    if table.logical_name == POINTER:
        each(ids, lambda row_id: delete(session, table, row_id))
        return
    demand_privilege(session, table, Rights.DELETE)
    rows = session.transaction.rows(table, ids)
    each(ids, lambda row_id: demand(session, Rights.DELETE, _present(table, rows, row_id)))
    delete_rows(session, [rows[row_id] for row_id in ids])


def _demand_targets(targets: Sequence[object]) -> None:
    if not targets:
        raise InvalidRequest("'Targets' needs at least one row.")


def _demand_distinct(ids: Sequence[Guid]) -> None:
    seen: set[Guid] = set()
    for index, row_id in enumerate(ids):
        if row_id in seen:
            raise InvalidRequest(f"The row {row_id} is among the targets twice (target {index}).")
        seen.add(row_id)


def _present(table: Table, rows: Mapping[Guid, Row], row_id: Guid) -> Row:
    row = rows.get(row_id)
    if row is None:
        raise does_not_exist(table, row_id)
    return row
