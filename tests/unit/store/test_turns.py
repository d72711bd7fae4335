"""Writers of several processes take turns, in the order in which they came, and wait no longer than they should."""

from pathlib import Path
from threading import Event, Thread

import pytest

from strongroom.errors import Unavailable
from strongroom.store.turns import Turn


def test_the_next_turn_comes_when_the_last_one_ends(tmp_path: Path) -> None:
    first, second = Turn(tmp_path / "turn"), Turn(tmp_path / "turn")
    order: list[str] = []
    first.take()
    waiting = Thread(target=lambda: (second.take(), order.append("second")))
    waiting.start()
    order.append("first")
    first.end()
    waiting.join(10)
    second.end()

    first.take()  # nobody holds it any more
    first.close()
    second.close()
    assert order == ["first", "second"]


def test_who_waits_in_vain_is_told_and_does_not_bar_the_others(tmp_path: Path) -> None:
    holder, hasty, patient = Turn(tmp_path / "turn"), Turn(tmp_path / "turn", timeout_s=0.01), Turn(tmp_path / "turn")
    holder.take()
    with pytest.raises(Unavailable, match="busy"):
        hasty.take()
    taken = Event()
    waiting = Thread(target=lambda: (patient.take(), taken.set()))
    waiting.start()
    holder.end()

    assert taken.wait(10)
    waiting.join(10)
    for turn in (holder, hasty, patient):
        turn.close()


def test_ending_a_turn_that_one_does_not_have_changes_nothing(tmp_path: Path) -> None:
    holder, other = Turn(tmp_path / "turn"), Turn(tmp_path / "turn", timeout_s=0.01)
    holder.take()
    other.end()

    with pytest.raises(Unavailable):
        other.take()
    holder.close()
    other.close()
