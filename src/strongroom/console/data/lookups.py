"""Lookups: rows that begin with what somebody types, and the one row that a text means."""

from collections.abc import Sequence

from starlette.responses import JSONResponse, Response

from strongroom.console.api import ApiError, text
from strongroom.console.data.filters import quick_search, quoted
from strongroom.console.page import Page
from strongroom.console.visit import Visit
from strongroom.ids import Guid, parse_guid
from strongroom.schema.model import Table

_MOST = 8


async def suggest(visit: Visit) -> Response:
    """Names that begin with `q`, as JSON for the page's script; `table` may name several tables, with commas."""
    found: list[dict[str, str]] = []
    for name in visit.named("tables").split(",")[:4]:
        table = visit.table(name)
        found += [
            {"name": shown, "hint": f"{table.label} {row_id[:8]}"}
            for row_id, shown in await _beginning(visit, table, visit.parameter("q"))
        ]
    return JSONResponse(found)


async def find_row(visit: Visit, tables: Sequence[str], given: str) -> tuple[Table, Guid]:
    """The row that a text means: its id, its whole name, or the only name that begins with it.

    Raises `ApiError` 400 that says what else was found.
    """
    guid = parse_guid(given)
    several: list[str] = []
    for name in tables:
        table = visit.table(name)
        if guid is not None:
            found = await _named(visit, table, f"{table.primary_id} eq {guid}")
        else:
            exact = await _named(visit, table, f"{table.primary_name} eq {quoted(given)}") if table.primary_name else ()
            found = exact or await _beginning(visit, table, given)
        if len(found) == 1:
            return table, Guid(found[0][0])
        several += [shown for _, shown in found]
    if several:
        names = "; ".join(dict.fromkeys(several))
        raise ApiError(400, "", visit.texts("Several rows fit '%(given)s': %(names)s", given=given, names=names))
    raise ApiError(400, "", visit.texts("No row that you may see is called '%(given)s'.", given=given))


async def _beginning(visit: Visit, table: Table, wanted: str) -> Sequence[tuple[str, str]]:
    return await _named(visit, table, quick_search(table, wanted)) if wanted else ()


async def _named(visit: Visit, table: Table, condition: str) -> Sequence[tuple[str, str]]:
    """(id, name) of the first rows that fulfil a condition; none where the visitor may not look."""
    name = table.primary_name or table.primary_id
    options = {"$select": name, "$filter": condition, "$orderby": name}
    try:
        rows = await visit.api.rows(table.entity_set_name, options, most=_MOST)
    except ApiError as error:
        if error.status == 403:
            return ()
        raise
    return [(text(row[table.primary_id]), text(row.get(name))) for row in rows]


PAGES = (Page("/lookup/{tables}", suggest, "data"),)
