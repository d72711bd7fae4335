"""Solutions: which are here and what is in them, what an import would do, importing, exporting and removing."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.datastructures import UploadFile
from starlette.responses import Response

from strongroom.console.api import ApiError, Json, as_object, formatted, objects, text
from strongroom.console.data.filters import quoted
from strongroom.console.data.lookups import named_rows
from strongroom.console.data.tables import title_of
from strongroom.console.page import Page
from strongroom.console.visit import Crumb, Visit
from strongroom.console.working import End, Step, Work, working
from strongroom.schema.model import Schema
from strongroom.solutions.contents import CHOICE, COLUMN, COMPONENT_TYPES, RELATIONSHIP, TABLE

_COLUMNS = "uniquename,friendlyname,version,ismanaged,isvisible,installedon,_publisherid_value,description"
_CARRIED = 4 * 1024 * 1024
"""Bytes of a file that a page of a plan carries along, so that it need not be chosen again."""
_VERDICTS = ("wait", "create", "change", "delete", "keep", "same")


@dataclass(frozen=True, slots=True)
class Part:
    """A component of a solution: its name, and the page of its row where it is one."""

    name: str
    address: str | None


async def show(visit: Visit) -> Response:
    """The solutions that are here."""
    rows = await visit.api.rows(
        "solutions", {"$select": _COLUMNS, "$filter": "isvisible eq true", "$orderby": "friendlyname"}
    )
    context = {"rows": rows}
    crumbs = _crumbs(visit, visit.texts("Solutions"))
    return visit.render("solutions.html", visit.texts("Solutions"), context, crumbs=crumbs)


async def plan(visit: Visit) -> Response:
    """What an import of a file would do; nothing is changed."""
    content = await _content(visit)
    answer = await visit.api.send("POST", "StageSolution", {"CustomizationFile": content})
    staged = as_object(answer.body.get("StageSolutionResults"))
    details = as_object(staged.get("SolutionDetails"))
    steps = objects(staged.get("Steps"))
    title = visit.texts(
        "Import of %(name)s", name=f"{details.get('SolutionUniqueName')} {details.get('SolutionVersion')}"
    )
    context = {
        "details": details,
        "steps": _by_verdict(steps),
        "missing": objects(staged.get("MissingDependencies")),
        "carried": content if len(content) <= _CARRIED * 4 // 3 else "",
    }
    return visit.render("solution-plan.html", title, context, crumbs=_crumbs(visit, visit.texts("Plan"), within=True))


async def bring(visit: Visit) -> Response:
    """Import a file."""
    content = await _content(visit)
    title = visit.texts("Importing a solution")
    return working(visit, title, _import(visit, content), crumbs=_crumbs(visit, visit.texts("Import"), within=True))


async def _import(visit: Visit, content: str) -> Work:
    yield Step(visit.texts("Importing"), 0, 0)
    await visit.api.send("POST", "ImportSolution", {"CustomizationFile": content})
    yield End("solution-outcome.html", {})


def _by_verdict(steps: Sequence[Json]) -> Sequence[tuple[str, Sequence[Json]]]:
    groups: dict[str, list[Json]] = {}
    for step in steps:
        groups.setdefault(text(step.get("Verdict")), []).append(step)
    order = {verdict: number for number, verdict in enumerate(_VERDICTS)}
    return sorted(groups.items(), key=lambda each: order.get(each[0], len(order)))


async def _content(visit: Visit) -> str:
    """The file of a form in base64. Raises `ApiError` 400 where there is none."""
    form = await visit.request.form(max_fields=10, max_part_size=2 * _CARRIED)
    file = form.get("file")
    if isinstance(file, UploadFile) and file.filename:
        return base64.b64encode(await file.read()).decode()
    carried = text(form.get("carried"))
    if not carried:
        raise ApiError(400, "", visit.texts("Choose a file."))
    return carried


async def contents(visit: Visit) -> Response:
    """One solution: its components by kind."""
    solution_id = visit.row_id()
    solution = await visit.api.get(f"solutions({solution_id})", {"$select": _COLUMNS})
    rows = await visit.api.rows(
        "solutioncomponents", {"$select": "componenttype,objectid", "$filter": f"_solutionid_value eq {solution_id}"}
    )
    by_type: dict[int, list[str]] = {}
    for row in rows:
        kind = row.get("componenttype")
        if isinstance(kind, int):
            by_type.setdefault(kind, []).append(text(row.get("objectid")))
    metadata = _metadata_names(visit, visit.schema)
    groups = [(_kind(visit, kind), await _parts(visit, metadata, kind, ids)) for kind, ids in sorted(by_type.items())]
    context = {"solution": solution, "id": solution_id, "groups": groups}
    name = formatted(solution, "friendlyname") or text(solution.get("uniquename"))
    return visit.render("solution.html", name, context, crumbs=_crumbs(visit, name, within=True))


def _kind(visit: Visit, kind: int) -> str:
    """What components of a kind are called, in the plural."""
    texts = visit.texts
    metadata = {
        TABLE: texts("Tables"),
        COLUMN: texts("Columns"),
        CHOICE: texts("Choices"),
        RELATIONSHIP: texts("Relationships"),
    }
    if kind in metadata:
        return metadata[kind]
    table = visit.schema.tables.get(next((name for name, number in COMPONENT_TYPES.items() if number == kind), ""))
    return title_of(table) if table else texts("Components of kind %(number)s", number=kind)


def _metadata_names(visit: Visit, schema: Schema) -> Mapping[tuple[int, str], Part]:
    """The parts of the metadata by component type and id."""
    found: dict[tuple[int, str], Part] = {}
    for table in schema.tables.values():
        found[TABLE, table.metadata_id] = Part(
            table.label or table.logical_name, visit.address(f"tables/{table.logical_name}")
        )
        for column in table.columns.values():
            found[COLUMN, column.metadata_id] = Part(f"{table.logical_name}.{column.logical_name}", None)
    for choice in schema.choices.values():
        found[CHOICE, choice.metadata_id] = Part(choice.name, None)
    for each in (*schema.relationships.values(), *schema.many_to_many.values()):
        found[RELATIONSHIP, each.metadata_id] = Part(each.schema_name, None)
    return found


async def _parts(
    visit: Visit, metadata: Mapping[tuple[int, str], Part], kind: int, ids: Sequence[str]
) -> Sequence[Part]:
    name = next((table for table, number in COMPONENT_TYPES.items() if number == kind), None)
    table = visit.schema.tables.get(name or "")
    names: dict[str, str] = {}
    if table is not None:
        for start in range(0, len(ids), 50):
            listed = ",".join(quoted(each) for each in ids[start : start + 50])
            condition = f"Microsoft.Dynamics.CRM.In(PropertyName='{table.primary_id}',PropertyValues=[{listed}])"
            names |= dict(await named_rows(visit, table, condition, most=50))
    found: list[Part] = []
    for each in ids:
        if table is not None:
            found.append(Part(names.get(each) or each, visit.address(f"tables/{table.logical_name}/{each}")))
        else:
            found.append(metadata.get((kind, each)) or Part(each, None))
    return sorted(found, key=lambda part: part.name.casefold())


async def export(visit: Visit) -> Response:
    """The solution as a file."""
    solution = await visit.api.get(f"solutions({visit.row_id()})", {"$select": "uniquename,version"})
    name, as_managed = text(solution.get("uniquename")), visit.parameter("managed") == "yes"
    answer = await visit.api.send("POST", "ExportSolution", {"SolutionName": name, "Managed": as_managed})
    version = text(solution.get("version")).replace(".", "_")
    file = f"{name}_{version}{'_managed' if as_managed else ''}.zip"
    content = base64.b64decode(text(answer.body.get("ExportSolutionFile")))
    headers = {"Content-Disposition": f'attachment; filename="{file}"'}
    return Response(content, media_type="application/zip", headers=headers)


async def remove(visit: Visit) -> Response:
    """Ask, then remove a solution."""
    solution_id = visit.row_id()
    solution = await visit.api.get(f"solutions({solution_id})", {"$select": _COLUMNS})
    problem: ApiError | None = None
    if visit.request.method == "POST":
        try:
            await visit.api.send("DELETE", f"solutions({solution_id})")
            return visit.redirect("solutions", done="solution-removed")
        except ApiError as error:
            problem = error
    name = formatted(solution, "friendlyname")
    context = {"solution": solution, "id": solution_id, "problem": problem}
    return visit.render(
        "solution-remove.html",
        visit.texts("Remove %(name)s", name=name),
        context,
        crumbs=_crumbs(visit, visit.texts("Remove"), within=True),
        status=problem.status if problem else 200,
    )


def _crumbs(visit: Visit, last: str, *, within: bool = False) -> Sequence[Crumb]:
    way = [Crumb(visit.texts("Administration"), visit.address("administration"))]
    if within:
        way.append(Crumb(visit.texts("Solutions"), visit.address("solutions")))
    return [*way, Crumb(last)]


PAGES = (
    Page("/solutions", show, "administration"),
    Page("/solutions/plan", plan, "administration", ("POST",)),
    Page("/solutions/import", bring, "administration", ("POST",)),
    Page("/solutions/{id}", contents, "administration"),
    Page("/solutions/{id}/export", export, "administration"),
    Page("/solutions/{id}/remove", remove, "administration", ("GET", "POST")),
)
