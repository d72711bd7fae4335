"""Service protection: how much one user may ask of the server (WA-430 to WA-432).

Three facets over a sliding window of 300 seconds, per user and environment: number of requests, summed execution
time, requests at the same time. Counted in this worker; with several workers each holds its share of the limits.
"""

import time
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import ceil

from strongroom.errors import Throttled

WINDOW_S = 300.0


@dataclass(frozen=True, slots=True)
class Limits:
    """The documented defaults."""

    requests: int = 6000
    execution_s: float = 1200.0
    concurrent: int = 52

    def shared_by(self, workers: int) -> "Limits":
        """One worker's share, so that all workers together keep the limits."""
        return Limits(
            max(1, self.requests // workers), self.execution_s / workers, max(1, ceil(self.concurrent / workers))
        )


@dataclass(slots=True)
class _Usage:
    """What one user did: (end, seconds) of each request in the window, and the running sums."""

    done: deque[tuple[float, float]] = field(default_factory=deque[tuple[float, float]])
    seconds: float = 0.0
    running: int = 0
    refused: int = 0

    def forget(self, before: float) -> None:
        while self.done and self.done[0][0] < before:
            self.seconds -= self.done.popleft()[1]


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

    def __init__(self, limits: Limits, *, enforced: bool, now: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._enforced = enforced
        self._now = now
        self._usage: dict[tuple[str, str], _Usage] = {}

    @contextmanager
    def admit(self, environment: str, user_id: str) -> Generator[Admission]:
        """Account for one request of a user; raises `Throttled` with the facet's code when a limit is exceeded."""
        started = self._now()
        usage = self._usage.get((environment, user_id))
        if usage is None:
            self._drop_idle(started)
            usage = self._usage[environment, user_id] = _Usage()
        usage.forget(started - WINDOW_S)
        if self._enforced:
            self._refuse(usage, started)
        usage.refused = 0
        usage.running += 1
        admission = Admission(
            max(0, self._limits.requests - len(usage.done) - 1), max(0.0, self._limits.execution_s - usage.seconds)
        )
        try:
            yield admission
        finally:
            usage.running -= 1
            ended = self._now()
            usage.done.append((ended, ended - started))
            usage.seconds += ended - started

    def _refuse(self, usage: _Usage, now: float) -> None:
        limits = self._limits
        if usage.running >= limits.concurrent:
            code, text, wait = (
                "0x80072326",
                f"Number of concurrent requests exceeded the limit of {limits.concurrent}.",
                1,
            )
        elif len(usage.done) >= limits.requests:
            wait = ceil(usage.done[len(usage.done) - limits.requests][0] + WINDOW_S - now)
            code = "0x80072322"
            window = f"over time window of {WINDOW_S:.0f} seconds"
            text = f"Number of requests exceeded the limit of {limits.requests} {window}."
        elif usage.seconds > limits.execution_s:
            code, wait = "0x80072321", ceil(usage.done[0][0] + WINDOW_S - now)
            text = (
                f"Combined execution time of incoming requests exceeded limit of {limits.execution_s * 1000:,.0f} "
                f"milliseconds over time window of {WINDOW_S:.0f} seconds. Decrease number of concurrent requests or "
                "reduce the duration of requests and try again later."
            )
        else:
            return
        usage.refused += 1
        # Who keeps pushing waits longer (WA-431); a pause of the told length always suffices.
        raise Throttled(text, code=code, retry_after_s=min(int(WINDOW_S), max(1, wait) + usage.refused // 10))

    def _drop_idle(self, now: float) -> None:
        if len(self._usage) < 10_000:
            return
        for key, usage in list(self._usage.items()):
            usage.forget(now - WINDOW_S)
            if not usage.done and not usage.running:
                del self._usage[key]
