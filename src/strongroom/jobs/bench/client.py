"""HTTP clients that cost little themselves: one connection that asks and waits, and many that never pause."""

import asyncio
import socket
from time import perf_counter

import uvloop

_READ = 1 << 18


class Connection:
    """One kept-alive connection."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request: bytes) -> tuple[int, bytes]:
        """Status and body of one answer."""
        self._socket.sendall(request)
        data = bytearray()
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self._more()
        size = _length(data, end)
        while len(data) < end + 4 + size:
            data += self._more()
        return int(data[9:12]), bytes(data[end + 4 : end + 4 + size])

    def _more(self) -> bytes:
        found = self._socket.recv(_READ)
        if not found:
            raise ConnectionError("The server closed the connection.")
        return found

    def close(self) -> None:
        self._socket.close()


def request(path: str, token: str = "", prefer: str = "", body: bytes = b"") -> bytes:
    """The bytes of a GET, or of a POST of JSON when there is a body."""
    lines = [f"{'POST' if body else 'GET'} {path} HTTP/1.1", "Host: 127.0.0.1", "Accept: application/json"]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if prefer:
        lines.append(f"Prefer: {prefer}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def throughput(port: int, requests: list[bytes], connections: int, total: int) -> float:
    """Answers a second with `connections` at once; each goes round the `requests`. Raises on any answer but 200."""
    return uvloop.run(_throughput(port, requests, connections, total))


async def _throughput(port: int, requests: list[bytes], connections: int, total: int) -> float:
    started = perf_counter()
    await asyncio.gather(*(_ask(port, requests, number, total // connections) for number in range(connections)))
    return total // connections * connections / (perf_counter() - started)


async def _ask(port: int, requests: list[bytes], first: int, times: int) -> None:
    exchange = await Exchange.open(port)
    for number in range(first, first + times):
        await exchange.ask(requests[number % len(requests)])
    await exchange.close()


class Exchange:
    """One kept-alive connection of a client among many."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> "Exchange":
        return cls(*await asyncio.open_connection("127.0.0.1", port, limit=_READ))

    async def ask(self, request: bytes) -> bytes:
        """The body of an answer that succeeds; anything else raises."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 204")):
            raise ConnectionError(f"The server answered {head[:20].decode('latin-1')}.")
        return await self._reader.readexactly(_length(head, len(head) - 4))

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


def _length(head: bytes | bytearray, end: int) -> int:
    for line in bytes(head[:end]).split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0
