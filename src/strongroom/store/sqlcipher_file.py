"""The file of a SQLCipher database: making it, opening it with its key, changing the key.

Beside the file lies an empty `<file>-lock`. Whoever has the database open holds a shared lock on it; changing the key
(`rekey`) needs it alone, because it replaces the file.
"""

import fcntl
import os
import sqlite3
from pathlib import Path
from urllib.parse import quote as url_quote

from strongroom.errors import HomeError, IntegrityViolation
from strongroom.store import sqlcipher_driver as dbapi2

KEY_BYTES = 32
BUSY_TIMEOUT_MS = 30_000
_PLAIN_HEADER = b"SQLite format 3\0"


def create(path: Path, key: bytes) -> None:
    """Make the file, empty but encrypted, readable by its owner only."""
    if path.exists():
        raise HomeError(f"There is a database at {path} already; open it, or choose another place.")
    if not path.parent.is_dir():
        raise HomeError(f"The folder {path.parent} does not exist; make it first.")
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    raw = open_file(path, key)
    try:
        raw.execute("pragma journal_mode = wal")
    finally:
        raw.close()


def require_usable(path: Path, key: bytes) -> None:
    """Check that the file opens with this key; `HomeError` when the file is missing, damaged, or of another key."""
    if not path.exists():
        raise HomeError(f"There is no database at {path}; make it with `strongroom init`, or restore a backup.")
    with path.open("rb") as file:
        header = file.read(len(_PLAIN_HEADER))
    if header == _PLAIN_HEADER:
        raise HomeError(f"{path} is an SQLite file that is not encrypted; a Strongroom database always is.")
    if len(header) < len(_PLAIN_HEADER):
        raise HomeError(f"{path} is cut off: it is shorter than one page. Restore it from a backup.")
    raw = open_file(path, key)
    try:
        raw.execute("pragma journal_mode = wal")  # also back to it after a change of key
    finally:
        raw.close()


def remove(path: Path) -> None:
    """Remove the file and those beside it, the write-ahead log first: it must never meet another database."""
    for suffix in ("-wal", "-shm", "", "-turn", "-lock"):
        path.with_name(f"{path.name}{suffix}").unlink(missing_ok=True)


def rekey(path: Path, old_key: bytes, new_key: bytes) -> None:
    """Encrypt the database anew under `new_key`. Nobody may have it open; `HomeError` otherwise.

    The whole database is written to a new file beside the old one, synced, and put in its place by one rename. A crash
    before the rename leaves the old file under the old key, a crash after it the new file under the new key: the caller
    keeps both wrapped keys until this returns, and at a restart takes the one that opens the file.
    """
    _require_key(new_key)
    fresh = path.with_name(f"{path.name}.rekey")
    lock = take_lock(path, alone=True)
    try:
        _discard(fresh)
        raw = open_file(path, old_key)
        try:
            # Out of the write-ahead log first: a log left beside the new file would be taken for the new file's own.
            if raw.execute("pragma journal_mode = delete").fetchone()[0] != "delete":
                raise HomeError("Another program has the database open; stop it, then change the key.")
            os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            raw.execute(f"""attach database ? as fresh key "x'{new_key.hex()}'" """, (str(fresh),))
            raw.execute("pragma fresh.synchronous = off")  # nobody reads it before `_sync`, below
            raw.execute("select sqlcipher_export('fresh')").fetchall()
            if raw.execute("pragma fresh.cipher_integrity_check").fetchall():
                raise IntegrityViolation("The newly encrypted copy does not verify; the old file is untouched.")
            raw.execute("detach database fresh")
        finally:
            raw.close()
        sync_path(fresh)
        fresh.replace(path)
        sync_path(path.parent)
    except dbapi2.Error as error:
        raise HomeError(f"The key could not be changed; the old file and key stay in force ({error}).") from error
    finally:
        os.close(lock)
        _discard(fresh)


def take_place(staged: Path, path: Path, old_key: bytes | None) -> None:
    """Put the file `staged`, closed and without a log, in the place of the database at `path`, by one rename.

    Nobody may have that one open; `HomeError` otherwise. Its log goes into it first, so that a crash before the rename
    leaves the old database whole; one that does not open (`old_key` is None) has nothing to lose.
    """
    lock = take_lock(path, alone=True)
    try:
        if old_key is not None and path.exists():
            raw = open_file(path, old_key)
            try:
                if raw.execute("pragma journal_mode = delete").fetchone()[0] != "delete":
                    raise HomeError("Another program has the database open; stop it, then try again.")
            finally:
                raw.close()
        for suffix in ("-wal", "-shm", "-journal"):
            path.with_name(f"{path.name}{suffix}").unlink(missing_ok=True)
        sync_path(staged)
        staged.replace(path)
        sync_path(path.parent)
    finally:
        os.close(lock)


def _discard(fresh: Path) -> None:
    """Remove what an interrupted change of the key has left, its journal included."""
    for suffix in ("-journal", ""):
        fresh.with_name(f"{fresh.name}{suffix}").unlink(missing_ok=True)


def open_file(path: Path, key: bytes) -> sqlite3.Connection:
    """A connection to the file, which must be there, with its key proven. Raises `HomeError`."""
    _require_key(key)
    address = f"file:{url_quote(str(path.absolute()))}?mode=rw"
    try:
        raw = dbapi2.connect(address, uri=True, isolation_level=None, check_same_thread=False, cached_statements=512)
    except dbapi2.Error as error:
        raise HomeError(f"{path} cannot be opened ({error}).") from error
    try:
        raw.execute("pragma cipher_log_level = NONE")  # errors are raised; they are not written to standard error too
        raw.execute(f"""pragma key = "x'{key.hex()}'" """)
        raw.execute(f"pragma busy_timeout = {BUSY_TIMEOUT_MS}")
        raw.execute("select count(*) from sqlite_schema").fetchone()
    except dbapi2.OperationalError as error:
        raw.close()
        raise HomeError(f"{path} cannot be read ({error}).") from error
    except dbapi2.DatabaseError as error:
        raw.close()
        raise HomeError(
            f"{path} does not open with this key: either the key belongs to another database, or the file is damaged."
            " Use the key of this environment, or restore the file from a backup."
        ) from error
    return raw


def _require_key(key: bytes) -> None:
    if len(key) != KEY_BYTES:
        raise HomeError(f"A data key has {KEY_BYTES} bytes, this one has {len(key)}.")


def take_lock(path: Path, *, alone: bool) -> int:
    """Hold the database's lock, shared or alone, until the handle returned is closed. `HomeError` when it is taken."""
    handle = os.open(path.with_name(f"{path.name}-lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        wish = "Stop the server, then change the key." if alone else "Wait until the change of its key is done."
        raise HomeError(f"{path.name} is in use by another process. {wish}") from None
    return handle


def sync_path(path: Path) -> None:
    """Make a file's content, or a folder's names, durable."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
