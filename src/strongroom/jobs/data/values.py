"""A cell of a file → the value that a column takes, as Dataverse's import reads it; lookups are `lookups`' matter.

Choices and booleans come by value or by label, numbers plain (`1234.5`), dates in ISO form. A date-time without a time
zone is clock time where the importing user is. What could mean two things is refused, not guessed.
"""

import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from strongroom.errors import InvalidRequest, PayloadError
from strongroom.jobs.data.shapes import Cell
from strongroom.query.dates import FIRST_DAY, to_utc
from strongroom.schema.model import Column, ColumnType, DateBehavior, Option
from strongroom.store.layout import fold
from strongroom.store.protocol import Value

_WHOLE = re.compile(r"[+-]?[0-9]{1,19}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?")
_CURRENCY_SIGN = re.compile(r"^(-?)\s*[$€£¥]\s*")
_MOMENT = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[Tt ](?P<time>[0-9]{2}:[0-9]{2}(?::[0-9]{2})?)(?:\.[0-9]+)?)?"
    r"(?P<zone>[Zz]|[+-][0-9]{2}:[0-9]{2})?"
)
_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_NUMBERS = frozenset({ColumnType.DECIMAL, ColumnType.DOUBLE, ColumnType.MONEY})
_WHOLES = frozenset({ColumnType.INTEGER, ColumnType.BIGINT})
IMPORTED = frozenset(
    {
        *(ColumnType.STRING, ColumnType.MEMO, ColumnType.ENTITYNAME, ColumnType.UNIQUEIDENTIFIER, ColumnType.DATETIME),
        *(ColumnType.BOOLEAN, ColumnType.PICKLIST, ColumnType.STATE, ColumnType.STATUS, ColumnType.MULTISELECT),
        *(ColumnType.LOOKUP, ColumnType.CUSTOMER, ColumnType.OWNER),
        *_NUMBERS,
        *_WHOLES,
    }
)
"""Types whose values stand in the cells of files; files, images and party lists come along besides."""


def value_of(column: Column, cell: Cell, time_zone: str) -> Value:
    """What a plain column gets from `cell`; None for an empty one. Raises `InvalidRequest`."""
    if cell is None or cell == "":
        return None
    if column.type.is_text or column.type in (ColumnType.ENTITYNAME, ColumnType.UNIQUEIDENTIFIER):
        return _text(column, cell)
    if column.type is ColumnType.MULTISELECT:
        return ",".join(str(number) for number in _choices(column, cell))
    if column.type.is_choice:
        return _choice(column, cell)
    if column.type is ColumnType.BOOLEAN:
        return _boolean(column, cell)
    if column.type is ColumnType.DATETIME:
        return _date(column, cell, time_zone)
    return _number(column, cell)


def _text(column: Column, cell: Cell) -> Value:
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, int | Decimal):
        return str(cell)
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, date):
        return cell.isoformat()
    raise _unfit(column, "a text")


def _number(column: Column, cell: Cell) -> Value:
    is_whole = column.type in _WHOLES
    wanted = "a whole number such as 1234" if is_whole else "a number such as 1234.5, without thousands separators"
    if isinstance(cell, bool) or not isinstance(cell, str | int | float | Decimal):
        raise _unfit(column, wanted)
    if not isinstance(cell, str):
        return cell
    text = cell.strip()
    if column.type is ColumnType.MONEY:
        text = _CURRENCY_SIGN.sub(r"\1", text)
    if not (_WHOLE if is_whole else _NUMBER).fullmatch(text):
        raise _unfit(column, wanted, cell)
    return int(text) if is_whole else Decimal(text)


def _boolean(column: Column, cell: Cell) -> Value:
    if isinstance(cell, bool):
        return cell
    if isinstance(cell, int | float | Decimal) and cell in (0, 1):
        return bool(cell)
    if isinstance(cell, str):
        labelled = _by_label(column.options, cell)
        if len(labelled) == 1:
            return bool(labelled[0])
        if (word := _WORDS.get(fold(cell.strip()))) is not None:
            return word
    labels = " or ".join(f"'{option.label}'" for option in column.options)
    raise _unfit(column, f"true or false{f', {labels}' if labels else ''}", cell)


def _choice(column: Column, cell: Cell) -> int:
    if (isinstance(cell, float) and cell.is_integer()) or (
        isinstance(cell, Decimal) and cell == cell.to_integral_value()
    ):
        cell = int(cell)
    if isinstance(cell, int) and not isinstance(cell, bool):
        return cell
    if not isinstance(cell, str):
        raise _unfit(column, "the number or the label of a choice")
    if _WHOLE.fullmatch(cell.strip()):
        return int(cell)
    found = _by_label(column.options, cell)
    if len(found) > 1:
        numbers = ", ".join(str(number) for number in found)
        raise PayloadError(f"'{cell[:100]}' is the label of several choices of '{column.logical_name}': {numbers}.")
    if not found:
        known = ", ".join(f"'{option.label}'" for option in column.options[:12])
        raise _unfit(column, f"the number or the label of a choice: {known or 'a number'}", cell)
    return found[0]


def _choices(column: Column, cell: Cell) -> list[int]:
    """Numbers with commas, or numbers and labels with semicolons."""
    if isinstance(cell, list):
        parts: Sequence[Cell] = [each for each in cell if isinstance(each, str | int)]
        if len(parts) != len(cell):
            raise _unfit(column, "a list of numbers or labels")
    elif isinstance(cell, str):
        is_numbers = all(_WHOLE.fullmatch(part.strip()) for part in cell.split(","))
        parts = [part for part in cell.split("," if is_numbers else ";") if part.strip()]
    else:
        parts = [cell]
    return [_choice(column, part) for part in parts]


def _by_label(options: Sequence[Option], text: str) -> list[int]:
    wanted = fold(text.strip())
    return [option.value for option in options if fold(option.label) == wanted]


def _date(column: Column, cell: Cell, time_zone: str) -> Value:
    if isinstance(cell, datetime):
        text = cell.isoformat()
        if column.is_date_only or (column.format == "DateOnly" and text.endswith("T00:00:00")):
            text = text[:10] if text.endswith("T00:00:00") else text
    elif isinstance(cell, date):
        text = cell.isoformat()
    elif isinstance(cell, str):
        text = cell.strip()
    else:
        raise _unfit(column, "a date such as 2024-05-01 or 2024-05-01T10:15:00Z")
    match = _MOMENT.fullmatch(text)
    if match is None:
        raise _unfit(column, "a date such as 2024-05-01 or 2024-05-01T10:15:00Z", text)
    day, time, zone = match["day"], match["time"], match["zone"]
    if time is None and (column.is_date_only or column.format == "DateOnly"):
        return day
    if zone or column.is_date_only or column.behavior is DateBehavior.TIME_ZONE_INDEPENDENT:
        return f"{day}T{time or '00:00:00'}{zone or ''}"
    try:
        local = datetime.fromisoformat(f"{day}T{time or '00:00:00'}")
        if local.date() >= FIRST_DAY:
            return to_utc(local, time_zone)
    except ValueError:
        pass
    raise _unfit(column, "a date that exists, from 1753-01-01 to 9999-12-31", text)


def _unfit(column: Column, wanted: str, cell: object = None) -> InvalidRequest:
    said = f", not '{str(cell)[:100]}'" if cell is not None else ""
    return PayloadError(f"'{column.logical_name}' takes {wanted}{said}.")
