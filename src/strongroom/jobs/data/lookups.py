"""The row that a lookup's cell means: by id, by primary name, by an alternate key of one column, users by sign-in name.

Looked up with the importing user's rights: a row that the user may not read is not there. A name that several rows
have is an error, never a guess.
"""

from collections.abc import Mapping

from strongroom.errors import AccessDenied, InvalidRequest, PayloadError
from strongroom.ids import Guid, Reference, parse_guid
from strongroom.jobs.data.shapes import Cell, LookupCell
from strongroom.query.ast import Comparison, Field, Literal, Operator, Output, Predicate, Select, Source
from strongroom.records import Session, retrieve_page
from strongroom.schema.model import Column, ColumnType, Table

_SIGN_IN = "domainname"


class NotThere(InvalidRequest):
    """No row that the user may read has this id or name. It may come later in the same import."""


class Lookups:
    """Finds rows within one unit of work, each once."""

    def __init__(self, session: Session, moved: Mapping[tuple[str, Guid], Guid] | None = None) -> None:
        """`moved` are rows of the file that are here under another id."""
        self._session = session
        self._moved = moved or {}
        self._found: dict[tuple[str, str, bool], tuple[Guid, ...]] = {}

    def reference(self, column: Column, cell: Cell, name: Cell) -> Reference | None:
        """The row that `cell`, or else `name`, means; None for empty cells.

        Raises `NotThere`, or `PayloadError` for a cell that names no row of a table that the lookup takes, or several.
        """
        wanted = _lookup_cell(column, cell, name)
        if wanted is None:
            return None
        targets = self._targets(column, wanted.table)
        if wanted.id is not None:
            moved = next((m for each in targets if (m := self._moved.get((each.logical_name, wanted.id)))), None)
            found = self._in(targets, moved or wanted.id, by_id=True)
            if found:
                return found[0]
        if wanted.name and _is_text(wanted.name):
            found = self._in(targets, wanted.name, by_id=False)
            if len(found) > 1:
                ids = ", ".join(f"{each.table}:{each.id}" for each in found[:5])
                raise PayloadError(f"'{column.logical_name}': several rows are called '{wanted.name[:100]}': {ids}.")
            if found:
                return found[0]
        said = " ".join(
            [*([wanted.id] if wanted.id else []), *([f"called '{wanted.name[:100]}'"] if wanted.name else [])]
        )
        kinds = " or ".join(table.logical_name for table in targets)
        raise NotThere(f"'{column.logical_name}': there is no {kinds} {said} that you may read.")

    def _targets(self, column: Column, named: str | None) -> list[Table]:
        if named is not None and column.targets and named not in column.targets:
            raise PayloadError(f"'{column.logical_name}' takes rows of {', '.join(column.targets)}, not of '{named}'.")
        names = (named,) if named is not None else column.targets
        tables = [table for name in names if (table := self._session.schema.tables.get(name)) is not None]
        if not tables:
            raise PayloadError(f"'{column.logical_name}': name the table too, as in account:{'0' * 8}-….")
        return tables

    def _in(self, tables: list[Table], wanted: str, *, by_id: bool) -> list[Reference]:
        return [
            Reference(table.logical_name, row_id) for table in tables for row_id in self._rows(table, wanted, by_id)
        ]

    def _rows(self, table: Table, wanted: str, by_id: bool) -> tuple[Guid, ...]:
        known = self._found.get((table.logical_name, wanted, by_id))
        if known is None:
            columns = [table.id_column] if by_id else _naming_columns(table)
            ids: dict[Guid, None] = {}
            for column in columns:
                ids.update(dict.fromkeys(self._matching(table, column, wanted)))
            known = self._found[table.logical_name, wanted, by_id] = tuple(ids)
        return known

    def _matching(self, table: Table, column: Column, wanted: str) -> list[Guid]:
        condition: Predicate = Comparison(Operator.EQUAL, Field("", column), Literal(wanted, column.type))
        output = Output(table.primary_id, Field("", table.id_column))
        try:
            page = retrieve_page(self._session, Select(Source(table), (output,), where=condition, top=5))
        except AccessDenied:
            return []
        return [row.id for row in page.rows if row.id is not None]


def _is_text(name: str) -> bool:
    """Whether a store can be asked for `name`: no row is called by half a character or a null."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return "\x00" not in name


def _naming_columns(table: Table) -> list[Column]:
    """Columns whose text tells rows apart for people."""
    names = [table.primary_name, *(key.columns[0] for key in table.keys if key.is_active and len(key.columns) == 1)]
    if table.logical_name == "systemuser":
        names.append(_SIGN_IN)
    columns = [table.columns[name] for name in dict.fromkeys(names) if name is not None and name in table.columns]
    return [column for column in columns if column.type is ColumnType.STRING]


def _lookup_cell(column: Column, cell: Cell, name: Cell) -> LookupCell | None:
    """Texts are an id, a name, or either behind `table:`."""
    if cell is None or cell == "":
        return LookupCell(None, None, name) if isinstance(name, str) and name else None
    fallback = name if isinstance(name, str) and name else None
    if isinstance(cell, LookupCell):
        return cell if cell.id or cell.name else None
    if not isinstance(cell, str):
        if isinstance(cell, int | float) and not isinstance(cell, bool):
            return LookupCell(None, None, f"{cell:g}" if isinstance(cell, float) else str(cell))
        raise PayloadError(f"'{column.logical_name}' takes the id or the name of a row.")
    table, sign, rest = cell.partition(":")
    if not sign or table not in column.targets:
        table, rest = "", cell
    row_id = parse_guid(rest)
    return LookupCell(table or None, row_id, fallback if row_id else rest)
