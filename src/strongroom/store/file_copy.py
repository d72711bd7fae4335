"""Copying a SQLCipher file while others write to it.

A reader that began when the write-ahead log was empty reads the database file alone, and as long as it lasts SQLite
writes nothing back into that file: new commits stay in the log. So the log is emptied in a short turn between two
writers, such a reader begins in the same turn, and then the file stands still and can be read like any other, as fast
as the disk gives it, encrypted as it is.
"""

import math
import os
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from strongroom.errors import HomeError, IntegrityViolation, Unavailable
from strongroom.store.copying import CHUNK, Part, StoreCopy, journal_position, rows_and_tree
from strongroom.store.engine import Connection
from strongroom.store.journal import TABLE, Entry, end_line, replay
from strongroom.store.protocol import Transaction
from strongroom.store.sqlcipher import SqlcipherConnection, SqlcipherEngine
from strongroom.store.sqlcipher_file import sync_path
from strongroom.store.turns import Turn

STORE = "store.db"
_PATIENCE_S = 60.0
_TURN_MS = 250
"""How long one attempt may hold writers up, while readers of older states end."""


@contextmanager
def copy_of_file(engine: SqlcipherEngine) -> Generator[StoreCopy]:
    """The file as it is now. Raises `Unavailable` when readers of older states do not end within a minute."""
    connection = engine.connect()
    try:
        _stand_still(engine, connection)
        try:
            rows, size, root = rows_and_tree(engine, connection)
            pages = math.prod(int(connection.query(f"pragma {each}")[0][0]) for each in ("page_count", "page_size"))
            at = journal_position(engine, connection)
            parts = iter([Part(STORE, _chunks(engine.path, pages))])
            yield StoreCopy(engine.name, rows, size, root, pages, parts, at)
        finally:
            connection.rollback()
    finally:
        connection.close()


def _stand_still(engine: SqlcipherEngine, connection: Connection) -> None:
    turn = Turn(engine.turn_path)
    assert isinstance(connection, SqlcipherConnection)  # noqa: S101 - this engine makes no other
    driver = connection.driver
    driver.execute(f"pragma busy_timeout = {_TURN_MS}")
    limit = time.monotonic() + _PATIENCE_S
    try:
        while True:
            turn.take()
            try:
                busy, left, _ = driver.execute("pragma wal_checkpoint(truncate)").fetchone()
                if not busy and left <= 0:
                    driver.execute("begin")
                    driver.execute("select count(*) from stamp").fetchone()
                    return
            finally:
                turn.end()
            if time.monotonic() > limit:
                raise Unavailable("Somebody reads the environment without a pause; try the back-up again.")
            time.sleep(_TURN_MS / 1000)  # writers and readers go on meanwhile
    finally:
        turn.close()


def _chunks(path: Path, size: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        left = size
        while left:
            data = file.read(min(CHUNK, left))
            if not data:
                raise HomeError(f"{path.name} became shorter while it was copied; the back-up was given up.")
            left -= len(data)
            yield data


class FileReceiver:
    """Puts the file at a new path, readable by its owner only."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")

    def begin(self, name: str) -> None:
        if name != STORE:
            raise HomeError(f"The back-up holds '{name[:40]}', which is no part of a database file.")

    def take(self, data: bytes) -> None:
        self._file.write(data)

    def end(self) -> None:
        """The file is the only part."""

    def finish(self, note: Callable[[Transaction], None] | None = None, entries: Iterable[Entry] = ()) -> None:
        if note is not None or entries:
            raise IntegrityViolation("A file that arrives is opened by others.")
        self._file.close()
        sync_path(self._path)
        sync_path(self._path.parent)

    def give_up(self) -> None:
        self._file.close()
        self._path.unlink(missing_ok=True)


def replay_in_file(path: Path, key: bytes, entries: Iterable[Entry]) -> int:
    """Do again in a file that nobody else has open what was done after it was copied, and end its journal; how many
    units of work. Raises `BackupDamaged`; the file is of no use then."""
    engine = SqlcipherEngine(path, key)
    try:
        connection = engine.connect()
        try:
            connection.begin_bare()
            done = replay(connection, entries)
            if TABLE in engine.tables(connection):
                end_line(connection)
            connection.commit()
        finally:
            connection.close()
    finally:
        engine.close()
    return done
