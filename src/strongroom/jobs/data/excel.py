"""Excel workbooks: one table in a sheet, headers in its first row. Formulas count as the values they last had.

A workbook is a zip of XML from somebody else: it is measured as such before `openpyxl` reads it, which takes the XML
through `defusedxml`.
"""

import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import cast
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile

from defusedxml.common import DefusedXmlException
from openpyxl import Workbook, load_workbook
from openpyxl.cell import Cell as SheetCell
from openpyxl.cell import WriteOnlyCell
from openpyxl.utils.exceptions import InvalidFileException

from strongroom.errors import InvalidRequest, TooLarge
from strongroom.jobs.data.flat_files import checked_headers
from strongroom.jobs.data.neutral import neutral, original
from strongroom.jobs.data.private_files import owner_only
from strongroom.jobs.data.shapes import Cell, InputRow, TableInput
from strongroom.solutions.archive import open_archive

MOST_BYTES = 64 * 1024 * 1024
LONGEST_TEXT = 32_767
"""Characters that Excel keeps in one cell."""

_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")
_LOST = re.compile("[\x01-\x08\x0b-\x1f\ufffe\uffff]")

_UNREADABLE = (
    InvalidFileException,
    BadZipFile,
    DefusedXmlException,
    ParseError,
    KeyError,
    ValueError,
    TypeError,
    IndexError,
    AttributeError,
)


def excel_table(path: Path, table: str | None) -> TableInput:
    """The table in the first sheet; its name is `table`, or else the sheet's title. Raises `InvalidRequest`."""
    if path.stat().st_size > MOST_BYTES:
        raise TooLarge(f"'{path.name}' is larger than {MOST_BYTES // 2**20} MiB; CSV may be larger.")
    open_archive(path.name, path.read_bytes())
    try:
        with _sheet(path) as (title, rows):
            headers = tuple(str(cell).strip() for cell in _trimmed(next(rows, ())))
            total = sum(1 for row in rows if _trimmed(row))
    except _UNREADABLE as error:
        raise InvalidRequest(f"'{path.name}' is no Excel workbook that can be read: {type(error).__name__}.") from None
    return TableInput(
        table or title, checked_headers(path, headers), partial(_rows, path, len(headers), headers), total
    )


@contextmanager
def _sheet(path: Path) -> Generator[tuple[str, Iterator[Sequence[object]]]]:
    """The title and the rows of the first sheet. What the file says of the sheet's size may be wrong."""
    book = load_workbook(path, read_only=True, data_only=True)
    try:
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType] -- read-only ones have it
        yield sheet.title, cast("Iterator[Sequence[object]]", sheet.iter_rows(values_only=True))
    finally:
        book.close()


def _rows(path: Path, width: int, headers: tuple[str, ...]) -> Iterator[InputRow]:
    with _sheet(path) as (_, rows):
        number = 0
        for line, row in enumerate(rows, 1):
            cells = _trimmed(row)
            if line == 1 or not cells:
                continue
            number += 1
            problem = None
            if len(cells) > width:
                problem = f"The row has {len(cells)} cells; the headers name {width} columns."
            padded = [*cells, *([None] * (width - len(cells)))]
            known = {name: _cell(cell) for name, cell in zip(headers, padded, strict=False)}
            yield InputRow(number, line, known, problem)


def _trimmed(row: Sequence[object]) -> Sequence[object]:
    """Without the empty cells at its end."""
    end = len(row)
    while end and row[end - 1] in (None, ""):
        end -= 1
    return row[:end]


def _cell(value: object) -> Cell:
    if isinstance(value, str):
        return original(_ESCAPE.sub(lambda found: chr(int(found[1], 16)), value))
    if value is None or isinstance(value, bool | int | float | date | datetime):
        return value
    return str(value)  # a time of day, a length of time: refused by the column, by its text


def _escaped(text: str) -> str:
    """`text` as workbooks hold it: `_x000D_` for characters that XML loses, `_x005F_` before what only looks so."""
    text = _ESCAPE.sub(lambda found: f"_x005F{found[0]}", text)
    return _LOST.sub(lambda found: f"_x{ord(found[0]):04X}_", text)


class ExcelWriter:
    """Writes one table into a new workbook, row by row."""

    def __init__(self, path: Path, table: str, headers: Sequence[str]) -> None:
        self._path = path
        self._book = Workbook(write_only=True)
        self._sheet = self._book.create_sheet(table[:31])
        self._headers = headers
        self._sheet.append([self._text(header) for header in headers])

    def write(self, values: Sequence[Cell]) -> None:
        """Add a row. Raises `InvalidRequest` for a text that is too long for a cell."""
        self._sheet.append([self._text(value) if isinstance(value, str) else value for value in values])

    def close(self) -> None:
        """Write the file."""
        with open(self._path, "wb", opener=owner_only) as file:
            self._book.save(file)

    def _text(self, text: str) -> SheetCell:
        """A cell that is a text, whatever it begins with."""
        text = _escaped(neutral(text))
        if len(text) > LONGEST_TEXT:
            raise InvalidRequest(f"A text is longer than the {LONGEST_TEXT:,} characters of a cell; use csv or jsonl.")
        cell = WriteOnlyCell(self._sheet, text)
        cell.data_type = "s"
        return cell
