"""Which component needs which (WA-345, WA-403, WA-405): what would break when something goes, and what it takes along.

Dependencies have no rows that could be stale: they are read off the metadata and the rows each time that somebody asks,
which is seldom.

    column → its shared choice            view, form → tables, columns, web resources
    relationship → tables, its lookup     process → its table, connection references, variables
    app, site map → tables                column security profile → columns
    plug-in step → type → assembly        value of a variable → the variable
"""

from collections.abc import Iterable, Set

from strongroom.ids import Guid
from strongroom.records import Session
from strongroom.solutions.contents import COMPONENT_TYPES, Component
from strongroom.solutions.dependency_sources import Dependency, Node, all_dependencies

_PROFILE = COMPONENT_TYPES["fieldsecurityprofile"]


def dependencies(session: Session) -> list[Dependency]:
    """Every dependency of an environment."""
    return list(dict.fromkeys(all_dependencies(session)))


def dependents_of(session: Session, component: Component) -> list[Dependency]:
    """What needs a component directly."""
    return [each for each in dependencies(session) if _is(each.required, component)]


def required_of(session: Session, component: Component) -> list[Dependency]:
    """What a component needs directly."""
    return [each for each in dependencies(session) if _is(each.dependent, component)]


def required_by(session: Session, component: Component) -> list[Component]:
    """All that a component and its parts need, directly or not, beyond what every environment has."""
    edges = dependencies(session)
    wanted: dict[tuple[int, Guid], Component] = {}
    waiting = [(component.type, component.id), *_parts_of(edges, {(component.type, component.id)})]
    own = set(waiting)
    seen = set(waiting)
    while waiting:
        key = waiting.pop()
        for edge in edges:
            needed = (edge.required.type, edge.required.id)
            if (edge.dependent.type, edge.dependent.id) != key or needed in seen:
                continue
            seen.add(needed)
            waiting.append(needed)
            if edge.required.is_custom and needed not in own:
                wanted[needed] = Component(*needed, is_whole=False)
    return list(wanted.values())


def for_delete(session: Session, component: Component) -> list[Dependency]:
    """What stands in the way of deleting a component: needs of it or of its parts, from outside."""
    edges = dependencies(session)
    key = (component.type, component.id)
    return outside(edges, {key, *_parts_of(edges, {key})})


def for_removal(session: Session, gone: Set[Guid]) -> list[Dependency]:
    """What stands in the way of removing components with these ids together."""
    edges = dependencies(session)
    keys = {(node.type, node.id) for edge in edges for node in (edge.dependent, edge.required) if node.id in gone}
    return outside(edges, keys | _parts_of(edges, keys))


def missing_from(session: Session, has: Iterable[Component]) -> list[Dependency]:
    """What components of a solution need that is neither among them nor in every environment."""
    listed = list(has)
    edges = dependencies(session)
    own = {(each.type, each.id) for each in listed}
    own |= _parts_of(edges, {(each.type, each.id) for each in listed if each.is_whole})
    return [
        edge
        for edge in edges
        if (edge.dependent.type, edge.dependent.id) in own
        and (edge.required.type, edge.required.id) not in own
        and edge.required.is_custom
        and not edge.is_internal
    ]


def outside(edges: Iterable[Dependency], gone: Set[tuple[int, Guid]]) -> list[Dependency]:
    """The dependencies on what goes of what stays. Those of profiles do not count: permissions go with their column."""
    return [
        edge
        for edge in edges
        if (edge.required.type, edge.required.id) in gone
        and (edge.dependent.type, edge.dependent.id) not in gone
        and not edge.is_internal
        and edge.dependent.type != _PROFILE
    ]


def told(found: Iterable[Dependency]) -> str:
    """The first of them in words."""
    lines = sorted({_told(each) for each in found})
    return "; ".join(lines[:10]) + (f"; and {len(lines) - 10} more" if len(lines) > 10 else "")


def _told(dependency: Dependency) -> str:
    if dependency.dependent.kind == "lookup":
        return f"{dependency.dependent.name} looks up {dependency.required.name}"
    if dependency.dependent.kind == "relationship" and dependency.required.kind == "table":
        return f"{dependency.dependent.name} ties {dependency.required.name} to another table"
    return f"{dependency.dependent} uses {dependency.required}"


def _is(node: Node, component: Component) -> bool:
    return (node.type, node.id) == (component.type, component.id)


def _parts_of(edges: Iterable[Dependency], keys: Set[tuple[int, Guid]]) -> set[tuple[int, Guid]]:
    """What goes with these: columns with their table, a lookup with its relationship."""
    internal: dict[tuple[int, Guid], set[tuple[int, Guid]]] = {}
    for edge in edges:
        if edge.is_internal:
            required = (edge.required.type, edge.required.id)
            internal.setdefault(required, set()).add((edge.dependent.type, edge.dependent.id))
    found: set[tuple[int, Guid]] = set()
    waiting = list(keys)
    while waiting:
        for part in internal.get(waiting.pop(), ()):
            if part not in found and part not in keys:
                found.add(part)
                waiting.append(part)
    return found
