"""What the other workers of a server have answered for a user, so that limits are counted over all of them (TS-305).

Workers share a file that is mapped into memory. Each writes to a section of its own, and reads those of the others:
nothing is ever locked, and no request waits for another worker. A section is a table of users. What a user did is kept
by intervals of five seconds, so that a request counts for up to five seconds longer than the window that it is in.

    section = 4096 entries of
        key      16 bytes   digest of environment and user
        newest   8 bytes    number of the newest interval that has been written
        running  8 bytes    requests at this moment
        number   64 × 8     answered requests, by interval number modulo 64
        seconds  64 × 8     their summed time

An entry lies in one of eight places that its key says. One that nobody has written for longer than a window is free.
"""

import fcntl
import hashlib
import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedWriter
from pathlib import Path
from typing import Final

INTERVAL_S: Final = 5.0
_RING: Final = 64
_ENTRIES: Final = 4096
_PLACES: Final = 8
_WORDS: Final = 4 + 2 * _RING
_SECTION_BYTES: Final = _ENTRIES * _WORDS * 8
_STRIDE: Final = (1 + _SECTION_BYTES // mmap.PAGESIZE) * mmap.PAGESIZE
_NEWEST, _RUNNING, _NUMBER, _SECONDS = 2, 3, 4, 4 + _RING


@dataclass(frozen=True, slots=True)
class Spent:
    """What happened in one interval that ended at `ended`."""

    ended: float
    requests: int
    seconds: float


def make_pool(path: Path, workers: int) -> None:
    """The file that `workers` processes share."""
    with path.open("wb") as file:
        file.truncate(workers * _STRIDE)


def claim_section(path: Path) -> int:
    """The number of a free section, which stays this process's until it ends, however that may be. Raises `OSError`
    when every one is taken."""
    for number in range(path.stat().st_size // _STRIDE):
        file = path.with_name(f"{path.name}.{number}").open("ab")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            continue
        _claimed.append(file)
        return number
    raise OSError("every section of the shared usage is taken")


_claimed: Final[list[BufferedWriter]] = []
"""Files whose locks hold what was claimed: a lock goes when its file is closed."""


class PooledUsage:
    """One worker's view of the shared file."""

    def __init__(self, path: Path, window_s: float, section: int) -> None:
        """`section` is the one to write to, which `claim_section` gave."""
        self._intervals = int(window_s // INTERVAL_S)
        self._own_number = section
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 0)
        own = section * _STRIDE
        if any(self._memory[own : own + _SECTION_BYTES]):
            self._memory[own : own + _SECTION_BYTES] = bytes(_SECTION_BYTES)  # of a worker that has ended
        whole = memoryview(self._memory)
        parts = [whole[at : at + _SECTION_BYTES] for at in range(0, len(whole), _STRIDE)]
        self._sections = [part.cast("d") for part in parts]
        self._keys = [part.cast("Q") for part in parts]

    def running(self, key: bytes) -> int:
        """Requests of the user that other workers have in hand."""
        return sum(int(self._sections[section][at + _RUNNING]) for section, at in self._others(key))

    def spent(self, key: bytes, now: float) -> Iterator[Spent]:
        """What other workers did for the user within the window, interval by interval, in no order."""
        current = int(now // INTERVAL_S)
        for section, at in self._others(key):
            values = self._sections[section]
            newest = int(values[at + _NEWEST])
            for interval in range(max(current - self._intervals, newest - _RING + 1), newest + 1):
                requests = values[at + _NUMBER + interval % _RING]
                if requests:
                    yield Spent((interval + 1) * INTERVAL_S, int(requests), values[at + _SECONDS + interval % _RING])

    def totals(self, key: bytes, now: float) -> tuple[int, float]:
        """The sums of `spent`: requests and seconds."""
        requests, seconds = 0, 0.0
        for each in self.spent(key, now):
            requests += each.requests
            seconds += each.seconds
        return requests, seconds

    def begin(self, key: bytes, now: float) -> None:
        """Tell the others that this worker has a request of the user in hand."""
        at = self._own(key, now)
        self._sections[self._own_number][at + _RUNNING] += 1

    def end(self, key: bytes, now: float, seconds: float) -> None:
        """Tell the others that it has been answered."""
        at = self._own(key, now)
        values = self._sections[self._own_number]
        values[at + _RUNNING] = max(0.0, values[at + _RUNNING] - 1)
        interval = int(now // INTERVAL_S) % _RING
        values[at + _NUMBER + interval] += 1
        values[at + _SECONDS + interval] += seconds

    def _others(self, key: bytes) -> Iterator[tuple[int, int]]:
        """Where other workers have an entry for the user: section and word."""
        first, high, low = _place(key)
        for section, keys in enumerate(self._keys):
            if section == self._own_number:
                continue
            for step in range(_PLACES):
                at = (first + step) % _ENTRIES * _WORDS
                if keys[at] == high and keys[at + 1] == low:
                    yield section, at
                    break

    def _own(self, key: bytes, now: float) -> int:
        """This worker's entry for the user, with its ring moved on to the present."""
        first, high, low = _place(key)
        keys, values = self._keys[self._own_number], self._sections[self._own_number]
        current = int(now // INTERVAL_S)
        places = [(first + step) % _ENTRIES * _WORDS for step in range(_PLACES)]
        at = next((place for place in places if keys[place] == high and keys[place + 1] == low), None)
        if at is None:
            at = min(places, key=lambda place: (values[place + _RUNNING], values[place + _NEWEST]))
            for word in range(2, _WORDS):
                values[at + word] = 0.0
            keys[at], keys[at + 1] = high, low
            values[at + _NEWEST] = float(current)
        newest = int(values[at + _NEWEST])
        for interval in range(max(newest + 1, current - _RING + 1), current + 1):
            values[at + _NUMBER + interval % _RING] = 0.0
            values[at + _SECONDS + interval % _RING] = 0.0
        values[at + _NEWEST] = float(max(newest, current))
        return at


def usage_key(environment: str, user_id: str) -> bytes:
    """The sixteen bytes that stand for a user of an environment."""
    return hashlib.blake2b(f"{environment}\n{user_id}".encode(), digest_size=16).digest()


def _place(key: bytes) -> tuple[int, int, int]:
    high, low = int.from_bytes(key[:8]), int.from_bytes(key[8:])
    return low % _ENTRIES, high, low
