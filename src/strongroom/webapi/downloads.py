"""Reading what a file or image column holds: `…/new_file[/$value]`, whole or in ranges (WA-363, WA-364, WA-370).

Up to 4 MiB are read in the transaction that found the file. What is larger goes out piece by piece, each read by
itself, so that neither the whole file is in memory nor a transaction open while a slow client takes it. A content
never changes under its id; when it is replaced meanwhile the answer ends early, which its `Content-Length` tells.
"""

import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from urllib.parse import quote

from strongroom.errors import Conflict, RangeNotSatisfiable
from strongroom.ids import Guid
from strongroom.records import Address, Session
from strongroom.records.file_transfers import BLOCK
from strongroom.records.files import content, held, tell_download
from strongroom.records.images import thumbnail_of
from strongroom.schema.model import Column, ColumnType, Table
from strongroom.store.protocol import StoredFile
from strongroom.webapi.exchange import Exchange
from strongroom.webapi.http import JSON_TYPE, Response, Stream, json_response, no_content
from strongroom.webapi.rendering import encode

OCTETS = "application/octet-stream"
FILE_NAME = "x-ms-file-name"
_PIECE = 1_048_575
"""Bytes of a piece: a multiple of three, so that pieces of base64 can be put together."""

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def download(
    exchange: Exchange, session: Session, table: Table, address: Address, column: Column, *, as_json: bool
) -> Response:
    """Answer a GET or HEAD: the bytes, or with `as_json` an object with their base64. Of an image the thumbnail, unless
    the query says `size=full`; 204 when there is nothing, or nothing that the caller may read."""
    row_id, file = held(session, table, address, column)
    if file is None:
        return no_content()
    is_full = column.type is not ColumnType.IMAGE or exchange.options.custom.get("size", "").lower() == "full"
    if not is_full:
        small = thumbnail_of(session, file)
        name = f"{file.name.rpartition('.')[0] or file.name}.jpg"
        shown = StoredFile(file.id, name, "image/jpeg", len(small))
        return _answer(exchange, session, table, row_id, column, shown, small, as_json=as_json)
    if column.type is ColumnType.IMAGE and not file.size:
        return no_content()
    return _answer(exchange, session, table, row_id, column, file, None, as_json=as_json)


def _answer(
    exchange: Exchange,
    session: Session,
    table: Table,
    row_id: Guid,
    column: Column,
    file: StoredFile,
    body: bytes | None,
    *,
    as_json: bool,
) -> Response:
    """`body` is there when the content is at hand; else it is read as `file`."""
    wanted = _range(exchange.request.header("range"), file.size)
    start, end = wanted or (0, file.size)
    tell_download(session, table, row_id, column)
    headers = _described(file)
    if wanted is not None:
        headers.append(("Content-Range", f"bytes {start}-{end - 1}/{file.size}"))
    status = 200 if wanted is None else 206
    place = f"{table.entity_set_name}({row_id})/{column.logical_name}"
    root = exchange.request.root
    if as_json:
        headers.append(("Location", root + place))
    if body is None and end - start > BLOCK:
        stream = _stream(exchange, file, start, end)
        if as_json:
            prefix = encode({"@odata.context": f"{root}$metadata#{place}"})[:-1] + b',"value":"'
            return Response(status, (("Content-Type", JSON_TYPE), *headers), stream=_as_base64(stream, prefix))
        return Response(status, (("Content-Type", OCTETS), *headers), stream=stream)
    read = content(session, file, start, end) if body is None else body[start:end]
    if not as_json:
        return Response(status, (("Content-Type", OCTETS), *headers), read)
    shown = {"@odata.context": f"{root}$metadata#{place}", "value": b64encode(read).decode("ascii")}
    return json_response(status, encode(shown), *headers)


def _stream(exchange: Exchange, file: StoredFile, start: int, end: int) -> Stream:
    database = exchange.environment.database

    def read(first: int, last: int) -> bytes:
        with database.read() as transaction:
            piece = transaction.file_bytes(file.id, first, last)
        if len(piece) != last - first:
            raise Conflict("The file was replaced or removed while it was read.")
        return piece

    return Stream(end - start, _pieces(read, start, end), database.engine == "sqlcipher")


def _pieces(read: Callable[[int, int], bytes], start: int, end: int) -> Iterator[bytes]:
    for first in range(start, end, _PIECE):
        yield read(first, min(first + _PIECE, end))


def _as_base64(stream: Stream, prefix: bytes) -> Stream:
    """The same as one text in a JSON object that `prefix` begins."""

    def pieces() -> Iterator[bytes]:
        yield prefix
        yield from map(b64encode, stream.pieces)
        yield b'"}'

    size = len(prefix) + 4 * -(-stream.size // 3) + 2
    return Stream(size, pieces(), stream.is_embedded)


def _described(file: StoredFile) -> list[tuple[str, str]]:
    plain = file.name if file.name.isascii() else quote(file.name)
    shown = plain.replace("\\", "\\\\").replace('"', '\\"')
    disposition = f'attachment; filename="{shown}"'
    if not file.name.isascii():
        disposition += f"; filename*=UTF-8''{quote(file.name, safe='')}"
    return [
        ("Content-Disposition", disposition),
        (FILE_NAME, plain),
        ("x-ms-file-size", str(file.size)),
        ("mimetype", file.mime_type),
        ("Accept-Ranges", "bytes"),
    ]


def _range(header: str | None, size: int) -> tuple[int, int] | None:
    """The bytes that `Range` asks for, as start and end (not included); None for all of them.

    Several ranges, other units and what cannot be read count as no range at all, as HTTP wants it.
    """
    matched = _RANGE.fullmatch((header or "").replace(" ", ""))
    if matched is None or not (matched[1] or matched[2]):
        return None
    if not matched[1]:
        last = int(matched[2])
        start, end = max(0, size - last), size
    else:
        start = int(matched[1])
        end = min(size, int(matched[2]) + 1) if matched[2] else size
        if matched[2] and int(matched[2]) < start:
            return None
    if start >= end:
        message = f"The range lies outside of the file, which has {size} bytes."
        raise RangeNotSatisfiable(message, details={"size": size})
    return start, end
