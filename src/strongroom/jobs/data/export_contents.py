"""Files, images and party lists of rows on their way out."""

import base64
from collections.abc import Iterator, Sequence
from functools import partial

from strongroom.ids import Guid
from strongroom.jobs.data.beside import PIECE, ContentsWriter
from strongroom.jobs.data.mapping import holds_content
from strongroom.jobs.data.party_lists import PARTS, is_party_column, parties_of
from strongroom.jobs.data.shapes import Cell, FileCell
from strongroom.records import Session
from strongroom.schema.model import Column, ColumnType, Table
from strongroom.store.protocol import StoredFile


def is_beside(table: Table, column: Column) -> bool:
    """Whether values of the column are no plain cells: they come along besides."""
    return holds_content(table, column) or is_party_column(table, column)


def complete(
    session: Session, table: Table, columns: Sequence[Column], ids: Sequence[Guid | None], rows: Sequence[list[Cell]]
) -> None:
    """Put contents and parties in the place of what a select gives for them: an id, a thumbnail, nothing."""
    files = [(place, each) for place, each in enumerate(columns) if holds_content(table, each)]
    lists = [(place, each) for place, each in enumerate(columns) if is_party_column(table, each)]
    parties = parties_of(session, [each for each in ids if each is not None]) if lists else {}
    for row_id, cells in zip(ids, rows, strict=True):
        if row_id is None:
            continue
        for place, column in files:
            if cells[place] is not None:
                cells[place] = _content(session, table, row_id, column)
        for place, column in lists:
            part = PARTS[column.logical_name]
            cells[place] = tuple(party for of, party in parties.get(row_id, ()) if of == part) or None


def beside(contents: ContentsWriter, table: Table, columns: Sequence[Column], cells: Sequence[Cell]) -> list[Cell]:
    """The cells of a row whose contents are written beside the file: their cells hold where."""
    return [
        contents.add(table.logical_name, str(cells[0]), column.logical_name, cell)
        if isinstance(cell, FileCell)
        else cell
        for column, cell in zip(columns, cells, strict=True)
    ]


def _content(session: Session, table: Table, row_id: Guid, column: Column) -> FileCell | None:
    row = session.transaction.row(table, row_id)
    stored = None if row is None else session.transaction.file(row, column.logical_name)
    if stored is None:
        return None
    if column.type is ColumnType.IMAGE and not stored.size:
        small = base64.b64decode(session.transaction.thumbnail(stored.id) or "")
        name = f"{stored.name.rpartition('.')[0] or stored.name}.jpg"
        return FileCell(name, len(small), lambda: iter((small,)), stored.id)
    return FileCell(stored.name, stored.size, partial(_pieces, session, stored), stored.id)


def _pieces(session: Session, stored: StoredFile) -> Iterator[bytes]:
    for start in range(0, stored.size, PIECE):
        yield session.transaction.file_bytes(stored.id, start, min(start + PIECE, stored.size))
