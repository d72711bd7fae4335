"""What runs the system jobs of a server's environments, beside its requests (WA-308, TS-007).

One thread looks in each open environment; of several processes one runs jobs at a time, which a lock decides. An
environment with jobs that are due is opened a second time for as long as they run, because the import of a solution
takes longer than any request may. Jobs of many pieces rest between them as long as each took, so that at most half of
the time of writers goes to them, and readers are not held up at all.
"""

import logging
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from strongroom.background import jobs
from strongroom.background.running import Runner
from strongroom.clock import iso
from strongroom.environment import JOB_WORKS, Environment, Identity
from strongroom.environments import Environments
from strongroom.errors import StrongroomError
from strongroom.home import EnvironmentKind, EnvironmentState, Home
from strongroom.ids import Guid
from strongroom.keys.disk import Disk
from strongroom.opening import open_environment
from strongroom.records import RequestFacts, Session
from strongroom.rounds import Rounds

FOLDER = "jobs"
_PERIOD_S = 1.0
_REST_S = 60.0
_PAUSE_S = 5.0
_LONGEST_PAUSE_S = 1.0
_logger = logging.getLogger("strongroom.jobs")


class SystemJobs(Rounds):
    """What runs them. A job that is under way when the server is told to stop ends with its piece."""

    def __init__(self, environments: Environments) -> None:
        super().__init__("jobs", _PERIOD_S, _logger)
        self._environments = environments
        self._resting: dict[Guid, float] = {}

    def look(self) -> None:
        """Run what is due in each open environment."""
        self.in_each(self._environments, self._run_or_rest, "running the jobs of")

    def _run_or_rest(self, environment: Environment) -> None:
        if time.monotonic() < self._resting.get(environment.id, 0):
            return
        try:
            if _has_due(environment):
                run_due(self._environments.home, environment.name, self._rest)
                if _has_due(environment):  # another process runs them, or they cannot go on now
                    self._resting[environment.id] = time.monotonic() + _PAUSE_S
        except (StrongroomError, OSError):
            self._resting[environment.id] = time.monotonic() + _REST_S  # a closed environment is no news every second
            raise

    def _rest(self, seconds: float) -> bool:
        if seconds > 0:
            self._ended.wait(min(seconds, _LONGEST_PAUSE_S))
        return self.is_ending


def run_due(home: Home, name: str, rest: Callable[[float], bool] | None = None) -> int:
    """Run the jobs of an environment that are due, unless another process does; how many have ended."""
    with _alone(home, name, wait=False) as is_ours:
        return _run(home, name, rest) if is_ours else 0


def run_after(home: Home, change: Callable[[], None]) -> int:
    """Make a `change` by which jobs become due, and run them, in every environment of business data that is open to
    users, before anybody else can; how many have ended. Waits for jobs that are under way (TS-006)."""
    open_states = (EnvironmentState.READY, EnvironmentState.ADMINISTRATION)
    known = home.environments()
    names = [each.name for each in known if each.kind is EnvironmentKind.BUSINESS and each.state in open_states]
    with ExitStack() as held:
        for name in names:
            held.enter_context(_alone(home, name, wait=True))
        change()
        return sum(_run_anyway(home, name) for name in names)


def _run_anyway(home: Home, name: str) -> int:
    """One environment that does not open keeps the others from nothing."""
    try:
        return _run(home, name, None)
    except StrongroomError as error:
        _logger.error("running the jobs of %s failed: %s", name, error.message)
        return 0


def _run(home: Home, name: str, rest: Callable[[float], bool] | None) -> int:
    with _opened(home, name) as environment:
        return runner_of(environment, rest).run_due()


def runner_of(environment: Environment, rest: Callable[[float], bool] | None = None) -> Runner:
    """What runs the jobs of an open environment."""

    def acting(user: Guid, behalf: Guid | None, facts: RequestFacts) -> AbstractContextManager[Session]:
        return environment.session(Identity(user, caller_id=behalf), facts, write=True)

    runner = Runner(environment.database, environment.rules, environment.clock, JOB_WORKS, acting)
    if rest is not None:
        runner.rest = rest
    return runner


def _has_due(environment: Environment) -> bool:
    with environment.database.read() as transaction:
        return bool(jobs.due(transaction, iso(environment.clock.now()), JOB_WORKS.keys()))


@contextmanager
def _alone(home: Home, name: str, *, wait: bool) -> Generator[bool]:
    folder = Path(home.path, FOLDER)
    folder.mkdir(mode=0o700, exist_ok=True)
    with Disk().lock(folder / f"{name}.lock", wait=wait) as is_ours:
        yield is_ours


@contextmanager
def _opened(home: Home, name: str) -> Generator[Environment]:
    environment = open_environment(home, name)
    try:
        yield environment
    finally:
        environment.close()
