"""Removing a managed solution: what it alone has goes, with its data; what others need of it refuses, by name.

A component belongs to a managed solution alone when no other solution has it, the active one included, to which
everything belongs that was made here by hand before the solution came. Of what others have too, its layer goes: the one
below holds again, with what was customized here still on top.
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
from strongroom.solutions.component_rows import put_definition, row_definition
from strongroom.solutions.contents import COMPONENT_TYPES, Component, components_of, holders, installing
from strongroom.solutions.definitions import (
    CHOICE,
    COLUMN,
    RELATIONSHIP,
    TABLE,
    Definition,
    by_id,
    definition_of,
    merged,
    with_definitions,
)
from strongroom.solutions.dependencies import for_removal, told
from strongroom.solutions.layers import (
    ComponentKey,
    Layer,
    all_layers,
    drop_layers,
    forget_components,
    own_layer,
    show_active,
)
from strongroom.solutions.marking import with_marks
from strongroom.solutions.patches import patches_of
from strongroom.store.protocol import Row, Value

IN_USE = "0x8004f01f"
_NOUNS = {TABLE: "Entity", COLUMN: "Attribute", CHOICE: "OptionSet", RELATIONSHIP: "Relationship"}
_TABLES_OF_TYPES = {number: table for table, number in COMPONENT_TYPES.items()}


@dataclass(frozen=True, slots=True)
class Removed:
    """One component that goes, by its kind and name."""

    kind: str
    name: str


def plan_removal(session: Session, solution: Row, kept: Set[Guid] = frozenset()) -> tuple[Removed, ...]:
    """What `remove_components_of` would remove, but for the components that are `kept`. Raises `InvalidRequest` when
    others need something of it."""
    own = [component for component in own_components(session, solution.id) if component.id not in kept]
    _demand_unneeded(session, own)
    return tuple(named_components(session, own))


def remove_components_of(session: Session, solution: Row) -> tuple[Removed, ...]:
    """Remove what the managed solution alone has. Its rows are about to go with the solution itself."""
    removed = plan_removal(session, solution)
    own = own_components(session, solution.id)
    for kind in {component.type for component in own} & _NOUNS.keys():
        require_privilege(session.caller, f"prvDelete{_NOUNS[kind]}")
    for component in own:
        table_name = _TABLES_OF_TYPES.get(component.type)
        if table_name is None:
            continue
        table = session.table(table_name)
        if session.transaction.row(table, component.id) is not None:  # a plug-in's type goes with its assembly
            delete(session, table, component.id)
    gone = {component.id for component in own}
    fall = _Fall(session, solution.id, gone)
    schema = fall.metadata(_without(session.schema, gone))
    if schema is not session.schema:
        change_schema(session, schema)
        session.renew_caller()
    forget_components(session, gone)
    fall.rows()
    return removed


class _Fall:
    """What happens to components that others have too when a solution's layer goes."""

    def __init__(self, session: Session, solution: Guid, gone: Set[Guid]) -> None:
        self._session = session
        self._own: list[tuple[ComponentKey, Layer, list[Layer]]] = []
        for component, layers in all_layers(session).items():
            own = own_layer(layers, solution)
            if own is not None and component[1] not in gone:
                self._own.append((component, own, [layer for layer in layers if layer is not own]))

    def metadata(self, schema: Schema) -> Schema:
        """The metadata with the layers below in force. Parts that no managed solution has are ours from now on."""
        known = by_id(schema)
        wanted: dict[Guid, Definition] = {}
        marks: dict[str, tuple[str, ...] | None] = {}
        for component, own, others in self._own:
            found = known.get(component[1])
            if found is None:
                continue
            if not others:
                marks[component[1]] = None
            elif own.order == 1:
                marks[component[1]] = others[0].withheld
            if others and others[-1].order < own.order:
                mine = definition_of(found.part)
                below = merged(own.definition, mine, others[-1].definition)
                if below != mine:
                    wanted[component[1]] = below
        return with_marks(with_definitions(schema, wanted) if wanted else schema, marks)

    def rows(self) -> None:
        """The rows with the layers below in force; then the layers themselves go."""
        session = self._session
        known = by_id(session.schema)
        drop_layers(session, [own for _, own, _ in self._own])
        for component, own, others in self._own:
            if not others:
                forget_components(session, [component[1]])
            elif others[-1].order < own.order:
                below = others[-1]
                found = known.get(component[1])
                live = definition_of(found.part) if found is not None else self._row(component, own, below)
                show_active(session, below, live)

    def _row(self, component: ComponentKey, own: Layer, below: Layer) -> Definition:
        """Let the layer below hold in a row; gives what the row says then."""
        session = self._session
        table = _TABLES_OF_TYPES.get(component[0])
        row = None if table is None else session.transaction.row(session.table(table), component[1])
        if row is None:
            return below.definition
        wanted = merged(own.definition, row_definition(session, row, own.definition), below.definition)
        put_definition(session, row, wanted)
        return wanted


def own_components(session: Session, solution: Guid) -> list[Component]:
    """The components that a solution alone has."""
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


def _demand_unneeded(session: Session, own: Iterable[Component]) -> None:
    """Refuse when something of somebody else needs what would go, by name."""
    needed = for_removal(session, {component.id for component in own})
    if needed:
        raise InvalidRequest(
            f"The solution cannot be removed, because others need what it brought: {told(needed)}.", code=IN_USE
        )


def named_components(session: Session, own: Iterable[Component]) -> Iterator[Removed]:
    """Components by their kinds and names, as far as they are here."""
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
    for patch in patches_of(session, row.id):
        doomed = session.doomed
        delete(session, patch.table, patch.id)
        session.doomed = doomed
    if row.values.get("ismanaged") is True:
        doomed = session.doomed  # deletes within this one have sets of their own
        with installing(session):
            remove_components_of(session, row)
        session.doomed = doomed
