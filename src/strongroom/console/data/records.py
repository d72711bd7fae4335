"""One row: its fields, what belongs to it, what happened around it, and what may be done with it."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.datastructures import UploadFile
from starlette.responses import Response

from strongroom.console.api import Json, formatted, text
from strongroom.console.data.attachments import FILE_TYPES, attached, files_of
from strongroom.console.data.columns import first_columns, form_columns, is_system, label, readable
from strongroom.console.data.lookups import named_rows
from strongroom.console.data.tables import title_of
from strongroom.console.page import Page
from strongroom.console.visit import Crumb, Visit
from strongroom.ids import Guid
from strongroom.schema.model import Column, Relationship, Table

_MOST_RELATED = 5
_MOST_HAPPENINGS = 100
_UNSEEN = (400, 403, 501)
"""Answers that mean: nothing of a table is shown beside a row, which cannot be asked so, or not by this visitor."""


@dataclass(frozen=True, slots=True)
class Group:
    """Fields that belong together: [(column, what to show)]."""

    title: str
    fields: Sequence[tuple[Column, str]]


@dataclass(frozen=True, slots=True)
class RelatedRows:
    """The first rows of one relationship: [(id, name)]; `more` when there are others."""

    table: Table
    relationship: Relationship
    rows: Sequence[tuple[str, str]]
    more: bool


@dataclass(frozen=True, slots=True)
class Happening:
    """Something of the timeline: an activity or a note."""

    kind: str
    title: str
    text: str
    by: str
    on: str
    sort: str
    address: str
    file: str = ""
    """The name of what is attached."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A row that a page is about, as the visitor may see it."""

    table: Table
    id: Guid
    row: Json
    name: str

    @property
    def address(self) -> str:
        """Its address in the Web API."""
        return f"{self.table.entity_set_name}({self.id})"

    @property
    def path(self) -> str:
        """Its page, below the environment."""
        return f"tables/{self.table.logical_name}/{self.id}"


async def subject_of(visit: Visit, *, select: str | None = None) -> Subject:
    """The row of the page's address. Raises `ApiError` 404 for what is not there or not to be seen."""
    table = visit.table(visit.named("table"))
    row_id = visit.row_id()
    options = {"$select": select} if select else {}
    row = await visit.api.get(f"{table.entity_set_name}({row_id})", options)
    return Subject(table, row_id, row, formatted(row, table.primary_name or table.primary_id) or row_id)


async def name_of(visit: Visit) -> Subject:
    """The row of the page's address, with its name alone."""
    table = visit.table(visit.named("table"))
    return await subject_of(visit, select=table.primary_name or table.primary_id)


def typed_reference(table: Table, row_id: str) -> dict[str, str]:
    """A row as an argument of an action, where `reference` of the address is not taken."""
    return {"@odata.type": f"Microsoft.Dynamics.CRM.{table.logical_name}", table.primary_id: row_id}


def crumbs_of(visit: Visit, subject: Subject, last: str | None = None) -> Sequence[Crumb]:
    """The way to a row, or to a page about it."""
    table = subject.table
    way = [
        Crumb(visit.texts("Data"), visit.address("tables")),
        Crumb(title_of(table), visit.address(f"tables/{table.logical_name}")),
        Crumb(subject.name, visit.address(subject.path) if last else None),
    ]
    return [*way, Crumb(last)] if last else way


async def show(visit: Visit) -> Response:
    """The row's own page."""
    subject = await subject_of(visit)
    context = {
        "subject": subject,
        "table": subject.table,
        "row": subject.row,
        "label": label,
        "groups": _groups(visit, subject.table, subject.row),
        "files": files_of(subject.table, subject.row),
        "tab": "summary",
        "is_active": subject.row.get("statecode") in (None, 0),
    }
    return visit.render("record.html", subject.name, context, crumbs=crumbs_of(visit, subject))


def _groups(visit: Visit, table: Table, row: Json) -> Sequence[Group]:
    important = {column.logical_name for column in (*first_columns(table), *form_columns(table, is_new=False)[0])}
    shown = [c for c in readable(table) if c.property_name in row and c.type not in FILE_TYPES]
    filled = [(column, formatted(row, column.property_name)) for column in shown]
    main = [each for each in filled if each[0].logical_name in important]
    rest = [each for each in filled if each[0].logical_name not in important and each[1]]
    system = [each for each in rest if is_system(each[0])]
    return (
        Group(visit.texts("General"), main),
        Group(visit.texts("Details"), [each for each in rest if each not in system]),
        Group(visit.texts("Kept by the platform"), system),
    )


async def related(visit: Visit) -> Response:
    """What belongs to a row: the first rows of each relationship that has any."""
    subject = await name_of(visit)
    found: list[RelatedRows] = []
    for relationship in visit.schema.children_of(subject.table.logical_name):
        child = visit.schema.tables[relationship.referencing_table]
        column = child.columns.get(relationship.referencing_column)
        if child.is_intersect or column is None or is_system(column) or child.logical_name in ("audit", "annotation"):
            continue
        rows = await _children(visit, subject, relationship, child)
        if rows:
            found.append(RelatedRows(child, relationship, rows[:_MOST_RELATED], len(rows) > _MOST_RELATED))
    context = {"subject": subject, "found": found, "title_of": title_of, "tab": "related"}
    return visit.render("related.html", subject.name, context, crumbs=crumbs_of(visit, subject, visit.texts("Related")))


async def _children(
    visit: Visit, subject: Subject, relationship: Relationship, child: Table
) -> Sequence[tuple[str, str]]:
    condition = f"_{relationship.referencing_column}_value eq {subject.id}"
    return await named_rows(visit, child, condition, most=_MOST_RELATED + 1, unless=_UNSEEN)


async def timeline(visit: Visit) -> Response:
    """Activities and notes about a row, the newest first; a note may be added."""
    subject = await name_of(visit)
    if visit.request.method == "POST":
        form = await visit.form()
        nav = f"objectid_{subject.table.logical_name}"
        body: dict[str, object] = {
            "subject": text(form.get("subject")) or None,
            "notetext": text(form.get("notetext")),
            f"{nav}@odata.bind": f"/{subject.address}",
        }
        file = form.get("file")
        content = await file.read() if isinstance(file, UploadFile) else b""
        if isinstance(file, UploadFile) and content:
            body |= attached(file, content)
        await visit.api.send("POST", "annotations", body)
        return visit.redirect(f"{subject.path}/timeline", done="note")
    happened = [*await _activities(visit, subject), *await _notes(visit, subject)]
    happened.sort(key=lambda each: each.sort, reverse=True)
    context = {"subject": subject, "found": happened, "has_notes": subject.table.has_notes, "tab": "timeline"}
    return visit.render(
        "timeline.html", subject.name, context, crumbs=crumbs_of(visit, subject, visit.texts("Timeline"))
    )


async def _activities(visit: Visit, subject: Subject) -> Sequence[Happening]:
    """The newest activities of every kind, asked for once."""
    rows = await _about(visit, subject, "activitypointers", "subject,description,activitytypecode", "regardingobjectid")
    found: list[Happening] = []
    for row in rows:
        table = visit.schema.tables.get(text(row.get("activitytypecode")))
        if table is not None:
            address = visit.address(f"tables/{table.logical_name}/{text(row['activityid'])}")
            found.append(_happening(row, table.label, text(row.get("description")), address))
    return found


async def _notes(visit: Visit, subject: Subject) -> Sequence[Happening]:
    if "annotation" not in visit.schema.tables:
        return ()
    kind = visit.table("annotation").label
    return [
        _happening(
            row, kind, text(row.get("notetext")), visit.address(f"tables/annotation/{text(row['annotationid'])}")
        )
        for row in await _about(visit, subject, "annotations", "subject,notetext,filename", "objectid")
    ]


async def _about(visit: Visit, subject: Subject, entity_set: str, columns: str, lookup: str) -> Sequence[Json]:
    options = {
        "$select": f"{columns},createdon,_createdby_value",
        "$filter": f"_{lookup}_value eq {subject.id}",
        "$orderby": "createdon desc",
    }
    return await visit.api.rows_if_allowed(entity_set, options, most=_MOST_HAPPENINGS, unless=_UNSEEN) or ()


def _happening(row: Json, kind: str, words: str, address: str) -> Happening:
    return Happening(
        kind,
        text(row.get("subject")),
        words,
        formatted(row, "_createdby_value"),
        formatted(row, "createdon"),
        text(row.get("createdon")),
        address,
        text(row.get("filename")),
    )


PAGES = (
    Page("/tables/{table}/{id}", show, "data"),
    Page("/tables/{table}/{id}/related", related, "data"),
    Page("/tables/{table}/{id}/timeline", timeline, "data", ("GET", "POST")),
)
