"""R2: power is lost at any moment of a write, and the database opens as it was before, or as it is after.

What is simulated: SQLCipher writes one transaction as frames at the end of the write-ahead log and syncs it; later a
checkpoint copies the pages into the file. We take the files before and after one request and build from them what a
disk could hold after a power failure:

- the log cut off behind every frame, and in the middle of every frame (the sync was never reached),
- the log complete but for one frame that never reached the disk, or came as zeros or rubbish (unsynced writes may
  reach the disk in any order),
- the file with some of the new pages written, one of them torn, beside the complete log (the checkpoint was under way).

What is not: a disk that lies about its syncs, and damage to what had been synced long before.
"""

import random
import shutil
import struct
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.engines import Stores
from tests.faults.verbs import VERBS, Open, Verb, opened
from tests.homes import make_home
from tests.property.witness import State, state_in_file

from strongroom.home import open_home
from strongroom.store.sqlcipher_file import open_file

HEAD, FRAME_HEAD = 32, 24
_CHECKED = 9
"""Every ninth file is read from end to end; of the others, what the request changed."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A database's files: the main file and its log."""

    file: bytes
    log: bytes

    @property
    def frame(self) -> int:
        """Bytes of one frame of the log: its head and one page."""
        return FRAME_HEAD + int(struct.unpack_from(">I", self.log, 8)[0])

    @property
    def frames(self) -> int:
        return (len(self.log) - HEAD) // self.frame

    def page(self, number: int) -> tuple[int, bytes]:
        """Where in the file a frame's page belongs, and its content."""
        at = HEAD + number * self.frame
        size = self.frame - FRAME_HEAD
        place = (int(struct.unpack_from(">I", self.log, at)[0]) - 1) * size
        return place, self.log[at + FRAME_HEAD : at + self.frame]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the rows that the verbs change."""
    folder = tmp_path_factory.mktemp("torn")
    home = make_home(folder, Stores(folder), "sqlcipher")
    with opened(home) as opened_home:
        opened_home.make_rows()
    return home


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_torn_write_opens_as_before_or_after(home: Path, tmp_path: Path, verb: Verb) -> None:
    """R2."""
    copy = tmp_path / "home"
    shutil.copytree(home, copy)
    with opened(copy) as world:
        before, after, states = _written(world, copy, verb)
    judge = _Judge(copy, states)

    size = after.frame
    for number in range(after.frames):
        end = HEAD + number * size
        for cut in (end, end + 10, end + size // 2, end + size - 1):
            judge.must_be(states[0], before.file, after.log[:cut], f"cut at {cut}")
    for number in range(after.frames):
        at = HEAD + number * size
        for name, lost in (("zeros", bytes(size)), ("rubbish", random.Random(number).randbytes(size))):
            log = after.log[:at] + lost + after.log[at + size :]
            judge.must_be(states[0], before.file, log, f"frame {number} of {after.frames} is {name}")
    judge.must_be(states[1], before.file, after.log, "log complete")
    file = bytearray(before.file)
    for number in range(after.frames):
        place, page = after.page(number)
        torn = bytearray(file) + bytes(max(0, place + len(page) - len(file)))
        torn[place : place + len(page) // 2] = page[: len(page) // 2]
        judge.must_be(states[1], bytes(torn), after.log, f"checkpoint tore page {number}")
        file = bytearray(file) + bytes(max(0, place + len(page) - len(file)))
        file[place : place + len(page)] = page
    judge.must_be(states[1], bytes(file), after.log, "checkpoint complete, log still there")
    assert judge.number > 5 * after.frames


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_torn_write_leaves_a_home_without_doubt(home: Path, tmp_path: Path, verb: Verb) -> None:
    """R2: the whole check, and the next write, at a cut in the middle, at the very end, and with a page torn later."""
    copy = tmp_path / "home"
    shutil.copytree(home, copy)
    with opened(copy) as world:
        before, after, states = _written(world, copy, verb)
    path = _database(copy)
    place, page = after.page(after.frames - 1)
    torn = before.file[:place] + page[: len(page) // 2] + before.file[place + len(page) // 2 :]
    moments = (
        (before.file, after.log[: len(after.log) // 2], states[0]),
        (before.file, after.log, states[1]),
        (torn, after.log, states[1]),
    )
    for file, log, state in moments:
        _place(path, file, log)
        with opened(copy) as world:
            assert world.witness.state() == state
            assert world.environment.database.check() == []
            assert world.send(VERBS[0]).status == 204


def _written(world: Open, home: Path, verb: Verb) -> tuple[Moment, Moment, tuple[State, State]]:
    """The files and the states before and after one request; the log holds that request alone."""
    path = _database(home)
    log = path.with_name(path.name + "-wal")
    world.witness.rows("pragma wal_checkpoint(truncate)")
    assert log.stat().st_size == 0
    before, old = Moment(path.read_bytes(), b""), world.witness.state()
    answer = world.send(verb)
    assert answer.status in (200, 204), answer.body
    after, new = Moment(path.read_bytes(), log.read_bytes()), world.witness.state()
    assert old != new
    assert after.file == before.file, "a checkpoint came in between"
    assert after.frames > 3
    return before, after, (old, new)


def _database(home: Path) -> Path:
    found = open_home(home)
    return found.database_file(found.default_environment())


def _place(path: Path, file: bytes, log: bytes) -> None:
    path.write_bytes(file)
    path.with_name(path.name + "-wal").write_bytes(log)
    path.with_name(path.name + "-shm").unlink(missing_ok=True)


class _Judge:
    """Opens what a disk could hold, with the key and nothing else, and compares."""

    def __init__(self, home: Path, states: tuple[State, State]) -> None:
        found = open_home(home)
        record = found.default_environment()
        self._path = found.database_file(record)
        self._key = found.keys.open_environment(record.id, lambda key: key.reveal())
        self.number = 0

    def must_be(self, state: State, file: bytes, log: bytes, what: str) -> None:
        self.number += 1
        _place(self._path, file, log)
        raw = open_file(self._path, self._key)
        try:
            assert state_in_file(raw) == state, what
            if self.number % _CHECKED == 0:
                raw.execute("pragma wal_checkpoint(passive)").fetchall()  # the check of pages reads past the log
                assert raw.execute("pragma cipher_integrity_check").fetchall() == [], what
                assert raw.execute("pragma quick_check").fetchall() == [("ok",)], what
        finally:
            raw.close()
