"""What a policy says: one user, and what it can, cannot or sees."""

from dataclasses import dataclass
from enum import Enum

from strongroom.schema.model import Rights


class Subject(Enum):
    """Whom a statement is about: a user, a team, or somebody in the root unit who has one role and nothing else."""

    USER = "user"
    TEAM = "team"
    ROLE = "role"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a statement stands: for messages, which editors and CI turn into links."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class RowName:
    """A row by its table and its primary name or id."""

    table: str
    name: str


@dataclass(frozen=True, slots=True)
class May:
    """`can` or `cannot`: a right on a row, or on a table at all (`row` None: is the privilege held, SM-21).

    `because` are the codes of SM-160 when it can, the one of SM-161 when it cannot: exactly these. None asks for none.
    """

    place: Place
    name: str
    who: str
    subject: Subject
    right: Rights
    is_allowed: bool
    table: str
    row: RowName | None
    because: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Sees:
    """`sees`: how many rows of a table, exactly which, or which among others, by primary name."""

    place: Place
    name: str
    who: str
    subject: Subject
    table: str
    count: int | None = None
    rows: tuple[str, ...] | None = None
    including: tuple[str, ...] = ()
    excluding: tuple[str, ...] = ()


Statement = May | Sees


@dataclass(frozen=True, slots=True)
class Policy:
    """The statements of one file, in their order."""

    file: str
    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one statement fared. `failure` says what was expected and what is so; `error` why it could not be judged."""

    statement: Statement
    duration_s: float
    failure: str | None = None
    error: str | None = None

    @property
    def is_passed(self) -> bool:
        return self.failure is None and self.error is None
