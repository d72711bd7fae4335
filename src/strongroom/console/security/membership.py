"""Giving and taking: roles of users and teams, members of teams. The form of `person.html` and `team.html`."""

from collections.abc import Sequence

from starlette.responses import Response

from strongroom.console.api import ApiError, Json, text
from strongroom.console.data.lookups import find_row
from strongroom.console.page import Handler, Page
from strongroom.console.sent import line
from strongroom.console.visit import Visit

_MOST = 300


async def roles_of_unit(visit: Visit, row: Json) -> Sequence[tuple[str, str]]:
    """(id, name) of the roles that a user or team of a business unit can be given; none where the visitor may not
    read them."""
    unit = text(row.get("_businessunitid_value"))
    options = {"$select": "name", "$filter": f"_businessunitid_value eq {unit}", "$orderby": "name"}
    rows = await visit.api.rows_if_allowed("roles", options, most=_MOST) if unit else ()
    return [(text(each["roleid"]), text(each.get("name"))) for each in rows or ()]


def _links(owners: str, navigation: str, linked: str, table: str, pages: str) -> Handler:
    """A form that links rows to the one of the address (`act` is give), or takes one away (`act` is take)."""

    async def change(visit: Visit) -> Response:
        form = await visit.form()
        owner = f"{owners}({visit.row_id()})/{navigation}"
        wanted = line(form, table)
        if not wanted:
            raise ApiError(400, "", visit.texts("Choose who or what is to be given."))
        _, row_id = await find_row(visit, (table,), wanted)
        is_given = line(form, "act") == "give"
        if is_given:
            await visit.api.send("POST", f"{owner}/$ref", {"@odata.id": visit.api.row_address(linked, row_id)})
        else:
            await visit.api.send("DELETE", f"{owner}({row_id})/$ref")
        done = ("role-given" if is_given else "role-taken") if table == "role" else "saved"
        return visit.redirect(f"{pages}/{visit.row_id()}", done=done)

    return change


PAGES = (
    Page(
        "/people/{id}/roles",
        _links("systemusers", "systemuserroles_association", "roles", "role", "people"),
        "people",
        ("POST",),
    ),
    Page("/teams/{id}/roles", _links("teams", "teamroles_association", "roles", "role", "teams"), "people", ("POST",)),
    Page(
        "/teams/{id}/members",
        _links("teams", "teammembership_association", "systemusers", "systemuser", "teams"),
        "people",
        ("POST",),
    ),
)
