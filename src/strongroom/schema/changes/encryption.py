"""Which columns may be encrypted, and their metadata when they are (TS-504)."""

from dataclasses import replace

from strongroom.errors import InvalidRequest
from strongroom.schema.build import next_version, with_tables
from strongroom.schema.model import Column, Schema, SourceType, Table


def require_encryptable(table: Table, column: Column) -> None:
    """400 that says why a column cannot be encrypted: only texts that nothing but their readers looks into can."""
    reason = _obstacle(table, column)
    if reason is not None:
        raise InvalidRequest(
            f"The column '{column.logical_name}' of '{table.logical_name}' cannot be encrypted: {reason}.",
            details={"reason": "column-not-encryptable", "rule": "TS-504", "column": column.logical_name},
        )


def with_column_key(
    schema: Schema, table: Table, column: Column, version: int | None, *, opening: bool = False
) -> Schema:
    """`schema` with the column under a version of its key, or under none."""
    changed = replace(column, key_version=version, is_opening=opening)
    columns = {**table.columns, column.logical_name: changed}
    return next_version(schema, tables=with_tables(schema, (replace(table, columns=columns),)))


def _obstacle(table: Table, column: Column) -> str | None:
    name = column.logical_name
    if not column.type.is_text:
        return f"it is of the type {column.type.value}, and only texts (String, Memo) can be"
    if name == table.primary_name:
        return "it is the table's primary name, by which rows are listed and found"
    if table.is_activity or table.is_intersect:
        return "activities and links have a second row that shows the same value"
    if not column.can_be_secured:
        return "the platform itself reads it"
    if column.source_type is not SourceType.SIMPLE or column.auto_number_format or column.is_logical:
        return "its value is worked out by the platform"
    for key in table.keys:
        if name in key.columns:
            return f"it is part of the alternate key '{key.schema_name}'"
    return None
