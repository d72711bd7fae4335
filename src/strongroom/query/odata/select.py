"""`$select` → outputs (WA-125 to WA-127, WA-173).

The primary key always comes along, the currency whenever a money column does, and on users and teams the second name of
their id, `ownerid`. Names of outputs are those of the wire.
"""

from collections.abc import Iterable
from functools import lru_cache

from strongroom.errors import QueryError
from strongroom.query.ast import Field, Output
from strongroom.query.odata.edm import PRINCIPALS
from strongroom.query.odata.parser import Parser
from strongroom.query.odata.scope import (
    OWNER_NAV,
    Scope,
    has_owner_nav,
    property_column,
    single_nav,
    unknown_property,
)
from strongroom.schema.model import Column, ColumnType, Schema, Table

_ONLY_WHEN_ASKED = frozenset({ColumnType.IMAGE, ColumnType.PARTYLIST})
"""Content that is not part of a row unless it is selected (WA-126)."""

_CURRENCY = "transactioncurrencyid"


def read_select(scope: Scope, text: str | None) -> tuple[Output, ...]:
    """The outputs that `text` asks for; None, empty text and `*` ask for all columns."""
    table = scope.table
    if text is None or not text.strip():
        return _everything(table, scope.alias)
    chosen: dict[str, Column] = {}
    parser = Parser(text)
    while True:
        for column in _item(parser, scope.query.schema, table):
            chosen[column.logical_name] = column
        if not parser.accept(","):
            break
    if not parser.at_end:
        raise parser.error("',' or the end is expected here")
    return outputs(table, chosen.values(), scope.alias)


def all_columns(table: Table) -> list[Column]:
    """The columns of a row that comes without `$select`."""
    return [c for c in table.columns.values() if c.valid_for_read and c.type not in _ONLY_WHEN_ASKED]


def outputs(table: Table, columns: Iterable[Column], alias: str = "") -> tuple[Output, ...]:
    """Outputs of `columns`, in order and each once, and of what always comes with them."""
    by_name = {column.property_name: column for column in columns}
    selected = frozenset(by_name)
    by_name.setdefault(table.id_column.property_name, table.id_column)
    if table.logical_name in PRINCIPALS:
        by_name.setdefault(OWNER_NAV, table.id_column)
    currency = table.columns.get(_CURRENCY)
    if currency is not None and any(column.type is ColumnType.MONEY for column in by_name.values()):
        by_name.setdefault(currency.property_name, currency)
    return tuple(Output(name, Field(alias, column), name not in selected) for name, column in by_name.items())


@lru_cache(maxsize=512)
def _everything(table: Table, alias: str) -> tuple[Output, ...]:
    """Kept, because a table has hundreds of columns and most queries of tools select all of them."""
    return outputs(table, all_columns(table), alias)


def _item(parser: Parser, schema: Schema, table: Table) -> list[Column]:
    if parser.accept("*"):
        return all_columns(table)
    token = parser.expect_name("The name of a column")
    if parser.current.is_mark("/") or parser.current.is_mark("("):
        message = f"$select names columns of the table itself; use $expand={token.value}($select=…) for a related row."
        raise QueryError(message, position=token.position)
    return [_column(schema, table, token.value, token.position)]


def _column(schema: Schema, table: Table, name: str, position: int) -> Column:
    """The column that a selected property stands for; the name of a lookup's navigation property counts (WA-127)."""
    column = property_column(table, name)
    if column is not None:
        return column
    if name == OWNER_NAV and has_owner_nav(table):
        return table.columns[OWNER_NAV]
    relationship = single_nav(schema, table, name)
    lookup = table.columns.get(relationship.referencing_column) if relationship is not None else None
    if lookup is None:
        raise unknown_property(table, name, schema, position)
    return lookup
