"""Predicates → SQL, with SQL's three-valued logic (WA-188).

Comparisons on owner columns become comparisons on the keys `owner` and `unit`, so that the indexes on them serve.
Sources inside `Exists` are guarded by their plans like every other source: rows that may not be read do not exist
there (SM-153, WA-194). Only inside the predicates of a plan, security is not asked again.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import cast

from strongroom.errors import InvalidRequest
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
    Literal,
    LookupName,
    Match,
    Not,
    Operator,
    Or,
    OwnerIn,
    Predicate,
    SharedWith,
    UnitIn,
)
from strongroom.store.compile import joins, security, values
from strongroom.store.compile.expressions import OWNER_KINDS, Operand, column_value, is_owner_column, operand, owner_key
from strongroom.store.compile.patterns import Form, TextPattern
from strongroom.store.compile.shape import SHORT_LIST
from strongroom.store.compile.values import Rounding
from strongroom.store.compile.writer import Scope, Writer
from strongroom.store.dialect import Kind, quote, text_literal

_MOST_LEVELS = 100
"""Steps that a hierarchy condition follows (WA-206)."""


def predicate(writer: Writer, scope: Scope, node: Predicate) -> str:
    """One predicate as an SQL condition that can stand as a part of `and`."""
    return _WRITERS[type(node)](writer, scope, node)


def _and(writer: Writer, scope: Scope, node: And) -> str:
    if not node.parts:
        return "true"
    return " and ".join(predicate(writer, scope, part) for part in node.parts)


def _or(writer: Writer, scope: Scope, node: Or) -> str:
    if not node.parts:
        return "false"
    return "(" + " or ".join(predicate(writer, scope, part) for part in node.parts) + ")"


def _not(writer: Writer, scope: Scope, node: Not) -> str:
    return f"not ({predicate(writer, replace(scope, under_not=True), node.part)})"


def _constant(writer: Writer, scope: Scope, node: Constant) -> str:
    return "true" if node.value else "false"


def _comparison(writer: Writer, scope: Scope, node: Comparison) -> str:
    left, right = node.left, node.right
    if not isinstance(right, Literal):
        first, second = _same_scale(operand(writer, scope, left), operand(writer, scope, right))
        return f"{first} {node.operator.value} {second}"
    if node.operator is Operator.EQUAL and isinstance(left, Field):
        key = _by_key(writer, scope, left, _Values(writer.shape.place(right), 1))
        if key is not None:
            return key
    met = operand(writer, scope, left)
    return f"{met.sql} {node.operator.value} {literal(writer, met, right, values.rounding_for(node.operator))}"


def literal(writer: Writer, met: Operand, node: Literal, rounding: Rounding) -> str:
    """A placeholder for a literal that is compared with `met`."""
    return _bound_value(writer, met, writer.shape.place(node), rounding)


def _bound_value(writer: Writer, met: Operand, place: int, rounding: Rounding = Rounding.NONE) -> str:
    encode = values.encoder(writer.dialect, met.kind, met.scale, rounding, folded=met.is_text)
    return writer.bind(place, met.kind, encode)


def _same_scale(left: Operand, right: Operand) -> tuple[str, str]:
    """Two operands shifted to the same scale."""
    if left.scale == right.scale:
        return left.sql, right.sql
    if left.scale < right.scale:
        return f"{left.sql} * {10 ** (right.scale - left.scale)}", right.sql
    return left.sql, f"{right.sql} * {10 ** (left.scale - right.scale)}"


def _is_null(writer: Writer, scope: Scope, node: IsNull) -> str:
    target = node.operand
    if isinstance(target, LookupName):
        sql = operand(writer, scope, target).sql
    else:
        sql = column_value(writer, scope[target.alias], target.column)
    return f"{sql} is not null" if node.negated else f"{sql} is null"


@dataclass(frozen=True, slots=True)
class _Values:
    """The values of a list: each at its own place when they are few, else all at one."""

    place: int
    count: int


def _in_list(writer: Writer, scope: Scope, node: InList) -> str:
    listed = _Values(writer.shape.place(node), len(node.values))
    if not node.negated and isinstance(node.operand, Field):
        key = _by_key(writer, scope, node.operand, listed)
        if key is not None:
            return key
    sql = _among(writer, operand(writer, scope, node.operand), listed)
    return f"not ({sql})" if node.negated else sql


def _among(writer: Writer, met: Operand, listed: _Values) -> str:
    if listed.count == 1:
        return f"{met.sql} = {_bound_value(writer, met, listed.place)}"
    if listed.count <= SHORT_LIST:
        bound = (_bound_value(writer, met, listed.place + index) for index in range(listed.count))
        return f"{met.sql} in ({', '.join(bound)})"
    encode = values.list_encoder(writer.dialect, met.kind, met.scale, folded=met.is_text)
    return writer.dialect.in_array(met.sql, writer.number(listed.place, encode), met.kind)


def _by_key(writer: Writer, scope: Scope, field: Field, listed: _Values) -> str | None:
    """An owner column among values, as a condition on the key behind it; None for other columns.

    One value makes an equality, so that an index may give the order besides. It is unknown when there is no such
    owner, where `in` is false; the same goes for the columns that are null for one kind of owner. Under NOT that
    would differ.
    """
    bound = scope[field.alias]
    name = field.column.logical_name
    if not is_owner_column(bound.table, name) or (scope.under_not and name in OWNER_KINDS):
        return None
    key = owner_key(bound, name)
    if bound.hidden and name not in bound.exposed:
        key = writer.dialect.hidden(key)
    if name == "owningbusinessunit":
        found = f"businessunit n where {_among(writer, Operand('n.businessunitid', Kind.GUID), listed)}"
    else:
        kind = f" and n.kind = {text_literal(OWNER_KINDS[name])}" if name in OWNER_KINDS else ""
        found = f"principal n where {_among(writer, Operand('n.principalid', Kind.GUID), listed)}{kind}"
    word = "=" if listed.count == 1 and not scope.under_not else "in"
    return f"{key} {word} (select n.id from {found})"


def _match(writer: Writer, scope: Scope, node: Match) -> str:
    met = operand(writer, scope, node.operand)
    if not met.is_text:
        raise InvalidRequest(f"{node.operand.column.logical_name!r} is not text; {node.kind.value} needs text.")
    place = writer.shape.place(node)
    form = cast(TextPattern, writer.shape.values[place]).form
    condition = _text_condition(writer, met.sql, form, place)
    return f"not ({condition})" if node.negated else condition


def _text_condition(writer: Writer, text: str, form: Form, place: int) -> str:
    def bind(encode: values.Encode) -> str:
        return writer.bind(place, Kind.TEXT, _postgresql_safe(writer, encode))

    match form:
        case Form.ANYTHING:
            return f"{text} = {text}"
        case Form.EQUAL:
            return f"{text} = {bind(values.pattern_needle)}"
        case Form.PREFIX:
            return f"({text} >= {bind(values.pattern_needle)} and {text} < {bind(values.pattern_end)})"
        case Form.SUFFIX:
            return writer.dialect.ends_with(text, bind(values.pattern_needle))
        case Form.CONTAINS:
            return f"{writer.dialect.position(text, bind(values.pattern_needle))} > 0"
        case Form.PATTERN:
            is_sqlite = writer.dialect.name == "sqlcipher"
            return writer.dialect.matches(
                text, bind(values.pattern_glob if is_sqlite else values.pattern_regular_expression)
            )


def _postgresql_safe(writer: Writer, encode: values.Encode) -> values.Encode:
    return encode if writer.dialect.name == "sqlcipher" else values.without_nul(encode)


def _choice_match(writer: Writer, scope: Scope, node: ChoiceMatch) -> str:
    column = column_value(writer, scope[node.operand.alias], node.operand.column)
    place = writer.shape.place(node)
    members = [
        writer.dialect.position(f"',' || {column} || ','", writer.bind(place + index, Kind.TEXT, values.choice_member))
        + " > 0"
        for index in range(len(node.values))
    ]
    condition = "(" + (" and " if node.all_of else " or ").join(members) + ")"
    return f"coalesce(not {condition}, true)" if node.negated else condition


def _hierarchy(writer: Writer, scope: Scope, node: Hierarchy) -> str:
    bound = scope[node.alias]
    relationship = node.relationship
    table = quote(relationship.referencing_table)
    own = quote(relationship.referenced_column)
    parent = quote(relationship.referencing_column)
    root = writer.bind(writer.shape.place(node), Kind.GUID)
    step_row = writer.bound(bound.table)
    c = step_row.sql
    # The chain goes on through rows that the caller may read: what another row points to is not to be learnt here.
    readable = "".join(f" and {each}" for each in security.row_predicate(writer, step_row, writer.plan(node.alias)))
    if node.below:
        step = f"select {c}.{own}, h.depth + 1 from h join {table} {c} on {c}.{parent} = h.id{readable}"
    else:
        step = (
            f"select {c}.{parent}, h.depth + 1 from h join {table} {c} on {c}.{own} = h.id"
            f" and {c}.{parent} is not null{readable}"
        )
    # UNION drops what it has seen at the same depth, and the depth ends what a loop would repeat.
    chain = f"with recursive h(id, depth) as (select {root}, 0 union {step} where h.depth < {_MOST_LEVELS})"
    but_root = "" if node.include_root else f" where h.id <> {root}"
    membership = "not in" if node.negated else "in"
    return f"{bound.column(relationship.referenced_column)} {membership} ({chain} select h.id from h{but_root})"


def _exists(writer: Writer, scope: Scope, node: Exists) -> str:
    inner = joins.exists(writer, scope, node)
    return f"not {inner}" if node.negated else inner


def _owner_in(writer: Writer, scope: Scope, node: OwnerIn) -> str:
    return security.owned_by(scope[node.alias], node.keys)


def _unit_in(writer: Writer, scope: Scope, node: UnitIn) -> str:
    return security.in_units(scope[node.alias], node.keys)


def _shared_with(writer: Writer, scope: Scope, node: SharedWith) -> str:
    bound = scope[node.alias]
    return security.shared_with(writer.dialect, bound, node.principals, node.right, direct_only=node.direct_only)


_Written = Callable[[Writer, Scope, object], str]

_WRITERS = cast(
    dict[type[object], _Written],
    {
        And: _and,
        Or: _or,
        Not: _not,
        Constant: _constant,
        Comparison: _comparison,
        IsNull: _is_null,
        InList: _in_list,
        Match: _match,
        ChoiceMatch: _choice_match,
        Hierarchy: _hierarchy,
        Exists: _exists,
        OwnerIn: _owner_in,
        UnitIn: _unit_in,
        SharedWith: _shared_with,
    },
)
