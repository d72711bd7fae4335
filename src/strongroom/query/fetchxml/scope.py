"""What names mean inside one FetchXML document: tables under aliases, and columns of tables.

An alias names one source of the query; the root has none in the AST (`""`) and answers to its table's name here. A
column name stands for a stored column, or for a *derived* one (`parentaccountidname`, `owneridtype`): those read the
name or the table of a lookup's target, or the label of a choice.
"""

import re
from dataclasses import dataclass, field

from strongroom.errors import FetchXmlError
from strongroom.query.ast import Expression, Field, LookupName, LookupTable, ReadContext
from strongroom.query.fetchxml.document import Node
from strongroom.query.names import hint, shown
from strongroom.schema.model import Column, ColumnType, Schema, SourceType, Table

NO_ATTRIBUTE = "0x80041103"
NO_ENTITY = "0x80041102"

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}", re.ASCII)
_NOT_LISTED = frozenset({ColumnType.PARTYLIST, ColumnType.IMAGE})


@dataclass(frozen=True, slots=True)
class OptionLabel:
    """The label of a choice or of a yes/no column. It can be compared, since labels are known without the store."""

    value: Field


Operand = Field | LookupName | LookupTable | OptionLabel


@dataclass(slots=True)
class Scope:
    """What one document has declared so far.

    `sources` gives the alias in the AST and the table for each alias of the document; a sub-select sees those around
    it. `pending` are sources whose join is still to come: SQL's ON cannot name them. `used` are the aliases that
    expressions have named since it was last cleared.
    """

    schema: Schema
    context: ReadContext
    root: Table
    sources: dict[str, tuple[str, Table]] = field(default_factory=dict[str, tuple[str, Table]])
    taken: set[str] = field(default_factory=set[str])
    pending: set[str] = field(default_factory=set[str])
    used: set[str] = field(default_factory=set[str])

    def fresh(self, stem: str, number: int = 1) -> str:
        """An alias that nothing else in the query has: the stem and a number, counted from `number`."""
        while f"{stem}{number}".lower() in self.taken:
            number += 1
        self.taken.add(f"{stem}{number}".lower())
        return f"{stem}{number}"

    def source(self, node: Node, alias: str) -> tuple[str, Table]:
        """The source that the document calls `alias`: its alias in the AST and its table."""
        found = self.sources.get(alias)
        if found is not None:
            return found
        if alias == self.root.logical_name:
            return "", self.root
        raise node.error(f"There is no link-entity with the alias '{shown(alias)}'.{hint(alias, self.sources)}")

    def operand(self, node: Node, alias: str, table: Table, name: str) -> Operand:
        """What the column `name` of `table` stands for; an unknown one is an error (WA-257)."""
        self.used.add(alias)
        column = table.columns.get(name)
        if column is None:
            source = table.columns.get(table.derived.get(name, ""))
            if source is None or not source.valid_for_read:
                raise unknown_column(table, name)
            return _derived(node, alias, table, name, source)
        if not column.valid_for_read:
            raise node.error(f"Column '{name}' of '{table.logical_name}' cannot be read.")
        if column.type is ColumnType.PARTYLIST:
            raise node.error(f"Column '{name}' of '{table.logical_name}' is a party list; link to 'activityparty'.")
        return Field(alias, column)

    def expression(self, node: Node, alias: str, table: Table, name: str) -> Field | LookupName | LookupTable:
        """The column as something that can be selected, ordered and grouped by: everything but labels."""
        found = self.operand(node, alias, table, name)
        if isinstance(found, OptionLabel):
            wanted = found.value.column.logical_name
            raise node.error(f"Column '{name}' is the label of '{wanted}' and comes with it; name '{wanted}' instead.")
        return found


def find_table(schema: Schema, node: Node, name: str) -> Table:
    """The table, or an error that names the nearest one (WA-257)."""
    table = schema.tables.get(name)
    if table is None:
        known = hint(name, schema.tables)
        raise FetchXmlError(f"The entity with a name = '{shown(name)}' was not found.{known}", code=NO_ENTITY)
    return table


def unknown_column(table: Table, name: str) -> FetchXmlError:
    """The error for a column that the table does not have."""
    known = hint(name, table.columns)
    message = f"'{table.logical_name}' entity doesn't contain attribute with Name = '{shown(name)}'.{known}"
    return FetchXmlError(message, code=NO_ATTRIBUTE)


def listed_columns(table: Table) -> list[Column]:
    """The columns that `<all-attributes/>` stands for."""
    return [
        column
        for column in table.columns.values()
        if column.valid_for_read
        and column.type not in _NOT_LISTED
        and (
            column.source_type is not SourceType.CALCULATED
            or column.formula is not None
            or column.logical_name == table.primary_name
        )
    ]


def checked_alias(node: Node, alias: str) -> str:
    """`alias`, or an error when it is not a name: letters, digits and underscores."""
    if _NAME.fullmatch(alias) is None:
        raise node.error(f"The alias '{shown(alias, 60)}' may only hold letters, digits and '_'.")
    return alias


def output_name(alias: str, expression: Expression, name: str) -> str:
    """The key of a column without an alias of its own (WA-249)."""
    if alias:
        return f"{alias}.{name}"
    return expression.column.property_name if isinstance(expression, Field) else name


def _derived(node: Node, alias: str, table: Table, name: str, source: Column) -> Operand:
    """Derived columns are told apart by what follows the name of their source."""
    if source.type.is_lookup:
        if name.endswith("name"):
            return LookupName(alias, source)
        if name.endswith(("type", "typecode")):
            return LookupTable(alias, source)
    elif (source.type.is_choice or source.type is ColumnType.BOOLEAN) and source.options:
        return OptionLabel(Field(alias, source))
    wanted = source.logical_name
    raise node.error(f"Column '{name}' of '{table.logical_name}' is not offered; use '{wanted}' that it comes from.")
