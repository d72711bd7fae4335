"""Service protection limits (WA-430 to WA-432, TS-301 to TS-305)."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from strongroom.errors import Throttled
from strongroom.webapi.pooled_usage import PooledUsage, claim_section, make_pool, usage_key
from strongroom.webapi.protection import WINDOW_S, Limits, Protection, Usage


class Time:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def ask(protection: Protection, time: Time, user: str = "u", *, takes: float = 0.0) -> None:
    with protection.admit("main", user):
        time.now += takes


def test_too_many_requests_are_refused_until_the_window_has_moved() -> None:
    time = Time()
    protection = Protection(Limits(requests=3), enforced=True, now=time)
    for _ in range(3):
        ask(protection, time)

    with pytest.raises(Throttled) as caught:
        ask(protection, time)
    time.now += caught.value.retry_after_s + 1

    assert caught.value.code == "0x80072322"
    assert "limit of 3 over time window of 300 seconds" in caught.value.message
    ask(protection, time)


def test_summed_execution_time_is_limited() -> None:
    time = Time()
    protection = Protection(Limits(execution_s=10), enforced=True, now=time)
    ask(protection, time, takes=11)

    with pytest.raises(Throttled) as caught:
        ask(protection, time)

    assert caught.value.code == "0x80072321"
    assert 1 <= caught.value.retry_after_s <= WINDOW_S


def test_requests_at_the_same_time_are_limited() -> None:
    time = Time()
    protection = Protection(Limits(concurrent=1), enforced=True, now=time)

    with protection.admit("main", "u"), pytest.raises(Throttled) as caught, protection.admit("main", "u"):
        pass

    assert caught.value.code == "0x80072326"
    ask(protection, time)


def test_one_user_at_the_limit_does_not_stop_another() -> None:
    time = Time()
    protection = Protection(Limits(requests=1), enforced=True, now=time)
    ask(protection, time, "a")
    with pytest.raises(Throttled):
        ask(protection, time, "a")

    ask(protection, time, "b")


def test_pushing_on_lengthens_the_wait() -> None:
    """WA-431."""
    time = Time()
    protection = Protection(Limits(requests=1), enforced=True, now=time)
    ask(protection, time)
    waits: list[int] = []
    time.now += WINDOW_S - 5
    for _ in range(40):
        with pytest.raises(Throttled) as caught:
            ask(protection, time)
        waits.append(caught.value.retry_after_s)

    assert waits[-1] > waits[0]


def test_unenforced_limits_are_only_told() -> None:
    """WA-432: the headers are there, and fall with use."""
    time = Time()
    protection = Protection(Limits(requests=2), enforced=False, now=time)
    seen: list[int] = []
    for _ in range(4):
        with protection.admit("main", "u") as admission:
            seen.append(int(dict(admission.headers())["x-ms-ratelimit-burst-remaining-xrm-requests"]))

    assert seen == [1, 0, 0, 0]


@pytest.fixture
def workers(tmp_path: Path) -> tuple[PooledUsage, PooledUsage]:
    make_pool(tmp_path / "usage", 2)
    return PooledUsage(tmp_path / "usage", WINDOW_S, 0), PooledUsage(tmp_path / "usage", WINDOW_S, 1)


def test_workers_count_together(workers: tuple[PooledUsage, PooledUsage]) -> None:
    """TS-305, WA-431: the third request is one too many wherever it comes to, and the pause that is told suffices."""
    time = Time()
    first, second = (Protection(Limits(requests=2), enforced=True, now=time, pool=pool) for pool in workers)
    ask(first, time)
    time.now += 12
    ask(second, time)

    for protection in (first, second):
        with pytest.raises(Throttled) as caught:
            ask(protection, time)
        assert caught.value.code == "0x80072322"
    ask(first, time, user="somebody else")
    time.now += caught.value.retry_after_s

    ask(second, time)
    with pytest.raises(Throttled):
        ask(first, time)


def test_time_and_requests_at_once_are_counted_over_workers(workers: tuple[PooledUsage, PooledUsage]) -> None:
    """TS-305."""
    time = Time()
    limits = Limits(execution_s=10.0, concurrent=2)
    first, second = (Protection(limits, enforced=True, now=time, pool=pool) for pool in workers)
    with first.admit("main", "u"), second.admit("main", "u"), pytest.raises(Throttled) as caught:
        ask(first, time)
    assert caught.value.code == "0x80072326"
    ask(first, time, takes=6)
    with second.admit("main", "u") as admission:
        assert 3.9 < admission.remaining_s < 4.1
        time.now += 6
    with pytest.raises(Throttled) as caught:
        ask(first, time)
    assert caught.value.code == "0x80072321"
    time.now += caught.value.retry_after_s
    ask(first, time)


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 90)), max_size=60))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_more_than_the_limit_is_let_through_in_any_window(
    tmp_path_factory: pytest.TempPathFactory, asked: list[tuple[int, int]]
) -> None:
    """TS-301, TS-305: whichever worker is asked, and however long the pauses are."""
    path = tmp_path_factory.mktemp("pool") / "usage"
    make_pool(path, 2)
    time = Time()
    both = [
        Protection(Limits(requests=5), enforced=True, now=time, pool=PooledUsage(path, WINDOW_S, number))
        for number in range(2)
    ]
    let_through: list[float] = []
    for worker, pause in asked:
        time.now += pause
        try:
            ask(both[worker], time)
        except Throttled as refusal:
            assert refusal.retry_after_s >= 1
            continue
        let_through.append(time.now)
        assert len([moment for moment in let_through if moment > time.now - WINDOW_S]) <= 5


def test_a_worker_begins_with_an_empty_section(tmp_path: Path) -> None:
    """TS-305: what a worker had in hand when it ended abruptly does not count for ever."""
    make_pool(tmp_path / "usage", 2)
    ended, other = (PooledUsage(tmp_path / "usage", WINDOW_S, number) for number in range(2))
    ended.begin(usage_key("main", "u"), 1000.0)
    assert other.running(usage_key("main", "u")) == 1

    PooledUsage(tmp_path / "usage", WINDOW_S, 0)

    assert other.running(usage_key("main", "u")) == 0


def test_a_section_belongs_to_one_process(tmp_path: Path) -> None:
    """TS-305: a second process takes another one, and none when there is none."""
    make_pool(tmp_path / "usage", 2)
    assert claim_section(tmp_path / "usage") == 0
    claim = "import sys; from pathlib import Path; from strongroom.webapi.pooled_usage import claim_section as c;"
    claim += "print(c(Path(sys.argv[1])))"
    done = subprocess.run([sys.executable, "-c", claim, str(tmp_path / "usage")], capture_output=True, check=True)
    assert done.stdout == b"1\n"


def test_what_is_kept_of_a_user_does_not_grow_with_its_requests() -> None:
    """WA-430: requests of one second leave the window together, and all of them are counted until then."""
    usage = Usage(b"u")
    for number in range(5_000):
        usage.add(number / 1000, 0.5)

    assert len(usage.done) <= 6
    assert (usage.requests, usage.seconds) == (5_000, 2_500)
    usage.forget(2.5)
    assert 2_000 <= usage.requests <= 3_000
    usage.forget(5.0)
    assert (usage.requests, len(usage.done)) == (0, 0)
