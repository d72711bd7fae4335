"""Conditions of a list: what somebody chose in the page, as a `$filter` of the Web API."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from strongroom.console.api import ApiError
from strongroom.console.days import begins
from strongroom.console.texts import Texts
from strongroom.ids import parse_guid
from strongroom.schema.model import Column, ColumnType, DateBehavior, Table
from strongroom.translation import UTC_ZONE

MOST_CONDITIONS = 4

_TEXT = ("eq", "ne", "begins", "contains", "ends", "null", "not-null")
_NUMBER = ("eq", "ne", "gt", "ge", "lt", "le", "null", "not-null")
_DATE = ("on", "before", "since", "last-days", "null", "not-null")
_CHOICE = ("eq", "ne", "null", "not-null")
_LOOKUP = ("is", "mine", "null", "not-null")


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition as it stands in the page."""

    column: str
    operator: str
    value: str


def operator_names(texts: Texts) -> Mapping[str, str]:
    """Every operator with its name."""
    return {
        "eq": texts("equals"),
        "ne": texts("does not equal"),
        "begins": texts("begins with"),
        "contains": texts("contains"),
        "ends": texts("ends with"),
        "gt": texts("is greater than"),
        "ge": texts("is at least"),
        "lt": texts("is less than"),
        "le": texts("is at most"),
        "on": texts("is on"),
        "before": texts("is before"),
        "since": texts("is on or after"),
        "last-days": texts("in the last days"),
        "is": texts("is named"),
        "mine": texts("is me"),
        "null": texts("has no value"),
        "not-null": texts("has a value"),
    }


def operators_of(column: Column) -> Sequence[str]:
    """The operators that make sense for a column."""
    match column.type:
        case ColumnType.STRING | ColumnType.MEMO:
            return _TEXT
        case ColumnType.DATETIME:
            return _DATE
        case ColumnType.PICKLIST | ColumnType.STATE | ColumnType.STATUS | ColumnType.BOOLEAN:
            return _CHOICE
        case ColumnType.LOOKUP | ColumnType.CUSTOMER | ColumnType.OWNER:
            return _LOOKUP
        case ColumnType.MULTISELECT | ColumnType.FILE | ColumnType.IMAGE:
            return ("null", "not-null")
        case _:
            return _NUMBER


def conditions_in(parameters: Mapping[str, str]) -> Sequence[Condition]:
    """The conditions of a page's address: `c1`, `o1`, `v1`, `c2` …; those without a column are left out."""
    found: list[Condition] = []
    for number in range(1, MOST_CONDITIONS + 1):
        column = parameters.get(f"c{number}", "").strip()
        if column:
            operator = parameters.get(f"o{number}", "").strip()
            found.append(Condition(column, operator, parameters.get(f"v{number}", "").strip()))
    return found


def quick_search(table: Table, wanted: str) -> str:
    """The filter of the search box: names that begin with a text; `*text` for names that hold it anywhere."""
    if not wanted or table.primary_name is None:
        return ""
    function = "contains" if wanted.startswith("*") else "startswith"
    return f"{function}({table.primary_name},{quoted(wanted.strip('*'))})"


def filter_of(table: Table, conditions: Sequence[Condition], texts: Texts, zone: ZoneInfo) -> str:
    """All conditions together, empty for none. Raises `ApiError` 400 for one that means nothing."""
    return " and ".join(_one(table, condition, texts, zone) for condition in conditions)


def quoted(value: str) -> str:
    """A text as a literal of OData."""
    return "'" + value.replace("'", "''") + "'"


def _one(table: Table, condition: Condition, texts: Texts, zone: ZoneInfo) -> str:
    column = table.columns.get(condition.column)
    if column is None or condition.operator not in operators_of(column):
        names = operator_names(texts)
        name = names.get(condition.operator, condition.operator)
        raise ApiError(
            400, "", texts("'%(column)s %(operator)s' is no condition.", column=condition.column, operator=name)
        )
    name = column.property_name
    match condition.operator:
        case "null":
            return f"{name} eq null"
        case "not-null":
            return f"{name} ne null"
        case "mine":
            return f"Microsoft.Dynamics.CRM.EqualUserId(PropertyName='{column.logical_name}')"
        case "last-days":
            days = condition.value if condition.value.isdigit() else "7"
            return f"Microsoft.Dynamics.CRM.LastXDays(PropertyName='{column.logical_name}',PropertyValue={days})"
        case _:
            pass
    if not condition.value:
        raise ApiError(400, "", texts("The condition on '%(column)s' needs a value.", column=column.label))
    return _compared(table, column, condition, texts, zone)


def _days(column: Column, condition: Condition, texts: Texts, zone: ZoneInfo) -> str:
    """A condition on a day, from midnight to midnight where the reader is."""
    name = column.property_name
    try:
        day = date.fromisoformat(condition.value)
        following = day + timedelta(days=1)
        own = UTC_ZONE if column.behavior is DateBehavior.TIME_ZONE_INDEPENDENT else zone
        starts, ends = (
            (day.isoformat(), following.isoformat())
            if column.is_date_only
            else (begins(day, own), begins(following, own))
        )
    except (ValueError, OverflowError):
        message = texts("'%(day)s' is no day; write it as 2026-03-31.", day=condition.value)
        raise ApiError(400, "", message) from None
    parts = {"on": f"({name} ge {starts} and {name} lt {ends})", "before": f"{name} lt {starts}"}
    return parts.get(condition.operator, f"{name} ge {starts}")


def _compared(table: Table, column: Column, condition: Condition, texts: Texts, zone: ZoneInfo) -> str:
    name, value = column.property_name, condition.value
    match condition.operator:
        case "begins" | "contains" | "ends":
            function = {"begins": "startswith", "contains": "contains", "ends": "endswith"}[condition.operator]
            return f"{function}({name},{quoted(value)})"
        case "on" | "before" | "since":
            return _days(column, condition, texts, zone)
        case "is":
            guid = parse_guid(value)
            if guid is not None:
                return f"{name} eq {guid}"
            raise ApiError(400, "", texts("Choose the row for '%(column)s' from the list.", column=column.label))
        case _:
            literal = quoted(value) if column.type.is_text else value
            if (
                not column.type.is_text
                and not value.replace(".", "", 1).lstrip("-").isdigit()
                and value not in ("true", "false")
            ):
                raise ApiError(400, "", texts("'%(column)s' is compared with a number.", column=column.label))
            return f"{name} {condition.operator} {literal}"
