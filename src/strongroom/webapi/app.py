"""The ASGI application: which part of the server a request is for, its head checks, its body, its answer.

Order of refusals (WA-55): 401 before everything that would tell an unknown caller anything, then size of URL and
body, then what `service` finds. Plain ASGI without middleware: each layer would cost more than a row costs to read.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any, TypeVar

from strongroom.environment import Environment
from strongroom.environments import Environments
from strongroom.errors import InvalidRequest, NotFound, StrongroomError, TooLarge, Unauthenticated, UriTooLong
from strongroom.identity import TokenClaims
from strongroom.identity.conditional.model import ClientKind
from strongroom.monitoring.health import health_of
from strongroom.opening import settle_memory
from strongroom.schema.model import Schema
from strongroom.store.waiting import LOOK_S, WAITING, Waiting
from strongroom.webapi import front_page, telemetry
from strongroom.webapi.addressing import environment_in, environment_of_host, origin, read_address
from strongroom.webapi.compression import compressed, expanded
from strongroom.webapi.cross_origin import of_origin, preflight
from strongroom.webapi.entrance import Coming, Entrance
from strongroom.webapi.errors import error_response, unexpected_response
from strongroom.webapi.headers import NO_PREFERENCES, read_preferences
from strongroom.webapi.http import Request, Response, Stream, effective_method, joined_headers
from strongroom.webapi.long_uploads import is_long_upload, pieces_of, upload_in_pieces
from strongroom.webapi.long_work import is_long
from strongroom.webapi.protection import Protection
from strongroom.webapi.rendering import encode
from strongroom.webapi.service import respond
from strongroom.webapi.telemetry import Observation
from strongroom.webapi.tracing import NO_TRACING, Tracing

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
T = TypeVar("T")

MAX_URL = 32_768
MAX_FILE_BODY = 128 * 1024 * 1024
BODY_TIMEOUT_S = 120.0

logger = logging.getLogger("strongroom.webapi")

_SECURITY_HEADERS = ((b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer"))
"""On every answer (TS-311)."""

_POLICY = "Content-Security-Policy"
_DATA_POLICY = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
"""On every answer without one of its own: it is data, which no browser shows as a page, runs or puts into a frame."""

_STAY_SAFE = (b"strict-transport-security", b"max-age=31536000")
"""On every answer over TLS, which a browser is not to leave any more."""


class Application:
    """One worker's server. `environments` is opened at start-up and closed at shutdown."""

    def __init__(
        self,
        environments: Environments,
        protection: Protection,
        max_body: int,
        tracing: Tracing = NO_TRACING,
    ) -> None:
        self._environments = environments
        self._tracing = tracing
        self._observe = tracing.observe
        self.entrance = Entrance(environments)
        self._protection = protection
        self._max_body = max_body
        self._origins = frozenset(environments.home.settings.server.cors_origins)
        self._threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="store")

    def open(self) -> None:
        """Open the default environment and read its metadata. Raises `HomeError`."""
        self._environments.default().warm_up()
        settle_memory()

    def close(self) -> None:
        """Let running requests end, and give the stores back."""
        self._threads.shutdown(wait=True)
        self._tracing.end()
        self._environments.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self.open()
                await send({"type": "lifespan.startup.complete"})
            else:
                self.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        path: str = scope["raw_path"].decode("latin-1") if scope.get("raw_path") else scope["path"]
        observation = Observation(self._environments.new_request_id(), scope["method"], path)
        if path in ("/healthz", "/metrics", "/"):
            response = self._plain(path, scope)
        else:
            headers = _headers(scope)
            response = preflight(scope["method"], headers, self._origins)
            if response is None:
                response = await self._guarded(scope, receive, headers, path, observation)
                response = response.with_headers(of_origin(headers, self._origins))
                response = compressed(response, headers.get("accept-encoding"))
        await self._send(send, response, scope["method"] == "HEAD", is_safe=scope["scheme"] == "https")
        self._observe(observation, response.status, time.perf_counter() - started)

    def _plain(self, path: str, scope: Scope) -> Response:
        if scope["method"] not in ("GET", "HEAD"):
            return Response(405, (("Allow", "GET, HEAD"), ("Content-Type", "text/plain; charset=utf-8")), b"GET only\n")
        if path == "/healthz":
            doubt = self._environments.doubt()
            if doubt is None and b"application/json" in _accepted(scope):
                return _shown_health(self._environments)
            body = b"ok\n" if doubt is None else doubt.encode() + b"\n"
            if doubt is None and self._environments.home.is_test_home:
                return Response(200, (("Content-Type", "application/json"),), b'{"status":"ok","testclock":true}\n')
            return Response(200 if doubt is None else 503, (("Content-Type", "text/plain; charset=utf-8"),), body)
        if path == "/metrics":
            return telemetry.metrics()
        headers = _headers(scope)
        try:
            address = origin(scope["scheme"], headers, _peer(scope), self._environments.trusted_proxies)
        except InvalidRequest as error:
            return Response(400, (("Content-Type", "text/plain; charset=utf-8"),), error.message.encode() + b"\n")
        return front_page.render(address, self._environments)

    async def _guarded(
        self, scope: Scope, receive: Receive, headers: dict[str, str], path: str, observation: Observation
    ) -> Response:
        preferences = NO_PREFERENCES
        root = "http://localhost/api/data/v9.2/"
        try:
            authority = origin(scope["scheme"], headers, _peer(scope), self._environments.trusted_proxies)
            root = f"{authority}/api/data/v9.2/"
            if not (path == "/api/data" or path.startswith(("/api/data/", "/e/"))):
                raise NotFound(f"There is nothing at this address. The Web API is at {root}", code="0x8006088a")
            named = environment_in(path) or environment_of_host(authority, self._environments.names)
            environment, claims = self._authenticated(named, headers, _peer(scope))
            preferences = read_preferences(headers.get("prefer"))
            address = read_address(path)
            if address is None:
                raise NotFound(f"There is nothing at this address. The Web API is at {root}", code="0x8006088a")
            prefix = f"/e/{address.environment}" if address.environment else ""
            root = f"{authority}{prefix}/api/data/{address.version}/"
            query = scope["query_string"].decode("latin-1")
            if len(path) + len(query) + 1 > MAX_URL:
                raise UriTooLong(f"The request URL is longer than {MAX_URL} characters. Send it inside a $batch.")
            request = Request(
                method=effective_method(scope["method"], headers),
                path=address.path,
                query=query,
                headers=headers,
                body=b"",
                root=root,
                request_id=observation.request_id,
                peer=_peer(scope),
            )
            if is_long_upload(request):
                response = await self._take_file(environment, request, receive, claims)
            else:
                body = await _body(receive, headers, self._max_body)
                response = await self.answer(environment, replace(request, body=body) if body else request, claims)
        except StrongroomError as error:
            response = error_response(error, preferences, root, observation.request_id)
        except Exception as error:  # noqa: BLE001 - the outermost boundary: nothing may escape without an answer
            response = unexpected_response(error, observation.request_id)
        extra = [("OData-Version", "4.0"), ("x-ms-service-request-id", observation.request_id)]
        extra.append(("REQ_ID", observation.request_id))
        client_id = headers.get("x-ms-client-request-id")
        if client_id and len(client_id) <= 100 and client_id.isprintable():
            extra.append(("x-ms-client-request-id", client_id))
        return response.with_headers(extra)

    async def answer(self, environment: Environment, request: Request, claims: TokenClaims) -> Response:
        """The answer to a request whose token has been verified, within the limits of its user."""
        with self._protection.admit(environment.name, claims.user) as admission:
            work = partial(self._respond, environment, request, claims)
            response = await self._run(environment, work, is_long=is_long(environment, request))
        return response.with_headers(admission.headers())

    async def _take_file(
        self, environment: Environment, request: Request, receive: Receive, claims: TokenClaims
    ) -> Response:
        """The answer to an upload that is taken piece by piece, as one request of its user."""
        limit = max(MAX_FILE_BODY, self._max_body)
        _refuse_declared(request.headers, limit)

        async def respond_to(piece: Request) -> Response:
            return await self._run(environment, partial(self._respond, environment, piece, claims))

        with self._protection.admit(environment.name, claims.user) as admission:
            response = await upload_in_pieces(request, pieces_of(receive, limit), respond_to)
        return response.with_headers(admission.headers())

    def _authenticated(self, named: str | None, headers: dict[str, str], peer: str) -> tuple[Environment, TokenClaims]:
        """The environment and whose token it is. An address that the environment's firewall keeps out is told so
        before anything of its token (TS-308)."""
        try:
            return self._environments.authenticate(named, headers.get("authorization"))
        except Unauthenticated:
            wanted = named or self._environments.home.default_record().name
            # One that is not open yet is not opened for a stranger: it may be locked, or in the midst of a restore.
            environment = next((each for each in self._environments.opened() if each.name == wanted), None)
            if environment is not None:
                coming = Coming(peer, headers.get("x-forwarded-for", ""))
                self.entrance.refuse_outsiders(environment, coming, None)
            raise

    def _respond(self, environment: Environment, request: Request, claims: TokenClaims) -> Response:
        """What stands at the entrance, then the answer."""
        kind = ClientKind.BROWSER if request.is_page else ClientKind.API
        coming = Coming(request.peer, request.headers.get("x-forwarded-for", ""), kind)
        try:
            address, verdict = self.entrance.admit(environment, claims, coming)
        except StrongroomError as error:
            return error_response(error, read_preferences(request.header("prefer")), request.root, request.request_id)
        found = request if address == request.peer else replace(request, peer=address)
        return respond(environment, found, claims, verdict)

    async def _send(self, send: Send, response: Response, head_only: bool, *, is_safe: bool) -> None:
        headers = [(_on_the_wire(name), value.encode("latin-1", "replace")) for name, value in response.headers]
        headers += _SECURITY_HEADERS
        if not any(name == _POLICY for name, _ in response.headers):
            headers.append(_DATA_POLICY)
        if is_safe:
            headers.append(_STAY_SAFE)
        stream, has_body = response.stream, response.status not in (204, 304)
        if has_body:
            size = len(response.body) if stream is None else stream.size
            headers.append((b"content-length", str(size).encode()))
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        if stream is not None and not head_only:
            await self._send_pieces(send, stream)
            return
        await send({"type": "http.response.body", "body": b"" if head_only or not has_body else response.body})

    async def _send_pieces(self, send: Send, stream: Stream) -> None:
        """A long body, of which one piece is held at a time. When one cannot be read the connection is ended short."""
        loop = asyncio.get_running_loop()
        while True:
            if stream.is_embedded:
                piece = next(stream.pieces, None)
                await asyncio.sleep(0)  # others have their turn between two pieces
            else:
                piece = await loop.run_in_executor(self._threads, next, stream.pieces, None)
            await send({"type": "http.response.body", "body": piece or b"", "more_body": piece is not None})
            if piece is None:
                return

    async def schema_of(self, environment: Environment) -> Schema:
        """The newest metadata of an environment."""
        return await self._run(environment, partial(_schema_of, environment))

    async def _run(self, environment: Environment, function: Callable[[], T], *, is_long: bool = False) -> T:
        is_embedded = environment.database.engine == "sqlcipher"
        if is_embedded and not is_long:
            # The embedded store is called on the event loop: a hop to a thread costs more than a list.
            return function()
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._threads, partial(copy_context().run, function))
        waiting = WAITING.get()
        if waiting is None or is_embedded:
            return await work
        watch = loop.call_later(LOOK_S, _watch, loop, waiting, work)
        try:
            return await work
        finally:
            watch.cancel()


def _watch(loop: asyncio.AbstractEventLoop, waiting: Waiting, work: asyncio.Future[T]) -> None:
    """Every so often: whether the client still waits for what a thread does, which asks a database server for it."""
    if work.done():
        return
    if waiting.has_left():
        loop.run_in_executor(None, waiting.abandon)
    else:
        loop.call_later(LOOK_S, _watch, loop, waiting, work)


@lru_cache(maxsize=512)  # the server has few names of headers
def _on_the_wire(name: str) -> bytes:
    return name.lower().encode("latin-1")


def _accepted(scope: Scope) -> bytes:
    return b",".join(value for name, value in scope["headers"] if name == b"accept")


def _shown_health(environments: Environments) -> Response:
    """What of the default environment works (TS-007), in words: whoever is not signed in learns no numbers."""
    environment = environments.default()
    with environment.database.read() as transaction:
        found = health_of(transaction, environment.clock.now())
    shown = {
        "status": "ok" if found.is_well else "degraded",
        "testclock": environments.home.is_test_home,
        "problems": list(found.problems),
    }
    return Response(200, (("Content-Type", "application/json"),), encode(shown) + b"\n")


def _schema_of(environment: Environment) -> Schema:
    with environment.database.read() as transaction:
        return transaction.schema


def _headers(scope: Scope) -> dict[str, str]:
    return joined_headers((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])


def _peer(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else ""


async def _body(receive: Receive, headers: dict[str, str], most: int) -> bytes:
    is_file = headers.get("content-type", "").lower().startswith("application/octet-stream")
    limit = max(MAX_FILE_BODY, most) if is_file else most
    declared = headers.get("content-length")
    if declared is None and "transfer-encoding" not in headers:
        return b""  # HTTP/1.1 has no body then, and most requests are such
    _refuse_declared(headers, limit)
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            return expanded(await _collect(receive, limit), headers.get("content-encoding"), limit)
    except TimeoutError:
        raise InvalidRequest(f"The body did not arrive within {BODY_TIMEOUT_S:.0f} seconds.") from None


def _refuse_declared(headers: Mapping[str, str], limit: int) -> None:
    declared = headers.get("content-length")
    if declared is not None and declared.isdigit() and int(declared) > limit:
        raise TooLarge(f"The body has {declared} bytes; at most {limit} are accepted.")


async def _collect(receive: Receive, limit: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise InvalidRequest("The connection ended before the body was complete.")
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise TooLarge(f"The body exceeds {limit} bytes.")
        chunks.append(chunk)
        if not message.get("more_body"):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)
