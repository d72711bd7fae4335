"""`strongroom jobs`: system jobs begun, watched, paused and run on the command line (WA-308, TS-007)."""

import json
from pathlib import Path

import pytest
from tests.servers import run_cli

from strongroom.cli.main import run


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that nobody serves."""
    made = tmp_path_factory.mktemp("jobs") / "home"
    run_cli("init", "--home", str(made))
    return made


def call(home: Path, capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> str:
    """What a command of the group says, on standard output or of what is wrong."""
    capsys.readouterr()
    assert run(["jobs", *words, "--home", str(home)]) == status
    said = capsys.readouterr()
    return said.err if status else said.out.strip()


def test_a_job_is_begun_paused_resumed_run_and_shown(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """WA-308: all of it without a server."""
    where = ("--where", "name Equal Nobody", "--where", "fax Null")
    job = call(home, capsys, "bulk-delete", "account", *where, "--name", "Clean up")
    assert call(home, capsys, "pause", job) == "waiting"
    assert call(home, capsys, "run") == "0 jobs have ended."
    assert call(home, capsys, "resume", job) == "ready"
    assert call(home, capsys, "run") == "1 jobs have ended."

    shown = json.loads(call(home, capsys, "show", job, "--json"))
    assert (shown["name"], shown["state"]) == ("Clean up", "succeeded")
    assert shown["message"] == "0 rows deleted, 0 could not be."
    assert call(home, capsys, "list") == "ID  STATE  NAME"
    assert job in call(home, capsys, "list", "--all")
    assert "is over stays so" in call(home, capsys, "cancel", job, status=2)


def test_a_series_ends_when_it_is_cancelled(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    again = ("--start", "2999-01-01T00:00:00Z", "--repeat", "FREQ=DAILY;INTERVAL=2")
    assert "ten years" in call(home, capsys, "bulk-delete", "account", *again, status=2)
    job = call(home, capsys, "bulk-delete", "account", "--repeat", "FREQ=DAILY;INTERVAL=2")
    call(home, capsys, "run")
    (following,) = json.loads(call(home, capsys, "list", "--json"))
    assert (following["id"] != job, following["state"], following["recurrencepattern"]) == (True, "waiting", again[3])
    assert call(home, capsys, "cancel", following["id"]) == "cancelled"
    assert json.loads(call(home, capsys, "list", "--json")) == []


def test_what_makes_no_sense_is_said(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words, says in (
        (("bulk-delete", "nope"), "was not found"),
        (("bulk-delete", "account", "--where", "name"), "is no condition"),
        (("bulk-delete", "account", "--where", "name Sometimes 1"), "no condition operator"),
        (("bulk-delete", "account", "--start", "soon"), "is no time"),
        (("bulk-delete", "account", "--repeat", "FREQ=NEVER"), "is no recurrence pattern"),
        (("find-duplicates", "account"), "publish one"),
        (("show", "x"), "is no id of a job"),
        (("show", "00000000-0000-0000-0000-000000000009"), "Does Not Exist"),
    ):
        assert says in call(home, capsys, *words, status=2), words


def test_only_worked_out_columns_are_recalculated(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """WA-403."""
    assert "no rollup or calculated column" in call(home, capsys, "recalculate", "account", "name", status=2)
