"""Values as people read them: the `FormattedValue` annotations (WA-104).

The form is that of English (United States), the default language of an environment.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from strongroom.schema.model import Column, ColumnType
from strongroom.store.protocol import Value

Formatter = Callable[[Value], str | None]

_NUMBERS = frozenset({ColumnType.INTEGER, ColumnType.BIGINT})


def formatter(column: Column, time_zone: str, currency_symbol: str) -> Formatter | None:
    """How values of `column` are shown, or None for columns that have no formatted value (texts, ids, files).

    Lookups are not formatted here: their text is the target's name.
    """
    if column.type.is_choice or column.type is ColumnType.BOOLEAN:
        return _labels(column)
    if column.type is ColumnType.MULTISELECT:
        return _multi_labels(column)
    if column.type is ColumnType.MONEY:
        digits = max(2, min(column.precision if column.precision is not None else 2, 4))
        return lambda value: _money(value, digits, currency_symbol)
    if column.type in (ColumnType.DECIMAL, ColumnType.DOUBLE):
        digits = column.precision if column.precision is not None else 2
        return lambda value: f"{value:,.{digits}f}" if isinstance(value, Decimal | float | int) else None
    if column.type in _NUMBERS and column.logical_name != "versionnumber":
        return lambda value: f"{value:,}" if isinstance(value, int) else None
    if column.type is ColumnType.DATETIME:
        return _dates(column, time_zone)
    return None


def _labels(column: Column) -> Formatter:
    labels: dict[Value, str] = {option.value: option.label for option in column.options}
    if column.type is ColumnType.BOOLEAN:
        labels = {True: labels.get(1, "Yes"), False: labels.get(0, "No")}
    return lambda value: labels.get(value)


def _multi_labels(column: Column) -> Formatter:
    labels = {str(option.value): option.label for option in column.options}
    return lambda value: (
        "; ".join(labels.get(part, part) for part in value.split(",")) if isinstance(value, str) else None
    )


def _money(value: Value, digits: int, symbol: str) -> str | None:
    if not isinstance(value, Decimal | int | float):
        return None
    text = f"{symbol}{abs(value):,.{digits}f}"
    return f"({text})" if value < 0 else text


def _dates(column: Column, time_zone: str) -> Formatter:
    zone = ZoneInfo(time_zone)
    date_only = column.is_date_only or column.format == "DateOnly"
    is_local = not column.is_date_only and column.behavior.value == "UserLocal" and column.format != "DateOnly"

    def show(value: Value) -> str | None:
        if not isinstance(value, str):
            return None
        moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
        if is_local:
            moment = moment.astimezone(zone) if moment.tzinfo else moment.replace(tzinfo=UTC).astimezone(zone)
        day = f"{moment.month}/{moment.day}/{moment.year}"
        return (
            day
            if date_only
            else f"{day} {(moment.hour - 1) % 12 + 1}:{moment.minute:02d} {'AM' if moment.hour < 12 else 'PM'}"
        )

    return show
