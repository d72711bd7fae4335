"""One JSON value of a write → the value of a column (WA-81 to WA-98, WA-113).

Types are settled here; lengths, ranges and options are the business of `records`. Whatever does not fit raises
`PayloadError` with the column, what came, and what would be right.
"""

import json
import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import cast

from strongroom.errors import PayloadError, ValueOutOfRange
from strongroom.ids import parse_guid
from strongroom.schema.model import Column, ColumnType, DateBehavior
from strongroom.store.protocol import Value

Json = None | bool | int | float | Decimal | str | list["Json"] | dict[str, "Json"]

MAX_DEPTH = 100
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.\d{1,9})?)?\s*(Z|z|[+-]\d\d:?\d\d)?",
)
_INTEGER = re.compile(r"[+-]?\d{1,19}")
_MULTI = re.compile(r"\s*-?\d{1,10}\s*(?:,\s*-?\d{1,10}\s*)*")


def read_json(body: bytes) -> Json:
    """A request body. Not UTF-8, not JSON, a repeated key, NaN, or nesting beyond 100 levels: 400 (WA-33, WA-108)."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PayloadError(f"The body is not valid UTF-8: byte {error.start} cannot be read.") from None
    if _depth(text) > MAX_DEPTH:
        raise PayloadError(f"The JSON body is nested deeper than {MAX_DEPTH} levels.")
    try:
        return cast(Json, json.loads(text, object_pairs_hook=_object, parse_float=Decimal, parse_constant=_constant))
    except json.JSONDecodeError as error:
        raise PayloadError(
            f"The body is not valid JSON: {error.msg} at line {error.lineno} column {error.colno}."
        ) from None
    except (RecursionError, InvalidOperation, ValueError) as error:
        raise PayloadError(f"The body is not valid JSON: {error}") from None


def read_object(body: bytes) -> dict[str, Json]:
    """A request body that must be one JSON object; an empty body counts as `{}`."""
    if not body.strip():
        return {}
    value = read_json(body)
    if not isinstance(value, dict):
        raise PayloadError(f"The body must be a JSON object, not {json_kind(value)}.")
    return value


def read_row(body: bytes) -> dict[str, Json]:
    """A request body that describes a row: a JSON object, `{}` at least (WA-108, WA-146)."""
    if not body.strip():
        raise PayloadError("The body is empty; a row is described by a JSON object, {} at least.")
    return read_object(body)


def json_kind(value: object) -> str:
    """`value`'s type in words."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float() | Decimal():
            return "a number"
        case str():
            return "a string"
        case list():
            return "an array"
        case _:
            return "an object"


def convert(column: Column, value: Json) -> Value:
    """The value of `column` that `value` stands for; null and the empty string are None (WA-81)."""
    if value is None:
        return None
    reader = _READERS.get(column.type)
    if reader is None:
        raise PayloadError(f"The column '{column.logical_name}' cannot be set in the body of a record.")
    return reader(column, value)


def _text(column: Column, value: Json) -> Value:
    if not isinstance(value, str):
        raise _wrong(column, value, "a string")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise PayloadError(f"The text of '{column.logical_name}' holds half of a surrogate pair.") from None
    if "\x00" in value:
        raise PayloadError(f"The text of '{column.logical_name}' holds the character U+0000.")
    return value or None


def _integer(column: Column, value: Json) -> Value:
    number: int | None = None
    match value:
        case bool():
            number = None
        case int():
            number = value
        case Decimal() if value.is_finite() and abs(value) < 10**19 and value == value.to_integral_value():
            number = int(value)
        case str() if _INTEGER.fullmatch(value.strip()):
            number = int(value)
        case _:
            number = None
    if number is None:
        raise _wrong(column, value, "a whole number")
    bits = 63 if column.type is ColumnType.BIGINT else 31
    if not -(1 << bits) <= number < 1 << bits:
        raise ValueOutOfRange(
            f"A validation error occurred. The value {number} of '{column.logical_name}' is outside the valid range.",
        )
    return number


def _decimal(column: Column, value: Json) -> Value:
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise _wrong(column, value, "a number")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise _wrong(column, value, "a number") from None
    if not number.is_finite() or number.adjusted() > 20:
        raise ValueOutOfRange(
            f"A decimal value provided is outside of the allowed values for this attribute: '{column.logical_name}'.",
            code="0x80044330",
        )
    return number


def _double(column: Column, value: Json) -> Value:
    number = _decimal(column, value)
    return float(cast(Decimal, number))


def _boolean(column: Column, value: Json) -> Value:
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and value in (0, 1):
        return value == 1
    raise _wrong(column, value, "true or false")


def _multi(column: Column, value: Json) -> Value:
    if value == "":
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not _MULTI.fullmatch(value):
        raise _wrong(column, value, "a comma list of option values such as '1,3,9'")
    return ",".join(str(number) for number in sorted({int(part) for part in value.split(",")}))


def _guid(column: Column, value: Json) -> Value:
    guid = parse_guid(value) if isinstance(value, str) else None
    if guid is None:
        raise _wrong(column, value, "a GUID")
    return guid


def _date_time(column: Column, value: Json) -> Value:
    if not isinstance(value, str):
        raise _wrong(column, value, "a date such as '2024-05-01' or '2024-05-01T10:15:00Z'")
    text = value.strip()
    day = _DATE.fullmatch(text)
    moment = _TIME.fullmatch(text)
    try:
        if day is not None:
            parsed = date.fromisoformat(text).isoformat()
            return parsed if column.is_date_only else parsed + "T00:00:00Z"
        if moment is None:
            raise ValueError(text)
        return _moment(column, moment)
    except ValueError:
        raise _wrong(column, value, "a date such as '2024-05-01' or '2024-05-01T10:15:00Z'") from None


def _moment(column: Column, moment: re.Match[str]) -> str:
    seconds = moment[4] or "00"
    zone = moment[5] or "Z"
    clock = f"{moment[1]}T{moment[2]}:{moment[3]}:{seconds}"
    if column.is_date_only:
        if (moment[2], moment[3], seconds) != ("00", "00", "00"):
            raise ValueError("a date-only column takes no time")
        return date.fromisoformat(moment[1]).isoformat()
    if column.behavior is DateBehavior.TIME_ZONE_INDEPENDENT or zone in "Zz":
        return datetime.fromisoformat(clock).isoformat() + "Z"
    aware = datetime.fromisoformat(clock + (zone if ":" in zone else f"{zone[:3]}:{zone[3:]}"))
    try:
        return aware.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
    except OverflowError:
        raise ValueError("outside the calendar") from None


_READERS: dict[ColumnType, Callable[[Column, Json], Value]] = {
    ColumnType.STRING: _text,
    ColumnType.MEMO: _text,
    ColumnType.ENTITYNAME: _text,
    ColumnType.INTEGER: _integer,
    ColumnType.BIGINT: _integer,
    ColumnType.PICKLIST: _integer,
    ColumnType.STATE: _integer,
    ColumnType.STATUS: _integer,
    ColumnType.DECIMAL: _decimal,
    ColumnType.MONEY: _decimal,
    ColumnType.DOUBLE: _double,
    ColumnType.BOOLEAN: _boolean,
    ColumnType.MANAGEDPROPERTY: _boolean,
    ColumnType.MULTISELECT: _multi,
    ColumnType.UNIQUEIDENTIFIER: _guid,
    ColumnType.DATETIME: _date_time,
    ColumnType.IMAGE: _text,
}


def _wrong(column: Column, value: Json, wanted: str) -> PayloadError:
    shown = f" '{value[:60]}'" if isinstance(value, str) else ""
    return PayloadError(
        f"Cannot convert {json_kind(value)}{shown} to the value of '{column.logical_name}' "
        f"(type {column.type.value}): it takes {wanted}."
    )


def _object(pairs: Iterable[tuple[str, Json]]) -> dict[str, Json]:
    pairs = list(pairs)
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise PayloadError(f"The name '{name[:100]}' occurs twice in one JSON object.")
            seen.add(name)
    return found


def _constant(name: str) -> Json:
    raise ValueError(f"{name} is not JSON")


def _depth(text: str) -> int:
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return 0
    deepest = depth = 0
    in_string = escaped = False
    for character in text:
        if in_string:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                in_string = False
        elif character == '"':
            in_string = True
        elif character in "[{":
            depth += 1
            deepest = max(deepest, depth)
            if deepest > MAX_DEPTH:
                return deepest
        elif character in "]}":
            depth -= 1
    return deepest
