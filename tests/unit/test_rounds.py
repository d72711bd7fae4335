"""Rounds: the thread goes on whatever one round or one environment meets, and ends when it is told to."""

import logging
from pathlib import Path
from threading import Event

import pytest
from tests.engines import Stores
from tests.homes import make_home

from strongroom.environment import Environment
from strongroom.environments import Environments
from strongroom.errors import InvalidRequest
from strongroom.home import open_home
from strongroom.rounds import Beside, Rounds

_LOGGER = logging.getLogger("strongroom.tests.rounds")
_PATIENCE_S = 60


class Counted(Rounds):
    """Fails in its first two rounds, in the two ways there are, and tells of the third."""

    def __init__(self) -> None:
        super().__init__("counted", 0.001, _LOGGER)
        self.number = 0
        self.reached = Event()

    def look(self) -> None:
        self.number += 1
        if self.number == 1:
            raise InvalidRequest("The first round was refused.")
        if self.number == 2:
            raise ZeroDivisionError
        self.reached.set()


def test_a_failing_round_is_logged_and_the_next_one_comes(caplog: pytest.LogCaptureFixture) -> None:
    rounds = Counted()
    rounds.start()
    assert rounds.reached.wait(_PATIENCE_S)
    rounds.stop()
    assert "counted failed: The first round was refused." in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_no_round_comes_after_stop() -> None:
    rounds = Counted()
    rounds.start()
    assert rounds.reached.wait(_PATIENCE_S)
    rounds.stop()
    assert rounds.is_ending
    number = rounds.number
    assert not Event().wait(0.05)
    assert rounds.number == number


def test_rounds_that_never_started_stop_at_once() -> None:
    Counted().stop()


def test_one_environment_does_not_keep_the_others_from_their_turn(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home = open_home(make_home(tmp_path, Stores(tmp_path), "sqlcipher"))
    environments = Environments(home)
    opened = [environments.named(each.name) for each in home.environments()]
    assert len(opened) >= 2
    seen: list[str] = []

    def act(environment: Environment) -> None:
        seen.append(environment.name)
        if len(seen) == 1:
            raise OSError("no space left")

    Counted().in_each(environments, act, "counting the rows of")
    assert sorted(seen) == sorted(each.name for each in opened)
    assert f"counting the rows of {seen[0]} failed: no space left" in caplog.text
    environments.close()


def test_rounds_begin_a_moment_after_the_server_and_end_in_the_opposite_order() -> None:
    ended: list[str] = []

    class Told(Counted):
        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

        def stop(self) -> None:
            ended.append(self.name)
            super().stop()

    made = (Told("first"), Told("second"))
    beside = Beside(lambda: made, after_s=0.01)
    beside.start()
    assert all(each.reached.wait(_PATIENCE_S) for each in made)
    beside.stop()
    assert ended == ["second", "first"]
    assert all(each.is_ending for each in made)


def test_a_server_that_stops_at_once_still_does_what_rounds_do_in_the_end() -> None:
    """The trail is sealed once more before the stores are given back."""
    made = Counted()
    beside = Beside(lambda: (made,), after_s=_PATIENCE_S)
    beside.start()
    beside.stop()
    assert made.is_ending
    assert made.number == 0
