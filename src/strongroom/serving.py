"""Running the server: one process, or several behind one socket, until told to stop."""

import asyncio
import logging
import multiprocessing
import os
import signal
import socket
import tempfile
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import uvicorn
import uvloop
from uvicorn.supervisors import Multiprocess

from strongroom.environments import Environments
from strongroom.errors import HomeError
from strongroom.home import open_home
from strongroom.home.tls_context import ServerTls
from strongroom.monitoring.outbound import Outbound
from strongroom.rounds import Beside, Rounds
from strongroom.signin.paths import is_served
from strongroom.store.waiting import WAITING, Waiting
from strongroom.webapi.app import Application, Message, Receive, Scope, Send
from strongroom.webapi.pooled_usage import PooledUsage, claim_section, make_pool
from strongroom.webapi.protection import WINDOW_S, Limits, Protection
from strongroom.webapi.telemetry import set_up_logging
from strongroom.webapi.tracing import tracing_to
from strongroom.webapi.wire import PEER, HttpProtocol

if TYPE_CHECKING:
    from strongroom.console.site import Console
    from strongroom.signin.site import SignIn

_HOME, _PROTECT, _USAGE, _LOG_LEVEL, _LOG_REQUESTS = (
    "STRONGROOM_SERVE_HOME",
    "STRONGROOM_SERVE_PROTECT",
    "STRONGROOM_SERVE_USAGE",
    "STRONGROOM_SERVE_LOG_LEVEL",
    "STRONGROOM_SERVE_LOG_REQUESTS",
)
_HEAD_BYTES = 80 * 1024
_TAKING_S = 120
"""Seconds for which a client may take nothing of what was sent to it."""

_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Suites of TLS 1.2, all with forward secrecy and authenticated encryption; those of TLS 1.3 are always on."""

_SPARE_SECTIONS = 2
"""Places in the shared usage for workers that start while those that they replace are still ending."""


class Site:
    """One worker's server: the console for its paths and for browsers at the front door, the authority and the sign-in
    pages for theirs, the Web API for the rest."""

    def __init__(self, environments: Environments, web_api: Application) -> None:
        self._environments = environments
        self._web_api = web_api
        self._patience_s = environments.home.settings.server.abandoned_after_s

    def open(self) -> None:
        """Open what the first request needs. Raises `HomeError`."""
        self._web_api.open()

    def close(self) -> None:
        """Let running requests end, and give the stores back."""
        self._web_api.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
            return
        if scope["type"] == "http":
            peer = scope.get("extensions", {}).get(PEER)
            WAITING.set(None if peer is None else Waiting(peer, self._patience_s))
        if scope["type"] == "http" and is_served(scope["path"]):
            await self._sign_in()(scope, receive, send)
            return
        is_page = scope["type"] == "http" and (
            scope["path"].startswith("/console") or (scope["path"] == "/" and _wants_html(scope))
        )
        await (self._console() if is_page else self._web_api)(scope, receive, send)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Start and stop: the trail is sealed and watched in between, and sealed once more before the stores are given
        back."""
        beside = Beside(self._rounds)

        async def told() -> Message:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                beside.stop()
            else:
                beside.start()
            return message

        await self._web_api(scope, told, send)

    def _rounds(self) -> Sequence[Rounds]:
        """Read when the server answers already: it is a fifth of what a server reads, and no answer needs it."""
        from strongroom.beside import rounds_of

        return rounds_of(self._environments)

    @cache  # noqa: B019 - there is one server, which lives as long as its process
    def _console(self) -> "Console":
        """Made when somebody first looks: a server that answers programs alone starts sooner and stays smaller."""
        from strongroom.console.site import Console

        return Console(self._environments, self._web_api.answer, self._web_api.schema_of)

    @cache  # noqa: B019 - as above
    def _sign_in(self) -> "SignIn":
        """Made when somebody first asks for a token or signs in."""
        from strongroom.signin.site import SignIn

        return SignIn(self._environments)


def _wants_html(scope: Scope) -> bool:
    return any(name == b"accept" and b"text/html" in value for name, value in scope["headers"])


class Started(Protocol):
    """Called once the socket is listening, with the address that clients use."""

    def __call__(self, address: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Listening:
    """How the server listens. Certificate and key come together or not at all.

    With `tls_port` the certificate serves that port and `port` stays plain HTTP, for clients that insist on TLS beside
    those that do not (WA-7); that takes one worker.
    """

    host: str
    port: int
    workers: int = 1
    tls_cert: Path | None = None
    tls_key: Path | None = None
    protect: bool = False
    graceful_stop_s: int = 10
    log_level: str = "info"
    log_requests: bool = True
    tls_port: int | None = None
    tls_minimum: str = "1.2"
    tls_client_authority: Path | None = None
    """Certificates (PEM) of those who issue certificates to clients, which must then have one."""

    @property
    def scheme(self) -> str:
        return "https" if self.tls_cert is not None and self.tls_port is None else "http"


def run(home: Path, listening: Listening, started: Started | None = None) -> None:
    """Serve until SIGINT or SIGTERM, then let running requests end.

    Raises `HomeError` when a port is taken, or when the default environment does not open: before `started` is told.
    """
    if listening.tls_port is not None and listening.workers > 1:
        raise HomeError("A port of its own for HTTPS takes one worker; leave out --tls-port or --workers.")
    bound = _bind(listening.host, listening.port)
    bound_tls = None if listening.tls_port is None else _bind(listening.host, listening.tls_port)
    os.environ[_HOME] = str(home)
    os.environ[_PROTECT] = "1" if listening.protect else "0"
    os.environ[_LOG_LEVEL] = listening.log_level
    os.environ[_LOG_REQUESTS] = "1" if listening.log_requests else "0"
    app = application()
    app.open()
    if started is not None:
        started(f"{listening.scheme}://{_shown(listening.host)}:{bound.getsockname()[1]}")
    set_up_logging(listening.log_level)
    if listening.workers > 1:
        app.close()
        with tempfile.TemporaryDirectory(prefix="strongroom-metrics-") as measurements:
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = measurements
            usage = Path(measurements, "usage")
            make_pool(usage, listening.workers + _SPARE_SECTIONS)
            os.environ[_USAGE] = str(usage)
            config = _config(listening, "strongroom.serving:application", with_tls=True)
            Multiprocess(config, sockets=[bound]).run()
    else:
        uvloop.run(_one_process(listening, app, bound, bound_tls))


async def _one_process(listening: Listening, app: Site, bound: socket.socket, bound_tls: socket.socket | None) -> None:
    server = uvicorn.Server(_config(listening, app, with_tls=bound_tls is None))
    if bound_tls is None:
        await server.serve(sockets=[bound])
        return
    beside = _Beside(_config(listening, app, with_tls=True, lifespan="off"), server)
    await asyncio.gather(server.serve(sockets=[bound]), beside.serve(sockets=[bound_tls]))


class _Beside(uvicorn.Server):
    """A server for another socket of the same application, which ends when the first one does."""

    def __init__(self, config: uvicorn.Config, first: uvicorn.Server) -> None:
        super().__init__(config)
        self._first = first

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Signals are the first server's."""
        yield

    async def on_tick(self, counter: int) -> bool:
        """Whether to end."""
        self.force_exit = self._first.force_exit
        return await super().on_tick(counter) or self._first.should_exit


def _config(
    listening: Listening, app: Site | str, *, with_tls: bool, lifespan: Literal["on", "off"] = "on"
) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        factory=isinstance(app, str),
        workers=listening.workers,
        http=HttpProtocol,
        loop="uvloop",
        lifespan=lifespan,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        ssl_certfile=listening.tls_cert if with_tls else None,
        ssl_keyfile=listening.tls_key if with_tls else None,
        ssl_context_factory=_tls(listening) if with_tls else None,
        ssl_ciphers=_CIPHERS,
        timeout_graceful_shutdown=listening.graceful_stop_s,
        timeout_keep_alive=75,
        h11_max_incomplete_event_size=_HEAD_BYTES,
    )


def _tls(listening: Listening) -> ServerTls | None:
    if listening.tls_cert is None or listening.tls_key is None:
        return None
    return ServerTls(listening.tls_cert, listening.tls_key, listening.tls_minimum, listening.tls_client_authority)


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Connections inherit these: one whose client takes nothing of its answer is ended by the system, and so is one
    # whose client is gone without a word.
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _TAKING_S * 1000)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise HomeError(
            f"Cannot listen on {host}:{port}: {error.strerror}. "
            "Stop the program that has the port, or choose another with --port."
        ) from None
    bound.listen(1024)
    bound.set_inheritable(True)
    return bound


def _shown(host: str) -> str:
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        return "localhost"
    return f"[{host}]" if ":" in host else host


def application() -> Site:
    """One worker's application; what to serve comes from the environment that `run` set."""
    _end_with_parent()
    set_up_logging(os.environ.get(_LOG_LEVEL, "info"))
    logging.getLogger("strongroom.access").disabled = os.environ.get(_LOG_REQUESTS) == "0"
    home = open_home(Path(os.environ[_HOME]))
    told = home.settings.server
    limits = Limits(told.protect_requests, told.protect_execution_s, told.protect_concurrent)
    pool = _pool(os.environ.get(_USAGE))
    protection = Protection(limits, enforced=os.environ.get(_PROTECT) == "1", pool=pool)
    environments = Environments(home)
    tracing = tracing_to(home.settings.telemetry.otlp, Outbound(home.settings.outbound.allow))
    web_api = Application(environments, protection, told.body_limit_mib * 1024 * 1024, tracing)
    return Site(environments, web_api)


def _pool(shared: str | None) -> PooledUsage | None:
    return PooledUsage(Path(shared), WINDOW_S, claim_section(Path(shared))) if shared else None


def _end_with_parent() -> None:
    """End this worker in good order when the process that started it is gone: it would hold the port for ever."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def follow() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=follow, name="parent", daemon=True).start()
