"""A home is made whole or not at all, opened or refused with the reason, and remembers its environments."""

import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from strongroom.clock import TestClock
from strongroom.errors import Conflict, HomeError, InvalidRequest
from strongroom.home import EnvironmentKind, EnvironmentState, create_home, open_home
from strongroom.keys import Secret, parse_source

ADDRESS = Secret(b"postgresql://app:not-for-eyes@db.example:5433/business?sslmode=require")


def test_new_home_is_readable_by_its_owner_only_and_opens(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "home"
    home = create_home(path, environ={})

    assert open_home(path, environ={}).id == home.id
    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert {entry.name for entry in path.iterdir()} >= {
        "strongroom.toml", "keys.json", "root.key", "environments.json", "environments", "tls",
    }  # fmt: skip
    assert not home.environments()


def test_home_in_an_existing_empty_folder_is_made_there(tmp_path: Path) -> None:
    assert open_home(create_home(tmp_path, environ={}).path, environ={}).path == tmp_path


def test_folder_that_is_not_empty_is_refused_and_untouched(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")

    with pytest.raises(HomeError, match="is not empty"):
        create_home(tmp_path, environ={})
    assert [entry.name for entry in tmp_path.iterdir()] == ["letter.txt"]


def test_home_that_cannot_be_made_is_told_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(HomeError, match="cannot be made: Not a directory"):
        create_home(tmp_path / "file" / "home", environ={})


def test_home_may_be_locked_by_a_provider_from_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME_WORDS", "correct horse battery")
    home = create_home(tmp_path / "home", environ={"STRONGROOM_KEY_PROVIDER": "env:HOME_WORDS"})

    assert not (home.path / "root.key").exists()
    assert home.keys.source == parse_source("env:HOME_WORDS")
    monkeypatch.setenv("OTHER_WORDS", "correct horse battery")
    assert open_home(home.path, environ={"STRONGROOM_KEY_PROVIDER": "env:OTHER_WORDS"}).id == home.id


def test_certificates_lie_in_the_home(tmp_path: Path) -> None:
    home = create_home(tmp_path / "home", environ={})

    assert home.tls_folder == home.path / "tls"
    assert home.tls_folder.is_dir()


def test_home_over_a_home_or_a_file_is_refused(tmp_path: Path) -> None:
    create_home(tmp_path / "home", environ={})
    (tmp_path / "file").write_text("")

    with pytest.raises(HomeError, match="holds a home already"):
        create_home(tmp_path / "home", environ={})
    with pytest.raises(HomeError, match="is a file"):
        create_home(tmp_path / "file", environ={})


@pytest.mark.parametrize("was_there", [True, False])
def test_creation_that_fails_leaves_nothing_behind(tmp_path: Path, was_there: bool) -> None:
    path = tmp_path / "home"
    if was_there:
        path.mkdir()

    with pytest.raises(HomeError, match="NO_SUCH_WORDS"):
        create_home(path, source=parse_source("env:NO_SUCH_WORDS"), environ={})
    assert path.exists() == was_there
    assert not was_there or not list(path.iterdir())


def test_passphrase_from_a_descriptor_is_read_once_at_creation(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.write(writer, b"correct horse battery\n")
    os.close(writer)

    home = create_home(tmp_path / "home", source=parse_source(f"fd:{reader}"), environ={})
    assert home.add_environment("main", EnvironmentKind.BUSINESS)[0].name == "main"


def test_folder_without_a_home_is_told_from_a_missing_and_an_incomplete_one(tmp_path: Path) -> None:
    create_home(tmp_path / "home", environ={})
    (tmp_path / "home" / "keys.json").unlink()
    (tmp_path / "empty").mkdir()

    with pytest.raises(HomeError, match="There is no home at"):
        open_home(tmp_path / "nowhere", environ={})
    with pytest.raises(HomeError, match="is no home of Strongroom"):
        open_home(tmp_path / "empty", environ={})
    with pytest.raises(HomeError, match="is an incomplete home"):
        open_home(tmp_path / "home", environ={})


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "is missing"),
        ("{", "is damaged"),
        ('{"format": 9}', "has format 9"),
        ("[]", "is damaged"),
        ('{"format": 1, "environments": [{"name": "x"}]}', "is damaged"),
        ('{"format": 1, "environments": [{"name": "x", "id": "x"}]}', "is damaged"),
    ],
)
def test_damaged_registry_is_named(tmp_path: Path, content: str | None, expected: str) -> None:
    create_home(tmp_path / "home", environ={})
    registry = tmp_path / "home" / "environments.json"
    registry.unlink()
    if content is not None:
        registry.write_text(content)

    with pytest.raises(HomeError, match=rf"environments\.json {expected}"):
        open_home(tmp_path / "home", environ={})


def test_wrong_root_key_is_named(tmp_path: Path) -> None:
    create_home(tmp_path / "one", environ={})
    create_home(tmp_path / "two", environ={})
    (tmp_path / "one" / "root.key").write_bytes((tmp_path / "two" / "root.key").read_bytes())

    with pytest.raises(HomeError, match="root key of another home"):
        open_home(tmp_path / "one", environ={})


def test_environment_is_offered_only_when_it_is_complete(tmp_path: Path) -> None:
    home = create_home(tmp_path / "home", environ={})
    other_process = open_home(tmp_path / "home", environ={})
    record, key = home.add_environment("main", EnvironmentKind.BUSINESS)

    assert home.database_file(record) == home.path / "environments" / "main.db"
    with pytest.raises(HomeError, match="not created to its end"):
        other_process.environment("main")
    home.finish_environment("main")
    assert other_process.environment("main").state is EnvironmentState.READY
    assert other_process.environment("main").id == record.id
    assert other_process.keys.open_environment(record.id, lambda found: found) == key


def test_default_environment_is_the_first_of_business_or_the_one_in_the_settings(tmp_path: Path) -> None:
    home = create_home(tmp_path / "home", environ={})
    with pytest.raises(HomeError, match="no environment with business data"):
        home.default_environment()
    for name, kind in (("control", EnvironmentKind.CONTROL), ("main", EnvironmentKind.BUSINESS)):
        home.add_environment(name, kind)
        home.finish_environment(name)
    home.add_environment("test", EnvironmentKind.BUSINESS)
    home.finish_environment("test")

    assert home.default_environment().name == "main"
    chosen = open_home(home.path, environ={"STRONGROOM_DEFAULT_ENVIRONMENT": "test"})
    assert chosen.default_environment().name == "test"


@pytest.mark.parametrize("name", ["", "Main", "a b", "../etc", "-a", "a-", "1a", "a" * 64, "é", "a\n"])
def test_name_that_cannot_stand_in_a_url_is_refused(tmp_path: Path, name: str) -> None:
    home = create_home(tmp_path / "home", environ={})

    with pytest.raises(InvalidRequest, match="is no name for an environment"):
        home.add_environment(name, EnvironmentKind.BUSINESS)
    assert not home.environments()


def test_name_in_use_and_unknown_name_are_told(tmp_path: Path) -> None:
    home = create_home(tmp_path / "home", environ={})
    home.add_environment("main", EnvironmentKind.BUSINESS)

    with pytest.raises(Conflict, match="'main' already"):
        home.add_environment("main", EnvironmentKind.BUSINESS)
    with pytest.raises(HomeError, match="no environment 'mian'; it has: main"):
        home.environment("mian")


def test_password_of_a_database_lies_sealed_and_nowhere_in_clear(tmp_path: Path) -> None:
    home = create_home(tmp_path / "home", environ={})
    record, _ = home.add_environment("main", EnvironmentKind.BUSINESS, ADDRESS)

    assert record.location == "postgresql://app@db.example:5433/business"
    assert home.database_address(record) == ADDRESS
    for file in home.path.rglob("*"):
        assert file.is_dir() or b"not-for-eyes" not in file.read_bytes()


@pytest.mark.parametrize("address", [b"mysql://host/db", b"business", b"postgresql://host"])
def test_address_that_is_no_database_is_refused(tmp_path: Path, address: bytes) -> None:
    home = create_home(tmp_path / "home", environ={})

    with pytest.raises(InvalidRequest, match="postgresql://user:password@host:port/database"):
        home.add_environment("main", EnvironmentKind.BUSINESS, Secret(address))


def test_address_that_is_not_in_the_ring_is_told(tmp_path: Path) -> None:
    home = create_home(tmp_path / "home", environ={})
    record, _ = home.add_environment("main", EnvironmentKind.BUSINESS)

    with pytest.raises(HomeError, match="does not hold the database address of 'main'"):
        home.database_address(record)


def test_dropped_database_environment_leaves_the_database_alone(tmp_path: Path) -> None:
    home = create_home(tmp_path / "home", environ={})
    home.add_environment("main", EnvironmentKind.BUSINESS, ADDRESS)

    home.drop_environment("main")

    assert not home.environments()


def test_dropped_environment_takes_its_files_and_its_key_along(tmp_path: Path) -> None:
    home = create_home(tmp_path / "home", environ={})
    record, _ = home.add_environment("main", EnvironmentKind.BUSINESS)
    for suffix in ("", "-wal", "-shm"):
        (home.path / "environments" / f"main.db{suffix}").write_text("x")

    home.drop_environment("main")

    assert not home.environments()
    assert not list((home.path / "environments").iterdir())
    with pytest.raises(HomeError, match="no data key"):
        home.keys.open_environment(record.id, lambda key: key)


def test_ordinary_home_ignores_a_file_that_would_move_its_clock(tmp_path: Path) -> None:
    """TS-006: only a home that was made as a test home has a clock that moves."""
    home = create_home(tmp_path / "home", environ={})
    (home.path / "test-clock").write_text("3600000")

    opened = open_home(home.path, clock=TestClock(datetime(2026, 1, 1, tzinfo=UTC)), environ={})
    assert not opened.is_test_home
    assert opened.clock.now() == datetime(2026, 1, 1, tzinfo=UTC)


def test_clock_of_a_test_home_moves_forward_for_every_process_and_never_back(tmp_path: Path) -> None:
    """TS-006."""
    from strongroom.home import MovableClock

    base = TestClock(datetime(2026, 1, 1, tzinfo=UTC))
    home = create_home(tmp_path / "home", is_test_home=True, clock=base, environ={})
    other = open_home(home.path, clock=base, environ={})
    assert other.is_test_home
    assert isinstance(home.clock, MovableClock)

    home.clock.move_to(base.now() + timedelta(days=30))
    base.move_to(base.now() + timedelta(seconds=1))

    assert other.clock.now() == datetime(2026, 1, 31, 0, 0, 1, tzinfo=UTC)
    with pytest.raises(InvalidRequest) as caught:
        home.clock.move_to(datetime(2026, 1, 2, tzinfo=UTC))
    assert caught.value.code == "clock-backwards"
    home.clock.move_to(datetime(2026, 2, 1, tzinfo=UTC))
    assert other.clock.now() == datetime(2026, 2, 1, tzinfo=UTC)


def test_damaged_clock_of_a_test_home_is_named(tmp_path: Path) -> None:
    home = create_home(tmp_path / "home", is_test_home=True, environ={})
    (home.path / "test-clock").write_text("soon")

    with pytest.raises(HomeError, match="test-clock is damaged"):
        home.clock.now()
