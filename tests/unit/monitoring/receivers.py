"""Real receivers of events on sockets of this machine: an HTTP server that can also answer nonsense, one of syslog over
TCP and TLS, and what a mail server does with mail."""

import email
import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from aiosmtpd.smtp import SMTP, Envelope, Session

from strongroom.home.tls import Certificate


@dataclass(frozen=True)
class Received:
    """One request. Names of headers are in lower case."""

    path: str
    headers: Mapping[str, str]
    body: bytes


class HttpSink:
    """Takes what is posted. `status` is its answer, or `raw_answer` byte for byte."""

    def __init__(self) -> None:
        self.requests: list[Received] = []
        self.status = 204
        self.raw_answer: bytes | None = None
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                if sink.raw_answer is not None:
                    self.wfile.write(sink.raw_answer)
                    self.close_connection = True
                    return
                if sink.status < 300:
                    sink.requests.append(Received(self.path, headers, body))
                self.send_response(sink.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Tests are quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close the socket."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class SyslogReceiver:
    """Takes framed syslog messages over TCP or, with a certificate, over TLS. `stop` and `start` on the same port play
    a receiver that is away; `hangs` one that accepts and does not read."""

    def __init__(self, certificate: Certificate | None = None) -> None:
        self.messages: list[bytes] = []
        self.port = 0
        self.hangs = False
        self._certificate = certificate
        self._listening: socket.socket | None = None
        self._connections: list[socket.socket] = []
        self.start()

    def start(self) -> None:
        """Listen, on the same port as before."""
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if self.hangs:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        listening.bind(("127.0.0.1", self.port))
        listening.listen(8)
        self.port = int(listening.getsockname()[1])
        self._listening = listening
        Thread(target=self._accept, args=(listening,), daemon=True).start()

    def stop(self) -> None:
        """Be gone: nothing listens, and connections end."""
        if self._listening is not None:
            with suppress(OSError):
                self._listening.shutdown(socket.SHUT_RDWR)
            self._listening.close()
        for each in self._connections:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._connections.clear()

    def await_number(self, number: int) -> list[bytes]:
        """The messages, once there are so many."""
        deadline = time.monotonic() + 20
        while len(self.messages) < number:
            assert time.monotonic() < deadline, f"{len(self.messages)} of {number} messages"
            time.sleep(0.005)
        return list(self.messages)

    def _accept(self, listening: socket.socket) -> None:
        context = None
        if self._certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self._certificate.chain, self._certificate.key)
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            self._connections.append(connection)
            if not self.hangs:
                Thread(target=self._take, args=(connection, context), daemon=True).start()

    def _take(self, connection: socket.socket, context: ssl.SSLContext | None) -> None:
        if context is None:
            taken: socket.socket = connection
        else:
            taken = context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
            self._connections.append(taken)
        with suppress(OSError), taken:
            if isinstance(taken, ssl.SSLSocket):
                taken.do_handshake()
            buffer = bytearray()
            while received := taken.recv(65536):
                buffer += received
                self._unpack(buffer)

    def _unpack(self, buffer: bytearray) -> None:
        """Take whole messages from the front of the buffer."""
        while (space := buffer.find(b" ")) > 0:
            end = space + 1 + int(buffer[:space])
            if len(buffer) < end:
                return
            self.messages.append(bytes(buffer[space + 1 : end]))
            del buffer[:end]


@dataclass
class Inbox:
    """A mail server that keeps what it gets; `answer` is what it says to it."""

    messages: list[Message] = field(default_factory=list[Message])
    answer: str = "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        if self.answer.startswith("250"):
            assert isinstance(envelope.content, bytes)
            self.messages.append(email.message_from_bytes(envelope.content))
        return self.answer
