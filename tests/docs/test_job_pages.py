"""The how-to pages about jobs and worked-out columns: their commands run, and what they show can be done."""

import json
import re
import shlex
from pathlib import Path

import pytest
from tests.docs.blocks import PROJECT, blocks
from tests.servers import run_cli

from strongroom.background.recurrence import read_recurrence
from strongroom.cli.main import run
from strongroom.schema.formulas import read_formula
from strongroom.schema.model import SourceType

_JOBS = PROJECT / "docs/how-to/run-jobs.md"
_COLUMNS = PROJECT / "docs/how-to/work-out-columns.md"


def test_the_commands_about_jobs_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run_cli("init", "--home", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)

    found = [shlex.split(line)[1:] for block in blocks(_JOBS.read_text(), "sh") for line in block.splitlines()]

    for arguments in found:
        assert run(arguments) == 0, f"{arguments}: {capsys.readouterr()}"
    shown = capsys.readouterr().out
    assert "1 jobs have ended." in shown
    assert re.search(r"succeeded +Old tasks", shown)
    bodies = [block[block.index("{") :] for block in blocks(_JOBS.read_text(), "http") if block.startswith("POST")]
    assert read_recurrence(json.loads(bodies[0])["RecurrencePattern"]).frequency == "DAILY"


def test_the_formulas_that_are_shown_can_be_read() -> None:
    page = _COLUMNS.read_text()
    (body,) = (block[block.index("{") :] for block in blocks(page, "http"))
    (calculated,) = re.findall(r"^    (\{\"calculated\".*)$", page, re.MULTILINE)

    assert read_formula(json.loads(body)["FormulaDefinition"], SourceType.ROLLUP)
    assert read_formula(calculated, SourceType.CALCULATED)
