"""The how-to pages about moving data and about files: their commands run, in their order."""

import shlex
from pathlib import Path

import pytest
from tests.docs.blocks import PROJECT, blocks
from tests.pictures import opened, picture
from tests.servers import run_cli

from strongroom.cli.main import run

_PAGE = PROJECT / "docs/how-to/move-data.md"


def test_the_commands_of_the_page_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What goes out comes in again, and finds everything as it is."""
    run_cli("init", "--demo", "--home", str(tmp_path / "home"), "--accounts", "200")
    monkeypatch.chdir(tmp_path)
    found = [shlex.split(line)[1:] for block in blocks(_PAGE.read_text(), "sh") for line in block.splitlines()]

    assert [arguments[0] for arguments in found] == ["export-data"] * 4 + ["import-data"] * 4
    for arguments in found:
        assert run(arguments) == 0, f"{arguments}: {capsys.readouterr()}"
    shown = capsys.readouterr().out
    assert "account.csv: 200 rows of account" in shown
    assert "Not imported, because nobody can write them" not in shown
    assert {each.name for each in tmp_path.iterdir()} == {
        "home",
        "account.csv",
        "contact.xlsx",
        "opportunity.jsonl",
        "data.zip",
    }


def test_refused_rows_and_files_that_do_not_fit_have_their_exit_status(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = str(tmp_path / "home")
    run_cli("init", "--home", home)
    path = tmp_path / "account.csv"
    path.write_text("Company,industrycode,createdon\nOne,1,2020-01-01\nTwo,Baking,\n", encoding="utf-8")
    arguments = ["import-data", str(path), "--home", home]

    assert run(arguments) == 2
    assert "no column for 'Company'; say which with --map" in capsys.readouterr().err
    assert run([*arguments, "--map", "Company=name"]) == 1
    shown = capsys.readouterr().out
    assert "nobody can write them in account: createdon" in shown
    assert str(tmp_path / "account.errors.csv") in shown

    repaired = tmp_path / "account.errors.csv"
    repaired.write_text(repaired.read_text().replace("Baking", "Accounting"))
    again = ["--table", "account", "--map", "Company=name", "--map", "line=", "--map", "column=", "--map", "message="]
    assert run(["import-data", str(repaired), "--home", home, *again]) == 0


def test_the_commands_of_the_page_about_files_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """WA-370: a picture goes up, comes down full and small, and is removed."""
    run_cli("init", "--home", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    Path("account.csv").write_text("accountid,name\n018cc251-f41d-7010-9f5b-0a7c1b2d3e4f,Ada\n")
    Path("logo.png").write_bytes(picture())
    page = (PROJECT / "docs/how-to/keep-files-and-images.md").read_text()
    found = [shlex.split(line)[1:] for block in blocks(page, "sh") for line in block.splitlines()]

    for arguments in found:
        assert run(arguments) == 0, f"{arguments}: {capsys.readouterr()}"

    assert Path("full.png").read_bytes() == picture()
    assert opened(Path("small.jpg").read_bytes()).size == (144, 144)
