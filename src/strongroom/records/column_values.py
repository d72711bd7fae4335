"""One value of a write, made to fit its column: type, length, range, choice, rounding (WA-81 to WA-100).

`check_for(column)` gives the function that turns what a caller sent into what the store keeps (`store.layout`), or
refuses: 400 `0x80048d19` for the wrong type, `0x80044331` for too long or out of range, `0x80044330` for decimals.
Null passes every check; whether it may stay is a question of the whole row (WA-112).
"""

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import partial
from math import isfinite
from re import ASCII
from re import compile as pattern
from typing import NoReturn, TypeVar

from strongroom.errors import InvalidRequest, PayloadError, ValueOutOfRange
from strongroom.ids import Reference, parse_guid
from strongroom.records.image_values import image_body
from strongroom.schema.model import Column, ColumnType, DateBehavior
from strongroom.store.layout import scale
from strongroom.store.protocol import Value

Check = Callable[[Value], Value]

_INT32 = (-2147483648, 2147483647)
_INT64 = (-9223372036854775808, 9223372036854775807)
_MONEY_LIMIT = Decimal("922337203685477.5807")
_DECIMAL_LIMIT = Decimal(100_000_000_000)
_MOMENT = pattern(r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?([Zz]|[+-]\d\d:\d\d)?", ASCII)
_DAY = pattern(r"(\d{4})-(\d\d)-(\d\d)", ASCII)
_DIGITS = pattern(r"-?\d{1,19}", ASCII)
_FIRST_YEAR = 1753
_SHOWABLE = 10**30
N = TypeVar("N", int, float, Decimal)


def check_for(column: Column, table: str) -> Check:
    """The check of `column`'s type; a pure function, so that callers may keep it. `table` is named in refusals.

    Bulk writes spend much of their time here, so what nearly every value is passes at a glance; all else, and every
    refusal, is the matter of the full check.
    """
    if column.type.is_text:
        return _quick_text(column, partial(_text, column, table))
    if column.type.is_choice:
        known = frozenset(option.value for option in column.options)
        return _quick_choice(known, partial(_choice, column, known))
    if column.type is ColumnType.MONEY:
        return _quick_money(column, partial(_money, column))
    return partial(_CHECKS[column.type], column)


def utf16_length(text: str) -> int:
    """The number of UTF-16 units, which is what lengths count (WA-81)."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


# --- text --------------------------------------------------------------------------------------------------------


def _text(column: Column, table: str, value: Value) -> Value:
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        _wrong_type(column, "a string")
    if "\x00" in value or not (value.isascii() or _is_unicode(value)):
        raise PayloadError(f"The value of '{column.logical_name}' holds characters that text cannot have.")
    if column.max_length is not None and len(value) * 2 > column.max_length:
        length = utf16_length(value)
        if length > column.max_length:
            raise ValueOutOfRange(
                f"A validation error occurred.  The length of the '{column.logical_name}' attribute of the '{table}' "
                f"entity exceeded the maximum allowed length of '{column.max_length}'. It is {length}."
            )
    return value


def _quick_text(column: Column, full: Check) -> Check:
    """Text of ASCII characters, one unit each, that is not too long."""
    most = column.max_length if column.max_length is not None else sys.maxsize

    def check(value: Value) -> Value:
        if type(value) is str and 0 < len(value) <= most and value.isascii() and "\x00" not in value:
            return value
        return full(value)

    return check


def _is_unicode(text: str) -> bool:
    """False for lone surrogates, which JSON can smuggle in and no store can keep."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _table_name(column: Column, value: Value) -> Value:
    if isinstance(value, str):
        return _text(column, "", value.lower())
    return None if value is None else _wrong_type(column, "the logical name of a table")


# --- numbers -----------------------------------------------------------------------------------------------------


def _whole(column: Column, value: Value, limits: tuple[int, int]) -> int | None:
    if value is None:
        return None
    if type(value) is not int:
        value = _as_int(column, value)
    low = limits[0] if column.minimum is None else max(limits[0], int(column.minimum))
    high = limits[1] if column.maximum is None else min(limits[1], int(column.maximum))
    return _within(column, value, low, high)


def _as_int(column: Column, value: Value) -> int:
    """Digits as text and whole numbers with a point count as integers (WA-82)."""
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
        return int(value)
    return _wrong_type(column, "a whole number")


def _integer(column: Column, value: Value) -> Value:
    return _whole(column, value, _INT32)


def _bigint(column: Column, value: Value) -> Value:
    return _whole(column, value, _INT64)


def _exact(column: Column, value: Value) -> Decimal:
    """Any JSON number as the decimal that was written, not as the binary number nearest to it."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        _wrong_type(column, "a number")
    number = value if isinstance(value, Decimal) else Decimal(repr(value) if isinstance(value, float) else value)
    if not number.is_finite():
        _wrong_type(column, "a finite number")
    return number


def _round(column: Column, number: Decimal, digits: int) -> Decimal:
    """Half away from zero (WA-84)."""
    try:
        return number.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    except InvalidOperation:
        raise ValueOutOfRange(f"The value of '{column.logical_name}' is outside the valid range.") from None


def _decimal(column: Column, value: Value) -> Value:
    if value is None:
        return None
    number = _round(column, _exact(column, value), scale(column))
    low = -_DECIMAL_LIMIT if column.minimum is None else Decimal(repr(column.minimum))
    high = _DECIMAL_LIMIT if column.maximum is None else Decimal(repr(column.maximum))
    if not low <= number <= high:
        raise ValueOutOfRange(
            f"A decimal value provided is outside of the allowed values for this attribute: '{column.logical_name}' "
            f"takes {low:f} to {high:f}.",
            code="0x80044330",
        )
    return number


def _money(column: Column, value: Value) -> Value:
    if value is None:
        return None
    number = _round(column, _exact(column, value), scale(column))
    low = -_MONEY_LIMIT if column.minimum is None else max(-_MONEY_LIMIT, Decimal(repr(column.minimum)))
    high = _MONEY_LIMIT if column.maximum is None else min(_MONEY_LIMIT, Decimal(repr(column.maximum)))
    return _within(column, number, low, high)


def _quick_money(column: Column, full: Check) -> Check:
    """Decimals well inside the range."""
    unit = Decimal(1).scaleb(-scale(column))
    low = -_MONEY_LIMIT if column.minimum is None else max(-_MONEY_LIMIT, Decimal(repr(column.minimum)))
    high = _MONEY_LIMIT if column.maximum is None else min(_MONEY_LIMIT, Decimal(repr(column.maximum)))

    def check(value: Value) -> Value:
        if type(value) is Decimal and value.is_finite() and low < value < high:
            return value.quantize(unit, ROUND_HALF_UP)
        return full(value)

    return check


def _double(column: Column, value: Value) -> Value:
    if value is None:
        return None
    number = _exact(column, value)
    if column.precision is not None and abs(number) < _DECIMAL_LIMIT:
        number = _round(column, number, column.precision)
    low = float("-inf") if column.minimum is None else column.minimum
    high = float("inf") if column.maximum is None else column.maximum
    kept = float(number)
    if not isfinite(kept):
        raise ValueOutOfRange(f"The value of '{column.logical_name}' is outside the valid range of numbers.")
    return _within(column, kept, low, high)


def _within(column: Column, value: N, low: N, high: N) -> N:
    if not low <= value <= high:
        shown = value if abs(value) < _SHOWABLE else "too large to show"
        raise ValueOutOfRange(
            f"A validation error occurred.  The value '{shown}' of '{column.logical_name}' is outside the valid "
            f"range: it takes {low} to {high}."
        )
    return value


def _boolean(column: Column, value: Value) -> Value:
    if value is None or isinstance(value, bool):
        return value
    if type(value) is int and value in (0, 1):
        return bool(value)
    return _wrong_type(column, "true or false")


# --- choices -----------------------------------------------------------------------------------------------------


def _choice(column: Column, known: frozenset[int], value: Value) -> Value:
    if value is None:
        return None
    if type(value) is not int:
        value = _as_int(column, value)
    if value not in known:
        _unknown_option(column, value)
    return value


def _quick_choice(known: frozenset[int], full: Check) -> Check:
    """Options by their number."""

    def check(value: Value) -> Value:
        return value if type(value) is int and value in known else full(value)

    return check


def _unknown_option(column: Column, value: int) -> None:
    """A choice whose options are not known takes every number."""
    if column.options:
        known = ", ".join(str(option.value) for option in column.options[:12])
        raise ValueOutOfRange(
            f"A validation error occurred.  The value '{value}' of '{column.logical_name}' is outside the valid "
            f"range. Accepted values: {known}{' and more' if len(column.options) > 12 else ''}."
        )
    _within(column, value, *_INT32)


def _choices(column: Column, value: Value) -> Value:
    """A comma list in any order; kept ascending and without duplicates (WA-89)."""
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        _wrong_type(column, "a list of numbers such as '1,3,9'")
    known = frozenset(option.value for option in column.options)
    numbers = {_as_int(column, part.strip()) for part in value.split(",")}
    for number in numbers - known:
        _unknown_option(column, number)
    return ",".join(str(number) for number in sorted(numbers))


# --- dates -------------------------------------------------------------------------------------------------------


def _date(column: Column, value: Value) -> Value:
    if value is None:
        return None
    if not isinstance(value, str):
        _wrong_type(column, "a date such as '2024-05-01T10:15:00Z'")
    day = _DAY.fullmatch(value)
    if day is not None and (column.is_date_only or column.format == "DateOnly"):
        _moment(column, value, int(day[1]), int(day[2]), int(day[3]))
        return value if column.is_date_only else value + "T00:00:00Z"
    match = _MOMENT.fullmatch(value)
    if match is None:
        _wrong_type(column, "a date such as '2024-05-01T10:15:00Z'")
    moment = _moment(column, value, *(int(part or 0) for part in match.groups()[:6]))
    if column.is_date_only:
        if (moment.hour, moment.minute, moment.second) != (0, 0, 0):
            raise PayloadError(f"'{column.logical_name}' takes a date without a time, such as '{value[:10]}'.")
        return value[:10]
    offset = match[7]
    if offset is not None and offset not in "Zz" and column.behavior is not DateBehavior.TIME_ZONE_INDEPENDENT:
        moment = _to_utc(column, value, moment, offset)
    return f"{moment.year:04}-{moment:%m-%dT%H:%M:%SZ}"


def _moment(column: Column, text: str, *parts: int) -> datetime:
    try:
        moment = datetime(*parts, tzinfo=UTC)  # pyright: ignore[reportArgumentType] -- at most six integers
    except ValueError:
        _wrong_type(column, f"a date that exists, not '{text}'")
    if moment.year < _FIRST_YEAR:
        raise ValueOutOfRange(
            f"'{column.logical_name}' takes dates from 1753-01-01 to 9999-12-31, not '{text}' (DateTime out of range)."
        )
    return moment


def _to_utc(column: Column, text: str, moment: datetime, offset: str) -> datetime:
    ahead = timedelta(hours=int(offset[1:3]), minutes=int(offset[4:6]))
    try:
        moved = moment - ahead if offset[0] == "+" else moment + ahead
    except OverflowError:
        raise ValueOutOfRange(f"'{column.logical_name}' takes dates up to 9999-12-31, not '{text}'.") from None
    return _moment(column, text, *moved.timetuple()[:6])


# --- identities --------------------------------------------------------------------------------------------------


def _guid(column: Column, value: Value) -> Value:
    if value is None:
        return None
    found = parse_guid(value) if isinstance(value, str) else None
    return found if found is not None else _wrong_type(column, "a GUID")


def _lookup(column: Column, value: Value) -> Value:
    if value is None:
        return None
    if not isinstance(value, Reference):
        raise PayloadError(
            f"'{column.logical_name}': CRM do not support direct update of Entity Reference properties, "
            "Use Navigation properties instead."
        )
    if column.targets and value.table not in column.targets:
        raise PayloadError(
            f"'{column.logical_name}' cannot point to a row of '{value.table}'; it takes {', '.join(column.targets)}."
        )
    return value


def _only_null(column: Column, value: Value) -> Value:
    if value is None:
        return None
    raise InvalidRequest(f"'{column.logical_name}' cannot be written in the body of a row.")


def _wrong_type(column: Column, wanted: str) -> NoReturn:
    raise PayloadError(
        f"Error identified in Payload provided by the user: the value of '{column.logical_name}' must be {wanted}."
    )


_CHECKS: dict[ColumnType, Callable[[Column, Value], Value]] = {
    ColumnType.ENTITYNAME: _table_name,
    ColumnType.INTEGER: _integer,
    ColumnType.BIGINT: _bigint,
    ColumnType.DECIMAL: _decimal,
    ColumnType.DOUBLE: _double,
    ColumnType.MONEY: _money,
    ColumnType.BOOLEAN: _boolean,
    ColumnType.MULTISELECT: _choices,
    ColumnType.DATETIME: _date,
    ColumnType.UNIQUEIDENTIFIER: _guid,
    ColumnType.LOOKUP: _lookup,
    ColumnType.CUSTOMER: _lookup,
    ColumnType.OWNER: _lookup,
    ColumnType.PARTYLIST: _only_null,
    ColumnType.MANAGEDPROPERTY: _only_null,
    ColumnType.FILE: _only_null,
    ColumnType.IMAGE: image_body,
}
