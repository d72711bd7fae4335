"""The reference page of the command line is the one that the commands give now."""

from pathlib import Path

from strongroom.cli.main import cli
from strongroom.cli.reference import reference

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "command-line.md"


def test_reference_page_is_up_to_date() -> None:
    assert PAGE.read_text() == reference(cli, "strongroom"), "run `make docs`"
