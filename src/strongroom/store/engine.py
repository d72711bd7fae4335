"""What an engine gives to the shared code of this room: connections, type names, and the few spots where SQL differs.

Everything about rows, shares, counters and security facts is written once, in SQL that both engines understand, with
`?` for every bound value; what cannot be said in one way is a method here. Errors of the drivers end here too: a
uniqueness error becomes `Duplicate`, a lost or busy database `Unavailable`, damage `IntegrityViolation`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from strongroom.access.plan import Plan
from strongroom.schema.model import Column, Schema
from strongroom.store.dialect import Dialect, quote

Raw = tuple[Any, ...]
"""One row as the driver gives it. Only `shape` makes typed values of it."""

Codec = Callable[[Any], Any]
"""Turns one value, never null, from or to the driver's form."""


Statement = tuple[str, Sequence[object]]
"""One statement and its parameters."""

CounterChange = tuple[str, int, int, int]
"""Table, owner, unit, and what is added to the number of such rows."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What a caller sees: a plan to read each table, of one security epoch."""

    plans: Iterable[Plan]
    epoch: int


class Duplicate(Exception):
    """A unique index refused a row. `subject` is its name, or `table.column, table.column` where the engine says so."""

    def __init__(self, subject: str) -> None:
        super().__init__(subject)
        self.subject = subject


class Connection(Protocol):
    """One session with the database, used by one transaction at a time."""

    @property
    def is_broken(self) -> bool:
        """Whether the session is lost, so that the pool must not keep it."""
        ...

    def begin(self, *, write: bool, limit_s: float | None = None) -> Raw:
        """Start a transaction and return the stamp row: security epoch, metadata version, last version number.

        A write waits for its turn, up to 30 seconds, and holds it to the end: writes of one environment run one at a
        time. A read sees the snapshot that the stamp came from, however long it lasts. What takes longer than
        `limit_s` from then on is cancelled and raises `TimeLimitExceeded` (WA-433), up to the commit.
        """
        ...

    def begin_bare(self) -> None:
        """Start the transaction that makes or upgrades the platform's own tables, alone like every write."""
        ...

    def commit(
        self, stamp: Raw | None = None, counted: Sequence[CounterChange] = (), entry: Statement | None = None
    ) -> None:
        """End the transaction. A write passes the new stamp row when it has changed, its last counter changes, and its
        entry in the journal: they travel with the commit, where each statement is a way to a server and back."""
        ...

    def rollback(self) -> None:
        """Undo the transaction; never raises, since it runs while something else is going wrong."""
        ...

    def query(self, sql: str, parameters: Sequence[object] = (), *, one_plan: bool | None = None) -> list[Raw]:
        """Run a statement for its rows. `one_plan` says that one plan serves all values of its parameters, so that the
        statement is planned once; False that a plan should be made for the values, None that it makes no odds."""
        ...

    def execute(self, sql: str, parameters: Sequence[object] = ()) -> int:
        """Run a statement without result; the number of rows that it touched."""
        ...

    def execute_many(self, sql: str, rows: Iterable[Sequence[object]]) -> None: ...

    def insert(
        self,
        table: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[object]],
        meanwhile: Callable[[], None] | None = None,
    ) -> None:
        """Add rows by the engine's fastest way. Raises `Duplicate`.

        `meanwhile` is run in any case, while a server takes the rows where there is one; it must not ask anything of
        this connection.
        """
        ...

    def insert_late(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Add rows that no uniqueness can refuse, now or with whatever comes next, at the latest with the commit."""
        ...

    def interrupt(self) -> None:
        """End the statement that runs, called from another thread; the transaction can only be undone after it."""
        ...

    def close(self) -> None: ...


class Engine(Protocol):
    """A place where one environment is stored, and how it speaks."""

    @property
    def name(self) -> str:
        """`sqlcipher` or `postgresql`."""
        ...

    @property
    def dialect(self) -> Dialect:
        """The words that the compiler uses."""
        ...

    @property
    def key_type(self) -> str:
        """The SQL type of the integers that rows are known by inside the store."""
        ...

    @property
    def text_type(self) -> str:
        """The SQL type of text that is ordered by code point."""
        ...

    @property
    def guid_type(self) -> str: ...

    @property
    def table_suffix(self) -> str:
        """What follows the column list of `create table`."""
        ...

    def connect(self) -> Connection: ...

    def column_type(self, column: Column) -> str:
        """The SQL type that holds values of `column`."""
        ...

    def encoder(self, column: Column) -> Codec | None:
        """How values of `column` are written; None when the driver takes them as they are."""
        ...

    def decoder(self, column: Column) -> Codec | None:
        """How values of `column` are read; None when the driver gives them as they are."""
        ...

    def guids_in(self, expression: str) -> str:
        """A condition that holds when the GUID `expression` is in the list bound as one parameter (`as_list`)."""
        ...

    def keys_in(self, expression: str) -> str:
        """The same for integer keys."""
        ...

    def texts_in(self, expression: str) -> str:
        """The same for text."""
        ...

    def as_list(self, values: Sequence[object]) -> object:
        """`values` as the parameter of the three conditions above."""
        ...

    def tables(self, connection: Connection) -> dict[str, set[str]]:
        """The tables that really exist, with the names of their columns."""
        ...

    def indexes(self, connection: Connection) -> set[str]: ...

    def same_or_null(self) -> str:
        """What makes a unique index take two nulls as equal, or nothing where `unique_null` does it."""
        ...

    def unique_null(self, expression: str) -> str:
        """`expression` in a unique index in which two nulls count as equal."""
        ...

    def convert(self, table: str, before: Column, after: Column) -> str:
        """A statement that keeps the stored values when a column's digits after the point change, or when a date-time
        becomes a date or the reverse."""
        ...

    def fit_policies(self, connection: Connection, old: Schema | None, new: Schema) -> None:
        """Make the engine's own row security fit a schema, where it has one (`row_security`)."""
        ...

    def is_busy(self) -> bool:
        """Whether another process, or another database of this one, keeps writers waiting now."""
        ...

    def is_guarded(self, connection: Connection) -> bool:
        """Whether the engine's own row security is in place, where it can be."""
        ...

    def read_by_hand(self, sight: Sight, sql: str, limit: int) -> list[dict[str, object]]:
        """What a statement that somebody wrote gives to those who see what `sight` says (`by_hand`)."""
        ...

    def check(self, connection: Connection) -> list[str]:
        """Doubts about the files or pages themselves."""
        ...

    def close(self) -> None:
        """Release what the engine holds beside its connections."""
        ...


@lru_cache(maxsize=4_096)
def insert_statement(table: str, columns: tuple[str, ...]) -> str:
    """The statement that adds one row with these columns."""
    names = ", ".join(map(quote, columns))
    return f"insert into {quote(table)} ({names}) values ({', '.join('?' * len(columns))})"
