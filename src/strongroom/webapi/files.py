"""`accounts(…)/new_file`: upload in one request or in chunks, delete (WA-360 to WA-365); images likewise (WA-370)."""

import re
from dataclasses import replace

from strongroom.errors import InvalidRequest, MethodNotAllowed, UnsupportedMediaType
from strongroom.records import Address, Session, refusals
from strongroom.records import file_transfers as transfers
from strongroom.records.files import Upload, held, remove, upload
from strongroom.schema.model import Column, Table
from strongroom.webapi.downloads import FILE_NAME, OCTETS, download
from strongroom.webapi.exchange import Exchange
from strongroom.webapi.headers import read_condition
from strongroom.webapi.http import Response, no_content
from strongroom.webapi.paths import unknown_segment
from strongroom.webapi.queries import expected_version

_CHUNK = re.compile(r"bytes (\d{1,18})-(-?\d{1,18})/(\d{1,18}|\*)")
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
            return download(exchange, session, table, address, column, as_json=not tail)
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
    new = _described_upload(exchange, session, table, address, None, request.body)
    upload(session, table, address, column, replace(new, size=len(request.body), pieces=(request.body,)))
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
    """Where a chunk begins and how large the whole is: `bytes 0-4194303/9000000`; `*` for a size that is not known
    yet, of any chunk but the last."""
    matched = _CHUNK.fullmatch((header or "").strip())
    if matched is None:
        raise InvalidRequest("A chunk says where it belongs: Content-Range: bytes <first>-<last>/<size of the file>.")
    start, last = int(matched[1]), int(matched[2])
    size = start + length + 1 if matched[3] == "*" else int(matched[3])
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
    name = _text(request.header(FILE_NAME)) or exchange.options.custom.get(FILE_NAME) or known
    if not name:
        raise InvalidRequest(f"The file has no name: send the header {FILE_NAME}.")
    none_match = read_condition(request.header("if-none-match"))
    return Upload(
        name,
        transfers.media_type(media if media != OCTETS and _MEDIA.fullmatch(media) else None, name),
        must_be_empty=none_match is not None and none_match.any,
        expected_version=expected_version(session, table, address, read_condition(request.header("if-match"))),
    )


def _text(header: str | None) -> str | None:
    """A header as text: clients send names as UTF-8, which arrives byte by byte."""
    if header is None:
        return None
    try:
        return header.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return header
