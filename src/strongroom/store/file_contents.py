"""The contents of file columns (section 24 of the Web API): `filecontent` says what a row's column holds, `filechunk`
has the bytes in pieces, so that a range is read without the rest, and no content is ever whole in memory.

A file or image column itself holds the id of its content. An image's content has its thumbnail beside it, as base64:
that is what reading the column shows. Its bytes are the full image; where only the thumbnail is kept there are none.
Content lives in the environment's own database: it is encrypted, backed up and rolled back with the rows that it
belongs to.
"""

from collections.abc import Iterable, Iterator, Sequence

from strongroom.errors import IntegrityViolation
from strongroom.ids import Guid, Key, Reference
from strongroom.schema.model import ColumnType, Table
from strongroom.store.engine import Connection, Engine
from strongroom.store.protocol import Row, StoredFile
from strongroom.store.work import Work

CHUNK = 1024 * 1024
"""Bytes in each piece but the last."""

_WITH_CONTENT = (ColumnType.FILE, ColumnType.IMAGE)
_BYTES = {"sqlcipher": "blob", "postgresql": "bytea"}


def make_tables(engine: Engine, connection: Connection) -> None:
    """The migration that makes the two tables."""
    key, text, guid, suffix = engine.key_type, engine.text_type, engine.guid_type, engine.table_suffix
    for statement in (
        f"create table filecontent (fileid {guid} primary key, objecttypecode {text} not null, object {key} not null,"
        f" objectid {guid} not null, attribute {text} not null, filename {text} not null, mimetype {text} not null,"
        f" filesize {key} not null){suffix}",
        "create unique index pf_filecontent on filecontent (objecttypecode, object, attribute)",
        f"create table filechunk (fileid {guid} not null, number {key} not null, body {_BYTES[engine.name]} not null,"
        f" primary key (fileid, number)){suffix}",
    ):
        connection.execute(statement)


def add_thumbnails(engine: Engine, connection: Connection) -> None:
    """The migration that gives contents a thumbnail."""
    if "thumbnail" not in engine.tables(connection).get("filecontent", set()):
        connection.execute(f"alter table filecontent add column thumbnail {engine.text_type}")


def file_of(work: Work, row: Row, column: str) -> StoredFile | None:
    """What a file column of a row holds."""
    found = work.connection.query(
        "select fileid, filename, mimetype, filesize from filecontent"
        " where objecttypecode = ? and object = ? and attribute = ?",
        (row.table.logical_name, row.key, column),
    )
    if not found:
        return None
    file_id, name, mime_type, size = found[0]
    return StoredFile(Guid(str(file_id)), name, mime_type, size)


def thumbnail_of(work: Work, file_id: Guid) -> str | None:
    """The thumbnail of an image's content, as base64."""
    found = work.connection.query("select thumbnail from filecontent where fileid = ?", (file_id,))
    return found[0][0] if found else None


def place_of(work: Work, file_id: Guid) -> tuple[Reference, str] | None:
    """The row and the column that hold a content."""
    found = work.connection.query(
        "select objecttypecode, objectid, attribute from filecontent where fileid = ?", (file_id,)
    )
    if not found:
        return None
    table, row_id, column = found[0]
    return Reference(table, Guid(str(row_id))), column


def bytes_of(work: Work, file_id: Guid, start: int, end: int) -> bytes:
    """The bytes from `start` up to, not including, `end`."""
    if end <= start:
        return b""
    first = start // CHUNK
    found = work.connection.query(
        "select body from filechunk where fileid = ? and number between ? and ? order by number",
        (file_id, first, (end - 1) // CHUNK),
    )
    read = b"".join(bytes(body) for (body,) in found)
    return read[start - first * CHUNK : end - first * CHUNK]


def set_file(
    work: Work, row: Row, column: str, file: StoredFile, pieces: Iterable[bytes], thumbnail: str | None = None
) -> None:
    """Put a content in the place of what the column holds. `pieces` are its bytes in any cut, `file.size` together."""
    remove_file(work, row, column)
    work.connection.execute(
        "insert into filecontent (fileid, objecttypecode, object, objectid, attribute, filename, mimetype, filesize,"
        " thumbnail) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (file.id, row.table.logical_name, row.key, row.id, column, file.name, file.mime_type, file.size, thumbnail),
    )
    size = 0
    for number, chunk in enumerate(_chunks(pieces)):
        size += len(chunk)
        work.connection.execute(
            "insert into filechunk (fileid, number, body) values (?, ?, ?)", (file.id, number, chunk)
        )
    if size != file.size:
        work.has_failed = True
        raise IntegrityViolation(f"A content of {file.size} bytes came as {size}.")


def _chunks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes, cut as they are stored."""
    held = bytearray()
    for piece in pieces:
        held += piece
        while len(held) >= CHUNK:
            yield bytes(memoryview(held)[:CHUNK])
            del held[:CHUNK]
    if held:
        yield bytes(held)


def adopt(work: Work, row: Row, column: str, file: StoredFile) -> None:
    """Put a content in the place of what the column holds whose bytes `stage` has stored under its id."""
    remove_file(work, row, column)
    work.connection.execute(
        "insert into filecontent (fileid, objecttypecode, object, objectid, attribute, filename, mimetype, filesize)"
        " values (?, ?, ?, ?, ?, ?, ?, ?)",
        (file.id, row.table.logical_name, row.key, row.id, column, file.name, file.mime_type, file.size),
    )


def stage(work: Work, file_id: Guid, at: int, body: bytes) -> None:
    """Store the next bytes of a content that nobody has yet, behind the `at` bytes that it has."""
    work.must_write()
    number, there = divmod(at, CHUNK)
    if there:  # the last piece is not full
        place = (file_id, number)
        (last,) = work.connection.query("select body from filechunk where fileid = ? and number = ?", place)[0]
        work.connection.execute("delete from filechunk where fileid = ? and number = ?", place)
        body = bytes(last) + body
    work.connection.execute_many(
        "insert into filechunk (fileid, number, body) values (?, ?, ?)",
        [(file_id, number + start // CHUNK, body[start : start + CHUNK]) for start in range(0, len(body), CHUNK)],
    )


def remove_file(work: Work, row: Row, column: str) -> None:
    """Remove what the column holds, if anything."""
    work.must_write()
    held = file_of(work, row, column)
    if held is not None:
        work.connection.execute("delete from filechunk where fileid = ?", (held.id,))
        work.connection.execute("delete from filecontent where fileid = ?", (held.id,))


def remove_of_rows(work: Work, table: Table, keys: Sequence[Key]) -> None:
    """Remove the contents of rows that are going."""
    if not any(column.type in _WITH_CONTENT for column in table.columns.values()):
        return
    chosen = f"objecttypecode = ? and {work.engine.keys_in('object')}"
    _remove(work, chosen, (table.logical_name, work.engine.as_list(keys)))


def remove_of_dropped(work: Work) -> None:
    """Remove the contents of tables and columns that the schema does not have any more."""
    for table_name, column_name in work.connection.query("select distinct objecttypecode, attribute from filecontent"):
        table = work.schema.tables.get(table_name)
        column = table.columns.get(column_name) if table is not None else None
        if column is None or column.type not in _WITH_CONTENT:
            _remove(work, "objecttypecode = ? and attribute = ?", (table_name, column_name))


def _remove(work: Work, condition: str, parameters: tuple[object, ...]) -> None:
    work.connection.execute(
        f"delete from filechunk where fileid in (select fileid from filecontent where {condition})", parameters
    )
    work.connection.execute(f"delete from filecontent where {condition}", parameters)
