"""Application users: the programs that may enter this environment, each a user with roles of its own (TS-716).

What a program proves who it is with is kept in the control environment (`console/applications.py`).
"""

from collections.abc import Mapping

from starlette.datastructures import FormData
from starlette.responses import Response

from strongroom.console.api import ApiError, text
from strongroom.console.data.lookups import find_row
from strongroom.console.page import Page
from strongroom.console.sent import line
from strongroom.console.visit import Visit
from strongroom.ids import parse_guid

_MOST = 200
_NON_INTERACTIVE = 4


async def show(visit: Visit) -> Response:
    """The application users; letting a program in."""
    problem: ApiError | None = None
    sent: Mapping[str, str] = {}
    if visit.request.method == "POST":
        form = await visit.form()
        sent = {name: text(value) for name, value in form.items()}
        try:
            return await _let_in(visit, form)
        except ApiError as error:
            problem = error
    options = {
        "$select": "fullname,applicationid,isdisabled,_businessunitid_value",
        "$filter": "applicationid ne null",
        "$orderby": "fullname",
    }
    rows = await visit.api.rows("systemusers", options, most=_MOST)
    context = {"rows": rows, "sent": sent, "problem": problem}
    status = problem.status if problem else 200
    return visit.render("programs.html", visit.texts("Application users"), context, status=status)


async def _let_in(visit: Visit, form: FormData) -> Response:
    client = parse_guid(line(form, "client"))
    if client is None:
        raise ApiError(400, "", visit.texts("The client id is a GUID: the page of the program has it."))
    unit, role = line(form, "unit"), line(form, "role")
    _, unit_id = await find_row(visit, ("businessunit",), unit) if unit else (None, await _own_unit(visit))
    role_id = await _role(visit, role, unit_id) if role else ""
    body = {
        "domainname": f"app-{client}",
        "lastname": line(form, "name"),
        "applicationid": client,
        "accessmode": _NON_INTERACTIVE,
        "businessunitid@odata.bind": f"/businessunits({unit_id})",
    }
    made = await visit.api.send("POST", "systemusers", body)
    if role_id:
        link = {"@odata.id": visit.api.row_address("roles", role_id)}
        await visit.api.send("POST", f"systemusers({made.created_id})/systemuserroles_association/$ref", link)
    return visit.redirect(f"people/{made.created_id}", done="created")


async def _own_unit(visit: Visit) -> str:
    return text((await visit.api.ask("WhoAmI")).get("BusinessUnitId"))


async def _role(visit: Visit, name: str, unit_id: str) -> str:
    """The role of this name in a business unit. Raises `ApiError` 400."""
    wanted = name.replace("'", "''")
    options = {"$select": "name", "$filter": f"name eq '{wanted}' and _businessunitid_value eq {unit_id}"}
    rows = await visit.api.rows("roles", options, most=1)
    if not rows:
        raise ApiError(400, "", visit.texts("The business unit has no role '%(name)s'.", name=name))
    return text(rows[0]["roleid"])


PAGES = (Page("/application-users", show, "people", ("GET", "POST")),)
