"""`$batch`: many requests in one, change sets as one transaction (WA-280 to WA-294)."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from urllib.parse import quote

from strongroom.environment import Identity
from strongroom.errors import InvalidRequest, MethodNotAllowed, StrongroomError
from strongroom.records import Session
from strongroom.records.file_transfers import BLOCK
from strongroom.webapi import resources
from strongroom.webapi.errors import error_response, unexpected_response
from strongroom.webapi.exchange import Exchange
from strongroom.webapi.headers import read_preferences
from strongroom.webapi.http import Request, Response, effective_method
from strongroom.webapi.multipart import (
    Part,
    PartRequest,
    boundary_of,
    http_part,
    nested_part,
    read_request,
    split_parts,
    write_parts,
)
from strongroom.webapi.paths import split_path
from strongroom.webapi.refused import tell

MAX_REQUESTS = 1000
MAX_PART_URL = 65_536
_INHERITED = ("odata-version", "odata-maxversion", "mscrmcallerid", "callerobjectid", "authorization")
_SERVICE = re.compile(
    r"(?:(?P<origin>https?://[^/]+))?(?:/e/(?P<environment>[a-z0-9-]+))?/api/data/v[0-9.]+/?(?P<rest>.*)", re.DOTALL
)
_REFERENCE = re.compile(r"/?\$([^/?$()\s]+)")
_LITERAL = "!$%&'()*+,-./:;=?@_~"  # what stays as it is in a URL that came with raw characters


@dataclass(slots=True)
class ContentIds:
    """The rows that a change set made, by `Content-ID` (WA-290)."""

    addresses: dict[str, str] = field(default_factory=dict[str, str])

    def resolve(self, text: str) -> str:
        """`$1`, `/$1` or `$1/name` with the reference replaced by the address it stands for."""
        matched = _REFERENCE.match(text)
        if matched is None:
            return text
        address = self.addresses.get(matched[1])
        if address is None:
            raise InvalidRequest(f"Content-ID Reference: '${matched[1][:60]}' does not exist in the batch context.")
        return address + text[matched.end() :]


@dataclass(frozen=True, slots=True)
class _Single:
    content_id: str | None
    request: PartRequest


@dataclass(frozen=True, slots=True)
class _ChangeSet:
    requests: tuple[_Single, ...]


def respond(exchange: Exchange) -> Response:
    """Answer a batch: nothing runs unless all of it can be read."""
    request = exchange.request
    if request.method != "POST":
        raise MethodNotAllowed("A batch is sent with POST.", details={"allow": "POST"})
    items = _read(request)
    answers: list[bytes] = []
    status = 200
    for item in items:
        failed = False
        if isinstance(item, _ChangeSet):
            part, failed = _change_set(exchange, item)
            answers.append(part)
        else:
            response = _run(exchange, item, None, lambda text: text)
            failed = response.status >= 400
            answers.append(http_part(response, item.content_id))
        if failed and not exchange.preferences.continue_on_error:
            status = 400
            break
    boundary = f"batchresponse_{request.request_id}"
    headers = (("Content-Type", f"multipart/mixed; boundary={boundary}"),)
    return Response(status, headers, write_parts(boundary, answers))


def _read(request: Request) -> list[_Single | _ChangeSet]:
    items: list[_Single | _ChangeSet] = []
    number = 0
    for part in split_parts(request.body, boundary_of(request.header("content-type"))):
        if part.media_type == "multipart/mixed":
            inner = split_parts(part.content, boundary_of(part.headers["content-type"]))
            changes = tuple(_single(p) for p in inner)
            for change in changes:
                if change.request.method == "GET":
                    raise InvalidRequest("A change set holds changes only; put GET requests outside of it.")
            items.append(_ChangeSet(changes))
            number += len(changes)
        else:
            items.append(_single(part))
            number += 1
        if number > MAX_REQUESTS:
            raise InvalidRequest(f"A batch holds at most {MAX_REQUESTS} requests.")
    return items


def _single(part: Part) -> _Single:
    if part.media_type not in ("application/http", ""):
        raise InvalidRequest(f"A part of a batch has the type application/http, not '{part.media_type[:60]}'.")
    request = read_request(part.content)
    return _Single(part.headers.get("content-id", request.headers.get("content-id")), request)


def _change_set(exchange: Exchange, item: _ChangeSet) -> tuple[bytes, bool]:
    """The answer part of one change set, and whether it failed. Its requests share one transaction."""
    ids = ContentIds()
    answers: list[bytes] = []
    identity = exchange.identity
    try:
        with exchange.session(write=True) as session:
            for change in item.requests:
                response = _run(exchange, change, session, ids.resolve, identity)
                if response.status >= 400:
                    raise _Failed(response, change.content_id)
                address = response.header("OData-EntityId")
                if change.content_id is not None and address is not None:
                    ids.addresses[change.content_id] = address
                answers.append(http_part(response, change.content_id))
    except _Failed as failure:
        return http_part(failure.response, failure.content_id), True
    except StrongroomError as error:
        request = exchange.request
        return http_part(error_response(error, exchange.preferences, request.root, request.request_id)), True
    boundary = f"changesetresponse_{exchange.environment.new_id()}"
    return nested_part(boundary, answers), False


class _Failed(Exception):
    """Leaves the transaction of a change set, undoing it."""

    def __init__(self, response: Response, content_id: str | None) -> None:
        super().__init__()
        self.response = response
        self.content_id = content_id


def _run(
    exchange: Exchange,
    item: _Single,
    shared: Session | None,
    content: Callable[[str], str],
    identity: Identity | None = None,
) -> Response:
    outer = request = exchange.request
    preferences = read_preferences(item.request.headers.get("prefer"))
    try:
        request = _request(outer, item.request, content, exchange.environment.name)
        part = exchange.for_part(request, shared, content)
        own = Identity.of_request(exchange.identity.user_id, request.header)
        if identity is not None and own != identity:
            raise InvalidRequest("All requests of a change set act for the same user; impersonate outside of it.")
        part.identity = own
        return _held(resources.respond(part, split_path(request.path)))
    except StrongroomError as error:
        refused = error_response(error, preferences, outer.root, outer.request_id)
        return tell(exchange.environment, request, refused, outer)
    except Exception as error:  # noqa: BLE001 - the boundary of one part: the others keep their answers
        return unexpected_response(error, outer.request_id)


def _held(response: Response) -> Response:
    """An answer that can stand inside another one: all of it is held."""
    if response.stream is not None:
        raise InvalidRequest(
            f"At most {BLOCK // 2**20} MiB of a file are read inside a batch: send a Range header, or ask outside."
        )
    return response


def _request(outer: Request, part: PartRequest, content: Callable[[str], str], environment: str) -> Request:
    target = (
        content(part.target) if part.target.startswith(("$", "/$")) and "$batch" not in part.target else part.target
    )
    if len(target) > MAX_PART_URL:
        raise InvalidRequest(f"A URL inside a batch has at most {MAX_PART_URL} characters.")
    matched = _SERVICE.fullmatch(target)
    if matched is not None:
        if matched["origin"] and not _is_own(matched["origin"], outer):
            raise InvalidRequest(f"'{matched['origin'][:100]}' is not the address of this service.")
        if matched["environment"] not in (None, environment):
            raise InvalidRequest(f"A batch is for one environment; '{matched['environment'][:60]}' is another one.")
        target = matched["rest"]
    elif "://" in target.split("?", 1)[0]:
        raise InvalidRequest(f"'{target[:100]}' is not an address of this service.")
    path, _, query = quote(target.lstrip("/"), safe=_LITERAL + '"<>[]{}|^`\\#').replace("#", "%23").partition("?")
    if path.startswith("$batch"):
        raise InvalidRequest("A batch cannot hold another batch.")
    headers = {name: outer.headers[name] for name in _INHERITED if name in outer.headers}
    headers |= {name: value for name, value in part.headers.items() if name != "authorization"}
    if part.body and "content-type" not in headers:
        headers["content-type"] = "application/json"
    method = effective_method(part.method, part.headers)
    return replace(outer, method=method, path=path, query=query, headers=headers, body=part.body)


def _is_own(origin: str, outer: Request) -> bool:
    own = outer.root.split("/api/data/", 1)[0].split("/e/", 1)[0]
    if origin.lower() == own.lower():
        return True
    host = origin.split("://", 1)[1].rsplit(":", 1)[0].strip("[]").lower()
    return _is_loopback(outer.peer) and (host == "localhost" or _is_loopback(host))


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
