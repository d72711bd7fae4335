"""The few file operations that the key ring is made of, in one replaceable place.

A change of the ring must survive a loss of power between any two of them (R2). The tests put a simulated disk here
that forgets what was not synced; the program uses `Disk` itself.
"""

import fcntl
import os
import stat
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from strongroom.errors import HomeError

OWNER_ONLY = 0o600
_LOOK_S = 0.02
"""Between two looks at a lock that another process holds: the kernel's own waiting has no end."""

Signature = tuple[int, int, int]


class Disk:
    """The real disk. Every method is one step after which power may fail."""

    def read(self, path: Path) -> bytes | None:
        """The bytes of the file, or None when there is no such file."""
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None

    def write(self, path: Path, data: bytes) -> None:
        """Write the whole file, readable by its owner only; not yet durable."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, OWNER_ONLY)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, OWNER_ONLY)
            file.write(data)

    def sync(self, path: Path) -> None:
        """Make the content of a file durable."""
        _sync(path, os.O_RDONLY)

    def sync_folder(self, path: Path) -> None:
        """Make the names in a folder durable."""
        _sync(path, os.O_RDONLY | os.O_DIRECTORY)

    def rename(self, source: Path, target: Path) -> None:
        source.replace(target)

    def remove(self, path: Path) -> None:
        path.unlink(missing_ok=True)

    def signature(self, path: Path | str) -> Signature | None:
        """Something that differs after every replacement of the file; None when there is none."""
        try:
            found = os.stat(path)  # noqa: PTH116 - every request asks; `Path.stat` costs twice as much
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size

    def require_owner_only(self, path: Path) -> None:
        """Raise `HomeError` when anyone but the owner of the file may read or change it, or a stranger owns it."""
        found = path.stat()
        mode = stat.S_IMODE(found.st_mode)
        if mode & 0o077:
            raise HomeError(
                f"{path} has mode {mode:04o}, so others than its owner can use it; it must be 0600: chmod 600 {path}"
            )
        if found.st_uid not in (os.geteuid(), 0):
            raise HomeError(
                f"{path} belongs to another user (uid {found.st_uid}); it must belong to the server's user."
            )

    @contextmanager
    def lock(self, path: Path, *, wait: bool = True) -> Generator[bool]:
        """Hold the only lock of this name on the machine; it ends with the block or the process.

        Without `wait` the block runs also when another holder has the lock; it is told by False.
        """
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, OWNER_ONLY)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
                is_held = True
            except BlockingIOError:
                is_held = False
            yield is_held
        finally:
            os.close(descriptor)

    @contextmanager
    def share(self, path: Path, *, alone: bool, wait_s: float) -> Generator[bool]:
        """Hold a lock together with others, or `alone`, until the block ends; the block is told whether it has it.

        Whoever wants it alone waits for the others, at most `wait_s`.
        """
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, OWNER_ONLY)
        try:
            yield _flocked(descriptor, fcntl.LOCK_EX if alone else fcntl.LOCK_SH, wait_s)
        finally:
            os.close(descriptor)


def _flocked(descriptor: int, kind: int, wait_s: float) -> bool:
    limit = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= limit:
                return False
            time.sleep(_LOOK_S)


def replace_file(disk: Disk, path: Path, data: bytes) -> None:
    """Give `path` the content `data`, so that after a loss of power it holds either the old bytes or the new ones."""
    fresh = path.with_name(path.name + ".new")
    disk.write(fresh, data)
    disk.sync(fresh)
    disk.rename(fresh, path)
    disk.sync_folder(path.parent)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
