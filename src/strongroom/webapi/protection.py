"""Service protection: how much one user may ask of the server (WA-430 to WA-432).

Three facets over a sliding window of 300 seconds, per user and environment: number of requests, summed execution
time, requests at the same time. Several workers count together (`pooled_usage`, TS-305).
"""

import time
from collections import deque
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from heapq import merge
from math import ceil

from strongroom.errors import Throttled
from strongroom.webapi.pooled_usage import PooledUsage, usage_key

WINDOW_S = 300.0
_TOGETHER_S = 1.0
"""Requests that end within so much time leave the window together, with the last of them: what is kept of a user does
not grow with the number of requests."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The documented defaults."""

    requests: int = 6000
    execution_s: float = 1200.0
    concurrent: int = 52


@dataclass(slots=True)
class Usage:
    """What one user did in this worker in the window: (end, requests, seconds) of requests that ended at about the same
    time, and the sums of all."""

    key: bytes
    done: deque[tuple[float, int, float]] = field(default_factory=deque[tuple[float, int, float]])
    requests: int = 0
    seconds: float = 0.0
    running: int = 0
    refused: int = 0
    _together_until: float = 0.0

    def add(self, ended: float, seconds: float) -> None:
        """Count a request that has ended."""
        self.requests += 1
        self.seconds += seconds
        if self.done and ended < self._together_until:
            _, requests, before = self.done[-1]
            self.done[-1] = (ended, requests + 1, before + seconds)
        else:
            self.done.append((ended, 1, seconds))
            self._together_until = ended + _TOGETHER_S

    def forget(self, before: float) -> None:
        """Leave out what ended by this moment."""
        while self.done and self.done[0][0] <= before:
            _, requests, seconds = self.done.popleft()
            self.requests -= requests
            self.seconds -= seconds


@dataclass(slots=True)
class Admission:
    """One admitted request. `headers` are due on every data answer (WA-432)."""

    remaining_requests: int
    remaining_s: float

    def headers(self) -> tuple[tuple[str, str], ...]:
        return (
            ("x-ms-ratelimit-burst-remaining-xrm-requests", str(self.remaining_requests)),
            ("x-ms-ratelimit-time-remaining-xrm-requests", f"{self.remaining_s:.2f}"),
        )


class Protection:
    """Counts, and refuses when `enforced`. Not enforced, it still tells what would remain."""

    def __init__(
        self,
        limits: Limits,
        *,
        enforced: bool,
        now: Callable[[], float] = time.monotonic,
        pool: PooledUsage | None = None,
    ) -> None:
        """`pool` is what the workers of a server share; None when there is one."""
        self._limits = limits
        self._enforced = enforced
        self._now = now
        self._pool = pool
        self._usage: dict[tuple[str, str], Usage] = {}

    @contextmanager
    def admit(self, environment: str, user_id: str) -> Generator[Admission]:
        """Account for one request of a user; raises `Throttled` with the facet's code when a limit is exceeded."""
        started = self._now()
        usage = self._usage.get((environment, user_id))
        if usage is None:
            self._drop_idle(started)
            usage = self._usage[environment, user_id] = Usage(usage_key(environment, user_id))
        usage.forget(started - WINDOW_S)
        requests, seconds = usage.requests, usage.seconds
        if self._pool is not None:
            elsewhere = self._pool.totals(usage.key, started)
            requests, seconds = requests + elsewhere[0], seconds + elsewhere[1]
        if self._enforced:
            self._refuse(usage, requests, seconds, started)
        usage.refused = 0
        usage.running += 1
        if self._pool is not None:
            self._pool.begin(usage.key, started)
        admission = Admission(
            max(0, self._limits.requests - requests - 1), max(0.0, self._limits.execution_s - seconds)
        )
        try:
            yield admission
        finally:
            usage.running -= 1
            ended = self._now()
            usage.add(ended, ended - started)
            if self._pool is not None:
                self._pool.end(usage.key, ended, ended - started)

    def _refuse(self, usage: Usage, requests: int, seconds: float, now: float) -> None:
        limits, window = self._limits, f"over time window of {WINDOW_S:.0f} seconds"
        running = usage.running + (self._pool.running(usage.key) if self._pool is not None else 0)
        if running >= limits.concurrent:
            code, wait = "0x80072326", 1
            text = f"Number of concurrent requests exceeded the limit of {limits.concurrent}."
        elif requests >= limits.requests:
            code, wait = "0x80072322", self._wait(usage, now, requests=requests - limits.requests + 1)
            text = f"Number of requests exceeded the limit of {limits.requests} {window}."
        elif seconds > limits.execution_s:
            code, wait = "0x80072321", self._wait(usage, now, seconds=seconds - limits.execution_s)
            text = (
                f"Combined execution time of incoming requests exceeded limit of {limits.execution_s * 1000:,.0f} "
                f"milliseconds {window}. Decrease number of concurrent requests or "
                "reduce the duration of requests and try again later."
            )
        else:
            return
        usage.refused += 1
        # Who keeps pushing waits longer (WA-431); a pause of the told length always suffices.
        raise Throttled(text, code=code, retry_after_s=min(int(WINDOW_S), max(1, wait) + usage.refused // 10))

    def _wait(self, usage: Usage, now: float, *, requests: int = 0, seconds: float = 0.0) -> int:
        """After how many seconds so many requests, or so much time, have left the window."""
        others: Iterable[tuple[float, int, float]] = ()
        if self._pool is not None:
            others = sorted((each.ended, each.requests, each.seconds) for each in self._pool.spent(usage.key, now))
        for ended, number, spent in merge(usage.done, others):
            requests -= number
            seconds -= spent
            if requests <= 0 and seconds <= 0:
                return ceil(ended + WINDOW_S - now)
        return ceil(WINDOW_S)

    def _drop_idle(self, now: float) -> None:
        if len(self._usage) < 10_000:
            return
        for key, usage in list(self._usage.items()):
            usage.forget(now - WINDOW_S)
            if not usage.done and not usage.running:
                del self._usage[key]
