"""Tables and columns that a SQL query names. Names are logical names, compared without regard to case (WA-271)."""

from dataclasses import dataclass, field

from sqlglot import exp

from strongroom.errors import QueryError
from strongroom.query.ast import Field
from strongroom.query.names import hint, shown
from strongroom.query.sql.syntax import only, part, position, refused, word
from strongroom.schema.model import ColumnType, Schema, Table


@dataclass(slots=True)
class Sources:
    """The tables of the query by their name in it (lower case) → alias in the AST and table. The first is the root.

    `hidden` are the aliases of tables that a condition may not name yet, because their join comes later.
    """

    schema: Schema
    by_name: dict[str, tuple[str, Table]] = field(default_factory=dict[str, tuple[str, Table]])
    hidden: frozenset[str] = frozenset()

    def add(self, node: exp.Expr) -> tuple[str, Table]:
        """Take in one table of FROM or JOIN."""
        if not isinstance(node, exp.Table) or not isinstance(node.this, exp.Identifier):
            raise refused(node)
        only(node, "this", "alias")
        name = word(node.this).lower()
        table = self.schema.tables.get(name)
        if table is None:
            known = hint(name, self.schema.tables)
            message = f"Could not find a table named '{shown(name)}'.{known}"
            raise QueryError(message, position=position(node))
        alias = part(node, "alias")
        called = name
        if alias is not None:
            only(alias, "this")
            called = word(part(alias, "this")).lower()
        if called in self.by_name:
            message = f"Two tables of the query are called '{shown(called)}'; give one of them another alias."
            raise QueryError(message, position=position(node))
        source = ("" if not self.by_name else called, table)
        self.by_name[called] = source
        return source

    def column(self, node: exp.Expr) -> Field:
        """The column that `node` names. Without a table it must be of one table only."""
        if not isinstance(node, exp.Column):
            raise refused(node)
        only(node, "this", "table")
        if isinstance(node.this, exp.Star):
            raise refused(node.this)
        name = word(part(node, "this")).lower()
        owner = part(node, "table")
        if owner is not None:
            return self._of(node, word(owner).lower(), name)
        visible = [source for source in self.by_name.values() if source[0] not in self.hidden]
        found = [source for source in visible if name in source[1].columns]
        if len(found) == 1:
            return _field(node, *found[0], name)
        if found:
            message = f"The column '{name}' is in several tables of the query; write the table before it."
            raise QueryError(message, position=position(node))
        columns = [column for _, table in visible for column in table.columns]
        tables = ", ".join(f"'{table.logical_name}'" for _, table in visible)
        message = f"Could not find a column named '{shown(name)}' in {tables}.{hint(name, columns)}"
        raise QueryError(message, position=position(node))

    def _of(self, node: exp.Expr, owner: str, name: str) -> Field:
        source = self.by_name.get(owner)
        if source is None:
            message = f"No table of the query is called '{shown(owner)}'.{hint(owner, self.by_name)}"
            raise QueryError(message, position=position(node))
        if source[0] in self.hidden:
            message = f"ON names the table '{shown(owner)}' before it is joined; put its JOIN first."
            raise QueryError(message, position=position(node))
        return _field(node, *source, name)


def _field(node: exp.Expr, alias: str, table: Table, name: str) -> Field:
    column = table.columns.get(name)
    if column is None:
        known = hint(name, table.columns)
        message = f"Could not find a column named '{shown(name)}' in '{table.logical_name}'.{known}"
        raise QueryError(message, position=position(node))
    if not column.valid_for_read or column.type is ColumnType.PARTYLIST:
        raise QueryError(f"The column '{name}' of '{table.logical_name}' cannot be read.", position=position(node))
    return Field(alias, column)
