"""One condition → a predicate (WA-245, WA-246). Query expressions are read with it too: they have the same operators.

What an operator means is decided in `named_conditions`; here stands what only FetchXML has: conditions on derived
columns, type codes as values, and comparisons of two columns (`valueof`).
"""

import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from strongroom.errors import FetchXmlError
from strongroom.query import named_conditions
from strongroom.query.ast import (
    FALSE,
    Comparison,
    Field,
    InList,
    IsNull,
    Literal,
    LookupName,
    LookupTable,
    Operator,
    Predicate,
)
from strongroom.query.fetchxml.scope import Operand, OptionLabel, Scope
from strongroom.query.names import hint, shown
from strongroom.schema.model import ColumnType, Schema

_COMPARISONS: Mapping[str, Operator] = {
    "eq": Operator.EQUAL,
    "ne": Operator.NOT_EQUAL,
    "neq": Operator.NOT_EQUAL,
    "gt": Operator.GREATER,
    "ge": Operator.GREATER_OR_EQUAL,
    "lt": Operator.LESS,
    "le": Operator.LESS_OR_EQUAL,
}
_NEGATIONS: Mapping[str, str] = {
    "ne": "eq",
    "neq": "eq",
    "not-in": "in",
    "not-like": "like",
    "not-begin-with": "begins-with",
    "not-end-with": "ends-with",
}
_NEEDS_ORDER = frozenset({"gt", "ge", "lt", "le", "between", "not-between"})
_ORDERLESS = frozenset({ColumnType.BOOLEAN, ColumnType.MULTISELECT, ColumnType.UNIQUEIDENTIFIER})
_FILES = frozenset({ColumnType.FILE, ColumnType.IMAGE})
_LONGEST_PATTERN = 200
"""Labels are short; a longer pattern fits none, and would only cost time to prepare."""

_TYPE_CODE = re.compile(r"\s*\d{1,9}\s*", re.ASCII)


def condition(scope: Scope, operand: Operand, operator: str, values: Sequence[str]) -> Predicate:
    """The predicate `operand operator values`. What does not fit raises `FetchXmlError` or `InvalidRequest`."""
    known = named_conditions.find(operator)
    if known is None or known.fetchxml != operator:
        close = hint(operator, named_conditions.fetchxml_names())
        raise FetchXmlError(f"There is no condition operator '{shown(operator, 60)}'.{close}")
    if isinstance(operand, OptionLabel):
        return _on_label(operand, operator, values)
    if isinstance(operand, LookupTable):
        name = operand.column.logical_name
        raise FetchXmlError(f"The table that '{name}' points to cannot be asked for; link to the table instead.")
    if isinstance(operand, Field):
        _check_type(operand, operator)
        if operand.column.type is ColumnType.ENTITYNAME:
            values = [_table_name(scope.schema, value) for value in values]
    alias = scope.fresh("sub")
    return named_conditions.build(operator, operand, values, scope.context, scope.schema, alias=alias)


def compare_columns(operator: str, left: Operand, right: Operand) -> Predicate:
    """`left operator right` for `valueof`: two columns of one type (WA-247)."""
    found = _COMPARISONS.get(operator)
    if found is None:
        raise FetchXmlError(f"Operator '{shown(operator, 60)}' cannot compare columns; eq, ne, gt, ge, lt and le can.")
    if isinstance(left, OptionLabel | LookupTable) or isinstance(right, OptionLabel | LookupTable):
        raise FetchXmlError("A derived column that holds a label or a type cannot be compared with another column.")
    if comparable(left) != comparable(right):
        names = f"'{left.column.logical_name}' and '{right.column.logical_name}'"
        raise FetchXmlError(f"The columns {names} cannot be compared: they are of different types.")
    return Comparison(found, left, right)


def comparable(operand: Field | LookupName) -> str:
    """What kind of value the operand has: operands of one kind can be compared and joined."""
    column = operand.column
    kind = column.type
    if isinstance(operand, LookupName) or kind.is_text or kind is ColumnType.ENTITYNAME:
        return "text"
    if kind.is_lookup or kind is ColumnType.UNIQUEIDENTIFIER:
        return "guid"
    if kind in (ColumnType.MONEY, ColumnType.DECIMAL):
        return "decimal"
    if kind in (ColumnType.INTEGER, ColumnType.BIGINT):
        return "integer"
    if kind is ColumnType.DATETIME:
        return "date" if column.is_date_only else "date-time"
    return "choice" if kind.is_choice else kind.value


def _check_type(operand: Field, operator: str) -> None:
    column = operand.column
    kind = column.type
    if kind in _FILES and operator not in ("null", "not-null"):
        raise FetchXmlError(f"Column '{column.logical_name}' holds a file; only null and not-null can ask about it.")
    if operator in _NEEDS_ORDER and (kind in _ORDERLESS or kind.is_lookup):
        message = f"Operator '{operator}' needs an order; '{column.logical_name}' of type {kind.value} has none."
        raise FetchXmlError(message)


def _on_label(operand: OptionLabel, operator: str, values: Sequence[str]) -> Predicate:
    """A condition on a label. The options whose labels satisfy it are known, so it becomes a list of their values."""
    field, column = operand.value, operand.value.column
    if operator in ("null", "not-null"):
        if values:
            raise FetchXmlError(f"Operator '{operator}' takes no value.")
        return IsNull(field, negated=operator == "not-null")
    positive = _NEGATIONS.get(operator, operator)
    if positive not in ("eq", "in", "like", "begins-with", "ends-with"):
        raise FetchXmlError(f"Operator '{operator}' cannot be used on the label of '{column.logical_name}'.")
    if not values or (positive != "in" and len(values) != 1):
        raise FetchXmlError(f"Operator '{operator}' takes {'at least one value' if positive == 'in' else 'one value'}.")
    wanted = [value.lower() for value in values]
    if positive not in ("eq", "in") and len(wanted[0]) > _LONGEST_PATTERN:
        raise FetchXmlError(
            f"A pattern for the label of '{column.logical_name}' has at most {_LONGEST_PATTERN} characters."
        )
    chosen = tuple(
        Literal(bool(option.value) if column.type is ColumnType.BOOLEAN else option.value, column.type)
        for option in column.options
        if _fits(positive, option.label.lower(), wanted)
    )
    negated = positive != operator
    if not chosen:
        return IsNull(field, negated=True) if negated else FALSE
    return InList(field, chosen, negated)


def _fits(operator: str, label: str, wanted: Sequence[str]) -> bool:
    """Whether a label in lower case satisfies the condition. Wildcards become those of the shell, whose matching is
    linear."""
    if operator in ("eq", "in"):
        return label in wanted
    wild = wanted[0].replace("[%]", "\0").replace("[_]", "\1").replace("[[]", "\2")
    wild = wild.replace("*", "[*]").replace("?", "[?]").replace("[^", "[!")
    wild = wild.replace("%", "*").replace("_", "?").replace("\0", "%").replace("\1", "_").replace("\2", "[[]")
    ends = ("*" if operator == "ends-with" else "", "*" if operator == "begins-with" else "")
    return fnmatchcase(label, wild.join(ends))


def _table_name(schema: Schema, text: str) -> str:
    """The logical name of a table; its type code is understood too, as older FetchXML has it."""
    table = schema.type_codes.get(int(text)) if _TYPE_CODE.fullmatch(text) else None
    return table.logical_name if table is not None else text
