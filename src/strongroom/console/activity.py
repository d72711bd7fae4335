"""What people and programs did besides changing rows: readings, exports, sign-ins, refusals, commands at the machine
(TS-809, TS-821, TS-827). See docs/how-to/see-who-read-what.md."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import orjson
from starlette.responses import Response

from strongroom.clock import iso
from strongroom.console.api import ApiError, Json, as_object, formatted, next_token, objects, reference, strings, text
from strongroom.console.data.filters import quoted
from strongroom.console.data.lists import PAGE_SIZE
from strongroom.console.data.lookups import names_of
from strongroom.console.data.records import crumbs_of, name_of
from strongroom.console.days import day_bounds
from strongroom.console.page import Page
from strongroom.console.trail_search import user_and_table
from strongroom.console.visit import Crumb, Visit

_SEEN_DAYS = 30
_MOST_SEEN = 200
_OUTCOME_TONES = {1: "", 2: "bad", 3: "bad"}
_ASKED = ("user", "table", "category", "since", "until", "text")


@dataclass(frozen=True, slots=True)
class Done:
    """One activity, as a page shows it. `row` is the page of the row that it was about, empty where there is none."""

    id: str
    on: str
    what: str
    outcome: str
    tone: str
    by: str
    real: str
    table: str
    row: str
    rows: str
    details: str
    place: str


async def search(visit: Visit) -> Response:
    """The activity log, the newest first, by user, table, kind, days and a text."""
    problem: ApiError | None = None
    rows: Sequence[Json] = ()
    following: str | None = None
    try:
        conditions = await _conditions(visit)
        options = {"$orderby": "createdon desc"}
        if conditions:
            options["$filter"] = " and ".join(conditions)
        if visit.parameter("after"):
            options["$skiptoken"] = visit.parameter("after")
        body = await visit.api.get("activitylogs", options, prefer=(f"odata.maxpagesize={PAGE_SIZE}",))
        rows, following = objects(body.get("value")), next_token(body)
    except ApiError as error:
        if error.status not in (400, 403):
            raise
        problem = error
    context = {
        "entries": [_done(visit, row) for row in rows],
        "next": following,
        "problem": problem,
        "categories": visit.options("activitylog", "category"),
        "tables": sorted(
            (t.label or t.logical_name, t.logical_name) for t in visit.schema.tables.values() if not t.is_intersect
        ),
        "kept": {name: visit.parameter(name) for name in _ASKED if visit.parameter(name)},
    }
    crumbs = (Crumb(visit.texts("Audit"), visit.address("audit")), Crumb(visit.texts("Activity log")))
    status = problem.status if problem else 200
    return visit.render("activity.html", visit.texts("Activity log"), context, crumbs=crumbs, status=status)


async def _conditions(visit: Visit) -> list[str]:
    conditions = await user_and_table(visit)
    if visit.parameter("category").isdigit():
        conditions.append(f"category eq {visit.parameter('category')}")
    if visit.parameter("text"):
        wanted = quoted(visit.parameter("text"))
        conditions.append(f"(contains(activity,{wanted}) or contains(details,{wanted}) or contains(query,{wanted}))")
    return [*conditions, *day_bounds(visit, "createdon")]


def _done(visit: Visit, row: Json) -> Done:
    details = _details(text(row.get("details")))
    table = visit.schema.tables.get(text(row.get("objecttypecode")))
    row_id = text(row.get("_objectid_value"))
    outcome = row.get("outcome")
    return Done(
        text(row["activitylogid"]),
        formatted(row, "createdon"),
        f"{formatted(row, 'category')} · {text(row.get('activity'))}",
        formatted(row, "outcome"),
        _OUTCOME_TONES.get(outcome, "") if isinstance(outcome, int) else "",
        formatted(row, "_userid_value") or text(details.get("operator")) or visit.texts("at the machine"),
        formatted(row, "_callinguserid_value"),
        (table.label or table.logical_name) if table else text(row.get("objecttypecode")),
        visit.address(f"tables/{table.logical_name}/{row_id}") if table and row_id else "",
        formatted(row, "objectcount"),
        text(row.get("query")) or " · ".join(f"{name}: {text(value)}" for name, value in details.items()),
        " · ".join(each for each in (text(row.get("address")), text(row.get("client"))) if each),
    )


def _details(given: str) -> Json:
    """What an activity says about itself, by name."""
    try:
        return as_object(orjson.loads(given)) if given else {}
    except orjson.JSONDecodeError:
        return {"": given}


async def seen(visit: Visit) -> Response:
    """Who saw a row in the last days, and how."""
    subject = await name_of(visit)
    problem: ApiError | None = None
    found: Json = {}
    now = visit.environment.clock.now()
    try:
        found = await visit.api.ask(
            "RetrieveAccessHistory",
            Target=reference(subject.table.entity_set_name, subject.id),
            From=iso(now - timedelta(days=_SEEN_DAYS)),
            To=iso(now + timedelta(seconds=1)),
            PagingInfo={"PageNumber": 1, "Count": _MOST_SEEN},
        )
    except ApiError as error:
        if error.status != 403:
            raise
        problem = error
    rows = objects(found.get("Accesses"))
    names = await names_of(visit, "systemuser", {text(row.get("UserId")) for row in rows})
    accesses = [
        (
            visit.moment(text(row.get("When"))),
            names.get(text(row.get("UserId")), text(row.get("UserId"))),
            text(row.get("Activity")),
            text(row.get("SensitiveColumns")),
            text(row.get("Client")),
        )
        for row in rows
    ]
    context = {
        "subject": subject,
        "tab": "seen",
        "accesses": accesses,
        "more": found.get("MoreRecords") is True,
        "days": _SEEN_DAYS,
        "problem": problem,
        "is_told": subject.table.is_retrieve_audited,
    }
    crumbs = crumbs_of(visit, subject, visit.texts("Who looked"))
    return visit.render("seen.html", subject.name, context, crumbs=crumbs, status=problem.status if problem else 200)


async def sensitive(visit: Visit) -> Response:
    """Who may see secured columns, and who did."""
    now = visit.environment.clock.now()
    problem: ApiError | None = None
    found: Json = {}
    try:
        found = await visit.api.ask("RetrieveUserLog", From=iso(now - timedelta(days=_SEEN_DAYS)), To=iso(now))
    except ApiError as error:
        if error.status not in (400, 403):
            raise
        problem = error
    lines = [
        (
            visit.address(f"people/{text(each.get('UserId'))}"),
            text(each.get("Name")),
            strings(each.get("Roles")),
            strings(each.get("MaySee")),
            each.get("Readings") or 0,
            visit.moment(text(each.get("LastOn"))),
        )
        for each in objects(found.get("Users"))
    ]
    context = {"lines": lines, "days": _SEEN_DAYS, "problem": problem}
    crumbs = (Crumb(visit.texts("Audit"), visit.address("audit")), Crumb(visit.texts("Secured columns")))
    status = problem.status if problem else 200
    return visit.render("sensitive.html", visit.texts("Secured columns: who may, and did"), context, crumbs=crumbs,
                        status=status)  # fmt: skip


PAGES = (
    Page("/audit/activity", search, "audit"),
    Page("/audit/sensitive", sensitive, "audit"),
    Page("/tables/{table}/{id}/seen", seen, "data"),
)
