"""The sharing report: how much is shared, of which tables, with whom, and the rows that most people have a share of."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.responses import Response

from strongroom.access.rights import format_rights
from strongroom.console.api import Json, text
from strongroom.console.data.lists import Bar
from strongroom.console.data.lookups import name_or_id
from strongroom.console.data.tables import title_of
from strongroom.console.page import Page
from strongroom.console.visit import Visit
from strongroom.schema.model import Rights

_SHARES = "principalobjectaccessset"
_MOST_NAMED = 15
_NEWEST = 25


@dataclass(frozen=True, slots=True)
class Counted:
    """Something with its number of shares: `share` is its part of the largest, in percent."""

    name: str
    address: str
    bar: Bar


@dataclass(frozen=True, slots=True)
class Share:
    """One share."""

    row: str
    row_address: str
    table: str
    principal: str
    principal_address: str
    rights: str
    inherited: str
    on: str


async def show(visit: Visit) -> Response:
    """The report; `table` narrows it."""
    table = visit.parameter("table")
    if table:
        visit.table(table)
    within = f"filter(objecttypecode eq '{table}')/" if table else ""
    tables = await _grouped(visit, "objecttypecode", "")
    principals = await _grouped(visit, "principalid,principaltypecode", within)
    rows = await _grouped(visit, "objectid,objecttypecode", within)
    context = {
        "table": table,
        "tables": [
            Counted(
                title_of(visit.schema.tables[name]) if name in visit.schema.tables else name,
                visit.address("shares", table=name),
                bar,
            )
            for row, bar in tables
            if (name := text(row.get("objecttypecode")))
        ],
        "principals": [
            await _counted(visit, text(row.get("principaltypecode")), text(row.get("principalid")), bar)
            for row, bar in principals[:_MOST_NAMED]
        ],
        "rows": [
            await _counted(visit, text(row.get("objecttypecode")), text(row.get("objectid")), bar)
            for row, bar in rows[:_MOST_NAMED]
            if bar.count > 1
        ],
        "newest": await _newest(visit, table),
        "total": sum(bar.count for _, bar in tables),
    }
    return visit.render("shares.html", visit.texts("Sharing report"), context)


async def _grouped(visit: Visit, names: str, within: str) -> Sequence[tuple[Json, Bar]]:
    """The groups with their numbers of shares, the largest first."""
    found = await visit.api.rows(_SHARES, {"$apply": f"{within}groupby(({names}),aggregate($count as number))"})
    counted = [(row, number) for row in found if isinstance(number := row.get("number"), int)]
    counted.sort(key=lambda each: -each[1])
    largest = max((number for _, number in counted), default=1)
    return [(row, Bar("", number, round(100 * number / largest))) for row, number in counted]


async def _counted(visit: Visit, table: str, row_id: str, bar: Bar) -> Counted:
    known = visit.schema.tables.get(table)
    name = await name_or_id(visit, known, row_id) if known else row_id
    return Counted(name, _address(visit, table, row_id), bar)


def _address(visit: Visit, table: str, row_id: str) -> str:
    pages = {"systemuser": "people", "team": "teams"}
    return visit.address(f"{pages.get(table, f'tables/{table}')}/{row_id}")


async def _newest(visit: Visit, table: str) -> Sequence[Share]:
    options = {"$orderby": "changedon desc"} | ({"$filter": f"objecttypecode eq '{table}'"} if table else {})
    found: list[Share] = []
    for row in await visit.api.rows(_SHARES, options, most=_NEWEST):
        of, whom = text(row.get("objecttypecode")), text(row.get("principaltypecode"))
        row_id, principal = text(row.get("objectid")), text(row.get("principalid"))
        of_table, of_principal = visit.schema.tables.get(of), visit.schema.tables.get(whom)
        found.append(
            Share(
                await name_or_id(visit, of_table, row_id) if of_table else row_id,
                _address(visit, of, row_id),
                of_table.label if of_table else of,
                await name_or_id(visit, of_principal, principal) if of_principal else principal,
                _address(visit, whom, principal),
                _rights(row.get("accessrightsmask")),
                _rights(row.get("inheritedaccessrightsmask")),
                text(row.get("changedon")).replace("T", " ")[:16],
            )
        )
    return found


def _rights(mask: object) -> str:
    """A mask in words; bits that are no right of a row are left out."""
    known = Rights.NONE
    for right in Rights:
        if isinstance(mask, int) and mask & right.value:
            known |= right
    return format_rights(known).replace("Access", "").replace("None", "")


PAGES = (Page("/shares", show, "people"),)
