"""Text of the caller → the value that a column holds. Shared by all readers, for conditions and keys.

The result is a `Literal` in the representation of `Literal.value`; text that is not a value of the column's type raises
`InvalidRequest` with a message that names the column and the form that is right. Numbers beyond what a column can ever
hold are refused here, so that no comparison overflows in a database.
"""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from math import isfinite

from strongroom.errors import InvalidRequest
from strongroom.ids import parse_guid
from strongroom.query import dates
from strongroom.query.ast import Literal
from strongroom.query.names import shown
from strongroom.schema.model import Column, ColumnType, DateBehavior

_DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)
_AMERICAN_DAY = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)
_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(:\d\d)?(?:\.\d{1,12})?\s?([Zz]|[+-]\d\d:?\d\d)?",
    re.ASCII,
)
_INTEGER = re.compile(r"[+-]?\d{1,19}(?:\.0{1,10})?", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d{1,38}(?:\.\d{1,38})?(?:[eE][+-]?\d{1,3})?", re.ASCII)
_OPTION_SET = re.compile(r"\s*-?\d{1,10}\s*(?:,\s*-?\d{1,10}\s*)*", re.ASCII)

_NO_TEXT = re.compile("[\x00\ud800-\udfff]")
"""NUL and halves of surrogate pairs, which no database takes in a text."""

_INT64 = 2**63

_EXPECTED = {
    ColumnType.STRING: "text without the character NUL",
    ColumnType.MEMO: "text without the character NUL",
    ColumnType.ENTITYNAME: "the logical name of a table",
    ColumnType.INTEGER: "a whole number",
    ColumnType.BIGINT: "a whole number",
    ColumnType.PICKLIST: "the whole number of a choice",
    ColumnType.STATE: "the whole number of a choice",
    ColumnType.STATUS: "the whole number of a choice",
    ColumnType.DECIMAL: "a number such as 1.25",
    ColumnType.MONEY: "a number such as 1.25",
    ColumnType.DOUBLE: "a number such as 1.25",
    ColumnType.BOOLEAN: "true, false, 1 or 0",
    ColumnType.MANAGEDPROPERTY: "true, false, 1 or 0",
    ColumnType.UNIQUEIDENTIFIER: "a GUID",
    ColumnType.LOOKUP: "a GUID",
    ColumnType.CUSTOMER: "a GUID",
    ColumnType.OWNER: "a GUID",
    ColumnType.MULTISELECT: "whole numbers of choices separated by commas",
}


def read_value(column: Column, text: str, *, zone: str = "UTC") -> Literal:
    """`text` as a value of `column`. A date without a time means midnight in `zone` where the column holds moments."""
    value = _value(column, text, zone)
    if value is None:
        raise InvalidRequest(
            f"'{shown(text)}' is not a value of the column '{column.logical_name}': {expected(column)}."
        )
    return Literal(value, column.type)


def expected(column: Column) -> str:
    """What a value of `column` looks like: `it takes a GUID`."""
    if column.type is ColumnType.DATETIME:
        form = "2024-05-01" if column.is_date_only else "2024-05-01T10:15:00Z"
        return f"it takes a date such as {form} between the years 1753 and 9999"
    form = _EXPECTED.get(column.type)
    return f"it takes {form}" if form else "it cannot be compared with a value"


def read_day(text: str, *, zone: str) -> date | None:
    """The day that `text` names; of a moment, the day that it lies in in `zone`. None when it is no date (WA-246)."""
    moment = parse_moment(text)
    if isinstance(moment, datetime):
        if moment.tzinfo is not None:
            try:
                moment = moment.astimezone(dates.zone(zone))
            except OverflowError:
                return None
        return moment.date()
    return moment


def parse_moment(text: str) -> date | datetime | None:
    """A date, a date-time (aware when it carries `Z` or an offset) or None. Fractions of a second are dropped."""
    text = text.strip()
    try:
        if day := _DAY.fullmatch(text):
            found: date | datetime = date(int(day[1]), int(day[2]), int(day[3]))
        elif day := _AMERICAN_DAY.fullmatch(text):
            found = date(int(day[3]), int(day[1]), int(day[2]))
        elif moment := _MOMENT.fullmatch(text):
            offset = (moment[4] or "").upper()
            found = datetime.fromisoformat(f"{moment[1]}T{moment[2]}{moment[3] or ':00'}{offset}")
        else:
            return None
    except ValueError:
        return None
    return found if found.year >= dates.FIRST_DAY.year else None


def _value(column: Column, text: str, zone: str) -> object:
    match column.type:
        case ColumnType.STRING | ColumnType.MEMO | ColumnType.ENTITYNAME:
            return None if _NO_TEXT.search(text) else text
        case ColumnType.INTEGER | ColumnType.BIGINT | ColumnType.PICKLIST | ColumnType.STATE | ColumnType.STATUS:
            return _integer(text)
        case ColumnType.DECIMAL | ColumnType.MONEY:
            return _decimal(column, text)
        case ColumnType.DOUBLE:
            return _double(text)
        case ColumnType.BOOLEAN | ColumnType.MANAGEDPROPERTY:
            return {"true": True, "1": True, "false": False, "0": False}.get(text.strip().lower())
        case ColumnType.UNIQUEIDENTIFIER | ColumnType.LOOKUP | ColumnType.CUSTOMER | ColumnType.OWNER:
            return parse_guid(text)
        case ColumnType.DATETIME:
            return _date(column, text, zone)
        case ColumnType.MULTISELECT:
            return _option_set(text)
        case _:  # party lists, files and images hold nothing that compares
            return None


def _integer(text: str) -> int | None:
    text = text.strip()
    if not _INTEGER.fullmatch(text):
        return None
    number = int(text.partition(".")[0])
    return number if -_INT64 <= number < _INT64 else None


def _decimal(column: Column, text: str) -> Decimal | None:
    text = text.strip()
    if not _NUMBER.fullmatch(text):
        return None
    number = Decimal(text)
    digits = 4 if column.type is ColumnType.MONEY else min(column.precision if column.precision is not None else 2, 10)
    if number != 0 and (number.adjusted() > 20 or number.adjusted() < -40):
        return None
    return number if abs(number.scaleb(digits)) < _INT64 else None


def _double(text: str) -> float | None:
    text = text.strip()
    if not _NUMBER.fullmatch(text):
        return None
    number = float(text)
    return number if isfinite(number) else None


def _date(column: Column, text: str, zone: str) -> str | None:
    moment = parse_moment(text)
    if moment is None:
        return None
    if column.is_date_only:
        return (moment.date() if isinstance(moment, datetime) else moment).isoformat()
    keeps_clock_time = column.behavior is DateBehavior.TIME_ZONE_INDEPENDENT
    try:
        if not isinstance(moment, datetime):
            local = dates.day_span(moment).start or datetime.min  # noqa: DTZ901 (the start of a day is always set)
            return dates.as_clock_time(local) if keeps_clock_time else dates.to_utc(local, zone)
        if keeps_clock_time or moment.tzinfo is None:
            return dates.as_clock_time(moment.replace(tzinfo=None))
        return dates.to_utc(moment.astimezone(UTC).replace(tzinfo=None), "UTC")
    except (dates.DateOutOfRange, OverflowError):
        return None


def _option_set(text: str) -> str | None:
    """Choices as the column stores them: ascending, each once (WA-89)."""
    if not _OPTION_SET.fullmatch(text):
        return None
    return ",".join(str(number) for number in sorted({int(part) for part in text.split(",")}))
