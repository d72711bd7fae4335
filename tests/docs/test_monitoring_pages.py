"""The how-to pages about alerts, the stream, support and the server: their commands run."""

import shlex
import tomllib
from pathlib import Path

import pytest
from tests.docs.blocks import PROJECT, blocks
from tests.servers import run_cli

from strongroom.cli.main import run
from strongroom.settings import SETTINGS_FILE, load_settings

PAGES = ("watch-for-alerts", "stream-the-trail", "let-support-in", "watch-the-server")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("watched") / "home"
    run_cli("init", "--home", str(path))
    return path


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_page_about_monitoring_run(
    page: str, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    text = (PROJECT / f"docs/how-to/{page}.md").read_text()
    lines = [line for block in blocks(text, "sh") for line in block.splitlines() if line.startswith("strongroom ")]
    commands = [[str(home) if each == "home" else each for each in shlex.split(line)[1:]] for line in lines]
    assert commands
    assert [run(each) for each in commands] == [0] * len(commands), capsys.readouterr().err


@pytest.mark.parametrize("page", PAGES)
def test_the_settings_of_a_page_about_monitoring_are_settings(page: str, tmp_path: Path) -> None:
    for block in blocks((PROJECT / f"docs/how-to/{page}.md").read_text(), "toml"):
        tomllib.loads(block)
        (tmp_path / SETTINGS_FILE).write_text(block)
        load_settings(tmp_path, {})
