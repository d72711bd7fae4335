"""`accounts(…)/new_file`: upload in one request or in chunks, download, delete (WA-360 to WA-365)."""

import re
from base64 import b64encode
from urllib.parse import quote

from strongroom.errors import InvalidRequest, MethodNotAllowed, RangeNotSatisfiable, UnsupportedMediaType
from strongroom.records import Address, Session, refusals
from strongroom.records import file_transfers as transfers
from strongroom.records.files import Upload, content, held, remove, tell_download, upload
from strongroom.schema.model import Column, Table
from strongroom.store.protocol import StoredFile
from strongroom.webapi.exchange import Exchange
from strongroom.webapi.headers import read_condition
from strongroom.webapi.http import Response, json_response, no_content
from strongroom.webapi.paths import unknown_segment
from strongroom.webapi.queries import expected_version
from strongroom.webapi.rendering import encode

OCTETS = "application/octet-stream"
_NAME = "x-ms-file-name"
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_CHUNK = re.compile(r"bytes (\d{1,18})-(-?\d{1,18})/(\d{1,18})")
_SESSION = "sessiontoken"
_MEDIA = re.compile(r"[\w.+\-]{1,60}/[\w.+\-]{1,60}", re.ASCII)


def respond(
    exchange: Exchange, session: Session, table: Table, address: Address, column: Column, tail: str
) -> Response:
    """Answer for a file column of one row, or its `$value`."""
    if tail not in ("", "$value"):
        raise unknown_segment(tail, ("$value",))
    match exchange.request.method:
        case "GET" | "HEAD":
            return _download(exchange, session, table, address, column, as_json=not tail)
        case "PATCH" | "PUT" if not tail:
            return _upload(exchange, session, table, address, column)
        case "DELETE" if not tail:
            remove(session, table, address, column)
            return no_content()
        case method:
            allow = "GET, HEAD" if tail else "GET, HEAD, PATCH, PUT, DELETE"
            raise MethodNotAllowed(
                f"The requested resource does not support http method '{method}'.", details={"allow": allow}
            )


def _upload(exchange: Exchange, session: Session, table: Table, address: Address, column: Column) -> Response:
    """One request that uploads, whole or in part: an URL with a `sessiontoken` is a chunk, whatever else it says."""
    request = exchange.request
    token = exchange.options.custom.get(_SESSION)
    if token is not None:
        return _chunk(exchange, session, table, address, column, token)
    if request.header("x-ms-transfer-mode") is not None:
        return _begin(exchange, session, table, address, column)
    upload(session, table, address, column, _described_upload(exchange, session, table, address, None, request.body))
    return no_content()


def _begin(exchange: Exchange, session: Session, table: Table, address: Address, column: Column) -> Response:
    """Begin an upload in chunks: `Location` says where they go (WA-361)."""
    request = exchange.request
    if (request.header("x-ms-transfer-mode") or "").strip().lower() != "chunked":
        raise InvalidRequest("The header x-ms-transfer-mode can only be 'chunked'.")
    if request.body:
        raise InvalidRequest("The request that begins an upload in chunks has no body; its answer says where they go.")
    new = _described_upload(exchange, session, table, address, None, b"")
    row_id, held_now = held(session, table, address, column)
    if new.must_be_empty and held_now is not None:
        raise refusals.exists_already()
    begun = transfers.begin_upload(session, table, address, column, new.name)
    place = f"{request.root}{table.entity_set_name}({row_id})/{column.logical_name}?{_SESSION}={begun.token}"
    return Response(
        200,
        (
            ("Location", place),
            ("x-ms-chunk-size", str(transfers.BLOCK)),
            ("Accept-Ranges", "bytes"),
            ("Access-Control-Expose-Headers", "x-ms-chunk-size"),
        ),
    )


def _chunk(
    exchange: Exchange, session: Session, table: Table, address: Address, column: Column, token: str
) -> Response:
    """Keep a chunk: 206, or 204 for the last one, which makes the file (WA-361).

    Clients whose file ends where a chunk ends send an empty one after the last: it changes nothing (WA-362).
    """
    start, size = _chunk_place(exchange.request.header("content-range"), len(exchange.request.body))
    body = exchange.request.body
    transfer = transfers.upload_at(session, table, address, column, token)
    if transfer is None and not body and start == size:
        return no_content()
    if transfer is None:
        raise InvalidRequest(
            "The sessiontoken is not known, or not of an upload of yours into this column, or its time is over."
        )
    transfers.append(session, transfer, start, body)
    if start + len(body) < size:
        return Response(206)
    new = _described_upload(exchange, session, table, address, transfer.name, b"")
    transfers.commit(session, transfer, transfers.blocks_in_order(session, transfer), new)
    return no_content()


def _chunk_place(header: str | None, length: int) -> tuple[int, int]:
    """Where a chunk begins and how large the whole is: `bytes 0-4194303/9000000`."""
    matched = _CHUNK.fullmatch((header or "").strip())
    if matched is None:
        raise InvalidRequest("A chunk says where it belongs: Content-Range: bytes <first>-<last>/<size of the file>.")
    start, last, size = int(matched[1]), int(matched[2]), int(matched[3])
    if last - start + 1 != length or start + length > size:
        raise InvalidRequest(f"'Content-Range: {matched[0]}' does not fit a chunk of {length} bytes.")
    if not length and start != size:
        raise InvalidRequest("A chunk before the end of the file cannot be empty.")
    return start, size


def _described_upload(
    exchange: Exchange, session: Session, table: Table, address: Address, known: str | None, body: bytes
) -> Upload:
    """What the head says of a content. `known` is the name that was told before."""
    request = exchange.request
    media = (request.header("content-type") or OCTETS).split(";", 1)[0].strip().lower()
    if media in ("application/json", "text/json"):
        if body:
            raise UnsupportedMediaType(f"A file is sent as {OCTETS}, not as JSON.")
        media = OCTETS  # the request that begins chunks has no body, and one client sends its usual type (WA-32)
    name = _text(request.header(_NAME)) or exchange.options.custom.get(_NAME) or known
    if not name:
        raise InvalidRequest(f"The file has no name: send the header {_NAME}.")
    none_match = read_condition(request.header("if-none-match"))
    return Upload(
        name,
        transfers.media_type(media if media != OCTETS and _MEDIA.fullmatch(media) else None, name),
        body,
        must_be_empty=none_match is not None and none_match.any,
        expected_version=expected_version(session, table, address, read_condition(request.header("if-match"))),
    )


def _download(
    exchange: Exchange, session: Session, table: Table, address: Address, column: Column, *, as_json: bool
) -> Response:
    row_id, file = held(session, table, address, column)
    if file is None:
        return no_content()
    tell_download(session, table, row_id, column)
    wanted = _range(exchange.request.header("range"), file.size)
    start, end = wanted or (0, file.size)
    body = content(session, file, start, end)
    headers = _described(file)
    if wanted is not None:
        headers.append(("Content-Range", f"bytes {start}-{end - 1}/{file.size}"))
    status = 200 if wanted is None else 206
    if not as_json:
        return Response(status, (("Content-Type", OCTETS), *headers), body)
    place = f"{table.entity_set_name}({row_id})/{column.logical_name}"
    root = exchange.request.root
    shown = {"@odata.context": f"{root}$metadata#{place}", "value": b64encode(body).decode("ascii")}
    return json_response(status, encode(shown), *headers, ("Location", root + place))


def _described(file: StoredFile) -> list[tuple[str, str]]:
    plain = file.name if file.name.isascii() else quote(file.name)
    shown = plain.replace("\\", "\\\\").replace('"', '\\"')
    disposition = f'attachment; filename="{shown}"'
    if not file.name.isascii():
        disposition += f"; filename*=UTF-8''{quote(file.name, safe='')}"
    return [
        ("Content-Disposition", disposition),
        (_NAME, plain),
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


def _text(header: str | None) -> str | None:
    """A header as text: clients send names as UTF-8, which arrives byte by byte."""
    if header is None:
        return None
    try:
        return header.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return header
