"""Which tables there are, and the search box that finds rows and pages from anywhere."""

from collections.abc import Sequence

from starlette.responses import Response

from strongroom.console.data.filters import quick_search
from strongroom.console.data.lookups import named_rows
from strongroom.console.page import Page
from strongroom.console.visit import Visit
from strongroom.schema.model import Table

EVERYDAY = ("account", "contact", "lead", "opportunity", "incident", "task", "phonecall", "appointment", "email")
_FOUND_IN_ONE_TABLE = 5


def shown_tables(visit: Visit) -> Sequence[Table]:
    """Every table that has rows of its own to look at, by name."""
    tables = [table for table in visit.schema.tables.values() if not table.is_intersect]
    return sorted(tables, key=lambda table: title_of(table).casefold())


def title_of(table: Table) -> str:
    """What the rows of a table are called together."""
    return table.collection_label or table.label or table.schema_name


async def show(visit: Visit) -> Response:
    """All tables: the everyday ones first, one's own next."""
    wanted = visit.parameter("q").casefold()
    tables = [t for t in shown_tables(visit) if wanted in title_of(t).casefold() or wanted in t.logical_name]
    groups = (
        (visit.texts("Everyday"), [t for t in tables if t.logical_name in EVERYDAY]),
        (visit.texts("Of this environment"), [t for t in tables if t.is_custom]),
        (visit.texts("All others"), [t for t in tables if not t.is_custom and t.logical_name not in EVERYDAY]),
    )
    context = {"groups": groups, "title_of": title_of, "wanted": visit.parameter("q")}
    return visit.render("tables.html", visit.texts("Data"), context)


async def find(visit: Visit) -> Response:
    """Tables and rows whose names begin with a text; `*text` finds it anywhere in a name."""
    wanted = visit.parameter("q")
    tables = [t for t in shown_tables(visit) if wanted and wanted.casefold() in title_of(t).casefold()]
    rows = [found for name in EVERYDAY if wanted and (found := await _rows(visit, visit.table(name), wanted))]
    context = {"wanted": wanted, "tables": tables, "found": rows, "title_of": title_of, "most": _FOUND_IN_ONE_TABLE}
    return visit.render("find.html", visit.texts("Found for '%(wanted)s'", wanted=wanted), context)


async def _rows(visit: Visit, table: Table, wanted: str) -> tuple[Table, Sequence[tuple[str, str]]] | None:
    """(table, [(id, name)]) of the rows that somebody may see; None where there are none, or no privilege to look."""
    found = await named_rows(visit, table, quick_search(table, wanted), most=_FOUND_IN_ONE_TABLE)
    return (table, found) if found else None


PAGES = (Page("/tables", show, "data"), Page("/find", find, "data"))
