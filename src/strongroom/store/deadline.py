"""How long one transaction may take (WA-433), and whether somebody still waits for it.

The time runs from the transaction's first statement to its commit; waiting for a turn to write has a limit of its own.
"""

from math import inf
from time import monotonic

from strongroom.errors import Abandoned, TimeLimitExceeded
from strongroom.store.waiting import Waiting


class Deadline:
    """When the transaction of one connection must have ended; never, until it is started."""

    def __init__(self) -> None:
        self._limit_s = inf
        self._end = inf
        self._waiting: Waiting | None = None

    def start(self, limit_s: float | None, waiting: Waiting | None = None) -> None:
        """Let the time run; None sets no limit. It is over at once when `waiting` is."""
        self._limit_s = inf if limit_s is None else limit_s
        self._end = inf if limit_s is None else monotonic() + limit_s
        self._waiting = waiting

    def stop(self) -> None:
        """Nothing is late any more."""
        self._end = inf
        self._waiting = None

    def is_over(self) -> bool:
        """Whether the transaction has taken longer than it may, or nobody waits for it."""
        return monotonic() > self._end or self._is_abandoned()

    def left_s(self) -> float:
        """Seconds that are left, none or less when it is over."""
        return self._end - monotonic()

    def require(self) -> None:
        """Raise `TimeLimitExceeded` or `Abandoned` when it is over."""
        if self.is_over():
            raise self.error()

    def error(self) -> Abandoned | TimeLimitExceeded:
        """What the caller is told."""
        return Abandoned() if self._is_abandoned() else TimeLimitExceeded(self._limit_s)

    def _is_abandoned(self) -> bool:
        return self._waiting is not None and self._waiting.has_left()
