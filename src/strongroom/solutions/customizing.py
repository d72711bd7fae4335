"""What anybody may do by hand to components of managed solutions: change what their maker lets be changed, and no more.

A change makes a customization, which lies on top of all managed layers until it is removed. Managed components are
deleted with their solution, never by themselves.
"""

from collections.abc import Sequence, Set

from strongroom.access.resolve import require_privilege
from strongroom.errors import InvalidRequest
from strongroom.ids import Guid
from strongroom.records import Event, Rules, Session, change_schema
from strongroom.schema.model import Schema, Table
from strongroom.solutions.component_rows import live_definition, put_definition, row_of
from strongroom.solutions.contents import COMPONENT_TYPES, Component, installing
from strongroom.solutions.definitions import (
    CHOICE,
    COLUMN,
    RELATIONSHIP,
    TABLE,
    Found,
    changed,
    definition_of,
    touched,
    with_definitions,
)
from strongroom.solutions.dependencies import for_delete, for_removal, told
from strongroom.solutions.layers import Layer, layers_of, show_active
from strongroom.solutions.managed_properties import (
    CUSTOMIZABLE,
    NEW_COLUMNS,
    NEW_FORMS,
    NEW_VIEWS,
    NOT_CUSTOMIZABLE,
    not_customizable,
    refusal,
)
from strongroom.solutions.removing import IN_USE
from strongroom.store.protocol import Row, Value

_ABOUT_TABLES = {
    "systemform": ("objecttypecode", NEW_FORMS, "form"),
    "savedquery": ("returnedtypecode", NEW_VIEWS, "view"),
}
_LEANED_ON = frozenset({"webresource", "connectionreference", "environmentvariabledefinition"})
"""Tables of components that forms, apps and flows lean on without a lookup."""

_PRIVILEGES = {
    TABLE: "prvWriteEntity",
    COLUMN: "prvWriteAttribute",
    CHOICE: "prvWriteOptionSet",
    RELATIONSHIP: "prvWriteRelationship",
}


def register(rules: Rules) -> None:
    """Hang the rules into the verbs."""
    rules.on_schema(_of_metadata, name="solutions: what managed properties let others change of metadata")
    for table in COMPONENT_TYPES:
        rules.on(Event.BEFORE_UPDATE, table, _before_update, name="solutions: what others may change of managed ones")
        rules.on(Event.AFTER_UPDATE, table, _after_update, name="solutions: the layer of what was customized here")
        rules.on(Event.BEFORE_DELETE, table, _before_delete, name="solutions: a managed component goes with its own")
    rules.on(Event.BEFORE_PRIVILEGES, "role", _before_privileges, name="solutions: what others may change of roles")
    rules.on(Event.AFTER_PRIVILEGES, "role", _after_update, name="solutions: the layer of what was customized here")
    for table in _ABOUT_TABLES:
        rules.on(Event.BEFORE_CREATE, table, _before_create, name="solutions: new forms and views of managed tables")


def is_customizable(session: Session, component: tuple[int, Guid]) -> bool:
    """Whether others may change a component: what is of no managed solution, and what its maker leaves open."""
    layers = layers_of(session, component)
    return not layers or CUSTOMIZABLE not in layers[0].withheld


def remove_customizations(session: Session, component: tuple[int, Guid]) -> tuple[str, ...]:
    """Take what was customized here off a managed component: its topmost managed layer holds. Gives the properties."""
    layers = layers_of(session, component)
    if not layers:
        raise InvalidRequest(f"The component {component[1]} is of no managed solution: nothing lies below it.")
    top = layers[-1]
    mine = live_definition(session, component, top.definition)
    different = changed(top.definition, {name: mine.get(name) for name in top.definition})
    if not different:
        return ()
    table = next((name for name, number in COMPONENT_TYPES.items() if number == component[0]), None)
    with installing(session):
        if table is None:
            require_privilege(session.caller, _PRIVILEGES[component[0]])
            change_schema(session, with_definitions(session.schema, {component[1]: top.definition}))
        elif (row := row_of(session, table, component[1])) is not None:
            put_definition(session, row, top.definition)
    show_active(session, top, live_definition(session, component, top.definition))
    return different


# --- metadata ------------------------------------------------------------------------------------------------------


def _of_metadata(session: Session, before: Schema, after: Schema) -> None:
    if session.installing:
        return
    changes = list(touched(before, after))
    for old, new in changes:
        if old.part.is_managed:
            _of_managed(session, old, new)
    gone = {old.part.metadata_id for old, new in changes if new is None}
    if gone:
        _demand_unneeded(session, gone)


def _of_managed(session: Session, old: Found, new: Found | None) -> None:
    if new is None:
        raise _goes_with_its_solution(old.kind, old.name, layers_of(session, _key(old)))
    will = definition_of(new.part)
    different = changed(definition_of(old.part), will)
    forbidden = refusal(old.part.withheld, different)
    if forbidden is not None:
        raise not_customizable(old.kind, old.name, forbidden, ", ".join(different))
    if isinstance(old.part, Table) and isinstance(new.part, Table):
        _demand_new_columns(old.part, new.part)
    if different:
        layers = layers_of(session, _key(old))
        if layers:
            show_active(session, layers[-1], will)


def _demand_unneeded(session: Session, gone: Set[Guid]) -> None:
    """Refuse, by name, what others need (WA-345)."""
    needed = for_removal(session, gone)
    if needed:
        required = needed[0].required
        raise InvalidRequest(f"The {required.kind} '{required.name}' cannot be deleted: {told(needed)}.", code=IN_USE)


def _demand_new_columns(before: Table, after: Table) -> None:
    added = [name for name in after.columns if name not in before.columns and after.columns[name].is_custom]
    for name in (CUSTOMIZABLE, NEW_COLUMNS):
        if added and name in before.withheld:
            raise not_customizable("table", before.logical_name, name, f"(a new column {added[0]})")


def _key(found: Found) -> tuple[int, Guid]:
    return found.type, found.part.metadata_id


# --- rows ----------------------------------------------------------------------------------------------------------


def _before_update(session: Session, row: Row, values: dict[str, Value]) -> None:
    if session.installing:
        return
    layers = _layers(session, row)
    if layers and CUSTOMIZABLE in layers[0].withheld:
        different = [name for name, value in values.items() if row.values.get(name) != value]
        if different:
            raise not_customizable(row.table.label.lower(), _name(row), CUSTOMIZABLE, ", ".join(different))


def _before_privileges(session: Session, row: Row, values: dict[str, Value]) -> None:
    """`values` are the depths that the role will hold, by privilege."""
    if session.installing:
        return
    layers = _layers(session, row)
    if layers and CUSTOMIZABLE in layers[0].withheld and layers[-1].definition.get("privileges") != values:
        raise not_customizable("role", _name(row), CUSTOMIZABLE, "privileges")


def _after_update(session: Session, row: Row, _: dict[str, Value]) -> None:
    if session.installing:
        return
    layers = _layers(session, row)
    if layers:
        top = layers[-1]
        show_active(session, top, live_definition(session, top.component, top.definition))


def _before_delete(session: Session, row: Row, _: dict[str, Value]) -> None:
    if session.installing:
        return
    layers = _layers(session, row)
    if layers:
        raise _goes_with_its_solution(row.table.label.lower(), _name(row), layers)
    if row.table.logical_name in _LEANED_ON:
        component = Component(COMPONENT_TYPES[row.table.logical_name], row.id)
        needed = [each for each in for_delete(session, component) if each.dependent.id not in _doomed(session)]
        if needed:
            raise InvalidRequest(
                f"The {row.table.label.lower()} '{_name(row)}' cannot be deleted: {told(needed)}.", code=IN_USE
            )


def _doomed(session: Session) -> set[Guid]:
    """What the delete under way takes along."""
    return {reference.id for reference in session.doomed}


def _before_create(session: Session, row: Row, values: dict[str, Value]) -> None:
    if session.installing:
        return
    column, managed_property, what = _ABOUT_TABLES[row.table.logical_name]
    about = values.get(column)
    table = session.schema.tables.get(about) if isinstance(about, str) else None
    if table is None or not table.is_managed:
        return
    for name in (CUSTOMIZABLE, managed_property):
        if name in table.withheld:
            raise not_customizable("table", table.logical_name, name, f"(a new {what})")


def _layers(session: Session, row: Row) -> Sequence[Layer]:
    return layers_of(session, (COMPONENT_TYPES[row.table.logical_name], row.id))


def _name(row: Row) -> str:
    return str(row.values.get(row.table.primary_name or "") or row.id)


def _goes_with_its_solution(kind: str, name: str, layers: Sequence[Layer]) -> InvalidRequest:
    solutions = ", ".join(dict.fromkeys(layer.solution_name for layer in layers)) or "another"
    return InvalidRequest(
        f"The {kind} '{name}' belongs to a managed solution ({solutions}) and cannot be deleted by itself: it goes "
        "when the solution is removed or upgraded to a version without it.",
        code=NOT_CUSTOMIZABLE,
    )
