"""Calculated columns: worked out whenever their row is written, so that they are read, filtered and sorted like any
other (WA-111).

What they are made of lies in the same row (`schema.formulas`), so the value never differs from one that is worked out
at reading. Numbers are decimal. Arithmetic with null is null, as is dividing by zero and what does not fit the column;
comparing with null is false; `concat` leaves null out. Texts compare without regard to case (WA-101).
"""

from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal, DecimalException, localcontext
from functools import lru_cache
from operator import eq, ge, gt, le, lt, ne
from typing import Any, cast

from strongroom.schema.formulas import expression_of, sources_of, worked_out
from strongroom.schema.model import Column, ColumnType, SourceType, Table
from strongroom.store.layout import fold, scale
from strongroom.store.protocol import Value

_COMPARING: Mapping[str, Callable[[Any, Any], bool]] = {"=": eq, "<>": ne, "<": lt, "<=": le, ">": gt, ">=": ge}
_DIGITS = 38


@lru_cache(maxsize=2048)
def calculated_columns(table: Table) -> tuple[Column, ...]:
    """Those of a table that are worked out of the row itself."""
    return tuple(column for column in worked_out(table) if column.source_type is SourceType.CALCULATED)


def complete_calculated(table: Table, before: Mapping[str, Value], changes: dict[str, Value]) -> None:
    """Add to `changes` the columns that are made of those that change; `before` is empty for a new row."""
    columns = calculated_columns(table)
    if not columns:
        return
    row = {**before, **changes}
    for column in columns:
        if not before or not sources_of(column).isdisjoint(changes):
            changes[column.logical_name] = calculated(column, row)


def calculated(column: Column, row: Mapping[str, Value]) -> Value:
    """The value of a calculated column in a row with these values."""
    with localcontext() as context:
        context.prec = _DIGITS
        try:
            return _fitting(column, _value(expression_of(column), row))
        except DecimalException:
            return None


def _value(node: object, row: Mapping[str, Value]) -> Value:
    if isinstance(node, dict):
        ((name, given),) = cast("dict[str, object]", node).items()
        if name == "column":
            return _number(row.get(str(given)))
        return _operation(name, cast("list[object]", given) if isinstance(given, list) else [given], row)
    return _number(node)


def _number(value: Value) -> Value:
    """Numbers as decimals, everything else as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return Decimal(str(value))


def _operation(name: str, parts: list[object], row: Mapping[str, Value]) -> Value:
    match name:
        case "if":
            return _value(parts[1] if _value(parts[0], row) is True else parts[2], row)
        case "and":
            return all(_value(part, row) is True for part in parts)
        case "or":
            return any(_value(part, row) is True for part in parts)
        case "not":
            return _value(parts[0], row) is not True
        case "is-null":
            return _value(parts[0], row) is None
        case "coalesce":
            return next((found for part in parts if (found := _value(part, row)) is not None), None)
        case "concat":
            return "".join(_text(found) for part in parts if (found := _value(part, row)) is not None)
        case "+" | "-" | "*" | "/":
            return _arithmetic(name, [_value(part, row) for part in parts])
        case _:
            return _compared(name, _value(parts[0], row), _value(parts[1], row))


def _arithmetic(name: str, values: list[Value]) -> Value:
    if not all(isinstance(value, Decimal) for value in values):
        return None
    first, *others = cast("list[Decimal]", values)
    for other in others:
        match name:
            case "+":
                first += other
            case "-":
                first -= other
            case "*":
                first *= other
            case _:
                if not other:
                    return None
                first /= other
    return first


def _compared(name: str, one: Value, other: Value) -> bool:
    if one is None or other is None:
        return False
    if isinstance(one, str) and isinstance(other, str):
        one, other = fold(one), fold(other)
    return _COMPARING[name](one, other)


def _text(value: Value) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    return ("Yes" if value else "No") if isinstance(value, bool) else str(value)


def _fitting(column: Column, value: Value) -> Value:
    """The value as the column holds it; None for a number beyond its bounds. A text is cut at its length."""
    if isinstance(value, str):
        return value.encode("utf-16-le")[: 2 * (column.max_length or 0)].decode("utf-16-le", "ignore")
    if not isinstance(value, Decimal):
        return value
    if column.type is ColumnType.INTEGER:
        value = int(value.quantize(Decimal(1), ROUND_HALF_UP))
    else:
        value = value.quantize(Decimal(1).scaleb(-scale(column)), ROUND_HALF_UP)
    low, high = column.minimum, column.maximum
    return None if (low is not None and value < low) or (high is not None and value > high) else value
