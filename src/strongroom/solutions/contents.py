"""What an environment remembers of a solution: its components, and the archive itself, so that nothing is lost."""

import io
import zipfile
from collections.abc import Container, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from strongroom.errors import IntegrityViolation, InvalidRequest, NotFound
from strongroom.ids import Guid, Reference
from strongroom.records import NewRecord, Session, create, create_multiple, delete, require, update
from strongroom.records.files import Upload, content, held, upload
from strongroom.records.genesis import ACTIVE_SOLUTION
from strongroom.records.update import write_changes
from strongroom.schema.model import Rights, Schema
from strongroom.solutions.archive import Archive
from strongroom.solutions.definitions import CHOICE, COLUMN, RELATIONSHIP, TABLE
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

_AT_ONCE = 1_000
"""Rows that are created in one go."""

_NO_TIME = (2020, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Component:
    """A component by its type and the id of its metadata or row. `is_whole` says whether a table comes with all that
    belongs to it, or only with what the solution names besides."""

    type: int
    id: Guid
    is_whole: bool = True


def find_solution(session: Session, unique_name: str) -> Row | None:
    """The row of a solution."""
    found = session.transaction.rows_where(session.table("solution"), {"uniquename": unique_name}, limit=1)
    return found[0] if found else None


@contextmanager
def installing(session: Session) -> Generator[None]:
    """The time in which rules about managed components do not stop this session."""
    before = session.installing
    session.installing = True
    try:
        yield
    finally:
        session.installing = before


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


def add_components(session: Session, solution_id: Guid, components: Iterable[Component]) -> list[Component]:
    """Make components part of a solution; gives those that were not. A table that comes whole stays whole, and becomes
    so where only a part of it was there."""
    table = session.table("solutioncomponent")
    known = {(each.type, each.id): row for row in _rows_of(session, solution_id) if (each := _component(row))}
    new: dict[tuple[int, Guid], Component] = {}
    for component in components:
        row = known.get((component.type, component.id))
        if row is None:
            earlier = new.get((component.type, component.id))
            if earlier is None or component.is_whole:
                new[component.type, component.id] = component
        elif component.is_whole and row.values.get("rootcomponentbehavior") != 0:
            update(session, table, row.id, {"rootcomponentbehavior": 0})
    added = list(new.values())
    for start in range(0, len(added), _AT_ONCE):
        some = added[start : start + _AT_ONCE]
        create_multiple(session, table, [NewRecord(_values(solution_id, component)) for component in some])
    return added


def forget_components(session: Session, gone: Iterable[Guid]) -> None:
    """Take components that are no more out of all solutions."""
    table = session.table("solutioncomponent")
    for component in gone:
        rows = session.transaction.rows_where(table, {"objectid": component})
        if rows:
            session.transaction.delete(table, rows)


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
            primary = () if each.primary_name is None else (each.primary_name,)
            names = (column.schema_name.lower() for column in (*primary, *each.columns))
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
    new = [component for component in dict.fromkeys(wanted) if (component.type, component.id) not in known]
    ours = [each for each in new if each.id in before and not holders(session, each)]
    add_components(session, ACTIVE_SOLUTION, ours)
    add_components(session, solution_id, new)
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
    return create(session, session.table("solutioncomponent"), NewRecord(_values(solution_id, component)))


def _values(solution_id: Guid, component: Component) -> dict[str, Value]:
    return {
        "solutionid": Reference("solution", solution_id),
        "componenttype": component.type,
        "objectid": component.id,
        "rootcomponentbehavior": 0 if component.is_whole else 1,
    }


def keep_archive(session: Session, solution_id: Guid, solution: Solution, archive: Archive, waiting: str) -> None:
    """Keep the archive as it came, in a file column, and beside it what of it waits."""
    table = session.table("solutionarchive")
    for row in session.transaction.rows_where(table, {"solutionid": solution_id}):
        delete(session, table, row.id)
    name = f"{solution.unique_name} {solution.version}"[:200]
    values: dict[str, Value] = {
        "name": name,
        "solutionid": Reference("solution", solution_id),
        "waiting": waiting,
    }
    row_id = create(session, table, NewRecord(values))
    body = archive.packed if archive.packed is not None else packed(archive.files)
    upload(
        session,
        table,
        row_id,
        table.columns["content"],
        Upload(f"{solution.unique_name}.zip", "application/zip", len(body), (body,)),
    )


def kept_archive(session: Session, solution_id: Guid) -> bytes | None:
    """The archive of an imported solution; None when the caller may not read it or there is none."""
    table = session.table("solutionarchive")
    rows = session.transaction.rows_where(table, {"solutionid": solution_id}, limit=1)
    if not rows:
        return None
    _, file = held(session, table, rows[0].id, table.columns["content"])
    return None if file is None else content(session, file, 0, file.size)


def kept_waiting(session: Session, solution_id: Guid) -> str:
    """What of an imported solution waits, as `keep_archive` was told."""
    rows = session.transaction.rows_where(session.table("solutionarchive"), {"solutionid": solution_id}, limit=1)
    return str(rows[0].values.get("waiting") or "") if rows else ""


def packed(files: Mapping[str, bytes]) -> bytes:
    """Files as a zip whose bytes depend on nothing but them."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(files):
            entry = zipfile.ZipInfo(path, _NO_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, files[path])
    return stream.getvalue()
