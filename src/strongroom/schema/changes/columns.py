"""Making, replacing and removing columns."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from strongroom.errors import InvalidRequest, NotFound
from strongroom.schema.build import ids_for_next_version, next_version, with_relationships, with_tables
from strongroom.schema.changes.column_rules import checked_column_name, checked_secured, described, new_column
from strongroom.schema.changes.options import DEFAULT_OPTION_PREFIX
from strongroom.schema.changes.requests import NewColumn
from strongroom.schema.formulas import read_formula
from strongroom.schema.model import Cascade, Column, ColumnType, Relationship, Schema, SourceType, Table
from strongroom.schema.system_columns import IdMaker, derived_names

IN_USE = "0x8004f01f"
"""A component cannot be removed because others depend on it."""

MAXIMUM_COLUMNS = 1_000
"""Columns of one table. Every engine takes that many, with what it keeps beside them."""

_CURRENCY = "transactioncurrency"


def create_column(
    schema: Schema, table_name: str, new: NewColumn, *, option_prefix: int = DEFAULT_OPTION_PREFIX
) -> Schema:
    """`schema` with one more column on the table (WA-343). Money, file and image columns bring their companions."""
    table = existing_table(schema, table_name)
    changed, relationships = with_new_columns(
        schema, table, (new,), ids_for_next_version(schema), option_prefix=option_prefix
    )
    return next_version(
        schema, tables=with_tables(schema, (changed,)), relationships=with_relationships(schema, relationships)
    )


def replace_column(
    schema: Schema, table_name: str, column_name: str, new: NewColumn, *, option_prefix: int = DEFAULT_OPTION_PREFIX
) -> Schema:
    """`schema` with the column's definition replaced (WA-344). Name and type stay; another one is 400."""
    table = existing_table(schema, table_name)
    column = existing_column(table, column_name)
    if new.type is not column.type and not (new.type.is_lookup and column.type.is_lookup):
        raise InvalidRequest(
            f"The type of column '{column_name}' is {column.type.value} and cannot be changed to {new.type.value}."
        )
    if new.schema_name and new.schema_name.lower() != column.logical_name:
        raise InvalidRequest(f"The name of column '{column_name}' cannot be changed to '{new.schema_name}'.")
    if new.formula and read_formula(new.formula, column.source_type) != column.formula:
        raise InvalidRequest(f"The formula of '{column_name}' cannot be changed: delete the column and make it anew.")
    changed = described(schema, column, new, option_prefix=option_prefix)
    if new.is_secured is not None:
        changed = checked_secured(table, changed, new.is_secured)
    columns = {**table.columns, column.logical_name: changed}
    return next_version(schema, tables=with_tables(schema, (replace(table, columns=columns),)))


def delete_column(schema: Schema, table_name: str, column_name: str) -> Schema:
    """`schema` without the column, its companions, and the relationships that it held up (WA-345)."""
    table = existing_table(schema, table_name)
    column = existing_column(table, column_name)
    if not column.is_custom:
        raise InvalidRequest(f"The column '{column_name}' belongs to the platform and cannot be deleted.")
    if column_name in (table.primary_id, table.primary_name):
        raise InvalidRequest(f"The primary column '{column_name}' of table '{table_name}' cannot be deleted.")
    refuse_if_in_key(table, column_name)
    changed = without_columns(table, (column_name, *companion_names(column)))
    relationships = {
        name: relationship
        for name, relationship in schema.relationships.items()
        if (relationship.referencing_table, relationship.referencing_column) != (table.logical_name, column_name)
    }
    return next_version(schema, tables=with_tables(schema, (changed,)), relationships=relationships)


def with_new_columns(
    schema: Schema,
    table: Table,
    columns: Sequence[NewColumn],
    new_id: IdMaker,
    *,
    option_prefix: int = DEFAULT_OPTION_PREFIX,
) -> tuple[Table, list[Relationship]]:
    """`table` with new columns and what comes with them, and the relationships that these need."""
    relationships: list[Relationship] = []
    for new in columns:
        checked_column_name(schema, table, new)
        column = new_column(schema, table.logical_name, new, new_id, option_prefix=option_prefix)
        if new.is_secured:
            column = checked_secured(table, column, True)
        added = [column, *_companions(table, column, new_id)]
        if column.type is ColumnType.MONEY and "transactioncurrencyid" not in table.columns:
            currency, relationship = _currency(table, new_id)
            added += currency
            relationships.append(relationship)
        table = with_columns(table, added)
        if column.type is ColumnType.IMAGE and table.primary_image is None:
            table = replace(table, primary_image=column.logical_name)
    if len(table.columns) > MAXIMUM_COLUMNS:
        raise InvalidRequest(f"The table '{table.logical_name}' cannot have more than {MAXIMUM_COLUMNS} columns.")
    return table, relationships


def with_columns(table: Table, added: Sequence[Column]) -> Table:
    """`table` with more columns and their derived names."""
    columns = dict(table.columns)
    derived = dict(table.derived)
    for column in added:
        columns[column.logical_name] = replace(column, column_number=_next_number(columns))
        derived.update(derived_names(column))
    return replace(table, columns=columns, derived={n: base for n, base in derived.items() if n not in columns})


def without_columns(table: Table, names: Sequence[str]) -> Table:
    """`table` without the columns and what is derived from them."""
    return replace(
        table,
        columns={name: column for name, column in table.columns.items() if name not in names},
        derived={name: base for name, base in table.derived.items() if base not in names},
        primary_image=None if table.primary_image in names else table.primary_image,
    )


def existing_table(schema: Schema, name: str) -> Table:
    """The table, or 404."""
    table = schema.tables.get(name)
    if table is None:
        raise NotFound(f"There is no table with the logical name '{name}'.")
    return table


def existing_column(table: Table, name: str) -> Column:
    """The column, or 404."""
    column = table.columns.get(name)
    if column is None:
        raise NotFound(f"There is no column with the logical name '{name}' on table '{table.logical_name}'.")
    return column


def refuse_if_in_key(table: Table, column_name: str) -> None:
    """400, naming the key, when the column is part of one (WA-345)."""
    for key in table.keys:
        if column_name in key.columns:
            raise InvalidRequest(
                f"The column '{column_name}' of table '{table.logical_name}' cannot be deleted: the alternate key "
                f"'{key.schema_name}' uses it.",
                code=IN_USE,
            )


def _next_number(columns: Mapping[str, Column]) -> int:
    return max((column.column_number for column in columns.values()), default=0) + 1


def companion_names(column: Column) -> tuple[str, ...]:
    """Columns that come and go with this one."""
    name = column.logical_name
    rolled = (f"{name}_date", f"{name}_state") if column.source_type is SourceType.ROLLUP else ()
    return (*_companions_by_type(name, column.type), *rolled)


def _companions_by_type(name: str, type_: ColumnType) -> tuple[str, ...]:
    match type_:
        case ColumnType.MONEY:
            return (f"{name}_base",)
        case ColumnType.FILE:
            return (f"{name}_name",)
        case ColumnType.IMAGE:
            return (f"{name}_timestamp", f"{name}_url", f"{name}id")
        case _:
            return ()


def _companions(table: Table, column: Column, new_id: IdMaker) -> list[Column]:
    """The base amount of a money column, the file name of a file, what is told of an image, when a rollup was worked
    out and whether that worked: all read-only."""
    name, schema_name = column.logical_name, column.schema_name

    def companion(suffix: str, type_: ColumnType, **more: object) -> Column:
        logical_name = f"{name}{suffix.lower()}"
        base = Column(
            logical_name,
            f"{schema_name}{suffix}",
            type_,
            new_id("column", f"{table.logical_name}.{logical_name}"),
            column.label,
            valid_for_create=False,
            valid_for_update=False,
            is_audited=False,
            is_custom=True,
            is_logical=True,
        )
        return replace(base, **more)

    rolled: list[Column] = []
    if column.source_type is SourceType.ROLLUP:
        date = companion("_Date", ColumnType.DATETIME, label=f"{column.label} (Last Updated On)", format="DateAndTime")
        state = companion("_State", ColumnType.INTEGER, label=f"{column.label} (State)", minimum=0.0, maximum=10.0)
        rolled = [replace(each, is_logical=False) for each in (date, state)]
    return [*rolled, *_typed_companions(column, companion)]


def _typed_companions(column: Column, companion: Callable[..., Column]) -> list[Column]:
    match column.type:
        case ColumnType.MONEY:
            return [
                companion(
                    "_Base",
                    ColumnType.MONEY,
                    label=f"{column.label} (Base)",
                    precision=4,
                    minimum=-922_337_203_685_477.0,
                    maximum=922_337_203_685_477.0,
                    is_logical=False,
                )
            ]
        case ColumnType.FILE:
            return [companion("_Name", ColumnType.STRING, max_length=200, format="Text")]
        case ColumnType.IMAGE:
            return [
                companion("_Timestamp", ColumnType.BIGINT),
                companion("_URL", ColumnType.STRING, max_length=200, format="Url"),
                companion("Id", ColumnType.UNIQUEIDENTIFIER),
            ]
        case _:
            return []


def _currency(table: Table, new_id: IdMaker) -> tuple[list[Column], Relationship]:
    """What a table needs besides for its first money column: the currency and the rate of the row (WA-85)."""
    name = table.logical_name
    lookup = Column(
        "transactioncurrencyid",
        "TransactionCurrencyId",
        ColumnType.LOOKUP,
        new_id("column", f"{name}.transactioncurrencyid"),
        "Currency",
        targets=(_CURRENCY,),
    )
    rate = Column(
        "exchangerate",
        "ExchangeRate",
        ColumnType.DECIMAL,
        new_id("column", f"{name}.exchangerate"),
        "Exchange Rate",
        precision=10,
        minimum=1e-10,
        maximum=100_000_000_000.0,
        valid_for_create=False,
        valid_for_update=False,
        is_audited=False,
    )
    schema_name = f"TransactionCurrency_{name}"
    relationship = Relationship(
        schema_name=schema_name,
        metadata_id=new_id("relationship", schema_name),
        referenced_table=_CURRENCY,
        referenced_column="transactioncurrencyid",
        referencing_table=name,
        referencing_column="transactioncurrencyid",
        lookup_nav="transactioncurrencyid",
        collection_nav=schema_name,
        cascade=Cascade(delete="Restrict"),
    )
    return [lookup, rate], relationship
