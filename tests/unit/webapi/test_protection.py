"""Service protection limits (WA-430 to WA-432, TS-301 to TS-305)."""

import pytest

from strongroom.errors import Throttled
from strongroom.webapi.protection import WINDOW_S, Limits, Protection


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


def test_workers_share_the_limits() -> None:
    """TS-305."""
    assert Limits().shared_by(4) == Limits(1500, 300.0, 13)
