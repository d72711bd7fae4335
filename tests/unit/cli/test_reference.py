"""The reference page of the command line is the one that the commands give now."""

from pathlib import Path

from click.testing import CliRunner

from strongroom.cli.main import cli
from strongroom.cli.reference import reference

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "command-line.md"


def test_reference_page_is_up_to_date() -> None:
    assert PAGE.read_text() == reference(cli, "strongroom"), "run `make docs`"


def test_each_command_is_told_in_a_line_that_is_not_cut_off() -> None:
    shown = CliRunner().invoke(cli, ["--help"], terminal_width=80).output
    assert "explain " in shown
    assert not [line for line in shown.splitlines()[1:] if line.endswith("...")]
