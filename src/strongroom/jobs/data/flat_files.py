"""CSV (RFC 4180) and JSON lines: one table in one file, read row by row.

CSV has a line of headers; comma, semicolon or tab, whichever the headers are parted by. Both are UTF-8, a byte order
mark is passed over. A row that cannot be read is a row with a problem: the others are not lost for it.
"""

import csv
import json
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import cast

from strongroom.errors import InvalidRequest
from strongroom.ids import parse_guid
from strongroom.jobs.data.neutral import original
from strongroom.jobs.data.shapes import Cell, InputRow, LookupCell, TableInput

LONGEST_CELL = 4 * 1024 * 1024
"""Characters in one cell of a CSV: four times what the longest column takes."""

LONGEST_LINE = 32 * 1024 * 1024
"""Bytes in one line of JSON."""

MOST_COLUMNS = 2000


def csv_table(path: Path, table: str) -> TableInput:
    """The table in a CSV. Raises `InvalidRequest` without usable headers."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        first = file.readline(LONGEST_CELL)
    delimiter = max(",;\t", key=first.count)
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            csv.field_size_limit(LONGEST_CELL)  # a setting of the whole process; nothing else here reads CSV
            headers = tuple(
                cell.strip() for cell in next(csv.reader(file, delimiter=delimiter, strict=True), list[str]())
            )
        except csv.Error as error:
            raise InvalidRequest(f"The headers of '{path.name}' cannot be read: {error}.") from None
    checked_headers(path, headers)
    rows = partial(_csv_rows, path, delimiter, headers)
    return TableInput(table, headers, rows, sum(1 for _ in rows()))


def checked_headers(path: Path, headers: tuple[str, ...]) -> tuple[str, ...]:
    """Headers that are all there and differ. Raises `InvalidRequest`."""
    if not headers or not all(headers):
        raise InvalidRequest(f"'{path.name}' needs a first line that names every column.")
    if len(headers) > MOST_COLUMNS:
        raise InvalidRequest(f"'{path.name}' has more than {MOST_COLUMNS} columns.")
    twice = sorted({each for each in headers if headers.count(each) > 1})
    if twice:
        raise InvalidRequest(f"'{path.name}' has columns of the same name: {', '.join(twice)}.")
    return headers


def _csv_rows(path: Path, delimiter: str, headers: tuple[str, ...]) -> Iterator[InputRow]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        next(reader)
        number, line = 0, reader.line_num + 1
        while True:
            problem, cells = None, list[str]()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                problem = f"The line is no CSV: {error}."
            if cells or problem:
                number += 1
                if problem is None and len(cells) != len(headers):
                    problem = f"The row has {len(cells)} cells; the headers name {len(headers)} columns."
                known = {name: original(cell) for name, cell in zip(headers, cells, strict=False)}
                yield InputRow(number, line, known, problem)
            line = reader.line_num + 1


def json_lines_table(path: Path, table: str) -> TableInput:
    """The table in a file of JSON lines; its headers are all names that any line has."""
    headers: dict[str, None] = {}
    total = 0
    for row in _json_rows(path):
        headers.update(dict.fromkeys(row.cells))
        total += 1
        if len(headers) > MOST_COLUMNS:
            raise InvalidRequest(f"'{path.name}' has more than {MOST_COLUMNS} columns.")
    return TableInput(table, tuple(headers), partial(_json_rows, path), total)


def _json_rows(path: Path) -> Iterator[InputRow]:
    with path.open("rb") as file:
        number = line = 0
        while raw := file.readline(LONGEST_LINE):
            line += 1
            if line == 1:
                raw = raw.removeprefix(b"\xef\xbb\xbf")
            if not raw.endswith(b"\n") and len(raw) == LONGEST_LINE:
                raise InvalidRequest(f"Line {line} of '{path.name}' is longer than {LONGEST_LINE // 2**20} MiB.")
            if raw.strip():
                number += 1
                yield _json_row(number, line, raw)


def _json_row(number: int, line: int, raw: bytes) -> InputRow:
    try:
        found: object = json.loads(raw, parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        return InputRow(number, line, {}, f"The line is no JSON: {error}.")
    if not isinstance(found, dict):
        return InputRow(number, line, {}, "The line is no JSON object.")
    try:
        cells = {name: _json_cell(name, value) for name, value in cast("dict[str, object]", found).items()}
    except InvalidRequest as error:
        return InputRow(number, line, {}, error.message)
    return InputRow(number, line, cells)


def _json_cell(name: str, value: object) -> Cell:
    """Numbers and texts as they are; an object is a lookup with `table`, `id`, `name`, a list choices or parties."""
    if value is None or isinstance(value, str | bool | int | float | Decimal):
        return value
    if isinstance(value, list):
        return cast("list[object]", value)
    parts = cast("dict[str, object]", value)
    unknown = set(parts) - {"table", "id", "name"}
    if unknown or not all(each is None or isinstance(each, str) for each in parts.values()):
        raise InvalidRequest(f"'{name}': a lookup is an object of the texts 'table', 'id' and 'name'.")
    texts = cast("dict[str, str | None]", parts)
    row_id = texts.get("id")
    guid = parse_guid(row_id) if row_id else None
    if row_id and guid is None:
        raise InvalidRequest(f"'{name}': '{row_id[:60]}' is no GUID.")
    return LookupCell(texts.get("table"), guid, texts.get("name"))


def _no_number(word: str) -> object:
    raise ValueError(f"{word} is no number")
