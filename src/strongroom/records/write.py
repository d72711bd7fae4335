"""The verbs that change rows one at a time. Each is whole or not at all (SM-6) and writes its audit entries."""

from collections.abc import Mapping, Sequence

from strongroom.access.resolve import require_usable
from strongroom.errors import InvalidRequest
from strongroom.ids import Guid, Reference, parse_guid
from strongroom.records import refusals
from strongroom.records.address import find, key_values, missing, row_at
from strongroom.records.authorize import demand, demand_privilege
from strongroom.records.create import create_rows, refuse_direct_writes
from strongroom.records.delete import delete_rows
from strongroom.records.duplicates import refuse_changed_duplicate, refuse_new_duplicates
from strongroom.records.link import associate
from strongroom.records.parties import add_parties, is_party_list, replace_parties
from strongroom.records.pointers import table_of_row
from strongroom.records.session import Session
from strongroom.records.shapes import Address, NewRecord, Related, Upserted
from strongroom.records.update import update_row
from strongroom.schema.model import ColumnType, ManyToMany, Relationship, Rights, Table
from strongroom.store.protocol import Row, Value

DEEPEST_INSERT = 10
"""Levels of rows that one create may nest (WA-120)."""


def create(session: Session, table: Table, record: NewRecord) -> Guid:
    """Create a row with its related rows (deep insert) and return its id (WA-105 to WA-122, SM-120 to SM-124)."""
    require_usable(session.caller)
    return _create(session, table, record, 1)


def update(
    session: Session,
    table: Table,
    address: Address,
    changes: Mapping[str, Value],
    *,
    expected_version: int | None = None,
    related: Sequence[Related] = (),
) -> Guid:
    """Change the columns in `changes` of an existing row (404 otherwise) and return its id.

    `related` may hold the parties of an activity, which take the place of those that it has (WA-168).

    `ownerid` assigns (section 8). `expected_version` is the number of an `If-Match` tag: 412 when it differs.
    """
    require_usable(session.caller)
    row_id = find(session, table, address)
    row = update_row(session, table, row_id, changes, expected_version=expected_version)
    _replace_related(session, table, row_id, related)
    refuse_changed_duplicate(session, row)
    return row_id


def upsert(
    session: Session,
    table: Table,
    address: Address,
    record: NewRecord,
    *,
    must_not_exist: bool = False,
) -> Upserted:
    """Update the row at `address`, or create it there (WA-141 to WA-147). `must_not_exist`: 412 when it exists.

    Key columns in the body are ignored when the row exists and win when it does not (WA-144).
    """
    require_usable(session.caller)
    row = row_at(session, table, address)
    if row is not None:
        if must_not_exist:
            demand_privilege(session, table, Rights.CREATE)
            raise refusals.exists_already()
        changes = dict(record.values)
        if not isinstance(address, str):
            for name in address:
                changes.pop(name, None)
        changed = update_row(session, table, row.id, changes)
        _replace_related(session, table, row.id, record.related)
        refuse_changed_duplicate(session, changed)
        return Upserted(row.id, created=False)
    if isinstance(address, str):
        values = {**record.values, table.primary_id: _same_id(table, address, record)}
    else:
        values = {**key_values(table, address), **record.values}
    return Upserted(create(session, table, NewRecord(values, record.related)), created=True)


def delete(session: Session, table: Table, address: Address, *, expected_version: int | None = None) -> None:
    """Delete a row with its cascades (SM-100 to SM-104)."""
    require_usable(session.caller)
    if isinstance(address, str):
        table = table_of_row(session, table, address, Rights.DELETE)
    refuse_direct_writes(table)
    demand_privilege(session, table, Rights.DELETE)
    row = row_at(session, table, address)
    if row is None:
        raise missing(table, address)
    demand(session, Rights.DELETE, row)
    if expected_version is not None and row.version != expected_version:
        raise refusals.version_mismatch()
    delete_rows(session, [row])


def set_null(session: Session, table: Table, address: Address, column: str) -> None:
    """Empty one column (WA-149), or one lookup whatever it points to (WA-164)."""
    found = table.columns.get(column)
    if found is None:
        raise refusals.undeclared(table, column)
    if not found.valid_for_update or found.type is ColumnType.OWNER:
        raise InvalidRequest(f"'{column}' of '{table.logical_name}' cannot be emptied.")
    update(session, table, address, {column: None})


def _replace_related(session: Session, table: Table, row_id: Guid, related: Sequence[Related]) -> None:
    """Parties of an activity; other related rows are not changed along with a row (WA-155)."""
    for each in related:
        if not isinstance(each.link, Relationship) or each.to_parent or each.bind or not is_party_list(each.link):
            raise InvalidRequest("Deep updates are not supported: create related rows with requests of their own.")
        replace_parties(session, table, row_id, each.link, each.create)


def _create(session: Session, table: Table, record: NewRecord, level: int) -> Guid:
    """Parents first, so that the row can point to them; then the row; then what points to it."""
    if not record.related:
        return _create_one(session, table, record).id
    if level > DEEPEST_INSERT:
        raise InvalidRequest(f"A create can nest at most {DEEPEST_INSERT} levels of related rows.")
    values = dict(record.values)
    for related in record.related:
        if related.to_parent and isinstance(related.link, Relationship):
            values[related.link.referencing_column] = _parent(session, related.link, related, level)
    row = _create_one(session, table, NewRecord(values))
    for related in record.related:
        if not related.to_parent:
            _add_related(session, row, related, level)
    return row.id


def _create_one(session: Session, table: Table, record: NewRecord) -> Row:
    rows = create_rows(session, table, [record])
    refuse_new_duplicates(session, table, rows)
    return rows[0]


def _parent(session: Session, link: Relationship, related: Related, level: int) -> Reference:
    if related.bind:
        return Reference(link.referenced_table, related.bind[0])
    parent_table = session.table(link.referenced_table)
    return Reference(link.referenced_table, _create(session, parent_table, related.create[0], level + 1))


def _add_related(session: Session, row: Row, related: Related, level: int) -> None:
    link = related.link
    if isinstance(link, ManyToMany):
        other_name = link.table2 if related.from_first else link.table1
        other_table = session.table(other_name)
        created = [_create(session, other_table, record, level + 1) for record in related.create]
        for other in (*created, *related.bind):
            ends = (row.reference(), Reference(other_name, other))
            associate(session, link, *(ends if related.from_first else reversed(ends)))
        return
    child_table = session.table(link.referencing_table)
    if is_party_list(link) and not related.bind:
        add_parties(session, row, related.create)
        return
    for record in related.create:
        values = {**record.values, link.referencing_column: row.reference()}
        _create(session, child_table, NewRecord(values, record.related), level + 1)
    for child in related.bind:
        associate(session, link, row.reference(), Reference(link.referencing_table, child))


def _same_id(table: Table, row_id: Guid, record: NewRecord) -> Guid:
    """An id in the body must be the one that is addressed (WA-145)."""
    given = record.values.get(table.primary_id)
    if given is not None and (parse_guid(given) if isinstance(given, str) else None) != row_id:
        raise refusals.other_id(table)
    return row_id
