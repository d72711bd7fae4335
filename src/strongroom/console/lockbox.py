"""Access of support by consent: asked for, decided, watched and ended; emergencies with two people and their review.

Requests live in the control environment. What support does with its access is in the environment it was given for.
"""

from collections.abc import Mapping, Sequence

from starlette.datastructures import FormData
from starlette.responses import Response

from strongroom.console.api import ApiError, Json, text
from strongroom.console.data.lookups import find_row
from strongroom.console.page import Page
from strongroom.console.visit import Crumb, Visit
from strongroom.lockbox.scope import VERBS

_MOST = 100
_COMMANDS = 200
_TONES = {1: "warn", 2: "good", 3: "", 4: "", 5: "", 6: ""}
_ACTIONS: Mapping[str, tuple[str, bool]] = {
    "second": ("ApproveInternally", False),
    "approve": ("ApproveLockboxRequest", False),
    "deny": ("DenyLockboxRequest", True),
    "revoke": ("RevokeLockboxAccess", True),
}
"""The action by the button's name, and whether it takes a reason."""

_EMERGENCY_ACTIONS: Mapping[str, tuple[str, bool]] = {
    "confirm": ("ConfirmBreakGlass", False),
    "end": ("EndBreakGlass", False),
    "review": ("ReviewBreakGlass", True),
}


async def show(visit: Visit) -> Response:
    """The requests, those that wait first, and the emergencies; here support asks for access."""
    if not visit.is_control:
        return await _sessions(visit)
    problem: ApiError | None = None
    sent: Mapping[str, str] = {}
    if visit.request.method == "POST":
        form = await visit.form()
        sent = {name: text(value).strip() for name, value in form.items()}
        try:
            return await _ask(visit, form)
        except ApiError as error:
            problem = error
    requests = await visit.api.rows_if_allowed("lockboxrequests", {"$orderby": "requestedon desc"}, most=_MOST)
    emergencies = await visit.api.rows_if_allowed("lockboxexclusions", {"$orderby": "createdon desc"}, most=_MOST)
    context = {
        "requests": sorted(requests or (), key=lambda row: row.get("requeststatus") != 1),
        "emergencies": emergencies or (),
        "tones": _TONES,
        "environments": [name for name in visit.environments if name != visit.environment.name],
        "verbs": tuple(VERBS),
        "sent": sent,
        "problem": problem,
    }
    status = problem.status if problem else 200
    return visit.render("lockbox.html", visit.texts("Access of support"), context, status=status)


async def _sessions(visit: Visit) -> Response:
    """What support was given in this environment, and what it did with it."""
    sessions = await visit.api.rows_if_allowed("lockboxsessions", {"$orderby": "startedon desc"}, most=_MOST)
    commands = await visit.api.rows_if_allowed("lockboxcommands", {"$orderby": "createdon desc"}, most=_COMMANDS)
    context = {"sessions": sessions, "commands": commands or ()}
    return visit.render("lockbox-sessions.html", visit.texts("Access of support"), context)


async def _ask(visit: Visit, form: FormData) -> Response:
    minutes = text(form.get("minutes"))
    body: dict[str, object] = {
        "EnvironmentId": text(form.get("environment")),
        "Tables": _words(form, "tables"),
        "Verbs": [text(each) for each in form.getlist("verb")],
        "Minutes": int(minutes) if minutes.isascii() and minutes.isdigit() else 0,
        "Justification": text(form.get("justification")).strip(),
    }
    case, columns = text(form.get("case")).strip(), _words(form, "columns")
    if case:
        body["SupportCaseId"] = case
    if columns:
        body["Columns"] = columns
    answer = await visit.api.send("POST", "RequestSupportAccess", body)
    return visit.redirect(f"lockbox/{answer.body['LockboxRequestId']}", done="lockbox-asked")


def _words(form: FormData, name: str) -> Sequence[str]:
    return [word for word in text(form.get(name)).replace(",", " ").split() if word]


async def request(visit: Visit) -> Response:
    """One request: who, what, why and for how long; deciding it, and ending what it gave."""
    problem: ApiError | None = None
    request_id = visit.row_id()
    if visit.request.method == "POST":
        form = await visit.form()
        action, with_reason = _ACTIONS.get(text(form.get("act")), ("", False))
        try:
            if not action:
                raise ApiError(400, "", visit.texts("Choose what is to be done."))
            reason = {"Reason": text(form.get("reason")).strip()} if with_reason else {}
            await visit.api.send("POST", action, {"LockboxRequestId": request_id, **reason})
            return visit.redirect(f"lockbox/{request_id}", done="lockbox-decided")
        except ApiError as error:
            problem = error
    row = await visit.api.get(f"lockboxrequests({request_id})")
    status = row.get("requeststatus")
    context = {
        "row": row,
        "tone": _TONES.get(status, "") if isinstance(status, int) else "",
        "is_waiting": status == 1,
        "is_open": status == 2,
        "problem": problem,
    }
    return _render(visit, "lockbox-request.html", row, context, problem)


async def emergency(visit: Visit) -> Response:
    """One emergency: its two people, its end and its review."""
    problem: ApiError | None = None
    exclusion_id = visit.row_id()
    if visit.request.method == "POST":
        form = await visit.form()
        action, with_note = _EMERGENCY_ACTIONS.get(text(form.get("act")), ("", False))
        try:
            if not action:
                raise ApiError(400, "", visit.texts("Choose what is to be done."))
            note = {"Note": text(form.get("note")).strip()} if with_note else {}
            await visit.api.send("POST", action, {"ExclusionId": exclusion_id, **note})
            return visit.redirect(f"lockbox/emergencies/{exclusion_id}", done="lockbox-decided")
        except ApiError as error:
            problem = error
    row = await visit.api.get(f"lockboxexclusions({exclusion_id})")
    context = {"row": row, "state": row.get("exclusionstate"), "problem": problem}
    return _render(visit, "lockbox-emergency.html", row, context, problem)


async def break_glass(visit: Visit) -> Response:
    """Ask for access without consent."""
    form = await visit.form()
    _, second = await find_row(visit, ("systemuser",), text(form.get("second")).strip())
    body = {
        "EnvironmentId": text(form.get("environment")),
        "Reason": text(form.get("reason")).strip(),
        "SecondOperatorId": second,
    }
    answer = await visit.api.send("POST", "BreakGlass", body)
    return visit.redirect(f"lockbox/emergencies/{answer.body['ExclusionId']}", done="lockbox-asked")


def _render(
    visit: Visit, template: str, row: Json, context: Mapping[str, object], problem: ApiError | None
) -> Response:
    name = text(row.get("name"))
    crumbs = (Crumb(visit.texts("Access of support"), visit.address("lockbox")), Crumb(name))
    return visit.render(template, name, context, crumbs=crumbs, status=problem.status if problem else 200)


PAGES = (
    Page("/lockbox", show, "lockbox", ("GET", "POST")),
    Page("/lockbox/emergencies", break_glass, "lockbox", ("POST",)),
    Page("/lockbox/emergencies/{id}", emergency, "lockbox", ("GET", "POST")),
    Page("/lockbox/{id}", request, "lockbox", ("GET", "POST")),
)
