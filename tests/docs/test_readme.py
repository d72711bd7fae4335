"""The README's tour works by copy and paste: exactly its Python blocks run, against a server as `make demo` starts."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.docs.blocks import PROJECT, blocks, section
from tests.servers import RunningServer, free_port, run_cli, start_server


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, RunningServer, int]]:
    """A folder laid out like a checkout after `make demo`, its server, and the server's HTTPS port."""
    folder = tmp_path_factory.mktemp("checkout")
    (folder / ".venv").symlink_to(Path(sys.prefix))
    run_cli("init", "--demo", "--home", str(folder / "home"), "--accounts", "200")
    tls_port = free_port()
    running = start_server(folder / "home", "--tls-self-signed", "--tls-port", str(tls_port))
    yield folder, running, tls_port
    assert running.stop() == 0, "Ctrl-C must stop the server cleanly"


def test_the_tour_shows_what_the_readme_says(demo: tuple[Path, RunningServer, int]) -> None:
    """Typed into the interactive interpreter, where an empty line ends a definition."""
    folder, _, tls_port = demo
    code = "\n\n".join(blocks(section("README.md", "A short tour"), "python"))
    assert "https://localhost:8443" in code
    environ = {**os.environ, "REQUESTS_CA_BUNDLE": str(folder / "home" / "tls" / "localhost.pem")}

    done = subprocess.run(
        [str(folder / ".venv" / "bin" / "python"), "-i", "-q"],
        input=code.replace("localhost:8443", f"localhost:{tls_port}") + "\n",
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert "Error" not in done.stderr, done.stderr[-3000:]
    lines = done.stdout.splitlines()
    assert lines[0] == "Sofía sees ['Ναυτιλία Tour']"
    assert lines[1] == "Amara sees []"
    assert "Amara sees ['Ναυτιλία Tour']" in lines
    before, after = done.stdout.split("Amara sees ['Ναυτιλία Tour']")
    assert "no-access-path" in before
    assert "share" in after


def test_every_page_that_is_linked_exists() -> None:
    pages = [PROJECT / "README.md", PROJECT / "ARCHITECTURE.md", *(PROJECT / "docs").rglob("*.md")]
    missing = [
        f"{page.relative_to(PROJECT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", _prose(page.read_text()))
        if not (page.parent / target).exists()
    ]
    assert missing == []


def _prose(text: str) -> str:
    """The text without code, where brackets mean something else."""
    return re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)
