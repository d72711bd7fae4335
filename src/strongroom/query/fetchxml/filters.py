"""Filters and joins → predicates and `Join`s. They are read together because each may hold the other.

The link types inside filters mean what the current documentation says (WA-244):

    any       some linked row satisfies the link's filter
    not any   no linked row does (rows without linked rows included)
    not all   the same as any, despite its name
    all       linked rows exist, but none of them satisfies the filter

`exists` and `in` stand beside joins in the document, and ask the same as `any`.
"""

from strongroom.query.ast import TRUE, And, Exists, Join, JoinKind, Or, Predicate, Source, conjunction
from strongroom.query.fetchxml.conditions import compare_columns, condition
from strongroom.query.fetchxml.document import Node
from strongroom.query.fetchxml.links import JOIN_TYPES, SEMI_JOIN_TYPES, declare_joins, link_type, open_link
from strongroom.query.fetchxml.scope import Operand, Scope
from strongroom.query.names import shown
from strongroom.schema.model import Table


def own_predicate(scope: Scope, node: Node, alias: str, table: Table) -> Predicate | None:
    """What an entity or link asks of its own rows: its filters, and its links of the types `exists` and `in`."""
    parts: list[Predicate | None] = [_filter(scope, child, alias, table) for child in node.all("filter")]
    for child in node.all("link-entity"):
        if link_type(child) in SEMI_JOIN_TYPES:
            parts.append(_exists(scope, child, alias, table))
    return conjunction(*parts)


def read_joins(scope: Scope, node: Node, alias: str, table: Table) -> tuple[list[Join], Predicate | None]:
    """The joins at and below `node` in document order, and what has to be asked after all of them are made."""
    joins: list[Join] = []
    late: list[Predicate] = []
    _collect_joins(scope, node, alias, table, joins, late)
    return joins, conjunction(*late)


def _collect_joins(
    scope: Scope, node: Node, alias: str, table: Table, joins: list[Join], late: list[Predicate]
) -> None:
    for child in node.all("link-entity"):
        kind = JOIN_TYPES.get(link_type(child))
        if kind is None:
            continue
        linked = open_link(scope, child, alias, table)
        scope.pending.discard(child.alias)
        before, scope.used = scope.used, set[str]()
        where = own_predicate(scope, child, child.alias, linked.table)
        names_later_one = not scope.pending.isdisjoint(scope.used)
        scope.used |= before
        if where is not None and names_later_one:
            if kind is not JoinKind.INNER:
                raise child.error("A filter of this link-entity names a link-entity that comes later; put it first.")
            late.append(where)
            where = None
        joins.append(Join(kind, Source(linked.table, child.alias), linked.link, where))
        _collect_joins(scope, child, child.alias, linked.table, joins, late)


def _filter(scope: Scope, node: Node, alias: str, table: Table) -> Predicate | None:
    """One `<filter>`; an empty one asks nothing."""
    kind = node.get("type") or "and"
    if kind not in ("and", "or"):
        raise node.error(f"The type of a filter is '{shown(kind, 40)}'; it must be 'and' or 'or'.")
    if node.get("hint") not in (None, "union"):
        raise node.error("The hint of a filter can only be 'union'.")
    parts: list[Predicate] = []
    for child in node.children:
        match child.name:
            case "condition":
                part = _condition(scope, child, alias, table)
            case "filter":
                part = _filter(scope, child, alias, table)
            case _:
                part = _linked_condition(scope, child, alias, table)
        if part is not None:
            parts.append(part)
    if kind == "and":
        return conjunction(*parts)
    if not parts or TRUE in parts:
        return None
    return parts[0] if len(parts) == 1 else Or(tuple(parts))


def _condition(scope: Scope, node: Node, alias: str, table: Table) -> Predicate:
    for name in ("column", "aggregate", "alias"):
        if node.get(name) is not None:
            raise node.error(f"The attribute '{name}' of a condition is not offered.")
    entity = node.get("entityname")
    if entity is not None:
        alias, table = scope.source(node, entity)
    operator = node.required("operator")
    operand = scope.operand(node, alias, table, node.required("attribute"))
    other = node.get("valueof")
    values = _values(node)
    if other is None:
        return condition(scope, operand, operator, values)
    if values:
        raise node.error("A condition takes 'value' or 'valueof', not both.")
    return compare_columns(operator, operand, _other_column(scope, node, alias, table, other))


def _other_column(scope: Scope, node: Node, alias: str, table: Table, name: str) -> Operand:
    """The column that `valueof` names, of this table or, as `alias.column`, of another."""
    source, dot, column = name.rpartition(".")
    if dot:
        alias, table = scope.source(node, source)
    return scope.operand(node, alias, table, column)


def _values(node: Node) -> list[str]:
    values = [child.text for child in node.all("value")]
    if "value" in node.attributes:
        if values:
            raise node.error("A condition takes its value as an attribute or as <value> elements, not both.")
        return [node.attributes["value"]]
    return values


def _linked_condition(scope: Scope, node: Node, alias: str, table: Table) -> Predicate:
    match link_type(node, in_filter=True):
        case "not any":
            return _exists(scope, node, alias, table, negated=True)
        case "all":
            some_row = _exists(scope, node, alias, table, any_row=True)
            return And((some_row, _exists(scope, node, alias, table, negated=True)))
        case _:
            return _exists(scope, node, alias, table)


def _exists(
    scope: Scope, node: Node, alias: str, table: Table, *, negated: bool = False, any_row: bool = False
) -> Exists:
    """Whether a linked row satisfies what stands in `node`; with `any_row`, whether there is a linked row at all."""
    for child in node.children:
        if child.name in ("attribute", "all-attributes", "order"):
            raise child.error(f"<{child.name}> is not allowed here: a link that only asks gives no columns.")
    outside, waiting = dict(scope.sources), set(scope.pending)
    node.alias = scope.fresh("link")
    linked = open_link(scope, node, alias, table)
    scope.sources[node.get("alias") or node.alias] = (node.alias, linked.table)
    where: Predicate | None = None
    joins: list[Join] = []
    if not any_row:
        declare_joins(scope, node, named=False)
        joins, late = read_joins(scope, node, node.alias, linked.table)
        where = conjunction(own_predicate(scope, node, node.alias, linked.table), late)
    scope.sources, scope.pending = outside, waiting
    return Exists(linked.link, Source(linked.table, node.alias), where, tuple(joins), negated)
