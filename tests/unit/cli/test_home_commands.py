"""`init`, `token`, `explain` and `check` on a real home."""

import json
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from strongroom.cli.main import run
from strongroom.clock import SystemClock
from strongroom.environment import find_user
from strongroom.home import Home, open_home
from strongroom.home.personas import read_personas
from strongroom.identity import TokenVerifier
from strongroom.ids import Guid
from strongroom.opening import open_environment

NOBODY = "00000000-0000-7000-8000-000000000009"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home as `strongroom init` makes it."""
    path = tmp_path_factory.mktemp("homes") / "Contoso"
    assert run(["init", "--home", str(path)]) == 0
    return path


@pytest.fixture
def home(made: Path) -> Home:
    return open_home(made, environ={})


def administrator(home: Home) -> Guid:
    environment = open_environment(home)
    try:
        with environment.database.read() as transaction:
            return find_user(transaction, "admin")
    finally:
        environment.close()


def test_init_makes_the_control_environment_and_one_for_business_data(home: Home) -> None:
    assert [(record.name, record.kind.value) for record in home.environments()] == [
        ("control", "control"),
        ("main", "business"),
    ]
    assert not home.is_test_home


def test_init_says_what_was_made_and_what_to_do_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "home"

    assert run(["init", "--home", str(path), "--environment", "test", "--test-clock"]) == 0
    shown = capsys.readouterr()
    assert "environment 'test', administrator admin@home" in shown.out
    assert f"strongroom serve --home {path}" in shown.out
    assert shown.err == ""
    assert open_home(path, environ={}).is_test_home


def test_init_answers_programs_in_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", "--home", str(tmp_path / "home"), "--json"]) == 0

    answer = json.loads(capsys.readouterr().out)
    assert answer["id"] == open_home(tmp_path / "home", environ={}).id
    assert (answer["environment"], answer["administrator"]) == ("main", "admin@home")


def test_demo_home_lets_each_of_its_personas_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "home"

    assert run(["init", "--home", str(path), "--demo", "--accounts", "20", "--seed", "7"]) == 0
    shown = capsys.readouterr()
    assert "environment 'demo'" in shown.out
    assert "account: 20\n" in shown.err
    personas = read_personas(path)
    assert len(personas) == 4
    for persona in personas:
        assert run(["token", "--home", str(path), "--user", persona.login]) == 0


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--accounts", "5"], "--accounts and --seed go with --demo"),
        (["--environment", "control"], "choose another"),
        (["--environment", "Main"], "'Main' is no name for an environment"),
        (["--key-provider", "vault:x"], "'vault:x' is no key provider"),
        (["--key-provider", "env:NO_SUCH_WORDS"], "NO_SUCH_WORDS must hold the home's passphrase"),
        (["--database", "mysql://host/db"], "postgresql://user:password@host:port/database"),
        (["--database", "postgresql://app:not-for-eyes@127.0.0.1:1/db"], "cannot be reached"),
    ],
)
def test_init_that_fails_says_why_and_leaves_nothing(
    tmp_path: Path, options: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["init", "--home", str(tmp_path / "home"), *options]) == 2

    shown = capsys.readouterr().err
    assert expected in shown
    assert "not-for-eyes" not in shown
    assert not list(tmp_path.iterdir())


def test_init_over_a_home_is_refused_and_changes_nothing(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (made / "keys.json").read_bytes()

    assert run(["init", "--home", str(made)]) == 2
    assert "holds a home already" in capsys.readouterr().err
    assert (made / "keys.json").read_bytes() == before


def test_token_is_all_that_is_printed_and_opens_the_environment(
    made: Path, home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert run(["token", "--home", str(made), "--user", "admin", "--minutes", "5"]) == 0
    shown = capsys.readouterr()

    claims = TokenVerifier(home.keys, SystemClock()).verify(shown.out.strip(), home.default_environment().id)
    assert claims.user == administrator(home)
    assert claims.expires_at - claims.issued_at == timedelta(minutes=5)
    assert shown.out.count("\n") == 1
    assert shown.err == ""


@pytest.mark.parametrize("user", ["admin@contoso", "ADMIN@Contoso"])
def test_token_takes_the_sign_in_name_in_any_case(made: Path, user: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["token", "--home", str(made), "--user", user]) == 0
    assert capsys.readouterr().out


def test_token_for_an_unknown_user_or_environment_is_refused(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["token", "--home", str(made), "--user", "nobody"]) == 2
    assert "no user 'nobody'" in capsys.readouterr().err
    assert run(["token", "--home", str(made), "--user", "admin", "--environment", "mian"]) == 2
    assert "it has: control, main" in capsys.readouterr().err


def test_explain_names_the_reason_and_exits_with_0(made: Path, home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["explain", "--home", str(made), "--user", "admin", "--table", "systemuser"]
    row = administrator(home)
    capsys.readouterr()

    assert run([*arguments, "--id", row]) == 0
    shown = capsys.readouterr().out
    assert f"admin may Read systemuser {row}" in shown
    assert "bypass-sysadmin  role 'System Administrator'" in shown
    assert run([*arguments, "--id", row, "--right", "Write", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["Allowed"] is True


def test_explain_of_a_denial_names_what_failed_and_exits_with_1(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "--home", str(made), "--user", "admin", "--table", "account", "--id", NOBODY]) == 1

    shown = capsys.readouterr().out
    assert f"admin may NOT Read account {NOBODY}" in shown
    assert "because does-not-exist" in shown


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--table", "account", "--id", "x"], "'x' is no id"),
        (["--table", "acount", "--id", NOBODY], "no table 'acount'"),
        (["--table", "account", "--id", NOBODY, "--right", "Fly"], "is not an access right"),
    ],
)
def test_explain_of_nonsense_is_refused_with_what_would_be_right(
    made: Path, options: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["explain", "--home", str(made), "--user", "admin", *options]) == 2
    assert expected in capsys.readouterr().err


def test_check_of_a_sound_home_exits_with_0(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "--home", str(made)]) == 0
    assert capsys.readouterr().out.splitlines()[-3:] == ["control: sound", "main: sound", "The home is sound."]
    assert run(["check", "--home", str(made), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sound"] is True


def test_check_of_a_damaged_store_names_the_doubt_and_exits_with_1(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "home"
    shutil.copytree(made, path)
    store = path / "environments" / "main.db"
    content = bytearray(store.read_bytes())
    content[5000] ^= 1
    store.write_bytes(content)

    assert run(["check", "--home", str(path)]) == 1
    shown = capsys.readouterr().out
    assert "control: sound" in shown
    assert "The home is NOT sound" in shown


def test_check_of_a_home_without_a_store_names_it(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "home"
    shutil.copytree(made, path)
    for file in (path / "environments").glob("main.db*"):
        file.unlink()

    assert run(["check", "--home", str(path), "--json"]) == 1
    assert "There is no database" in json.loads(capsys.readouterr().out)["doubts"]["main"][0]
