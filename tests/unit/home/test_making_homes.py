"""A home is under its name only when it is complete."""

import fcntl
import os
from pathlib import Path

import pytest

from strongroom.errors import HomeError
from strongroom.home import put_in_place


def test_finished_home_gets_its_name_and_nothing_else_is_left(tmp_path: Path) -> None:
    with put_in_place(tmp_path / "deep" / "home") as folder:
        (folder / "keys.json").write_text("x")
        assert not (tmp_path / "deep" / "home").exists()

    assert [entry.name for entry in (tmp_path / "deep").iterdir()] == ["home"]
    assert (tmp_path / "deep" / "home" / "keys.json").read_text() == "x"


@pytest.mark.parametrize("error", [HomeError("no"), KeyboardInterrupt()])
def test_failed_home_leaves_nothing(tmp_path: Path, error: BaseException) -> None:
    with pytest.raises(type(error)), put_in_place(tmp_path / "home") as folder:
        (folder / "keys.json").write_text("x")
        raise error

    assert not list(tmp_path.iterdir())


def test_rest_of_a_killed_process_is_removed_by_the_next_try(tmp_path: Path) -> None:
    (tmp_path / ".home.partial" / "environments").mkdir(parents=True)
    (tmp_path / ".home.partial" / "root.key").write_text("old")

    with put_in_place(tmp_path / "home") as folder:
        assert not list(folder.iterdir())
    assert [entry.name for entry in tmp_path.iterdir()] == ["home"]


def test_two_makers_of_one_home_do_not_meet(tmp_path: Path) -> None:
    partial = tmp_path / ".home.partial"
    partial.mkdir()
    lock = os.open(partial, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)

    with pytest.raises(HomeError, match="Another process"), put_in_place(tmp_path / "home"):
        raise AssertionError("never reached")
    os.close(lock)


def test_existing_folder_is_filled_where_it_is(tmp_path: Path) -> None:
    with put_in_place(tmp_path) as folder:
        assert folder == tmp_path


def test_home_below_a_file_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(HomeError, match="cannot be made"), put_in_place(tmp_path / "file" / "home"):
        raise AssertionError("never reached")
