"""The multipart bodies of `$batch`, read as leniently as clients write them and written as strictly as they read
(WA-280 to WA-293)."""

import re
from dataclasses import dataclass

from strongroom.errors import InvalidRequest, UnsupportedMediaType
from strongroom.webapi.http import Response, joined_headers

_BOUNDARY = re.compile(r"""boundary\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;]+))""", re.IGNORECASE)
_VERSION = re.compile(r"\s+HTTP/\d(?:\.\d)?\s*$")
_LEGAL = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{1,200}")
_DELIMITER_END = re.compile(rb"(--)?[ \t\r]*(?:\n|\Z)")
_LINE_FEED = 0x0A
MAX_PARTS = 1000
MAX_HEADERS = 100


@dataclass(frozen=True, slots=True)
class Part:
    """One part: its headers (lower-case names) and its content."""

    headers: dict[str, str]
    content: bytes

    @property
    def media_type(self) -> str:
        """`application/http` or `multipart/mixed`, without parameters."""
        return self.headers.get("content-type", "").split(";", 1)[0].strip().lower()


@dataclass(frozen=True, slots=True)
class PartRequest:
    """The request inside an `application/http` part. `target` may hold raw spaces (WA-282)."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


def boundary_of(content_type: str | None) -> str:
    """The boundary of a `multipart/mixed` type: 415 for another type, 400 without a boundary."""
    media = (content_type or "").split(";", 1)[0].strip().lower()
    if media != "multipart/mixed":
        raise UnsupportedMediaType(f"A batch is sent as multipart/mixed; the request has '{media[:100]}'.")
    matched = _BOUNDARY.search(content_type or "")
    boundary = (matched[1] or matched[2] or "") if matched else ""
    if not _LEGAL.fullmatch(boundary):
        raise InvalidRequest("The Content-Type of the batch has no usable boundary.")
    return boundary


def split_parts(body: bytes, boundary: str) -> list[Part]:
    """The parts between the delimiters. Line ends may be CRLF or LF; a preamble and an epilogue are skipped.

    The body is searched for delimiters and never cut into lines: it may be 100 MiB of line ends.
    """
    delimiter = b"--" + boundary.encode("latin-1")
    parts: list[Part] = []
    start: int | None = None
    at = body.find(delimiter)
    while at >= 0:
        ending = _DELIMITER_END.match(body, at + len(delimiter)) if at == 0 or body[at - 1] == _LINE_FEED else None
        if ending is not None:
            if start is not None:
                parts.append(_part(body[start:at]))
                if len(parts) > MAX_PARTS:
                    raise InvalidRequest(f"A batch holds at most {MAX_PARTS} requests.")
            start = ending.end()
            if ending[1]:
                return parts
        at = body.find(delimiter, at + len(delimiter))
    if start is None:
        raise InvalidRequest(f"The batch body has no part that begins with '--{boundary}'.")
    if start < len(body):
        parts.append(_part(body[start:]))
    return parts


def read_request(content: bytes) -> PartRequest:
    """The HTTP request inside a part: blank lines, then `METHOD target HTTP/1.1`, headers, an empty line, the body."""
    text = content.lstrip(b"\r\n")
    line, _, rest = text.partition(b"\n")
    try:
        request_line = line.rstrip(b"\r").decode("utf-8").strip()
    except UnicodeDecodeError:
        raise InvalidRequest("A request line in the batch is not valid UTF-8.") from None
    method, space, target = request_line.partition(" ")
    target, version = _VERSION.subn("", target)
    target = target.strip()
    if not space or not target or not version or not method.isalpha():
        raise InvalidRequest(
            f"'{request_line[:100]}' in the batch is not a request line such as 'GET accounts HTTP/1.1'."
        )
    headers, body = _head(rest)
    return PartRequest(method.upper(), target, headers, body.strip(b"\r\n"))


def write_parts(boundary: str, parts: list[bytes]) -> bytes:
    """A multipart body that begins with its delimiter at the first byte (WA-285)."""
    delimiter = b"--" + boundary.encode()
    return b"".join(delimiter + b"\r\n" + part + b"\r\n" for part in parts) + delimiter + b"--\r\n"


def http_part(response: Response, content_id: str | None = None) -> bytes:
    """One answer as an `application/http` part."""
    lines = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    if content_id is not None:
        lines.append(f"Content-ID: {content_id}")
    lines += ["", f"HTTP/1.1 {response.status} {response.reason}"]
    lines += [f"{name}: {_clean(value)}" for name, value in response.headers]
    lines.append("OData-Version: 4.0")
    return "\r\n".join(lines).encode("utf-8") + b"\r\n\r\n" + response.body


def nested_part(boundary: str, parts: list[bytes]) -> bytes:
    """The answers of a change set as one `multipart/mixed` part (WA-289)."""
    return f"Content-Type: multipart/mixed; boundary={boundary}\r\n\r\n".encode() + write_parts(boundary, parts)


def _clean(value: str) -> str:
    return value.replace("\r", " ").replace("\n", " ")


def _part(piece: bytes) -> Part:
    headers, content = _head(piece)
    return Part(headers, content)


def _head(text: bytes) -> tuple[dict[str, str], bytes]:
    """Header lines up to an empty line, and what follows. A text without an empty line is all headers."""
    lines: list[tuple[str, str]] = []
    position = 0
    while position < len(text):
        end = text.find(b"\n", position)
        line = text[position : end if end >= 0 else len(text)].rstrip(b"\r")
        position = end + 1 if end >= 0 else len(text)
        if not line.strip():
            break
        name, colon, value = line.partition(b":")
        if not colon:
            raise InvalidRequest(f"'{line[:60].decode('latin-1')}' in the batch is not a header.")
        lines.append((name.decode("latin-1"), value.decode("latin-1")))
        if len(lines) > MAX_HEADERS:
            raise InvalidRequest(f"A part of a batch has at most {MAX_HEADERS} headers.")
    return joined_headers(lines), text[position:]
