"""The server engine: PostgreSQL 17 or later, one schema per environment.

Values travel as the rest of the house wants them: GUIDs and dates as text, date-times in the form
`2024-05-01T10:15:00Z`, numbers as `Decimal`. Every integer parameter is sent as a bigint, so that one statement stays
one prepared statement whatever the size of the numbers.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from itertools import chain
from math import ceil, inf
from time import monotonic
from typing import Any, LiteralString, cast

import psycopg
from psycopg import errors as pg
from psycopg.adapt import Loader
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.numeric import Int8Dumper
from psycopg.types.string import TextLoader

from strongroom.errors import IntegrityViolation, InvalidRequest, Unavailable, ValueOutOfRange
from strongroom.schema.model import Column, ColumnType, Schema
from strongroom.store.by_hand import read
from strongroom.store.closing import SET_STAMP, closing_statement
from strongroom.store.counters import ADD
from strongroom.store.deadline import Deadline
from strongroom.store.dialect import POSTGRESQL, quote, text_literal
from strongroom.store.engine import Codec, Connection, CounterChange, Duplicate, Raw, Sight, Statement, insert_statement
from strongroom.store.layout import scale
from strongroom.store.row_security import fit_policies, is_guarded
from strongroom.store.sending import sending
from strongroom.store.waiting import WAITING, Waiting

_COPY_FROM = 20
"""Rows from which the copy protocol beats single inserts."""

_FEW_COUNTERS = 4
"""Counter changes that travel in the text of the commit; more of them take one prepared statement of their own."""

_ADD_MANY = (
    "insert into counters (tablename, owner, unit, amount)"
    " select * from unnest(?::text[], ?::bigint[], ?::bigint[], ?::bigint[])"
    " on conflict (tablename, owner, unit) do update set amount = counters.amount + excluded.amount"
)

_CANCEL_S = 5.0
"""How long the server may take to hear that a statement is to end."""

_PATIENCE = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
"""How long a server is waited for that does not answer at all; an address may say otherwise."""

_LATE = 0.1
"""The part of a transaction's time after which its statements get less than all of it, and no longer the same."""

_SETTINGS = (
    "set timezone = 'UTC'; set datestyle = 'ISO, YMD'; set jit = off; set random_page_cost = 1.1;"
    " set max_parallel_workers_per_gather = 0; set lock_timeout = '30s'; set synchronous_commit = on;"
    " set client_min_messages = warning; set standard_conforming_strings = on"
)

_TYPES = {
    ColumnType.INTEGER: "integer",
    ColumnType.BIGINT: "bigint",
    ColumnType.PICKLIST: "integer",
    ColumnType.STATE: "integer",
    ColumnType.STATUS: "integer",
    ColumnType.BOOLEAN: "boolean",
    ColumnType.DOUBLE: "double precision",
    ColumnType.LOOKUP: "uuid",
    ColumnType.CUSTOMER: "uuid",
    ColumnType.OWNER: "uuid",
    ColumnType.UNIQUEIDENTIFIER: "uuid",
}


_TRANSLATED = (psycopg.Error, UnicodeEncodeError)


class _MomentLoader(Loader):
    """`2024-05-01 10:15:00+00` → `2024-05-01T10:15:00Z`."""

    def load(self, data: Any) -> str:
        text = str(data, "ascii") if isinstance(data, bytes) else bytes(data).decode("ascii")
        return f"{text[:10]}T{text[11:19]}Z"


class PostgresqlConnection:
    """One session, bound to the environment's schema."""

    def __init__(self, url: str, schema: str) -> None:
        self.is_broken = False
        self.schema = schema
        self._sql: dict[str, str] = {}
        self._metadata_version: int | None = None
        self._forgotten = 0
        self._is_writing = False
        self._one_plan: bool | None = False
        """How the session plans statements with parameters; None when a rollback may have undone the setting."""
        self._deadline = Deadline()
        self._limit_s: float | None = None
        self._next_look = inf
        self._waiting: Waiting | None = None
        self._late: tuple[str, tuple[str, ...], Sequence[object]] | None = None
        """A row that goes with the next statement: table, columns, values."""

        given = conninfo_to_dict(url)
        patience: dict[str, Any] = {name: given.get(name, usual) for name, usual in _PATIENCE.items()}
        self._raw = psycopg.Connection[Raw].connect(
            url, autocommit=True, cursor_factory=psycopg.RawCursor, prepare_threshold=1, **patience
        )
        self._raw.prepared_max = 1_000
        adapters = self._raw.adapters
        adapters.register_dumper(int, Int8Dumper)
        for name in ("uuid", "date"):
            adapters.register_loader(name, TextLoader)
        adapters.register_loader("timestamptz", _MomentLoader)
        self._cursor = self._raw.cursor()
        self._cursor.execute(literal(f"{_SETTINGS}; set search_path = {quote(schema)}"))

    @property
    def driver(self) -> Any:
        """The driver's own connection, for tests."""
        return self._raw

    def begin(self, *, write: bool, limit_s: float | None = None) -> Raw:
        self._is_writing = write
        mode = "read committed" if write else "repeatable read, read only"
        lock = " for update" if write else ""
        self._attach(WAITING.get())
        try:
            self._deadline.require()
            self._limit_statements(limit_s)
            self._cursor.execute(
                literal(
                    f"begin isolation level {mode}; select security_epoch, metadata_version, version from stamp{lock}"
                )
            )
            self._cursor.nextset()
            stamp = self._cursor.fetchall()[0]
            if stamp[1] != self._metadata_version:
                self._forget_prepared(stamp[1])
            self._start_time(limit_s)
            return stamp
        except psycopg.Error as error:
            self.rollback()
            raise self._ours(error) from error
        except BaseException:
            self.rollback()
            raise

    def begin_bare(self) -> None:
        self._limit_statements(None)
        self.execute("begin")
        self.query("select pg_advisory_xact_lock(hashtext('strongroom'), hashtext(current_schema()))")

    def commit(
        self, stamp: Raw | None = None, counted: Sequence[CounterChange] = (), entry: Statement | None = None
    ) -> None:
        self._deadline.require()
        if self.is_broken:
            raise Unavailable("The environment was closed; nothing was changed. Try again.")
        if self._raw.info.transaction_status is psycopg.pq.TransactionStatus.INERROR:
            # The server would answer COMMIT with a silent rollback.
            raise IntegrityViolation("A statement failed, so the transaction cannot be committed.")
        if len(counted) > _FEW_COUNTERS:
            self.execute(_ADD_MANY, [list(values) for values in zip(*counted, strict=True)])
            counted = ()
        statements: list[str] = []
        if self._late is not None:
            (table, columns, row), self._late = self._late, None
            append, told = entry or (None, ())
            sql = closing_statement(table, columns, len(counted), with_stamp=stamp is not None, append=append)
            self._run(sql, [*row, *chain.from_iterable(counted), *(stamp or ()), *told])
        else:
            if entry is not None:
                self._run(*entry)
            statements += [_with_literals(ADD, change) for change in counted]
            if stamp is not None:
                statements.append(_with_literals(SET_STAMP, stamp))
        self._deadline.require()
        self._stop_time()
        try:
            self._cursor.execute(literal("; ".join((*statements, "commit"))))
        except psycopg.Error as error:
            raise self._ours(error) from error

    def rollback(self) -> None:
        self._stop_time()
        self._one_plan = None
        self._late = None
        try:
            if self._raw.info.transaction_status is not psycopg.pq.TransactionStatus.IDLE:
                self._cursor.execute("rollback")
                if self._is_writing and self._metadata_version is not None:
                    self._metadata_version = -1  # what was prepared may know columns that are no more
        except psycopg.Error:
            self.is_broken = True
        if self._raw.closed:
            self.is_broken = True

    def query(self, sql: str, parameters: Sequence[object] = (), *, one_plan: bool | None = None) -> list[Raw]:
        if one_plan is not None and one_plan is not self._one_plan:
            self.execute(f"set plan_cache_mode = {'force_generic_plan' if one_plan else 'auto'}")
            self._one_plan = one_plan
        return self._run(sql, parameters).fetchall()

    def execute(self, sql: str, parameters: Sequence[object] = ()) -> int:
        return self._run(sql, parameters).rowcount

    def execute_many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        self._send_late()
        try:
            self._heed_time()
            self._cursor.executemany(literal(self._numbered(sql)), rows)
        except _TRANSLATED as error:
            raise self._ours(error) from error

    def insert(
        self,
        table: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[object]],
        meanwhile: Callable[[], None] | None = None,
    ) -> None:
        if len(rows) < _COPY_FROM:
            sql = insert_statement(table, tuple(columns))
            if len(rows) == 1:
                self._run(sql, rows[0])
            else:
                self.execute_many(sql, rows)
            if meanwhile is not None:
                meanwhile()
            return
        names = ", ".join(map(quote, columns))
        self._send_late()
        try:
            self._heed_time()
            with self._cursor.copy(literal(f"copy {quote(table)} ({names}) from stdin")) as copy:
                for row in rows:
                    copy.write_row(row)
                if meanwhile is not None:
                    with sending(self._raw.pgconn):
                        meanwhile()
        except _TRANSLATED as error:
            raise self._ours(error) from error

    def insert_late(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        if len(rows) != 1:
            self.insert(table, columns, rows)
            return
        self._send_late()
        self._late = (table, tuple(columns), rows[0])

    def verifier_of(self, password: str, role: str) -> str:
        """What the server is told of a role's password."""
        return self._raw.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()

    def interrupt(self) -> None:
        self.is_broken = True
        with suppress(psycopg.Error):  # a server that does not hear it ends the statement when its time is over
            self._raw.cancel_safe(timeout=_CANCEL_S)

    def close(self) -> None:
        self._raw.close()

    def _send_late(self) -> None:
        """Before any other statement: what was put off comes first."""
        if self._late is not None:
            (table, columns, row), self._late = self._late, None
            self._run(insert_statement(table, columns), row)

    def _run(self, sql: str, parameters: Sequence[object]) -> psycopg.RawCursor[Raw]:
        self._send_late()
        try:
            self._heed_time()
            return cast("psycopg.RawCursor[Raw]", self._cursor.execute(literal(self._numbered(sql)), parameters))
        except _TRANSLATED as error:
            raise self._ours(error) from error

    def _limit_statements(self, limit_s: float | None) -> None:
        """Let the server cancel statements that take longer. It is the same for all requests, so that a connection
        pays for it once."""
        if limit_s != self._limit_s:
            milliseconds = 0 if limit_s is None else ceil(limit_s * 1000)
            self.execute(f"set statement_timeout = {milliseconds}")
            self._limit_s = limit_s

    def _attach(self, waiting: Waiting | None) -> None:
        """Let the one who waits for this transaction end it, however soon."""
        self._waiting = waiting
        self._deadline.start(None, waiting)
        if waiting is not None:
            waiting.attach(self.interrupt)

    def _start_time(self, limit_s: float | None) -> None:
        self._deadline.start(limit_s, self._waiting)
        self._next_look = inf if limit_s is None else monotonic() + limit_s * _LATE

    def _stop_time(self) -> None:
        self._deadline.stop()
        self._next_look = inf
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.detach(self.interrupt)

    def _heed_time(self) -> None:
        """Before a statement of a transaction that is under way for long: give it only the time that is left."""
        if self._waiting is not None:
            self._waiting.require()
        if self._limit_s is None or monotonic() < self._next_look:
            return
        self._deadline.require()
        self._cursor.execute(literal(f"set local statement_timeout = {ceil(self._deadline.left_s() * 1000)}"))
        self._next_look = monotonic() + self._limit_s * _LATE

    def _forget_prepared(self, metadata_version: int) -> None:
        """Prepared statements do not survive that the columns they return change their types.

        The driver forgets them when it meets a DEALLOCATE ALL that it has not met before: hence the number.
        """
        if self._metadata_version is not None:
            self._forgotten += 1
            self._cursor.execute(literal(f"deallocate all -- {self._forgotten}"))
        self._metadata_version = metadata_version

    def _numbered(self, sql: str) -> str:
        """`?` as `$1`, `$2` …: the form in which the server takes parameters without the driver reading the SQL."""
        known = self._sql.get(sql)
        if known is None:
            first, *rest = sql.split("?")
            known = first + "".join(f"${number}{part}" for number, part in enumerate(rest, 1))
            if len(self._sql) > 5_000:
                self._sql.clear()
            self._sql[sql] = known
        return known

    def _ours(self, error: Exception) -> Exception:
        """The driver's error as one of the house."""
        match error:
            case UnicodeEncodeError():
                return InvalidRequest("Text holds half of a surrogate pair, which is not a character.")
            case pg.QueryCanceled() if self._deadline.is_over():
                return self._deadline.error()
            case pg.UniqueViolation():
                return Duplicate(error.diag.constraint_name or "")
            case pg.LockNotAvailable() | pg.QueryCanceled() | pg.DeadlockDetected() | pg.SerializationFailure():
                return Unavailable("The database is busy; try again.")
            case pg.NumericValueOutOfRange():
                return ValueOutOfRange("A number is too large for its column.")
            case pg.ProgramLimitExceeded():
                return ValueOutOfRange("A text is too long for its index.")
            case psycopg.DataError():
                return InvalidRequest(f"The database refuses a value: {error.diag.message_primary or error}.")
            case psycopg.OperationalError() | psycopg.InterfaceError():
                self.is_broken = self.is_broken or self._raw.broken or self._raw.closed
                return Unavailable("The connection to the database server was lost, or the server cannot answer now.")
            case _:
                return IntegrityViolation(f"The store met a statement that it cannot run: {error}.")


class PostgresqlEngine:
    """One schema on one server."""

    name = "postgresql"
    dialect = POSTGRESQL
    key_type = "bigint"
    text_type = 'text collate "C"'
    guid_type = "uuid"
    table_suffix = ""

    def __init__(self, url: str, schema: str) -> None:
        self._url = url
        self.schema = schema

    def connect(self) -> Connection:
        try:
            return PostgresqlConnection(self._url, self.schema)
        except psycopg.Error as error:
            raise Unavailable("The database server does not answer.") from error

    def column_type(self, column: Column) -> str:
        match column.type:
            case ColumnType.DECIMAL | ColumnType.MONEY:
                return f"numeric(38, {scale(column)})"
            case ColumnType.DATETIME:
                return "date" if column.is_date_only else "timestamptz"
            case other:
                return _TYPES.get(other, self.text_type)

    def encoder(self, column: Column) -> Codec | None:
        return float if column.type is ColumnType.DOUBLE else None

    def decoder(self, column: Column) -> Codec | None:
        return None

    def guids_in(self, expression: str) -> str:
        return f"{expression} = any (?::uuid[])"

    def keys_in(self, expression: str) -> str:
        return f"{expression} = any (?::bigint[])"

    def texts_in(self, expression: str) -> str:
        return f"{expression} = any (?::text[])"

    def as_list(self, values: Sequence[object]) -> object:
        return list(values)

    def tables(self, connection: Connection) -> dict[str, set[str]]:
        found = connection.query(
            "select table_name::text, column_name::text from information_schema.columns where table_schema = ?",
            (self.schema,),
        )
        tables: dict[str, set[str]] = {}
        for table, column in found:
            tables.setdefault(table, set()).add(column)
        return tables

    def indexes(self, connection: Connection) -> set[str]:
        found = connection.query("select indexname::text from pg_indexes where schemaname = ?", (self.schema,))
        return {name for (name,) in found}

    def same_or_null(self) -> str:
        return " nulls not distinct"

    def unique_null(self, expression: str) -> str:
        return expression

    def convert(self, table: str, before: Column, after: Column) -> str:
        name = quote(after.logical_name)
        using = ""
        if after.type is ColumnType.DATETIME:
            moment = f"{name} at time zone 'UTC'" if after.is_date_only else f"{name}::timestamp at time zone 'UTC'"
            using = f" using ({moment}){'::date' if after.is_date_only else ''}"
        return f"alter table {quote(table)} alter column {name} type {self.column_type(after)}{using}"

    def fit_policies(self, connection: Connection, old: Schema | None, new: Schema) -> None:
        fit_policies(self, connection, old, new)

    def is_busy(self) -> bool:
        return False  # nobody asks: whoever calls a server waits in a thread

    def is_guarded(self, connection: Connection) -> bool:
        return is_guarded(connection)

    def read_by_hand(self, sight: Sight, sql: str, limit: int) -> list[dict[str, object]]:
        try:
            owner = PostgresqlConnection(self._url, self.schema)
        except psycopg.Error as error:
            raise Unavailable("The database server does not answer.") from error
        try:
            return read(owner, self._url, sight, sql, limit)
        finally:
            owner.close()

    def check(self, connection: Connection) -> list[str]:
        bad = connection.query(
            "select c.relname::text from pg_index i join pg_class c on c.oid = i.indexrelid"
            " join pg_namespace n on n.oid = c.relnamespace where n.nspname = ? and not i.indisvalid",
            (self.schema,),
        )
        return [f"index {name} is not valid; rebuild it with REINDEX" for (name,) in bad]

    def close(self) -> None:
        """Connections are all that there is."""


def _with_literals(sql: str, values: Sequence[str | int]) -> str:
    """`sql` with names of tables and whole numbers written into it; never used for values of a caller."""
    first, *rest = sql.split("?")
    written = [text_literal(value) if isinstance(value, str) else str(int(value)) for value in values]
    return first + "".join(value + part for value, part in zip(written, rest, strict=True))


def literal(sql: str) -> LiteralString:
    """The driver's types want SQL to be written in the source; ours is made from schema names, never from input."""
    return cast("LiteralString", sql)
