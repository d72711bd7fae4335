"""Requests and answers as values, so that a part of a `$batch` and a request of its own take the same way."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from urllib.parse import unquote_to_bytes

from strongroom.errors import InvalidRequest, QueryError

JSON_TYPE = "application/json; odata.metadata=minimal"


@dataclass(frozen=True, slots=True)
class Request:
    """One request to the Web API.

    `path` is what follows the service root, still percent-encoded and without a leading slash (`accounts(…)/name`);
    `query` is the raw query string. `headers` has lower-case names; several headers of one name are joined by commas.
    `root` is the service root with the authority that the client used, ending in a slash (WA-6).
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    root: str
    request_id: str
    peer: str = ""
    """The address that the request comes from."""

    is_page: bool = False
    """Whether a page of the console asks, for somebody at a browser."""

    def header(self, name: str) -> str | None:
        """A header's value, None when absent. `null` as a value of the conditions means absent (WA-34)."""
        value = self.headers.get(name)
        if value is not None and name in ("if-none-match", "if-match") and value.strip() == "null":
            return None
        return value


@dataclass(frozen=True, slots=True)
class Stream:
    """A body that is too long to hold: `pieces` reads one after the other, each in a transaction of its own, `size`
    bytes together. `is_embedded` says that they are read on the event loop, as the embedded store is."""

    size: int
    pieces: Iterator[bytes]
    is_embedded: bool


@dataclass(frozen=True, slots=True)
class Response:
    """An answer. Header names are as they go over the wire; `body` is complete, unless there is a `stream`."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    stream: Stream | None = None

    def with_headers(self, extra: Iterable[tuple[str, str]]) -> "Response":
        """The same answer with more headers."""
        return replace(self, headers=(*self.headers, *extra))

    def header(self, name: str) -> str | None:
        """The first header with this name, whatever its case."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)

    @property
    def reason(self) -> str:
        """The reason phrase: letters and spaces only (WA-285)."""
        try:
            return HTTPStatus(self.status).phrase.replace("-", " ").replace("'", "")
        except ValueError:
            return "Unknown"


def no_content(*headers: tuple[str, str]) -> Response:
    """204: done, nothing to show (WA-41)."""
    return Response(204, headers)


def json_response(status: int, body: bytes, *headers: tuple[str, str]) -> Response:
    """An answer with a JSON body that is already encoded."""
    return Response(status, (("Content-Type", JSON_TYPE), *headers), body)


def decode_segment(text: str) -> str:
    """One path segment, percent-decoded once; bytes that are not UTF-8 are refused (WA-4)."""
    if "%" not in text:
        return text
    try:
        return unquote_to_bytes(text).decode("utf-8")
    except UnicodeDecodeError:
        raise QueryError("The request URL holds bytes that are not valid UTF-8.") from None


def joined_headers(lines: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Header lines, in arrival order, as `Request.headers` wants them: a repeated name is joined by a comma."""
    found: dict[str, str] = {}
    for name, value in lines:
        key, text = name.strip().lower(), value.strip()
        found[key] = f"{found[key]},{text}" if key in found else text
    return found


_TUNNELLED = {"PATCH": "PATCH", "MERGE": "PATCH", "PUT": "PUT", "DELETE": "DELETE"}


def effective_method(method: str, headers: Mapping[str, str]) -> str:
    """The method that a request means: behind proxies that let nothing else through, a POST may carry another one in
    `X-HTTP-Method-Override` (WA-11). 400 for one that cannot be carried."""
    override = headers.get("x-http-method-override")
    if override is None or method != "POST":
        return method
    meant = _TUNNELLED.get(override.strip().upper())
    if meant is None:
        raise InvalidRequest(
            f"X-HTTP-Method-Override carries PATCH, PUT, DELETE or MERGE, not '{override.strip()[:20]}'."
        )
    return meant
