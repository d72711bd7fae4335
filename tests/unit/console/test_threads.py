"""Results of a thread, taken by a page."""

import asyncio
from collections.abc import Callable
from threading import Event

import pytest

from strongroom.console.threads import NobodyWaitsError, results_of

_PATIENCE_S = 60


def test_results_come_in_order_and_an_error_after_what_was_given() -> None:
    def work(give: Callable[[int], None]) -> None:
        for number in range(3):
            give(number)
        raise ValueError("the fourth is bad")

    async def take() -> list[int]:
        taken: list[int] = []
        with pytest.raises(ValueError, match="the fourth is bad"):
            async for number in results_of(work, 1):
                taken.append(number)
        return taken

    assert asyncio.run(take()) == [0, 1, 2]


def test_work_ends_when_nobody_takes_its_results() -> None:
    ended = Event()

    def work(give: Callable[[int], None]) -> None:
        try:
            while True:
                give(0)
        except NobodyWaitsError:
            ended.set()
            raise

    async def leave() -> None:
        results = results_of(work, 1)
        assert await anext(results) == 0
        await results.aclose()

    asyncio.run(leave())
    assert ended.is_set()


def test_no_more_results_wait_than_were_asked_for() -> None:
    given: list[int] = []
    full = Event()

    def work(give: Callable[[int], None]) -> None:
        for number in range(5):
            give(number)
            given.append(number)
            if number == 1:
                full.set()

    async def take_one() -> int:
        results = results_of(work, 2)
        first = await anext(results)
        await asyncio.to_thread(full.wait, _PATIENCE_S)
        waiting = len(given)
        assert [number async for number in results] == [1, 2, 3, 4]
        return waiting - first

    assert asyncio.run(take_one()) <= 3
