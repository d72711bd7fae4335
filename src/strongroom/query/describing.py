"""A query in words, without the values that it was asked with: what the activity log keeps of it (TS-808).

    account: name, telephone1 where (name contains ? and statecode = ?) order by name;
    expand primarycontactid: contact: fullname

Literals may be personal, and who reads the log need not know whom somebody was looking for.
"""

from typing import assert_never

from strongroom.query.ast import (
    Aggregate,
    And,
    ChoiceMatch,
    Comparison,
    Constant,
    DateGroup,
    Exists,
    Expression,
    Field,
    Hierarchy,
    InList,
    IsNull,
    Literal,
    LookupName,
    LookupTable,
    Match,
    Not,
    Or,
    OwnerIn,
    Predicate,
    Select,
    SharedWith,
    Source,
    UnitIn,
)

_LONGEST = 4000


def described(select: Select) -> str:
    """The query in words, at most 4,000 characters of it."""
    return _select(select)[:_LONGEST]


def searches(select: Select) -> bool:
    """Whether the query looks for text: a condition matches a part of it."""
    return _matches(select.where) or any(_matches(join.where) for join in select.joins)


def _select(select: Select) -> str:
    parts = [f"{_source(select.source)}: {', '.join(_outputs(select))}"]
    parts += [f"join {_source(join.source)}{_where(join.where)}" for join in select.joins]
    tail = _where(select.where)
    if select.group_by:
        tail += f" group by {', '.join(_expression(each) for each in select.group_by)}"
    if select.order:
        order = (f"{_expression(each.expression)}{' desc' if each.descending else ''}" for each in select.order)
        tail += f" order by {', '.join(order)}"
    if select.top is not None:
        tail += f" top {select.top}"
    expands = "".join(f"; expand {expand.name}: {_select(expand.select)}" for expand in select.expands)
    return " ".join(parts) + tail + expands


def _outputs(select: Select) -> list[str]:
    return list(dict.fromkeys(_expression(output.expression) for output in select.outputs if not output.implied))


def _source(source: Source) -> str:
    name = source.table.logical_name
    return name if source.alias in ("", name) else f"{name} {source.alias}"


def _where(predicate: Predicate | None) -> str:
    return "" if predicate is None else f" where {_predicate(predicate)}"


def _expression(expression: Expression) -> str:
    match expression:
        case Field(alias, column) | LookupTable(alias, column):
            return f"{alias}.{column.logical_name}" if alias else column.logical_name
        case LookupName(alias, column):
            return f"{alias}.{column.logical_name}.name" if alias else f"{column.logical_name}.name"
        case Aggregate(function, operand):
            return f"{function.value}({'' if operand is None else _expression(operand)})"
        case DateGroup(operand, part):
            return f"{part.value}({_expression(operand)})"
        case Literal():
            return "?"
        case _:  # pragma: no cover - a new kind of expression must be described before it can be asked for
            assert_never(expression)


def _predicate(predicate: Predicate) -> str:
    match predicate:
        case Comparison(operator, left, right):
            return f"{_expression(left)} {operator.value} {_expression(right)}"
        case IsNull(operand, negated):
            return f"{_expression(operand)} is {'not ' if negated else ''}null"
        case InList(operand, values, negated):
            return f"{_expression(operand)} {_not(negated)}in {len(values)} values"
        case Match(kind, operand, _, negated):
            return f"{_expression(operand)} {_not(negated)}{kind.value} ?"
        case ChoiceMatch(operand, values, _, negated):
            return f"{_expression(operand)} {_not(negated)}holds {len(values)} values"
        case Hierarchy(_, relationship, _, below, _, negated):
            return f"{_not(negated)}{'below' if below else 'above'} ? by {relationship.referencing_column}"
        case And(parts):
            return f"({' and '.join(_predicate(part) for part in parts)})"
        case Or(parts):
            return f"({' or '.join(_predicate(part) for part in parts)})"
        case Not(part):
            return f"not {_predicate(part)}"
        case Constant(value):
            return "true" if value else "false"
        case Exists(_, source, where, joins, negated):
            inner = "".join(f" join {_source(join.source)}{_where(join.where)}" for join in joins)
            return f"{_not(negated)}exists {_source(source)}{inner}{_where(where)}"
        case OwnerIn() | UnitIn() | SharedWith():
            return "the caller's rows"
        case _:  # pragma: no cover - as for expressions
            assert_never(predicate)


def _not(negated: bool) -> str:
    return "not " if negated else ""


def _matches(predicate: Predicate | None) -> bool:
    match predicate:
        case Match():
            return True
        case And(parts) | Or(parts):
            return any(_matches(part) for part in parts)
        case Not(part):
            return _matches(part)
        case Exists(_, _, where, joins):
            return _matches(where) or any(_matches(join.where) for join in joins)
        case _:
            return False
