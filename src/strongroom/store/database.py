"""`store.protocol.Database` for both engines, and the one function that opens or makes an environment's store."""

from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import Lock, get_ident
from typing import cast

from strongroom.clock import Clock, iso
from strongroom.errors import HomeError, IntegrityViolation, Unavailable
from strongroom.ids import new_guid
from strongroom.schema.model import Schema
from strongroom.store import journal, sqlcipher, sqlcipher_file
from strongroom.store.column_keys import ColumnKeys, RootSource
from strongroom.store.compile import Statements
from strongroom.store.copying import StoreCopy, copy_of
from strongroom.store.engine import Connection, Engine, Raw
from strongroom.store.facts import SecurityCache
from strongroom.store.integrity import doubts
from strongroom.store.metadata import fits, load_schema
from strongroom.store.platform import begin_platform, migrate, pending
from strongroom.store.pool import Pool
from strongroom.store.portable import Dump, Load
from strongroom.store.protocol import Stamp
from strongroom.store.reading import Reader
from strongroom.store.recording import Recording, RecordingEngine, RecordingReader
from strongroom.store.transaction import StoreTransaction
from strongroom.store.work import Shapes, Work

WRITER_TIMEOUT_S = 30.0
_KEPT_SCHEMAS = 2
_EMPTY = Schema(0, {}, {}, {}, {}, {})


class StoreDatabase:
    """One environment's store, as one process sees it. Safe to use from several threads."""

    def __init__(
        self, engine: Engine, clock: Clock, limit_s: float | None = None, column_root: RootSource | None = None
    ) -> None:
        self._engine = engine
        self._keys = ColumnKeys(column_root)
        self._limit_s = limit_s
        self._clock = clock
        self._pool = Pool(engine)
        self._shapes: dict[int, Shapes] = {0: Shapes(_EMPTY, engine, self._keys)}
        self._security = SecurityCache(0)
        self._reader = Reader(Statements(engine.dialect, keys=self._keys))
        self._journaled: tuple[int, bool] | None = None
        self._writer = Lock()
        self._writing_thread: int | None = None

    @property
    def engine(self) -> str:
        return self._engine.name

    @contextmanager
    def read(self) -> Generator[StoreTransaction]:
        """One snapshot; it ends with the block. `TimeLimitExceeded` when it lasts too long (WA-433)."""
        connection, stamp = self._begin(write=False, limit_s=self._limit_s)
        try:
            work = self._work(connection, stamp, writes=False)
            yield StoreTransaction(work, self._security_at(work), self._reader)
            connection.commit()
        except BaseException:
            connection.rollback()
            raise
        finally:
            self._pool.give_back(connection)

    def stamp(self) -> Stamp:
        """The numbers of this moment, by one statement outside of a transaction."""
        connection = self._pool.take()
        try:
            epoch, metadata_version = connection.query("select security_epoch, metadata_version from stamp")[0]
            return Stamp(epoch, metadata_version)
        except Unavailable:
            if not connection.is_broken:
                raise
        finally:
            self._pool.give_back(connection)
        with self.read() as transaction:  # which makes a new connection where one was lost
            return transaction.stamp

    def is_busy(self) -> bool:
        """Whether a writer would wait now, for one of this process or of another."""
        return self._writer.locked() or self._engine.is_busy()

    @contextmanager
    def write(self) -> Generator[StoreTransaction]:
        """One unit of work. `Unavailable` when no turn comes within 30 seconds, `TimeLimitExceeded` when the work
        itself lasts too long (WA-433)."""
        if self._writing_thread == get_ident():
            raise IntegrityViolation("This thread is writing already; writes do not nest.")
        if not self._writer.acquire(timeout=WRITER_TIMEOUT_S):
            raise Unavailable("The environment is busy with other changes; try again.")
        try:
            self._writing_thread = get_ident()
            connection, stamp = self._begin(write=True, limit_s=self._limit_s)
            try:
                work = self._work(self._recorded(connection, stamp[0]), stamp, writes=True)
                yield StoreTransaction(work, self._security_at(work), self._reader)
                self._commit(work, stamp)
            except BaseException:
                connection.rollback()
                raise
            finally:
                self._pool.give_back(connection)
        finally:
            self._writing_thread = None
            self._writer.release()

    def check(self) -> list[str]:
        """Every doubt about the store's integrity, in words; empty when there is none."""
        connection, stamp = self._begin(write=False)
        try:
            found = self._engine.check(connection)
            if not found:
                found = doubts(self._work(connection, stamp, writes=False))
            connection.commit()
        except IntegrityViolation as error:
            connection.rollback()
            return [error.message]
        except BaseException:
            connection.rollback()
            raise
        finally:
            self._pool.give_back(connection)
        return found

    def copy(self) -> AbstractContextManager[StoreCopy]:
        """One moment of the whole store, for as long as the block lasts, while others write."""
        return copy_of(self._engine)

    def begin_journal(self) -> journal.Position:
        """Write down every change from now on, where that is not done yet; the newest entry.

        It is one of the security epoch too, so that every process sees it with its next write.
        """
        with self._unrecorded_write() as (connection, stamp):
            found = journal.newest(connection)
            if found is None:
                journal.begin_line(connection, new_guid(self._clock), iso(self._clock.now()))
                connection.execute("update stamp set security_epoch = ?", (stamp[0] + 1,))
                found = journal.newest(connection)
        assert found is not None  # noqa: S101 - it has just been begun
        return found

    def journal_position(self) -> journal.Position | None:
        """The newest entry of the journal; None where changes are not written down."""
        connection, _ = self._begin(write=False)
        try:
            return journal.newest(connection)
        finally:
            connection.rollback()
            self._pool.give_back(connection)

    def journal_after(self, number: int, most_bytes: int) -> list[journal.Entry]:
        """Entries of the journal after a number, about so many bytes of them and at least one if there is one."""
        connection, _ = self._begin(write=False)
        try:
            return journal.entries_after(connection, number, most_bytes)
        finally:
            connection.rollback()
            self._pool.give_back(connection)

    def forget_journal(self, number: int) -> None:
        """Remove entries up to a number, once they are kept elsewhere. The newest one stays."""
        with self._unrecorded_write() as (connection, _):
            journal.forget(connection, number)

    @contextmanager
    def dumping(self) -> Generator[Dump]:
        """One snapshot of all rows, as both engines can have them (`store.portable`)."""
        connection, stamp = self._begin(write=False)
        try:
            work = self._work(connection, stamp, writes=False)
            yield Dump(self._engine, connection, work.schema, stamp[0], stamp[2], self._keys)
        finally:
            connection.rollback()
            self._pool.give_back(connection)

    @contextmanager
    def loading(self) -> Generator[Load]:
        """Fill the store with rows of another one, whose schema it was made with; all of them or none."""
        with self._bare_write() as connection:
            yield Load(self._engine, connection, self._stored_schema(connection), self._keys)
            journal.end_line(connection)

    def record(self) -> Recording:
        """From now on what runs here is written down. For a process that asks what one request does, and ends."""
        recording = Recording()
        self._reader = RecordingReader(self._reader, recording)
        self._pool.close()
        self._pool = Pool(cast("Engine", RecordingEngine(self._engine, recording)))
        return recording

    def interrupt(self, wait_s: float = 0.0) -> None:
        """End running statements: their units of work are undone, and none begins any more."""
        self._pool.interrupt(wait_s)

    def close(self) -> None:
        """Give up all connections. Transactions still open end first."""
        self._pool.close()
        self._engine.close()
        self._keys.forget()

    def begin_with(self, schema: Schema | None) -> None:
        """Make the platform's tables, and those of `schema`, in a new and empty database: all of it or nothing."""
        with self._bare_write() as connection:
            begin_platform(self._engine, connection)
            migrate(self._engine, connection, self._clock)
            if schema is not None:
                self._fit(connection, schema)

    def bring_up_to_date(self) -> None:
        """Apply pending migrations, and the changes of the standard catalogue that a newer program brings.

        `HomeError` when this is no environment, or one that a newer program has used. Where nothing is to be done, as
        nearly always, no writer is waited for.
        """
        connection = self._pool.take()
        try:
            if self._is_up_to_date(connection):
                return
        finally:
            self._pool.give_back(connection)
        with self._bare_write(is_recorded=True) as connection:
            migrate(self._engine, connection, self._clock)
            if not self._is_up_to_date(connection):
                self._fit(connection, self._stored_schema(connection))

    def _is_up_to_date(self, connection: Connection) -> bool:
        if "stamp" not in self._engine.tables(connection):
            raise HomeError(
                "The database is not a Strongroom environment, or its making was interrupted: remove it, and make"
                " it again with `strongroom init`."
            )
        if pending(connection):
            return False
        schema = self._stored_schema(connection)
        if schema.version and not fits(self._engine, connection, schema):
            return False
        self._know_keys(connection, schema)
        self._keep(Shapes(schema, self._engine, self._keys))
        return True

    def _stored_schema(self, connection: Connection) -> Schema:
        version: int = connection.query("select metadata_version from stamp")[0][0]
        return load_schema(connection, version) if version else _EMPTY

    def _fit(self, connection: Connection, schema: Schema) -> None:
        stamp = connection.query("select security_epoch, metadata_version, version from stamp")[0]
        work = self._work(connection, stamp, writes=True)
        StoreTransaction(work, SecurityCache(-1), self._reader).change_schema(schema)
        work.flush()
        connection.execute(
            "update stamp set security_epoch = ?, metadata_version = ?, version = ?",
            (work.stamp.security_epoch, work.stamp.metadata_version, work.version),
        )

    def _begin(self, *, write: bool, limit_s: float | None = None) -> tuple[Connection, Raw]:
        connection = self._pool.take()
        try:
            return connection, connection.begin(write=write, limit_s=limit_s)
        except Unavailable:
            is_lost = connection.is_broken
            self._pool.give_back(connection)
            if not is_lost:
                raise
        except BaseException:
            self._pool.give_back(connection)
            raise
        self._pool.drop_idle()  # nothing has been done yet: a new connection may begin in its place
        connection = self._pool.take()
        try:
            return connection, connection.begin(write=write, limit_s=limit_s)
        except BaseException:
            self._pool.give_back(connection)
            raise

    def _work(self, connection: Connection, stamp: Raw, *, writes: bool) -> Work:
        epoch, metadata_version, version = stamp
        shapes = self._shapes.get(metadata_version)
        if shapes is None:
            schema = load_schema(connection, metadata_version)
            self._know_keys(connection, schema)
            shapes = Shapes(schema, self._engine, self._keys)
            self._keep(shapes)
        return Work(
            self._engine, connection, self._clock, shapes, Stamp(epoch, metadata_version), version, writes=writes
        )

    def _know_keys(self, connection: Connection, schema: Schema) -> None:
        """Read the keys of encrypted columns, where there are any: each change of them is one of the metadata too."""
        if schema.encrypted:
            self._keys.load(connection)

    def _keep(self, shapes: Shapes) -> None:
        self._shapes[shapes.schema.version] = shapes
        for version in sorted(self._shapes)[:-_KEPT_SCHEMAS]:
            self._shapes.pop(version, None)

    def _security_at(self, work: Work) -> SecurityCache:
        """The process's cache when it is of the snapshot's epoch; a snapshot from before a change gets its own."""
        cache = self._security
        epoch = work.stamp.security_epoch
        if cache.epoch == epoch:
            return cache
        if cache.epoch > epoch:
            return SecurityCache(epoch)
        self._security = cache.later(work)
        return self._security

    def _commit(self, work: Work, before: Raw) -> None:
        if work.has_failed:
            raise IntegrityViolation("A change failed, so the transaction cannot be committed.")
        counted = work.counters.take()
        work.flush()
        after = (work.stamp.security_epoch, work.stamp.metadata_version, work.version)
        work.connection.commit(after if after != tuple(before) else None, counted)
        if work.stamp.metadata_version != before[1]:
            self._keep(work.shapes)
            self._reader.numbers.forget()
        else:
            self._reader.numbers.follow(before[2], work.version, work.counters.taken, work.shares_changed)

    def _recorded(self, connection: Connection, epoch: int) -> Connection:
        """The connection of a write, with what it changes written down where a journal is kept."""
        if self._journaled is None or self._journaled[0] != epoch:
            self._journaled = epoch, journal.newest(connection) is not None
        return self._recording(connection) if self._journaled[1] else connection

    def _recording(self, connection: Connection) -> Connection:
        return journal.Recording(self._engine, connection, lambda: iso(self._clock.now()))

    @contextmanager
    def _unrecorded_write(self) -> Generator[tuple[Connection, Raw]]:
        """A write to the journal itself, which is not written down; with the stamp before it."""
        if not self._writer.acquire(timeout=WRITER_TIMEOUT_S):
            raise Unavailable("The environment is busy with other changes; try again.")
        try:
            connection, stamp = self._begin(write=True)
            try:
                yield connection, stamp
                connection.commit()
            except BaseException:
                connection.rollback()
                raise
            finally:
                self._pool.give_back(connection)
        finally:
            self._writer.release()

    @contextmanager
    def _bare_write(self, *, is_recorded: bool = False) -> Generator[Connection]:
        """A write transaction before there is a stamp to wait at."""
        connection = self._pool.take()
        try:
            connection.begin_bare()
            if is_recorded and journal.TABLE in self._engine.tables(connection) and journal.newest(connection):
                connection = self._recording(connection)
            yield connection
            connection.commit()
        except BaseException:
            connection.rollback()
            raise
        finally:
            self._pool.give_back(journal.unrecorded(connection))


def open_database(
    place: str | Path,
    *,
    data_key: bytes | None,
    create: bool,
    name: str,
    clock: Clock,
    schema: Schema | None = None,
    cache_mib: int = sqlcipher.DEFAULT_CACHE_MIB,
    limit_s: float | None = None,
    column_root: RootSource | None = None,
) -> StoreDatabase:
    """Open the store of the environment `name`, or make it with `schema`.

    `place` is the path of a SQLCipher file, which needs its `data_key`, or a URL `postgresql://…`, where the
    environment is the schema `env_<name>` and there is no key. `limit_s` ends units of work that take longer; opening
    and making the store takes what it takes. `column_root` gives what the keys of encrypted columns are wrapped under;
    without it their values cannot be read. Whatever does not fit raises `HomeError` with what is
    wrong and what would be right.
    """
    text = str(place)
    engine: Engine
    if text.startswith(("postgresql://", "postgres://")):
        engine = _server_engine(text, name, create=create)
    elif "://" in text:
        scheme = text.partition("://")[0]
        raise HomeError(f"{scheme}:// is no database that Strongroom knows: use postgresql:// or a path.")
    elif data_key is None:
        raise HomeError("A database file needs its data key.")
    else:
        path = Path(text)
        if create:
            sqlcipher_file.create(path, data_key)
        else:
            sqlcipher_file.require_usable(path, data_key)
        engine = sqlcipher.SqlcipherEngine(path, data_key, cache_mib)
    database = StoreDatabase(engine, clock, limit_s, column_root)
    try:
        if create:
            database.begin_with(schema)
        else:
            database.bring_up_to_date()
    except BaseException:
        database.close()
        if create:
            remove_database(place, name)
        raise
    return database


def remove_database(place: str | Path, name: str) -> None:
    """Remove the store of the environment `name` for good; nothing happens when there is none. Close it before."""
    text = str(place)
    if "://" in text:
        from strongroom.store import postgresql_server

        postgresql_server.drop(text, name)
    else:
        sqlcipher_file.remove(Path(text))


def _server_engine(url: str, name: str, *, create: bool) -> Engine:
    from strongroom.store import postgresql, postgresql_server  # a process that opens files only starts faster without

    if create:
        postgresql_server.create(url, name)
    else:
        postgresql_server.require_usable(url, name)
    return postgresql.PostgresqlEngine(url, postgresql_server.schema_name(name))
