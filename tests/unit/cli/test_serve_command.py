"""`strongroom serve`: it answers, stops in good order, and refuses what it cannot do before it starts."""

import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from strongroom.cli.main import run

WORDS = "correct horse battery"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home as `strongroom init` makes it."""
    path = tmp_path_factory.mktemp("homes") / "home"
    assert run(["init", "--home", str(path)]) == 0
    return path


@contextmanager
def served(
    home: Path, *options: str, environ: Mapping[str, str] | None = None, pass_fds: Sequence[int] = ()
) -> Generator[tuple[subprocess.Popen[str], str]]:
    """A running server and its address, as the server tells it."""
    command = [sys.executable, "-m", "strongroom.cli", "serve", "--home", str(home), "--port", "0", *options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environ, pass_fds=pass_fds
    ) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().strip().rpartition(" ")[2]
        finally:
            process.kill()


def status(address: str, context: ssl.SSLContext | None = None, token: str = "") -> int:
    request = urllib.request.Request(address, headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=20, context=context) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_server_answers_and_takes_a_token_that_was_made_later(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    with served(made) as (_, address):
        assert status(f"{address}/healthz") == 200
        assert status(f"{address}/api/data/v9.2/WhoAmI") == 401
        assert run(["keys", "rotate", "--signing", "--home", str(made)]) == 0
        capsys.readouterr()
        assert run(["token", "--home", str(made), "--user", "admin"]) == 0
        token = capsys.readouterr().out.strip()
        assert status(f"{address}/api/data/v9.2/WhoAmI", token=token) == 200


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_server_stops_in_good_order(made: Path, stop: signal.Signals, workers: str) -> None:
    with served(made, "--workers", workers) as (process, address):
        assert status(f"{address}/healthz") == 200
        process.send_signal(stop)

        assert process.wait(timeout=20) == 0
    with pytest.raises(OSError):
        status(f"{address}/healthz")


def test_port_in_use_is_refused_with_status_2(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])

        assert run(["serve", "--home", str(made), "--port", port]) == 2
        shown = capsys.readouterr().err
        assert f"127.0.0.1:{port}" in shown
        assert "--port" in shown


def test_self_signed_server_is_trusted_through_its_certificate(made: Path) -> None:
    """WA-7."""
    with served(made, "--tls-self-signed") as (_, address):
        assert address.startswith("https://127.0.0.1:")
        trusting = ssl.create_default_context(cafile=str(made / "tls" / "localhost.pem"))

        assert status(f"{address}/healthz", trusting) == 200
        assert status(f"{address}/healthz".replace("127.0.0.1", "localhost"), trusting) == 200


def test_workers_open_a_home_whose_passphrase_came_from_a_pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME_WORDS", WORDS)
    assert run(["init", "--home", str(tmp_path / "home"), "--key-provider", "env:HOME_WORDS"]) == 0
    reader, writer = os.pipe()
    os.write(writer, WORDS.encode())
    os.close(writer)
    environ = {name: value for name, value in os.environ.items() if name != "HOME_WORDS"}
    environ["STRONGROOM_KEY_PROVIDER"] = f"fd:{reader}"

    with served(tmp_path / "home", "--workers", "2", environ=environ, pass_fds=[reader]) as (_, address):
        assert status(f"{address}/healthz") == 200
    os.close(reader)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--tls-cert", "x"], "--tls-cert and --tls-key go together"),
        (["--tls-cert", "x", "--tls-key", "y", "--tls-self-signed"], "makes its own certificate"),
        (["--tls-cert", "/nothing.pem", "--tls-key", "/nothing.key"], "There is no file /nothing.pem"),
        (["--host", "no such host"], "no such host"),
    ],
)
def test_server_that_cannot_start_says_why_with_status_2(
    made: Path, options: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["serve", "--home", str(made), "--port", "0", *options]) == 2
    assert expected in capsys.readouterr().err


def test_damaged_setting_stops_the_server_before_it_listens(
    tmp_path: Path, made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(made, tmp_path / "home")
    (tmp_path / "home" / "strongroom.toml").write_text("[server]\nprot = 1\n")

    assert run(["serve", "--home", str(tmp_path / "home")]) == 2
    assert "did you mean server.port?" in capsys.readouterr().err
