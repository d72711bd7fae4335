"""`<link-entity>`: which table is joined, and by which columns.

`to` is a column of the outer table, `from` one of the linked table. Either may be left out when exactly one
relationship between the two tables fits what is given; with none or several the caller must say which (WA-243).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from strongroom.query.ast import Field, JoinKind, Link
from strongroom.query.fetchxml.conditions import comparable
from strongroom.query.fetchxml.document import Node
from strongroom.query.fetchxml.scope import Scope, checked_alias, find_table, unknown_column
from strongroom.schema.model import ColumnType, Schema, Table

JOIN_TYPES: Mapping[str, JoinKind] = {kind.value: kind for kind in JoinKind}
SEMI_JOIN_TYPES = frozenset({"exists", "in"})
FILTER_TYPES = frozenset({"any", "not any", "all", "not all"})

_NOT_JOINED = frozenset({ColumnType.MULTISELECT, ColumnType.PARTYLIST, ColumnType.FILE, ColumnType.IMAGE})


@dataclass(frozen=True, slots=True)
class Linked:
    """A link whose names are resolved; `node.alias` is its alias in the AST."""

    node: Node
    table: Table
    link: Link


def link_type(node: Node, *, in_filter: bool = False) -> str:
    """The link type, checked against the place where the link stands."""
    kind = node.get("link-type") or "inner"
    allowed = sorted(FILTER_TYPES if in_filter else {*JOIN_TYPES, *SEMI_JOIN_TYPES})
    if kind not in allowed:
        place = "inside a filter" if in_filter else "outside a filter"
        raise node.error(f"The link-type '{kind}' is not allowed {place}; allowed are: {', '.join(allowed)}.")
    return kind


def declare_joins(scope: Scope, node: Node, *, named: bool) -> None:
    """Give an alias to every join below `node`, so that conditions may name joins that come later.

    With `named` the aliases are those of the document or `{table}{n}` (WA-249); without they are only unique.
    """
    joins = list(_joins_below(node))
    for join in joins if named else ():
        given = join.get("alias")
        if given is not None:
            if given.lower() in scope.taken:
                raise join.error(f"The alias '{given}' is used twice.")
            scope.taken.add(given.lower())
    unnamed = 0
    for join in joins:
        table = find_table(scope.schema, join, join.required("name"))
        given = join.get("alias")
        if given is not None:
            checked_alias(join, given)
        if named and given is not None:
            join.alias = given
        elif named:
            unnamed += 1
            join.alias = scope.fresh(table.logical_name, unnamed)
        else:
            join.alias = scope.fresh("link")
        scope.sources[given or join.alias] = (join.alias, table)
        scope.pending.add(join.alias)


def open_link(scope: Scope, node: Node, outer_alias: str, outer: Table) -> Linked:
    """The link with its columns resolved. `node.alias` is set already."""
    table = find_table(scope.schema, node, node.required("name"))
    inner, to = node.get("from"), node.get("to")
    if inner is None or to is None:
        inner, to = _inferred(scope.schema, node, outer, table, inner, to)
    kinds = {_joinable(node, table, inner), _joinable(node, outer, to)}
    if len(kinds) > 1:
        names = f"from='{inner}' and to='{to}'"
        raise node.error(f"The columns {names} of the link-entity '{table.logical_name}' are of different types.")
    return Linked(node, table, Link(outer_alias, to, inner))


def _joins_below(node: Node) -> Iterator[Node]:
    """The links that become joins: those outside filters, without what hangs below links that only ask."""
    for child in node.all("link-entity"):
        if link_type(child) not in SEMI_JOIN_TYPES:
            yield child
            yield from _joins_below(child)


def _joinable(node: Node, table: Table, name: str) -> str:
    """The kind of values of a column to join by."""
    column = table.columns.get(name)
    if column is None:
        raise unknown_column(table, name)
    if not column.valid_for_read or column.type in _NOT_JOINED:
        raise node.error(f"Column '{name}' of type {column.type.value} cannot be used to link '{table.logical_name}'.")
    return comparable(Field("", column))


def _inferred(
    schema: Schema, node: Node, outer: Table, inner: Table, from_column: str | None, to_column: str | None
) -> tuple[str, str]:
    """(from, to) of the one relationship between the tables that fits what is given."""
    as_child = {
        (r.referenced_column, r.referencing_column)
        for r in schema.parents_of(outer.logical_name)
        if r.referenced_table == inner.logical_name
    }
    as_parent = {
        (r.referencing_column, r.referenced_column)
        for r in schema.children_of(outer.logical_name)
        if r.referencing_table == inner.logical_name
    }
    fitting = sorted(
        pair for pair in as_child | as_parent if from_column in (None, pair[0]) and to_column in (None, pair[1])
    )
    if len(fitting) == 1:
        return fitting[0]
    names = f"'{outer.logical_name}' and '{inner.logical_name}'"
    if not fitting:
        raise node.error(f"No relationship between {names} fits; the link-entity needs 'from' and 'to'.")
    choices = "; ".join(f"from='{one}' to='{other}'" for one, other in fitting[:5])
    raise node.error(f"Several relationships between {names} fit; set 'from' and 'to', for example {choices}.")
