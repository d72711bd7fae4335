"""Administration: this environment and its neighbours, what was imported, and what runs."""

from collections.abc import Sequence

from starlette.responses import Response

from strongroom.console.api import Json, formatted, text
from strongroom.console.page import Page
from strongroom.console.visit import Visit

_ROOMS = (
    ("solutions", "solution", "solutions", "friendlyname,version,ismanaged", "friendlyname"),
    ("asyncoperations", "asyncoperation", "jobs", "name,statuscode,createdon", "createdon desc"),
)
_MOST = 20


async def show(visit: Visit) -> Response:
    """What is here, at a glance."""
    organization = await _first(visit, "organizations", "name,isauditenabled,maxuploadfilesize")
    context = {
        "environments": visit.environments,
        "engine": visit.environment.database.engine,
        "version": visit.schema.version,
        "tables": len(visit.schema.tables),
        "custom": sum(table.is_custom for table in visit.schema.tables.values()),
        "organization": organization,
        "solutions": await _rows(visit, *_ROOMS[0]),
        "jobs": await _rows(visit, *_ROOMS[1]),
    }
    return visit.render("administration.html", visit.texts("Administration"), context)


async def _first(visit: Visit, entity_set: str, columns: str) -> Json:
    rows = await visit.api.rows_if_allowed(entity_set, {"$select": columns}, most=1)
    return rows[0] if rows else {}


async def _rows(
    visit: Visit, entity_set: str, table: str, pages: str, columns: str, order: str
) -> Sequence[tuple[str, Sequence[str]]]:
    """(address, values as people read them) of the first rows; none where the visitor may not look."""
    rows = await visit.api.rows_if_allowed(entity_set, {"$select": columns, "$orderby": order}, most=_MOST)
    key = visit.table(table).primary_id
    return [
        (visit.address(f"{pages}/{text(row[key])}"), [formatted(row, name) for name in columns.split(",")])
        for row in rows or ()
    ]


PAGES = (Page("/administration", show, "administration"),)
