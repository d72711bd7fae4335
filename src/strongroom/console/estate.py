"""The home's environments, their back-ups and the keys that customers hold, in the console of the control environment.

What is asked for here is written down and done by the server; the page of an operation follows it to its end.
"""

from collections.abc import Mapping, Sequence

from starlette.datastructures import FormData
from starlette.responses import Response

from strongroom.console.api import ApiError, Json, text
from strongroom.console.page import Page
from strongroom.console.visit import Crumb, Visit

_READY, _LOCKED, _DELETED, _PURGED = 1, 4, 5, 6
_TONES = {1: "good", 2: "", 3: "warn", 4: "bad", 5: "bad", 6: "", 7: "bad", 8: "warn"}
_RUNNING = (1, 2)
_RESULT_TONES = {1: "", 2: "", 3: "good", 4: "bad"}
_NEWEST = 25
_FOLLOW_S = 2
_COLUMNS = (
    "name,uniquename,environmenttype,state,region,engine,sizebytes,message,deletedon,recoverableuntil,keyversion,"
    "lockedby,lastbackupon,lastverifiedon"
)
_ACTIONS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "backup": ("BackupEnvironment", ("Label",)),
    "suspend": ("SuspendEnvironment", ("Message",)),
    "administer": ("StartAdministrationMode", ("Message",)),
    "open": ("OpenEnvironment", ()),
    "reset": ("ResetEnvironment", ("Confirm",)),
    "delete": ("DeleteEnvironment", ("Confirm",)),
    "recover": ("RecoverEnvironment", ("Confirm",)),
    "purge": ("PurgeEnvironment", ("Confirm",)),
}
"""Actions on one environment by the button's name, with the fields that they take."""

_KEY_ACTIONS = {"rotate": "RotateKey", "revoke": "RevokeKey", "restore": "RestoreKeyAccess"}


def _require_control(visit: Visit) -> None:
    if not visit.is_control:
        raise ApiError(404, "", visit.texts("Environments are looked after in the control environment."))


async def show(visit: Visit) -> Response:
    """All environments, and what was done last."""
    _require_control(visit)
    problem: ApiError | None = None
    if visit.request.method == "POST":
        form = await visit.form()
        body = {"Name": text(form.get("name")).strip(), "Type": _whole(form, "type")}
        try:
            return await _ask(visit, "CreateEnvironment", body)
        except ApiError as error:
            problem = error
    rows = await visit.api.rows("environments", {"$select": _COLUMNS, "$orderby": "uniquename"})
    operations = await visit.api.rows(
        "environmentoperations",
        {"$select": "name,kind,requestedby,startedon,endedon,result,createdon", "$orderby": "createdon desc"},
        most=_NEWEST,
    )
    context = {
        "rows": rows,
        "operations": operations,
        "tones": _TONES,
        "results": _RESULT_TONES,
        "types": _options(visit, "environment", "environmenttype"),
        "problem": problem,
    }
    status = problem.status if problem else 200
    return visit.render("estate.html", visit.texts("Environments"), context, status=status)


async def one(visit: Visit) -> Response:
    """One environment: its state and back-ups, and what may be done with it."""
    _require_control(visit)
    problem: ApiError | None = None
    if visit.request.method == "POST":
        try:
            return await _act(visit, await visit.form())
        except ApiError as error:
            problem = error
    row = await visit.api.get(f"environments({visit.row_id()})", {"$select": _COLUMNS})
    backups = await visit.api.rows_if_allowed(
        "environmentbackups",
        {"$filter": f"environmentuid eq {visit.row_id()} and removedon eq null", "$orderby": "takenon desc"},
        most=_NEWEST * 4,
    )
    others = await visit.api.rows(
        "environments", {"$select": "uniquename", "$filter": "state eq 1 and environmenttype ne 1"}
    )
    targets = [(text(each["environmentid"]), text(each["uniquename"])) for each in others]
    state = row.get("state")
    context = {
        "row": row,
        "tone": _TONES.get(state, "") if isinstance(state, int) else "",
        "is_deleted": state == _DELETED,
        "is_ready": state == _READY,
        "is_gone": state == _PURGED,
        "backups": backups,
        "targets": targets,
        "others": [each for each in targets if each[0] != visit.row_id()],
        "types": _options(visit, "environment", "environmenttype"),
        "keys": await _keys(visit),
        "problem": problem,
    }
    name = text(row.get("uniquename"))
    crumbs = (Crumb(visit.texts("Environments"), visit.address("estate")), Crumb(name))
    status = problem.status if problem else 200
    return visit.render("estate-environment.html", name, context, crumbs=crumbs, status=status)


async def _act(visit: Visit, form: FormData) -> Response:
    act, environment = text(form.get("act")), visit.row_id()
    if act in _ACTIONS:
        action, fields = _ACTIONS[act]
        given = {name: text(form.get(name.lower())).strip() for name in fields}
        return await _ask(visit, action, {"EnvironmentId": environment} | {n: v for n, v in given.items() if v})
    match act:
        case "convert":
            return await _ask(visit, "ConvertEnvironment", {"EnvironmentId": environment, "Type": _whole(form, "type")})
        case "copy":
            body = {"SourceId": environment, "TargetId": text(form.get("target")), "Kind": _whole(form, "kind")}
            return await _ask(visit, "CopyEnvironment", body)
        case "verify":
            return await _ask(visit, "VerifyBackup", {"BackupId": text(form.get("backup"))})
        case "restore":
            body = {"BackupId": text(form.get("backup")), "TargetId": text(form.get("target"))}
            return await _ask(visit, "RestoreEnvironment", body)
        case "keys":
            body = {"EnvironmentId": environment, "KeyReferenceIds": [text(each) for each in form.getlist("key")]}
            return await _ask(visit, "AssignCustomerKeys", body)
        case _:
            raise ApiError(400, "", visit.texts("Choose what is to be done."))


async def keys(visit: Visit) -> Response:
    """The keys that customers hold."""
    _require_control(visit)
    problem: ApiError | None = None
    if visit.request.method == "POST":
        form = await visit.form()
        act = text(form.get("act"))
        try:
            if act in _KEY_ACTIONS:
                reason = text(form.get("reason")).strip()
                body = {"KeyReferenceId": text(form.get("key"))} | ({"Reason": reason} if act == "revoke" else {})
                return await _ask(visit, _KEY_ACTIONS[act], body)
            raise ApiError(400, "", visit.texts("Choose what is to be done."))
        except ApiError as error:
            problem = error
    context = {"keys": await _keys(visit), "problem": problem}
    crumbs = (Crumb(visit.texts("Environments"), visit.address("estate")), Crumb(visit.texts("Keys")))
    status = problem.status if problem else 200
    return visit.render("estate-keys.html", visit.texts("Keys of customers"), context, crumbs=crumbs, status=status)


async def operation(visit: Visit) -> Response:
    """One operation; the page looks again until it has ended."""
    _require_control(visit)
    row = await visit.api.get(f"environmentoperations({visit.row_id()})")
    result = row.get("result")
    is_running = result in _RUNNING
    context = {
        "row": row,
        "is_running": is_running,
        "tone": _RESULT_TONES.get(result, "") if isinstance(result, int) else "",
    }
    crumbs = (Crumb(visit.texts("Environments"), visit.address("estate")), Crumb(text(row.get("name"))))
    response = visit.render("estate-operation.html", text(row.get("name")), context, crumbs=crumbs)
    if is_running:
        response.headers["Refresh"] = str(_FOLLOW_S)
    return response


async def _ask(visit: Visit, action: str, body: Json) -> Response:
    answer = await visit.api.send("POST", action, body)
    return visit.redirect(f"estate/operations/{answer.body['OperationId']}")


async def _keys(visit: Visit) -> Sequence[Json]:
    return await visit.api.rows_if_allowed("keyreferences", {"$orderby": "name"}) or ()


def _options(visit: Visit, table: str, column: str) -> Sequence[tuple[int, str]]:
    return [(option.value, option.label) for option in visit.table(table).columns[column].options]


def _whole(form: FormData, name: str) -> int:
    given = text(form.get(name))
    return int(given) if given.isascii() and given.isdigit() else 0


PAGES = (
    Page("/estate", show, "estate", ("GET", "POST")),
    Page("/estate/keys", keys, "estate", ("GET", "POST")),
    Page("/estate/operations/{id}", operation, "estate"),
    Page("/estate/{id}", one, "estate", ("GET", "POST")),
)
