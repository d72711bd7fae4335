"""Where the platform may send anything at all: to endpoints that the owner of the home has listed (TS-010, TS-819).

The setting `outbound.allow` holds `host:port`, `*.example.com:443`, or a host alone for every port of it. It is empty
at first: then nothing goes out, whatever an administrator of an environment configures. Redirections are not followed,
since they would lead out of the list.
"""

import hashlib
import hmac
import http.client
import socket
import ssl
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Event, Timer
from urllib.parse import SplitResult, urlsplit

from strongroom.errors import AccessDenied, InvalidRequest
from strongroom.keys import Secret
from strongroom.settings import OutboundSettings

TIMEOUT_S = 10.0
"""How long the other side may take for each step."""

EXCHANGE_S = 30.0
"""How long it may take for all of them: a request and its whole answer."""

_PORTS = {"http": 80, "https": 443, "tcp": 601, "tls": 6514}
_MOST_ANSWER = 4096


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address to send to."""

    scheme: str
    host: str
    port: int
    path: str


@dataclass(frozen=True, slots=True)
class Outbound:
    """The list of what is allowed."""

    allowed: tuple[str, ...] = ()

    def allows(self, endpoint: Endpoint) -> bool:
        """Whether something may be sent there."""
        return OutboundSettings(self.allowed).allows(endpoint.host, endpoint.port)

    def demand(self, endpoint: Endpoint, target: str) -> None:
        """Refuse an endpoint that is not listed. `target` is the column that names it."""
        if not self.allows(endpoint):
            raise AccessDenied(
                f"Nothing may be sent to {endpoint.host}:{endpoint.port}: the owner of the home lists allowed "
                f'endpoints in the setting outbound.allow, such as ["{endpoint.host}:{endpoint.port}"].',
                code="0x80048306",
                details={"reason": "not-allowed", "rule": "TS-819", "target": target},
            )


def endpoint_of(address: str, schemes: tuple[str, ...], target: str) -> Endpoint:
    """The endpoint in an address. Raises `InvalidRequest` for another scheme, a user or password in it, or no host."""
    problem: str | None = None
    parts = SplitResult("", "", "", "", "")
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        port, problem = None, "has no port between 1 and 65535 in it"
    if any(not sign.isprintable() or sign == " " for sign in address):
        problem = "holds characters that no address has"
    elif parts.scheme not in schemes or not parts.hostname:
        problem = f"has the form {schemes[-1]}://host:port{'/path' if schemes[-1] == 'https' else ''}"
    elif parts.username is not None or parts.password is not None:
        problem = "holds no user and no password: rows of tables are no place for secrets"
    if problem is not None:
        raise InvalidRequest(
            f"'{target}' {problem}.", details={"reason": "bad-address", "rule": "TS-818", "target": target}
        )
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Endpoint(parts.scheme, (parts.hostname or "").lower(), port or _PORTS[parts.scheme], path)


def post(endpoint: Endpoint, body: bytes, headers: dict[str, str], context: ssl.SSLContext | None) -> None:
    """Send a body and be content with a 2xx. Raises `OSError` for everything else, with what came instead."""
    status, _ = exchange("POST", endpoint, body, {"Content-Type": "application/json", **headers}, context)
    if not 200 <= status < 300:
        raise OSError(f"the receiver answered {status}")


def exchange(
    method: str,
    endpoint: Endpoint,
    body: bytes | None,
    headers: dict[str, str],
    context: ssl.SSLContext | None,
    most: int = _MOST_ANSWER,
) -> tuple[int, bytes]:
    """Send a request; the status of the answer and its first `most` bytes. Raises `OSError` when none comes."""
    connection: http.client.HTTPConnection
    if endpoint.scheme == "https":
        secured = context or ssl.create_default_context()
        connection = http.client.HTTPSConnection(endpoint.host, endpoint.port, timeout=TIMEOUT_S, context=secured)
    else:
        connection = http.client.HTTPConnection(endpoint.host, endpoint.port, timeout=TIMEOUT_S)
    try:
        with ended_in_time(connection):
            connection.request(method, endpoint.path, body, headers)
            answer = connection.getresponse()
            content = answer.read(most)
        return answer.status, content
    except http.client.HTTPException as error:
        raise OSError(f"the receiver's answer is not HTTP: {type(error).__name__}") from None
    finally:
        connection.close()


@contextmanager
def ended_in_time(connection: http.client.HTTPConnection, limit_s: float = EXCHANGE_S) -> Generator[None]:
    """A whole exchange, with an end: `TIMEOUT_S` is for each piece, and who sends a byte now and then would never come
    to it. Raises `TimeoutError`, or what the cutting off leads to before."""
    connection.connect()
    is_late = Event()
    timer = Timer(limit_s, _cut, (connection.sock, is_late))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
    if is_late.is_set():  # an answer that was cut off looks like a short one
        raise TimeoutError(f"the exchange took longer than {limit_s:g} seconds")


def _cut(connection: socket.socket, is_late: Event) -> None:
    is_late.set()
    with suppress(OSError):  # it has just come to its end
        socket.socket.shutdown(connection, socket.SHUT_RDWR)  # past TLS, which another thread is reading


def signature(secret: Secret, sent_on: str, body: bytes) -> str:
    """`sha256=…`: HMAC-SHA-256 over the time and the body, so that neither can be changed or sent again later."""
    told = hmac.new(secret.reveal(), sent_on.encode() + b"." + body, hashlib.sha256)
    return f"sha256={told.hexdigest()}"
