"""Bringing the database's tables in line with a schema, online: create, add, drop, and fill what is derived.

The comparison is with the tables that really exist, so an interrupted or repeated change ends in the same place. Both
engines run DDL inside the write transaction: a change of the schema happens whole or not at all.
"""

from dataclasses import replace

from strongroom.errors import InvalidRequest
from strongroom.schema.model import AlternateKey, Column, ColumnType, Schema, Table
from strongroom.store.dialect import quote
from strongroom.store.engine import Connection, Engine
from strongroom.store.indexes import key_columns, table_indexes
from strongroom.store.layout import (
    SHARES,
    fold,
    has_owner_key,
    has_table_column,
    has_unit,
    is_folded,
    is_stored,
    scale,
)

LONGEST_NAME = 55
"""PostgreSQL keeps 63 bytes of a name, and companions of a column need eight of them."""


def fit_tables(engine: Engine, connection: Connection, old: Schema | None, new: Schema) -> Schema:
    """Make the database fit `new` and return it, with alternate keys that existing rows break set inactive (WA-346)."""
    existing = engine.tables(connection)
    wanted = {name: stored_columns(table, engine) for name, table in new.tables.items()}
    adjusted = new
    for name, table in new.tables.items():
        if name not in existing:
            _create(engine, connection, table, wanted[name])
    _drop_indexes(engine, connection, new)
    for name, table in new.tables.items():
        if name in existing:
            _alter(engine, connection, old.tables.get(name) if old else None, table, wanted[name], existing[name])
        before = len(table.keys)
        keys = tuple(_checked(connection, table, key) for key in table.keys)
        if keys != table.keys and before:
            tables = dict(adjusted.tables)
            tables[name] = replace(table, keys=keys)
            adjusted = replace(adjusted, tables=tables)
    if old is not None:
        for name in old.tables.keys() - new.tables.keys():
            if name in existing:
                _drop(connection, name)
    _create_indexes(engine, connection, adjusted)
    return adjusted


def stored_columns(table: Table, engine: Engine) -> dict[str, str]:
    """The columns of the database table, in order, with their SQL types."""
    columns = {"id": f"{engine.key_type} primary key", table.primary_id: f"{engine.guid_type} not null"}
    if has_owner_key(table):
        columns["owner"] = f"{engine.key_type} not null"
    if has_unit(table):
        columns["unit"] = f"{engine.key_type} not null"
    if table.logical_name == SHARES:
        columns |= {
            "object": f"{engine.key_type} not null",
            "principal": f"{engine.key_type} not null",
            "sort": engine.text_type,
            "owner": f"{engine.key_type} not null",
            "unit": f"{engine.key_type} not null",
            "alone": f"{engine.key_type} not null",
        }
    for column in table.columns.values():
        name = column.logical_name
        if len(name.encode()) > LONGEST_NAME:
            raise InvalidRequest(f"The name {name} is too long: {LONGEST_NAME} characters is the most.")
        if name != table.primary_id and is_stored(table, column):
            columns[name] = engine.column_type(column)
            if has_table_column(column):
                columns[f"{name}__table"] = engine.text_type
            if is_folded(table, column):
                columns[f"{name}__fold"] = engine.text_type
    return columns


def _create(engine: Engine, connection: Connection, table: Table, columns: dict[str, str]) -> None:
    if len(table.logical_name.encode()) > LONGEST_NAME:
        raise InvalidRequest(f"The name {table.logical_name} is too long: {LONGEST_NAME} characters is the most.")
    body = ", ".join(f"{quote(name)} {kind}" for name, kind in columns.items())
    connection.execute(f"create table {quote(table.logical_name)} ({body}){engine.table_suffix}")


def _alter(
    engine: Engine, connection: Connection, old: Table | None, new: Table, wanted: dict[str, str], existing: set[str]
) -> None:
    table = quote(new.logical_name)
    for name in sorted(existing - wanted.keys()):
        connection.execute(f"alter table {table} drop column {quote(name)}")
    added = [name for name in wanted if name not in existing]
    for name in added:
        connection.execute(f"alter table {table} add column {quote(name)} {wanted[name]}")
    for name in added:
        base, _, companion = name.partition("__")
        if companion == "fold" and base in existing:
            _fill_folded(connection, new.logical_name, base)
        elif companion == "table" and base in existing and old is not None:
            targets = old.columns[base].targets
            connection.execute(
                f"update {table} set {quote(name)} = ? where {quote(base)} is not null",
                (targets[0] if targets else None,),
            )
    for column in new.columns.values():
        before = old.columns.get(column.logical_name) if old is not None else None
        if before is not None and column.logical_name in existing:
            _convert(engine, connection, new, before, column)


def _convert(engine: Engine, connection: Connection, table: Table, before: Column, after: Column) -> None:
    if before.type is not after.type:
        raise InvalidRequest(f"The type of {table.logical_name}.{after.logical_name} cannot change.")
    numbers = after.type in (ColumnType.DECIMAL, ColumnType.MONEY) and scale(before) != scale(after)
    dates = before.is_date_only != after.is_date_only
    if (numbers or dates) and is_stored(table, after):
        connection.execute(engine.convert(table.logical_name, before, after))


def _fill_folded(connection: Connection, table: str, column: str) -> None:
    name, companion = quote(column), quote(f"{column}__fold")
    found = connection.query(f"select id, {name} from {quote(table)} where {name} is not null")
    if found:
        rows = [(fold(text), key) for key, text in found]
        connection.execute_many(f"update {quote(table)} set {companion} = ? where id = ?", rows)


def _checked(connection: Connection, table: Table, key: AlternateKey) -> AlternateKey:
    """`key`, inactive when two rows have the same values."""
    columns = ", ".join(map(quote, key_columns(table, key)))
    every = " and ".join(f"{quote(name)} is null" for name in key_columns(table, key))
    twice = connection.query(
        f"select 1 from {quote(table.logical_name)} where not ({every}) group by {columns} having count(*) > 1 limit 1"
    )
    return replace(key, is_active=not twice)


def _drop(connection: Connection, table: str) -> None:
    connection.execute(f"drop table {quote(table)}")
    connection.execute("delete from counters where tablename = ?", (table,))
    connection.execute("delete from deletedrow where tablename = ?", (table,))
    connection.execute("delete from inheritedaccess where objecttypecode = ?", (table,))
    connection.execute(f"delete from {SHARES} where objecttypecode = ?", (table,))


def _drop_indexes(engine: Engine, connection: Connection, schema: Schema) -> None:
    """Drop what no table wants any more; before columns go, because SQLite keeps a column that an index uses."""
    wanted = {index.name for table in schema.tables.values() for index in table_indexes(table, schema, engine)}
    for name in sorted(engine.indexes(connection) - wanted):
        if name.startswith(("ix_", "uq_")):
            connection.execute(f"drop index {quote(name)}")


def _create_indexes(engine: Engine, connection: Connection, schema: Schema) -> None:
    existing = engine.indexes(connection)
    for table in schema.tables.values():
        for index in table_indexes(table, schema, engine):
            if index.name not in existing:
                connection.execute(index.sql)
