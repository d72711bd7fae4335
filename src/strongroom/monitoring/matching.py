"""A condition of the query language, asked of rows in memory.

Alert rules look at each entry of the trail once, in order, so they cannot be queries; but they are written in the same
language and mean the same. Three answers, as in SQL: true, false, and None where a null decides; a rule applies where
the answer is true. Conditions on other rows (lambdas, names behind lookups, hierarchies) have no meaning here and are
refused when the rule is written.
"""

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from strongroom.errors import InvalidRequest
from strongroom.ids import Reference
from strongroom.query.ast import (
    And,
    Comparison,
    Constant,
    Field,
    InList,
    IsNull,
    Literal,
    Match,
    Not,
    Operator,
    Or,
    Predicate,
)
from strongroom.store.compile.patterns import Form, TextPattern, read
from strongroom.store.layout import fold
from strongroom.store.protocol import Row

Test = Callable[[Row], bool | None]
"""Whether a condition holds for a row; None is SQL's unknown."""

MOST_WILDCARDS = 3
"""Of one pattern: what Python's matcher takes grows with each, on texts that others write."""

_COMPARE: Mapping[Operator, Callable[[Any, Any], bool]] = {
    Operator.EQUAL: operator.eq,
    Operator.NOT_EQUAL: operator.ne,
    Operator.GREATER: operator.gt,
    Operator.GREATER_OR_EQUAL: operator.ge,
    Operator.LESS: operator.lt,
    Operator.LESS_OR_EQUAL: operator.le,
}


def compiled(predicate: Predicate) -> Test:
    """The condition as a function. Raises `InvalidRequest` for one that asks for more than the row itself."""
    match predicate:
        case Constant(value):
            return lambda _: value
        case Comparison(how, Field() as left, right) if isinstance(right, Field | Literal):
            return _comparison(how, left, right)
        case IsNull(Field() as operand, negated):
            return _is_null(operand, negated=negated)
        case InList(Field() as operand, values, negated):
            return _in_list(operand, values, negated=negated)
        case Match(kind, Field() as operand, pattern, negated):
            return _match(operand, read(kind, pattern), negated=negated)
        case And(parts):
            return _all([compiled(part) for part in parts])
        case Or(parts):
            return _any([compiled(part) for part in parts])
        case Not(part):
            return _negation(compiled(part))
        case _:
            raise InvalidRequest(
                "A rule looks at one entry at a time: compare columns of its own table with values; conditions on "
                "other rows, their names, or what comes below them are not possible.",
                details={"reason": "filter-not-possible", "rule": "TS-824", "target": "filter"},
            )


def value_of(row: Row, column: str) -> object:
    """A column's value as conditions see it: the id of a lookup, text without regard to case."""
    value = row.values.get(column)
    if isinstance(value, Reference):
        return value.id
    return fold(value) if isinstance(value, str) else value


def _literal(value: object) -> object:
    return fold(value) if isinstance(value, str) else value


def _comparison(how: Operator, left: Field, right: Field | Literal) -> Test:
    column, compare = left.column.logical_name, _COMPARE[how]
    if isinstance(right, Field):
        other = right.column.logical_name

        def both(row: Row) -> bool | None:
            one, two = value_of(row, column), value_of(row, other)
            return None if one is None or two is None else compare(one, two)

        return both
    wanted = _literal(right.value)

    def one(row: Row) -> bool | None:
        value = value_of(row, column)
        return None if value is None else compare(value, wanted)

    return one


def _is_null(operand: Field, *, negated: bool) -> Test:
    column = operand.column.logical_name
    return lambda row: (row.values.get(column) is None) != negated


def _in_list(operand: Field, values: tuple[Literal, ...], *, negated: bool) -> Test:
    column, wanted = operand.column.logical_name, frozenset(_literal(each.value) for each in values)

    def test(row: Row) -> bool | None:
        value = value_of(row, column)
        return None if value is None else (value in wanted) != negated

    return test


def _match(operand: Field, pattern: TextPattern, *, negated: bool) -> Test:
    column, fits = operand.column.logical_name, _fits(pattern)

    def test(row: Row) -> bool | None:
        value = value_of(row, column)
        return fits(value) != negated if isinstance(value, str) else None

    return test


def _fits(pattern: TextPattern) -> Callable[[str], bool]:
    needle = pattern.needle
    match pattern.form:
        case Form.ANYTHING:
            return lambda _: True
        case Form.EQUAL:
            return lambda text: text == needle
        case Form.PREFIX:
            return lambda text: text.startswith(needle)
        case Form.SUFFIX:
            return lambda text: text.endswith(needle)
        case Form.CONTAINS:
            return lambda text: needle in text
        case Form.PATTERN:
            expression = pattern.regular_expression()
            if expression.count(".*") > MOST_WILDCARDS:
                raise InvalidRequest(
                    f"A pattern of a rule may hold the wildcard % at most {MOST_WILDCARDS} times.",
                    details={"reason": "filter-not-possible", "rule": "TS-824", "target": "filter"},
                )
            search = re.compile(expression[1:-1], re.DOTALL).fullmatch
            return lambda text: search(text) is not None


def _all(parts: list[Test]) -> Test:
    def test(row: Row) -> bool | None:
        answer: bool | None = True
        for part in parts:
            found = part(row)
            if found is False:
                return False
            if found is None:
                answer = None
        return answer

    return test


def _any(parts: list[Test]) -> Test:
    def test(row: Row) -> bool | None:
        answer: bool | None = False
        for part in parts:
            found = part(row)
            if found is True:
                return True
            if found is None:
                answer = None
        return answer

    return test


def _negation(part: Test) -> Test:
    def test(row: Row) -> bool | None:
        found = part(row)
        return None if found is None else not found

    return test
