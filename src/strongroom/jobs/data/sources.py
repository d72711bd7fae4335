"""Opening what is imported: which format it is, whether it is too large, and the SHA-256 that it is known by."""

import codecs
import hashlib
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from strongroom.errors import InvalidRequest, TooLarge
from strongroom.jobs.data.excel import excel_table
from strongroom.jobs.data.flat_files import csv_table, json_lines_table
from strongroom.jobs.data.package import read_package
from strongroom.jobs.data.shapes import InputLink, TableInput

MOST_BYTES = 2 * 1024 * 1024 * 1024
_PIECE = 1 << 20


class Format(Enum):
    """A format of files with rows. The value is what `--format` takes."""

    CSV = "csv"
    JSONL = "jsonl"
    XLSX = "xlsx"
    PACKAGE = "package"


_ENDINGS = {
    ".csv": Format.CSV,
    ".tsv": Format.CSV,
    ".jsonl": Format.JSONL,
    ".ndjson": Format.JSONL,
    ".xlsx": Format.XLSX,
    ".zip": Format.PACKAGE,
}


@dataclass(frozen=True, slots=True)
class FileSource:
    """A file that has been looked at."""

    fingerprint: str
    tables: tuple[TableInput, ...]
    links: tuple[InputLink, ...] = ()
    beside: Path | None = None


def format_of(path: Path) -> Format:
    """The format that the file's name says. Raises `InvalidRequest`."""
    found = _ENDINGS.get(path.suffix.lower())
    if found is None:
        raise InvalidRequest(f"'{path.name}' is none of {', '.join(_ENDINGS)}.")
    return found


def open_data(path: Path, table: str | None) -> FileSource:
    """Look at a file. `table` is the table of its rows; without it, the name of the file or of the sheet says.

    Raises `InvalidRequest` for what cannot be read, `TooLarge` beyond the limits.
    """
    kind = format_of(path)
    fingerprint = _fingerprint(path, is_text=kind in (Format.CSV, Format.JSONL))
    if kind is Format.PACKAGE:
        tables, links = read_package(path)
        if table is not None:
            tables, links = tuple(each for each in tables if each.table == table), ()
            if not tables:
                raise InvalidRequest(f"'{path.name}' holds no rows of '{table}'.")
        return FileSource(fingerprint, tables, links)
    if kind is Format.XLSX:
        return FileSource(fingerprint, (excel_table(path, table),), beside=path)
    name = table or path.stem.lower()
    rows = csv_table(path, name) if kind is Format.CSV else json_lines_table(path, name)
    return FileSource(fingerprint, (rows,), beside=path)


def _fingerprint(path: Path, *, is_text: bool) -> str:
    """The SHA-256; and that a text is UTF-8 all through, so that no import stops in the middle for it."""
    if path.stat().st_size > MOST_BYTES:
        raise TooLarge(f"'{path.name}' is larger than {MOST_BYTES // 2**30} GiB; split it.")
    digest = hashlib.sha256()
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
            if is_text:
                try:
                    decoder.decode(piece)
                except UnicodeDecodeError:
                    raise InvalidRequest(f"'{path.name}' is not UTF-8; save it as UTF-8 first.") from None
    return digest.hexdigest()
