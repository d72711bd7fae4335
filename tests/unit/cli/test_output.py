"""Tables stay in line in every script; progress does not get into the answer."""

import json

import pytest

from strongroom.cli.output import Progress, print_json, table


def test_columns_stay_in_line_with_wide_and_combining_letters() -> None:
    shown = table(("NAME", "N"), [("東京", 1), ("Zoe\u0308", 22), ("ab", 3)])

    assert shown.splitlines() == ["NAME  N", "東京  1", "Zoe\u0308   22", "ab    3"]


def test_json_is_readable_and_keeps_its_letters(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"name": "Žluťoučký"})

    shown = capsys.readouterr().out
    assert json.loads(shown) == {"name": "Žluťoučký"}
    assert "Žluťoučký" in shown


def test_progress_is_one_line_for_each_kind_of_work_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress()
    for done in (1, 2, 3):
        progress("accounts", done, 3)
    progress("contacts", 1, 2000)
    progress.end()

    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == "accounts: 3\ncontacts: 2,000\n"


def test_progress_rewrites_its_line_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    progress = Progress()
    progress("accounts", 1, 2)
    progress("accounts", 2, 2)
    progress.end()

    assert capsys.readouterr().err.count("\n") == 0
