"""HTTP on the socket, where clients do not keep to the usual: bytes that are no request, halves of connections."""

import select
from asyncio import TimerHandle, Transport

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from strongroom.webapi.writing import WholeAnswers

MAX_HEAD = 128 * 1024
"""Bytes of a request's head: its URL (WA-12) and its headers."""

MAX_HEADERS = 256

HEAD_S = 60.0
"""Seconds that a head may take from the opening of its connection, or from its first byte where one was before."""


PEER = "strongroom.peer"
"""The extension of an ASGI scope in which the `Client` is found."""

_LEFT = select.POLLRDHUP | select.POLLHUP | select.POLLERR


class Client:
    """The other end of a connection, as the system knows it: what has arrived there needs nobody to have read it."""

    __slots__ = ("_transport",)

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def has_left(self) -> bool:
        """Whether it has closed its side of the connection, or the connection is lost."""
        connection = self._transport.get_extra_info("socket")
        if connection is None or self._transport.is_closing():
            return True  # and its number may be another connection's by now
        looking = select.poll()
        looking.register(connection.fileno(), _LEFT)
        return bool(looking.poll(0))


class HttpProtocol(HttpToolsProtocol):
    """HTTP as uvicorn speaks it, but for six things.

    Bytes that are no request are answered with an error body (WA-50). A head has an end: 431, or 414, when it grows
    too large, and 408 when it is not there in time. A client that closes its side of the connection after the last
    byte of its request still gets the answer. And whoever works for a request can see whether its client is still
    there (`Client`). Head and body of an answer are written together.
    """

    _is_in_head = True
    _head_bytes = 0
    _is_too_large = False
    _has_begun = False
    _head_timer: TimerHandle | None = None
    head_s = HEAD_S

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # TCP only
        super().connection_made(transport)
        self._answers = WholeAnswers(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._has_head()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._has_begun = False
        super().data_received(data)
        # What came together with the end of the request before is not counted: one piece more or less is no matter.
        if self._is_in_head and not self._has_begun and not self.transport.is_closing():
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD:
                self._refuse_head()
        if self._is_in_head and self._head_timer is None and not self.transport.is_closing():
            self._expect_head()

    def on_message_begin(self) -> None:
        self._is_in_head, self._has_begun, self._head_bytes = True, True, 0
        super().on_message_begin()
        self.scope["extensions"] = {PEER: Client(self.transport)}  # pyright: ignore[reportGeneralTypeIssues]  # any value will do

    def on_header(self, name: bytes, value: bytes) -> None:
        if len(self.headers) >= MAX_HEADERS:
            self._is_too_large = True
            raise ValueError("too many headers")  # the parser stops, and has the refusal sent
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        self._has_head()
        super().on_headers_complete()
        if self.cycle:
            self.cycle.transport = self._answers

    def on_response_complete(self) -> None:
        self._answers.flush()
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        del msg  # it is the same sentence for whatever was wrong
        if self._is_too_large:
            self._refuse_head()
        else:
            self._refuse(b"400 Bad Request", _NO_REQUEST)

    def _expect_head(self) -> None:
        """Let the time of a head run."""
        self._head_timer = self.loop.call_later(self.head_s, self._refuse_slowness)

    def _has_head(self) -> None:
        timer, self._head_timer = self._head_timer, None
        if timer is not None:
            timer.cancel()

    def _refuse_slowness(self) -> None:
        if self.cycle and not self.cycle.response_complete:
            self._expect_head()  # the one before is to be answered first
        elif not self.transport.is_closing():
            self._refuse(b"408 Request Timeout", _SLOW_HEAD)

    def _refuse_head(self) -> None:
        if self.headers:
            self._refuse(b"431 Request Header Fields Too Large", _LARGE_HEAD)
        else:
            self._refuse(b"414 URI Too Long", _LONG_URL)

    def _refuse(self, status: bytes, message: str) -> None:
        body = orjson.dumps({"error": {"code": "0x80060888", "message": message}})
        self.transport.write(b"HTTP/1.1 %s\r\n%s%d\r\n\r\n%s" % (status, _HEADERS, len(body), body))
        self.transport.close()

    def eof_received(self) -> bool:  # pyright: ignore[reportIncompatibleMethodOverride]  # asyncio wants to be told
        """Whether the connection stays open for the answer; not while a part of the request is missing."""
        newest = self.pipeline[0][0] if self.pipeline else self.cycle
        if newest and not newest.response_complete and not newest.more_body and self.scheme != "https":
            newest.keep_alive = False
            return True
        return False


_NO_REQUEST = "What arrived is no HTTP/1.1 request. Percent-encode everything in the URL that is not ASCII."
_LONG_URL = "The request URL is longer than 32768 characters. Send it inside a $batch."
_LARGE_HEAD = f"The head of a request has at most {MAX_HEAD} bytes and {MAX_HEADERS} headers."
_SLOW_HEAD = "The head of a request did not arrive in time: it may take a minute."
_HEADERS = (
    b"content-type: application/json; odata.metadata=minimal\r\nodata-version: 4.0\r\nconnection: close\r\n"
    b"content-length: "
)
