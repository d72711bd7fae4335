"""The files of a solution export, from a zip or from a folder, within limits.

An export comes from somebody else. Its names must not lead out of it, what it unpacks to must stay within bounds, and
nothing of it is written to disk.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from strongroom.errors import InvalidRequest, TooLarge

MOST_FILES = 20_000
MOST_BYTES = 512 * 1024 * 1024
MOST_RATIO = 200
_MOST_BESIDE = 500_000
_SMALL = 1 << 20
"""Up to so many bytes a file may be packed as tightly as it likes: a megabyte of blanks is no attack."""

_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    NotImplementedError,  # a way of packing that is not known
    RuntimeError,  # a password
    EOFError,
    ValueError,
    OSError,
)


@dataclass(frozen=True, slots=True)
class Archive:
    """Files by their path inside the solution, with `/` between its parts. `source` is what people know it by."""

    source: str
    files: Mapping[str, bytes]
    packed: bytes | None = None
    """The zip itself, where it came as one."""

    def find(self, *names: str) -> str | None:
        """The path of the first of these files that is there, in whatever case it is written."""
        by_lower = {path.lower(): path for path in self.files}
        return next((by_lower[name.lower()] for name in names if name.lower() in by_lower), None)


def open_archive(source: str, data: bytes) -> Archive:
    """The files of a zip. Raises `InvalidRequest` for what is none or is not safe, `TooLarge` beyond the limits."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            entries = [entry for entry in packed.infolist() if not entry.filename.endswith("/")]
            _check_sizes(source, entries)
            files = {name: _unpacked(source, packed, entry) for name, entry in _by_name(source, entries).items()}
    except _UNREADABLE as error:
        raise InvalidRequest(f"'{source}' is not a zip that can be read: {error}.") from None
    return Archive(source, _without_common_folder(files), data)


def open_beside(
    path: Path, is_beside: Callable[[str], object], most_bytes: int
) -> tuple[Archive, list[zipfile.ZipInfo]]:
    """The files of a zip on the disk, but for those that `is_beside` says: their entries, for `pieces_of`. These may be
    large; all others together are no more than `most_bytes` as they are packed.

    Raises `InvalidRequest` for what is no zip or is not safe, `TooLarge` beyond the limits."""
    try:
        with zipfile.ZipFile(path) as packed:
            entries = [entry for entry in packed.infolist() if not entry.filename.endswith("/")]
            held = [entry for entry in entries if not is_beside(entry.filename)]
            if len(entries) > _MOST_BESIDE or sum(entry.compress_size for entry in held) > most_bytes:
                raise _too_large(path.name)
            _check_sizes(path.name, held)
            named = _by_name(path.name, entries)
            files = {
                name: _unpacked(path.name, packed, entry)
                for name, entry in named.items()
                if not is_beside(entry.filename)
            }
    except _UNREADABLE as error:
        raise InvalidRequest(f"'{path.name}' is not a zip that can be read: {error}.") from None
    return Archive(path.name, files), [entry for entry in entries if is_beside(entry.filename)]


def pieces_of(path: Path, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """The content of an entry, piece by piece, no longer than the directory of the zip says."""
    left = entry.file_size
    try:
        with zipfile.ZipFile(path) as packed, packed.open(entry) as stream:
            while piece := stream.read(_SMALL):
                left -= len(piece)
                if left < 0:
                    raise TooLarge(f"'{path.name}' lies about the size of '{entry.filename[:100]}'.")
                yield piece
    except _UNREADABLE as error:
        raise InvalidRequest(f"'{entry.filename[:100]}' of '{path.name}' cannot be read: {error}.") from None


def open_source(source: Path) -> Archive:
    """A zip or a folder. Raises `InvalidRequest` for what is neither."""
    if source.is_dir():
        return read_folder(source)
    if source.suffix.lower() != ".zip":
        raise InvalidRequest(f"'{source}' is neither a folder nor a .zip.")
    return open_archive(source.name, source.read_bytes())


def read_folder(folder: Path) -> Archive:
    """The files below a folder. Links are not followed. Raises `InvalidRequest` or `TooLarge`."""
    files: dict[str, bytes] = {}
    total = 0
    for path in _walk(folder):
        total += path.stat().st_size
        if len(files) >= MOST_FILES or total > MOST_BYTES:
            raise _too_large(str(folder))
        files[path.relative_to(folder).as_posix()] = path.read_bytes()
    return Archive(folder.name, files)


def _walk(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and ".git" not in path.parts:
            yield path


def _check_sizes(source: str, entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MOST_FILES or sum(entry.file_size for entry in entries) > MOST_BYTES:
        raise _too_large(source)
    for entry in entries:
        if entry.file_size > _SMALL and entry.file_size > MOST_RATIO * max(entry.compress_size, 1):
            raise TooLarge(f"'{source}' is packed tighter than any export is: '{entry.filename[:100]}'.")


def _unpacked(source: str, packed: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """The content, which must not be longer than the directory of the zip says."""
    with packed.open(entry) as stream:
        found = stream.read(entry.file_size + 1)
    if len(found) > entry.file_size:
        raise TooLarge(f"'{source}' lies about the size of '{entry.filename[:100]}'.")
    return found


def _by_name(source: str, entries: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    """The entries by their names, which must differ by more than case: which of two holds would depend on who reads."""
    found: dict[str, zipfile.ZipInfo] = {}
    seen: set[str] = set()
    for entry in entries:
        name = _checked_name(source, entry.filename)
        if name.lower() in seen:
            raise InvalidRequest(f"'{source}' holds '{name[:100]}' twice.")
        seen.add(name.lower())
        found[name] = entry
    return found


def _checked_name(source: str, name: str) -> str:
    path = PurePosixPath(name.replace("\\", "/"))
    if not path.parts or path.is_absolute() or ".." in path.parts or ":" in path.parts[0] or "\x00" in name:
        raise InvalidRequest(f"'{source}' names a file outside of itself: '{name[:100]}'.")
    return path.as_posix()


def _without_common_folder(files: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """Without the one folder that all files are in: an unpacked solution is often zipped with its own folder."""
    first = {path.split("/", 1)[0] for path in files if "/" in path}
    if len(first) == 1 and all("/" in path for path in files) and not first & {"Other", "other"}:
        (folder,) = first
        return {path.removeprefix(f"{folder}/"): data for path, data in files.items()}
    return files


def _too_large(source: str) -> TooLarge:
    return TooLarge(f"'{source}' holds more than {MOST_FILES:,} files or {MOST_BYTES // 1024 // 1024} MiB.")
