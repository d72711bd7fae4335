"""What an environment remembers of a solution: its components, and the archive itself, so that nothing is lost."""

import io
import zipfile
from collections.abc import Mapping, Sequence

from strongroom.ids import Guid, Reference
from strongroom.records import NewRecord, Session, create, delete
from strongroom.records.files import Upload, content, held, upload
from strongroom.records.update import write_changes
from strongroom.solutions.archive import Archive
from strongroom.solutions.model import Solution
from strongroom.store.protocol import Value

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
    "connectionreference": 10150,
}
"""Component types by the table of their rows; those of metadata are 1 (table), 2 (column) and 10 (relationship)."""

TABLE, COLUMN, RELATIONSHIP = 1, 2, 10
_NO_TIME = (2020, 1, 1, 0, 0, 0)


def record_components(
    session: Session, solution_id: Guid, solution: Solution, rows: Sequence[tuple[str, Reference | None]]
) -> None:
    """Write which components a solution has: in place of what an earlier version had."""
    table = session.table("solutioncomponent")
    for row in session.transaction.rows_where(table, {"solutionid": solution_id}):
        delete(session, table, row.id)
    wanted: list[tuple[int, Guid]] = []
    for each in solution.tables:
        known = session.schema.tables.get(each.logical_name)
        if known is not None:
            wanted.append((TABLE, known.metadata_id))
            names = (column.schema_name.lower() for column in each.columns)
            wanted += [(COLUMN, known.columns[name].metadata_id) for name in names if name in known.columns]
    for found in solution.relationships:
        relationship = session.schema.relationships.get(found.relationship.schema_name)
        if relationship is not None and relationship.is_custom:
            wanted.append((RELATIONSHIP, relationship.metadata_id))
    wanted += [(COMPONENT_TYPES[row.table], row.id) for _, row in rows if row is not None]
    for kind, object_id in dict.fromkeys(wanted):
        values: dict[str, Value] = {
            "solutionid": Reference("solution", solution_id),
            "componenttype": kind,
            "objectid": object_id,
            "rootcomponentbehavior": 0,
        }
        create(session, table, NewRecord(values))
    row = session.transaction.row(session.table("solution"), solution_id)
    if row is not None:
        write_changes(session, row, {"ismanaged": solution.is_managed})


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
