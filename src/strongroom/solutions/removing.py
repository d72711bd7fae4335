"""Removing a managed solution: what it alone has goes, with its data; what others need of it refuses, by name.

A component belongs to a managed solution alone when no other solution has it, the active one included, to which
everything belongs that was made here by hand before the solution came.
"""

from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass

from strongroom.access.resolve import require_privilege
from strongroom.errors import InvalidRequest
from strongroom.ids import Guid
from strongroom.records import Event, Rules, Session, change_schema, delete
from strongroom.records.genesis import ACTIVE_SOLUTION
from strongroom.records.system_columns import DEFAULT_SOLUTION
from strongroom.schema.changes import delete_choice, delete_column, delete_key, delete_relationship, delete_table
from strongroom.schema.model import Schema
from strongroom.solutions.contents import (
    CHOICE,
    COLUMN,
    COMPONENT_TYPES,
    RELATIONSHIP,
    TABLE,
    Component,
    components_of,
    holders,
)
from strongroom.store.protocol import Row, Value

IN_USE = "0x8004f01f"
_NOUNS = {TABLE: "Entity", COLUMN: "Attribute", CHOICE: "OptionSet", RELATIONSHIP: "Relationship"}
_TABLES_OF_TYPES = {number: table for table, number in COMPONENT_TYPES.items()}


@dataclass(frozen=True, slots=True)
class Removed:
    """One component that goes, by its kind and name."""

    kind: str
    name: str


def plan_removal(session: Session, solution: Row) -> tuple[Removed, ...]:
    """What `remove_components_of` would remove. Raises `InvalidRequest` when others need something of it."""
    own = _own(session, solution.id)
    _demand_unneeded(session.schema, own)
    return tuple(_named(session, own))


def remove_components_of(session: Session, solution: Row) -> tuple[Removed, ...]:
    """Remove what the managed solution alone has. Its rows are about to go with the solution itself."""
    removed = plan_removal(session, solution)
    own = _own(session, solution.id)
    for kind in {component.type for component in own} & _NOUNS.keys():
        require_privilege(session.caller, f"prvDelete{_NOUNS[kind]}")
    for component in own:
        table_name = _TABLES_OF_TYPES.get(component.type)
        if table_name is None:
            continue
        table = session.table(table_name)
        if session.transaction.row(table, component.id) is not None:  # a plug-in's type goes with its assembly
            delete(session, table, component.id)
    schema = _without(session.schema, {component.id for component in own})
    if schema is not session.schema:
        change_schema(session, schema)
        session.renew_caller()
    return removed


def _own(session: Session, solution: Guid) -> list[Component]:
    return [each for each in components_of(session, solution) if holders(session, each) <= {solution}]


def _without(schema: Schema, own: Set[Guid]) -> Schema:
    """The metadata without the tables, columns, relationships and choices with these ids."""
    for name in [found.schema_name for found in schema.many_to_many.values() if found.metadata_id in own]:
        schema = delete_relationship(schema, name)
    for table in [found for found in schema.tables.values() if found.metadata_id in own and found.is_custom]:
        schema = delete_table(schema, table.logical_name)
    for name in [found.schema_name for found in schema.relationships.values() if found.metadata_id in own]:
        schema = delete_relationship(schema, name)
    for table in list(schema.tables.values()):
        gone = [column for column in table.columns.values() if column.metadata_id in own and column.is_custom]
        for key in [key for key in table.keys if any(column.logical_name in key.columns for column in gone)]:
            schema = delete_key(schema, table.logical_name, key.logical_name)
        for column in gone:
            schema = delete_column(schema, table.logical_name, column.logical_name)
    for name in [found.name for found in schema.choices.values() if found.metadata_id in own and found.is_custom]:
        schema = delete_choice(schema, name)
    return schema


def _demand_unneeded(schema: Schema, own: Iterable[Component]) -> None:
    """Refuse when a lookup or a relationship of somebody else leads to a table that would go."""
    ids = {component.id for component in own}
    going = {table.logical_name for table in schema.tables.values() if table.metadata_id in ids}
    needed: list[str] = []
    for relationship in schema.relationships.values():
        column = schema.tables[relationship.referencing_table].columns[relationship.referencing_column]
        if (
            relationship.referenced_table in going
            and relationship.referencing_table not in going
            and column.is_custom
            and relationship.metadata_id not in ids
        ):
            needed.append(
                f"{relationship.referencing_table}.{column.logical_name} looks up {relationship.referenced_table}"
            )
    for association in schema.many_to_many.values():
        sides = {association.table1, association.table2}
        if association.is_custom and association.metadata_id not in ids and sides & going and not sides <= going:
            needed.append(f"{association.schema_name} ties {' and '.join(sorted(sides))}")
    if needed:
        raise InvalidRequest(
            f"The solution cannot be removed, because others need what it brought: {'; '.join(sorted(needed)[:10])}.",
            code=IN_USE,
        )


def _named(session: Session, own: Iterable[Component]) -> Iterator[Removed]:
    schema = session.schema
    names: dict[Guid, Removed] = {}
    for table in schema.tables.values():
        names[table.metadata_id] = Removed("table", table.logical_name)
        for column in table.columns.values():
            names[column.metadata_id] = Removed("column", f"{table.logical_name}.{column.logical_name}")
    for found in (*schema.relationships.values(), *schema.many_to_many.values()):
        names[found.metadata_id] = Removed("relationship", found.schema_name)
    for choice in schema.choices.values():
        names[choice.metadata_id] = Removed("choice", choice.name)
    for component in own:
        if component.type in (TABLE, COLUMN, CHOICE, RELATIONSHIP):
            if component.id in names:
                yield names[component.id]
            continue
        table_name = _TABLES_OF_TYPES.get(component.type)
        if table_name is None:
            continue  # of a type that nobody here knows
        table = session.table(table_name)
        row = session.transaction.row(table, component.id)
        if row is not None:
            shown = row.values.get(table.primary_name) if table.primary_name else None
            yield Removed(table.label.lower(), str(shown or component.id))


# --- the rule on rows ----------------------------------------------------------------------------------------------


def register(rules: Rules) -> None:
    """Hang the rules on solutions into the verbs."""
    rules.on(Event.BEFORE_DELETE, "solution", _remove, name="solutions: a managed one takes along what it brought")


def _remove(session: Session, row: Row, _: dict[str, Value]) -> None:
    """Deleting an unmanaged solution leaves all that it has; deleting a managed one removes what it alone has."""
    if row.id in (ACTIVE_SOLUTION, DEFAULT_SOLUTION):
        raise InvalidRequest(f"The solution '{row.values.get('friendlyname')}' belongs to the platform and stays.")
    if row.values.get("ismanaged") is True:
        doomed = session.doomed  # deletes within this one have sets of their own
        remove_components_of(session, row)
        session.doomed = doomed
