"""The layers of managed components: what each managed solution says of a component, lowest first (WA-405).

What holds is the topmost managed layer, with what was customized here on top of it. Customizations have no rows that
they are read from: they *are* the difference between what is live and the topmost managed layer, so that nothing can
drift. The row of `Active`, which clients read, is written after every change for their sake.

    Active       label "Our deal"                     ← live: label "Our deal", 200 characters
    Add-on 1.0   label "Deal", 200 characters         ← topmost managed layer
    Sales 2.1    label "Deal", 100 characters         ← base

An import of Sales changes its own layer alone; one of Add-on with 400 characters makes 400 live and keeps our label.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from strongroom.errors import IntegrityViolation
from strongroom.ids import Guid, Key, Reference, new_guid
from strongroom.records import Session
from strongroom.records.genesis import ACTIVE_SOLUTION
from strongroom.records.system_columns import of_new_rows, organization_of
from strongroom.solutions.definitions import CHOICE, COLUMN, RELATIONSHIP, TABLE, Definition, changed
from strongroom.store.protocol import Row, Value

LAYERS = "msdyn_componentlayer"
ACTIVE = "Active"
WITHHELD = "withheld"
"""Where a stored layer names the managed properties that are off."""

COMPONENT_NAMES: Mapping[int, str] = {
    TABLE: "Entity",
    COLUMN: "Attribute",
    CHOICE: "OptionSet",
    RELATIONSHIP: "EntityRelationship",
    20: "Role",
    26: "SavedQuery",
    29: "Workflow",
    60: "SystemForm",
    61: "WebResource",
    62: "SiteMap",
    70: "FieldSecurityProfile",
    80: "AppModule",
    90: "PluginType",
    91: "PluginAssembly",
    92: "SDKMessageProcessingStep",
    380: "EnvironmentVariableDefinition",
    10150: "connectionreference",
}
"""What clients call component types where they ask for layers."""

TYPES_BY_NAME = {name: number for number, name in COMPONENT_NAMES.items()}

ComponentKey = tuple[int, Guid]


@dataclass(frozen=True, slots=True)
class Layer:
    """What one managed solution says of a component. `order` counts from 1, the base."""

    row: Row
    component: ComponentKey
    solution: Guid
    order: int
    definition: Definition
    withheld: tuple[str, ...]

    @property
    def solution_name(self) -> str:
        """The solution's unique name."""
        return str(self.row.values.get("msdyn_solutionname") or "")


Layers = Mapping[ComponentKey, Sequence[Layer]]
"""Managed layers by component, lowest first."""


@dataclass(frozen=True, slots=True)
class LayerFacts:
    """A layer to be written: of which component by its name, and what it says."""

    component: ComponentKey
    name: str
    definition: Definition
    withheld: tuple[str, ...] = ()


def all_layers(session: Session) -> Layers:
    """The managed layers of every component."""
    return _grouped(session.transaction.rows_where(session.table(LAYERS), {}))


def layers_of(session: Session, component: ComponentKey) -> Sequence[Layer]:
    """The managed layers of one component."""
    rows = session.transaction.rows_where(session.table(LAYERS), {"msdyn_componentid": component[1]})
    return _grouped(rows).get(component, ())


def write_layers(session: Session, solution: Row, publisher: str, wanted: Iterable[LayerFacts], known: Layers) -> None:
    """Write the layers of a managed solution: those that it has change, others go on top of what is there."""
    table = session.table(LAYERS)
    base = {**of_new_rows(session, table), **organization_of(session, table)}
    new: list[Row] = []
    for facts in wanted:
        own = own_layer(known.get(facts.component, ()), solution.id)
        values = _values(session, solution, publisher, facts, known)
        if own is not None:
            session.transaction.update(own.row, {**values, "msdyn_order": own.order})
            continue
        row_id = new_guid(session.clock)
        values |= {**base, table.primary_id: row_id}
        new.append(Row(table, Key(0), row_id, None, None, 0, values))
    if new:
        session.transaction.insert(table, new)


@dataclass(frozen=True, slots=True)
class Shown:
    """A layer as people read it: what it says otherwise than the one below."""

    solution: str
    order: int
    changes: Mapping[str, object]


def stored_layers(session: Session, component: Guid) -> list[Shown]:
    """All layers of a component, the active one too, lowest first."""
    rows = session.transaction.rows_where(session.table(LAYERS), {"msdyn_componentid": component})
    found = [
        Shown(
            str(row.values.get("msdyn_solutionname")),
            cast(int, row.values.get("msdyn_order")),
            {
                str(each["Key"]): each["Value"]
                for each in cast(
                    "list[dict[str, object]]", json.loads(str(row.values.get("msdyn_changes")))["Attributes"]
                )
            },
        )
        for row in rows
    ]
    return sorted(found, key=lambda layer: layer.order)


def own_layer(layers: Sequence[Layer], solution: Guid | None) -> Layer | None:
    """The layer that a solution has among these."""
    return next((layer for layer in layers if layer.solution == solution), None)


def drop_layers(session: Session, layers: Sequence[Layer]) -> None:
    """Remove layers that no longer hold."""
    if layers:
        session.transaction.delete(session.table(LAYERS), [layer.row for layer in layers])


def forget_components(session: Session, components: Iterable[Guid]) -> None:
    """Remove every layer, the active one too, of components that are no more."""
    table = session.table(LAYERS)
    for component in components:
        rows = session.transaction.rows_where(table, {"msdyn_componentid": component})
        if rows:
            session.transaction.delete(table, rows)


def show_active(session: Session, top: Layer, live: Mapping[str, object]) -> tuple[str, ...]:
    """Write, change or remove the row of what was customized here over `top`; gives the properties that were."""
    table = session.table(LAYERS)
    rows = session.transaction.rows_where(table, {"msdyn_componentid": top.component[1]})
    active = next((row for row in rows if _is_active(row) and _type_of(row) == top.component[0]), None)
    mine = {name: live.get(name) for name in top.definition}
    different = changed(top.definition, mine)
    if not different:
        if active is not None:
            session.transaction.delete(table, [active])
        return ()
    values: dict[str, Value] = {
        "msdyn_name": top.row.values.get("msdyn_name"),
        "msdyn_componentid": top.component[1],
        "msdyn_solutioncomponentname": COMPONENT_NAMES[top.component[0]],
        "msdyn_solutionname": ACTIVE,
        "msdyn_publishername": ACTIVE,
        "msdyn_order": top.order + 1,
        "msdyn_overwritetime": session.now,
        "msdyn_componentjson": _json(top.component[1], mine),
        "msdyn_changes": _json(top.component[1], {name: mine.get(name) for name in different}),
        "msdyn_children": "[]",
        "solutionid": Reference("solution", ACTIVE_SOLUTION),
    }
    if active is not None:
        session.transaction.update(active, values)
        return different
    row_id = new_guid(session.clock)
    full = {**of_new_rows(session, table), **organization_of(session, table), **values, table.primary_id: row_id}
    session.transaction.insert(table, [Row(table, Key(0), row_id, None, None, 0, full)])
    return different


def _values(session: Session, solution: Row, publisher: str, facts: LayerFacts, known: Layers) -> dict[str, Value]:
    below = [layer for layer in known.get(facts.component, ()) if layer.solution != solution.id]
    base = below[-1].definition if below else {}
    different = {name: facts.definition.get(name) for name in changed(base, facts.definition)}
    stored: Definition = dict(facts.definition)
    if facts.withheld:
        stored[WITHHELD] = list(facts.withheld)
    return {
        "msdyn_name": facts.name[:450],
        "msdyn_componentid": facts.component[1],
        "msdyn_solutioncomponentname": COMPONENT_NAMES[facts.component[0]],
        "msdyn_solutionname": solution.values.get("uniquename"),
        "msdyn_publishername": publisher[:256],
        "msdyn_order": (below[-1].order if below else 0) + 1,
        "msdyn_overwritetime": session.now,
        "msdyn_componentjson": _json(facts.component[1], stored),
        "msdyn_changes": _json(facts.component[1], different),
        "msdyn_children": "[]",
        "solutionid": solution.reference(),
    }


def _json(component: Guid, definition: Mapping[str, object]) -> str:
    """As clients read it: `{"Id": …, "Attributes": [{"Key": …, "Value": …}]}`."""
    attributes = [{"Key": name, "Value": value} for name, value in definition.items()]
    return json.dumps({"Id": component, "Attributes": attributes}, ensure_ascii=False)


def _grouped(rows: Iterable[Row]) -> Layers:
    found: dict[ComponentKey, list[Layer]] = {}
    for row in rows:
        if not _is_active(row):
            layer = _layer(row)
            found.setdefault(layer.component, []).append(layer)
    for several in found.values():
        several.sort(key=lambda layer: layer.order)
    return found


def _layer(row: Row) -> Layer:
    solution, order, text = (row.values.get(n) for n in ("solutionid", "msdyn_order", "msdyn_componentjson"))
    if not isinstance(solution, Reference) or not isinstance(order, int) or not isinstance(text, str):
        raise IntegrityViolation(f"The component layer {row.id} does not say what it is about.")
    attributes = cast("list[dict[str, object]]", json.loads(text)["Attributes"])
    definition = {str(each["Key"]): each["Value"] for each in attributes}
    withheld = tuple(cast("list[str]", definition.pop(WITHHELD, [])))
    component = (_type_of(row), Guid(str(row.values.get("msdyn_componentid"))))
    return Layer(row, component, solution.id, order, definition, withheld)


def _type_of(row: Row) -> int:
    return TYPES_BY_NAME.get(str(row.values.get("msdyn_solutioncomponentname")), 0)


def _is_active(row: Row) -> bool:
    return row.values.get("msdyn_solutionname") == ACTIVE
