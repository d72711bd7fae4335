"""The how-to pages about people, programs and second factors: their commands run, in their order."""

import re
import shlex
from pathlib import Path

import pytest
from tests.docs.blocks import PROJECT
from tests.servers import run_cli

from strongroom.cli.main import run

_COMMAND = re.compile(r"^ *strongroom (.*) --home home$", re.MULTILINE)
"""Commands of a page that name the home; some stand in lists, so they are indented."""


@pytest.mark.parametrize(
    "page", ["connect-an-application", "add-people", "turn-on-mfa", "limit-sign-ins", "sign-in-by-a-provider"]
)
def test_the_commands_of_the_page_run(page: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = tmp_path / "home"
    run_cli("init", "--home", str(home))
    found = [shlex.split(each) for each in _COMMAND.findall((PROJECT / f"docs/how-to/{page}.md").read_text())]

    assert len(found) >= 3
    statuses = [run([*arguments, "--home", str(home)]) for arguments in found]
    assert statuses == [0] * len(found), capsys.readouterr().err
