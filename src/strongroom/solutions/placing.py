"""Putting what a request makes into the solution that it names (WA-351): `MSCRM.SolutionUniqueName`.

A new table belongs to the solution whole; of a table that was there only the new column or relationship does. Rows of
component tables (views, forms, web resources …) are put there when they are created or changed.
"""

from strongroom.errors import InvalidRequest, NotFound
from strongroom.ids import Guid, Reference
from strongroom.records import Event, Rules, Session, require
from strongroom.schema.changes.options import DEFAULT_OPTION_PREFIX
from strongroom.schema.model import Column, Relationship, Rights, Schema
from strongroom.solutions.contents import COMPONENT_TYPES, Component, add_components, find_solution
from strongroom.solutions.definitions import TABLE, Found, by_id, definition_of
from strongroom.solutions.patches import demand_unlocked
from strongroom.store.protocol import Row, Value


def register(rules: Rules) -> None:
    """Hang the rules into the verbs."""
    rules.on_schema(_metadata, name="solutions: what a request makes goes into the solution that it names")
    for table in COMPONENT_TYPES:
        for event in (Event.AFTER_CREATE, Event.AFTER_UPDATE):
            rules.on(event, table, _row, name="solutions: what a request makes goes into the solution that it names")


def open_solution(session: Session, name: str) -> Guid:
    """The id of the unmanaged solution that something is to be put into, or taken out of. Raises for one that is not
    here, is managed, or has patches."""
    solution = find_solution(session, name)
    if solution is None:
        raise NotFound(f"There is no solution '{name[:100]}'.", code="0x8004f010")
    if solution.values.get("ismanaged") is True:
        raise InvalidRequest(f"The solution '{name}' is managed: what it has comes with its import.")
    require(session, solution.table, solution.id, Rights.WRITE)
    demand_unlocked(session, solution)
    return solution.id


def _named(session: Session) -> Guid | None:
    """The solution that the request names. An unknown one is a fault of the request, not of its address: 400."""
    name = session.request.solution
    if name is None or session.installing:
        return None
    try:
        return open_solution(session, name)
    except NotFound as error:
        raise InvalidRequest(error.message, code=error.code) from None


def option_prefix(session: Session) -> int:
    """What numbers the options that a request leaves to the platform (WA-350): the prefix of the publisher of the
    solution that it names, else the default one."""
    named = _named(session)
    solution = None if named is None else session.transaction.row(session.table("solution"), named)
    publisher = None if solution is None else solution.values.get("publisherid")
    row = (
        session.transaction.row(session.table("publisher"), publisher.id) if isinstance(publisher, Reference) else None
    )
    prefix = None if row is None else row.values.get("customizationoptionvalueprefix")
    return prefix if isinstance(prefix, int) else DEFAULT_OPTION_PREFIX


def _metadata(session: Session, before: Schema, after: Schema) -> None:
    solution = _named(session)
    if solution is None:
        return
    old = by_id(before)
    touched = [found for ident, found in by_id(after).items() if not _is_as_before(old.get(ident), found)]
    new_tables = {found.name for found in touched if found.type == TABLE and found.part.metadata_id not in old}
    wanted: dict[tuple[int, Guid], Component] = {}
    for found in touched:
        if not found.part.is_custom or _is_inside(found, new_tables):
            continue
        ident = found.part.metadata_id
        wanted[found.type, ident] = Component(
            found.type, ident, is_whole=found.type != TABLE or found.name in new_tables
        )
    add_components(session, solution, wanted.values())


def _is_as_before(old: Found | None, new: Found) -> bool:
    """A table of which only columns differ is as it was: those are components of their own."""
    if old is None:
        return False
    if old.part is new.part:
        return True
    return definition_of(old.part) == definition_of(new.part)


def _is_inside(found: Found, tables: set[str]) -> bool:
    """Whether it comes with a table that is new as a whole."""
    if isinstance(found.part, Column):
        return found.table in tables
    return isinstance(found.part, Relationship) and found.part.referencing_table in tables


def _row(session: Session, row: Row, _: dict[str, Value]) -> None:
    solution = _named(session)
    if solution is None:
        return
    add_components(session, solution, [Component(COMPONENT_TYPES[row.table.logical_name], row.id)])
