"""Expressions → SQL.

`value` is what the answer shows; `operand` is what comparing, ordering and grouping work on: text in its folded form,
everything else as it is. Owner columns of user-owned tables are read off the keys `owner` and `unit`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from strongroom.errors import InvalidRequest
from strongroom.query.ast import Aggregate, DateGroup, Expression, Field, Literal, LookupName, LookupTable
from strongroom.schema.model import Column, ColumnType, Ownership, Table
from strongroom.store.compile.values import Rounding, encoder
from strongroom.store.compile.writer import Bound, Scope, Writer
from strongroom.store.dialect import Dialect, Kind, kind_of, quote, text_literal
from strongroom.store.layout import OWNER_COLUMNS, PRINCIPAL_TABLES, has_table_column, is_folded, is_stored, scale
from strongroom.store.shape import not_searchable

NULL = "null"
OWNER_KINDS = {"owninguser": "systemuser", "owningteam": "team"}
"""Owner columns that hold a value for one kind of owner only, and are null for the other."""


@dataclass(frozen=True, slots=True)
class Operand:
    """An SQL expression in its comparable form, with what a value must become to meet it."""

    sql: str
    kind: Kind
    scale: int = 0

    @property
    def is_text(self) -> bool:
        return self.kind is Kind.TEXT


def scale_of(dialect: Dialect, column: Column) -> int:
    """Digits that the stored number of a column is shifted by: 0 but for decimals and money in SQLite."""
    return scale(column) if dialect.scales_numbers and kind_of(column) is Kind.NUMERIC else 0


def is_owner_column(table: Table, column: str) -> bool:
    """Whether `column` is read off the keys `owner` and `unit` instead of being stored."""
    return table.ownership is Ownership.USER and column in OWNER_COLUMNS


def value(writer: Writer, scope: Scope, expression: Expression) -> str:
    """The value as the answer shows it."""
    match expression:
        case Field(alias, column):
            if column.type is ColumnType.IMAGE:
                return _thumbnail(scope[alias], column)
            return column_value(writer, scope[alias], column)
        case LookupName(alias, column):
            return _lookup_name(writer, scope[alias], column, _plain_name)
        case LookupTable(alias, column):
            return _lookup_table(scope[alias], column)
        case Literal(_, column_type):
            kind = _LITERAL_KINDS.get(column_type, Kind.TEXT)
            encode = encoder(writer.dialect, kind, 0, Rounding.NONE, folded=False)
            return writer.bind(writer.shape.place(expression), kind, encode)
        case DateGroup(operand_field, part, offset):
            inner = column_value(writer, scope[operand_field.alias], operand_field.column)
            return writer.dialect.date_part(inner, kind_of(operand_field.column), part, offset)
        case Aggregate():
            raise InvalidRequest("An aggregate has no value outside an aggregate query.")


def operand(writer: Writer, scope: Scope, expression: Expression) -> Operand:
    """The comparable form of an expression."""
    match expression:
        case Field(alias, column):
            return field_operand(writer, scope[alias], column)
        case LookupName(alias, column):
            return Operand(_lookup_name(writer, scope[alias], column, _folded_name), Kind.TEXT)
        case LookupTable():
            return Operand(value(writer, scope, expression), Kind.TEXT)
        case DateGroup():
            return Operand(value(writer, scope, expression), Kind.INTEGER)
        case Literal(_, column_type):
            kind = _LITERAL_KINDS.get(column_type, Kind.TEXT)
            return Operand(value(writer, scope, expression), kind)
        case Aggregate():
            raise InvalidRequest("An aggregate can only be compared or ordered by in an aggregate query.")


def kind_of_expression(writer: Writer, expression: Expression) -> tuple[Kind, int]:
    """The kind and the scale of what `value` gives; aggregates are the business of `groups`."""
    match expression:
        case Field(_, column):
            return kind_of(column), scale_of(writer.dialect, column)
        case DateGroup():
            return Kind.INTEGER, 0
        case Literal(_, column_type):
            return _LITERAL_KINDS.get(column_type, Kind.TEXT), 0
        case _:
            return Kind.TEXT, 0


def column_value(writer: Writer, bound: Bound, column: Column) -> str:
    """A column as stored, or as read off the owner keys; null for columns that hold no value of their own."""
    name = column.logical_name
    if is_owner_column(bound.table, name):
        return _owner_value(bound, name)
    if not is_stored(bound.table, column):
        return NULL
    return bound.column(name)


def field_operand(writer: Writer, bound: Bound, column: Column) -> Operand:
    """A column in its comparable form."""
    if column.is_encrypted:
        raise not_searchable(bound.table, column)
    kind = kind_of(column)
    name = column.logical_name
    if kind is not Kind.TEXT or not is_stored(bound.table, column) or is_owner_column(bound.table, name):
        return Operand(
            _hide(writer, bound, name, column_value(writer, bound, column)), kind, scale_of(writer.dialect, column)
        )
    if is_folded(bound.table, column):
        return Operand(_hide(writer, bound, name, bound.column(f"{name}__fold")), kind)
    return Operand(writer.dialect.fold(bound.column(name)), kind)


def owner_key(bound: Bound, column: str) -> str:
    """The key column behind an owner column."""
    return bound.column("unit" if column == "owningbusinessunit" else "owner")


def _hide(writer: Writer, bound: Bound, name: str, sql: str) -> str:
    if bound.hidden and name not in bound.exposed and sql.startswith(f"{bound.sql}."):
        return writer.dialect.hidden(sql)
    return sql


def _thumbnail(bound: Bound, column: Column) -> str:
    """What an image column shows: the thumbnail of its content, whose id stands beside it too."""
    id_column = f"{column.logical_name}id"
    if id_column not in bound.table.columns or not is_stored(bound.table, column):
        return NULL
    return f"(select c.thumbnail from filecontent c where c.fileid = {bound.column(id_column)})"


def _owner_value(bound: Bound, name: str) -> str:
    key = owner_key(bound, name)
    if name == "owningbusinessunit":
        if bound.owning_unit is not None:
            return f"{bound.owning_unit}.businessunitid"
        return f"(select n.businessunitid from businessunit n where n.id = {key})"
    return _of_principal(bound, "principalid", OWNER_KINDS.get(name))


def _of_principal(bound: Bound, column: str, kind: str | None) -> str:
    """A column of the owner's row in `principal`; null when the owner is not of `kind`."""
    if bound.principal is None:
        only = "" if kind is None else f" and n.kind = {text_literal(kind)}"
        return f"(select n.{column} from principal n where n.id = {owner_key(bound, 'ownerid')}{only})"
    value = f"{bound.principal}.{column}"
    return value if kind is None else f"case when {bound.principal}.kind = {text_literal(kind)} then {value} end"


_Name = Callable[[Writer, Bound, Column], str]


def _plain_name(writer: Writer, bound: Bound, column: Column) -> str:
    return column_value(writer, bound, column)


def _folded_name(writer: Writer, bound: Bound, column: Column) -> str:
    return field_operand(writer, bound, column).sql


def _lookup_name(writer: Writer, bound: Bound, column: Column, name_of: _Name) -> str:
    """The primary name of the target, by a scalar sub-select for each table that it may be in."""
    name = column.logical_name
    if is_owner_column(bound.table, name):
        return _owner_name(writer, bound, name, name_of)
    if not is_stored(bound.table, column):
        return NULL
    reference = bound.column(name)
    if not has_table_column(column):
        return _name_in(writer, column.targets[0], _id_equals(writer, column.targets[0], reference), name_of)
    cases = [
        f"when {text_literal(target)} then {_name_in(writer, target, _id_equals(writer, target, reference), name_of)}"
        for target in column.targets
        if target in writer.schema.tables
    ]
    return f"case {bound.column(f'{name}__table')} {' '.join(cases)} end" if cases else NULL


def _owner_name(writer: Writer, bound: Bound, name: str, name_of: _Name) -> str:
    condition = f"n.id = {owner_key(bound, name)}"
    if name == "owningbusinessunit":
        return _name_in(writer, "businessunit", condition, name_of)
    if name in OWNER_KINDS:
        return _name_in(writer, OWNER_KINDS[name], condition, name_of)
    user, team = (_name_in(writer, table, condition, name_of) for table in PRINCIPAL_TABLES)
    if bound.principal is None:
        return f"coalesce({user}, {team})"
    return f"case {bound.principal}.kind when 'systemuser' then {user} else {team} end"


def _id_equals(writer: Writer, target: str, reference: str) -> str:
    table = writer.schema.tables.get(target)
    return "false" if table is None else f"n.{quote(table.primary_id)} = {reference}"


def _name_in(writer: Writer, target: str, condition: str, name_of: _Name) -> str:
    table = writer.schema.tables.get(target)
    column = None if table is None or table.primary_name is None else table.columns.get(table.primary_name)
    if table is None or column is None:
        return NULL
    named = Bound(table, "n")
    return f"(select {name_of(writer, named, column)} from {quote(target)} n where {condition})"


def _lookup_table(bound: Bound, column: Column) -> str:
    name = column.logical_name
    if is_owner_column(bound.table, name):
        if name == "owningbusinessunit":
            return f"case when {owner_key(bound, name)} is not null then 'businessunit' end"
        return _of_principal(bound, "kind", OWNER_KINDS.get(name))
    if not is_stored(bound.table, column):
        return NULL
    if has_table_column(column):
        return bound.column(f"{name}__table")
    return f"case when {bound.column(name)} is not null then {text_literal(column.targets[0])} end"


_LITERAL_KINDS = {
    ColumnType.INTEGER: Kind.INTEGER,
    ColumnType.BIGINT: Kind.INTEGER,
    ColumnType.BOOLEAN: Kind.BOOLEAN,
    ColumnType.DOUBLE: Kind.REAL,
    ColumnType.DECIMAL: Kind.REAL,
    ColumnType.MONEY: Kind.REAL,
}
