"""Running the server: one process, or several behind one socket, until told to stop."""

import logging
import os
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import uvicorn

from strongroom.environment import Environments
from strongroom.errors import HomeError
from strongroom.home import open_home
from strongroom.webapi.app import Application
from strongroom.webapi.protection import Limits, Protection
from strongroom.webapi.telemetry import set_up_logging

_HOME, _PROTECT, _WORKERS, _LOG_LEVEL, _LOG_REQUESTS = (
    "STRONGROOM_SERVE_HOME",
    "STRONGROOM_SERVE_PROTECT",
    "STRONGROOM_SERVE_WORKERS",
    "STRONGROOM_SERVE_LOG_LEVEL",
    "STRONGROOM_SERVE_LOG_REQUESTS",
)
_HEAD_BYTES = 80 * 1024


class Started(Protocol):
    """Called once the socket is listening, with the address that clients use."""

    def __call__(self, address: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Listening:
    """How the server listens. Certificate and key come together or not at all."""

    host: str
    port: int
    workers: int = 1
    tls_cert: Path | None = None
    tls_key: Path | None = None
    protect: bool = False
    graceful_stop_s: int = 10
    log_level: str = "info"
    log_requests: bool = True

    @property
    def scheme(self) -> str:
        return "https" if self.tls_cert is not None else "http"


def run(home: Path, listening: Listening, started: Started | None = None) -> None:
    """Serve until SIGINT or SIGTERM, then let running requests end. Raises `HomeError` when the port is taken."""
    bound = _bind(listening)
    port = bound.getsockname()[1]
    os.environ[_HOME] = str(home)
    os.environ[_PROTECT] = "1" if listening.protect else "0"
    os.environ[_WORKERS] = str(listening.workers)
    os.environ[_LOG_LEVEL] = listening.log_level
    os.environ[_LOG_REQUESTS] = "1" if listening.log_requests else "0"
    with tempfile.TemporaryDirectory(prefix="strongroom-metrics-") as measurements:
        if listening.workers > 1:
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = measurements
        config = uvicorn.Config(
            "strongroom.webapi.serving:application",
            factory=True,
            workers=listening.workers,
            http="httptools",
            loop="uvloop",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=True,
            proxy_headers=False,
            ssl_certfile=listening.tls_cert,
            ssl_keyfile=listening.tls_key,
            timeout_graceful_shutdown=listening.graceful_stop_s,
            timeout_keep_alive=75,
            h11_max_incomplete_event_size=_HEAD_BYTES,
        )
        if started is not None:
            started(f"{listening.scheme}://{_shown(listening.host)}:{port}")
        set_up_logging(listening.log_level)
        _serve(config, bound)


def _serve(config: uvicorn.Config, bound: socket.socket) -> None:
    server = uvicorn.Server(config)
    if config.workers > 1:
        from uvicorn.supervisors import Multiprocess

        Multiprocess(config, sockets=[bound]).run()
    else:
        server.run(sockets=[bound])
    bound.close()


def _bind(listening: Listening) -> socket.socket:
    family = socket.AF_INET6 if ":" in listening.host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((listening.host, listening.port))
    except OSError as error:
        bound.close()
        raise HomeError(
            f"Cannot listen on {listening.host}:{listening.port}: {error.strerror}. "
            "Stop the program that has the port, or choose another with --port."
        ) from None
    bound.listen(1024)
    bound.set_inheritable(True)
    return bound


def _shown(host: str) -> str:
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        return "localhost"
    return f"[{host}]" if ":" in host else host


def application() -> Application:
    """One worker's application; what to serve comes from the environment that `run` set."""
    set_up_logging(os.environ.get(_LOG_LEVEL, "info"))
    logging.getLogger("strongroom.access").disabled = os.environ.get(_LOG_REQUESTS) == "0"
    home = open_home(Path(os.environ[_HOME]))
    workers = int(os.environ.get(_WORKERS, "1"))
    protection = Protection(Limits().shared_by(workers), enforced=os.environ.get(_PROTECT) == "1")
    return Application(Environments(home), protection, home.settings.server.body_limit_mib * 1024 * 1024)
