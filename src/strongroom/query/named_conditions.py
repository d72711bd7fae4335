"""Every condition that has a name: one table for OData's query functions and FetchXML's operators.

`LastXDays` and `last-x-days`, `In` and `in`, `EqualUserId` and `eq-userid` are the same condition under two names
(WA-203, WA-204, WA-245). The readers bring the field and the values as the caller wrote them; what the condition means
is decided here alone.

    build("last-x-days", Field("", createdon), ["7"], context, schema)

Negative conditions follow SQL: a null value satisfies neither a condition nor its opposite (WA-188), but for
`not-contain-values`, where an empty choice holds nothing and therefore counts.

`InFiscalPeriod` without a year would need a part of a date as an operand; it is refused as not offered.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NoReturn

from strongroom.errors import InvalidRequest, NotOffered
from strongroom.query import date_conditions, principal_conditions
from strongroom.query.ast import (
    And,
    ChoiceMatch,
    Comparison,
    Field,
    InList,
    IsNull,
    Literal,
    LookupName,
    Match,
    Not,
    Operator,
    Or,
    Predicate,
    ReadContext,
    TextMatch,
)
from strongroom.query.dates import DateOutOfRange, Span
from strongroom.query.limits import MAX_LIST_VALUES
from strongroom.query.names import shown
from strongroom.query.typed_values import read_day, read_value
from strongroom.schema.model import ColumnType, Schema

Operand = Field | LookupName
"""`LookupName` is what FetchXML's derived columns (`primarycontactidname`) are read as; it compares as text."""

MOST_UNITS = 1_000_000
"""Beyond this, `last-x-hours` and its kind name no time that a calendar has."""


class UnknownCondition(LookupError):
    """There is no condition of this name. The readers word the error in their own language (WA-207, WA-245)."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class Arity(Enum):
    """How many values a condition takes; OData's parameters besides `PropertyName` (WA-201)."""

    NONE = 0
    ONE = 1  # PropertyValue
    TWO = 2  # PropertyValue1, PropertyValue2
    MANY = 3  # PropertyValues


@dataclass(frozen=True, slots=True)
class _Terms:
    """One use of a condition."""

    name: str
    operand: Operand
    values: tuple[str, ...]
    context: ReadContext
    schema: Schema
    alias: str

    @property
    def column_name(self) -> str:
        return self.operand.column.logical_name

    @property
    def field(self) -> Field:
        """The operand as a column, for conditions that have no meaning on a lookup's name."""
        return self.operand if isinstance(self.operand, Field) else self.refuse("a column, not the name of a lookup")

    def literal(self, text: str) -> Literal:
        if isinstance(self.operand, LookupName):
            return Literal(text, ColumnType.STRING)
        return read_value(self.operand.column, text, zone=self.context.time_zone)

    def refuse(self, needs: str) -> NoReturn:
        column = self.operand.column
        kind = "String" if isinstance(self.operand, LookupName) else column.type.value
        message = f"The condition '{self.name}' needs {needs}; '{column.logical_name}' is of type {kind}."
        raise InvalidRequest(message)


@dataclass(frozen=True, slots=True)
class NamedCondition:
    """A condition, its names and what it takes. A name that one of the languages lacks is None."""

    odata: str | None
    fetchxml: str | None
    arity: Arity
    make: Callable[[_Terms], Predicate]


def find(name: str) -> NamedCondition | None:
    """The condition under its OData or FetchXML name; names are case-sensitive (WA-3)."""
    return _BY_NAME.get(name)


def odata_names() -> tuple[str, ...]:
    """All names that OData knows, without their namespace."""
    return tuple(c.odata for c in _TABLE if c.odata is not None)


def fetchxml_names() -> tuple[str, ...]:
    """All operators that FetchXML knows."""
    return tuple(name for name, c in _BY_NAME.items() if c.fetchxml is not None and name != c.odata)


def build(
    name: str,
    field: Operand,
    values: Sequence[str | int],
    context: ReadContext,
    schema: Schema,
    *,
    alias: str | None = None,
) -> Predicate:
    """The condition `name` on `field`.

    `values` are the caller's, in order, as text or numbers. `alias` must be free in the query: the conditions about
    other people's rows (`eq-useroruserhierarchy`) open a sub-select under it; without one it is made of the field's.

    Raises `UnknownCondition`; `InvalidRequest` when the number of values, a value or the type of the column is wrong;
    `NotOffered` for the one condition that is documented and not there.
    """
    condition = _BY_NAME.get(name)
    if condition is None:
        raise UnknownCondition(name)
    _check_count(name, condition.arity, len(values))
    free = alias if alias is not None else f"{field.alias}.{field.column.logical_name}.{name}"
    terms = _Terms(name, field, tuple(str(value) for value in values), context, schema, free)
    try:
        return condition.make(terms)
    except DateOutOfRange as error:
        message = f"The condition '{name}' with {', '.join(terms.values) or 'the present'} leads outside the calendar."
        raise InvalidRequest(shown(message, 200)) from error


def _check_count(name: str, arity: Arity, count: int) -> None:
    if arity is Arity.MANY:
        if count == 0:
            raise InvalidRequest(f"The condition '{name}' needs at least one value.")
        if count > MAX_LIST_VALUES:
            raise InvalidRequest(f"The condition '{name}' has {count} values; it may have {MAX_LIST_VALUES}.")
    elif count != arity.value:
        wanted = ("no value", "one value", "two values")[arity.value]
        raise InvalidRequest(f"The condition '{name}' takes {wanted}, not {count}.")


# --- comparisons -------------------------------------------------------------------------------------------------


def _compare(operator: Operator) -> Callable[[_Terms], Predicate]:
    return lambda t: Comparison(operator, t.operand, t.literal(t.values[0]))


def _null(negated: bool) -> Callable[[_Terms], Predicate]:
    return lambda t: IsNull(t.operand, negated)


def _in(negated: bool) -> Callable[[_Terms], Predicate]:
    def make(t: _Terms) -> Predicate:
        if t.operand.column.type is ColumnType.MULTISELECT:
            operator = Operator.NOT_EQUAL if negated else Operator.EQUAL
            return Comparison(operator, t.operand, t.literal(",".join(t.values)))
        literals = dict.fromkeys(t.literal(value) for value in t.values)
        return InList(t.operand, tuple(literals), negated)

    return make


def _between(t: _Terms) -> Predicate:
    low, high = (t.literal(value) for value in t.values)
    return And(
        (Comparison(Operator.GREATER_OR_EQUAL, t.operand, low), Comparison(Operator.LESS_OR_EQUAL, t.operand, high))
    )


def _not_between(t: _Terms) -> Predicate:
    low, high = (t.literal(value) for value in t.values)
    return Or((Comparison(Operator.LESS, t.operand, low), Comparison(Operator.GREATER, t.operand, high)))


def _choices(negated: bool) -> Callable[[_Terms], Predicate]:
    def make(t: _Terms) -> Predicate:
        if t.field.column.type is not ColumnType.MULTISELECT:
            t.refuse("a column of several choices")
        numbers = str(t.literal(",".join(t.values)).value)
        return ChoiceMatch(t.field, tuple(int(n) for n in numbers.split(",")), negated=negated)

    return make


def _text(kind: TextMatch, negated: bool) -> Callable[[_Terms], Predicate]:
    def make(t: _Terms) -> Predicate:
        column = t.operand.column
        is_text = column.type.is_text or column.type is ColumnType.ENTITYNAME
        if not is_text and not isinstance(t.operand, LookupName):
            t.refuse("a text column")
        return Match(kind, t.operand, str(t.literal(t.values[0]).value), negated)

    return make


def _full_text(t: _Terms) -> Predicate:
    message = f"The condition '{t.name}' searches full-text indexes, and the table of '{t.column_name}' has none. "
    raise InvalidRequest(message + f"Use contains({t.column_name},'…').")


# --- dates -------------------------------------------------------------------------------------------------------


def _date_field(t: _Terms) -> Field:
    if t.field.column.type is not ColumnType.DATETIME:
        t.refuse("a date column")
    return t.field


def _period(condition: date_conditions.DateCondition) -> Callable[[_Terms], Predicate]:
    def make(t: _Terms) -> Predicate:
        numbers = [_positive(t, value) for value in t.values]
        calendar = date_conditions.calendar_of(t.context)
        return date_conditions.within(_date_field(t), condition.span(calendar, numbers), t.context)

    return make


def _positive(t: _Terms, text: str) -> int:
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit() and 0 < int(digits[:10]) <= MOST_UNITS and len(digits) <= 10):
        raise InvalidRequest(f"The condition '{t.name}' takes a whole number from 1, not '{shown(text)}'.")
    return int(digits)


def _days(span: Callable[..., Span], negated: bool = False) -> Callable[[_Terms], Predicate]:
    def make(t: _Terms) -> Predicate:
        field = _date_field(t)
        day = read_day(t.values[0], zone=t.context.time_zone)
        if day is None:
            raise InvalidRequest(
                f"The condition '{t.name}' takes a date such as 2024-05-01, not '{shown(t.values[0])}'."
            )
        predicate = date_conditions.within(field, span(day), t.context)
        return Not(predicate) if negated else predicate

    return make


def _any_fiscal_period(t: _Terms) -> Predicate:
    alternative = "Use 'in-fiscal-period-and-year' (InFiscalPeriodAndYear)."
    raise NotOffered(f"The condition '{t.name}' of any year is not offered for '{t.column_name}'. {alternative}")


# --- the caller and hierarchies ----------------------------------------------------------------------------------


def _caller(condition: principal_conditions.CallerCondition) -> Callable[[_Terms], Predicate]:
    def make(t: _Terms) -> Predicate:
        kind = t.field.column.type
        if condition.odata != "EqualUserLanguage" and not (kind.is_lookup or kind is ColumnType.UNIQUEIDENTIFIER):
            t.refuse("a lookup or an id")
        return condition.make(t.field, t.context, t.schema, t.alias)

    return make


def _hierarchy(condition: principal_conditions.HierarchyCondition) -> Callable[[_Terms], Predicate]:
    def make(t: _Terms) -> Predicate:
        kind = t.field.column.type
        if not (kind.is_lookup or kind is ColumnType.UNIQUEIDENTIFIER):
            t.refuse("a primary key or a lookup")
        root = str(t.literal(t.values[0]).value)
        return principal_conditions.hierarchy(condition, t.field, root, t.schema, t.alias)

    return make


def _table() -> tuple[NamedCondition, ...]:
    one, two, many, none = Arity.ONE, Arity.TWO, Arity.MANY, Arity.NONE
    own = (
        NamedCondition(None, "eq", one, _compare(Operator.EQUAL)),
        NamedCondition(None, "ne", one, _compare(Operator.NOT_EQUAL)),
        NamedCondition(None, "neq", one, _compare(Operator.NOT_EQUAL)),
        NamedCondition(None, "gt", one, _compare(Operator.GREATER)),
        NamedCondition(None, "ge", one, _compare(Operator.GREATER_OR_EQUAL)),
        NamedCondition(None, "lt", one, _compare(Operator.LESS)),
        NamedCondition(None, "le", one, _compare(Operator.LESS_OR_EQUAL)),
        NamedCondition(None, "null", none, _null(negated=False)),
        NamedCondition(None, "not-null", none, _null(negated=True)),
        NamedCondition("In", "in", many, _in(negated=False)),
        NamedCondition("NotIn", "not-in", many, _in(negated=True)),
        NamedCondition("Between", "between", two, _between),
        NamedCondition("NotBetween", "not-between", two, _not_between),
        NamedCondition("ContainValues", "contain-values", many, _choices(negated=False)),
        NamedCondition("DoesNotContainValues", "not-contain-values", many, _choices(negated=True)),
        NamedCondition("Like", "like", one, _text(TextMatch.LIKE, negated=False)),
        NamedCondition("NotLike", "not-like", one, _text(TextMatch.LIKE, negated=True)),
        NamedCondition("BeginsWith", "begins-with", one, _text(TextMatch.STARTS_WITH, negated=False)),
        NamedCondition("DoesNotBeginWith", "not-begin-with", one, _text(TextMatch.STARTS_WITH, negated=True)),
        NamedCondition("EndsWith", "ends-with", one, _text(TextMatch.ENDS_WITH, negated=False)),
        NamedCondition("DoesNotEndWith", "not-end-with", one, _text(TextMatch.ENDS_WITH, negated=True)),
        NamedCondition("DoesNotContain", None, one, _text(TextMatch.CONTAINS, negated=True)),
        NamedCondition("Contains", None, one, _full_text),
        NamedCondition("On", "on", one, _days(date_conditions.on)),
        NamedCondition("NotOn", "not-on", one, _days(date_conditions.on, negated=True)),
        NamedCondition("OnOrBefore", "on-or-before", one, _days(date_conditions.on_or_before)),
        NamedCondition("OnOrAfter", "on-or-after", one, _days(date_conditions.on_or_after)),
        NamedCondition("InFiscalPeriod", "in-fiscal-period", one, _any_fiscal_period),
    )
    dates = tuple(NamedCondition(c.odata, c.fetchxml, Arity(c.numbers), _period(c)) for c in date_conditions.CONDITIONS)
    callers = tuple(
        NamedCondition(c.odata, c.fetchxml, none, _caller(c)) for c in principal_conditions.CALLER_CONDITIONS
    )
    hierarchies = tuple(
        NamedCondition(c.odata, c.fetchxml, one, _hierarchy(c)) for c in principal_conditions.HIERARCHY_CONDITIONS
    )
    return own + dates + callers + hierarchies


_TABLE = _table()
_BY_NAME: Mapping[str, NamedCondition] = {
    name: condition for condition in _TABLE for name in (condition.odata, condition.fetchxml) if name is not None
}
