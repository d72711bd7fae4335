"""Users and teams: their roles and where each comes from, what they belong to, and what they see."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.responses import Response

from strongroom.console.api import ApiError, Json, formatted, objects, reference, text
from strongroom.console.data.filters import quoted
from strongroom.console.data.lists import PAGE_SIZE
from strongroom.console.page import Page
from strongroom.console.security.membership import roles_of_unit
from strongroom.console.visit import Crumb, Visit
from strongroom.ids import Guid

_CHAIN = 12


@dataclass(frozen=True, slots=True)
class HeldRole:
    """A role somebody has: `via` names the team that brings it, empty for one's own."""

    id: str
    name: str
    unit: str
    via: str
    via_id: str


async def people(visit: Visit) -> Response:
    """Users, and teams."""
    wanted = visit.parameter("q")
    is_teams = visit.parameter("kind") == "teams"
    name = "name" if is_teams else "fullname"
    options = {
        "$select": f"{name},_businessunitid_value," + ("teamtype" if is_teams else "domainname,isdisabled,accessmode"),
        "$orderby": name,
    }
    if wanted:
        options["$filter"] = f"contains({name},{quoted(wanted)})" + (
            "" if is_teams else f" or contains(domainname,{quoted(wanted)})"
        )
    rows = await visit.api.rows("teams" if is_teams else "systemusers", options, most=PAGE_SIZE * 4)
    context = {"rows": rows, "is_teams": is_teams, "wanted": wanted, "most": PAGE_SIZE * 4}
    return visit.render("people.html", visit.texts("People"), context)


async def person(visit: Visit) -> Response:
    """One user: where they stand, what they hold, and what they see."""
    user_id = visit.row_id()
    user = await visit.api.get(f"systemusers({user_id})")
    teams = await visit.api.rows_if_allowed(
        f"systemusers({user_id})/teammembership_association", {"$select": "name,teamtype,isdefault", "$orderby": "name"}
    )
    problem: ApiError | None = None
    sees: Sequence[tuple[str, str, int, int, int]] = ()
    try:
        sees = await _sees(visit, user_id)
    except ApiError as error:
        if error.status != 403:
            raise
        problem = error
    context = {
        "user": user,
        "user_id": user_id,
        "teams": teams,
        "roles": await _roles(visit, user_id, teams or ()),
        "givable": await roles_of_unit(visit, user),
        "managers": await _managers(visit, user),
        "profiles": await visit.api.rows_if_allowed(
            f"systemusers({user_id})/systemuserprofiles_association", {"$select": "name"}
        ),
        "sees": sees,
        "problem": problem,
    }
    name = formatted(user, "fullname") or visit.texts("(no name)")
    crumbs = (Crumb(visit.texts("People"), visit.address("people")), Crumb(name))
    return visit.render("person.html", name, context, crumbs=crumbs)


async def team(visit: Visit) -> Response:
    """One team: its members and roles."""
    team_id = visit.row_id()
    row = await visit.api.get(f"teams({team_id})")
    members = await visit.api.rows(
        f"teams({team_id})/teammembership_association", {"$select": "fullname,domainname", "$orderby": "fullname"}
    )
    roles = await visit.api.rows_if_allowed(
        f"teams({team_id})/teamroles_association", {"$select": "name,_businessunitid_value"}
    )
    profiles = await visit.api.rows_if_allowed(f"teams({team_id})/teamprofiles_association", {"$select": "name"})
    context = {
        "team": row,
        "members": members,
        "roles": roles,
        "givable": await roles_of_unit(visit, row),
        "profiles": profiles,
    }
    crumbs = (
        Crumb(visit.texts("People"), visit.address("people")),
        Crumb(visit.texts("Teams"), visit.address("people", kind="teams")),
        Crumb(formatted(row, "name")),
    )
    return visit.render("team.html", formatted(row, "name"), context, crumbs=crumbs)


async def _roles(visit: Visit, user_id: str, teams: Sequence[Json]) -> Sequence[HeldRole] | None:
    """The roles of a user, direct ones and those of teams; None where the visitor may not read roles."""
    options = {"$select": "name,_businessunitid_value"}
    own = await visit.api.rows_if_allowed(f"systemusers({user_id})/systemuserroles_association", options)
    if own is None:
        return None
    found = [_held(role, "", "") for role in own]
    for each in teams:
        brought = await visit.api.rows(f"teams({text(each['teamid'])})/teamroles_association", options)
        found += [_held(role, text(each.get("name")), text(each["teamid"])) for role in brought]
    return sorted(found, key=lambda role: (role.name.casefold(), role.via.casefold()))


def _held(role: Json, via: str, via_id: str) -> HeldRole:
    return HeldRole(text(role["roleid"]), text(role.get("name")), formatted(role, "_businessunitid_value"), via, via_id)


async def _managers(visit: Visit, user: Json) -> Sequence[tuple[str, str]]:
    """(id, name) of the managers above a user, the nearest first, as far as the visitor may read."""
    found: list[tuple[str, str]] = []
    current = user
    while len(found) < _CHAIN:
        manager = text(current.get("_parentsystemuserid_value"))
        if not manager or manager in [each[0] for each in found]:
            break
        found.append((manager, formatted(current, "_parentsystemuserid_value")))
        try:
            current = await visit.api.get(f"systemusers({manager})", {"$select": "_parentsystemuserid_value"})
        except ApiError:
            break
    return found


async def _sees(visit: Visit, user_id: Guid) -> Sequence[tuple[str, str, int, int, int]]:
    """(table, its name, rows seen, all rows, percent) for each table of which the user sees anything."""
    found = await visit.api.ask("sr_WhatCan", Principal=reference("systemusers", user_id))
    lines: list[tuple[str, str, int, int, int]] = []
    for each in objects(found.get("Tables")):
        rows, total = each.get("Rows"), each.get("Total")
        table = visit.schema.tables.get(text(each.get("Table")))
        if isinstance(rows, int) and isinstance(total, int) and rows and table is not None:
            lines.append(
                (
                    table.logical_name,
                    table.collection_label or table.label,
                    rows,
                    total,
                    round(100 * rows / max(total, 1)),
                )
            )
    return lines


PAGES = (
    Page("/people", people, "people"),
    Page("/people/{id}", person, "people"),
    Page("/teams/{id}", team, "people"),
)
