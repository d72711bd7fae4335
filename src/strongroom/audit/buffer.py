"""Readings on their way into the activity log: gathered for a moment, stored many at a time.

A commit costs more than a list of 50 rows, so a reading does not wait for one (TS-808). What is told of readings is
kept in memory for at most `PERIOD_S` and stored by a thread of its own; the end of a process in good order stores the
rest. A process that is killed takes the readings of that moment with it; nothing else that is told goes this way.

Nobody reads untold for long: when the store does not take readings any more, a full disk above all, further ones are
refused with 503 `audit-unavailable` as soon as `MOST_WAITING` wait or the oldest has waited for `PATIENCE_S`.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from threading import Event, Lock, Thread

from strongroom.errors import StrongroomError, Unavailable
from strongroom.store.protocol import Database, Value

PERIOD_S = 0.25
BATCH = 500
"""Rows in one transaction: writers wait for some milliseconds."""
MOST_WAITING = 20_000
PATIENCE_S = 30.0
_logger = logging.getLogger("strongroom.activity")

Told = dict[str, Value]


@dataclass(slots=True)
class ActivityBuffer:
    """The readings of one environment in this process."""

    database: Database
    monotonic: Callable[[], float] = time.monotonic
    _waiting: deque[Told] = field(default_factory=deque[Told])
    _storing: Lock = field(default_factory=Lock)
    _failing_since: float | None = None
    _ended: Event = field(default_factory=Event)
    _thread: Thread | None = None

    def add(self, told: Iterable[Told]) -> None:
        """Take readings. `Unavailable` when those before them cannot be stored."""
        since = self._failing_since
        if len(self._waiting) >= MOST_WAITING or (since is not None and self.monotonic() - since > PATIENCE_S):
            self._store_or_refuse()
        self._waiting.extend(told)
        if self._thread is None:
            self._begin()

    def flush(self) -> None:
        """Store what waits. Raises what the store raises; nothing is lost then."""
        with self._storing:
            while self._waiting:
                batch = [self._waiting[at] for at in range(min(BATCH, len(self._waiting)))]
                with self.database.write() as transaction:
                    transaction.append_activity(batch)
                for _ in batch:
                    self._waiting.popleft()
            self._failing_since = None

    def close(self) -> None:
        """Store the rest, and end. What cannot be stored is lost, and the server's log says so."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        try:
            self.flush()
        except StrongroomError as error:
            _logger.error("%d readings could not be stored: %s", len(self._waiting), error.message)

    def _store_or_refuse(self) -> None:
        try:
            self.flush()
        except StrongroomError as error:
            raise Unavailable(
                "The activity log cannot take what must be told of this reading, so it is not answered.",
                details={"reason": "audit-unavailable", "rule": "TS-802"},
            ) from error

    def _begin(self) -> None:
        with self._storing:
            if self._thread is None:
                self._thread = Thread(target=self._run, name="activities", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self._ended.wait(PERIOD_S):
            try:
                self.flush()
            except StrongroomError as error:
                self._note_failure(error.message)
            except Exception:  # the boundary of the thread: it must not end while there are readings to store
                self._note_failure("see below")
                _logger.exception("readings could not be stored")

    def _note_failure(self, message: str) -> None:
        if self._failing_since is None:
            self._failing_since = self.monotonic()
            _logger.error("readings could not be stored, and wait: %s", message)
