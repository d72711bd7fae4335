"""Where names mean something: the properties of a table, and the joins that paths through lookups need.

A `Scope` is one row variable of a query: the row itself, the variable of a lambda, a row reached through lookups. Paths
that share a beginning share its joins, whichever option they stand in; each join is an outer join, so that rows whose
lookup is empty stay (WA-192).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count

from strongroom.errors import QueryError
from strongroom.query.ast import Field, Join, JoinKind, Link, ReadContext, Source
from strongroom.query.limits import MAX_JOINS, MAX_SUB_SELECTS, ConditionBudget
from strongroom.query.names import hint, shown
from strongroom.query.odata.edm import NAMESPACE, PRINCIPALS, type_name
from strongroom.schema.model import Column, ColumnType, ManyToMany, Relationship, Schema, Table

OWNER_NAV = "ownerid"


@dataclass(slots=True)
class Query:
    """What all scopes of one query share."""

    schema: Schema
    context: ReadContext
    budget: ConditionBudget = field(default_factory=ConditionBudget)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    joined: int = 0
    expanded: int = 0
    nested: int = 0
    in_expand: bool = False
    """Whether options of an expand are being read: parameter aliases have no meaning there (WA-176)."""

    def new_sub_select(self, position: int) -> str:
        """The alias of a sub-select; more than `MAX_SUB_SELECTS` raise `QueryError`."""
        self.nested += 1
        if self.nested > MAX_SUB_SELECTS:
            message = f"The query has more than {MAX_SUB_SELECTS} lambdas, which is the most that one query may have."
            raise QueryError(message, position=position)
        return self.new_alias("e")

    def new_alias(self, prefix: str) -> str:
        """An alias that is free in the query; the same text gives the same aliases, so statements are shared."""
        return f"{prefix}{next(self.numbers)}"


@dataclass(slots=True)
class JoinList:
    """The joins of one select or one `Exists`, by (outer alias, navigation property)."""

    by_path: dict[tuple[str, str], Join] = field(default_factory=dict[tuple[str, str], Join])

    def all(self) -> tuple[Join, ...]:
        return tuple(self.by_path.values())


@dataclass(slots=True)
class Scope:
    """A row variable: `table` under `alias`. `variables` are the lambda variables in force, by name."""

    query: Query
    table: Table
    alias: str = ""
    joins: JoinList = field(default_factory=JoinList)
    variables: Mapping[str, "Scope"] = field(default_factory=dict[str, "Scope"])

    # --- properties ---

    def find_column(self, name: str) -> Column | None:
        """The column behind a property name, or None; names are case-sensitive (WA-3, WA-74)."""
        return property_column(self.table, name)

    def column(self, name: str, position: int | None = None) -> Column:
        """The column behind a property name; an unknown name raises the error of WA-173."""
        found = self.find_column(name)
        if found is None:
            raise unknown_property(self.table, name, self.query.schema, position)
        return found

    def field(self, name: str, position: int | None = None) -> Field:
        return Field(self.alias, self.column(name, position))

    # --- paths ---

    def start(self, segments: tuple[str, ...]) -> tuple["Scope", tuple[str, ...]]:
        """The scope that a path begins in, and the rest of the path: a lambda variable or `$it` comes off."""
        if segments and segments[0] == "$it":
            return self, segments[1:]
        if segments and segments[0] in self.variables:
            return self.variables[segments[0]], segments[1:]
        return self, segments

    def follow(self, navs: tuple[str, ...], position: int | None = None) -> "Scope":
        """The scope of the row that lookups lead to, one navigation property after the other."""
        scope = self
        for nav in navs:
            scope = scope.through(nav, position)
        return scope

    def through(self, nav: str, position: int | None = None) -> "Scope":
        """The scope of the row behind the single-valued navigation property `nav`, or of the same row where it is a
        cast to what the row is anyway (WA-80)."""
        if is_cast(nav, self.table):
            return self
        relationship = single_nav(self.query.schema, self.table, nav)
        if relationship is None:
            raise self._not_single(nav, position)
        return self.join(nav, relationship, position)

    def join(self, nav: str, relationship: Relationship, position: int | None = None) -> "Scope":
        """The scope of the row that `relationship`'s lookup points to; `nav` names the join."""
        target = self.query.schema.tables[relationship.referenced_table]
        known = self.joins.by_path.get((self.alias, nav))
        if known is None:
            self.query.joined += 1
            if self.query.joined > MAX_JOINS:
                raise QueryError(f"The query leads to more than {MAX_JOINS} related tables.", position=position)
            link = Link(self.alias, relationship.referencing_column, relationship.referenced_column)
            known = Join(JoinKind.OUTER, Source(target, self.query.new_alias("j")), link)
            self.joins.by_path[self.alias, nav] = known
        return Scope(self.query, target, known.source.alias, self.joins, self.variables)

    def _not_single(self, nav: str, position: int | None) -> QueryError:
        if collection_link(self.query.schema, self.table, nav) is not None:
            message = f"'{nav}' is a collection: ask for its rows with {nav}/any(x:x/…) or {nav}/all(x:x/…)."
            return QueryError(message, position=position)
        if self.find_column(nav) is not None:
            message = f"'{nav}' on type '{type_name(self.table)}' is a column, so no path leads on from it."
            return QueryError(message, position=position)
        return unknown_property(self.table, nav, self.query.schema, position)


def property_column(table: Table, name: str) -> Column | None:
    """The readable column that the OData property `name` of `table` stands for.

    Lookups are `_primarycontactid_value`; users and teams have `ownerid` as a second name of their id.
    """
    column = table.columns.get(name)
    if column is None and len(name) > 7 and name.startswith("_") and name.endswith("_value"):
        column = table.columns.get(name[1:-6])
        return column if column is not None and column.type.is_lookup and column.valid_for_read else None
    if column is None and name == OWNER_NAV and table.logical_name in PRINCIPALS:
        return table.id_column
    if column is None or column.type.is_lookup or column.type is ColumnType.PARTYLIST or not column.valid_for_read:
        return None
    return column


def single_nav(schema: Schema, table: Table, nav: str) -> Relationship | None:
    """The relationship behind a single-valued navigation property whose target table is there.

    Activities have the properties of `activitypointer` too: `owninguser` beside `owninguser_task` (WA-62).
    """
    relationship = schema.lookup_nav(table.logical_name, nav)
    if relationship is None and table.is_activity:
        relationship = _only_relationship(schema, table, nav)
    if relationship is None or relationship.referenced_table not in schema.tables:
        return None
    return relationship


def owner_relationship(schema: Schema, table: Table, target: str) -> Relationship | None:
    """The relationship to the owning user (`systemuser`) or team: the two halves of the property `ownerid`."""
    return _only_relationship(schema, table, "owninguser" if target == "systemuser" else "owningteam")


def _only_relationship(schema: Schema, table: Table, column: str) -> Relationship | None:
    """The relationship of a lookup column that points to one table."""
    found = [r for r in schema.parents_of(table.logical_name) if r.referencing_column == column]
    return found[0] if len(found) == 1 else None


def has_owner_nav(table: Table) -> bool:
    """Whether `ownerid` of the table is the navigation property to `principal` (WA-72)."""
    column = table.columns.get(OWNER_NAV)
    return column is not None and column.type is ColumnType.OWNER


@dataclass(frozen=True, slots=True)
class CollectionLink:
    """A collection-valued navigation property: the related table and how its rows hang on the outer row."""

    table: Table
    outer_column: str
    inner_column: str
    relationship: Relationship | None = None
    many_to_many: ManyToMany | None = None

    def link(self, outer_alias: str) -> Link:
        return Link(outer_alias, self.outer_column, self.inner_column, self.many_to_many)


def collection_link(schema: Schema, table: Table, nav: str) -> CollectionLink | None:
    """The 1:N or N:N relationship behind `nav`, seen from `table`."""
    own = table.logical_name
    if relationship := schema.collection_nav(own, nav):
        related = schema.tables.get(relationship.referencing_table)
        if related is None:
            return None
        outer, inner = relationship.referenced_column, relationship.referencing_column
        return CollectionLink(related, outer, inner, relationship)
    if association := schema.many_nav(own, nav):
        is_first = association.is_first(own, nav)
        related = schema.tables.get(association.table2 if is_first else association.table1)
        if related is None:
            return None
        columns = (association.column1, association.column2)
        outer, inner = columns if is_first else columns[::-1]
        return CollectionLink(related, outer, inner, None, association)
    return None


def is_cast(name: str, table: Table) -> bool:
    """Whether a part of a path names the type of the rows of `table`."""
    return name == type_name(table)


def unknown_property(table: Table, name: str, schema: Schema, position: int | None = None) -> QueryError:
    """The error of WA-173, with the nearest name that exists, or with the form that a lookup has."""
    message = f"Could not find a property named '{shown(name)}' on type '{type_name(table)}'."
    column = table.columns.get(name)
    if column is not None and column.type.is_lookup:
        message += f" The value of the lookup is '{column.property_name}'."
    else:
        message += hint(name, property_names(table, schema))
    return QueryError(message, position=position)


def unknown_principal_property(name: str, position: int | None = None) -> QueryError:
    """WA-173 for the path `ownerid/x`."""
    message = f"Could not find a property named '{shown(name)}' on type '{NAMESPACE}.principal'."
    return QueryError(message, position=position)


def property_names(table: Table, schema: Schema) -> list[str]:
    """Everything that a path on `table` may begin with, for hints."""
    names = [c.property_name for c in table.columns.values() if c.valid_for_read]
    names += [r.lookup_nav for r in schema.parents_of(table.logical_name)]
    names += [r.collection_nav for r in schema.children_of(table.logical_name)]
    return names
