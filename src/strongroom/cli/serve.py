"""`strongroom serve`: the Web API of a home, until it is told to stop."""

import gc
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from strongroom.cli.options import home_option, opened
from strongroom.cli.output import say
from strongroom.cli.welcome import welcome

if TYPE_CHECKING:
    from strongroom.home import Home
    from strongroom.home.tls import Certificate

_FILE = click.Path(path_type=Path)


@click.command(short_help="Serve the Web API of a home.")
@home_option
@click.option("--host", metavar="H", help="Address to listen on. Default: 127.0.0.1.")
@click.option(
    "--port", "-p", type=click.IntRange(0, 65535), metavar="P", help="Port; 0 takes a free one. Default: 8000."
)
@click.option("--workers", "-w", type=click.IntRange(1, 256), metavar="N", help="Processes that answer. Default: 1.")
@click.option("--tls-cert", type=_FILE, metavar="F", help="Serve HTTPS with this certificate chain (PEM).")
@click.option("--tls-key", type=_FILE, metavar="F", help="The private key of the certificate (PEM).")
@click.option(
    "--tls-self-signed",
    is_flag=True,
    default=None,
    help="Serve HTTPS with a certificate for localhost, made in the home.",
)
@click.option(
    "--tls-port",
    type=click.IntRange(0, 65535),
    metavar="P",
    help="Serve HTTPS on this port, and plain HTTP on --port beside it. Needs a certificate.",
)
@click.option("--protect", is_flag=True, default=None, help="Enforce the service protection limits.")
@click.option("--trace", is_flag=True, help="Keep what is refused, for `strongroom trace`.")
def serve(
    home: Path,
    host: str | None,
    port: int | None,
    workers: int | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    tls_self_signed: bool | None,
    tls_port: int | None,
    protect: bool | None,
    trace: bool,
) -> None:
    """Serve the Web API of a home.

    Options win over `strongroom.toml`. Ctrl-C or SIGTERM stops it: it takes no new requests and lets those that are
    running end. The log is written to standard error, one JSON object a line.
    """
    if bool(tls_cert) != bool(tls_key):
        raise click.UsageError("--tls-cert and --tls-key go together.")
    if tls_cert and tls_self_signed:
        raise click.UsageError("--tls-self-signed makes its own certificate; leave out --tls-cert and --tls-key.")
    if trace:
        os.environ["STRONGROOM_SERVER_TRACE"] = "true"  # as for the workers, who read the settings for themselves
    gc.disable()  # until `settle_memory`: what is read at the start stays, so looking for garbage in it finds none
    from strongroom.keys import worker_environment
    from strongroom.serving import Listening, run

    opened_home = opened(home)
    settings = opened_home.settings.server
    certificate = _certificate(opened_home, tls_cert, tls_key, tls_self_signed)
    if tls_port is not None and certificate is None:
        raise click.UsageError("--tls-port needs a certificate: add --tls-self-signed, or --tls-cert and --tls-key.")
    listening = Listening(
        host=settings.host if host is None else host,
        port=settings.port if port is None else port,
        workers=workers or settings.workers,
        tls_cert=certificate.chain if certificate else None,
        tls_key=certificate.key if certificate else None,
        protect=settings.protect if protect is None else protect,
        graceful_stop_s=settings.graceful_stop_s,
        log_level=opened_home.settings.log.level,
        log_requests=opened_home.settings.log.requests,
        tls_port=tls_port,
        tls_minimum=settings.tls_minimum,
        tls_client_authority=Path(settings.tls_client_authority) if settings.tls_client_authority else None,
    )
    trust = certificate.chain if certificate and certificate.chain.parent == opened_home.tls_folder else None
    os.environ.update(worker_environment(opened_home.keys.source))
    signal.signal(signal.SIGTERM, _stop)
    try:
        run(home, listening, lambda address: _tell(opened_home, address, trust, tls_port))
    except KeyboardInterrupt:
        # The web server raises the signals that stopped it once more when it has ended in good order.
        return


def _stop(_signal: int, _frame: FrameType | None) -> None:
    """SIGTERM ends like Ctrl-C: in good order and with status 0."""
    raise KeyboardInterrupt


def _certificate(
    home: "Home", chain: Path | None, key: Path | None, is_self_signed: bool | None
) -> "Certificate | None":
    """Options before settings; none means plain HTTP."""
    from strongroom.home.tls import provided_certificate, self_signed

    settings = home.settings.server
    if chain and key:
        return provided_certificate(chain, key)
    if is_self_signed:
        return self_signed(home.tls_folder, home.clock)
    if settings.tls_cert:
        return provided_certificate(home.path / settings.tls_cert, home.path / settings.tls_key)
    return self_signed(home.tls_folder, home.clock) if settings.tls_self_signed else None


def _tell(home: "Home", address: str, trust: Path | None, tls_port: int | None) -> None:
    for line in welcome(home, address, trust, tls_port):
        say(line)
    sys.stdout.flush()
