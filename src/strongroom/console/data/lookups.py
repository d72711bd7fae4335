"""Lookups: rows that begin with what somebody types, and the one row that a text means."""

from collections.abc import Collection, Mapping, Sequence

from starlette.responses import JSONResponse, Response

from strongroom.console.api import ApiError, text
from strongroom.console.data.filters import quick_search, quoted
from strongroom.console.page import Page
from strongroom.console.visit import Visit
from strongroom.ids import Guid, parse_guid
from strongroom.schema.model import Table

_MOST = 8
_MOST_NAMED = 200


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
            found = await named_rows(visit, table, f"{table.primary_id} eq {guid}")
        else:
            exact = (
                await named_rows(visit, table, f"{table.primary_name} eq {quoted(given)}") if table.primary_name else ()
            )
            found = exact or await _beginning(visit, table, given)
        if len(found) == 1:
            return table, Guid(found[0][0])
        several += [shown for _, shown in found]
    if several:
        names = "; ".join(dict.fromkeys(several))
        raise ApiError(400, "", visit.texts("Several rows fit '%(given)s': %(names)s", given=given, names=names))
    raise ApiError(400, "", visit.texts("No row that you may see is called '%(given)s'.", given=given))


async def _beginning(visit: Visit, table: Table, wanted: str) -> Sequence[tuple[str, str]]:
    return await named_rows(visit, table, quick_search(table, wanted)) if wanted else ()


async def named_rows(
    visit: Visit, table: Table, condition: str, *, most: int = _MOST, unless: Collection[int] = (403,)
) -> Sequence[tuple[str, str]]:
    """(id, name) of the first rows that fulfil a condition, by name; none where the answer's status is one of `unless`:
    the visitor may not look."""
    name = table.primary_name or table.primary_id
    options = {"$select": name, "$filter": condition, "$orderby": name}
    rows = await visit.api.rows_if_allowed(table.entity_set_name, options, most=most, unless=unless)
    return [(text(row[table.primary_id]), text(row.get(name))) for row in rows or ()]


async def names_of(visit: Visit, table: str, ids: Collection[str]) -> Mapping[str, str]:
    """The names of rows by their ids, as far as the visitor may read them: one question for all of them."""
    wanted = sorted(each for each in ids if parse_guid(each))[:_MOST_NAMED]
    known = visit.schema.tables.get(table)
    if not wanted or known is None or known.primary_name is None:
        return {}
    values = ",".join(f"'{each}'" for each in wanted)
    condition = f"Microsoft.Dynamics.CRM.In(PropertyName='{known.primary_id}',PropertyValues=[{values}])"
    options = {"$select": known.primary_name, "$filter": condition}
    rows = await visit.api.rows_if_allowed(known.entity_set_name, options, unless=(400, 403, 404, 501))
    return {text(row[known.primary_id]): text(row.get(known.primary_name)) for row in rows or ()}


async def name_or_id(visit: Visit, table: Table, row_id: str) -> str:
    """A row's name, or its id where the visitor may ask about it but not read it."""
    name = table.primary_name or table.primary_id
    try:
        return text((await visit.api.get(f"{table.entity_set_name}({row_id})", {"$select": name})).get(name)) or row_id
    except ApiError as error:
        if error.status in (403, 404):
            return row_id
        raise


PAGES = (Page("/lookup/{tables}", suggest, "data"),)
