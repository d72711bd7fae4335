"""The structure of a query apart from its values.

`read` walks a planned query once and gives a key and the values. Two queries with equal keys compile to the same
statement; the values, in the order of the walk, are its parameters. The key names tables and columns (unique under
one schema version), the sets of the plans, and everything of the query that changes the SQL: also which position
values are null and what form a text pattern has.

The walk also remembers which node got which place (`Shape.place`): the compiler asks for it while it writes. A node
that stands twice in a query is noted as such in the key, so that no other query can share a statement in which two
values were taken for one.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from strongroom.access.plan import Plan
from strongroom.access.planned import PlannedSelect
from strongroom.errors import IntegrityViolation
from strongroom.query import ast
from strongroom.store.compile import patterns

SHORT_LIST = 4
"""Lists up to this length are written out, longer ones are one parameter."""

Token = str | int | bool | None | frozenset[int]


@dataclass(slots=True)
class Shape:
    """The key under which a statement is cached, the values, and their places."""

    tokens: list[Token] = field(default_factory=list[Token])
    values: list[object] = field(default_factory=list[object])
    places: dict[int, int] = field(default_factory=dict[int, int])

    def place(self, node: object) -> int:
        """Where the first value of `node` is in `values`."""
        return self.places[id(node)]

    def add(self, node: object, *values: object) -> None:
        known = self.places.get(id(node))
        if known is not None:
            self.tokens += ("again", known)
            return
        self.places[id(node)] = len(self.values)
        self.values += values

    def position(self, after: tuple[object, ...]) -> None:
        """The position to continue after: nulls show in the key."""
        self.tokens += ("after", len(after))
        self.tokens += (value is None for value in after)
        self.add(after, *after)


def read(planned: PlannedSelect) -> Shape:
    """The shape of a query under its plans."""
    shape = Shape()
    _select(shape, planned.select)
    for how, expressions in (("hidden", planned.hidden), ("unmasked", planned.unmasked)):
        if expressions:  # to find that out first saves hashing every output of every query
            for index, output in enumerate(planned.select.outputs):
                if output.expression in expressions:
                    shape.tokens += (how, index)
    for alias, plan in planned.plans.items():
        shape.tokens += ("plan", alias)
        _plan(shape, plan)
    return shape


def read_plan(plan: Plan) -> Shape:
    """The shape of a plan alone."""
    shape = Shape()
    _plan(shape, plan)
    return shape


def _select(shape: Shape, select: ast.Select) -> None:
    tokens = shape.tokens
    tokens += (select.source.table.logical_name, select.is_aggregate, select.distinct, select.top, select.page_size)
    tokens += (select.page_number > 1, select.aggregate_limit, len(select.outputs), len(select.joins))
    for output in select.outputs:
        _expression(shape, output.expression)
    for join in select.joins:
        _join(shape, join)
    tokens.append(len(select.order))
    for order in select.order:
        tokens.append(order.descending)
        _expression(shape, order.expression)
    tokens.append(len(select.group_by))
    for group in select.group_by:
        _expression(shape, group)
    _optional(shape, select.where)
    if select.after is not None:
        shape.position(select.after)
    elif select.page_number > 1:
        shape.add(select, select.page_number)


def _plan(shape: Shape, plan: Plan) -> None:
    reach = plan.reach
    tokens = shape.tokens
    tokens += (plan.table.logical_name, plan.right.value, reach.everything, plan.refusal is None)
    tokens += (reach.owners, reach.units, reach.shared_with, reach.shared_directly_with)
    tokens += (len(reach.others), len(plan.guards), len(plan.mask))
    for predicate in reach.others:
        _predicate(shape, predicate)
    for guard in plan.guards:
        _predicate(shape, guard.predicate)
    for name, access in plan.mask.items():
        tokens += (name, access.value)
    for name, mask in plan.masking.items():
        tokens += ("masked", name, mask.pattern, mask.character)
    for name, sets in plan.shared_values.items():
        tokens += ("shared", name, *sets)


def _join(shape: Shape, join: ast.Join) -> None:
    shape.tokens += (join.kind.value, join.source.table.logical_name, join.source.alias)
    _link(shape, join.link)
    _optional(shape, join.where)


def _link(shape: Shape, link: ast.Link) -> None:
    intersect = None if link.intersect is None else link.intersect.intersect
    shape.tokens += (link.outer_alias, link.outer_column, link.inner_column, intersect)


def _optional(shape: Shape, predicate: ast.Predicate | None) -> None:
    if predicate is None:
        shape.tokens.append(None)
    else:
        _predicate(shape, predicate)


def _expression(shape: Shape, expression: ast.Expression) -> None:
    _EXPRESSIONS[type(expression)](shape, expression)


def _predicate(shape: Shape, predicate: ast.Predicate) -> None:
    known = _PREDICATES.get(type(predicate))
    if known is None:
        raise IntegrityViolation(f"The compiler does not know the predicate {type(predicate).__name__}.")
    known(shape, predicate)


# --- expressions -------------------------------------------------------------------------------------------------


def _field(shape: Shape, node: ast.Field) -> None:
    shape.tokens += ("f", node.alias, node.column.logical_name)


def _lookup_name(shape: Shape, node: ast.LookupName) -> None:
    shape.tokens += ("n", node.alias, node.column.logical_name)


def _lookup_table(shape: Shape, node: ast.LookupTable) -> None:
    shape.tokens += ("t", node.alias, node.column.logical_name)


def _literal(shape: Shape, node: ast.Literal) -> None:
    shape.tokens += ("v", node.type.value, type(node.value).__name__)
    shape.add(node, node.value)


def _aggregate(shape: Shape, node: ast.Aggregate) -> None:
    shape.tokens += ("a", node.function.value)
    if node.operand is None:
        shape.tokens.append(None)
    else:
        _field(shape, node.operand)


def _date_group(shape: Shape, node: ast.DateGroup) -> None:
    shape.tokens += ("d", node.part.value, node.utc_offset_minutes)
    _field(shape, node.operand)


# --- predicates --------------------------------------------------------------------------------------------------


def _comparison(shape: Shape, node: ast.Comparison) -> None:
    shape.tokens.append(node.operator.value)
    _expression(shape, node.left)
    _expression(shape, node.right)


def _is_null(shape: Shape, node: ast.IsNull) -> None:
    shape.tokens += ("null", node.negated)
    _expression(shape, node.operand)


def _in_list(shape: Shape, node: ast.InList) -> None:
    count = len(node.values)
    shape.tokens += ("in", node.negated, count if count <= SHORT_LIST else None, node.values[0].type.value)
    _expression(shape, node.operand)
    values = tuple(literal.value for literal in node.values)
    if count <= SHORT_LIST:
        shape.add(node, *values)
    else:
        shape.add(node, values)


def _match(shape: Shape, node: ast.Match) -> None:
    pattern = patterns.read(node.kind, node.pattern)
    shape.tokens += ("like", node.negated, pattern.form.value)
    _expression(shape, node.operand)
    shape.add(node, pattern)


def _choice_match(shape: Shape, node: ast.ChoiceMatch) -> None:
    shape.tokens += ("choice", node.all_of, node.negated, len(node.values))
    _field(shape, node.operand)
    shape.add(node, *node.values)


def _hierarchy(shape: Shape, node: ast.Hierarchy) -> None:
    shape.tokens += ("tree", node.alias, node.relationship.schema_name, node.below, node.include_root, node.negated)
    shape.add(node, node.root)


def _and(shape: Shape, node: ast.And) -> None:
    shape.tokens += ("&", len(node.parts))
    for part in node.parts:
        _predicate(shape, part)


def _or(shape: Shape, node: ast.Or) -> None:
    shape.tokens += ("|", len(node.parts))
    for part in node.parts:
        _predicate(shape, part)


def _not(shape: Shape, node: ast.Not) -> None:
    shape.tokens.append("!")
    _predicate(shape, node.part)


def _constant(shape: Shape, node: ast.Constant) -> None:
    shape.tokens += ("const", node.value)


def _exists(shape: Shape, node: ast.Exists) -> None:
    shape.tokens += ("exists", node.negated, node.source.table.logical_name, node.source.alias, len(node.joins))
    _link(shape, node.link)
    for join in node.joins:
        _join(shape, join)
    _optional(shape, node.where)


def _owner_in(shape: Shape, node: ast.OwnerIn) -> None:
    shape.tokens += ("owner", node.alias, node.keys)


def _unit_in(shape: Shape, node: ast.UnitIn) -> None:
    shape.tokens += ("unit", node.alias, node.keys)


def _shared_with(shape: Shape, node: ast.SharedWith) -> None:
    shape.tokens += ("share", node.alias, node.principals, node.right.value, node.direct_only)


_Reader = Callable[[Shape, object], None]

_EXPRESSIONS = cast(
    dict[type[object], _Reader],
    {
        ast.Field: _field,
        ast.LookupName: _lookup_name,
        ast.LookupTable: _lookup_table,
        ast.Literal: _literal,
        ast.Aggregate: _aggregate,
        ast.DateGroup: _date_group,
    },
)

_PREDICATES = cast(
    dict[type[object], _Reader],
    {
        ast.Comparison: _comparison,
        ast.IsNull: _is_null,
        ast.InList: _in_list,
        ast.Match: _match,
        ast.ChoiceMatch: _choice_match,
        ast.Hierarchy: _hierarchy,
        ast.And: _and,
        ast.Or: _or,
        ast.Not: _not,
        ast.Constant: _constant,
        ast.Exists: _exists,
        ast.OwnerIn: _owner_in,
        ast.UnitIn: _unit_in,
        ast.SharedWith: _shared_with,
    },
)
