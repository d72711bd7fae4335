"""Comparisons with their types (WA-187, WA-188): column with value, column with column, value with value.

Numbers with more digits than a column keeps are compared as what they mean: no row has `numberofemployees eq 5.5`, and
`revenue gt 1.00005` is `revenue gt 1.0000`. So a literal always fits its column exactly.
"""

from datetime import UTC, datetime
from decimal import ROUND_FLOOR, Context, Decimal
from typing import TypeVar

from strongroom.errors import InvalidRequest, QueryError
from strongroom.query.ast import (
    FALSE,
    And,
    Comparison,
    Constant,
    Field,
    InList,
    IsNull,
    Literal,
    Operator,
    Or,
    Predicate,
)
from strongroom.query.names import shown
from strongroom.query.odata import syntax
from strongroom.query.odata.edm import NUMBERS, edm_type
from strongroom.query.odata.operands import ColumnOperand, NavOperand, Operand
from strongroom.query.odata.syntax import Items, LiteralKind
from strongroom.query.typed_values import parse_moment, read_value
from strongroom.schema.model import Column, ColumnType

OPERATORS = {
    "eq": Operator.EQUAL,
    "ne": Operator.NOT_EQUAL,
    "gt": Operator.GREATER,
    "ge": Operator.GREATER_OR_EQUAL,
    "lt": Operator.LESS,
    "le": Operator.LESS_OR_EQUAL,
}
_KINDS = {
    "eq": "Equal",
    "ne": "NotEqual",
    "gt": "GreaterThan",
    "ge": "GreaterThanOrEqual",
    "lt": "LessThan",
    "le": "LessThanOrEqual",
}
_MIRRORED = {"eq": "eq", "ne": "ne", "gt": "lt", "ge": "le", "lt": "gt", "le": "ge"}

_NUMERIC = frozenset({LiteralKind.INTEGER, LiteralKind.DECIMAL})
_ACCEPTED = {
    "Edm.String": frozenset({LiteralKind.STRING}),
    "Edm.Int32": _NUMERIC,
    "Edm.Int64": _NUMERIC,
    "Edm.Decimal": _NUMERIC,
    "Edm.Double": _NUMERIC,
    "Edm.Boolean": frozenset({LiteralKind.BOOLEAN}),
    "Edm.DateTimeOffset": frozenset({LiteralKind.MOMENT, LiteralKind.DATE, LiteralKind.STRING}),
    "Edm.Date": frozenset({LiteralKind.DATE, LiteralKind.MOMENT, LiteralKind.STRING}),
    "Edm.Guid": frozenset({LiteralKind.GUID, LiteralKind.STRING}),
}
_WIDE = Context(prec=100)


def compare(operator: str, left: Operand, right: Operand, position: int) -> Predicate:
    """`left operator right`, operator being one of `OPERATORS`."""
    if isinstance(left, syntax.Constant) and isinstance(right, syntax.Constant):
        return _constants(operator, left, right, position)
    if isinstance(left, syntax.Constant | Items):
        return _column(_MIRRORED[operator], right, left, position, mirrored=True)
    return _column(operator, left, right, position)


def one_of(operand: Operand, items: Items, position: int) -> Predicate:
    """`operand in (…)`."""
    if not isinstance(operand, ColumnOperand):
        raise QueryError("The left side of 'in' must be a column.", position=position)
    if not items.members:
        raise QueryError("The list of 'in' needs at least one value.", position=items.position)
    _check_filterable(operand)
    literals: dict[Literal, None] = {}
    for member in items.members:
        if member.kind is LiteralKind.NULL:
            message = "null is not a value of a list: write 'or … eq null' beside it."
            raise QueryError(message, position=member.position)
        literal, is_exact = _literal(operand, member, "eq", mirrored=False)
        if is_exact:
            literals[literal] = None
    if not literals:
        return _never(operand.field)
    return InList(operand.field, tuple(literals))


def accepts(column: Column, constant: syntax.Constant) -> bool:
    """Whether a literal of this kind can be a value of the column (WA-186, WA-187)."""
    return constant.kind in _ACCEPTED.get(edm_type(column), frozenset())


def _column(operator: str, left: Operand, right: Operand, position: int, *, mirrored: bool = False) -> Predicate:
    if isinstance(left, syntax.Constant | Items):
        raise QueryError("A list can only stand behind 'in' and in PropertyValues.", position=position)
    if isinstance(right, syntax.Constant) and right.kind is LiteralKind.NULL:
        return _with_null(operator, left, position)
    if isinstance(left, NavOperand) or isinstance(right, NavOperand):
        nav = left if isinstance(left, NavOperand) else right
        raise _bare_nav(nav, position)
    if isinstance(right, Items):
        raise QueryError("A list can only stand behind 'in' and in PropertyValues.", position=right.position)
    _check_filterable(left)
    if isinstance(right, ColumnOperand):
        return _two_columns(operator, left, right, position)
    literal, is_exact = _literal(left, right, operator, mirrored=mirrored)
    if left.field.column.type is ColumnType.MULTISELECT and operator not in ("eq", "ne"):
        raise QueryError("A column of several choices can only be compared with eq and ne.", position=position)
    if is_exact:
        return Comparison(OPERATORS[operator], left.field, literal)
    return _between_steps(operator, left.field, literal)


def _bare_nav(nav: Operand, position: int) -> QueryError:
    name = nav.name if isinstance(nav, NavOperand) else ""
    value = nav.field.column.property_name if isinstance(nav, NavOperand) else ""
    message = f"The navigation property '{name}' can only be compared with null; the value of the lookup is '{value}'."
    return QueryError(message, position=position)


def _with_null(operator: str, left: ColumnOperand | NavOperand, position: int) -> Predicate:
    if operator not in ("eq", "ne"):
        return FALSE
    if left.field.column.type in (ColumnType.IMAGE, ColumnType.PARTYLIST):
        raise _unfilterable(left.field.column, position)
    return IsNull(left.field, negated=operator == "ne")


def _two_columns(operator: str, left: ColumnOperand, right: ColumnOperand, position: int) -> Predicate:
    _check_filterable(right)
    if _family(left.field.column) != _family(right.field.column):
        raise incompatible(left.edm_type, right.edm_type, operator, position)
    return Comparison(OPERATORS[operator], left.field, right.field)


def _family(column: Column) -> tuple[str, object]:
    """Columns of one family hold values that compare as they are stored."""
    kind = edm_type(column)
    if kind in ("Edm.Int32", "Edm.Int64"):
        return "whole number", 0
    if kind == "Edm.Decimal":
        return kind, _digits(column)
    if kind == "Edm.DateTimeOffset":
        return kind, column.behavior
    return kind, column.type is ColumnType.MULTISELECT


def _literal(
    operand: ColumnOperand, constant: syntax.Constant, operator: str, *, mirrored: bool
) -> tuple[Literal, bool]:
    """The value for the column, and whether it is exactly the one written; if not, it is the next lower one."""
    column, kind = operand.field.column, operand.edm_type
    if not accepts(column, constant):
        types = (constant.edm_type, kind) if mirrored else (kind, constant.edm_type)
        written = next(name for name, other in _MIRRORED.items() if other == operator) if mirrored else operator
        raise incompatible(*types, written, constant.position)
    try:
        if kind in NUMBERS and kind != "Edm.Double" and constant.kind is LiteralKind.DECIMAL:
            return _next_lower(column, constant.text)
        if kind == "Edm.Decimal":
            return _next_lower(column, constant.text)
        return read_value(column, constant.text), True
    except InvalidRequest as error:
        raise QueryError(error.message, position=constant.position) from error


def _next_lower(column: Column, text: str) -> tuple[Literal, bool]:
    is_decimal = edm_type(column) == "Edm.Decimal"
    number = Decimal(str(read_value(column, text).value)) if is_decimal else _fraction(column, text)
    lower = number.quantize(Decimal(1).scaleb(-_digits(column)), rounding=ROUND_FLOOR, context=_WIDE)
    return Literal(lower if is_decimal else int(lower), column.type), lower == number


def _fraction(column: Column, text: str) -> Decimal:
    """A number with a fraction for a column of whole numbers, checked against the largest such column."""
    whole, _, exponent = text.lower().partition("e")
    if len(exponent) > 4 or abs(int(exponent or 0)) > 40 or len(whole) > 80:
        raise InvalidRequest(
            f"'{text[:40]}' is too large or too small a number for the column '{column.logical_name}'."
        )
    number = Decimal(text)
    if abs(number) >= 2**63:
        raise InvalidRequest(f"'{text[:40]}' is too large a number for the column '{column.logical_name}'.")
    return number


def _digits(column: Column) -> int:
    """Digits after the point that the column keeps (WA-84, WA-85)."""
    if column.type is ColumnType.MONEY:
        return 4
    if column.type is ColumnType.DECIMAL:
        return min(column.precision if column.precision is not None else 2, 10)
    return 0


def _between_steps(operator: str, field: Field, lower: Literal) -> Predicate:
    """The comparison with a number between `lower` and the next value that the column can hold."""
    above = Comparison(Operator.GREATER, field, lower)
    below = Comparison(Operator.LESS_OR_EQUAL, field, lower)
    match operator:
        case "gt" | "ge":
            return above
        case "lt" | "le":
            return below
        case "eq":
            return And((above, below))
        case _:
            return Or((above, below))


def _never(field: Field) -> Predicate:
    """False, and unknown where the column is null, as a comparison would be."""
    same = Comparison(Operator.EQUAL, field, field)
    other = Comparison(Operator.NOT_EQUAL, field, field)
    return And((same, other))


def _check_filterable(operand: ColumnOperand) -> None:
    if edm_type(operand.field.column) not in _ACCEPTED or operand.field.column.type is ColumnType.FILE:
        raise _unfilterable(operand.field.column, operand.position)


def _unfilterable(column: Column, position: int) -> QueryError:
    can = "can only be compared with null" if column.type is ColumnType.FILE else "cannot be filtered"
    return QueryError(f"The column '{column.logical_name}' of type {column.type.value} {can}.", position=position)


def incompatible(left: str, right: str, operator: str, position: int) -> QueryError:
    """The error of WA-187."""
    message = (
        "A binary operator with incompatible types was detected. "
        f"Found operand types '{left}' and '{right}' for operator kind '{_KINDS[operator]}'."
    )
    return QueryError(message, position=position)


# --- value with value --------------------------------------------------------------------------------------------


def _constants(operator: str, left: syntax.Constant, right: syntax.Constant, position: int) -> Predicate:
    if LiteralKind.NULL in (left.kind, right.kind):
        both = left.kind is right.kind
        return Constant((operator == "eq" and both) or (operator == "ne" and not both))
    if left.kind in _NUMERIC and right.kind in _NUMERIC:
        return _ordered(operator, float(left.text), float(right.text))
    if left.kind is not right.kind:
        raise incompatible(left.edm_type, right.edm_type, operator, position)
    if left.kind is LiteralKind.MOMENT:
        return _ordered(operator, _instant(left), _instant(right))
    return _ordered(operator, left.text.lower(), right.text.lower())


_Ordered = TypeVar("_Ordered", float, str)


def _ordered(operator: str, left: _Ordered, right: _Ordered) -> Predicate:
    outcomes = {
        "eq": left == right,
        "ne": left != right,
        "gt": left > right,
        "ge": left >= right,
        "lt": left < right,
        "le": left <= right,
    }
    return Constant(outcomes[operator])


def _instant(constant: syntax.Constant) -> float:
    moment = parse_moment(constant.text)
    if not isinstance(moment, datetime):
        raise QueryError(f"'{shown(constant.text)}' is not a date-time.", position=constant.position)
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()
