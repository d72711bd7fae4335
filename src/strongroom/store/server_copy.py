"""Copying the schema of an environment in PostgreSQL, and putting a copy in its place.

A copy is one snapshot (repeatable read): the structure, and every table in the order of its key in PostgreSQL's binary
COPY format. Putting it back is one transaction that drops the schema, makes it anew and fills it: it happens whole or
not at all, whatever is killed meanwhile.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, cast

import orjson
import psycopg

from strongroom.clock import Clock
from strongroom.errors import BackupDamaged, HomeError, Unavailable
from strongroom.schema.codec import Document, Json, Kind, schema_from
from strongroom.schema.model import Schema
from strongroom.store.column_keys import ColumnKeys
from strongroom.store.compile import Statements
from strongroom.store.copying import Part, StoreCopy, journal_position, rows_and_tree
from strongroom.store.ddl import fit_tables
from strongroom.store.dialect import quote
from strongroom.store.facts import SecurityCache
from strongroom.store.journal import TABLE, Entry, end_line, replay
from strongroom.store.metadata import FINGERPRINT, load_schema
from strongroom.store.platform import begin_platform, migrate
from strongroom.store.postgresql import PostgresqlConnection, PostgresqlEngine, literal
from strongroom.store.postgresql_server import schema_name
from strongroom.store.protocol import Stamp, Transaction
from strongroom.store.reading import Reader
from strongroom.store.transaction import StoreTransaction
from strongroom.store.work import Shapes, Work

STRUCTURE = "structure.json"
_TABLE = "table/"


@dataclass(frozen=True, slots=True)
class _Structure:
    """What must be known before the first row: migrations that were applied, the schema's documents, and columns."""

    migrations: Sequence[int]
    documents: Sequence[Sequence[str | None]]
    columns: Mapping[str, Sequence[str]]


@contextmanager
def copy_of_schema(engine: PostgresqlEngine) -> Generator[StoreCopy]:
    """The schema as it is now."""
    connection = engine.connect()
    assert isinstance(connection, PostgresqlConnection)  # noqa: S101 - this engine makes no other
    try:
        connection.begin(write=False)
        rows, size, root = rows_and_tree(engine, connection)
        at = journal_position(engine, connection)
        yield StoreCopy(engine.name, rows, size, root, 0, _parts(engine, connection), at)
    finally:
        connection.rollback()
        connection.close()


def _parts(engine: PostgresqlEngine, connection: PostgresqlConnection) -> Iterator[Part]:
    columns = _columns(engine, connection)
    structure = _Structure(
        [number for (number,) in connection.query("select number from migration order by number")],
        [list(each) for each in connection.query("select kind, name, body from metadata order by kind, name")],
        columns,
    )
    yield Part(STRUCTURE, iter([orjson.dumps(structure)]))
    keys = _primary_keys(engine, connection)
    for table, names in columns.items():
        listed = ", ".join(map(quote, names))
        order = f" order by {', '.join(map(quote, keys[table]))}" if keys.get(table) else ""
        sql = f"copy (select {listed} from {quote(table)}{order}) to stdout (format binary)"
        yield Part(f"{_TABLE}{table}", _copied(connection, sql))


def _copied(connection: PostgresqlConnection, sql: str) -> Iterator[bytes]:
    gathered = bytearray()
    with connection.driver.cursor() as cursor, cursor.copy(literal(sql)) as copy:
        for data in copy:
            gathered += data
            if len(gathered) > 1024 * 1024:
                yield bytes(gathered)
                gathered.clear()
    yield bytes(gathered)


def _columns(engine: PostgresqlEngine, connection: PostgresqlConnection) -> dict[str, list[str]]:
    found = connection.query(
        "select c.table_name::text, c.column_name::text from information_schema.columns c"
        " join information_schema.tables t using (table_schema, table_name)"
        " where c.table_schema = ? and t.table_type = 'BASE TABLE' order by 1, c.ordinal_position",
        (engine.schema,),
    )
    tables: dict[str, list[str]] = {}
    for table, column in found:
        tables.setdefault(table, []).append(column)
    return tables


def _primary_keys(engine: PostgresqlEngine, connection: PostgresqlConnection) -> dict[str, list[str]]:
    found = connection.query(
        "select c.relname::text, a.attname::text from pg_index i join pg_class c on c.oid = i.indrelid"
        " join pg_namespace n on n.oid = c.relnamespace"
        " join pg_attribute a on a.attrelid = c.oid and a.attnum = any (i.indkey)"
        " where n.nspname = ? and i.indisprimary order by 1, array_position(i.indkey::int[], a.attnum::int)",
        (engine.schema,),
    )
    keys: dict[str, list[str]] = {}
    for table, column in found:
        keys.setdefault(table, []).append(column)
    return keys


class SchemaReceiver:
    """Puts a copy in the place of the schema of the environment `name`, in one transaction."""

    def __init__(self, url: str, name: str, clock: Clock) -> None:
        self._clock = clock
        self._engine = PostgresqlEngine(url, schema_name(name))
        self._columns: Mapping[str, Sequence[str]] = {}
        self._structure = bytearray()
        self._copy: Any = None
        self._open = ExitStack()
        connection = self._engine.connect()
        assert isinstance(connection, PostgresqlConnection)  # noqa: S101 - this engine makes no other
        self._connection = connection
        try:
            connection.execute("begin")
            connection.execute(f"drop schema if exists {quote(self._engine.schema)} cascade")
            connection.execute(f"create schema {quote(self._engine.schema)}")
            connection.execute(f"set local search_path = {quote(self._engine.schema)}")
        except BaseException:
            self.give_up()
            raise

    def begin(self, name: str) -> None:
        if name == STRUCTURE:
            return
        table = name.removeprefix(_TABLE)
        if table not in self._columns:
            raise BackupDamaged(f"The back-up holds the table '{table[:60]}' that its structure does not know.")
        listed = ", ".join(map(quote, self._columns[table]))
        cursor = self._open.enter_context(self._connection.driver.cursor())
        sql = literal(f"copy {quote(table)} ({listed}) from stdin (format binary)")
        self._copy = self._open.enter_context(cursor.copy(sql))

    def take(self, data: bytes) -> None:
        if self._copy is None:
            self._structure += data
        else:
            self._copy.write(data)

    def end(self) -> None:
        try:
            if self._copy is None:
                self._make(bytes(self._structure))
            self._open.close()
        except psycopg.DataError as error:
            raise BackupDamaged(f"The back-up holds rows that do not fit: {error.diag.message_primary}.") from None
        except psycopg.OperationalError as error:
            raise Unavailable("The database server ended the connection; nothing was changed.") from error
        finally:
            self._copy = None

    def finish(self, note: Callable[[Transaction], None] | None = None, entries: Iterable[Entry] = ()) -> None:
        if not self._columns:
            raise BackupDamaged("The back-up holds no structure.")
        self._replayed(entries)
        if note is not None:
            self._noted(note)
        self._connection.execute("commit")
        self._connection.close()

    def _replayed(self, entries: Iterable[Entry]) -> None:
        """What was done after the copy, done again; the server's policies follow the schema that comes of it."""
        if replay(self._connection, entries):
            (version,) = self._connection.query("select metadata_version from stamp")[0]
            self._engine.fit_policies(self._connection, None, load_schema(self._connection, version))
        if TABLE in self._engine.tables(self._connection):
            end_line(self._connection)

    def _noted(self, note: Callable[[Transaction], None]) -> None:
        """A unit of work inside this transaction, before it counts."""
        epoch, metadata_version, version = self._connection.query(
            "select security_epoch, metadata_version, version from stamp"
        )[0]
        shapes = Shapes(load_schema(self._connection, metadata_version), self._engine, ColumnKeys())
        stamp = Stamp(epoch, metadata_version)
        work = Work(self._engine, self._connection, self._clock, shapes, stamp, version, writes=True)
        note(StoreTransaction(work, SecurityCache(-1), Reader(Statements(self._engine.dialect))))
        work.flush()
        self._connection.execute(
            "update stamp set security_epoch = ?, metadata_version = ?, version = ?",
            (work.stamp.security_epoch, work.stamp.metadata_version, work.version),
        )

    def give_up(self) -> None:
        self._connection.close()  # the server undoes what was not committed

    def _make(self, structure: bytes) -> None:
        """The tables, empty, with the indexes and policies of the schema that the copy brings."""
        known = orjson.loads(structure)
        self._columns = known["columns"]
        begin_platform(self._engine, self._connection)
        migrate(self._engine, self._connection, self._clock, frozenset(known["migrations"]))
        schema = _schema(known["documents"])
        fitting = fit_tables(self._engine, self._connection, None, schema)
        self._engine.fit_policies(self._connection, None, fitting)
        for table in sorted(self._columns):
            self._connection.execute(f"delete from {quote(table)}")


def _schema(documents: Sequence[Sequence[str | None]]) -> Schema:
    try:
        return schema_from(
            (
                Document(
                    Kind(kind), str(name), body is None, None if body is None else cast("Json", orjson.loads(body))
                )
                for kind, name, body in documents
                if kind != FINGERPRINT
            ),
            1,
        )
    except (ValueError, KeyError, TypeError) as error:
        raise HomeError(f"The structure of the back-up cannot be read ({type(error).__name__}).") from None
