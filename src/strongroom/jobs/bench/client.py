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


def request(path: str, token: str = "", prefer: str = "") -> bytes:
    """The bytes of a GET."""
    lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", "Accept: application/json"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if prefer:
        lines.append(f"Prefer: {prefer}")
    return "\r\n".join([*lines, "", ""]).encode()


def throughput(port: int, requests: list[bytes], connections: int, total: int) -> float:
    """Answers a second with `connections` at once; each goes round the `requests`. Raises on any answer but 200."""
    return uvloop.run(_throughput(port, requests, connections, total))


async def _throughput(port: int, requests: list[bytes], connections: int, total: int) -> float:
    started = perf_counter()
    await asyncio.gather(*(_ask(port, requests, number, total // connections) for number in range(connections)))
    return total // connections * connections / (perf_counter() - started)


async def _ask(port: int, requests: list[bytes], first: int, times: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=_READ)
    for number in range(first, first + times):
        writer.write(requests[number % len(requests)])
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise ConnectionError(f"The server answered {head[:20].decode('latin-1')}.")
        await reader.readexactly(_length(head, len(head) - 4))
    writer.close()
    await writer.wait_closed()


def _length(head: bytes | bytearray, end: int) -> int:
    for line in bytes(head[:end]).split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0
