"""Where dependencies come from: the metadata, and what rows point to and speak of."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from strongroom.ids import Guid, Reference
from strongroom.records import Session
from strongroom.schema.model import Column, ManyToMany, Relationship, Schema, Table
from strongroom.solutions.contents import COMPONENT_TYPES
from strongroom.solutions.definitions import CHOICE, COLUMN, RELATIONSHIP, TABLE
from strongroom.solutions.references import (
    connections_in,
    in_fetch,
    in_form,
    resources_in,
    tables_in,
    variables_in,
)
from strongroom.store.protocol import Row


@dataclass(frozen=True, slots=True)
class Node:
    """A component with the words that name it, and the table that it belongs to."""

    type: int
    id: Guid
    kind: str
    name: str
    parent: Guid | None = None
    is_custom: bool = True

    def __str__(self) -> str:
        return f"the {self.kind} '{self.name}'"


@dataclass(frozen=True, slots=True)
class Dependency:
    """`dependent` needs `required`. An internal one ties a part to the table that it belongs to: it goes with it."""

    dependent: Node
    required: Node
    is_internal: bool = False


def all_dependencies(session: Session) -> Iterator[Dependency]:
    """Every dependency of an environment; some more than once."""
    nodes = _Nodes(session.schema)
    yield from _of_metadata(session.schema, nodes)
    yield from _of_rows(session, nodes)


class _Nodes:
    """Components by their names."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema

    def table(self, name: object) -> Node | None:
        table = self._schema.tables.get(name) if isinstance(name, str) else None
        if table is None:
            return None
        return Node(TABLE, table.metadata_id, "table", table.logical_name, None, table.is_custom)

    def column(self, table_name: str, name: str) -> Node | None:
        table = self._schema.tables.get(table_name)
        column = None if table is None else table.columns.get(name)
        return None if table is None or column is None else _column_node(table, column)

    def choice(self, name: str) -> Node | None:
        choice = self._schema.choices.get(name)
        return (
            None if choice is None else Node(CHOICE, choice.metadata_id, "choice", choice.name, None, choice.is_custom)
        )


def _column_node(table: Table, column: Column) -> Node:
    kind = "lookup" if column.type.is_lookup else "column"
    name = f"{table.logical_name}.{column.logical_name}"
    return Node(COLUMN, column.metadata_id, kind, name, table.metadata_id, column.is_custom)


def _edge(dependent: Node, required: Node | None, *, is_internal: bool = False) -> Iterator[Dependency]:
    if required is not None and dependent != required:
        yield Dependency(dependent, required, is_internal)


def _of_metadata(schema: Schema, nodes: _Nodes) -> Iterator[Dependency]:
    for table in schema.tables.values():
        for column in table.columns.values():
            if column.is_custom:
                node = _column_node(table, column)
                yield from _edge(node, nodes.table(table.logical_name), is_internal=True)
                if column.global_choice is not None:
                    yield from _edge(node, nodes.choice(column.global_choice))
    for relationship in schema.relationships.values():
        if relationship.is_custom:
            yield from _of_relationship(relationship, nodes)
    for association in schema.many_to_many.values():
        if association.is_custom:
            yield from _of_association(association, nodes)


def _of_relationship(relationship: Relationship, nodes: _Nodes) -> Iterator[Dependency]:
    """It goes with its child table and its lookup; the lookup is what needs the parent table."""
    node = Node(RELATIONSHIP, relationship.metadata_id, "relationship", relationship.schema_name)
    lookup = nodes.column(relationship.referencing_table, relationship.referencing_column)
    yield from _edge(node, lookup, is_internal=True)
    yield from _edge(node, nodes.table(relationship.referencing_table), is_internal=True)
    if lookup is not None and lookup.is_custom:
        yield from _edge(lookup, nodes.table(relationship.referenced_table))


def _of_association(association: ManyToMany, nodes: _Nodes) -> Iterator[Dependency]:
    node = Node(RELATIONSHIP, association.metadata_id, "relationship", association.schema_name)
    for side in dict.fromkeys((association.table1, association.table2)):
        yield from _edge(node, nodes.table(side))


def _of_rows(session: Session, nodes: _Nodes) -> Iterator[Dependency]:
    rows = {name: session.transaction.rows_where(session.table(name), {}) for name in _READ}
    resources = _by_name(rows["webresource"], "name")
    connections = _by_name(rows["connectionreference"], "connectionreferencelogicalname")
    variables = _by_name(rows["environmentvariabledefinition"], "schemaname")
    for row in rows["savedquery"]:
        node = _row_node(row, nodes.table(row.values.get("returnedtypecode")))
        yield from _edge(node, nodes.table(row.values.get("returnedtypecode")), is_internal=True)
        for table, column in in_fetch(row.values.get("fetchxml")):
            yield from _edge(node, nodes.table(table) if column is None else nodes.column(table, column))
    for row in rows["systemform"]:
        about = row.values.get("objecttypecode")
        node = _row_node(row, nodes.table(about))
        yield from _edge(node, nodes.table(about), is_internal=True)
        for column in in_form(row.values.get("formxml")):
            yield from _edge(node, nodes.column(str(about), column))
        for name in resources_in(row.values.get("formxml")):
            yield from _edge(node, resources.get(name.lower()))
    for row in rows["workflow"]:
        node = _row_node(row)
        yield from _edge(node, nodes.table(row.values.get("primaryentity")))
        for name in connections_in(row.values.get("clientdata")):
            yield from _edge(node, connections.get(name.lower()))
        for name in variables_in(row.values.get("clientdata")):
            yield from _edge(node, variables.get(name.lower()))
    for table, column in (("sitemap", "sitemapxml"), ("appmodule", "configxml")):
        for row in rows[table]:
            node = _row_node(row)
            for name in tables_in(row.values.get(column)):
                yield from _edge(node, nodes.table(name))
            for name in resources_in(row.values.get(column)):
                yield from _edge(node, resources.get(name.lower()))
    yield from _of_pointers(rows)
    yield from _of_profiles(session, rows["fieldsecurityprofile"], nodes)


_READ = (
    "savedquery",
    "systemform",
    "webresource",
    "workflow",
    "connectionreference",
    "environmentvariabledefinition",
    "environmentvariablevalue",
    "pluginassembly",
    "plugintype",
    "sdkmessageprocessingstep",
    "sitemap",
    "appmodule",
    "fieldsecurityprofile",
)
_POINTERS = (
    ("plugintype", "pluginassemblyid", "pluginassembly", True),
    ("sdkmessageprocessingstep", "plugintypeid", "plugintype", False),
    ("environmentvariablevalue", "environmentvariabledefinitionid", "environmentvariabledefinition", True),
)
"""Lookups from one component to another, and whether the one goes with the other."""


def _of_pointers(rows: Mapping[str, list[Row]]) -> Iterator[Dependency]:
    for table, column, target, is_internal in _POINTERS:
        known = {row.id: _row_node(row) for row in rows[target]}
        for row in rows[table]:
            pointer = row.values.get(column)
            if isinstance(pointer, Reference):
                yield from _edge(_row_node(row), known.get(pointer.id), is_internal=is_internal)


def _of_profiles(session: Session, profiles: Iterable[Row], nodes: _Nodes) -> Iterator[Dependency]:
    """A profile needs its columns."""
    known = {row.id: _row_node(row) for row in profiles}
    for row in session.transaction.rows_where(session.table("fieldpermission"), {}):
        profile, table = row.values.get("fieldsecurityprofileid"), row.values.get("entityname")
        column = nodes.column(str(table), str(row.values.get("attributelogicalname")))
        node = known.get(profile.id) if isinstance(profile, Reference) else None
        if node is not None:
            yield from _edge(node, column)


def _row_node(row: Row, parent: Node | None = None) -> Node:
    table = row.table
    shown = row.values.get(table.primary_name) if table.primary_name else None
    number = COMPONENT_TYPES[table.logical_name]
    kind = {"savedquery": "view", "systemform": "form"}.get(table.logical_name, table.label.lower())
    return Node(number, row.id, kind, str(shown or row.id), None if parent is None else parent.id)


def _by_name(rows: Iterable[Row], column: str) -> Mapping[str, Node]:
    return {str(row.values.get(column)).lower(): _row_node(row) for row in rows}
