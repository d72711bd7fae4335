"""Work in a thread whose results a page takes while it goes on.

The store is read and written by plain calls, which would hold the server up; a page sends what there is as it comes.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from queue import Full, Queue
from threading import Event
from typing import TypeVar

Item = TypeVar("Item")

_WAIT_S = 0.1


class NobodyWaitsError(Exception):
    """Raised in the work once nobody takes its results any more, so that it ends."""


async def results_of(work: Callable[[Callable[[Item], None]], None], most: int = 0) -> AsyncGenerator[Item]:
    """What `work`, run in a thread, gives to the function that it is called with, in order.

    When `most` results wait to be taken, giving waits too; with 0 it never does. What the work raises is raised here,
    after what it gave. Closing the generator ends the work at its next result, and waits for that.
    """
    ready: Queue[tuple[Item] | BaseException | None] = Queue(most)
    left = Event()

    def put(each: tuple[Item] | BaseException | None) -> None:
        while not left.is_set():
            try:
                return ready.put(each, timeout=_WAIT_S)
            except Full:
                continue
        raise NobodyWaitsError

    def run() -> None:
        try:
            try:
                work(lambda item: put((item,)))
                put(None)
            except NobodyWaitsError:
                raise
            except Exception as error:  # noqa: BLE001 - raised again where the results are taken
                put(error)
        except NobodyWaitsError:
            pass

    running = asyncio.create_task(asyncio.to_thread(run))
    try:
        while (found := await asyncio.to_thread(ready.get)) is not None:
            if isinstance(found, BaseException):
                raise found
            yield found[0]
    finally:
        left.set()
        await running
