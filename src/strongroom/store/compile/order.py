"""The order of a list, and the position from which its next page continues.

A list is ordered by the query's expressions and then by the GUIDs of its rows, so that every position is unique and
can be named although its row is gone (WA-174, WA-233). A position is made of the values in their comparable form
(folded text) and the GUIDs. Nulls come first ascending and last descending.

The condition "after the position" is given as *alternatives* that exclude each other. With one order expression each
of them is one range of an index, so that a page costs the same wherever it begins; more expressions share one
alternative.
"""

from collections.abc import Callable
from dataclasses import dataclass

from strongroom.errors import InvalidRequest
from strongroom.query.ast import Field, Order, Select
from strongroom.schema.model import Table
from strongroom.store.compile import values
from strongroom.store.compile.expressions import Operand, is_owner_column, operand
from strongroom.store.compile.values import Rounding
from strongroom.store.compile.writer import Bound, Scope, Writer
from strongroom.store.dialect import Kind
from strongroom.store.layout import is_stored, sort_column


@dataclass(frozen=True, slots=True)
class Term:
    """One sort key of a statement: the SQL that gives it, and how it is ordered."""

    operand: Operand
    descending: bool
    nullable: bool = True


def query_terms(writer: Writer, scope: Scope, select: Select, repeated: tuple[Bound, ...]) -> list[Term]:
    """The sort keys of `select`: its order, the root's GUID, and the GUIDs of joins that repeat the root's row."""
    terms = [Term(_order_operand(writer, scope, order), order.descending) for order in select.order]
    descending = bool(select.order) and select.order[-1].descending
    root = scope[select.source.alias]
    terms.append(Term(Operand(root.column(root.table.primary_id), Kind.GUID), descending, nullable=False))
    terms += (Term(Operand(each.column(each.table.primary_id), Kind.GUID), descending) for each in repeated)
    return terms


def _order_operand(writer: Writer, scope: Scope, order: Order) -> Operand:
    return operand(writer, scope, order.expression)


def written(writer: Writer, terms: tuple[Term, ...], named: Callable[[int, Term], str]) -> str:
    """The terms of an ORDER BY; `named` says under which name each stands there."""
    return ", ".join(
        writer.dialect.ordering(named(index, term), descending=term.descending, nullable=term.nullable)
        for index, term in enumerate(terms)
    )


def leading_column(select: Select) -> str | None:
    """The root's stored column by which alone the list is ordered, when there is just one."""
    if len(select.order) != 1:
        return None
    expression = select.order[0].expression
    if isinstance(expression, Field) and expression.alias == select.source.alias:
        return expression.column.logical_name
    return None


def is_name_order(select: Select) -> bool:
    """Whether the folded primary name alone orders the list, as it does the indexes of owners, units and shares."""
    table = select.source.table
    return leading_column(select) == table.primary_name and sort_column(table) == f"{table.primary_name}__fold"


def is_index_order(select: Select) -> bool:
    """Whether an index of the whole table gives the order: by id alone, by name, or by an indexed column."""
    if not select.order:
        return True
    name = leading_column(select)
    table = select.source.table
    return name is not None and is_indexed(table, name)


def is_indexed(table: Table, name: str) -> bool:
    """Whether an index of the table begins with the column and goes on with the GUID."""
    column = table.columns[name]
    if is_owner_column(table, name) or column.type.is_lookup or not is_stored(table, column):
        return False
    return column.is_indexed or name in (table.primary_name, table.primary_id)


def alternatives(writer: Writer, terms: list[Term], after: tuple[object, ...]) -> list[str]:
    """The conditions, each excluding the others, under which a row comes after the position."""
    if len(after) != len(terms):
        raise InvalidRequest(f"The paging position has {len(after)} values, the order of this query has {len(terms)}.")
    place = writer.shape.place(after)
    bound = [_position_value(writer, term, place + index) for index, term in enumerate(terms)]
    if len(terms) == 1:
        return [f"{terms[0].operand.sql} {_beyond(terms[0])} {bound[0]}"]
    if len(terms) == 2 and not terms[1].nullable:
        return _of_two(terms[0], terms[1], bound, is_null=after[0] is None)
    return [_of_many(terms, bound, after)]


def _of_two(first: Term, last: Term, bound: list[str], *, is_null: bool) -> list[str]:
    key, guid = first.operand.sql, last.operand.sql
    beyond = _beyond(last)
    if is_null:
        rest = [] if first.descending else [f"{key} is not null"]
        return [f"{key} is null and {guid} {beyond} {bound[1]}", *rest]
    ranges = [f"({key}, {guid}) {beyond} ({bound[0]}, {bound[1]})"]
    return [*ranges, f"{key} is null"] if first.descending and first.nullable else ranges


def _of_many(terms: list[Term], bound: list[str], after: tuple[object, ...]) -> str:
    """Beyond in the first key, or equal in it and beyond in the second, and so on."""
    steps: list[str] = []
    equal: list[str] = []
    for term, parameter, value in zip(terms, bound, after, strict=True):
        key = term.operand.sql
        if value is None:
            beyond = None if term.descending else f"{key} is not null"
            same = f"{key} is null"
        else:
            beyond = f"{key} {_beyond(term)} {parameter}"
            if term.descending and term.nullable:
                beyond = f"({beyond} or {key} is null)"
            same = f"{key} = {parameter}"
        if beyond is not None:
            steps.append(" and ".join((*equal, beyond)))
        equal.append(same)
    condition = f"({' or '.join(steps)})"
    first = terms[0]
    if after[0] is not None and not first.descending:
        condition += f" and {first.operand.sql} >= {bound[0]}"
    return condition


def _beyond(term: Term) -> str:
    return "<" if term.descending else ">"


def _position_value(writer: Writer, term: Term, place: int) -> str:
    met = term.operand
    encode = values.encoder(writer.dialect, met.kind, met.scale, Rounding.NONE, folded=met.is_text)
    # A null is never compared, so it is not bound either: a parameter without use would have no type.
    return "null" if writer.shape.values[place] is None else writer.bind(place, met.kind, encode)
