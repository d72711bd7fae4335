"""What a server does again and again beside its requests: a thread for it, and a boundary around each environment.

A round that fails is a line in the server's own log and the next one tries again. Nothing that happens to one
environment keeps the others from their turn, and nothing ends the thread but being told to.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from threading import Event, Thread

from strongroom.environment import Environment, Environments
from strongroom.errors import StrongroomError


class Rounds(ABC):
    """A thread that looks at something every so often, from `start` until `stop`."""

    def __init__(self, name: str, period_s: float, logger: logging.Logger) -> None:
        self._period_s = period_s
        self._logger = logger
        self._ended = Event()
        self._thread = Thread(target=self._run, name=name, daemon=True)

    @property
    def is_ending(self) -> bool:
        """Whether it was told to stop: a round with much to do asks this in between."""
        return self._ended.is_set()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, once what is under way is done."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

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
