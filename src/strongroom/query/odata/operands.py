"""The two sides of a comparison: a path becomes a `Field`, an alias what it stands for, a literal stays one."""

from dataclasses import dataclass

from strongroom.errors import QueryError
from strongroom.query.ast import Field
from strongroom.query.names import shown
from strongroom.query.odata.edm import NAMESPACE, PRINCIPALS, edm_type
from strongroom.query.odata.parser import parse_operand
from strongroom.query.odata.scope import (
    OWNER_NAV,
    Scope,
    has_owner_nav,
    owner_relationship,
    property_column,
    single_nav,
    unknown_principal_property,
    unknown_property,
)
from strongroom.query.odata.syntax import Alias, Constant, Items, LiteralKind, Node, Path
from strongroom.schema.model import Schema, Table


@dataclass(frozen=True, slots=True)
class ColumnOperand:
    """A column of some row."""

    field: Field
    position: int

    @property
    def edm_type(self) -> str:
        return edm_type(self.field.column)


@dataclass(frozen=True, slots=True)
class NavOperand:
    """A single-valued navigation property by itself: it is null or not, nothing else (WA-192).

    `field` is null exactly when the property is.
    """

    name: str
    field: Field
    position: int


Operand = ColumnOperand | NavOperand | Constant | Items


def resolve(scope: Scope, node: Node) -> Operand | None:
    """The operand that `node` is, or None when it is an expression (a comparison, a function, a lambda)."""
    if isinstance(node, Alias):
        node = alias_value(scope, node)
    if isinstance(node, Path):
        return resolve_path(scope, node)
    return node if isinstance(node, Constant | Items) else None


def alias_value(scope: Scope, alias: Alias) -> Node:
    """What the alias stands for; one that is not given is null (WA-176)."""
    if scope.query.in_expand:
        message = f"The parameter alias '{shown(alias.name)}' cannot stand inside $expand: write the value there."
        raise QueryError(message, position=alias.position)
    text = scope.query.context.aliases.get(alias.name)
    if text is None:
        return Constant(LiteralKind.NULL, "null", alias.position)
    value = parse_operand(text)
    if isinstance(value, Alias):
        message = f"The parameter alias '{shown(alias.name)}' stands for another alias; it must be a value or a column."
        raise QueryError(message, position=alias.position)
    return value


def resolve_path(scope: Scope, path: Path) -> ColumnOperand | NavOperand:
    """The column or navigation property at the end of `path`; joins are made on the way."""
    current, segments = scope.start(path.segments)
    if not segments:
        message = f"'{path.text}' is a row, not a value: name a column of it, as in {path.text}/createdon."
        raise QueryError(message, position=path.position)
    return _walk(current, segments, path.position)


def resolve_column(scope: Scope, path: Path) -> Field:
    """As `resolve_path`, for places where only a column will do."""
    found = resolve_path(scope, path)
    if isinstance(found, NavOperand):
        value = found.field.column.property_name
        message = f"'{path.text}' is a navigation property; the value of the lookup is '{value}'."
        raise QueryError(message, position=path.position)
    return found.field


def _walk(scope: Scope, segments: tuple[str, ...], position: int) -> ColumnOperand | NavOperand:
    *navs, last = segments
    for index, nav in enumerate(navs):
        if nav == OWNER_NAV and has_owner_nav(scope.table):
            return _owner(scope, segments[index + 1 :], position)
        if index == len(navs) - 1 and (lookup := _lookup_behind(scope, nav, last)):
            return ColumnOperand(lookup, position)
        scope = scope.through(nav, position)
    if scope.find_column(last) is not None:
        return ColumnOperand(scope.field(last, position), position)
    return NavOperand(last, _nav_field(scope, last, position), position)


def _lookup_behind(scope: Scope, nav: str, last: str) -> Field | None:
    """`primarycontactid/contactid` is the lookup itself: no join (WA-192). Lookups to several tables need the join."""
    relationship = single_nav(scope.query.schema, scope.table, nav)
    if relationship is None:
        return None
    target = scope.query.schema.tables[relationship.referenced_table]
    lookup = scope.table.columns.get(relationship.referencing_column)
    if lookup is None or len(lookup.targets) > 1 or property_column(target, last) is not target.id_column:
        return None
    return Field(scope.alias, lookup)


def _owner(scope: Scope, segments: tuple[str, ...], position: int) -> ColumnOperand | NavOperand:
    """A path on behind `ownerid`: the property of the owning user, or else of the owning team."""
    if segments == (OWNER_NAV,):
        return ColumnOperand(Field(scope.alias, scope.table.columns[OWNER_NAV]), position)
    schema = scope.query.schema
    first, *others = segments
    kind = first.removeprefix(f"{NAMESPACE}.")
    is_cast = bool(others) and kind != first and kind in PRINCIPALS  # the one or the other (WA-80)
    names = others if is_cast else [first, *others]
    for target in (kind,) if is_cast else ("systemuser", "team"):
        relationship = owner_relationship(schema, scope.table, target)
        if relationship is not None and _has_property(schema, schema.tables[target], names[0]):
            owner = scope.join(relationship.lookup_nav, relationship, position)
            return _walk(owner, tuple(names), position)
    raise unknown_principal_property(names[0], position)


def _has_property(schema: Schema, table: Table, name: str) -> bool:
    return property_column(table, name) is not None or single_nav(schema, table, name) is not None


def _nav_field(scope: Scope, nav: str, position: int) -> Field:
    if nav == OWNER_NAV and has_owner_nav(scope.table):
        return Field(scope.alias, scope.table.columns[OWNER_NAV])
    relationship = single_nav(scope.query.schema, scope.table, nav)
    lookup = scope.table.columns.get(relationship.referencing_column) if relationship is not None else None
    if relationship is None or lookup is None:
        raise unknown_property(scope.table, nav, scope.query.schema, position)
    if len(lookup.targets) > 1:
        target = scope.through(nav, position)
        return Field(target.alias, target.table.id_column)
    return Field(scope.alias, lookup)
