"""What does a kind of job, piece by piece, and what it is given to do so.

A piece is one transaction, as the user who began the job and with the rights that they have when the piece is done
(SM-4): it does some of the work and notes how far the job is. So a process that is killed leaves no half of a piece,
and the next one goes on where it ended.
"""

from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from strongroom.background.jobs import JOB, LONGEST_MESSAGE, State, asked_of, note_reached, reached_by
from strongroom.errors import StrongroomError
from strongroom.ids import Guid
from strongroom.records import Session
from strongroom.store.protocol import Row, Value


class Stopped(Exception):
    """The job is not to go on, at least not now."""


@dataclass(slots=True)
class Piece:
    """One transaction of a job."""

    session: Session
    job: Row

    @property
    def asked(self) -> dict[str, object]:
        """What the job is to do."""
        return asked_of(self.job)

    @property
    def reached(self) -> dict[str, object]:
        """How far it is."""
        return reached_by(self.job)

    def note(self, reached: Mapping[str, object], said: str) -> None:
        """Keep how far the job is, and say so, together with what this piece does."""
        changes: dict[str, Value] = {
            "data": note_reached(self.job, reached),
            "message": said[:LONGEST_MESSAGE],
            "retrycount": 0,
        }
        self.session.transaction.update(self.job, changes)


@dataclass(frozen=True, slots=True)
class Running:
    """A job that is being run. `acting` opens a unit of work as whoever began it; `turn` is called before each piece,
    may hold it back for the sake of others, and raises `Stopped` when others are to have their turn."""

    job: Guid
    acting: Callable[[], AbstractContextManager[Session]]
    turn: Callable[[], None]

    @contextmanager
    def piece(self) -> Generator[Piece]:
        """A transaction of the job. Raises `Stopped` when it was paused, cancelled or removed."""
        self.turn()
        with self.acting() as session:
            row = session.transaction.row(session.table(JOB), self.job)
            if row is None or row.values.get("statecode") != State.LOCKED:
                raise Stopped
            yield Piece(session, row)


def _nothing(session: Session, job: Row, error: StrongroomError | None) -> None:
    """Nothing else tells of the job."""


@dataclass(frozen=True, slots=True)
class Work:
    """What does the jobs of a kind: `run` returns what is to be said in the end, and raises what fails the job.
    `follow` is told of each change of state, in its transaction, for what else tells of the job."""

    run: Callable[[Running], str]
    follow: Callable[[Session, Row, StrongroomError | None], None] = _nothing
