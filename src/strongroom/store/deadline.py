"""How long one transaction may take (WA-433).

The time runs from the transaction's first statement to its commit; waiting for a turn to write has a limit of its own.
"""

from math import inf
from time import monotonic

from strongroom.errors import TimeLimitExceeded


class Deadline:
    """When the transaction of one connection must have ended; never, until it is started."""

    def __init__(self) -> None:
        self._limit_s = inf
        self._end = inf

    def start(self, limit_s: float | None) -> None:
        """Let the time run; None sets no limit."""
        self._limit_s = inf if limit_s is None else limit_s
        self._end = inf if limit_s is None else monotonic() + limit_s

    def stop(self) -> None:
        """Nothing is late any more."""
        self._end = inf

    def is_over(self) -> bool:
        """Whether the transaction has taken longer than it may."""
        return monotonic() > self._end

    def left_s(self) -> float:
        """Seconds that are left, none or less when it is over."""
        return self._end - monotonic()

    def require(self) -> None:
        """Raise `TimeLimitExceeded` when it is over."""
        if monotonic() > self._end:
            raise self.error()

    def error(self) -> TimeLimitExceeded:
        """What the caller is told."""
        return TimeLimitExceeded(self._limit_s)
