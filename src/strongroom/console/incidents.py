"""The register of incidents, in the control environment: breaches with their clock of 72 hours, what is to be done,
whom it concerns, who was told (TS-1601 to TS-1607). See docs/how-to/handle-an-incident.md.

What somebody read and changed is asked in the environment where it happened (`console/exposure.py`); the file that it
gives is taken in here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson
from starlette.datastructures import FormData, UploadFile
from starlette.responses import Response

from strongroom.console.api import ApiError, Json, as_object, objects, text
from strongroom.console.page import Page
from strongroom.console.sent import filled, line, moment, whole
from strongroom.console.visit import Crumb, Visit

_CLOSED = 6
_TONES = {1: "", 2: "", 3: "warn", 4: "bad"}
_MOST = 100
_BREACH_S = 72 * 3600
_RECIPIENTS = {1: "NotifyAuthority", 2: "NotifySubjects", 3: "NotifyCustomer"}
_LARGEST_SCOPE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Clock:
    """What is left of the time in which an authority is told. `share` is the part that has gone, in percent."""

    hours: int
    minutes: int
    share: int
    due: str
    is_late: bool
    is_stopped: bool

    @property
    def tone(self) -> str:
        """How urgent it is."""
        if self.is_stopped:
            return "good"
        return "bad" if self.is_late or self.hours < 12 else "warn"


async def show(visit: Visit) -> Response:
    """The incidents, those that are open first; and opening one."""
    visit.require_control()
    problem: ApiError | None = None
    sent: Mapping[str, str] = {}
    if visit.request.method == "POST":
        form = await visit.form()
        sent = {name: text(value) for name, value in form.items()}
        body = filled(
            name=line(form, "name"),
            severity=whole(form, "severity") or None,
            description=line(form, "description"),
            detectedon=moment(visit, form, "detectedon"),
        )
        try:
            made = await visit.api.send("POST", "securityincidents", body)
            return visit.redirect(f"incidents/{made.created_id}", done="created")
        except ApiError as error:
            problem = error
    is_all = visit.parameter("all") == "yes"
    options = {"$orderby": "createdon desc"} | ({} if is_all else {"$filter": f"state ne {_CLOSED}"})
    rows = await visit.api.rows_if_allowed("securityincidents", options, most=_MOST)
    context = {
        "rows": rows,
        "clocks": {text(row["securityincidentid"]): await _clock(visit, row) for row in rows or ()},
        "tones": _TONES,
        "is_all": is_all,
        "severities": visit.options("securityincident", "severity"),
        "sent": sent,
        "problem": problem,
    }
    status = problem.status if problem else 200
    return visit.render("incidents.html", visit.texts("Incidents"), context, status=status)


async def _clock(visit: Visit, row: Json) -> Clock | None:
    """The clock of an incident that is a breach, concerns people at risk, and is still open."""
    if row.get("ispersonaldatabreach") is not True or row.get("state") == _CLOSED:
        return None
    found = await visit.api.ask("RetrieveIncidentClock", SecurityIncidentId=text(row["securityincidentid"]))
    left = found.get("RemainingSeconds")
    if not isinstance(left, int):
        return None
    gone = max(0, min(100, round(100 * (_BREACH_S - left) / _BREACH_S)))
    due = visit.moment(text(found.get("DueOn")))
    is_stopped = found.get("NotifiedOn") is not None
    hours, rest = divmod(abs(left), 3600)
    return Clock(hours, rest // 60, gone, due, found.get("Late") is True or left < 0, is_stopped)


async def one(visit: Visit) -> Response:
    """One incident: its clock, what is to be done, whom it concerns, who was told, and its timeline."""
    visit.require_control()
    problem: ApiError | None = None
    sent: Mapping[str, str] = {}
    if visit.request.method == "POST":
        form = await visit.form()
        sent = {name: text(value) for name, value in form.items() if isinstance(value, str)}
        try:
            return await _act(visit, form)
        except ApiError as error:
            problem = error
    incident = visit.row_id()
    row = await visit.api.get(f"securityincidents({incident})")
    context = {
        "row": row,
        "tone": _tone(row),
        "clock": await _clock(visit, row),
        "is_open": row.get("state") != _CLOSED,
        "steps": await _of(visit, "incidentsteps", "createdon desc"),
        "scopes": await _of(visit, "incidentscopes", "createdon desc"),
        "tasks": await _of(visit, "incidenttasks", "isdone,dueon"),
        "notifications": await _of(visit, "breachnotifications", "createdon desc"),
        "authorities": await visit.api.rows_if_allowed("supervisoryauthorities", {"$orderby": "name"}) or (),
        "states": [each for each in visit.options("securityincident", "state") if each[0] != _CLOSED],
        "risks": visit.options("securityincident", "risklevel"),
        "recipients": visit.options("breachnotification", "recipient"),
        "preview": await _preview(visit),
        "sent": sent,
        "problem": problem,
    }
    name = text(row.get("name"))
    crumbs = (Crumb(visit.texts("Incidents"), visit.address("incidents")), Crumb(name))
    return visit.render("incident.html", name, context, crumbs=crumbs, status=problem.status if problem else 200)


def _tone(row: Json) -> str:
    severity = row.get("severity")
    return _TONES.get(severity, "") if isinstance(severity, int) else ""


async def _of(visit: Visit, entity_set: str, order: str) -> Sequence[Json]:
    options = {"$filter": f"_securityincidentid_value eq {visit.row_id()}", "$orderby": order}
    return await visit.api.rows_if_allowed(entity_set, options, most=_MOST) or ()


async def _preview(visit: Visit) -> Json:
    """What a notification would say, and what it lacks: asked for with `preview`."""
    wanted = visit.parameter("preview")
    if not wanted.isdigit() or int(wanted) not in _RECIPIENTS:
        return {}
    return await visit.api.ask("PreviewNotification", SecurityIncidentId=visit.row_id(), Recipient=int(wanted))


async def _act(visit: Visit, form: FormData) -> Response:
    incident = visit.row_id()
    about: dict[str, object] = {"SecurityIncidentId": incident}
    match line(form, "act"):
        case "declare":
            risk = {"RiskLevel": whole(form, "risk"), "Assessment": line(form, "assessment")}
            await visit.api.send("POST", "DeclareBreach", about | risk | filled(AwareOn=moment(visit, form, "awareon")))
        case "note":
            step = filled(Name=line(form, "name"), Note=line(form, "note"))
            await visit.api.send("POST", "AddIncidentStep", about | {"Name": ""} | step)
        case "state":
            await visit.api.send("PATCH", f"securityincidents({incident})", {"state": whole(form, "state")})
        case "task":
            task = filled(name=line(form, "name"), dueon=moment(visit, form, "dueon"))
            bound = {"securityincidentid@odata.bind": f"/securityincidents({incident})"}
            await visit.api.send("POST", "incidenttasks", task | bound)
        case "done":
            await visit.api.send("PATCH", f"incidenttasks({line(form, 'task')})", {"isdone": True})
        case "notify":
            await visit.api.send("POST", _RECIPIENTS.get(whole(form, "recipient"), ""), about | _notice(form))
        case "scope":
            await visit.api.send("POST", "RecordIncidentScope", about | {"Parts": await _parts(visit, form)})
        case "close":
            await visit.api.send("POST", "CloseIncident", about | {"Lessons": line(form, "lessons")})
        case _:
            raise ApiError(400, "", visit.texts("Choose what is to be done."))
    return visit.redirect(f"incidents/{incident}", done="saved")


def _notice(form: FormData) -> dict[str, object]:
    """The arguments of a notification; each kind takes those that make sense for it."""
    recipient = whole(form, "recipient")
    exception = filled(Exception=line(form, "exception")) if recipient != 3 else {}
    authority = filled(SupervisoryAuthorityId=line(form, "authority"), DelayReason=line(form, "delay"))
    return exception | (authority if recipient == 1 else {})


async def _parts(visit: Visit, form: FormData) -> Sequence[Json]:
    """The parts of a scope, out of the file that an environment gave."""
    file = form.get("file")
    content = await file.read(_LARGEST_SCOPE + 1) if isinstance(file, UploadFile) else b""
    try:
        parts = objects(as_object(orjson.loads(content)).get("Parts")) if len(content) <= _LARGEST_SCOPE else ()
    except orjson.JSONDecodeError:
        parts = ()
    if not parts:
        raise ApiError(400, "", visit.texts("Choose the file that the page 'What somebody could see' gave you."))
    return parts


PAGES = (
    Page("/incidents", show, "incidents", ("GET", "POST")),
    Page("/incidents/{id}", one, "incidents", ("GET", "POST")),
)
