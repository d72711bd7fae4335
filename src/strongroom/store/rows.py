"""Reading rows by identity and changing them, with everything that must follow in the same transaction: versions,
counters, the sort keys of shares, principals, and the security epoch."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from strongroom.errors import IntegrityViolation, PreconditionFailed
from strongroom.ids import Guid, Key, Reference
from strongroom.schema.activities import tables_behind
from strongroom.schema.model import AlternateKey, Column, Ownership, Relationship, Table
from strongroom.store import file_contents, share_keys, shares, tracking, twins
from strongroom.store.dialect import quote
from strongroom.store.engine import Duplicate
from strongroom.store.indexes import key_columns, table_indexes
from strongroom.store.layout import (
    OWNER_COLUMNS,
    PRINCIPAL_TABLES,
    VALUE_SHARES,
    has_owner_key,
    has_table_column,
    has_unit,
    is_tracked,
)
from strongroom.store.protocol import Row, Value
from strongroom.store.shape import VERSION, key_condition
from strongroom.store.work import BATCH, Work

_T = TypeVar("_T")

DUPLICATE_ID = "0x80040237"
DUPLICATE_KEY = "0x80060892"

SECURITY_TABLES = frozenset(
    {
        "systemuser",
        "team",
        "businessunit",
        "role",
        "roleprivileges",
        "teammembership",
        "systemuserroles",
        "teamroles",
        "fieldsecurityprofile",
        "fieldpermission",
        "systemuserprofiles",
        "teamprofiles",
        "maskingrule",
        "attributemaskingrule",
        "position",
        "organization",
        VALUE_SHARES,
    }
)
"""Tables whose rows decide who may do what: every change of them bumps the security epoch (SM-4)."""

_HARMLESS = frozenset({"modifiedon", "modifiedby", "modifiedonbehalfby", VERSION})
"""Columns whose change alone leaves every decision as it was."""


# --- reading -----------------------------------------------------------------------------------------------------


def row(work: Work, table: Table, row_id: Guid) -> Row | None:
    """The row with this id."""
    shape = work.shape(table)
    found = work.connection.query(f"{shape.select} where {quote(table.primary_id)} = ?", (row_id,))
    return shape.read(found[0]) if found else None


def rows(work: Work, table: Table, row_ids: Sequence[Guid]) -> dict[Guid, Row]:
    """The rows with these ids, without those that do not exist."""
    shape = work.shape(table)
    sql = f"{shape.select} where {work.engine.guids_in(quote(table.primary_id))}"
    found: dict[Guid, Row] = {}
    for batch in _batches(row_ids):
        for raw in work.connection.query(sql, (work.engine.as_list(batch),)):
            read = shape.read(raw)
            found[read.id] = read
    return found


def row_by_key(work: Work, table: Table, columns: Mapping[str, Value]) -> Row | None:
    """The one row with these values. `IntegrityViolation` when several have them: `columns` is then no key."""
    shape = work.shape(table)
    condition, parameters = key_condition(shape, columns, work.engine.dialect.fold)
    found = work.connection.query(f"{shape.select} where {condition} limit 2", parameters)
    if len(found) > 1:
        raise IntegrityViolation(f"Several rows of {table.logical_name} have the same {', '.join(columns)}.")
    return shape.read(found[0]) if found else None


def rows_where(work: Work, table: Table, columns: Mapping[str, Value], limit: int | None = None) -> list[Row]:
    """Rows with these values, in the order of their keys; all rows when `columns` is empty."""
    shape = work.shape(table)
    condition, parameters = key_condition(shape, columns, work.engine.dialect.fold)
    where = f" where {condition}" if columns else ""
    bound = "" if limit is None else f" limit {int(limit)}"
    sql = f"{shape.select}{where} order by id{bound}"
    return [shape.read(raw) for raw in work.connection.query(sql, parameters)]


def children(work: Work, relationship: Relationship, parents: Sequence[Guid]) -> list[Row]:
    """Rows of the child table that point to one of `parents` through this relationship, in the order of their keys."""
    table = work.table(relationship.referencing_table)
    shape = work.shape(table)
    name = relationship.referencing_column
    found: list[Row] = []
    for batch in _batches(parents):
        if table.ownership is Ownership.USER and name in OWNER_COLUMNS:
            condition, parameters = _held_by(work, relationship, batch)
        else:
            condition = work.engine.guids_in(quote(name))
            parameters = [work.engine.as_list(batch)]
            if has_table_column(table.columns[name]):
                condition += f" and {work.engine.texts_in(quote(f'{name}__table'))}"
                parameters.append(work.engine.as_list(tables_behind(work.schema, relationship.referenced_table)))
        found += map(shape.read, work.connection.query(f"{shape.select} where {condition} order by id", parameters))
    return found


def pointing(work: Work, relationship: Relationship) -> list[Row]:
    """Rows of the child table whose lookup points to the parent's table, in the order of their keys."""
    table = work.table(relationship.referencing_table)
    shape = work.shape(table)
    name = relationship.referencing_column
    condition, parameters = f"{quote(name)} is not null", []
    if has_table_column(table.columns[name]):
        behind = tables_behind(work.schema, relationship.referenced_table)
        condition, parameters = work.engine.texts_in(quote(f"{name}__table")), [work.engine.as_list(behind)]
    return [
        shape.read(raw)
        for raw in work.connection.query(f"{shape.select} where {condition} order by id", tuple(parameters))
    ]


def has_longer_text(work: Work, table: Table, column: Column, units: int) -> bool:
    """Whether a text in the column has more UTF-16 units than `units`. The database counts characters, which have one
    unit or two, so the texts in between are counted here."""
    name, source = quote(column.logical_name), quote(table.logical_name)
    if column.is_encrypted:
        held = map(
            work.shape(table).read, work.connection.query(f"{work.shape(table).select} where {name} is not null")
        )
        texts = (str(row.values[column.logical_name]) for row in held)
        return any(len(text.encode("utf-16-le")) // 2 > units for text in texts)
    if work.connection.query(f"select 1 from {source} where length({name}) > ? limit 1", (units,)):
        return True
    found = work.connection.query(f"select {name} from {source} where length({name}) > ?", (units // 2,))
    return any(len(text.encode("utf-16-le")) // 2 > units for (text,) in found)


def _held_by(work: Work, relationship: Relationship, parents: Sequence[Guid]) -> tuple[str, list[object]]:
    """The condition that a row belongs to one of these owners, or owning business units."""
    ids = work.engine.as_list(parents)
    if relationship.referencing_column == "owningbusinessunit":
        unit = work.table("businessunit")
        within = work.engine.guids_in(quote(unit.primary_id))
        return f"unit in (select id from businessunit where {within})", [ids]
    within = work.engine.guids_in("principalid")
    return f"owner in (select id from principal where {within} and kind = ?)", [ids, relationship.referenced_table]


# --- writing -----------------------------------------------------------------------------------------------------


def insert(
    work: Work,
    table: Table,
    new: Sequence[Row],
    *,
    late: bool = False,
    meanwhile: Callable[[], None] | None = None,
) -> None:
    """Store new rows, in order; sets `key` and `version` on them, and `owner` and `unit` where the table implies them.

    Columns of `table` that are not stored (`ownerid` and its kin) are ignored in `values`. `late` rows, which no
    uniqueness can refuse, may be sent with a later statement. `meanwhile`: see `Connection.insert`.
    """
    if not new:
        return
    first = work.take_versions(len(new))
    for number, one in enumerate(new, first):
        one.key, one.version = Key(number), number
    if table.ownership is not Ownership.USER and has_unit(table):
        _place_all(work, table, new)
    shape = work.shape(table)
    columns, tuples = shape.write(new)
    with Attempt(work, table):
        if late:
            work.connection.insert_late(table.logical_name, columns, tuples)
        else:
            work.connection.insert(table.logical_name, columns, tuples, meanwhile)
    if table.logical_name in PRINCIPAL_TABLES:
        principals = [(one.key, one.id, table.logical_name) for one in new]
        with Attempt(work, table):
            work.connection.insert("principal", ("id", "principalid", "kind"), principals)
    for one in new:
        if shape.has_version:
            one.values[VERSION] = one.version
        one.values[table.primary_id] = one.id
    work.counters.add(table, new, 1)
    pointer = twins.pointer_of(work, table)
    if pointer is not None:
        _insert_twins(work, pointer, new)
    if table.logical_name in SECURITY_TABLES:
        work.bump_security_epoch(table.logical_name)


def _insert_twins(work: Work, pointer: Table, new: Sequence[Row]) -> None:
    made = [twins.twin(pointer, one) for one in new]
    columns, tuples = work.shape(pointer).write(made)
    with Attempt(work, pointer):
        work.connection.insert(pointer.logical_name, columns, tuples)
    work.counters.add(pointer, made, 1)


def update(
    work: Work, target: Row, changes: Mapping[str, Value], *, owner: Key | None = None, unit: Key | None = None
) -> None:
    """Change columns, owner and owning unit of one row, and `target` with them. Nothing given: a new version only.

    Clients like to send back all that they have read. A value that is there already is not written again, and so
    neither are the indexes on it.
    """
    version = work.take_versions(1)
    pointer = twins.pointer_of(work, target.table)
    if pointer is not None:
        twin = twins.twin(pointer, target)
        _change(work, twin, twins.shared_changes(pointer, target.table, changes), version, owner, unit)
    _change(work, target, changes, version, owner, unit)


def _change(
    work: Work, target: Row, changes: Mapping[str, Value], version: int, owner: Key | None, unit: Key | None
) -> None:
    table = target.table
    shape = work.shape(table)
    known = target.values
    different = {name: value for name, value in changes.items() if name not in known or known[name] != value}
    stored = shape.changes(different, target.id)
    if owner is None:
        owner = target.owner
    if unit is None:
        unit = _moved_unit(work, table, changes) or target.unit
    if shape.has_owner and owner != target.owner:
        stored["owner"] = owner
    if shape.has_unit and unit != target.unit:
        stored["unit"] = unit
    if shape.has_version:
        stored[VERSION] = version
    if stored:
        settings = ", ".join(f"{quote(name)} = ?" for name in stored)
        with Attempt(work, table):
            touched = work.connection.execute(
                f"update {shape.name} set {settings} where id = ?", (*stored.values(), target.key)
            )
        if touched != 1:
            work.has_failed = True
            raise IntegrityViolation(f"The row of {table.logical_name} to change is not there.")
    if owner != target.owner or unit != target.unit:
        work.counters.add(table, [target], -1)
        target.owner, target.unit = owner, unit
        work.counters.add(table, [target], 1)
        if table.ownership is Ownership.USER:
            share_keys.follow_owner(work, target)
    target.version = version if shape.has_version else target.version
    for name, value in changes.items():
        if name in shape.stored:
            target.values[name] = value
    target.values[table.primary_id] = target.id
    if shape.has_version:
        target.values[VERSION] = version
    if table.primary_name in different and has_owner_key(table):
        share_keys.follow_name(work, target)
    if table.logical_name in SECURITY_TABLES and not changes.keys() <= _HARMLESS:
        work.bump_security_epoch(table.logical_name)


def delete(work: Work, table: Table, old: Sequence[Row]) -> None:
    """Remove rows with their links, shares and inherited parts; users and teams with what is shared with them."""
    if not old:
        return
    first = work.take_versions(len(old))  # whoever counted at an older version counts again
    shape = work.shape(table)
    for batch in _batches(old):
        keys = work.engine.as_list([one.key for one in batch])
        removed = work.connection.execute(f"delete from {shape.name} where {work.engine.keys_in('id')}", (keys,))
        if removed != len(batch):
            work.has_failed = True
            raise IntegrityViolation(f"Of {len(batch)} rows of {table.logical_name} to delete, {removed} were there.")
        _remove_links(work, table, batch)
        file_contents.remove_of_rows(work, table, [one.key for one in batch])
        if has_owner_key(table):
            shares.remove_of_rows(work, table, [one.key for one in batch])
        if table.logical_name in PRINCIPAL_TABLES:
            shares.remove_of_principals(work, [one.key for one in batch])
            work.connection.execute(f"delete from principal where {work.engine.keys_in('id')}", (keys,))
    if is_tracked(table):
        tracking.note_deleted(work, table, old, first)
    work.counters.add(table, old, -1)
    pointer = twins.pointer_of(work, table)
    if pointer is not None:
        delete(work, pointer, [twins.twin(pointer, one) for one in old])
    if table.logical_name in SECURITY_TABLES:
        work.bump_security_epoch(table.logical_name)


def _remove_links(work: Work, table: Table, old: Sequence[Row]) -> None:
    ids = work.engine.as_list([one.id for one in old])
    done: set[tuple[str, str]] = set()
    for association in work.schema.many_to_many.values():
        for end, column in ((association.table1, association.column1), (association.table2, association.column2)):
            intersect = work.schema.tables.get(association.intersect)
            if end != table.logical_name or intersect is None or not intersect.is_intersect:
                continue
            if (association.intersect, column) in done or column not in intersect.columns:
                continue
            done.add((association.intersect, column))
            removed = work.connection.execute(
                f"delete from {quote(association.intersect)} where {work.engine.guids_in(quote(column))}", (ids,)
            )
            if removed and association.intersect in SECURITY_TABLES:
                work.bump_security_epoch(association.intersect)


# --- owner and unit that the table implies (SM-12) ---------------------------------------------------------------


def _place_all(work: Work, table: Table, new: Sequence[Row]) -> None:
    units: dict[Guid, Key | None] = {}
    for one in new:
        if table.logical_name in PRINCIPAL_TABLES:
            one.owner = one.key
        if table.logical_name == "businessunit":
            one.unit = one.key
            continue
        reference = one.values.get("businessunitid")
        if isinstance(reference, Reference):
            if reference.id not in units:
                units[reference.id] = unit_key(work, reference.id)
            one.unit = units[reference.id]
        if one.unit is None:
            work.has_failed = True
            raise IntegrityViolation(f"A row of {table.logical_name} belongs to no business unit that exists.")


def _moved_unit(work: Work, table: Table, changes: Mapping[str, Value]) -> Key | None:
    """The unit that a change of `businessunitid` moves a business-owned row to."""
    reference = changes.get("businessunitid")
    if table.ownership is not Ownership.BUSINESS or table.logical_name == "businessunit" or reference is None:
        return None
    found = unit_key(work, reference.id) if isinstance(reference, Reference) else None
    if found is None:
        raise IntegrityViolation(f"A row of {table.logical_name} belongs to no business unit that exists.")
    return found


def unit_key(work: Work, unit_id: Guid) -> Key | None:
    """The key of a business unit."""
    found = work.connection.query("select id from businessunit where businessunitid = ?", (unit_id,))
    return Key(found[0][0]) if found else None


# --- uniqueness --------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Attempt:
    """A block around statements that may be refused: marks the transaction as failed, and says what was not unique."""

    work: Work
    table: Table

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None:
            return
        self.work.has_failed = True
        if isinstance(error, Duplicate):
            raise duplicate_error(self.work, self.table, error.subject) from error


def duplicate_error(work: Work, table: Table, subject: str) -> PreconditionFailed:
    """The published error for a value that is there already: an id, a link, or an alternate key."""
    key = _violated_key(work, table, subject)
    if key is not None:
        columns = " and ".join(table.columns[name].label or name for name in key.columns)
        return PreconditionFailed(
            f"Entity Key {key.label or key.schema_name} violated. A record with the same value for {columns} already"
            " exists. A duplicate record cannot be created. Select one or more unique values and try again.",
            code=DUPLICATE_KEY,
        )
    return PreconditionFailed(
        f"Cannot insert duplicate key: a record of '{table.logical_name}' has this id already.", code=DUPLICATE_ID
    )


def _violated_key(work: Work, table: Table, subject: str) -> AlternateKey | None:
    columns = {part.strip().removeprefix(f"{table.logical_name}.") for part in subject.split(",")}
    for index in table_indexes(table, work.schema, work.engine):
        if index.key is not None and (index.name == subject or columns == set(key_columns(table, index.key))):
            return index.key
    return None


def _batches(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]
