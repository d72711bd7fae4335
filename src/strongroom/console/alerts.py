"""Alerts: what the rules found in the trail, with the entries behind it, and looking after them (TS-823 to TS-826)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from starlette.responses import Response

from strongroom.clock import iso
from strongroom.console.about import named, names_about
from strongroom.console.api import ApiError, Json, formatted, objects, text
from strongroom.console.data.lists import PAGE_SIZE
from strongroom.console.page import Page
from strongroom.console.visit import Crumb, Visit

_COLUMNS = "name,severity,state,groupvalue,hits,total,firsthiton,lasthiton,trailrows,_alertruleid_value"
_TONES = {1: "", 2: "", 3: "warn", 4: "bad"}
_OPEN = "state lt 4"
_RESOLVED, _FALSE_POSITIVE = 4, 5
_TRIED_DAYS = 30
_MOST_ENTRIES = 100


@dataclass(frozen=True, slots=True)
class Shown:
    """An alert in a list."""

    id: str
    name: str
    severity: str
    tone: str
    state: str
    group: str
    hits: str
    last: str


async def show(visit: Visit) -> Response:
    """The alerts, those that wait first; and the rules that find them."""
    is_all = visit.parameter("all") == "yes"
    options = {"$select": _COLUMNS, "$orderby": "lasthiton desc"} | ({} if is_all else {"$filter": _OPEN})
    rows = await visit.api.rows("alerts", options, most=PAGE_SIZE * 2)
    rules = await visit.api.rows_if_allowed(
        "alertrules",
        {"$select": "name,isenabled,severity,threshold,windowminutes,suppressminutes,offreason", "$orderby": "name"},
    )
    names = await names_about(visit, rows)
    alerts = sorted((_shown(row, names) for row in rows), key=lambda each: {"bad": 0, "warn": 1}.get(each.tone, 2))
    context = {"alerts": alerts, "is_all": is_all, "rules": rules, "tones": _TONES}
    return visit.render("alerts.html", visit.texts("Alerts"), context)


def _shown(row: Json, names: Mapping[str, str]) -> Shown:
    return Shown(
        text(row["alertid"]),
        named(row, "name", names),
        formatted(row, "severity"),
        _tone(row),
        formatted(row, "state"),
        named(row, "groupvalue", names),
        formatted(row, "hits"),
        formatted(row, "lasthiton"),
    )


def _tone(row: Json) -> str:
    severity = row.get("severity")
    return _TONES.get(severity, "") if isinstance(severity, int) else ""


async def alert(visit: Visit) -> Response:
    """One alert: what it is about, the entries behind it, and what was done about it."""
    alert_id = visit.row_id()
    problem: ApiError | None = None
    note = ""
    if visit.request.method == "POST":
        form = await visit.form()
        act, note = text(form.get("act")), text(form.get("note")).strip()
        try:
            return await _act(visit, act, note)
        except ApiError as error:
            problem = error
    row = await visit.api.get(f"alerts({alert_id})")
    found = await visit.api.ask("RetrieveAlertEvidence", AlertId=alert_id)
    names = await names_about(visit, [row])
    name, state = named(row, "name", names), row.get("state")
    context = {
        "alert": row,
        "about": named(row, "groupvalue", names),
        "tone": _tone(row),
        "is_open": isinstance(state, int) and state < _RESOLVED,
        "is_new": state == 1,
        "entries": await _entries(visit, objects(found.get("Entries"))),
        "more": max(0, len(objects(found.get("Entries"))) - _MOST_ENTRIES),
        "problem": problem,
        "note": note,
    }
    crumbs = (Crumb(visit.texts("Alerts"), visit.address("alerts")), Crumb(name))
    status = problem.status if problem else 200
    return visit.render("alert.html", name, context, crumbs=crumbs, status=status)


async def _act(visit: Visit, act: str, note: str) -> Response:
    alert_id = visit.row_id()
    path = f"alerts/{alert_id}"
    if act == "acknowledge":
        await visit.api.send("POST", "AcknowledgeAlert", {"AlertId": alert_id} | ({"Note": note} if note else {}))
        return visit.redirect(path, done="alert-acknowledged")
    if act in ("resolve", "dismiss"):
        state = _RESOLVED if act == "resolve" else _FALSE_POSITIVE
        body = {"AlertId": alert_id, "State": state, "Note": note}
        answer = await visit.api.send("POST", "CloseAlert", body)
        return visit.redirect(path, done="alert-proposed" if answer.body.get("NeedsSecondPerson") else "alert-closed")
    if act == "suppress":
        await visit.api.send("POST", "SuppressAlert", {"AlertId": alert_id, "Minutes": 24 * 60, "Reason": note})
        return visit.redirect(path, done="alert-suppressed")
    raise ApiError(400, "", visit.texts("Choose what is to be done with the alert."))


async def _entries(visit: Visit, evidence: Sequence[Json]) -> Sequence[tuple[str, str, str, str]]:
    """(page, when, what, who) of the entries of the trail behind an alert, as far as the visitor may read them."""
    found: list[tuple[str, str, str, str]] = []
    for each in evidence[:_MOST_ENTRIES]:
        table = visit.schema.tables.get(text(each.get("Table")))
        if table is None:
            continue
        try:
            row = await visit.api.get(f"{table.entity_set_name}({each.get('Id')})")
        except ApiError as error:
            if error.status not in (403, 404):
                raise
            continue
        what = formatted(row, "action") or text(row.get("activity"))
        page = visit.address(f"tables/{table.logical_name}/{each.get('Id')}")
        found.append((page, formatted(row, "createdon"), what, formatted(row, "_userid_value")))
    return found


async def rule(visit: Visit) -> Response:
    """What a rule would have raised in the last days, before it is switched on or changed."""
    rule_id = visit.row_id()
    row = await visit.api.get(f"alertrules({rule_id})")
    now = visit.environment.clock.now()
    body = {"AlertRuleId": rule_id, "From": iso(now - timedelta(days=_TRIED_DAYS)), "To": iso(now)}
    answer = await visit.api.send("POST", "TryAlertRule", body)
    context = {"rule": row, "found": objects(answer.body.get("Alerts")), "days": _TRIED_DAYS, "id": rule_id}
    crumbs = (Crumb(visit.texts("Alerts"), visit.address("alerts")), Crumb(text(row.get("name"))))
    return visit.render("alert-rule.html", text(row.get("name")), context, crumbs=crumbs)


PAGES = (
    Page("/alerts", show, "alerts"),
    Page("/alerts/rules/{id}", rule, "alerts"),
    Page("/alerts/{id}", alert, "alerts", ("GET", "POST")),
)
