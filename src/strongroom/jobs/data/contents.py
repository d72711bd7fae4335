"""What comes once all rows are there: contents of files and images, and the parties of activities.

One row at a time, each in a transaction of its own: a content may be large. What a row has already is not written
again, so that an import that goes on, or is repeated, leaves neither versions nor audit entries behind.
"""

import base64
import binascii
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

from strongroom.errors import InvalidRequest, StrongroomError
from strongroom.ids import Guid
from strongroom.jobs.data.beside import PIECE, content_at, folder_beside
from strongroom.jobs.data.lookups import Lookups
from strongroom.jobs.data.mapping import Mapped, TableMapping
from strongroom.jobs.data.party_lists import PARTS, link_of, new_records, parties_of, read_parties, records_of, same
from strongroom.jobs.data.shapes import Cell, FileCell, InputRow, PartyCell, Refusal
from strongroom.jobs.data.storing import Place, Stored, existing
from strongroom.records import Related, Session, update
from strongroom.records.activity import untold
from strongroom.records.file_transfers import media_type
from strongroom.records.files import Upload, content, held, remove, upload
from strongroom.records.images import thumbnail_of
from strongroom.schema.model import Column, ColumnType, Table


def has_contents(mapping: TableMapping) -> bool:
    """Whether the file has anything that waits until the rows are there."""
    return bool(mapping.contents or mapping.parties)


def store_contents(session: Session, mapping: TableMapping, rows: Sequence[InputRow], place: Place) -> Stored:
    """Store what belongs to these rows. A row that is not there has been refused before, and is passed over."""
    table, stored = session.table(mapping.table), Stored()
    names = {each.column for each in mapping.contents}
    there = existing(session, mapping, table, place, [row for row in rows if _says_anything(mapping, row)], names)
    parties = parties_of(session, [row_id for row_id, _ in there.values()]) if mapping.parties else {}
    for row in rows:
        if row.number not in there:
            continue
        row_id, present = there[row.number]
        for mapped in mapping.contents:
            if not (is_empty(row, mapped) and present.get(mapped.column) is None):
                stored.counts.files += _store_content(session, table, row_id, mapped, row, place.file)
        if mapping.parties:
            known = parties.get(row_id, [])
            stored.counts.files += _store_parties(session, mapping, table, row_id, row, place, known)
    return stored


def units(mapping: TableMapping, rows: Iterable[InputRow], most: int) -> Iterator[list[InputRow]]:
    """The rows in what is stored at once: a row with a content by itself, others up to `most` together."""
    light: list[InputRow] = []
    for row in rows:
        is_light = all(is_empty(row, each) for each in mapping.contents)
        if light and (not is_light or len(light) >= most):
            yield light
            light = []
        if is_light:
            light.append(row)
        else:
            yield [row]
    if light:
        yield light


def is_empty(row: InputRow, mapped: Mapped) -> bool:
    """Whether the row names no content in this column."""
    return mapped.header is None or row.cells.get(mapped.header) in (None, "")


def incomplete_content(mapping: TableMapping, row: InputRow, error: StrongroomError) -> Refusal:
    """Says that a row is in without what belongs to it."""
    names = ", ".join(each.column for each in (*mapping.contents, *mapping.parties))
    message = f"The row is in, without its files or parties. {error.message}"
    return Refusal(mapping.table, row.line, str(error.details.get("column", names)), message, row.cells)


def _says_anything(mapping: TableMapping, row: InputRow) -> bool:
    if row.problem is not None:
        return False
    return any(each.header in row.cells for each in (*mapping.contents, *mapping.parties))


def _store_content(
    session: Session, table: Table, row_id: Guid, mapped: Mapped, row: InputRow, file: Path | None
) -> int:
    """1 when something was written."""
    if mapped.header is None or mapped.header not in row.cells:
        return 0
    column = table.columns[mapped.column]
    try:
        cell = _content(column, row.cells[mapped.header], file)
        if cell is None:
            _, there = held(session, table, row_id, column)
            if there is not None:
                remove(session, table, row_id, column)
            return int(there is not None)
        if _is_there(session, table, row_id, column, cell):
            return 0
        new = Upload(cell.name, media_type(None, cell.name), cell.size, cell.pieces())
        upload(session, table, row_id, column, new)
    except StrongroomError as error:
        error.details.setdefault("column", mapped.column)
        raise
    return 1


def _content(column: Column, cell: Cell, file: Path | None) -> FileCell | None:
    """The content that a cell means: a path beside the file of rows, an entry of a package, or an image as base64."""
    if cell is None or cell == "":
        return None
    if isinstance(cell, FileCell):
        return cell
    if isinstance(cell, str) and file is None and column.type is ColumnType.IMAGE:
        try:
            body = base64.b64decode("".join(cell.split()), validate=True)
        except (binascii.Error, ValueError):
            raise InvalidRequest(f"'{column.logical_name}' takes an image as base64.") from None
        return FileCell(f"{column.logical_name}", len(body), lambda: iter((body,)))
    if isinstance(cell, str) and file is not None:
        return content_at(folder_beside(file), cell)
    raise InvalidRequest(f"'{column.logical_name}': the content '{str(cell)[:100]}' did not come along.")


def _is_there(session: Session, table: Table, row_id: Guid, column: Column, cell: FileCell) -> bool:
    """Whether the column holds these very bytes, under this name where files have one."""
    with untold(session):
        _, there = held(session, table, row_id, column)
    if there is None:
        return False
    if column.type is ColumnType.IMAGE and not there.size:
        small = thumbnail_of(session, there)
        return len(small) == cell.size and small == b"".join(cell.pieces())
    if there.size != cell.size:
        return False
    if column.type is ColumnType.FILE and there.name != cell.name:
        return False
    stored = (content(session, there, at, min(at + PIECE, there.size)) for at in range(0, there.size, PIECE))
    return all(mine == theirs for mine, theirs in zip_longest(_cut(cell), stored))


def _cut(cell: FileCell) -> Iterator[bytes]:
    """The bytes of a cell in pieces of one size."""
    rest = b""
    for piece in cell.pieces():
        rest += piece
        while len(rest) >= PIECE:
            yield rest[:PIECE]
            rest = rest[PIECE:]
    if rest:
        yield rest


def _store_parties(
    session: Session,
    mapping: TableMapping,
    table: Table,
    row_id: Guid,
    row: InputRow,
    place: Place,
    known: Sequence[tuple[int, PartyCell]],
) -> bool:
    """Put the parties that the row names in the place of those in the same parts; whether anything was written."""
    named = [each for each in mapping.parties if each.header is not None and each.header in row.cells]
    if not named:
        return False
    lookups = Lookups(session, place.moved)
    wanted: list[dict[str, object]] = []
    for each in named:
        column = table.columns[each.column]
        try:
            parties = read_parties(each.column, row.cells.get(each.header or ""))
            wanted += records_of(session, lookups, column, parties)
        except StrongroomError as error:
            error.details.setdefault("column", each.column)
            raise
    parts = {PARTS[each.column] for each in named}
    party_column = table.columns[named[0].column]
    kept: list[dict[str, object]] = []
    current: list[dict[str, object]] = []
    for part, party in known:
        values = {**records_of(session, lookups, party_column, [party])[0], "participationtypemask": part}
        current.append(values)
        if part not in parts:
            kept.append(values)
    if same([*kept, *wanted], current):
        return False
    link = link_of(session.schema, table.logical_name)
    update(session, table, row_id, {}, related=(Related(link, create=new_records([*kept, *wanted])),))
    return True
