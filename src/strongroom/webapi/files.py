"""`accounts(…)/new_file`: upload in one request, download, delete (WA-360, WA-363 to WA-365)."""

import mimetypes
import re
from base64 import b64encode
from urllib.parse import quote

from strongroom.errors import InvalidRequest, MethodNotAllowed, NotOffered, RangeNotSatisfiable, UnsupportedMediaType
from strongroom.records import Address, Session
from strongroom.records.files import Upload, content, held, remove, upload
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
    request = exchange.request
    if request.header("x-ms-transfer-mode") or "sessiontoken" in exchange.options.custom:
        raise NotOffered("Uploading a file in chunks is not offered; send it whole in one request.")
    media = (request.header("content-type") or OCTETS).split(";", 1)[0].strip().lower()
    if media in ("application/json", "text/json"):
        raise UnsupportedMediaType(f"A file is sent as {OCTETS}, not as JSON.")
    name = _text(request.header(_NAME)) or exchange.options.custom.get(_NAME)
    if not name:
        raise InvalidRequest(f"The file has no name: send the header {_NAME}.")
    none_match = read_condition(request.header("if-none-match"))
    new = Upload(
        name,
        media if media != OCTETS and _MEDIA.fullmatch(media) else mimetypes.guess_type(name)[0] or OCTETS,
        request.body,
        must_be_empty=none_match is not None and none_match.any,
        expected_version=expected_version(session, table, address, read_condition(request.header("if-match"))),
    )
    upload(session, table, address, column, new)
    return no_content()


def _download(
    exchange: Exchange, session: Session, table: Table, address: Address, column: Column, *, as_json: bool
) -> Response:
    row_id, file = held(session, table, address, column)
    if file is None:
        return no_content()
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
