"""Who runs the jobs of one environment: one process at a time, each job for a turn, until all that is due is done.

A lock of the operating system decides which process (`system_jobs`), and it ends with the process. So a job that is
found in progress by whoever holds the lock was left by a process that is gone, and goes on from its last piece.
"""

import logging
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

from strongroom.background import jobs
from strongroom.background.jobs import JOB
from strongroom.background.recurrence import read_recurrence
from strongroom.background.work import Running, Stopped, Work
from strongroom.clock import Clock, iso, moment_of
from strongroom.errors import InvalidRequest, StrongroomError, Unavailable
from strongroom.ids import Guid
from strongroom.records import RequestFacts, Rules, Session
from strongroom.records.platform_user import SYSTEM_USER, platform_caller
from strongroom.store.protocol import Database, Row, Transaction

_TURN_S = 2.0
"""How long a job runs before the others that are due have their turn."""

_ADMINISTRATION = "administration-mode"
"""Why nobody but administrators gets in: the jobs of others wait (TS-412)."""

_logger = logging.getLogger("strongroom.jobs")

Acting = Callable[[Guid, Guid | None, RequestFacts], AbstractContextManager[Session]]
"""Opens a unit of work that writes: (user, whom they act for, facts of the request)."""


def _at_once(seconds: float) -> bool:
    return False


@dataclass(slots=True)
class Runner:
    """Runs jobs. `rest` is called with the seconds that the last piece took: it may wait, so that writers who queue
    come in between, and returns whether the process is to end."""

    database: Database
    rules: Rules
    clock: Clock
    works: Mapping[int, Work]
    acting: Acting
    rest: Callable[[float], bool] = _at_once
    _own: set[Guid] = field(default_factory=set[Guid])
    _put_off: set[Guid] = field(default_factory=set[Guid])

    def run_due(self) -> int:
        """Run every job whose time has come, and those that these begin; how many have ended."""
        ended = 0
        try:
            while waiting := [job for job in self.due() if job not in self._put_off]:
                for job in waiting:
                    if self.rest(0.0):
                        return ended
                    ended += self.run_turn(job)
        finally:
            self._release_own()
        return ended

    def due(self) -> list[Guid]:
        """The jobs that are to be run now."""
        with self.database.read() as transaction:
            return jobs.due(transaction, iso(self.clock.now()), self.works.keys())

    def run_turn(self, job: Guid) -> bool:
        """Run a job as long as its turn lasts; whether it has ended. Never raises for a job that goes wrong."""
        try:
            found = self._start(job)
        except StrongroomError as error:
            self._finish(job, error.message, error)
            return True
        if found is None:
            return False
        work, user, behalf = found
        facts = RequestFacts(request_id=job, tag=f"job {job}")
        opened = self._as_platform if user == SYSTEM_USER else lambda: self.acting(user, behalf, facts)
        running = Running(job, opened, _Turn(self.rest).take)
        try:
            said = work.run(running)
        except Stopped:
            return False
        except StrongroomError as error:
            if isinstance(error, Unavailable) or error.details.get("reason") == _ADMINISTRATION:
                _logger.warning("the job %s goes on later: %s", job, error.message)
                self._put_off.add(job)
                return False
            self._finish(job, error.message, error)
        except Exception:  # whatever it is, the one who asked is told that it did not work, and others go on
            _logger.exception("the job %s failed", job)
            message = "The job failed for a reason that the server's log tells."
            self._finish(job, message, InvalidRequest(message))
        else:
            self._finish(job, said, None)
        return True

    def _start(self, job: Guid) -> tuple[Work, Guid, Guid | None] | None:
        """Take a job on; its work and whoever began it."""
        with self.database.write() as transaction:
            row = _row(transaction, job)
            session = self._platform(transaction)
            if row is None or not jobs.claim(session, row, is_own=job in self._own):
                return None
            work = self.works[_kind(row)]
            if job not in self._own:
                work.follow(session, row, None)
                self._own.add(job)
            return work, *jobs.who_began(row)

    def _finish(self, job: Guid, said: str, error: StrongroomError | None) -> None:
        self._own.discard(job)
        with self.database.write() as transaction:
            row = _row(transaction, job)
            if row is None or row.values.get("statecode") == jobs.State.COMPLETED:
                return
            session = self._platform(transaction)
            jobs.finish(session, row, said, error)
            self.works[_kind(row)].follow(session, row, error)
            try:
                self._repeat(session, row)
            except InvalidRequest as refused:  # it was changed since it was asked for: the series ends
                _logger.warning("the job %s does not come again: %s", job, refused.message)

    def _repeat(self, session: Session, row: Row) -> None:
        """Let a job that comes again wait for its next time, as a job of its own of the same user. What the platform
        does every hour keeps its row: nobody looks at last year's."""
        pattern, begun = str(row.values.get("recurrencepattern") or ""), row.values.get("recurrencestarttime")
        first = moment_of(str(begun))
        if not pattern or first is None:
            return
        following = iso(read_recurrence(pattern).after(first, self.clock.now()))
        asked = jobs.asked_of(row)
        if jobs.who_began(row)[0] == SYSTEM_USER:
            jobs.wait_again(session, row, following)
            return
        name, message = str(row.values.get("name")), str(row.values.get("messagename"))
        order = jobs.Order(_kind(row), name, asked, message, jobs.When(following, pattern), again_of=row)
        again = jobs.begin(session, order)
        self.works[_kind(row)].follow(session, again, None)

    def _release_own(self) -> None:
        """Leave no job in progress that nobody runs."""
        for job in sorted(self._own):
            with self.database.write() as transaction:
                row = _row(transaction, job)
                if row is not None:
                    jobs.release(self._platform(transaction), row)
        self._own.clear()

    @contextmanager
    def _as_platform(self) -> Generator[Session]:
        with self.database.write() as transaction:
            yield self._platform(transaction)

    def _platform(self, transaction: Transaction) -> Session:
        return Session(transaction, platform_caller(transaction.schema), self.clock, self.rules)


@dataclass(slots=True)
class _Turn:
    """One turn of a job: each piece waits until others had theirs."""

    rest: Callable[[float], bool]
    _began: float = field(default_factory=time.monotonic)
    _last: float | None = None

    def take(self) -> None:
        """Before each piece. Raises `Stopped` when the turn is over; the first piece always comes."""
        now = time.monotonic()
        if self._last is not None and (now - self._began > _TURN_S or self.rest(now - self._last)):
            raise Stopped
        self._last = time.monotonic()


def _row(transaction: Transaction, job: Guid) -> Row | None:
    return transaction.row(transaction.schema.tables[JOB], job)


def _kind(row: Row) -> int:
    kind = row.values.get("operationtype")
    return kind if isinstance(kind, int) else 0
