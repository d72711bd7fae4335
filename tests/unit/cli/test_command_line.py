"""What every command shares: errors as one line, exit status, help that answers at once."""

import subprocess
import sys
from pathlib import Path

import click
import pytest

from strongroom.cli import main as entry
from strongroom.cli.main import cli, run
from strongroom.errors import HomeError


def commands(group: click.Group, path: str = "strongroom") -> list[tuple[str, click.Command]]:
    """Every command below `group` with its whole name."""
    found: list[tuple[str, click.Command]] = []
    for name, command in group.commands.items():
        found.append((f"{path} {name}", command))
        if isinstance(command, click.Group):
            found += commands(command, f"{path} {name}")
    return found


@pytest.mark.parametrize(("path", "command"), commands(cli), ids=lambda value: value if isinstance(value, str) else "")
def test_every_command_and_option_says_what_it_does(path: str, command: click.Command) -> None:
    assert command.help
    assert len(command.get_short_help_str(limit=60)) < 60
    for parameter in command.params:
        if isinstance(parameter, click.Argument):
            assert parameter.make_metavar(click.Context(command)).strip("[]{}") in command.help, (
                f"{path} {parameter.name}"
            )
        else:
            assert isinstance(parameter, click.Option)
            assert parameter.help, f"{path} {parameter.name}"


def test_help_and_version_are_answers(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    assert run(["--version"]) == 0
    assert run(["keys", "rotate", "-h"]) == 0
    shown = capsys.readouterr().out
    assert "Make a home" in shown
    assert "strongroom 0." in shown


def test_help_imports_nothing_heavy() -> None:
    """So that it answers in less than 150 ms."""
    heavy = ("cryptography", "uvicorn", "sqlcipher3", "psycopg", "jwt", "sqlglot", "babel", "strongroom.store.layout")
    code = f"import sys, strongroom.cli; print([name for name in {heavy!r} if name in sys.modules])"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["fly"], "strongroom: No such command 'fly'. See `strongroom --help`."),
        (["token"], "strongroom: Missing option '--user'. See `strongroom token --help`."),
        (["serve", "--port", "x"], "See `strongroom serve --help`."),
        (["serve", "--port", "70000"], "70000 is not in the range 0<=x<=65535"),
        (["token", "--user", "admin", "--minutes", "0"], "0 is not in the range 1<=x<=43200"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(
    arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert expected in shown.err
    assert shown.err.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (HomeError("It is\n  damaged."), "strongroom: It is damaged."),
        (PermissionError(13, "Permission denied", "/x"), "strongroom: Permission denied: /x"),
        (KeyboardInterrupt(), "strongroom: interrupted; nothing more was done"),
    ],
)
def test_error_of_a_command_is_one_line_and_status_2(
    error: BaseException, expected: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(cli.commands["check"], "callback", fail)

    assert run(["check"]) == 2
    assert capsys.readouterr().err.strip("\n") == expected


def test_no_home_is_told_with_what_makes_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["keys", "list", "--home", str(tmp_path / "x")]) == 2
    assert "strongroom init --home" in capsys.readouterr().err


def test_home_may_be_named_by_a_variable(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRONGROOM_HOME", str(tmp_path / "elsewhere"))

    assert run(["keys", "list"]) == 2
    assert "elsewhere" in capsys.readouterr().err


def test_unknown_variable_stops_every_command_that_opens_the_home(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from strongroom.home import create_home

    create_home(tmp_path / "home", environ={})
    monkeypatch.setenv("STRONGROOM_SERVER_PRT", "1")

    assert run(["keys", "list", "--home", str(tmp_path / "home")]) == 2
    assert "did you mean STRONGROOM_SERVER_PORT?" in capsys.readouterr().err


def test_process_ends_with_the_status(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        entry(["fly"])
    assert ended.value.code == 2
    assert capsys.readouterr().err


def test_reader_that_goes_away_causes_no_second_error() -> None:
    line = f"set -o pipefail; '{sys.executable}' -m strongroom.cli --help | true"

    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)

    assert done.stderr == ""
