"""The opposite of a predicate in two-valued logic, for `all(…)` (WA-193).

`all(p)` holds when no related row fails p, and a row for which p is unknown (a null in it) fails it. SQL's NOT would
leave unknown unknown, so the opposite is written out: `not true` of `x = 5` is `x <> 5 or x is null`.
"""

from dataclasses import replace

from strongroom.query.ast import (
    And,
    ChoiceMatch,
    Comparison,
    Constant,
    Exists,
    Field,
    Hierarchy,
    InList,
    IsNull,
    LookupName,
    Match,
    Not,
    Operator,
    Or,
    Predicate,
)

_OPPOSITE = {
    Operator.EQUAL: Operator.NOT_EQUAL,
    Operator.NOT_EQUAL: Operator.EQUAL,
    Operator.GREATER: Operator.LESS_OR_EQUAL,
    Operator.GREATER_OR_EQUAL: Operator.LESS,
    Operator.LESS: Operator.GREATER_OR_EQUAL,
    Operator.LESS_OR_EQUAL: Operator.GREATER,
}


def fails(predicate: Predicate) -> Predicate:
    """True where `predicate` is false or unknown."""
    match predicate:
        case And(parts):
            return Or(tuple(fails(part) for part in parts))
        case Or(parts):
            return And(tuple(fails(part) for part in parts))
        case Not(part):
            return _may_hold(part)
        case Comparison(operator, left, right):
            return _or_null(Comparison(_OPPOSITE[operator], left, right), left, right)
        case InList(operand) | Match(_, operand):
            return _or_null(replace(predicate, negated=not predicate.negated), operand)
        case _:
            return _flipped(predicate)


def _may_hold(predicate: Predicate) -> Predicate:
    """True where `predicate` is true or unknown."""
    match predicate:
        case And(parts):
            return And(tuple(_may_hold(part) for part in parts))
        case Or(parts):
            return Or(tuple(_may_hold(part) for part in parts))
        case Not(part):
            return fails(part)
        case Comparison(_, left, right):
            return _or_null(predicate, left, right)
        case InList(operand) | Match(_, operand):
            return _or_null(predicate, operand)
        case _:
            return predicate


def _flipped(predicate: Predicate) -> Predicate:
    """The opposite of a predicate that is never unknown."""
    match predicate:
        case Constant(value):
            return Constant(not value)
        case IsNull() | ChoiceMatch() | Hierarchy() | Exists():
            return replace(predicate, negated=not predicate.negated)
        case _:
            return Not(predicate)


def _or_null(predicate: Predicate, *operands: object) -> Predicate:
    nulls = tuple(IsNull(operand) for operand in operands if isinstance(operand, Field | LookupName))
    return Or((predicate, *nulls)) if nulls else predicate
