"""Programs that get tokens by themselves, in the control environment: registered, given secrets and certificates, which
change without a gap (TS-716, TS-717). A secret is on the page that made it and nowhere else."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.datastructures import FormData
from starlette.responses import Response

from strongroom.console.api import ApiError, Json, text
from strongroom.console.page import Page
from strongroom.console.sent import filled, line, whole
from strongroom.console.visit import Crumb, Visit

_MOST = 200
_USUAL_OVERLAP_DAYS = 7


@dataclass(frozen=True, slots=True)
class Shown:
    """A secret, on the one page that ever shows it."""

    secret: str
    ends: str


async def show(visit: Visit) -> Response:
    """All programs; registering one."""
    visit.require_control()
    problem: ApiError | None = None
    sent: Mapping[str, str] = {}
    if visit.request.method == "POST":
        form = await visit.form()
        sent = {name: text(value) for name, value in form.items()}
        body: dict[str, object] = {"Name": line(form, "name"), "IsPublic": bool(line(form, "public"))}
        addresses = line(form, "redirects").split()
        try:
            made = await visit.api.send(
                "POST",
                "AddApplication",
                body | filled(ClientId=line(form, "client")) | ({"RedirectUris": addresses} if addresses else {}),
            )
            return visit.redirect(f"applications/{made.body['ApplicationRegistrationId']}", done="created")
        except ApiError as error:
            problem = error
    rows = await visit.api.rows_if_allowed("applicationregistrations", {"$orderby": "name"}, most=_MOST)
    context = {"rows": rows, "sent": sent, "problem": problem}
    status = problem.status if problem else 200
    return visit.render("applications.html", visit.texts("Programs"), context, status=status)


async def one(visit: Visit) -> Response:
    """One program and how it proves who it is."""
    visit.require_control()
    row = await visit.api.get(f"applicationregistrations({visit.row_id()})")
    problem: ApiError | None = None
    shown: Shown | None = None
    if visit.request.method == "POST":
        try:
            done = await _act(visit, await visit.form(), row)
        except ApiError as error:
            problem = error
        else:
            if isinstance(done, Response):
                return done
            shown = done
    credentials = await visit.api.rows_if_allowed(
        "applicationcredentials",
        {
            "$select": "name,kind,expireson,lastusedon,subject,thumbprint,createdon",
            "$filter": f"_applicationregistrationid_value eq {visit.row_id()}",
            "$orderby": "createdon desc",
        },
    )
    name = text(row.get("name"))
    context = {
        "row": row,
        "credentials": credentials,
        "shown": shown,
        "overlap": _USUAL_OVERLAP_DAYS,
        "problem": problem,
    }
    crumbs = (Crumb(visit.texts("Programs"), visit.address("applications")), Crumb(name))
    return visit.render("application.html", name, context, crumbs=crumbs, status=problem.status if problem else 200)


async def _act(visit: Visit, form: FormData, row: Json) -> Response | Shown:
    program: dict[str, object] = {"ClientId": row.get("clientid")}
    match line(form, "act"):
        case "secret":
            made = await visit.api.send(
                "POST", "AddApplicationSecret", program | filled(Days=whole(form, "days") or None)
            )
            return _shown(visit, made.body)
        case "rotate":
            overlap = {"OverlapDays": whole(form, "overlap")}
            return _shown(visit, (await visit.api.send("POST", "RotateApplicationSecret", program | overlap)).body)
        case "certificate":
            certificate = {"Certificate": line(form, "certificate")}
            await visit.api.send("POST", "AddApplicationCertificate", program | certificate)
        case "remove":
            await visit.api.send("POST", "RemoveApplicationCredential", {"CredentialId": line(form, "credential")})
        case "on" | "off" as wanted:
            address = f"applicationregistrations({visit.row_id()})"
            await visit.api.send("PATCH", address, {"isenabled": wanted == "on"})
        case _:
            raise ApiError(400, "", visit.texts("Choose what is to be done."))
    return visit.redirect(f"applications/{visit.row_id()}", done="saved")


def _shown(visit: Visit, made: Json) -> Shown:
    return Shown(text(made.get("Secret")), visit.moment(text(made.get("ExpiresOn"))))


PAGES = (
    Page("/applications", show, "applications", ("GET", "POST")),
    Page("/applications/{id}", one, "applications", ("GET", "POST")),
)
