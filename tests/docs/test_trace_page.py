"""The how-to page about traces: its commands run."""

from pathlib import Path

from tests.docs.test_trail_pages import commands
from tests.servers import run_cli

from strongroom.cli.main import run


def test_the_commands_of_the_page_run(tmp_path: Path) -> None:
    home = tmp_path / "home"
    run_cli("init", "--home", str(home))
    assert [run(each) for each in commands("docs/how-to/trace-a-client.md", home)] == [0] * 5
