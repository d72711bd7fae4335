"""What a server does again and again beside its requests: a thread for it, and a boundary around each environment.

A round that fails is a line in the server's own log and the next one tries again. Nothing that happens to one
environment keeps the others from their turn, and nothing ends the thread but being told to.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from threading import Event, Thread

from strongroom.environment import Environment
from strongroom.environments import Environments
from strongroom.errors import StrongroomError
from strongroom.opening import settle_memory

AFTER_S = 1.0
"""How long a server answers before what it does beside requests is read and begun."""

_logger = logging.getLogger("strongroom.rounds")


class _Threaded(ABC):
    """A thread from `start` until `stop`."""

    def __init__(self, name: str) -> None:
        self._ended = Event()
        self._thread = Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, once what is under way is done."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    @abstractmethod
    def _run(self) -> None:
        """What the thread does, until it is told to end."""


class Rounds(_Threaded):
    """A thread that looks at something every so often."""

    def __init__(self, name: str, period_s: float, logger: logging.Logger) -> None:
        super().__init__(name)
        self._period_s = period_s
        self._logger = logger

    @property
    def is_ending(self) -> bool:
        """Whether it was told to stop: a round with much to do asks this in between."""
        return self._ended.is_set()

    @abstractmethod
    def look(self) -> None:
        """One round."""

    def in_each(self, environments: Environments, act: Callable[[Environment], None], what: str) -> None:
        """Do something in each open environment; `what` says in the log which work failed there."""
        for environment in environments.opened():
            self._guarded(lambda opened=environment: act(opened), f"{what} {environment.name}")

    def _run(self) -> None:
        while not self._ended.wait(self._period_s):
            self._guarded(self.look, self._thread.name)

    def _guarded(self, act: Callable[[], None], what: str) -> None:
        try:
            act()
        except (StrongroomError, OSError) as error:
            self._logger.error("%s failed: %s", what, error)
        except Exception:  # the boundary of the thread: it must not end, whatever happens
            self._logger.exception("%s failed", what)


class Beside(_Threaded):
    """All rounds of a server: made and begun a moment after it answers, so that its first answers wait for none of the
    rooms that they come from, and ended in the opposite order."""

    def __init__(self, make: Callable[[], Sequence[Rounds]], after_s: float = AFTER_S) -> None:
        """`make` gives the rounds, none of them begun."""
        super().__init__("beside")
        self._make = make
        self._after_s = after_s
        self._rounds: Sequence[Rounds] = ()

    def stop(self) -> None:
        """End all. A server that is stopped before they have begun still does what they do in the end."""
        super().stop()
        for each in reversed(self._rounds or self._make()):
            each.stop()

    def _run(self) -> None:
        if self._ended.wait(self._after_s):
            return
        try:
            self._rounds = self._make()
        except Exception:  # the boundary of the thread: the server's log must say it
            _logger.exception("nothing is done beside requests")
        settle_memory()
        for each in self._rounds:
            each.start()
