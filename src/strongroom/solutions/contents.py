"""What an environment remembers of a solution: its components, and the archive itself, so that nothing is lost."""

import io
import zipfile
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

from strongroom.errors import IntegrityViolation, InvalidRequest, NotFound
from strongroom.ids import Guid, Reference
from strongroom.records import NewRecord, Session, create, delete, require
from strongroom.records.files import Upload, content, held, upload
from strongroom.records.genesis import ACTIVE_SOLUTION
from strongroom.records.update import write_changes
from strongroom.schema.model import Rights, Schema
from strongroom.solutions.archive import Archive
from strongroom.solutions.model import Solution
from strongroom.store.protocol import Row, Value

COMPONENT_TYPES = {
    "role": 20,
    "savedquery": 26,
    "workflow": 29,
    "systemform": 60,
    "webresource": 61,
    "sitemap": 62,
    "fieldsecurityprofile": 70,
    "appmodule": 80,
    "plugintype": 90,
    "pluginassembly": 91,
    "sdkmessageprocessingstep": 92,
    "environmentvariabledefinition": 380,
    "environmentvariablevalue": 381,
    "connectionreference": 10150,
}
"""Component types by the table of their rows; those of metadata have names of their own."""

TABLE, COLUMN, CHOICE, RELATIONSHIP = 1, 2, 9, 10
_NO_TIME = (2020, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Component:
    """A component by its type and the id of its metadata or row. `is_whole` says whether a table comes with all that
    belongs to it, or only with what the solution names besides."""

    type: int
    id: Guid
    is_whole: bool = True


def components_of(session: Session, solution_id: Guid) -> list[Component]:
    """What a solution has, by the rows of `solutioncomponent`."""
    return [_component(row) for row in _rows_of(session, solution_id)]


def holders(session: Session, component: Component) -> set[Guid]:
    """The solutions that have this component."""
    columns: dict[str, Value] = {"componenttype": component.type, "objectid": component.id}
    rows = session.transaction.rows_where(session.table("solutioncomponent"), columns)
    return {row.values["solutionid"].id for row in rows if isinstance(row.values["solutionid"], Reference)}


def add_component(session: Session, solution_id: Guid, component: Component) -> Guid:
    """Make a component part of a solution; gives the id of the row that says so, which may be there already."""
    for row in _rows_of(session, solution_id):
        known = _component(row)
        if (known.type, known.id) == (component.type, component.id):
            return row.id
    return _add(session, solution_id, component)


def remove_component(session: Session, solution_id: Guid, component: Component) -> bool:
    """Take a component out of a solution; it stays in the environment. Whether it was part of it."""
    for row in _rows_of(session, solution_id):
        known = _component(row)
        if (known.type, known.id) == (component.type, component.id):
            delete(session, session.table("solutioncomponent"), row.id)
            return True
    return False


def demand_known(session: Session, component: Component) -> None:
    """Raise when there is no such component, or when it is a row that the caller may not read."""
    schema = session.schema
    known = {
        TABLE: schema.tables.values(),
        COLUMN: (column for table in schema.tables.values() for column in table.columns.values()),
        CHOICE: schema.choices.values(),
        RELATIONSHIP: (*schema.relationships.values(), *schema.many_to_many.values()),
    }
    if component.type in known:
        if not any(each.metadata_id == component.id for each in known[component.type]):
            raise NotFound(f"There is no metadata with the id {component.id} of component type {component.type}.")
        return
    table = next((name for name, kind in COMPONENT_TYPES.items() if kind == component.type), None)
    if table is None:
        types = ", ".join(str(kind) for kind in sorted({*known, *COMPONENT_TYPES.values()}))
        raise InvalidRequest(f"The component type {component.type} is not one that solutions hold here: {types}.")
    require(session, session.table(table), component.id, Rights.READ)


def metadata_components(schema: Schema, solution: Solution) -> list[Component]:
    """The metadata that a solution speaks of, as far as `schema` has it."""
    whole = {part.schema_name.lower() for part in solution.components if part.type == TABLE and part.behavior == 0}
    found = [
        Component(CHOICE, schema.choices[new.name].metadata_id)
        for new in solution.choices
        if new.name in schema.choices
    ]
    for each in solution.tables:
        known = schema.tables.get(each.logical_name)
        if known is not None:
            is_whole = known.is_custom and each.primary_name is not None and each.logical_name in whole
            found.append(Component(TABLE, known.metadata_id, is_whole))
            names = (column.schema_name.lower() for column in each.columns)
            found += [Component(COLUMN, known.columns[name].metadata_id) for name in names if name in known.columns]
    for each in solution.relationships:
        relationship = schema.relationships.get(each.relationship.schema_name)
        if relationship is not None and relationship.is_custom:
            found.append(Component(RELATIONSHIP, relationship.metadata_id))
    for each in solution.associations:
        association = schema.many_to_many.get(each.schema_name)
        if association is not None and association.is_custom:
            found.append(Component(RELATIONSHIP, association.metadata_id))
    return found


def record_components(
    session: Session, solution_id: Guid, wanted: Sequence[Component], before: Container[Guid], *, is_managed: bool
) -> None:
    """Write which components a solution has, besides those that an earlier version of it had.

    `before` are the ids of what was there ahead of the import. What of it belonged to no solution was made here by
    hand: it becomes part of the active solution, so that it stays when this one is removed.
    """
    known = {(each.type, each.id) for each in components_of(session, solution_id)}
    for component in dict.fromkeys(wanted):
        if (component.type, component.id) not in known:
            if component.id in before and not holders(session, component):
                _add(session, ACTIVE_SOLUTION, component)
            _add(session, solution_id, component)
    row = session.transaction.row(session.table("solution"), solution_id)
    if row is not None:
        write_changes(session, row, {"ismanaged": is_managed})


def _rows_of(session: Session, solution_id: Guid) -> list[Row]:
    return session.transaction.rows_where(session.table("solutioncomponent"), {"solutionid": solution_id})


def _component(row: Row) -> Component:
    kind, object_id = row.values.get("componenttype"), row.values.get("objectid")
    if not isinstance(kind, int) or not isinstance(object_id, str):
        raise IntegrityViolation(f"The solution component {row.id} names no component.")
    return Component(kind, Guid(object_id), row.values.get("rootcomponentbehavior") == 0)


def _add(session: Session, solution_id: Guid, component: Component) -> Guid:
    values: dict[str, Value] = {
        "solutionid": Reference("solution", solution_id),
        "componenttype": component.type,
        "objectid": component.id,
        "rootcomponentbehavior": 0 if component.is_whole else 1,
    }
    return create(session, session.table("solutioncomponent"), NewRecord(values))


def keep_archive(session: Session, solution_id: Guid, solution: Solution, archive: Archive) -> None:
    """Keep the archive as it came, in a file column."""
    table = session.table("solutionarchive")
    for row in session.transaction.rows_where(table, {"solutionid": solution_id}):
        delete(session, table, row.id)
    name = f"{solution.unique_name} {solution.version}"[:200]
    values: dict[str, Value] = {"name": name, "solutionid": Reference("solution", solution_id)}
    row_id = create(session, table, NewRecord(values))
    body = archive.packed if archive.packed is not None else packed(archive.files)
    upload(
        session, table, row_id, table.columns["content"], Upload(f"{solution.unique_name}.zip", "application/zip", body)
    )


def kept_archive(session: Session, solution_id: Guid) -> bytes | None:
    """The archive of an imported solution; None when the caller may not read it or there is none."""
    table = session.table("solutionarchive")
    rows = session.transaction.rows_where(table, {"solutionid": solution_id}, limit=1)
    if not rows:
        return None
    _, file = held(session, table, rows[0].id, table.columns["content"])
    return None if file is None else content(session, file, 0, file.size)


def packed(files: Mapping[str, bytes]) -> bytes:
    """Files as a zip whose bytes depend on nothing but them."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(files):
            entry = zipfile.ZipInfo(path, _NO_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, files[path])
    return stream.getvalue()
