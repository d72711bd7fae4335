"""A world whose system jobs a test runs itself, whole or piece by piece."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.worlds import World

from strongroom.background import WORKS
from strongroom.background.jobs import JOB
from strongroom.background.rules import register
from strongroom.background.running import Runner
from strongroom.background.work import Work
from strongroom.ids import Guid
from strongroom.records import RequestFacts, Session
from strongroom.store.protocol import Row, Value


class Killed(BaseException):
    """The process is gone: nothing that would be done afterwards is done."""


@dataclass
class JobWorld(World):
    """Registers the rules about jobs, and runs jobs."""

    works: Mapping[int, Work] = field(default_factory=lambda: WORKS)

    def __post_init__(self) -> None:
        super().__post_init__()
        register(self.rules, self.works)

    def runner(self, rest: Callable[[float], bool] = lambda _: False) -> Runner:
        """A process that runs jobs."""

        @contextmanager
        def acting(user: Guid, behalf: Guid | None, facts: RequestFacts) -> Generator[Session]:
            with self.acting(behalf or user, behind=user if behalf else None, tag=facts.tag) as session:
                yield session

        return Runner(self.database, self.rules, self.clock, self.works, acting, rest)

    def run(self) -> int:
        """Run all that is due."""
        return self.runner().run_due()

    def job(self, job: Guid) -> Row:
        """The row of a job."""
        with self.database.read() as transaction:
            row = transaction.row(transaction.schema.tables[JOB], job)
        assert row is not None
        return row

    def state(self, job: Guid) -> tuple[Value, Value]:
        """State and status of a job."""
        values = self.job(job).values
        return values["statecode"], values["statuscode"]


def killing_after(pieces: int) -> Callable[[float], bool]:
    """A `rest` that ends the process once so many pieces are done."""
    left = [pieces]

    def rest(seconds: float) -> bool:
        if seconds > 0:
            left[0] -= 1
        if left[0] <= 0:
            raise Killed
        return False

    return rest
