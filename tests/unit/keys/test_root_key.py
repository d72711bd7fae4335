"""Where the root key comes from, and what is refused."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from strongroom.clock import TestClock
from strongroom.errors import HomeError
from strongroom.ids import Guid
from strongroom.keys import Secret, create_ring, open_ring, parse_source, worker_environment
from strongroom.keys.root import ScryptParameters, read_passphrase, stretch

HOME = Guid("00000000-0000-7000-8000-000000000001")
CLOCK = TestClock(datetime(2026, 1, 1, tzinfo=UTC))
WORDS = "correct horse battery staple"


def piped(text: str) -> str:
    reader, writer = os.pipe()
    os.write(writer, text.encode())
    os.close(writer)
    return f"fd:{reader}"


def test_key_file_is_made_for_its_owner_only(tmp_path: Path) -> None:
    create_ring(tmp_path, HOME, parse_source("file"), CLOCK)

    for name in ("root.key", "keys.json"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o611])
def test_key_file_that_others_can_use_is_refused_and_the_remedy_named(tmp_path: Path, mode: int) -> None:
    create_ring(tmp_path, HOME, parse_source("file"), CLOCK)
    (tmp_path / "root.key").chmod(mode)

    with pytest.raises(HomeError, match=f"has mode {mode:04o}.*chmod 600"):
        open_ring(tmp_path)


def test_missing_key_file_is_named(tmp_path: Path) -> None:
    create_ring(tmp_path, HOME, parse_source("file"), CLOCK)
    (tmp_path / "root.key").unlink()

    with pytest.raises(HomeError, match=r"root\.key is missing"):
        open_ring(tmp_path)


def test_torn_file_of_an_interrupted_rotation_does_not_hide_that_the_key_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    create_ring(tmp_path, HOME, parse_source("file"), CLOCK)
    create_ring(tmp_path / "other", HOME, parse_source("file"), CLOCK)
    (tmp_path / "root.key").write_bytes((tmp_path / "other" / "root.key").read_bytes())
    (tmp_path / "root.key.new").write_text("torn")
    (tmp_path / "root.key.new").chmod(0o600)

    with pytest.raises(HomeError, match="root key of another home"):
        open_ring(tmp_path)


def test_key_file_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    create_ring(tmp_path, HOME, parse_source("file"), CLOCK)
    if os.geteuid() == 0:
        os.chown(tmp_path / "root.key", 4711, -1)
    else:
        monkeypatch.setattr("os.geteuid", lambda: 4711)

    with pytest.raises(HomeError, match="belongs to another user"):
        open_ring(tmp_path)


def test_passphrase_of_a_pipe_can_be_read_again_here_and_by_a_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = parse_source(piped(WORDS + "\n"))
    root = create_ring(tmp_path, HOME, source, CLOCK).document.root.id

    assert open_ring(tmp_path).document.root.id == root
    variables = worker_environment(source)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", variables["CREDENTIALS_DIRECTORY"])
    code = "import sys; from strongroom.keys import *; from pathlib import Path; " + (
        "print(open_ring(Path(sys.argv[1]), source=parse_source(sys.argv[2])).document.root.id)"
    )
    arguments = [sys.executable, "-c", code, str(tmp_path), variables["STRONGROOM_KEY_PROVIDER"]]
    assert subprocess.run(arguments, capture_output=True, text=True, check=True).stdout.strip() == root


def test_worker_finds_other_sources_without_help() -> None:
    assert worker_environment(parse_source("env:HOME_WORDS")) == {}


@pytest.mark.parametrize("content", ["", "short", "AAAA", "!" * 44])
def test_damaged_key_file_is_named(tmp_path: Path, content: str) -> None:
    create_ring(tmp_path, HOME, parse_source("file"), CLOCK)
    (tmp_path / "root.key").write_text(content)

    with pytest.raises(HomeError, match="is no root key"):
        open_ring(tmp_path)


def test_key_file_may_lie_outside_and_be_there_already(tmp_path: Path) -> None:
    first, second, outside = tmp_path / "a", tmp_path / "b", tmp_path / "provided.key"
    first.mkdir()
    second.mkdir()
    source = parse_source(f"file:{outside}")
    root = create_ring(first, HOME, source, CLOCK).document.root.id

    assert create_ring(second, HOME, source, CLOCK).document.root.id == root
    assert open_ring(second).document.root.id == root


def test_passphrase_may_come_from_variable_descriptor_and_credential(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME_WORDS", WORDS)
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "strongroom").write_text(WORDS + "\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    root = create_ring(tmp_path, HOME, parse_source("env:HOME_WORDS"), CLOCK).document.root.id

    for source in (piped(WORDS + "\n"), "credential:strongroom", "env:HOME_WORDS"):
        assert open_ring(tmp_path, source=parse_source(source)).document.root.id == root


def test_wrong_passphrase_is_told_as_such(tmp_path: Path) -> None:
    create_ring(tmp_path, HOME, parse_source(piped(WORDS)), CLOCK)

    with pytest.raises(HomeError, match="is not the one of this home"):
        open_ring(tmp_path, source=parse_source(piped(WORDS + "!")))


def test_new_passphrase_that_is_too_short_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(HomeError, match="at least 12"):
        create_ring(tmp_path, HOME, parse_source(piped("short")), CLOCK)
    assert not (tmp_path / "keys.json").exists()


def test_credential_that_cannot_be_read_is_told_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(HomeError, match="CREDENTIALS_DIRECTORY/nothing"):
        read_passphrase(parse_source("credential:nothing"), {"CREDENTIALS_DIRECTORY": str(tmp_path)})


@pytest.mark.parametrize("source", ["env:NOT_THERE_AT_ALL", "credential:nothing", "fd:987"])
def test_passphrase_that_is_not_there_is_told_with_its_place(source: str) -> None:
    with pytest.raises(HomeError, match=source.partition(":")[2]):
        read_passphrase(parse_source(source), {})


def test_kind_of_provider_must_fit_the_home(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    (tmp_path / "words").mkdir()
    create_ring(tmp_path / "file", HOME, parse_source("file"), CLOCK)
    create_ring(tmp_path / "words", HOME, parse_source(piped(WORDS)), CLOCK)

    with pytest.raises(HomeError, match="locked by a key file"):
        open_ring(tmp_path / "file", source=parse_source(piped(WORDS)))
    with pytest.raises(HomeError, match="locked by a passphrase"):
        open_ring(tmp_path / "words", source=parse_source("file"))


def test_rotation_never_replaces_or_removes_a_key_file_outside_the_home(tmp_path: Path) -> None:
    first, second, outside = tmp_path / "a", tmp_path / "b", tmp_path / "shared.key"
    for folder in (first, second):
        folder.mkdir()
        create_ring(folder, HOME, parse_source(f"file:{outside}"), CLOCK)

    with pytest.raises(HomeError, match="lies outside the home"):
        open_ring(first).rotate()
    with pytest.raises(HomeError, match="holds something already"):
        open_ring(first).rotate(parse_source(f"file:{second / 'keys.json'}"))
    open_ring(first).rotate(parse_source("file:root.key"))

    assert open_ring(first).source == parse_source("file:root.key")
    assert open_ring(second).source == parse_source(f"file:{outside}")
    assert outside.exists()


@pytest.mark.parametrize("text", ["", "vault:x", "fd:three", "env:", "credential:a/b", "fd:"])
def test_text_that_names_no_provider_is_refused_with_the_forms(text: str) -> None:
    with pytest.raises(HomeError, match="it would be file:PATH, env:NAME, fd:NUMBER or credential:NAME"):
        parse_source(text)


@pytest.mark.parametrize("parameters", [ScryptParameters(b"s", n=1 << 40), ScryptParameters(b"s", r=10**6)])
def test_scrypt_parameters_that_would_exhaust_memory_are_refused(parameters: ScryptParameters) -> None:
    with pytest.raises(HomeError, match="out of bounds"):
        stretch(Secret(b"words"), parameters)
