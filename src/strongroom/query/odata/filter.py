"""`$filter`: the syntax tree with its names looked up and its types checked → a `Predicate` (section 12).

Joins that paths need go into the scope's `JoinList`; a lambda opens an `Exists` with joins of its own. A name without a
variable inside a lambda is a property of the outermost row, as OData defines `$it`.
"""

from strongroom.errors import QueryError
from strongroom.query.ast import (
    And,
    Comparison,
    Constant,
    Exists,
    Literal,
    Not,
    Operator,
    Or,
    Predicate,
    Source,
)
from strongroom.query.limits import MAX_LAMBDA_DEPTH
from strongroom.query.names import shown
from strongroom.query.odata import syntax
from strongroom.query.odata.comparison import compare, one_of
from strongroom.query.odata.edm import type_name
from strongroom.query.odata.functions import call, check_known, is_named
from strongroom.query.odata.negation import fails
from strongroom.query.odata.operands import ColumnOperand, Operand, alias_value, resolve
from strongroom.query.odata.parser import parse_expression
from strongroom.query.odata.scope import JoinList, Scope, collection_link, unknown_property
from strongroom.query.odata.syntax import Alias, Items, LiteralKind, Node, Path
from strongroom.schema.model import ColumnType


def read_predicate(scope: Scope, text: str) -> Predicate:
    """`text` as a condition on the rows of `scope`. Empty text is an error (WA-195)."""
    if not text.strip():
        raise QueryError(
            "The $filter is empty: write a condition such as name eq 'x', or leave $filter out.", position=0
        )
    return predicate(scope, parse_expression(text))


def predicate(scope: Scope, node: Node) -> Predicate:
    """The condition that `node` is; a node that is a value and not a condition is an error."""
    match node:
        case syntax.Junction(is_and, parts):
            read = tuple(predicate(scope, part) for part in parts)
            return And(read) if is_and else Or(read)
        case syntax.Negation(part):
            return _negation(scope, part, node.position)
        case syntax.Compare():
            scope.query.budget.spend(node.position)
            return _comparison(scope, node)
        case syntax.Membership(operand, items):
            scope.query.budget.spend(node.position)
            return one_of(_operand(scope, operand), _items(scope, items), node.position)
        case syntax.Call():
            scope.query.budget.spend(node.position)
            return call(scope, node)
        case syntax.Lambda():
            scope.query.budget.spend(node.position)
            return _lambda(scope, node)
        case _:
            scope.query.budget.spend(node.position)
            return _truth(scope, node)


def _negation(scope: Scope, part: Node, position: int) -> Predicate:
    if is_named(part) or (isinstance(part, syntax.Negation) and is_named(part.part)):
        message = "Not operator along with the Custom Named Condition operators is not allowed."
        raise QueryError(message, position=position)
    return Not(predicate(scope, part))


def _comparison(scope: Scope, node: syntax.Compare) -> Predicate:
    left, right = resolve(scope, node.left), resolve(scope, node.right)
    if left is not None and right is not None:
        return compare(node.operator, left, right, node.position)
    condition, other = (node.left, right) if left is None else (node.right, left)
    if isinstance(condition, syntax.Call):
        check_known(condition)
    truth = other.text if isinstance(other, syntax.Constant) and other.kind is LiteralKind.BOOLEAN else None
    if truth is None or node.operator not in ("eq", "ne"):
        message = "A condition can only be compared with true or false, by eq or ne."
        raise QueryError(message, position=condition.position)
    holds = (truth == "true") == (node.operator == "eq")
    return predicate(scope, condition) if holds else _negation(scope, condition, node.position)


def _operand(scope: Scope, node: Node) -> Operand:
    found = resolve(scope, node)
    if found is None:
        raise QueryError("The left side of 'in' must be a column.", position=node.position)
    return found


def _items(scope: Scope, items: Items | Alias) -> Items:
    value = alias_value(scope, items) if isinstance(items, Alias) else items
    if not isinstance(value, Items):
        raise QueryError("The right side of 'in' must be a list: name in ('a','b').", position=items.position)
    return value


def _truth(scope: Scope, node: Node) -> Predicate:
    """A boolean column, or true or false, that stands as a condition by itself."""
    if isinstance(node, Path):
        _refuse_collection(scope, node)
    operand = resolve(scope, node)
    if isinstance(operand, ColumnOperand) and operand.field.column.type is ColumnType.BOOLEAN:
        return Comparison(Operator.EQUAL, operand.field, Literal(True, ColumnType.BOOLEAN))
    if isinstance(operand, syntax.Constant) and operand.kind is LiteralKind.BOOLEAN:
        return Constant(operand.text == "true")
    what = f"'{shown(node.text)}' is" if isinstance(node, Path | syntax.Constant) else "This is"
    message = f"{what} a value, not a condition: compare it, as in name eq 'x'."
    raise QueryError(message, position=node.position)


def _refuse_collection(scope: Scope, path: Path) -> None:
    start, segments = scope.start(path.segments)
    if len(segments) == 1 and collection_link(scope.query.schema, start.table, segments[0]) is not None:
        nav = segments[0]
        message = f"'{nav}' is a collection: ask for its rows with {nav}/any(x:x/…) or {nav}/all(x:x/…)."
        raise QueryError(message, position=path.position)


# --- lambdas -----------------------------------------------------------------------------------------------------


def _lambda(scope: Scope, node: syntax.Lambda) -> Predicate:
    outer, segments = scope.start(node.path.segments)
    if len(scope.variables) >= MAX_LAMBDA_DEPTH:
        message = f"Lambdas are nested more than {MAX_LAMBDA_DEPTH} levels deep."
        raise QueryError(message, position=node.position)
    if len(segments) != 1:
        message = (
            f"'any' and 'all' cannot follow the path '{node.path.text}': they stand behind a collection of the row."
        )
        raise QueryError(message, position=node.position)
    nav = segments[0]
    collection = collection_link(scope.query.schema, outer.table, nav)
    if collection is None:
        if outer.find_column(nav) is None and nav not in outer.table.columns:
            raise unknown_property(outer.table, nav, scope.query.schema, node.position)
        message = (
            f"'{nav}' on type '{type_name(outer.table)}' is not a collection, so 'any' and 'all' cannot follow it."
        )
        raise QueryError(message, position=node.position)
    source = Source(collection.table, scope.query.new_sub_select(node.position))
    link = collection.link(outer.alias)
    if node.body is None:
        return Exists(link, source)
    if node.variable in scope.variables or node.variable == "$it":
        message = f"The variable '{node.variable}' is taken by a lambda around this one."
        raise QueryError(message, position=node.position)
    inner = Scope(scope.query, source.table, source.alias, JoinList())
    body_scope = Scope(scope.query, scope.table, scope.alias, scope.joins, {**scope.variables, node.variable: inner})
    inner.variables = body_scope.variables
    body = predicate(body_scope, node.body)
    where = body if node.is_any else fails(body)
    return Exists(link, source, where, inner.joins.all(), negated=not node.is_any)
