"""The how-to pages about the trail and the test clock: their commands run."""

import shlex
from pathlib import Path

import pytest
from tests.docs.blocks import PROJECT, blocks
from tests.servers import run_cli

from strongroom.cli.main import run


def commands(page: str, home: Path) -> list[list[str]]:
    """The commands of a page, for the test's own home."""
    text = (PROJECT / page).read_text()
    lines = [line for block in blocks(text, "sh") for line in block.splitlines() if line.startswith("strongroom ")]
    return [[str(home) if each == "home" else each for each in shlex.split(line)[1:]] for line in lines]


def test_the_commands_of_the_proof_page_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TS-813."""
    home = tmp_path / "home"
    run_cli("init", "--home", str(home))
    monkeypatch.chdir(tmp_path)

    done = [run(each) for each in commands("docs/how-to/prove-the-trail.md", home)]

    assert done == [0] * 7
    assert (tmp_path / "trail.jsonl").is_file()
    assert run(["check", "--home", str(home)]) == 0


def test_the_commands_of_the_test_clock_page_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """TS-006."""
    assert [run(each) for each in commands("docs/how-to/test-deadlines.md", tmp_path / "home")] == [0, 0, 0]
    assert "2099-05-01T10:15" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("page", "number"),
    [
        ("docs/how-to/see-who-read-what.md", 5),
        ("docs/how-to/keep-the-trail.md", 2),
        ("docs/how-to/handle-an-incident.md", 3),
    ],
)
def test_the_commands_of_the_pages_about_activities_run(tmp_path: Path, page: str, number: int) -> None:
    """TS-809, TS-821, TS-822, TS-1601."""
    home = tmp_path / "home"
    run_cli("init", "--home", str(home))
    assert [run(each) for each in commands(page, home)] == [0] * number
