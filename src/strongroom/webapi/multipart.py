"""The multipart bodies of `$batch`, read as leniently as clients write them and written as strictly as they read
(WA-280 to WA-293)."""

import re
from dataclasses import dataclass

from strongroom.errors import InvalidRequest, UnsupportedMediaType
from strongroom.webapi.http import HeaderMap, Response

_BOUNDARY = re.compile(r"""boundary\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;]+))""", re.IGNORECASE)
_VERSION = re.compile(r"\s+HTTP/\d(?:\.\d)?\s*$")
_LEGAL = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{1,200}")


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
    """The parts between the delimiters. Line ends may be CRLF or LF; a preamble and an epilogue are skipped."""
    delimiter = b"--" + boundary.encode("latin-1")
    pieces: list[bytes] = []
    current: list[bytes] | None = None
    closed = False
    for line in body.splitlines(keepends=True) if b"\r\n" not in body else _crlf_lines(body):
        bare = line.rstrip(b"\r\n \t")
        if bare == delimiter or bare == delimiter + b"--":
            if current is not None:
                pieces.append(b"".join(current))
            current = []
            if bare.endswith(b"--") and bare != delimiter:
                closed, current = True, None
                break
        elif current is not None:
            current.append(line)
    if current is not None and not closed and current:
        pieces.append(b"".join(current))
    if current is None and not closed:
        raise InvalidRequest(f"The batch body has no part that begins with '--{boundary}'.")
    return [_part(piece) for piece in pieces]


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


def _crlf_lines(body: bytes) -> list[bytes]:
    lines = body.split(b"\n")
    return [line + b"\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])


def _part(piece: bytes) -> Part:
    headers, content = _head(piece)
    return Part(headers, content)


def _head(text: bytes) -> tuple[dict[str, str], bytes]:
    """Header lines up to an empty line, and what follows. A text without an empty line is all headers."""
    collected = HeaderMap()
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
        collected.add(name.decode("latin-1"), value.decode("latin-1"))
    return collected.values, text[position:]
