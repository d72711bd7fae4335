"""Whether anybody still waits for the answer: work that nobody waits for is ended, and undone.

A server says at the start of a request who waits for it (`WAITING`); each transaction of that request then looks now
and then whether the client is still there. The first look comes after a while only: a client that has closed its side
of the connection looks like one that has left, and still gets the answer to what is quick.

An embedded store looks by itself, between two steps of its machine. A database server must be told from beside, by
`Waiting.abandon`, because the thread that asked it is asleep.
"""

from collections.abc import Callable
from contextvars import ContextVar
from threading import Lock
from time import monotonic
from typing import Protocol

from strongroom.errors import Abandoned

LOOK_S = 0.25
"""Seconds between two looks at a connection."""


class Peer(Protocol):
    """The client at the other end of a connection."""

    def has_left(self) -> bool:
        """Whether it has closed its side of the connection."""
        ...


class Waiting:
    """One request's client, as those who work for it see it. May be asked from several threads."""

    def __init__(self, peer: Peer, patience_s: float) -> None:
        self._peer = peer
        self._next_look = monotonic() + patience_s
        self._cancels: list[Callable[[], None]] = []
        self._lock = Lock()
        self.is_over = False
        """Whether nobody waits any more; once true it stays so."""

    def has_left(self) -> bool:
        """Whether nobody waits any more. Looks at the connection when it is time to."""
        if not self.is_over and monotonic() > self._next_look:
            self._next_look = monotonic() + LOOK_S
            self.is_over = self._peer.has_left()
        return self.is_over

    def require(self) -> None:
        """Raise `Abandoned` when nobody waits any more."""
        if self.has_left():
            raise Abandoned

    def attach(self, cancel: Callable[[], None]) -> None:
        """From now on `cancel` ends a transaction of this request."""
        with self._lock:
            self._cancels.append(cancel)

    def detach(self, cancel: Callable[[], None]) -> None:
        """That transaction has ended. Returns when a cancelling that is under way has come to its end, so that it
        cannot meet the next one who uses the same connection."""
        with self._lock:
            self._cancels.remove(cancel)

    def abandon(self) -> None:
        """End what runs. Blocks while a database server is told."""
        with self._lock:
            self.is_over = True
            for cancel in self._cancels:
                cancel()


WAITING: ContextVar[Waiting | None] = ContextVar("waiting", default=None)
"""Who waits for the work of this task or thread; None for work of the server's own, which is always finished."""
