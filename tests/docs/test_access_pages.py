"""The how-to pages about access: their commands run, on a demo home, and the sample policies hold."""

import json
import shlex
from pathlib import Path

import pytest
from tests.docs.blocks import PROJECT, blocks
from tests.servers import run_cli

from strongroom.cli.main import run


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small demo home."""
    path = tmp_path_factory.mktemp("demo") / "home"
    run_cli("init", "--demo", "--home", str(path), "--accounts", "200")
    return path


def commands(page: str) -> list[list[str]]:
    """The commands of a page, as arguments."""
    text = (PROJECT / page).read_text()
    lines = [line for block in blocks(text, "sh") for line in block.splitlines() if line.startswith("strongroom ")]
    return [shlex.split(line)[1:] for line in lines]


def at(home: Path, arguments: list[str]) -> list[str]:
    """The same for the test's own home."""
    return [str(home) if each == "home" else each for each in arguments]


def test_the_sample_policies_hold_for_the_demo_company(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["test", str(PROJECT / "docs/examples/policies"), "--home", str(home)]) == 0
    assert " passed, 0 failed" in capsys.readouterr().out


def test_the_commands_of_the_preview_page_run(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """None fails, and most of them change something."""
    statuses = [run(at(home, arguments)) for arguments in commands("docs/how-to/preview-a-change.md")]

    assert set(statuses) <= {0, 1}, capsys.readouterr().err
    assert statuses.count(1) >= 4
    assert "rows gained" in capsys.readouterr().out


def test_the_commands_of_the_policy_page_run(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").symlink_to(PROJECT / "docs")

    assert [run(at(home, arguments)) for arguments in commands("docs/how-to/test-policies.md")] == [0, 0, 0, 0]
    assert (tmp_path / "report.xml").is_file()
    assert run(["test", "policies", "--home", str(home)]) == 0
    assert run(["test", "policies", "--record", "--home", str(home)]) == 2
    assert "is there already" in capsys.readouterr().err


def test_the_statements_of_the_policy_page_are_read_and_hold(home: Path, tmp_path: Path) -> None:
    (statements,) = blocks((PROJECT / "docs/how-to/test-policies.md").read_text(), "yaml")
    (tmp_path / "page.yaml").write_text(statements, encoding="utf-8")

    assert run(["test", str(tmp_path), "--home", str(home)]) == 0


def test_failures_and_errors_have_their_place_and_exit_status(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = tmp_path / "sales.yaml"
    policy.write_text("as: helen@meridian.example\ntests:\n  - {table: account, can: Write}\n", encoding="utf-8")

    assert run(["test", str(policy), "--home", str(home)]) == 1
    shown = capsys.readouterr().out
    assert f"FAILED  {policy}:3  helen@meridian.example can Write any account" in shown
    assert "helen@meridian.example cannot Write any account: missing-privilege (prvWriteAccount)." in shown
    assert "0 passed, 1 failed" in shown

    policy.write_text("tests:\n  - {as: nobody, table: account, can: Write}\n", encoding="utf-8")
    assert run(["test", str(policy), "--home", str(home), "--json"]) == 2
    report = json.loads(capsys.readouterr().out)
    assert (report["errors"], report["tests"][0]["line"], report["tests"][0]["passed"]) == (1, 2, False)

    for arguments in (["--as", "admin"], ["--record", "--json"]):
        assert run(["test", str(policy), "--home", str(home), *arguments]) == 2


def test_the_commands_about_access_answer_for_a_row(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The page's commands, for a row that is there: the ids on the page are only examples."""
    assert run(["sees", "--home", str(home), "--user", "sofia@meridian.example", "--json"]) == 0
    seen = {each["Table"]: each["Rows"] for each in json.loads(capsys.readouterr().out)["Tables"]}
    change = json.dumps({"Kind": "DisableUser", "User": {"systemuserid": _user(home, capsys)}})
    assert run(["whatif", "change", change, "--home", str(home), "--json"]) == 1
    tables = json.loads(capsys.readouterr().out)["Tables"]
    lost = next(each for each in tables if each["Table"] == "account")
    assert lost["Users"][0]["Lost"] == seen["account"]
    account = lost["Examples"][0]["Id"] if lost["Examples"] else None
    assert account is not None
    asked = ["--home", str(home), "--table", "account", "--id", account]

    assert run(["explain", *asked, "--user", "sofia@meridian.example"]) == 0
    assert "because" in capsys.readouterr().out
    assert run(["explain", *asked, "--user", "sofia@meridian.example", "--right", "Create"]) in (0, 1)
    capsys.readouterr()
    assert run(["explain", *asked, "--team", "Central Europe"]) == 1
    shown = capsys.readouterr().out
    assert "may NOT Read account" in shown
    assert run(["who", *asked]) == 0
    assert "because" in capsys.readouterr().out
    assert run(["explain", *asked]) == 2
    assert "Name either a user with --user or a team with --team" in capsys.readouterr().err


def _user(home: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Sofía's id, from a token of hers."""
    run(["token", "--home", str(home), "--user", "sofia@meridian.example"])
    import jwt

    token = capsys.readouterr().out.strip()
    return str(jwt.decode(token, options={"verify_signature": False})["sub"])
