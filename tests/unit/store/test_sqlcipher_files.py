"""The file on disk: nothing plain in it, nothing opens it but its key, and changing the key loses nothing."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest
from tests.engines import DATA_KEY, NAME, START, Stores
from tests.unit.store.people import add, found, guid

from strongroom.clock import TestClock
from strongroom.errors import HomeError
from strongroom.store import sqlcipher_file
from strongroom.store.database import StoreDatabase, open_database

_SECRET = "Kryptonite Holdings"
_NEW_KEY = bytes(reversed(range(32)))


def _open(path: Path, key: bytes = DATA_KEY, *, create: bool = False) -> StoreDatabase:
    return open_database(path, data_key=key, create=create, name=NAME, clock=TestClock(START))


@pytest.fixture
def path(stores: Stores) -> Path:
    """A database with one account."""
    place = Path(stores.place("sqlcipher"))
    database = _open(place)
    with database.write() as tx:
        add(tx, "account", 101, found(tx).ada, name=_SECRET)
    database.close()
    return place


def _name_of_account(path: Path, key: bytes = DATA_KEY) -> object:
    database = _open(path, key)
    try:
        assert database.check() == []
        with database.read() as tx:
            row = tx.row(tx.schema.tables["account"], guid(101))
            return row.values["name"] if row else None
    finally:
        database.close()


def test_no_file_of_the_database_holds_plain_text(path: Path) -> None:
    """Rows are looked for in the file, its write-ahead log and everything beside it, while the database is open."""
    database = _open(path)
    with database.write() as tx:
        add(tx, "account", 102, tx.row(tx.schema.tables["systemuser"], guid(11)), name=f"{_SECRET} the Second")
    with database.read() as tx:
        assert tx.row(tx.schema.tables["account"], guid(102)) is not None
        files = [file for file in path.parent.iterdir() if file.name.startswith(path.name)]
        contents = {file.name: file.read_bytes() for file in files}
    database.close()

    assert f"{path.name}-wal" in contents
    assert len(contents[f"{path.name}-wal"]) > 0
    for name, content in contents.items():
        for text in (_SECRET, _SECRET.lower(), "systemuser", "create table", "CREATE TABLE", "SQLite format"):
            assert text.encode() not in content, (name, text)


def test_the_file_is_its_owners_alone(stores: Stores) -> None:
    place = Path(stores.empty_place("sqlcipher"))
    _open(place, create=True).close()

    assert stat.S_IMODE(place.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "There is no database"),
        (b"", "cut off"),
        (b"SQLite format 3\0" + bytes(4080), "not encrypted"),
        (bytes(range(256)) * 16, "does not open with this key"),
        (bytes(range(256)) * 5, "does not open with this key"),
    ],
    ids=["missing", "empty", "plain", "noise", "half a page"],
)
def test_a_file_that_cannot_be_opened_says_why(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "damaged.db"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(HomeError, match=message):
        _open(path)
    assert content is None or path.read_bytes() == content


def test_a_wrong_key_opens_nothing_and_harms_nothing(path: Path) -> None:
    with pytest.raises(HomeError, match="does not open with this key"):
        _open(path, _NEW_KEY)
    with pytest.raises(HomeError, match="32 bytes"):
        _open(path, b"short")
    with pytest.raises(HomeError, match="needs its data key"):
        open_database(path, data_key=None, create=False, name=NAME, clock=TestClock(START))

    assert _name_of_account(path) == _SECRET


def test_making_a_database_over_another_is_refused(path: Path) -> None:
    with pytest.raises(HomeError, match="already"):
        _open(path, create=True)

    assert _name_of_account(path) == _SECRET


def test_making_a_database_in_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HomeError, match="does not exist"):
        _open(tmp_path / "nowhere" / "x.db", create=True)


def test_a_file_of_another_program_with_the_same_key_is_no_environment(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    sqlcipher_file.create(path, DATA_KEY)

    with pytest.raises(HomeError, match="not a Strongroom environment"):
        _open(path)


def test_an_environment_of_a_newer_program_is_left_alone(path: Path) -> None:
    raw = sqlcipher_file.open_file(path, DATA_KEY)
    raw.execute("insert into migration (number, title, applied_on) values (999, 'later', 'x')")
    raw.close()

    with pytest.raises(HomeError, match="newer version of Strongroom"):
        _open(path)


def test_check_finds_a_page_that_was_tampered_with(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)

    raw = sqlcipher_file.open_file(path, DATA_KEY)
    raw.close()
    try:
        database = _open(path)
    except Exception as error:  # noqa: BLE001 (the damaged page may be one that opening needs; that is found as well)
        assert "damaged" in str(error)
        return
    doubts = database.check()
    database.close()
    assert doubts


def test_a_new_key_keeps_every_row_and_locks_the_old_key_out(path: Path) -> None:
    sqlcipher_file.rekey(path, DATA_KEY, _NEW_KEY)

    assert _name_of_account(path, _NEW_KEY) == _SECRET
    with pytest.raises(HomeError):
        _open(path)
    assert not path.with_name(f"{path.name}.rekey").exists()


def test_the_key_cannot_change_while_somebody_has_the_database_open(path: Path) -> None:
    database = _open(path)
    with pytest.raises(HomeError, match="in use by another process"):
        sqlcipher_file.rekey(path, DATA_KEY, _NEW_KEY)
    database.close()

    assert _name_of_account(path) == _SECRET


_CRASH = """
import os, sys
from pathlib import Path
from strongroom.store import sqlcipher_file
path, step = Path(sys.argv[1]), sys.argv[2]
def die(*_):
    os._exit(9)
if step == "sync":
    sqlcipher_file.sync_path = die
elif step == "replace":
    Path.replace = die
elif step == "after":
    real = Path.replace
    def replace(self, target):
        real(self, target)
        die()
    Path.replace = replace
sqlcipher_file.rekey(path, bytes(range(32)), bytes(reversed(range(32))))
"""


@pytest.mark.parametrize(
    ("step", "key"), [("sync", DATA_KEY), ("replace", DATA_KEY), ("after", _NEW_KEY)], ids=["sync", "replace", "after"]
)
def test_a_crash_while_the_key_changes_leaves_one_whole_file(path: Path, step: str, key: bytes) -> None:
    """Before the rename the old key opens the old file, after it the new key the new one; nothing in between."""
    ended = subprocess.run([sys.executable, "-c", _CRASH, str(path), step], check=False)

    assert ended.returncode == 9
    assert _name_of_account(path, key) == _SECRET
    sqlcipher_file.rekey(path, key, key)  # what the crash left behind is in nobody's way
    assert _name_of_account(path, key) == _SECRET
