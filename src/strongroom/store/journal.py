"""The journal: every change of a store as the statements that made it, so that any moment since a back-up comes back.

`journal(number, line, committedon, body)` gets one entry with each unit of work, in its transaction: an entry is there
exactly when its change is. `number` counts without a gap. `line` is an id of the unbroken sequence that the entries
belong to; a line begins with a back-up and ends where a store is replaced or filled past the journal. While there is no
entry at all, nothing is written down: without a back-up before it, a journal gives nothing back.

Writes of one environment run one at a time, and their statements take all that they store from bound values: no
clock, no chance, no sequence of the engine. So the same statements in the same order on the same state give the same
state, on either engine. What is the server's own (roles and policies of PostgreSQL) is not written down; it is fitted
to the schema at the end of a replay.

Entries wait in the store until they are moved to a folder of back-ups (`strongroom.lifecycle.journals`); the newest one
stays, so that numbers go on.
"""

import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

import orjson

from strongroom.errors import BackupDamaged, IntegrityViolation, StrongroomError
from strongroom.ids import Guid
from strongroom.store.closing import SET_STAMP
from strongroom.store.counters import ADD
from strongroom.store.engine import Connection, CounterChange, Duplicate, Engine, Raw, Statement

TABLE = "journal"
_LARGEST_BODY = 256 * 1024 * 1024
"""Bytes of one entry; a unit of work that is larger ends the line, and the next back-up begins another one."""

_COMPRESSED_FROM = 16 * 1024
"""Smaller entries are stored as they are: pressing one takes longer than writing it."""

_EXECUTE, _MANY, _INSERT = 0, 1, 2
_BYTES = {"sqlcipher": "blob", "postgresql": "bytea"}
_WRITING = ("insert", "update", "delete")
_APPEND = (
    "insert into journal (number, line, committedon, body)"
    " select number + 1, line, cast(? as text), cast(? as {bytes}) from journal order by number desc limit 1"
)
_Change = tuple[int, Any, Any, Any]


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a journal: an entry of a line."""

    line: str
    number: int

    def __str__(self) -> str:
        return f"{self.line}/{self.number}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One unit of work. `replay` reads its `body`."""

    number: int
    committed_on: str
    body: bytes


def position(text: str) -> Position | None:
    """The position that `str` has made this of; None for an empty text."""
    line, _, number = text.partition("/")
    return Position(line, int(number)) if number.isdecimal() else None


def make_table(engine: Engine, connection: Connection) -> None:
    """The migration that makes the table."""
    key, text = engine.key_type, engine.text_type
    connection.execute(
        f"create table journal (number {key} primary key, line {text} not null, committedon {text} not null,"
        f" body {_BYTES[engine.name]} not null){engine.table_suffix}"
    )


# --- writing down ----------------------------------------------------------------------------------------------------


class Recording:
    """The connection of one unit of work, with everything that it changes written down at its commit."""

    def __init__(self, engine: Engine, inner: Connection, now: Callable[[], str]) -> None:
        self.inner = inner
        """The connection itself: for what is not to be written down."""

        self._append = _APPEND.format(bytes=_BYTES[engine.name])
        self._now = now
        self._changes: list[_Change] = []

    @property
    def is_broken(self) -> bool:
        return self.inner.is_broken

    def begin(self, *, write: bool, limit_s: float | None = None) -> Raw:
        return self.inner.begin(write=write, limit_s=limit_s)

    def begin_bare(self) -> None:
        self.inner.begin_bare()

    def commit(
        self, stamp: Raw | None = None, counted: Sequence[CounterChange] = (), entry: Statement | None = None
    ) -> None:
        if entry is not None:
            raise IntegrityViolation("A unit of work has one entry in the journal, made here.")
        if counted:
            self._changes.append((_MANY, ADD, list(counted), None))
        if stamp is not None:
            self._changes.append((_EXECUTE, SET_STAMP, stamp, None))
        if not self._changes:
            self.inner.commit(stamp, counted)
            return
        body = _encoded(self._changes)
        if len(body) > _LARGEST_BODY:
            self.inner.execute("delete from journal")
            self.inner.commit(stamp, counted)
        else:
            self.inner.commit(stamp, counted, (self._append, (self._now(), body)))

    def rollback(self) -> None:
        self._changes.clear()
        self.inner.rollback()

    def query(self, sql: str, parameters: Sequence[object] = (), *, one_plan: bool | None = None) -> list[Raw]:
        if sql.startswith(_WRITING):
            self._changes.append((_EXECUTE, sql, parameters, None))
        return self.inner.query(sql, parameters, one_plan=one_plan)

    def execute(self, sql: str, parameters: Sequence[object] = ()) -> int:
        self._changes.append((_EXECUTE, sql, parameters, None))
        return self.inner.execute(sql, parameters)

    def execute_many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        kept = list(rows)
        self._changes.append((_MANY, sql, kept, None))
        self.inner.execute_many(sql, kept)

    def insert(
        self,
        table: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[object]],
        meanwhile: Callable[[], None] | None = None,
    ) -> None:
        self._changes.append((_INSERT, table, columns, rows))
        self.inner.insert(table, columns, rows, meanwhile)

    def insert_late(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        self._changes.append((_INSERT, table, columns, rows))
        self.inner.insert_late(table, columns, rows)

    def interrupt(self) -> None:
        self.inner.interrupt()

    def close(self) -> None:
        self.inner.close()


def unrecorded(connection: Connection) -> Connection:
    """The same connection, for what the journal does not hold."""
    return connection.inner if isinstance(connection, Recording) else connection


# --- moving ----------------------------------------------------------------------------------------------------------


def newest(connection: Connection) -> Position | None:
    """The newest entry; None where nothing is written down."""
    found = connection.query("select line, number from journal order by number desc limit 1")
    return Position(str(found[0][0]), int(found[0][1])) if found else None


def begin_line(connection: Connection, line: Guid, now: str) -> None:
    """Write down what changes from now on, as a line that nothing was in before."""
    connection.execute("delete from journal")
    connection.execute(
        "insert into journal (number, line, committedon, body) values (?, ?, ?, ?)", (1, line, now, _encoded(()))
    )


def end_line(connection: Connection) -> None:
    """Write nothing down any more, until a back-up begins a line."""
    connection.execute("delete from journal")


def entries_after(connection: Connection, number: int, most_bytes: int) -> list[Entry]:
    """The entries after a number in their order, about so many bytes of them and at least one."""
    found: list[Entry] = []
    size = 0
    while size < most_bytes:
        rows = connection.query(
            "select number, committedon, body from journal where number > ? order by number limit 50", (number,)
        )
        for each, committed_on, body in rows:
            found.append(Entry(int(each), str(committed_on), bytes(body)))
            number, size = int(each), size + len(body)
            if size >= most_bytes:
                break
        if len(rows) < 50:
            break
    return found


def forget(connection: Connection, number: int) -> None:
    """Remove the entries up to a number, but never the newest one."""
    connection.execute(
        "delete from journal where number <= ? and number < (select max(number) from journal)", (number,)
    )


# --- doing again -----------------------------------------------------------------------------------------------------


def replay(connection: Connection, entries: Iterable[Entry]) -> int:
    """Do on a state what was done after it; how many units of work. Raises `BackupDamaged` where one does not fit."""
    done = 0
    for entry in entries:
        try:
            for kind, what, first, second in _decoded(entry.body):
                if kind == _EXECUTE:
                    connection.execute(what, first)
                elif kind == _MANY:
                    connection.execute_many(what, first)
                else:
                    connection.insert(what, first, second)
        except (StrongroomError, Duplicate, zlib.error, ValueError) as error:
            raise BackupDamaged(
                f"The entry {entry.number} of the journal does not fit the state before it ({type(error).__name__})."
            ) from error
        done += 1
    return done


def _encoded(changes: Sequence[_Change]) -> bytes:
    body = orjson.dumps(changes, default=_plain)
    return body if len(body) < _COMPRESSED_FROM else zlib.compress(body, 1)


def _plain(value: object) -> object:
    match value:
        case Decimal():
            return {"d": str(value)}
        case bytes():
            return {"b": b64encode(value).decode()}
        case _:
            raise TypeError(f"The journal holds no values of {type(value).__name__}.")


def _decoded(body: bytes) -> list[_Change]:
    text = body if body.startswith(b"[") else zlib.decompress(body)
    return cast("list[_Change]", [[_typed(part) for part in change] for change in orjson.loads(text)])


def _typed(value: Any) -> Any:
    if isinstance(value, list):
        return [_typed(each) for each in cast("list[Any]", value)]
    if isinstance(value, dict):
        told = cast("dict[str, str]", value)
        return Decimal(told["d"]) if "d" in told else b64decode(told["b"])
    return value
