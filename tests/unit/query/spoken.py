"""Queries as short text, so that a test can say what it expects on one line."""

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
    Literal,
    LookupName,
    LookupTable,
    Match,
    Not,
    Or,
    Order,
    Predicate,
    Select,
)


def value(expression: Expression) -> str:
    """`c.name`, `name of ownerid`, `'text'`, `sum(revenue)`."""
    match expression:
        case Field(alias, column):
            return f"{alias}.{column.logical_name}" if alias else column.logical_name
        case LookupName(alias, column):
            return f"name of {value(Field(alias, column))}"
        case LookupTable(alias, column):
            return f"table of {value(Field(alias, column))}"
        case Literal(found, _):
            return repr(found)
        case Aggregate(function, operand):
            return f"{function.value}({value(operand) if operand else ''})"
        case DateGroup(operand, part, offset):
            return f"{part.value}({value(operand)}{offset:+d})"


def predicate(found: Predicate | None) -> str:
    """The predicate with all brackets."""
    match found:
        case None:
            return "all"
        case Comparison(operator, left, right):
            return f"{value(left)} {operator.value} {value(right)}"
        case IsNull(operand, negated):
            return f"{value(operand)} is {'not ' if negated else ''}null"
        case InList(operand, values, negated):
            return f"{value(operand)} {'not ' if negated else ''}in ({', '.join(value(v) for v in values)})"
        case Match(kind, operand, pattern, negated):
            return f"{value(operand)} {'not ' if negated else ''}{kind.value} {pattern!r}"
        case ChoiceMatch(operand, values, _, negated):
            return f"{value(operand)} {'lacks' if negated else 'holds'} {list(values)}"
        case Hierarchy(alias, relationship, root, below):
            return f"{alias}{relationship.schema_name} {'below' if below else 'above'} {root}"
        case And(parts):
            return f"({' and '.join(predicate(part) for part in parts)})"
        case Or(parts):
            return f"({' or '.join(predicate(part) for part in parts)})"
        case Not(part):
            return f"not {predicate(part)}"
        case Constant(truth):
            return str(truth)
        case Exists(link, source, where, joins, negated):
            tie = f"{link.inner_column}={link.outer_alias}.{link.outer_column}"
            more = "".join(f" {join(j)}" for j in joins)
            asks = "" if where is None else f": {predicate(where)}"
            return f"{'no' if negated else 'some'} {source.table.logical_name} {source.alias} ({tie}){more}{asks}"
        case _:
            return repr(found)


def join(found: Join) -> str:
    """`outer contact c (contactid=.primarycontactid): …`."""
    link = found.link
    tie = f"{link.inner_column}={link.outer_alias}.{link.outer_column}"
    asks = "" if found.where is None else f": {predicate(found.where)}"
    return f"{found.kind.value} {found.source.table.logical_name} {found.source.alias} ({tie}){asks}"


def order(found: Order) -> str:
    """`name desc`."""
    return value(found.expression) + (" desc" if found.descending else "")


def outputs(select: Select) -> dict[str, str]:
    """Name on the wire → what it shows."""
    return {output.name: value(output.expression) for output in select.outputs}
