"""Real receivers of events on sockets of this machine: an HTTP server that can also answer nonsense."""

from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


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
