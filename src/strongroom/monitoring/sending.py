"""How events leave: into a file, by webhook, by syslog (TS-818, TS-819).

A `Sender` gives a batch to its receiver, whole and in order, and returns once the receiver has it; whatever goes wrong
is an `OSError`, and the batch is sent again. What "has it" means:

    file      the lines are on the disk
    webhook   the receiver has answered 2xx
    syslog    the receiver's machine has acknowledged every byte. Syslog has no answer of its own, so what a receiver
              loses that it had not read yet is not known; after a connection breaks, the last events are sent again
              (`Sender.replays`)

Syslog messages are those of RFC 5424 with the length in front of each (RFC 5425, RFC 6587), so nothing in a message can
begin another one.
"""

import fcntl
import os
import socket
import ssl
import struct
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import orjson

from strongroom.clock import Clock, iso
from strongroom.keys import Secret
from strongroom.monitoring import cef, ocsf
from strongroom.monitoring.destinations import Destination, Form, Kind, trust
from strongroom.monitoring.events import Event
from strongroom.monitoring.outbound import TIMEOUT_S, Endpoint, post, signature

_SIOCOUTQ = 0x5411
"""Linux: how many bytes of a socket the other machine has not acknowledged yet (`SIOCOUTQ`, tcp(7))."""

_FACILITY = 13  # log audit
_INFORMATIONAL, _WARNING = 6, 4
_MOST_SEQUENCE = 2_147_483_647
REPLAYED = 500
"""Events that are sent again after a connection of syslog broke."""


class Sender(Protocol):
    """Whoever gives events to one receiver."""

    replays: int
    """How many events that were sent may be lost when a connection breaks."""

    def send(self, events: Sequence[Event]) -> None:
        """Give all of them to the receiver. Raises `OSError`."""
        ...

    def close(self) -> None:
        """End a connection that is open."""
        ...


def text_of(form: Form, event: Event) -> str:
    """The event as one line of text."""
    match form:
        case Form.OCSF:
            return orjson.dumps(ocsf.written(event)).decode()
        case Form.CEF:
            return cef.written(event)
        case Form.PLAIN:
            return orjson.dumps(event.plain()).decode()


def sender_of(destination: Destination, folder: Path, secret: Callable[[], Secret], clock: Clock) -> Sender:
    """What sends to a destination. Files lie in `folder`; `secret` signs what goes by webhook."""
    if destination.kind is Kind.FILE or destination.endpoint is None:
        return FileSender(folder / f"{destination.name}.jsonl", destination.form)
    if destination.kind is Kind.WEBHOOK:
        context = trust(destination.certificates) if destination.endpoint.scheme == "https" else None
        return WebhookSender(destination.endpoint, destination.form, context, secret, clock)
    context = trust(destination.certificates) if destination.kind is Kind.SYSLOG_TLS else None
    return SyslogSender(destination.endpoint, destination.form, context)


class FileSender:
    """Lines at the end of a file, which may be moved away and is then begun anew."""

    replays = 0

    def __init__(self, path: Path, form: Form) -> None:
        self._path = path
        self._form = form

    def send(self, events: Sequence[Event]) -> None:
        lines = b"".join(text_of(self._form, event).encode() + b"\n" for event in events)
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                lines = b"\n" + lines  # a write that a full disk cut short; its events come again below
            left = memoryview(lines)
            while left:
                left = left[os.write(descriptor, left) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """Nothing is kept open."""


class WebhookSender:
    """One POST for a batch: a line for each event, signed by HMAC-SHA-256."""

    replays = 0

    def __init__(
        self,
        endpoint: Endpoint,
        form: Form,
        context: ssl.SSLContext | None,
        secret: Callable[[], Secret],
        clock: Clock,
    ) -> None:
        self._endpoint = endpoint
        self._form = form
        self._context = context
        self._secret = secret
        self._clock = clock

    def send(self, events: Sequence[Event]) -> None:
        body, now = "".join(f"{text_of(self._form, event)}\n" for event in events).encode(), iso(self._clock.now())
        headers = {
            "Content-Type": "text/plain; charset=utf-8" if self._form is Form.CEF else "application/x-ndjson",
            "X-Strongroom-Timestamp": now,
            "X-Strongroom-Signature": signature(self._secret(), now, body),
            "X-Strongroom-Delivery": f"{events[0].sequence}-{events[-1].sequence}",
        }
        post(self._endpoint, body, headers, self._context)

    def close(self) -> None:
        """Nothing is kept open."""


class SyslogSender:
    """A connection that stays open while it works."""

    def __init__(self, endpoint: Endpoint, form: Form, context: ssl.SSLContext | None) -> None:
        self.replays = REPLAYED
        self._endpoint = endpoint
        self._form = form
        self._context = context
        self._connection: socket.socket | None = None

    def send(self, events: Sequence[Event]) -> None:
        framed = b"".join(frame(syslog_line(event, text_of(self._form, event))) for event in events)
        try:
            connection = self._connected()
            connection.sendall(framed)
            _await_acknowledgement(connection)
            _demand_open(connection)
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """End the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(OSError):
                connection.close()

    def _connected(self) -> socket.socket:
        if self._connection is not None:
            _demand_open(self._connection)
            return self._connection
        plain = socket.create_connection((self._endpoint.host, self._endpoint.port), timeout=TIMEOUT_S)
        try:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            wrapped = plain
            if self._context is not None:
                wrapped = self._context.wrap_socket(plain, server_hostname=self._endpoint.host)
        except OSError:
            plain.close()
            raise
        self._connection = wrapped
        return wrapped


def frame(line: bytes) -> bytes:
    """A message with its length in front (RFC 5425, section 4.3)."""
    return b"%d %b" % (len(line), line)


def syslog_line(event: Event, text: str) -> bytes:
    """`<PRI>1 TIME HOST APP - MSGID [meta sequenceId="…"] text` (RFC 5424). The text is UTF-8 with the mark that says
    so, and holds no line feed; the host is the environment's name."""
    priority = _FACILITY * 8 + (_WARNING if event.is_failure else _INFORMATIONAL)
    host = "".join(sign for sign in event.origin.environment if "!" <= sign <= "~")[:255] or "-"
    message_id = "".join(sign for sign in event.what if "!" <= sign <= "~")[:32] or "-"
    sequence = event.sequence % _MOST_SEQUENCE + 1
    head = f'<{priority}>1 {event.at or "-"} {host} strongroom - {message_id} [meta sequenceId="{sequence}"] '
    return head.encode("ascii", "replace") + b"\xef\xbb\xbf" + text.replace("\n", " ").replace("\x00", " ").encode()


def _await_acknowledgement(connection: socket.socket) -> None:
    """Wait until the other machine has acknowledged every byte."""
    deadline = time.monotonic() + TIMEOUT_S
    wait = 0.0005
    while _unacknowledged(connection):
        if time.monotonic() > deadline:
            raise TimeoutError("the receiver does not take what was sent")
        time.sleep(wait)
        wait = min(wait * 2, 0.05)


def _unacknowledged(connection: socket.socket) -> int:
    found = fcntl.ioctl(connection.fileno(), _SIOCOUTQ, struct.pack("i", 0))
    return int(struct.unpack("i", found)[0])


def _demand_open(connection: socket.socket) -> None:
    """Raise where the receiver has ended the connection: what is written to it would be lost without a word."""
    connection.setblocking(False)
    try:
        if connection.recv(4096) == b"":
            raise ConnectionResetError("the receiver has ended the connection")
    except (BlockingIOError, ssl.SSLWantReadError):
        pass
    finally:
        connection.settimeout(TIMEOUT_S)
