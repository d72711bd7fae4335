"""Real servers for tests: a home made by `strongroom init`, served by `strongroom serve`, one for each engine."""

import io
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import httpx

from strongroom.cli.main import run

STRONGROOM = str(Path(sys.executable).with_name("strongroom"))


def run_cli(
    *arguments: str, expect: int = 0, environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command and check its exit status.

    The command runs in this process, where the modules are read already: the entry point is the same. A server, and
    a command with variables of its own, gets a process of its own.
    """
    needs_process = environ is not None or arguments[:1] == ("serve",)
    done = _in_its_process(arguments, environ or {}) if needs_process else _in_this_process(arguments)
    assert done.returncode == expect, (
        f"strongroom {' '.join(arguments)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    )
    return done


def _in_its_process(arguments: Sequence[str], environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [STRONGROOM, *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, **environ},
        check=False,
    )


def _in_this_process(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    said, complained = io.StringIO(), io.StringIO()
    with redirect_stdout(said), redirect_stderr(complained):
        status = run(arguments)
    return subprocess.CompletedProcess(list(arguments), status, said.getvalue(), complained.getvalue())


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@dataclass(slots=True)
class RunningServer:
    """A server in a process of its own."""

    home: Path
    address: str
    process: "subprocess.Popen[bytes]"
    log: Path

    @property
    def api(self) -> str:
        """The service root."""
        return f"{self.address}/api/data/v9.2/"

    def token(self, user: str = "admin", *, environment: str | None = None) -> str:
        """A bearer token made by the command line."""
        extra = ("--environment", environment) if environment else ()
        return run_cli("token", "--home", str(self.home), "--user", user, *extra).stdout.strip()

    def stop(self) -> int:
        """Ask the server to stop, and say its exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=30)

    def kill(self) -> None:
        """End the process without warning."""
        self.process.kill()
        self.process.wait(timeout=30)


def start_server(home: Path, *options: str, port: int | None = None) -> RunningServer:
    """Serve a home and wait until it is ready."""
    port = port or free_port()
    log = home.parent / f"{home.name}-{port}.log"
    scheme = "https" if "--tls-self-signed" in options and "--tls-port" not in options else "http"
    with log.open("ab") as stream:
        process = subprocess.Popen(
            [STRONGROOM, "serve", "--home", str(home), "--port", str(port), *options],
            stdout=stream,
            stderr=stream,
        )
    address = f"{scheme}://{'localhost' if scheme == 'https' else '127.0.0.1'}:{port}"
    deadline = time.monotonic() + 60
    with httpx.Client(verify=False) as client:  # noqa: S501 - readiness only
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise AssertionError(f"the server ended with {process.returncode}:\n{log.read_text()}")
            try:
                if client.get(f"{address}/healthz", timeout=5).status_code == 200:
                    return RunningServer(home, address, process, log)
            except httpx.TransportError:
                time.sleep(0.05)
    process.kill()
    raise AssertionError(f"the server was not ready within 60 s:\n{log.read_text()}")
