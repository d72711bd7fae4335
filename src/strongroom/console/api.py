"""The Web API as a page asks it: in this process, as the person who looks at the page.

The same requests that any client sends, through the same entrance: limits, security, trail and errors are those of the
Web API, so a page cannot do or show anything else.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import cast
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

import orjson

from strongroom.console.reader import FORMATTED, Reader
from strongroom.environment import Environment
from strongroom.identity import TokenClaims
from strongroom.ids import Guid
from strongroom.webapi.entrance import NOWHERE, Coming
from strongroom.webapi.http import Request, Response, Stream

Json = Mapping[str, object]
Ask = Callable[[Environment, Request, TokenClaims], Awaitable[Response]]
"""The entrance of the Web API for a request whose token has been verified."""

ANNOTATED = 'odata.include-annotations="*"'
LOOKUP_TABLE = "@Microsoft.Dynamics.CRM.lookuplogicalname"
ETAG = "@odata.etag"


class ApiError(Exception):
    """The Web API refused. `status` and `code` are those of its answer, `message` is written for people."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Answer:
    """What the Web API answered: headers by lower-case name; `body` is {} where there is none."""

    status: int
    headers: Mapping[str, str]
    body: Json

    @property
    def created_id(self) -> str:
        """The id of the row that was created."""
        return self.headers["odata-entityid"].rpartition("(")[2].rstrip(")")


@dataclass(frozen=True, slots=True)
class Download:
    """A file on its way: `content` is read while it goes."""

    name: str
    content: Stream


class Api:
    """One visitor's requests in one environment. Every method raises `ApiError` for anything but success."""

    def __init__(
        self,
        ask: Ask,
        environment: Environment,
        claims: TokenClaims,
        origin: str,
        acting: Guid | None = None,
        coming: Coming = NOWHERE,
        reader: Reader | None = None,
    ) -> None:
        """`acting`: the user that the visitor looks as (SM-68). `coming`: where the visitor comes from (TS-723).
        `reader`: for whom formatted values are written; as the Web API writes them without one."""
        self._ask = ask
        self._always = {"accept": "application/json"} | ({} if acting is None else {"mscrmcallerid": acting})
        self._environment = environment
        self._claims = claims
        self._reader = reader
        self._peer = coming.peer
        if coming.forwarded_for:
            self._always["x-forwarded-for"] = coming.forwarded_for
        self._root = f"{origin}/e/{environment.name}/api/data/v9.2/"

    def row_address(self, entity_set: str, row_id: str) -> str:
        """The whole address of a row, as links between rows name it."""
        return f"{self._root}{entity_set}({row_id})"

    async def get(self, path: str, options: Mapping[str, str] | None = None, *, prefer: Sequence[str] = ()) -> Json:
        """The body of a GET with annotations; `options` are query options as they are written in a URL, unencoded."""
        headers = {"prefer": ",".join((ANNOTATED, *prefer))}
        answer = await self.send("GET", path, options=options, headers=headers)
        return answer.body

    async def rows(self, path: str, options: Mapping[str, str] | None = None, *, most: int = 5000) -> Sequence[Json]:
        """The rows of the first page of a collection, at most `most` of them."""
        body = await self.get(path, options, prefer=(f"odata.maxpagesize={most}",))
        return objects(body.get("value"))

    async def rows_if_allowed(
        self,
        path: str,
        options: Mapping[str, str] | None = None,
        *,
        most: int = 5000,
        unless: Collection[int] = (403, 404),
    ) -> Sequence[Json] | None:
        """The rows of the first page, or None where the answer's status is one of `unless`: no privilege to look."""
        try:
            return await self.rows(path, options, most=most)
        except ApiError as error:
            if error.status in unless:
                return None
            raise

    async def ask(self, function: str, **parameters: object) -> Json:
        """The answer of an unbound function; parameters go as aliases, so any JSON value will do."""
        names = ",".join(f"{name}=@{name}" for name in parameters)
        options = {f"@{name}": _literal(value) for name, value in parameters.items()}
        return await self.get(f"{function}({names})", options)

    async def send(
        self,
        method: str,
        path: str,
        body: object | None = None,
        *,
        options: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request. `path` follows the service root; `body` is sent as JSON."""
        sent = dict(headers or {})
        content = b""
        if body is not None:
            content = orjson.dumps(body)
            sent["content-type"] = "application/json"
        response = await self._answer(method, path, content, sent, options)
        parsed = _parsed(response)
        if self._reader is not None:
            self._reader.write(parsed)
        return Answer(response.status, {name.lower(): value for name, value in response.headers}, parsed)

    async def download(self, path: str) -> Download:
        """The content of a file."""
        response = await self._answer("GET", path, b"", {}, None)
        name = unquote(response.header("x-ms-file-name") or "")
        return Download(name, response.stream or Stream(len(response.body), iter((response.body,)), is_embedded=True))

    async def upload(self, path: str, content: bytes, name: str) -> None:
        """Put a file in place."""
        headers = {"content-type": "application/octet-stream", "x-ms-file-name": name}
        await self._answer("PATCH", path, content, headers, None)

    async def _answer(
        self, method: str, path: str, content: bytes, headers: Mapping[str, str], options: Mapping[str, str] | None
    ) -> Response:
        request = Request(
            method=method,
            path=quote(path, safe="/()=,'$@.:;!*~-_%"),
            query=urlencode(options or {}, quote_via=quote, safe="$@,()'"),
            headers={**self._always, **headers},
            body=content,
            root=self._root,
            request_id=self._environment.new_id(),
            peer=self._peer,
            is_page=True,
        )
        response = await self._ask(self._environment, request, self._claims)
        if response.status >= 400:
            raise _refusal(response.status, _parsed(response))
        return response


def reference(entity_set: str, row_id: Guid) -> dict[str, str]:
    """A row as the argument of a function or action."""
    return {"@odata.id": f"{entity_set}({row_id})"}


def next_token(body: Json) -> str | None:
    """The token that the next page of a collection begins after."""
    found = parse_qs(urlsplit(text(body.get("@odata.nextLink"))).query).get("$skiptoken")
    return found[0] if found else None


def objects(value: object) -> Sequence[Json]:
    """The objects of a JSON array; what is no object is left out."""
    if not isinstance(value, list):
        return ()
    found = (as_object(item) for item in cast("list[object]", value))
    return [each for each in found if each]


def strings(value: object) -> Sequence[str]:
    """The items of a JSON array as text."""
    return [text(item) for item in cast("list[object]", value)] if isinstance(value, list) else ()


def as_object(value: object) -> Json:
    """A JSON object; {} for anything else."""
    return cast("Json", value) if isinstance(value, dict) else {}


def text(value: object) -> str:
    """A JSON value as text; null is empty."""
    return "" if value is None else str(value)


def formatted(row: Json, name: str) -> str:
    """A value as people read it: the formatted one where the Web API gives it, else the value itself."""
    return text(row.get(name + FORMATTED, row.get(name)))


def _literal(value: object) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return orjson.dumps(value).decode()


def _parsed(response: Response) -> dict[str, object]:
    if not response.body or not (response.header("content-type") or "").startswith("application/json"):
        return {}
    return dict(as_object(orjson.loads(response.body)))


def _refusal(status: int, body: Json) -> ApiError:
    error = as_object(body.get("error"))
    if not error:
        return ApiError(status, "", "The server could not answer this.")
    return ApiError(status, text(error.get("code")), text(error.get("message")))
