"""Limits and usage: how much somebody may still ask for now, how large things may be, and how many rows there are.

Rows are counted up to a few thousand, so that the page is as quick with millions; one table is counted to its end when
somebody asks for that.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.responses import Response

from strongroom.console.api import ApiError, as_object, objects, text
from strongroom.console.data.tables import EVERYDAY, title_of
from strongroom.console.page import Page
from strongroom.console.visit import Crumb, Visit
from strongroom.schema.model import Table
from strongroom.webapi.batch import MAX_REQUESTS
from strongroom.webapi.protection import WINDOW_S, Limits

_COUNTED = 5000
_MOST_TABLES = 120
_TRAIL = ("audit", "activitylog", "systemuser", "team", "principalobjectaccess", "annotation")


@dataclass(frozen=True, slots=True)
class Size:
    """How many rows of a table the visitor may see; `has_more` when there are more than were counted."""

    name: str
    title: str
    rows: int
    has_more: bool


async def show(visit: Visit) -> Response:
    """What is left, and how much is there."""
    who = await visit.api.send("GET", "WhoAmI")
    organization = await visit.api.rows_if_allowed("organizations", {"$select": "maxuploadfilesize"}, most=1)
    limits = Limits()
    exact = visit.parameter("exact")
    context = {
        "left_requests": _number(who.headers.get("x-ms-ratelimit-burst-remaining-xrm-requests", "")),
        "left_s": _number(who.headers.get("x-ms-ratelimit-time-remaining-xrm-requests", "")),
        "limits": limits,
        "window_min": int(WINDOW_S // 60),
        "largest_kb": organization[0].get("maxuploadfilesize") if organization else None,
        "batch": MAX_REQUESTS,
        "sizes": await _sizes(visit, exact),
        "environments": await _environments(visit),
    }
    crumbs = (Crumb(visit.texts("Administration"), visit.address("administration")),)
    title = visit.texts("Limits and usage")
    return visit.render("usage.html", title, context, crumbs=(*crumbs, Crumb(title)))


def _number(header: str) -> int | None:
    try:
        return int(float(header))
    except ValueError:
        return None


async def _environments(visit: Visit) -> Sequence[tuple[str, int]]:
    """(name, MiB) of the stores, which the control environment knows."""
    if not visit.is_control:
        return ()
    options = {"$select": "uniquename,sizebytes", "$orderby": "uniquename"}
    rows = await visit.api.rows_if_allowed("environments", options) or ()
    sizes = [(text(row.get("uniquename")), row.get("sizebytes")) for row in rows]
    return [(name, round(size / 1024 / 1024)) for name, size in sizes if isinstance(size, int)]


async def _sizes(visit: Visit, exact: str) -> Sequence[Size]:
    names = dict.fromkeys((*EVERYDAY, *_TRAIL))
    tables = [visit.schema.tables[name] for name in names if name in visit.schema.tables]
    own = [t for t in visit.schema.tables.values() if t.is_custom and not t.is_intersect and t not in tables]
    found = [await _size(visit, table, exact) for table in (*tables, *own[:_MOST_TABLES])]
    return sorted((each for each in found if each is not None), key=lambda each: (-each.rows, each.title))


async def _size(visit: Visit, table: Table, exact: str) -> Size | None:
    """None where the visitor may not look, or there is nothing."""
    try:
        if table.logical_name == exact:
            answer = await visit.api.ask("RetrieveTotalRecordCount", EntityNames=[exact])
            values = as_object(answer.get("EntityRecordCountCollection")).get("Values")
            count = values[0] if isinstance(values, list) and values else 0  # pyright: ignore[reportUnknownVariableType]
            return Size(exact, title_of(table), count, has_more=False) if isinstance(count, int) else None
        options = {"$select": table.primary_id, "$count": "true", "$top": "1"}
        body = await visit.api.get(table.entity_set_name, options)
    except ApiError as error:
        if error.status in (400, 403, 404):
            return None
        raise
    counted = body.get("@odata.count")
    rows = counted if isinstance(counted, int) and counted >= 0 else len(objects(body.get("value")))
    return Size(table.logical_name, title_of(table), rows, rows >= _COUNTED) if rows else None


PAGES = (Page("/usage", show, "administration"),)
