"""R2: a process that is stopped at any file operation leaves a home as before, as after, or known as incomplete."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from strongroom.errors import HomeError
from strongroom.home import EnvironmentKind, EnvironmentState, Home, create_home, open_home
from strongroom.keys.disk import Disk


class _Stopped(BaseException):
    """The process is gone: no handler of the program runs."""


class _StoppingDisk(Disk):
    """The real disk, on which the `stop_at`-th change (from 1) does not happen any more."""

    def __init__(self, stop_at: int) -> None:
        self._left = stop_at

    def _step(self) -> None:
        self._left -= 1
        if self._left == 0:
            raise _Stopped

    def write(self, path: Path, data: bytes) -> None:
        self._step()
        super().write(path, data)

    def sync(self, path: Path) -> None:
        self._step()
        super().sync(path)

    def sync_folder(self, path: Path) -> None:
        self._step()
        super().sync_folder(path)

    def rename(self, source: Path, target: Path) -> None:
        self._step()
        super().rename(source, target)

    def remove(self, path: Path) -> None:
        self._step()
        super().remove(path)


def stopped_everywhere(folder: Path, work: Callable[[Path, Disk], object]) -> Iterator[tuple[Path, bool]]:
    """(folder, completed) after `work` was stopped at its n-th change, for every n, and once after it ended."""
    for step in range(1, 200):
        place = folder / str(step)
        try:
            work(place, _StoppingDisk(step))
        except _Stopped:
            yield place, False
        else:
            assert step > 5
            yield place, True
            return
    raise AssertionError("the work never ends")


def states(home: Home) -> dict[str, EnvironmentState]:
    return {record.name: record.state for record in home.environments()}


def test_creation_that_is_stopped_leaves_no_home_or_a_whole_one(tmp_path: Path) -> None:
    for place, completed in stopped_everywhere(tmp_path, lambda path, disk: create_home(path, disk=disk, environ={})):
        if (place / "keys.json").exists():
            assert states(open_home(place, environ={})) == {}
        else:
            assert not completed
            with pytest.raises(HomeError, match=r"no home of Strongroom|incomplete home"):
                open_home(place, environ={})
            with pytest.raises(HomeError, match="Nothing was changed"):
                create_home(place, environ={})


def test_new_environment_is_there_as_unfinished_or_not_at_all(tmp_path: Path) -> None:
    def add(path: Path, disk: Disk) -> None:
        create_home(path, environ={}).add_environment("first", EnvironmentKind.BUSINESS)
        open_home(path, disk=disk, environ={}).add_environment("second", EnvironmentKind.BUSINESS)

    for place, completed in stopped_everywhere(tmp_path, add):
        home = open_home(place, environ={})
        found = states(home)

        assert found.pop("first") is EnvironmentState.CREATING
        assert found == {"second": EnvironmentState.CREATING} or (found == {} and not completed)
        for record in home.environments():
            assert len(home.keys.open_environment(record.id, lambda key: key.reveal())) == 32


def test_dropped_environment_is_gone_or_there_with_its_key(tmp_path: Path) -> None:
    def drop(path: Path, disk: Disk) -> None:
        home = create_home(path, environ={})
        record, _ = home.add_environment("main", EnvironmentKind.BUSINESS)
        home.database_file(record).write_text("x")
        home.finish_environment("main")
        open_home(path, disk=disk, environ={}).drop_environment("main")

    for place, completed in stopped_everywhere(tmp_path, drop):
        home = open_home(place, environ={})
        for record in home.environments():
            assert not completed
            assert home.keys.open_environment(record.id, lambda key: len(key.reveal())) == 32
            assert home.database_file(record).exists()
