"""Which sources a part of a query speaks of, and with it which joins come before the page is cut, and which after."""

from collections.abc import Iterator

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
    Join,
    JoinKind,
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
    UnitIn,
)


def of_expression(node: Expression) -> Iterator[str]:
    """The aliases in an expression."""
    match node:
        case Field() | LookupName() | LookupTable():
            yield node.alias
        case DateGroup():
            yield node.operand.alias
        case Aggregate():
            if node.operand is not None:
                yield node.operand.alias
        case Literal():
            return


def of_predicate(node: Predicate) -> Iterator[str]:
    """The aliases in a predicate, those inside `Exists` included."""
    match node:
        case Comparison():
            yield from of_expression(node.left)
            yield from of_expression(node.right)
        case IsNull() | InList() | Match() | ChoiceMatch():
            yield from of_expression(node.operand)
        case And() | Or():
            for part in node.parts:
                yield from of_predicate(part)
        case Not():
            yield from of_predicate(node.part)
        case Exists():
            yield node.link.outer_alias
            if node.where is not None:
                yield from of_predicate(node.where)
            for join in node.joins:
                yield from _of_join(join)
        case Hierarchy() | OwnerIn() | UnitIn() | SharedWith():
            yield node.alias
        case Constant():
            return


def _of_join(join: Join) -> Iterator[str]:
    yield join.link.outer_alias
    if join.where is not None:
        yield from of_predicate(join.where)


def is_to_one(join: Join) -> bool:
    """Whether at most one row can match: the link ends in the joined row's id."""
    return join.kind is JoinKind.FIRST_ROW or (
        join.link.intersect is None and join.link.inner_column == join.source.table.primary_id
    )


def early_joins(select: Select) -> tuple[Join, ...]:
    """The joins that decide which rows there are, or in which order, with everything that these hang on.

    The others (outer, to one row, used by the outputs alone) are looked up for the rows of the page only.
    """
    needed = {alias for order in select.order for alias in of_expression(order.expression)}
    if select.where is not None:
        needed |= set(of_predicate(select.where))
    early: list[Join] = []
    for join in reversed(select.joins):
        if join.kind is not JoinKind.OUTER or not is_to_one(join) or join.source.alias in needed:
            early.append(join)
            needed |= set(_of_join(join))
    return tuple(reversed(early))
