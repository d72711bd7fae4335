"""A list of rows: columns, conditions, order, search, paging, views, and a chart of what the list holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from starlette.responses import Response

from strongroom.console.api import ApiError, Json, formatted, next_token, objects, text
from strongroom.console.data import columns as shown_columns
from strongroom.console.data.filters import (
    MOST_CONDITIONS,
    conditions_in,
    filter_of,
    operator_names,
    quick_search,
)
from strongroom.console.data.tables import title_of
from strongroom.console.page import Page
from strongroom.console.visit import Crumb, Visit
from strongroom.ids import parse_guid
from strongroom.schema.model import Column, ColumnType, Table

PAGE_SIZE = 50
MOST_SORTED = 5000
"""Rows of a list that is offered in the order of any column: ordering a million without an index reads them all."""

_MOST_BARS = 24
_UNSORTABLE = frozenset({ColumnType.MULTISELECT, ColumnType.FILE, ColumnType.IMAGE, ColumnType.MEMO})
_CHARTABLE = frozenset(
    {ColumnType.PICKLIST, ColumnType.STATE, ColumnType.STATUS, ColumnType.BOOLEAN, ColumnType.OWNER, ColumnType.LOOKUP}
)


@dataclass(frozen=True, slots=True)
class Bar:
    """One group of a chart: `share` is its part of the largest one, in percent."""

    name: str
    count: int
    share: int


async def show(visit: Visit) -> Response:
    """One page of the rows of a table that the visitor may see."""
    table = visit.table(visit.named("table"))
    columns = shown_columns.chosen_columns(table, visit.parameter("columns"))
    context: dict[str, object] = {
        "table": table,
        "columns": columns,
        "all_columns": shown_columns.readable(table),
        "label": shown_columns.label,
        "conditions": conditions_in(visit.request.query_params),
        "spare": range(len(conditions_in(visit.request.query_params)) + 1, MOST_CONDITIONS + 1),
        "operators": operator_names(visit.texts),
        "sort": visit.parameter("sort"),
        "sortable": partial(_sortable, table),
        "most_sorted": MOST_SORTED,
        "chartable": [c for c in shown_columns.readable(table) if c.type in _CHARTABLE],
        "bars": (),
        "views": await _views(visit, table),
        "link": partial(_link, visit, table),
        "export": _export_address(visit, table, columns),
        "refusal": None,
        "rows": (),
        "next": None,
        "total": None,
        "page_number": max(1, int(visit.parameter("page") or 1)) if visit.parameter("page").isdigit() else 1,
    }
    try:
        context |= await _page(visit, table, columns)
        is_large = isinstance(context["total"], int) and context["total"] >= MOST_SORTED
        context["sortable"] = partial(_sortable, table, is_large=is_large)
        context["bars"] = await _bars(visit, table)
    except ApiError as error:
        if error.status not in (400, 403):
            raise
        context["refusal"] = error
    crumbs = (Crumb(visit.texts("Data"), visit.address("tables")), Crumb(title_of(table)))
    status = 400 if isinstance(context["refusal"], ApiError) and context["refusal"].status == 400 else 200
    return visit.render("list.html", title_of(table), context, crumbs=crumbs, status=status)


def filter_in(visit: Visit, table: Table) -> str:
    """The `$filter` of a list's address: quick search and conditions; empty for all rows."""
    parts = (
        quick_search(table, visit.parameter("q")),
        filter_of(table, conditions_in(visit.request.query_params), visit.texts, visit.zone),
    )
    return " and ".join(part for part in parts if part)


async def _page(visit: Visit, table: Table, columns: Sequence[Column]) -> Mapping[str, object]:
    options = {"$select": ",".join(dict.fromkeys((table.primary_id, *(c.property_name for c in columns))))}
    wanted = filter_in(visit, table)
    if wanted:
        options["$filter"] = wanted
    order = _order(table, visit.parameter("sort"))
    if order:
        options["$orderby"] = order
    view = parse_guid(visit.parameter("view"))
    if view is not None:
        options = {"savedQuery": str(view)}
    else:
        options["$count"] = "true"  # on every page: the token of the next one holds for the same question alone
    if visit.parameter("after"):
        options["$skiptoken"] = visit.parameter("after")
    body = await visit.api.get(table.entity_set_name, options, prefer=(f"odata.maxpagesize={PAGE_SIZE}",))
    found: dict[str, object] = {
        "rows": objects(body.get("value")),
        "next": next_token(body),
        "total": body.get("@odata.count"),
    }
    if view is not None:
        found["columns"] = _columns_of(table, objects(body.get("value"))) or columns
    return found


def _columns_of(table: Table, rows: Sequence[Json]) -> Sequence[Column]:
    """The columns that a view brought."""
    names = {name for row in rows for name in row if "@" not in name}
    return [c for c in shown_columns.readable(table) if c.property_name in names][: shown_columns.MOST_COLUMNS]


def _order(table: Table, sort: str) -> str:
    name = sort.removeprefix("-") or (table.primary_name or "")
    column = table.columns.get(name)
    if column is None or not _sortable(table, column):
        return ""
    return f"{column.property_name}{' desc' if sort.startswith('-') else ''}"


def _sortable(table: Table, column: Column, *, is_large: bool = False) -> bool:
    """Whether a list can be ordered by a column: by each when it is short, by those with an index when it is long."""
    if is_large and not column.is_indexed and column.logical_name not in (table.primary_name, table.primary_id):
        return False
    return column.type not in _UNSORTABLE


def _link(visit: Visit, table: Table, **changes: object) -> str:
    """This list with some parameters changed; a changed list begins at its first page."""
    kept = {
        name: value
        for name, value in visit.request.query_params.items()
        if value and name not in ("after", "page", "done")
    }
    return visit.address(f"tables/{table.logical_name}", **{**kept, **changes})


def _export_address(visit: Visit, table: Table, columns: Sequence[Column]) -> str:
    """Where this list is as a file: with its columns and conditions, without its pages."""
    kept = {
        name: value
        for name, value in visit.request.query_params.items()
        if value and (name == "q" or (name[0] in "cov" and name[1:].isdigit()))
    }
    names = ",".join(column.logical_name for column in columns)
    return visit.address(f"tables/{table.logical_name}/export", **kept, columns=names)


async def _views(visit: Visit, table: Table) -> Sequence[tuple[str, str]]:
    """(id, name) of the views of a table."""
    options = {
        "$select": "name",
        "$filter": f"returnedtypecode eq '{table.logical_name}' and querytype eq 0",
        "$orderby": "name",
    }
    found = await visit.api.rows_if_allowed("savedqueries", options, most=50, unless=(400, 403, 404))
    return [(text(row["savedqueryid"]), text(row["name"])) for row in found or ()]


async def _bars(visit: Visit, table: Table) -> Sequence[Bar]:
    """How many rows of the list have each value of the column that a chart is wanted of."""
    column = table.columns.get(visit.parameter("chart"))
    if column is None or column.type not in _CHARTABLE:
        return ()
    grouped = f"groupby(({column.property_name}),aggregate($count as number))"
    wanted = filter_in(visit, table)
    options = {"$apply": f"filter({wanted})/{grouped}" if wanted else grouped}
    found = await visit.api.rows(table.entity_set_name, options)
    counted = [
        (formatted(row, column.property_name) or visit.texts("None"), _whole(row.get("number"))) for row in found
    ]
    counted.sort(key=lambda each: -each[1])
    largest = max((count for _, count in counted), default=1)
    return [Bar(name, count, round(100 * count / largest)) for name, count in counted[:_MOST_BARS]]


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0


PAGES = (Page("/tables/{table}", show, "data"),)
