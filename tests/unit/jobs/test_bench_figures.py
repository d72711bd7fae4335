"""What the benchmark prints: spreads, targets, verdicts; and that contestants are timed side by side."""

from itertools import pairwise

import pytest

from strongroom.errors import HomeError
from strongroom.jobs.bench import measure
from strongroom.jobs.bench.figures import Figure, Report, Spread, Target
from strongroom.jobs.bench.rounds import interleaved, ratio


def test_a_ratio_is_taken_round_by_round():
    figure = ratio("W1", [2.0, 3.0, 8.0], [1.0, 2.0, 2.0], "the row", Target(most=1.3))

    assert (figure.spread.least, figure.spread.median, figure.spread.most) == (1.5, 2.0, 4.0)
    assert figure.absolute == 3_000_000


@pytest.mark.parametrize(
    ("target", "value", "verdict"),
    [
        (Target(most=2.0), 2.0, "meets"),
        (Target(most=2.0), 3.0, "misses x1.50"),
        (Target(least=9_000), 9_001.0, "meets"),
        (Target(least=9_000), 4_500.0, "misses x2.00"),
        (None, 7.0, ""),
    ],
)
def test_a_verdict_says_by_which_factor_a_target_is_missed(target: Target | None, value: float, verdict: str):
    assert Figure("m", Spread.of([value]), target=target).verdict == verdict


def test_a_report_is_told_to_people_and_to_programs():
    figure = Figure("W2 own, page 1", Spread.of([1.0, 2.0, 4.0]), reference="known rows", target=Target(most=4.0))
    report = Report(100, 3, "2 cores", {"sqlcipher": [figure]})

    assert "W2 own, page 1  x2.00   x1.00  x4.00  ≤ 4     meets" in report.as_text()
    assert report.as_json()["engines"] == {"sqlcipher": [figure.as_json()]}


def test_contestants_are_timed_in_the_same_rounds():
    turns: list[str] = []

    found = interleaved({"a": lambda: turns.append("a"), "b": lambda: turns.append("b")}, rounds=4)

    assert {name: len(times) for name, times in found.items()} == {"a": 4, "b": 4}
    turned = [now for before, now in pairwise(turns) if now != before]
    assert turned[-4:] == ["b", "a", "b", "a"]  # who was first in one round is last in the next


def _nothing(_what: str, _done: int, _total: int) -> None: ...


def test_a_part_that_does_not_exist_is_named():
    with pytest.raises(HomeError, match="'W9' is nothing that can be measured"):
        measure(accounts=100, database=None, folder=None, progress=_nothing, only=("W9",))
