"""How answers are written to a connection: head and body together, so that they take one call and one packet."""

from asyncio import Transport
from typing import Any

_STATUS_LINE, _INTERIM, _CHUNKED = b"HTTP/1.1 ", b"HTTP/1.1 1", b"\r\ntransfer-encoding: chunked\r\n"
_COPIED = 256 * 1024
"""A body up to this size is put behind its head; a longer one has packets of its own in any case."""


class WholeAnswers(Transport):
    """A connection as the cycle of one request after the other writes to it. A head waits for the piece of body that
    the cycle writes next; only heads of answers whose length is not known (they may be long in coming), and interim
    ones, go out at once."""

    def __init__(self, transport: Transport) -> None:
        super().__init__()
        self._transport = transport
        self._head = b""

    def write(self, data: Any) -> None:
        """Write a head, or the next piece of a body."""
        if self._head:
            head, self._head = self._head, b""
            if len(data) <= _COPIED:
                data = head + data
            else:
                self._transport.write(head)
        elif data.startswith(_STATUS_LINE) and not data.startswith(_INTERIM) and _CHUNKED not in data:
            self._head = data
            return
        self._transport.write(data)

    def flush(self) -> None:
        """Write a head that no body follows."""
        if self._head:
            self.write(b"")

    def close(self) -> None:
        """Close once everything is written."""
        self.flush()
        self._transport.close()

    def is_closing(self) -> bool:
        """Whether it is closed, or about to be."""
        return self._transport.is_closing()
