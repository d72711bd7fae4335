"""Contents of files and images beside a file of rows: the folder `<file>.files`.

A cell holds the path of its content below that folder, `account/<id>/new_file/report.pdf`; the last part is the name
that the file has in its row. A path that leads out of the folder, by itself or by a link, is refused: whoever wrote
the rows may not choose what of this machine is read.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from strongroom.errors import InvalidRequest
from strongroom.jobs.data.private_files import owner_only
from strongroom.jobs.data.shapes import FileCell

PIECE = 1 << 20
_LONGEST_NAME = 200
"""Bytes: file systems take 255."""


def folder_beside(path: Path) -> Path:
    """Where the contents of the rows in `path` are."""
    return path.with_name(f"{path.name}.files")


def content_at(folder: Path, said: str) -> FileCell:
    """The content that a cell names. Raises `InvalidRequest` for one that is not there, or not in the folder."""
    parts = PurePosixPath(said.replace("\\", "/"))
    if parts.is_absolute() or ".." in parts.parts or not parts.parts or ":" in parts.parts[0] or "\x00" in said:
        raise InvalidRequest(f"'{said[:100]}' leads out of '{folder.name}', where contents are.")
    found = (folder / parts).resolve()
    if not found.is_relative_to(folder.resolve()):
        raise InvalidRequest(f"'{said[:100]}' leads out of '{folder.name}' by a link.")
    if not found.is_file():
        raise InvalidRequest(f"There is no file '{said[:100]}' in '{folder.name}'.")
    return FileCell(parts.name, found.stat().st_size, lambda: _pieces(found))


@dataclass(slots=True)
class ContentsWriter:
    """Writes contents into a folder that comes into being with the first one."""

    folder: Path
    number: int = field(default=0, init=False)

    def add(self, table: str, row_id: str, column: str, cell: FileCell) -> str:
        """Write a content; what its cell holds."""
        place = PurePosixPath(table, row_id, column, _safe(cell.name))
        path = self.folder / place
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(path, "xb", opener=owner_only) as file:
            for piece in cell.pieces():
                file.write(piece)
        self.number += 1
        return place.as_posix()


def write_content(path: Path, size: int, read: Callable[[int, int], bytes]) -> None:
    """Write `size` bytes that `read` gives from a start up to an end to a new file, which appears when it is whole."""
    part = path.with_name(f"{path.name}.part")
    try:
        with open(part, "xb", opener=owner_only) as file:
            for start in range(0, size, PIECE):
                file.write(read(start, min(start + PIECE, size)))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece


def _safe(name: str) -> str:
    """A name that every file system takes: not hidden, no separators, not too long."""
    plain = name.replace("/", "_").replace("\\", "_").replace(":", "_").lstrip(".") or "file"
    if len(plain.encode()) <= _LONGEST_NAME:
        return plain
    ending = PurePosixPath(plain).suffix[:20]
    return plain.encode()[: _LONGEST_NAME - len(ending.encode())].decode(errors="ignore") + ending
