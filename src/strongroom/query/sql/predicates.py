"""WHERE and ON → predicates: columns against literals, and columns against columns of one type (WA-272)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlglot import exp

from strongroom.errors import InvalidRequest, QueryError
from strongroom.query.ast import (
    And,
    Comparison,
    Field,
    InList,
    IsNull,
    Literal,
    Match,
    Not,
    Operator,
    Or,
    Predicate,
    ReadContext,
    TextMatch,
)
from strongroom.query.fetchxml.conditions import comparable
from strongroom.query.limits import MAX_LIST_VALUES, ConditionBudget
from strongroom.query.sql.sources import Sources
from strongroom.query.sql.syntax import only, part, parts, position, refused
from strongroom.query.typed_values import read_value
from strongroom.schema.model import ColumnType

_COMPARISONS: Mapping[type[exp.Expr], Operator] = {
    exp.EQ: Operator.EQUAL,
    exp.NEQ: Operator.NOT_EQUAL,
    exp.GT: Operator.GREATER,
    exp.GTE: Operator.GREATER_OR_EQUAL,
    exp.LT: Operator.LESS,
    exp.LTE: Operator.LESS_OR_EQUAL,
}
_MIRRORED: Mapping[Operator, Operator] = {
    Operator.EQUAL: Operator.EQUAL,
    Operator.NOT_EQUAL: Operator.NOT_EQUAL,
    Operator.GREATER: Operator.LESS,
    Operator.GREATER_OR_EQUAL: Operator.LESS_OR_EQUAL,
    Operator.LESS: Operator.GREATER,
    Operator.LESS_OR_EQUAL: Operator.GREATER_OR_EQUAL,
}
_EQUALITY = frozenset({Operator.EQUAL, Operator.NOT_EQUAL})
_ORDERLESS = frozenset({ColumnType.BOOLEAN, ColumnType.MULTISELECT, ColumnType.UNIQUEIDENTIFIER})
_FILES = frozenset({ColumnType.FILE, ColumnType.IMAGE})


@dataclass(frozen=True, slots=True)
class Conditions:
    """Reads conditions over the tables that are known so far."""

    sources: Sources
    context: ReadContext
    budget: ConditionBudget

    def read(self, node: exp.Expr) -> Predicate:
        """One condition with everything below it."""
        match node:
            case exp.Paren():
                only(node, "this")
                return self.read(node.this)
            case exp.And():
                return And(tuple(self.read(each) for each in conjuncts(node)))
            case exp.Or():
                return Or(tuple(self.read(each) for each in _flat(node, exp.Or)))
            case exp.Not():
                only(node, "this")
                return self._negated(node.this)
            case _:
                self.budget.spend(position(node))
                return self._single(node)

    def _negated(self, node: exp.Expr) -> Predicate:
        """NOT, moved into conditions that have an opposite of their own: `NOT IN`, `NOT LIKE`, `IS NOT NULL`."""
        match self.read(node):
            case InList(operand, values, negated):
                return InList(operand, values, not negated)
            case Match(kind, operand, pattern, negated):
                return Match(kind, operand, pattern, not negated)
            case IsNull(operand, negated):
                return IsNull(operand, not negated)
            case predicate:
                return Not(predicate)

    def _single(self, node: exp.Expr) -> Predicate:
        operator = _COMPARISONS.get(type(node))
        if operator is not None:
            only(node, "this", "expression")
            return self._comparison(node, operator)
        match node:
            case exp.Like():
                only(node, "this", "expression", "negate")
                return self._like(node)
            case exp.In():
                only(node, "this", "expressions")
                return self._in(node)
            case exp.Between():
                only(node, "this", "low", "high")
                return self._between(node)
            case exp.Is():
                only(node, "this", "expression")
                if not isinstance(node.expression, exp.Null):
                    raise QueryError("IS is only supported as IS NULL and IS NOT NULL.", position=position(node))
                return IsNull(self.sources.column(node.this))
            case _:
                raise refused(node)

    def _comparison(self, node: exp.Expr, operator: Operator) -> Predicate:
        left, right = node.this, node.expression
        if isinstance(left, exp.Column) and isinstance(right, exp.Column):
            return self._columns(node, operator, self.sources.column(left), self.sources.column(right))
        if isinstance(right, exp.Column):
            left, right, operator = right, left, _MIRRORED[operator]
        if not isinstance(left, exp.Column):
            message = "A condition compares a column with a literal; two literals cannot be compared."
            raise QueryError(message, position=position(node)) if is_literal(left) else refused(left)
        field = self.sources.column(left)
        self._check(node, field, has_order=operator not in _EQUALITY)
        return Comparison(operator, field, self.literal(field, right))

    def _columns(self, node: exp.Expr, operator: Operator, left: Field, right: Field) -> Predicate:
        self._check(node, left, has_order=operator not in _EQUALITY)
        if comparable(left) != comparable(right):
            names = f"'{left.column.logical_name}' and '{right.column.logical_name}'"
            raise QueryError(f"The columns {names} cannot be compared: their types differ.", position=position(node))
        return Comparison(operator, left, right)

    def _like(self, node: exp.Like) -> Predicate:
        field = self.sources.column(node.this)
        column = field.column
        if not column.type.is_text and column.type is not ColumnType.ENTITYNAME:
            message = f"LIKE works on text; '{column.logical_name}' is of type {column.type.value}."
            raise QueryError(message, position=position(node))
        pattern = str(self.literal(field, node.expression).value)
        return Match(TextMatch.LIKE, field, pattern, negated=bool(node.args.get("negate")))

    def _in(self, node: exp.In) -> Predicate:
        field = self.sources.column(node.this)
        self._check(node, field, has_order=False)
        values = parts(node)
        if not values or len(values) > MAX_LIST_VALUES:
            message = f"A list behind IN holds 1 to {MAX_LIST_VALUES:,} literals."
            raise QueryError(message, position=position(node))
        return InList(field, tuple(dict.fromkeys(self.literal(field, value) for value in values)))

    def _between(self, node: exp.Between) -> Predicate:
        field = self.sources.column(node.this)
        self._check(node, field, has_order=True)
        low, high = self.literal(field, node.args["low"]), self.literal(field, node.args["high"])
        return And((Comparison(Operator.GREATER_OR_EQUAL, field, low), Comparison(Operator.LESS_OR_EQUAL, field, high)))

    def _check(self, node: exp.Expr, field: Field, *, has_order: bool) -> None:
        column = field.column
        if column.type in _FILES:
            message = f"The column '{column.logical_name}' holds a file; only IS NULL can ask about it."
            raise QueryError(message, position=position(node))
        if has_order and (column.type in _ORDERLESS or column.type.is_lookup):
            message = f"The column '{column.logical_name}' of type {column.type.value} has no order to compare by."
            raise QueryError(message, position=position(node))

    def literal(self, field: Field, node: exp.Expr) -> Literal:
        """A literal as a value of the column that it meets."""
        if isinstance(node, exp.Null):
            raise QueryError("Nothing equals NULL; write IS NULL or IS NOT NULL.", position=position(node))
        if not is_literal(node):
            raise refused(node)
        try:
            return read_value(field.column, _text(node), zone=self.context.time_zone)
        except InvalidRequest as error:
            raise QueryError(error.message) from error


def is_literal(node: exp.Expr) -> bool:
    """`'text'`, `N'text'`, a number with or without a sign, TRUE and FALSE."""
    if isinstance(node, exp.Neg):
        inner = part(node, "this")
        return isinstance(inner, exp.Literal) and not inner.is_string
    return isinstance(node, exp.Literal | exp.National | exp.Boolean)


def conjuncts(node: exp.Expr | None) -> Iterator[exp.Expr]:
    """The conditions that AND ties together at the top, in order; parentheses are looked through."""
    return iter(()) if node is None else _flat(node, exp.And)


def _flat(node: exp.Expr, kind: type[exp.Expr]) -> Iterator[exp.Expr]:
    """Operands of a chain of one connective. The parser nests to the left, as deep as the chain is long."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        while isinstance(current, exp.Paren):
            only(current, "this")
            current = current.this
        if isinstance(current, kind):
            only(current, "this", "expression")
            waiting += (current.args["expression"], current.args["this"])
        else:
            yield current


def _text(node: exp.Expr) -> str:
    if isinstance(node, exp.Neg):
        return f"-{node.this.this}"
    if isinstance(node, exp.Boolean):
        return "true" if node.this else "false"
    return str(node.this)
