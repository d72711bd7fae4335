"""The trail: searching it, and what happened to one row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import orjson
from starlette.responses import Response

from strongroom.console.api import FORMATTED, ApiError, Json, as_object, formatted, next_token, objects, reference, text
from strongroom.console.data.columns import label
from strongroom.console.data.lists import PAGE_SIZE
from strongroom.console.data.lookups import names_of
from strongroom.console.data.records import crumbs_of, name_of, typed_reference
from strongroom.console.days import begins, day_bounds, today
from strongroom.console.page import Page
from strongroom.console.trail_search import user_and_table
from strongroom.console.visit import Visit
from strongroom.schema.model import Table

_CHART_DAYS = 14
_MOST_COUNTED = 5000
_LIVE_S = 5


@dataclass(frozen=True, slots=True)
class Difference:
    """One column of one entry."""

    column: str
    label: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Day:
    """One bar of the chart: `share` is its part of the largest one, in percent."""

    day: str
    shown: str
    share: int
    number: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the trail, as a page shows it."""

    id: str
    on: str
    action: str
    by: str
    on_behalf_of: str
    table: str
    row_id: str
    row: str
    differences: Sequence[Difference]
    note: str
    is_change: bool = False
    """Whether it tells of values that can come back: an update or a delete."""


async def search(visit: Visit) -> Response:
    """The trail, the newest first, by user, table, action and days."""
    problem: ApiError | None = None
    rows: Sequence[Json] = ()
    following: str | None = None
    try:
        rows, following = await _found(visit)
    except ApiError as error:
        if error.status not in (400, 403):
            raise
        problem = error
    audit = visit.table("audit")
    action = audit.columns["action"]
    context = {
        "entries": [_entry(visit, row) for row in rows],
        "next": following,
        "problem": problem,
        "actions": [(str(option.value), option.label) for option in sorted(action.options, key=lambda o: o.label)],
        "tables": sorted(
            (t.label or t.logical_name, t.logical_name) for t in visit.schema.tables.values() if not t.is_intersect
        ),
        "kept": {
            name: visit.parameter(name)
            for name in ("user", "table", "action", "since", "until")
            if visit.parameter(name)
        },
    }
    is_live = visit.parameter("live") == "on" and problem is None and not visit.parameter("after")
    context |= {"is_live": is_live, "days": () if problem else await _days(visit)}
    response = visit.render("audit.html", visit.texts("Audit"), context, status=problem.status if problem else 200)
    if is_live:
        response.headers["Refresh"] = str(_LIVE_S)
    return response


async def _days(visit: Visit) -> Sequence[Day]:
    """How much happened on each of the last days, as far as the search asks for it; counted up to `_MOST_COUNTED`.
    Nothing for one table: no index says how much of a day is about it, and a trail is long."""
    if visit.parameter("table"):
        return ()
    conditions = await _conditions(visit)
    last = today(visit)
    counts: list[tuple[date, int]] = []
    for back in reversed(range(_CHART_DAYS)):
        day = last - timedelta(days=back)
        ends = begins(day + timedelta(days=1), visit.zone)
        within = [*conditions, f"createdon ge {begins(day, visit.zone)}", f"createdon lt {ends}"]
        options = {"$select": "auditid", "$filter": " and ".join(within), "$count": "true", "$top": "1"}
        options["$orderby"] = "createdon desc"  # in the order of time, the day's entries alone are read
        count = (await visit.api.get("audits", options)).get("@odata.count")
        counts.append((day, count if isinstance(count, int) else 0))
    largest = max(count for _, count in counts) or 1
    return [
        Day(day.isoformat(), visit.texts.up_to(count, _MOST_COUNTED), round(100 * count / largest), number)
        for number, (day, count) in enumerate(counts)
    ]


async def _found(visit: Visit) -> tuple[Sequence[Json], str | None]:
    conditions = [*await _conditions(visit), *day_bounds(visit, "createdon")]
    options = {"$orderby": "createdon desc"}
    if conditions:
        options["$filter"] = " and ".join(conditions)
    if visit.parameter("after"):
        options["$skiptoken"] = visit.parameter("after")
    body = await visit.api.get("audits", options, prefer=(f"odata.maxpagesize={PAGE_SIZE}",))
    return objects(body.get("value")), next_token(body)


async def _conditions(visit: Visit) -> list[str]:
    """What the search asks for, without its days. Raises `ApiError` 400 for what is no user or table."""
    conditions = await user_and_table(visit)
    if visit.parameter("action").isdigit():
        conditions.append(f"action eq {visit.parameter('action')}")
    return conditions


def _entry(visit: Visit, row: Json) -> Entry:
    table = visit.schema.tables.get(text(row.get("objecttypecode")))
    return Entry(
        text(row["auditid"]),
        formatted(row, "createdon"),
        formatted(row, "action"),
        formatted(row, "_userid_value"),
        formatted(row, "_callinguserid_value"),
        table.logical_name if table else text(row.get("objecttypecode")),
        text(row.get("_objectid_value")),
        table.label if table else text(row.get("objecttypecode")),
        _differences(visit, table, text(row.get("changedata"))),
        text(row.get("useradditionalinfo")),
    )


def _differences(visit: Visit, table: Table | None, data: str) -> Sequence[Difference]:
    """The columns of an entry, from its `changedata`."""
    if not data:
        return ()
    try:
        parsed = as_object(orjson.loads(data))
    except ValueError:
        return ()
    changed = objects(parsed.get("changedAttributes"))
    if not changed:
        return [Difference(name, name, "", _shown(value)) for name, value in parsed.items()]
    found: list[Difference] = []
    for each in changed:
        name = text(each.get("logicalName"))
        column = table.columns.get(name) if table else None
        old = text(each.get("oldName") or each.get("oldValue"))
        new = text(each.get("newName") or each.get("newValue"))
        found.append(
            Difference(
                name, label(column) if column else name, _labelled(table, name, old), _labelled(table, name, new)
            )
        )
    return found


def _labelled(table: Table | None, name: str, value: str) -> str:
    """A choice by its label."""
    column = table.columns.get(name) if table else None
    if column is None or not column.options:
        return value
    return next((option.label for option in column.options if str(option.value) == value), value)


def _shown(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


async def history(visit: Visit) -> Response:
    """What happened to one row, the newest first, with old and new values."""
    subject = await name_of(visit)
    found = await visit.api.ask(
        "RetrieveRecordChangeHistory", Target=reference(subject.table.entity_set_name, subject.id)
    )
    details = objects(as_object(found.get("AuditDetailCollection")).get("AuditDetails"))
    users = await _names(visit, details)
    context = {
        "subject": subject,
        "tab": "history",
        "entries": [_detail(visit, subject.table, detail, users) for detail in details],
        "total": as_object(found.get("AuditDetailCollection")).get("TotalRecordCount"),
    }
    return visit.render("history.html", subject.name, context, crumbs=crumbs_of(visit, subject, visit.texts("History")))


def _detail(visit: Visit, table: Table, detail: Json, users: Mapping[str, str]) -> Entry:
    record, old, new = (as_object(detail.get(part)) for part in ("AuditRecord", "OldValue", "NewValue"))
    audit = visit.table("audit")
    action = _labelled(audit, "action", text(record.get("action")))
    names = [name for name in dict.fromkeys((*old, *new)) if "@" not in name]
    differences = [
        Difference(name, _column_label(table, name), _value(table, name, old), _value(table, name, new))
        for name in names
    ]
    user = text(record.get("_userid_value"))
    calling = text(record.get("_callinguserid_value"))
    on = visit.moment(text(record.get("createdon")))
    return Entry(
        text(record.get("auditid")), on, action, users.get(user, user), users.get(calling, calling), table.logical_name,
        text(record.get("_objectid_value")), "", differences, text(record.get("useradditionalinfo")),
        bool(differences) and text(record.get("operation")) in ("2", "3"),
    )  # fmt: skip


def _column_label(table: Table, property_name: str) -> str:
    column = next((c for c in table.columns.values() if c.property_name == property_name), None)
    return label(column) if column else property_name


def _value(table: Table, property_name: str, row: Json) -> str:
    name = property_name.removeprefix("_").removesuffix("_value") if property_name.startswith("_") else property_name
    shown = row.get(property_name + FORMATTED, row.get(property_name))
    return _labelled(table, name, text(shown))


async def _names(visit: Visit, details: Sequence[Json]) -> Mapping[str, str]:
    """The names of the users in entries, as far as the visitor may read them."""
    columns = ("_userid_value", "_callinguserid_value")
    ids = {text(as_object(detail.get("AuditRecord")).get(column)) for detail in details for column in columns}
    return await names_of(visit, "systemuser", ids)


async def proof(visit: Visit) -> Response:
    """The proof that an entry is in the log, as a file for whoever wants to check it."""
    entry = visit.row_id()
    head = await visit.api.ask("GetSignedTreeHead")
    found = await visit.api.get(f"GetInclusionProof(AuditId={entry},TreeSize={head.get('TreeSize')})")
    body = orjson.dumps({"Head": _plain(head), "Proof": _plain(found)}, option=orjson.OPT_INDENT_2)
    name = f"attachment; filename=proof-{entry}.json"
    return Response(body, media_type="application/json", headers={"Content-Disposition": name})


def _plain(answer: Json) -> Json:
    return {name: value for name, value in answer.items() if not name.startswith("@")}


async def restore(visit: Visit) -> Response:
    """What bringing back the values before an entry would change, then the change: an ordinary, audited write."""
    subject = await name_of(visit)
    entry = visit.row_id("entry")
    asked: dict[str, object] = {"Target": typed_reference(subject.table, subject.id), "AuditId": entry}
    if visit.request.method == "POST":
        await visit.api.send("POST", "RestoreRecordVersion", asked)
        return visit.redirect(subject.path, done="restored")
    answer = await visit.api.send("POST", "RestoreRecordVersion", {**asked, "Preview": True})
    changes = [
        (_column_label(subject.table, text(each.get("Column"))), text(each.get("From")), text(each.get("To")))
        for each in objects(answer.body.get("Changes"))
    ]
    title = visit.texts("Restore %(name)s", name=subject.name)
    crumbs = crumbs_of(visit, subject, visit.texts("Restore"))
    return visit.render("restore.html", title, {"subject": subject, "changes": changes}, crumbs=crumbs)


PAGES = (
    Page("/audit", search, "audit"),
    Page("/audit/{id}/proof", proof, "audit"),
    Page("/tables/{table}/{id}/history", history, "data"),
    Page("/tables/{table}/{id}/restore/{entry}", restore, "data", ("GET", "POST")),
)
