"""`strongroom keys`: what is listed, rotated and changed, and that no key is ever shown."""

import json
from pathlib import Path

import pytest

from strongroom.cli.main import run
from strongroom.home import EnvironmentKind, Home, create_home, open_home
from strongroom.keys import Secret
from strongroom.store import sqlcipher_file


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with the environment `main`, whose store holds one row."""
    made = create_home(tmp_path / "home", environ={})
    record, key = made.add_environment("main", EnvironmentKind.BUSINESS)
    sqlcipher_file.create(made.database_file(record), key.reveal())
    raw = sqlcipher_file.open_file(made.database_file(record), key.reveal())
    raw.execute("create table t as select 'kept' as c")
    raw.close()
    made.finish_environment("main")
    return made


def content(home: Home) -> str:
    record = home.environment("main")

    def read(key: Secret) -> str:
        raw = sqlcipher_file.open_file(home.database_file(record), key.reveal())
        try:
            return raw.execute("select c from t").fetchone()[0]
        finally:
            raw.close()

    return open_home(home.path, environ={}).keys.open_environment(record.id, read)


def test_list_names_every_key_and_shows_none(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["keys", "list", "--home", str(home.path), "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)

    assert [(key["kind"], key["of"], key["state"]) for key in listed] == [
        ("root", "file:root.key", "in use"),
        ("data", "main", "in use"),
        ("signing", "tokens", "in use"),
    ]
    assert run(["keys", "list", "--home", str(home.path)]) == 0
    assert "KIND" in capsys.readouterr().out


def test_rotate_puts_everything_under_a_new_root_key(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    before = (home.path / "root.key").read_bytes()

    assert run(["keys", "rotate", "--home", str(home.path)]) == 0
    assert (home.path / "root.key").read_bytes() != before
    assert content(home) == "kept"
    assert "new root key" in capsys.readouterr().out


def test_rotate_moves_the_home_to_a_passphrase(
    home: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME_WORDS", "correct horse battery")

    assert run(["keys", "rotate", "--home", str(home.path), "--new-key-provider", "env:HOME_WORDS"]) == 0
    assert not (home.path / "root.key").exists()
    assert content(home) == "kept"
    assert "correct horse" not in capsys.readouterr().out


def test_rotate_signing_retires_or_revokes_the_old_key(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["keys", "rotate", "--signing", "--home", str(home.path)]) == 0
    assert run(["keys", "list", "--home", str(home.path)]) == 0
    assert "verifies only" in capsys.readouterr().out
    assert run(["keys", "rotate", "--signing", "--revoke", "--home", str(home.path)]) == 0
    assert len(open_home(home.path, environ={}).keys.document.signing) == 1


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--revoke"], "--revoke goes with --signing"),
        (["--signing", "--new-key-provider", "file"], "is for the root key"),
        (["--new-key-provider", "vault:x"], "'vault:x' is no key provider"),
    ],
)
def test_options_that_do_not_go_together_change_nothing(
    home: Home, options: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (home.path / "keys.json").read_bytes()

    assert run(["keys", "rotate", "--home", str(home.path), *options]) == 2
    assert expected in capsys.readouterr().err
    assert (home.path / "keys.json").read_bytes() == before


def test_rekey_encrypts_the_store_anew_and_keeps_its_rows(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    record = home.environment("main")
    old = home.keys.open_environment(record.id, lambda key: key)
    before = home.database_file(record).read_bytes()

    assert run(["keys", "rekey", "--home", str(home.path)]) == 0

    assert "version 2" in capsys.readouterr().out
    assert content(home) == "kept"
    assert home.database_file(record).read_bytes() != before
    assert home.keys.open_environment(record.id, lambda key: key) != old


def test_rekey_beside_a_server_is_refused_and_changes_nothing(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    record = home.environment("main")
    lock = sqlcipher_file.take_lock(home.database_file(record), alone=False)

    assert run(["keys", "rekey", "--home", str(home.path)]) == 2
    assert "Stop the server" in capsys.readouterr().err
    import os

    os.close(lock)
    assert content(home) == "kept"
    assert run(["keys", "rekey", "--home", str(home.path)]) == 0


def test_rekey_of_a_postgresql_environment_says_that_there_is_no_data_key(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    home.add_environment("there", EnvironmentKind.BUSINESS, Secret(b"postgresql://localhost/db"))
    home.finish_environment("there")

    assert run(["keys", "rekey", "--home", str(home.path), "--environment", "there"]) == 2
    assert "there is no data key to change" in capsys.readouterr().err
