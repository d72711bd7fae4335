"""Requests as bytes on a socket, written well, written oddly, or broken; and their answers."""

import http.client
import socket
import time
from dataclasses import dataclass

from tests.property.draws import Draw
from tests.property.requests import Drawn


@dataclass(frozen=True, slots=True)
class Sent:
    """The pieces in which a request goes over the wire.

    `is_broken` is set when the bytes are no HTTP any more: the answer is then a 400, and the connection ends.
    """

    pieces: tuple[bytes, ...]
    is_broken: bool = False
    ends_early: bool = False


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float


def written(draw: Draw, drawn: Drawn, address: str, token: str) -> Sent:
    """`drawn` as bytes, in one of the ways that clients have of writing."""
    query = f"?{drawn.query}" if drawn.query else ""
    head = [f"{drawn.method} /api/data/v9.2/{drawn.path}{query} HTTP/1.1", f"Host: {address}"]
    head.append(f"Authorization: Bearer {token}")
    head += [f"{name}: {value}" for name, value in drawn.headers.items()]
    body = drawn.body
    match draw.number(0, 9):
        case 0:
            head.append("Transfer-Encoding: chunked")
            cut = draw.number(0, len(body))
            body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:cut], body[cut:]) if part)
            body += b"0\r\n\r\n"
        case 1:
            head += [f"Content-Length: {len(body)}", "Expect: 100-continue"]
        case 2:
            head += [f"Content-Length: {len(body) + 10}"]
            return Sent((_joined(head) + body,), ends_early=True)
        case _:
            head.append(f"Content-Length: {len(body)}")
    data = _joined(head) + body
    match draw.number(0, 11):
        case 0:
            cut = draw.number(0, len(data))
            return Sent((data[:cut], data[cut:]))
        case 1:
            at = draw.number(0, len(data) - len(body))
            return Sent((data[:at] + draw.data(draw.number(1, 20)) + data[at:],), is_broken=True)
        case 2:
            return Sent((data[: draw.number(1, len(data) - 1)],), is_broken=True, ends_early=True)
        case 3:
            return Sent((draw.data(draw.number(1, 300)),), is_broken=True, ends_early=True)
        case _:
            return Sent((data,))


def _joined(head: list[str]) -> bytes:
    return "\r\n".join(head).encode("latin-1", "replace") + b"\r\n\r\n"


class Wire:
    """A connection that is made anew when the server or the request ended it."""

    def __init__(self, address: str) -> None:
        host, _, port = address.partition(":")
        self._place = (host, int(port))
        self._socket: socket.socket | None = None

    def exchange(self, sent: Sent, method: str) -> Answered | None:
        """The final answer; None when the server closed the connection without one."""
        connection = self._connected()
        started = time.perf_counter()
        try:
            for piece in sent.pieces:
                connection.sendall(piece)
            if sent.ends_early:
                connection.shutdown(socket.SHUT_WR)
            with http.client.HTTPResponse(connection, method=method) as answer:
                answer.begin()
                body = answer.read()
        except (http.client.HTTPException, ConnectionError, TimeoutError):
            self.close()
            return None
        if sent.is_broken or sent.ends_early or answer.will_close:
            self.close()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return Answered(answer.status, headers, body, time.perf_counter() - started)

    def _connected(self) -> socket.socket:
        if self._socket is None:
            self._socket = socket.create_connection(self._place, timeout=10)
        return self._socket

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
