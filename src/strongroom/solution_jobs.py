"""What runs operations on solutions that clients do not wait for, beside the requests of a server.

One thread looks in each open environment; of several processes one runs operations at a time, which a lock decides. An
operation gets a store of its own for its time, because a large import takes longer than any request may.
"""

import logging
import time
from collections.abc import Generator
from contextlib import contextmanager

from strongroom.environment import Environment, Environments, Identity, open_environment
from strongroom.errors import InvalidRequest, StrongroomError
from strongroom.home import EnvironmentKind
from strongroom.ids import Guid
from strongroom.keys.disk import Disk
from strongroom.records import RequestFacts, Session
from strongroom.records.platform_user import platform_caller
from strongroom.rounds import Rounds
from strongroom.solutions import operations

FOLDER = "jobs"
_PERIOD_S = 1.0
_REST_S = 60.0
_logger = logging.getLogger("strongroom.solutions")


class SolutionJobs(Rounds):
    """What runs them. It ends with what it is doing."""

    def __init__(self, environments: Environments) -> None:
        super().__init__("solutions", _PERIOD_S, _logger)
        self._environments = environments
        self._resting: dict[Guid, float] = {}

    def look(self) -> None:
        """Run what waits in each open environment."""
        self.in_each(self._environments, self._run_or_rest, "running operations on solutions of")

    def _run_or_rest(self, environment: Environment) -> None:
        is_business = environment.record.kind is not EnvironmentKind.CONTROL
        if not is_business or time.monotonic() < self._resting.get(environment.id, 0):
            return
        try:
            self._run_waiting(environment)
        except (StrongroomError, OSError):
            self._resting[environment.id] = time.monotonic() + _REST_S  # a closed environment is no news every second
            raise

    def _run_waiting(self, environment: Environment) -> None:
        with environment.database.read() as transaction:
            if not operations.waiting(transaction):
                return
        folder = self._environments.home.path / FOLDER
        folder.mkdir(mode=0o700, exist_ok=True)
        with Disk().lock(folder / f"{environment.name}.lock", wait=False) as is_ours:
            if is_ours:
                self.run_all(environment.name)

    def run_all(self, name: str) -> None:
        """Run what waits in an environment, one after the other."""
        with _opened(self._environments, name) as environment:
            with environment.database.read() as transaction:
                found = operations.waiting(transaction)
            for operation in found:
                if self.is_ending:
                    return
                run_one(environment, operation)


def run_one(environment: Environment, operation: Guid) -> None:
    """Run one operation, and write how it ended."""
    with _as_platform(environment) as session:
        if operations.claim(session, operation) is None:
            return
        user, behalf = operations.who_asked(session.transaction, operation)
    try:
        facts = RequestFacts(request_id=operation)
        with environment.session(Identity(user, caller_id=behalf), facts, write=True) as session:
            operations.run(session, operation)
    except StrongroomError as error:
        _tell(environment, operation, error)
    except Exception:  # whatever it is, the one who asked is told that it did not work
        _logger.exception("the operation %s failed", operation)
        _tell(environment, operation, InvalidRequest("The operation failed for a reason that the server's log tells."))


def _tell(environment: Environment, operation: Guid, error: StrongroomError) -> None:
    with _as_platform(environment) as session:
        row = session.transaction.row(session.table(operations.OPERATIONS), operation)
        if row is not None:
            operations.fail(session, row, error)


@contextmanager
def _as_platform(environment: Environment) -> Generator[Session]:
    with environment.database.write() as transaction:
        caller = platform_caller(transaction.schema)
        yield Session(transaction, caller, environment.clock, environment.rules, RequestFacts())


@contextmanager
def _opened(environments: Environments, name: str) -> Generator[Environment]:
    environment = open_environment(environments.home, name)
    try:
        yield environment
    finally:
        environment.close()
