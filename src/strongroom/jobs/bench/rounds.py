"""Timing side by side: whoever is compared runs in the same rounds, so that a busy machine slows all of them alike."""

from collections.abc import Callable, Mapping
from time import perf_counter

from strongroom.jobs.bench.figures import Figure, Spread, Target

Act = Callable[[], object]
Clock = Callable[[], float]
"""Seconds. `thread_time` for what runs in this thread alone: another process on the machine does not disturb it."""

_LEAST_SECONDS = 0.004
"""What one contestant runs in one round at least: long against the clock, short against a slice of the scheduler."""


def interleaved(
    contestants: Mapping[str, Act],
    rounds: int,
    *,
    warm: bool = False,
    clock: Clock = perf_counter,
    least_s: float = _LEAST_SECONDS,
) -> dict[str, list[float]]:
    """Seconds per call of each contestant, one number for each round, in which it runs for `least_s`. Everyone is
    warmed up first, and with `warm` again before each of its turns."""
    times = {name: _calls(act, least_s) for name, act in contestants.items()}
    found: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds):
        order = list(contestants.items())
        if number % 2:
            order.reverse()  # whoever runs first finds other caches than whoever runs last
        for name, act in order:
            if warm:
                act()
            found[name].append(_timed(act, times[name], clock))
    return found


def ratio(
    measure: str, product: list[float], reference: list[float], named: str, target: Target | None = None
) -> Figure:
    """The product's time over the reference's, round by round."""
    ratios = [ours / theirs for ours, theirs in zip(product, reference, strict=True)]
    return Figure(measure, Spread.of(ratios), reference=named, target=target, absolute=Spread.of(product).median * 1e6)


def _calls(act: Act, least_s: float) -> int:
    """How many calls make a round long enough to be timed."""
    act()
    act()
    once = max(_timed(act, 1, perf_counter), 1e-7)
    return max(1, round(least_s / once))


def _timed(act: Act, times: int, clock: Clock) -> float:
    started = clock()
    for _ in range(times):
        act()
    return (clock() - started) / times
