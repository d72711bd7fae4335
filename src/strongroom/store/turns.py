"""Whose turn it is to write to a SQLCipher file, across processes.

SQLite lets writers who find the file busy try again after ever longer pauses, so a process that writes all the time
starves the others. Here each writer holds a lock on an empty file beside the database, for which the kernel keeps a
queue. Waiting has an end (`Unavailable`), because the holder may hang.
"""

import fcntl
import os
from pathlib import Path
from threading import Event, Lock, Thread

from strongroom.errors import Unavailable

TIMEOUT_S = 30.0


class Turn:
    """One process's place in the queue of one database; used by one thread at a time."""

    def __init__(self, path: Path, timeout_s: float = TIMEOUT_S) -> None:
        self._path = path
        self._timeout_s = timeout_s
        self._handle = _open(path)
        self._held: int | None = None

    def take(self) -> None:
        """Wait for the turn. Raises `Unavailable` when it does not come in time."""
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._held = self._handle
        except BlockingIOError:
            self._held = _Wait(self._path).handle(self._timeout_s)

    def end(self) -> None:
        """Give the turn to the next one; nothing happens when it is not ours."""
        held, self._held = self._held, None
        if held is None:
            return
        if held == self._handle:
            fcntl.flock(held, fcntl.LOCK_UN)
        else:
            os.close(held)

    def is_taken(self) -> bool:
        """Whether somebody has the turn now, in this process or another: who asks for it would wait."""
        probe = _open(self._path)
        try:
            fcntl.flock(probe, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(probe)
        return False

    def close(self) -> None:
        """Leave the queue."""
        self.end()
        os.close(self._handle)


class _Wait:
    """Waits in a thread, since the kernel's queue knows no time limit. Who has given up lets go when the turn comes."""

    def __init__(self, path: Path) -> None:
        self._handle = _open(path)
        self._decided = Lock()
        self._has_turn = Event()
        self._has_given_up = False
        Thread(target=self._block, daemon=True).start()

    def handle(self, timeout_s: float) -> int:
        """The handle that holds the lock."""
        if not self._has_turn.wait(timeout_s):
            with self._decided:
                if not self._has_turn.is_set():
                    self._has_given_up = True
                    raise Unavailable("The environment is busy with the changes of another process; try again.")
        return self._handle

    def _block(self) -> None:
        fcntl.flock(self._handle, fcntl.LOCK_EX)
        with self._decided:
            if self._has_given_up:
                os.close(self._handle)
            else:
                self._has_turn.set()


def _open(path: Path) -> int:
    return os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
