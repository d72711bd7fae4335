"""The embedded engine: one SQLCipher file per environment, readable with its 32-byte key and no other way.

The write-ahead log makes readers and the one writer independent across processes; `synchronous=FULL` makes every
acknowledged commit durable. Sorting and temporary tables stay in memory, so that nothing plain reaches the disk.

The file itself, its key and its lock are the matter of `store.sqlcipher_file`.
"""

import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

from strongroom.errors import IntegrityViolation, InvalidRequest, Unavailable, ValueOutOfRange
from strongroom.schema.model import Column, ColumnType, Schema
from strongroom.store import sqlcipher_driver as dbapi2
from strongroom.store.closing import SET_STAMP
from strongroom.store.counters import ADD
from strongroom.store.deadline import Deadline
from strongroom.store.dialect import SQLITE, quote
from strongroom.store.engine import Codec, Connection, CounterChange, Duplicate, Raw, Sight, Statement, insert_statement
from strongroom.store.layout import fold, scale
from strongroom.store.sqlcipher_file import BUSY_TIMEOUT_MS, open_file, take_lock
from strongroom.store.turns import Turn
from strongroom.store.waiting import WAITING

DEFAULT_CACHE_MIB = 64
_LARGEST_LOG_BYTES = 64 * 1024 * 1024
"""What the write-ahead log is cut back to after a bulk load."""
_LARGEST = 2**63 - 1
_STEPS = 20_000
"""Steps of SQLite's machine between two looks at the clock and at who waits, about a millisecond."""

_TYPES = {
    ColumnType.INTEGER: "integer",
    ColumnType.BIGINT: "integer",
    ColumnType.PICKLIST: "integer",
    ColumnType.STATE: "integer",
    ColumnType.STATUS: "integer",
    ColumnType.BOOLEAN: "integer",
    ColumnType.DECIMAL: "integer",
    ColumnType.MONEY: "integer",
    ColumnType.DOUBLE: "real",
}


class SqlcipherConnection:
    """One open handle on the file. Without a `turn` its writes queue as SQLite lets them, for lone tools."""

    def __init__(self, path: Path, key: bytes, cache_mib: int, turn: Turn | None = None) -> None:
        self.is_broken = False
        self._turn = turn
        self._has_turn = False
        self._deadline = Deadline()
        self._raw = open_file(path, key)
        try:
            for pragma in (
                f"busy_timeout = {BUSY_TIMEOUT_MS}",
                "temp_store = memory",
                f"cache_size = {-1024 * cache_mib}",
                "synchronous = full",
                f"journal_size_limit = {_LARGEST_LOG_BYTES}",
                "foreign_keys = off",
                "trusted_schema = off",
            ):
                self._raw.execute(f"pragma {pragma}")
            self._raw.create_function("sr_fold", 1, _fold_or_null, deterministic=True)
            self._raw.set_progress_handler(self._deadline.is_over, _STEPS)
        except dbapi2.Error:
            self._raw.close()
            raise

    @property
    def driver(self) -> Any:
        """The driver's own connection, for functions that the compiler needs and for tests."""
        return self._raw

    def begin(self, *, write: bool, limit_s: float | None = None) -> Raw:
        if write:
            self.begin_bare()
        else:
            self._run("begin")
        try:
            stamp: Raw = self._run("select security_epoch, metadata_version, version from stamp").fetchone()
        except BaseException:
            self.rollback()
            raise
        self._deadline.start(limit_s, WAITING.get())
        return stamp

    def begin_bare(self) -> None:
        if self._turn is not None:
            self._turn.take()
            self._has_turn = True
        try:
            self._run("begin immediate")
        except BaseException:
            self._end_turn()
            raise

    def commit(
        self, stamp: Raw | None = None, counted: Sequence[CounterChange] = (), entry: Statement | None = None
    ) -> None:
        if self.is_broken:
            raise Unavailable("The environment was closed; nothing was changed. Try again.")
        if len(counted) == 1:
            self._run(ADD, counted[0])
        elif counted:
            self.execute_many(ADD, counted)
        if stamp is not None:
            self._run(SET_STAMP, stamp)
        if entry is not None:
            self._run(*entry)
        self._deadline.require()
        self._deadline.stop()  # a commit is never cut short: it would be in doubt
        self._run("commit")
        self._end_turn()

    def rollback(self) -> None:
        self._deadline.stop()
        try:
            if self._raw.in_transaction:
                self._raw.execute("rollback")
        except dbapi2.Error:
            self.is_broken = True
            self._raw.close()  # before the next one's turn: an open transaction would bar it
        finally:
            self._end_turn()

    def _end_turn(self) -> None:
        if self._turn is not None and self._has_turn:
            self._has_turn = False
            self._turn.end()

    def query(self, sql: str, parameters: Sequence[object] = (), *, one_plan: bool | None = None) -> list[Raw]:
        self._deadline.require()
        try:
            return self._raw.execute(sql, parameters).fetchall()
        except _TRANSLATED as error:
            raise self._ours(error) from error

    def execute(self, sql: str, parameters: Sequence[object] = ()) -> int:
        return self._run(sql, parameters).rowcount

    def execute_many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        self._deadline.require()
        try:
            self._raw.executemany(sql, rows)
        except _TRANSLATED as error:
            raise self._ours(error) from error

    def insert(
        self,
        table: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[object]],
        meanwhile: Callable[[], None] | None = None,
    ) -> None:
        sql = insert_statement(table, tuple(columns))
        if len(rows) == 1:
            self._run(sql, rows[0])
        else:
            self.execute_many(sql, rows)
        if meanwhile is not None:
            meanwhile()

    def insert_late(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        self.insert(table, columns, rows)

    def _run(self, sql: str, parameters: Sequence[object] = ()) -> Any:
        self._deadline.require()
        try:
            return self._raw.execute(sql, parameters)
        except _TRANSLATED as error:
            raise self._ours(error) from error

    def _ours(self, error: Exception) -> Exception:
        """The driver's error as one of the house."""
        if _code(error) == sqlite3.SQLITE_INTERRUPT and self._deadline.is_over():
            return self._deadline.error()
        return _ours(error)

    def interrupt(self) -> None:
        self.is_broken = True
        self._raw.interrupt()

    def close(self) -> None:
        self._raw.close()


class SqlcipherEngine:
    """One file and its key."""

    name = "sqlcipher"
    dialect = SQLITE
    key_type = "integer"
    text_type = "text"
    guid_type = "text"
    table_suffix = " strict"

    def __init__(self, path: Path, key: bytes, cache_mib: int = DEFAULT_CACHE_MIB) -> None:
        self._path = path
        self._key = key
        self._cache_mib = cache_mib
        self._lock = take_lock(path, alone=False)
        self._turn = Turn(self.turn_path)

    @property
    def path(self) -> Path:
        """Where the file is."""
        return self._path

    @property
    def turn_path(self) -> Path:
        """The lock that writers queue at."""
        return self._path.with_name(f"{self._path.name}-turn")

    def connect(self) -> Connection:
        return SqlcipherConnection(self._path, self._key, self._cache_mib, self._turn)

    def column_type(self, column: Column) -> str:
        return _TYPES.get(column.type, "text")

    def encoder(self, column: Column) -> Codec | None:
        match column.type:
            case ColumnType.MONEY | ColumnType.DECIMAL:
                return _to_scaled(column)
            case ColumnType.BOOLEAN:
                return int
            case ColumnType.DOUBLE:
                return float
            case ColumnType.STRING | ColumnType.MEMO | ColumnType.MULTISELECT:
                return _without_nul
            case _:
                return None

    def decoder(self, column: Column) -> Codec | None:
        match column.type:
            case ColumnType.MONEY | ColumnType.DECIMAL:
                exponent = -scale(column)
                return lambda value: Decimal(value).scaleb(exponent)
            case ColumnType.BOOLEAN:
                return bool
            case _:
                return None

    def guids_in(self, expression: str) -> str:
        return f"{expression} in (select value from json_each(?))"

    keys_in = guids_in
    texts_in = guids_in

    def as_list(self, values: Sequence[object]) -> object:
        return json.dumps(list(values))

    def tables(self, connection: Connection) -> dict[str, set[str]]:
        found = connection.query(
            "select t.name, c.name from pragma_table_list t join pragma_table_info(t.name) c"
            " where t.schema = 'main' and t.type = 'table' and t.name not like 'sqlite\\_%' escape '\\'"
        )
        tables: dict[str, set[str]] = {}
        for table, column in found:
            tables.setdefault(table, set()).add(column)
        return tables

    def indexes(self, connection: Connection) -> set[str]:
        return {name for (name,) in connection.query("select name from sqlite_schema where type = 'index'")}

    def same_or_null(self) -> str:
        return ""

    def unique_null(self, expression: str) -> str:
        return f"ifnull({expression}, '')"  # empty text is never stored, and other types never equal it

    def convert(self, table: str, before: Column, after: Column) -> str:
        name = quote(after.logical_name)
        if after.type is ColumnType.DATETIME:
            step = f"substr({name}, 1, 10)" if after.is_date_only else f"{name} || 'T00:00:00Z'"
        elif scale(after) > scale(before):
            step = f"{name} * {10 ** (scale(after) - scale(before))}"
        else:
            step = f"cast(round({name} / {10 ** (scale(before) - scale(after))}.0) as integer)"
        return f"update {quote(table)} set {name} = {step} where {name} is not null"

    def fit_policies(self, connection: Connection, old: Schema | None, new: Schema) -> None:
        """SQLite knows no roles: whoever has the key reads everything."""

    def is_busy(self) -> bool:
        return self._turn.is_taken()

    def is_guarded(self, connection: Connection) -> bool:
        return True  # there is no second lock to be missing

    def read_by_hand(self, sight: Sight, sql: str, limit: int) -> list[dict[str, object]]:
        raise InvalidRequest("Statements by hand are guarded by PostgreSQL; the embedded store has no such guard.")

    def check(self, connection: Connection) -> list[str]:
        doubts = [f"page: {text}" for text in self._doubtful_pages()]
        doubts += [f"file: {text}" for (text,) in connection.query("pragma integrity_check") if text != "ok"]
        return doubts

    def _doubtful_pages(self) -> list[str]:
        """Pages of the file that do not verify.

        The pragma reads the file past the log. A page that a power failure tore while the log was copied into the
        file is still whole in the log, so the copying is finished first, which takes a connection without a
        transaction.
        """
        beside = self.connect()
        try:
            beside.query("pragma wal_checkpoint(passive)")
            return [text for (text,) in beside.query("pragma cipher_integrity_check")]
        finally:
            beside.close()

    def close(self) -> None:
        self._turn.close()
        os.close(self._lock)


def _fold_or_null(text: object) -> str | None:
    return fold(text) if isinstance(text, str) else None


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise InvalidRequest("Text must not hold the character U+0000.")
    return text


def _to_scaled(column: Column) -> Codec:
    digits = scale(column)
    factor = Decimal(10**digits)

    def encode(value: Decimal) -> int:
        exact = value * factor
        scaled = int(exact)
        if scaled != exact:
            scaled = int(exact.to_integral_value(ROUND_HALF_UP))
        if not -_LARGEST <= scaled <= _LARGEST:
            bound = _LARGEST // 10**digits
            raise ValueOutOfRange(f"{column.logical_name} must lie between {-bound} and {bound}.")
        return scaled

    return encode


_TRANSLATED = (dbapi2.Error, UnicodeEncodeError, OverflowError)
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_PASSING = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_INTERRUPT,
    }
)


def _code(error: Exception) -> int:
    """SQLite's own number of an error; 0 for others."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF  # the extended codes add detail in the higher bits


def _ours(error: Exception) -> Exception:
    """The driver's error as one of the house, whatever the time."""
    if isinstance(error, UnicodeEncodeError):
        return InvalidRequest("Text holds half of a surrogate pair, which is not a character.")
    if isinstance(error, OverflowError):
        return ValueOutOfRange("A whole number is larger than 64 bits.")
    if isinstance(error, dbapi2.IntegrityError):
        _, found, subject = str(error).partition("UNIQUE constraint failed: ")
        if found:
            return Duplicate(subject.removeprefix("index ").strip("'"))
    code = _code(error)
    if code in _DAMAGE:
        return IntegrityViolation(f"The database file is damaged: {error}.")
    if code in _PASSING:
        return Unavailable(f"The database cannot answer now: {error}.")
    return IntegrityViolation(f"The store met a statement that it cannot run: {error}.")
