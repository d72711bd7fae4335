"""Making a home aside and putting it in place whole, so that a half-filled one is never found under its name."""

import fcntl
import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from strongroom.errors import HomeError
from strongroom.keys.disk import Disk


@contextmanager
def put_in_place(path: Path) -> Generator[Path]:
    """The folder in which to make the home that shall be at `path`.

    When the block ends, the folder gets the name `path`; when it raises, nothing is left. What a killed process left
    behind is removed by the next try. An existing empty folder (it may be a mount) is filled where it is.
    """
    if path.exists():
        yield path
        return
    partial = path.with_name(f".{path.name}.partial")
    lock = _only_maker(path, partial)
    try:
        yield partial
        partial.rename(path)
        Disk().sync_folder(path.parent)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    finally:
        os.close(lock)


def _only_maker(path: Path, partial: Path) -> int:
    """An empty folder `partial`, locked. Raises `HomeError` while another process holds it."""
    try:
        partial.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(partial, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise HomeError(f"{path} cannot be made: {error.strerror}.") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise HomeError(f"Another process is making the home {path} right now.") from None
    for entry in partial.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    return lock
