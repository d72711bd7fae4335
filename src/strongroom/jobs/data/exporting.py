"""Rows of a table into a file: what the user may read, in one moment, under the user's masks.

By default the columns are those that an import can write, so that the file goes in again elsewhere. A lookup is two
columns: the id, and `<lookup>.name` for environments that know the row by its name only. Files and images
lie in the folder `<file>.files` beside it, or inside a package. The file appears when it is whole; half of one is
never left.
"""

import csv
import io
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import TextIO, cast

from strongroom.audit.activities import Activity, Tally
from strongroom.errors import InvalidRequest
from strongroom.ids import Guid
from strongroom.jobs.data.beside import ContentsWriter, folder_beside
from strongroom.jobs.data.excel import ExcelWriter
from strongroom.jobs.data.export_contents import beside, complete, is_beside
from strongroom.jobs.data.mapping import NAME_SUFFIX, is_importable
from strongroom.jobs.data.neutral import neutral
from strongroom.jobs.data.package_writing import PackageTable, links_between, write_package
from strongroom.jobs.data.party_lists import objects_of, text_of
from strongroom.jobs.data.private_files import owner_only
from strongroom.jobs.data.shapes import Cell, LookupCell, Progress
from strongroom.jobs.data.sources import Format
from strongroom.query.ast import Field, LookupName, LookupTable, Output, ReadContext, Select, Source
from strongroom.query.describing import described
from strongroom.query.odata import read_filter
from strongroom.records import Session, count, retrieve_page
from strongroom.records.activity import tell, untold
from strongroom.records.watching import sensitive_columns
from strongroom.schema.model import Column, Table

PAGE = 1000
_PIECE = 1 << 16
"""Characters, at least, that are sent on together."""
_LEFT_OUT = frozenset({"overriddencreatedon"})
"""What callers may write that says something else when it is read."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to export: tables, columns (None: those that can be imported), and an OData condition on the rows."""

    tables: tuple[str, ...]
    columns: tuple[str, ...] | None = None
    where: str | None = None


def export_data(
    session: Session, wanted: Wanted, path: Path, kind: Format, context: ReadContext, progress: Progress
) -> dict[str, int]:
    """Write the rows to `path`, and tell how many of each table. Raises `InvalidRequest` or `AccessDenied` before
    there is a file."""
    if path.exists():
        raise InvalidRequest(f"'{path}' is there already; remove it, or name another file.")
    folder = folder_beside(path)
    if kind is not Format.PACKAGE and folder.exists():
        raise InvalidRequest(f"'{folder}' is there already; remove it, or name another file.")
    if kind is not Format.PACKAGE and len(wanted.tables) != 1:
        raise InvalidRequest("Several tables go into a package only; write one file for each.")
    if len(wanted.tables) != 1 and (wanted.columns or wanted.where):
        raise InvalidRequest("--columns and --filter are about one table.")
    selects = [_select(session, name, wanted, context) for name in dict.fromkeys(wanted.tables)]
    part = path.with_name(f"{path.name}.part")
    contents = ContentsWriter(folder.with_name(f"{folder.name}.part"))
    try:
        numbers = _write(session, selects, part, kind, contents, progress)
        if contents.number:
            contents.folder.replace(folder)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
        shutil.rmtree(contents.folder, ignore_errors=True)
    return numbers


def export_pieces(session: Session, wanted: Wanted, kind: Format, context: ReadContext) -> Iterator[str]:
    """The same for one table as CSV or JSON lines, piece by piece, for who sends it on while it is read."""
    (name,) = wanted.tables
    select = _select(session, name, wanted, context)
    table = select.source.table
    plain = [each for each in _columns(select) if not is_beside(table, each)]  # a stream has no folder beside it
    select = replace(select, outputs=_outputs(plain))
    columns, text = plain, io.StringIO()
    write = _text_writer(text, kind, columns)
    for row in _rows(session, select, _nobody):
        write(row)
        if text.tell() >= _PIECE:
            yield text.getvalue()
            text.seek(0)
            text.truncate()
    yield text.getvalue()


def _nobody(table: str, done: int, total: int) -> None:
    """Progress that nobody looks at."""


def _write(
    session: Session,
    selects: Sequence[Select],
    part: Path,
    kind: Format,
    contents: ContentsWriter,
    progress: Progress,
) -> dict[str, int]:
    if kind is Format.PACKAGE:
        tables = [
            PackageTable(select.source.table, _columns(select), _rows(session, select, progress)) for select in selects
        ]
        links = links_between(session, [select.source.table for select in selects])
        return write_package(part, tables, links, session.now)
    (select,) = selects
    table, columns, number = select.source.table, _columns(select), 0
    with ExitStack() as stack:
        write = _writer(stack, part, kind, table, columns)
        for row in _rows(session, select, progress):
            write(beside(contents, table, columns, row))
            number += 1
    return {table.logical_name: number}


def _select(session: Session, name: str, wanted: Wanted, context: ReadContext) -> Select:
    table = session.schema.tables.get(name)
    if table is None:
        raise InvalidRequest(f"There is no table '{name}'; name it by its logical name, such as account.")
    columns = [table.id_column, *(c for c in _chosen(table, wanted.columns) if c.logical_name != table.primary_id)]
    where, joins = None, ()
    if wanted.where is not None:
        where, joins = read_filter(session.schema, table, wanted.where, context)
    return Select(Source(table), _outputs(columns), joins=joins, where=where, page_size=PAGE)


def _chosen(table: Table, names: Sequence[str] | None) -> list[Column]:
    if names is None:
        columns = [c for c in table.columns.values() if is_importable(table, c) or is_beside(table, c)]
        return [c for c in columns if c.logical_name not in _LEFT_OUT]
    unknown = [name for name in names if name not in table.columns or not table.columns[name].valid_for_read]
    if unknown:
        raise InvalidRequest(f"'{table.logical_name}' has no columns {', '.join(repr(each) for each in unknown)}.")
    return [table.columns[name] for name in dict.fromkeys(names)]


def _outputs(columns: Sequence[Column]) -> tuple[Output, ...]:
    """The columns; behind each lookup its table and its name."""
    found: list[Output] = []
    for column in columns:
        name = column.logical_name
        found.append(Output(name, Field("", column)))
        if column.type.is_lookup:
            found += [Output(f"{name}.table", LookupTable("", column)), Output(f"{name}.name", LookupName("", column))]
    return tuple(found)


def _columns(select: Select) -> list[Column]:
    return [each.expression.column for each in select.outputs if isinstance(each.expression, Field)]


def _rows(session: Session, select: Select, progress: Progress) -> Iterator[list[Cell]]:
    """The rows, a cell for each column. The export is told as one act, whatever reading is told (TS-808)."""
    columns, name = _columns(select), select.source.table.logical_name
    total, done = count(session, select, None), 0
    shown, tally = described(select), Tally()
    while True:
        with untold(session):
            page = retrieve_page(session, select)
        rows = [_cells(columns, cast("tuple[Cell, ...]", record.values)) for record in page.rows]
        complete(session, select.source.table, columns, [record.id for record in page.rows], rows)
        for record, cells in zip(page.rows, rows, strict=True):
            if record.id is not None:
                tally.add(record.id)
            yield cells
        done += len(page.rows)
        progress(name, done, total)
        if page.position is None:
            sensitive = sensitive_columns(select.source.table, [column.logical_name for column in columns])
            tell(session, Activity.EXPORT, table=name, rows=tally, sensitive=sensitive, query=shown)
            return
        select = replace(select, after=page.position)


def _cells(columns: Sequence[Column], values: Sequence[Cell]) -> list[Cell]:
    remaining = iter(values)
    cells: list[Cell] = []
    for column in columns:
        value = next(remaining)
        if column.type.is_lookup:
            table, name = next(remaining), next(remaining)
            kind = str(table) if table else (column.targets[0] if column.targets else None)
            value = LookupCell(kind, Guid(str(value)), str(name) if name else None) if value else None
        cells.append(value)
    return cells


# --- the formats ---------------------------------------------------------------------------------------------------


def _writer(
    stack: ExitStack, path: Path, kind: Format, table: Table, columns: Sequence[Column]
) -> Callable[[list[Cell]], object]:
    if kind is Format.XLSX:
        book = ExcelWriter(path, table.logical_name, _headers(columns))
        stack.callback(book.close)
        return lambda cells: book.write(_flat(columns, cells))
    return _text_writer(
        stack.enter_context(open(path, "x", encoding="utf-8", newline="", opener=owner_only)), kind, columns
    )


def _text_writer(file: TextIO, kind: Format, columns: Sequence[Column]) -> Callable[[list[Cell]], object]:
    if kind is Format.JSONL:
        return lambda cells: _write_json(file, columns, cells)
    add = csv_writer(file, _headers(columns))
    return lambda cells: add(_flat(columns, cells))


def csv_writer(file: TextIO, headers: Sequence[str]) -> Callable[[Sequence[Cell]], object]:
    """What adds rows of cells to a CSV that begins with `headers`."""
    writer = csv.writer(file)
    writer.writerow(headers)
    return lambda cells: writer.writerow([_csv_text(cell) for cell in cells])


def _headers(columns: Sequence[Column]) -> list[str]:
    found: list[str] = []
    for column in columns:
        found.append(column.logical_name)
        if column.type.is_lookup:
            found.append(column.logical_name + NAME_SUFFIX)
    return found


def _flat(columns: Sequence[Column], cells: Sequence[Cell]) -> list[Cell]:
    """Lookups as two cells: the id, behind its table where there may be several, and the name."""
    found: list[Cell] = []
    for column, cell in zip(columns, cells, strict=True):
        if isinstance(cell, tuple):
            found.append(text_of(cell))
        elif not column.type.is_lookup:
            found.append(cell)
        elif isinstance(cell, LookupCell):
            found += [f"{cell.table}:{cell.id}" if len(column.targets) != 1 else cell.id, cell.name]
        else:
            found += [None, None]
    return found


def _csv_text(cell: Cell) -> str:
    """Texts are made harmless; numbers are not texts, a negative one stays as it is."""
    if isinstance(cell, str):
        return neutral(cell)
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, Decimal):
        return format(cell, "f")
    return "" if cell is None else str(cell)


def _write_json(file: TextIO, columns: Sequence[Column], cells: Sequence[Cell]) -> None:
    parts = [
        f"{json.dumps(column.logical_name)}: {_json_text(cell)}" for column, cell in zip(columns, cells, strict=True)
    ]
    file.write(f"{{{', '.join(parts)}}}\n")


def _json_text(cell: Cell) -> str:
    if isinstance(cell, Decimal):
        return format(cell, "f")
    if isinstance(cell, LookupCell):
        return json.dumps({"table": cell.table, "id": cell.id, "name": cell.name}, ensure_ascii=False)
    if isinstance(cell, tuple):
        return json.dumps(objects_of(cell), ensure_ascii=False)
    return json.dumps(cell, ensure_ascii=False)
