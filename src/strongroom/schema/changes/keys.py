"""Alternate keys (WA-346)."""

from dataclasses import replace

from strongroom.errors import InvalidRequest, NotFound
from strongroom.schema.build import ids_for_next_version, next_version, with_tables
from strongroom.schema.changes.column_rules import SECURED_IN_KEY
from strongroom.schema.changes.columns import existing_table
from strongroom.schema.changes.requests import NewKey
from strongroom.schema.model import AlternateKey, ColumnType, Schema
from strongroom.schema.naming import checked_custom_name

MAXIMUM_KEYS = 10
MAXIMUM_KEY_COLUMNS = 16

_KEY_TYPES = frozenset(
    {
        ColumnType.STRING,
        ColumnType.INTEGER,
        ColumnType.BIGINT,
        ColumnType.DECIMAL,
        ColumnType.DATETIME,
        ColumnType.LOOKUP,
        ColumnType.PICKLIST,
    }
)


def create_key(schema: Schema, table_name: str, new: NewKey) -> Schema:
    """`schema` with one more alternate key on the table. Whether the rows allow it is for the store to say: see
    `set_key_active`."""
    table = existing_table(schema, table_name)
    name = checked_custom_name(new.schema_name, "key")
    if any(key.logical_name == name.lower() for key in table.keys):
        raise InvalidRequest(f"The table '{table_name}' already has a key '{name}'.", code="0x80047010")
    if len(table.keys) >= MAXIMUM_KEYS:
        raise InvalidRequest(f"The table '{table_name}' has {MAXIMUM_KEYS} keys already, which is the limit.")
    if not 1 <= len(new.columns) <= MAXIMUM_KEY_COLUMNS:
        raise InvalidRequest(f"The key '{name}' needs 1 to {MAXIMUM_KEY_COLUMNS} KeyAttributes.")
    if len(set(new.columns)) < len(new.columns):
        raise InvalidRequest(f"The key '{name}' names a column twice.")
    for column_name in new.columns:
        column = table.columns.get(column_name)
        if column is None:
            raise InvalidRequest(f"There is no column '{column_name}' on table '{table_name}'.")
        if column.type not in _KEY_TYPES:
            raise InvalidRequest(
                f"The column '{column_name}' of type {column.type.value} cannot be part of a key; "
                f"{', '.join(sorted(type_.value for type_ in _KEY_TYPES))} can."
            )
        if column.is_secured:
            raise InvalidRequest(
                f"The column '{column_name}' is secured and cannot be part of a key.", code=SECURED_IN_KEY
            )
    if any(set(key.columns) == set(new.columns) for key in table.keys):
        raise InvalidRequest(f"The table '{table_name}' already has a key over these columns.", code="0x80047010")
    key = AlternateKey(
        logical_name=name.lower(),
        schema_name=name,
        metadata_id=ids_for_next_version(schema)("key", f"{table_name}.{name.lower()}"),
        label=new.label or name,
        columns=new.columns,
    )
    return next_version(schema, tables=with_tables(schema, (replace(table, keys=(*table.keys, key)),)))


def set_key_active(schema: Schema, table_name: str, key_name: str, is_active: bool) -> Schema:
    """`schema` of the same version in which the key is usable or, when existing rows break it, not."""
    table = existing_table(schema, table_name)
    keys = tuple(replace(key, is_active=is_active) if key.logical_name == key_name else key for key in table.keys)
    return replace(schema, tables=with_tables(schema, (replace(table, keys=keys),)))


def delete_key(schema: Schema, table_name: str, key_name: str) -> Schema:
    """`schema` without the key."""
    table = existing_table(schema, table_name)
    keys = tuple(key for key in table.keys if key.logical_name != key_name)
    if len(keys) == len(table.keys):
        raise NotFound(f"There is no key '{key_name}' on table '{table_name}'.")
    return next_version(schema, tables=with_tables(schema, (replace(table, keys=keys),)))
