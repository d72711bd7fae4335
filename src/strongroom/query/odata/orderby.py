"""`$orderby` → order keys (WA-174). A lookup orders by the name of its target, a choice by its number."""

from strongroom.errors import QueryError
from strongroom.query.ast import Field, LookupName, Order
from strongroom.query.names import hint, shown
from strongroom.query.odata.lexer import Kind
from strongroom.query.odata.operands import ColumnOperand, resolve, resolve_column
from strongroom.query.odata.parser import Parser
from strongroom.query.odata.scope import Scope
from strongroom.query.odata.syntax import Path
from strongroom.schema.model import ColumnType

_UNSORTABLE = frozenset({ColumnType.IMAGE, ColumnType.FILE, ColumnType.PARTYLIST, ColumnType.MANAGEDPROPERTY})
_DIRECTIONS = ("asc", "desc")


def read_orderby(scope: Scope, text: str) -> tuple[Order, ...]:
    """The order that `text` asks for; a column that occurs again has no effect and is dropped."""
    parser = Parser(text)
    if parser.at_end:
        return ()
    found: dict[Field | LookupName, bool] = {}
    while True:
        expression = _expression(scope, parser)
        descending = _is_descending(parser)
        found.setdefault(expression, descending)
        if not parser.accept(","):
            break
    if not parser.at_end:
        raise parser.error("',' or the end is expected here")
    return tuple(Order(expression, descending) for expression, descending in found.items())


def _expression(scope: Scope, parser: Parser) -> Field | LookupName:
    node = parser.operand()
    if parser.current.is_mark("("):
        raise QueryError("$orderby takes columns, not functions.", position=node.position)
    if isinstance(node, Path):
        field = resolve_column(scope, node)
    else:
        operand = resolve(scope, node)
        if not isinstance(operand, ColumnOperand):
            raise QueryError("$orderby takes columns, not values.", position=node.position)
        field = operand.field
    kind = field.column.type
    if kind in _UNSORTABLE:
        message = f"Rows cannot be ordered by the column '{field.column.logical_name}' of type {kind.value}."
        raise QueryError(message, position=node.position)
    return LookupName(field.alias, field.column) if kind.is_lookup else field


def _is_descending(parser: Parser) -> bool:
    token = parser.current
    if token.kind is not Kind.NAME:
        return False
    if token.value not in _DIRECTIONS:
        message = f"'{shown(token.value)}' is not a direction: it is asc or desc.{hint(token.value, _DIRECTIONS)}"
        raise parser.fault(token.position, message)
    parser.advance()
    return token.value == "desc"
