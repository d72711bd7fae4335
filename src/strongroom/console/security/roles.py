"""Security roles: the list, the matrix, two side by side, copies, and the effect of a change before it is saved."""

from collections.abc import Mapping, Sequence

from starlette.responses import Response

from strongroom.access.rights import RIGHT_NAMES
from strongroom.console.api import ApiError, Json, as_object, formatted, objects, text
from strongroom.console.data.lookups import find_row
from strongroom.console.page import Page
from strongroom.console.security.matrix import (
    NOTHING,
    RIGHTS,
    SYMBOLS,
    RoleChange,
    change_in,
    held_depths,
    lines_of,
    other_privileges,
)
from strongroom.console.security.words import depth_name
from strongroom.console.visit import Crumb, Visit

_NO_CHANGE = RoleChange({})


async def roles(visit: Visit) -> Response:
    """Every role once: its copies in other business units are the same role."""
    wanted = visit.parameter("q").casefold()
    rows = await visit.api.rows(
        "roles", {"$select": "name,_businessunitid_value", "$filter": "_parentroleid_value eq null", "$orderby": "name"}
    )
    shown = [row for row in rows if wanted in text(row.get("name")).casefold()]
    return visit.render("roles.html", visit.texts("Security roles"), {"rows": shown, "wanted": visit.parameter("q")})


async def role(visit: Visit) -> Response:
    """One role as a matrix; sending it shows the effect, and sending it from there saves it."""
    row = await visit.api.get(f"roles({visit.row_id()})")
    root = text(row.get("_parentrootroleid_value")) or visit.row_id()
    held = await held_depths(visit, root)
    if visit.request.method == "GET":
        return await _matrix(visit, row, root, held, _NO_CHANGE)
    form = await visit.form()
    sent = {name: value for name, value in form.multi_items() if isinstance(value, str)}
    change = change_in(visit, sent, held)
    if not change.depths:
        return await _matrix(visit, row, root, held, change, visit.texts("Nothing is changed."))
    if sent.get("step") == "save":
        try:
            await _save(visit, root, held, change)
        except ApiError as error:
            return await _matrix(visit, row, root, held, change, error.message)
        return visit.redirect(f"roles/{root}", done="role-saved")
    if sent.get("step") == "edit":
        return await _matrix(visit, row, root, held, change)
    return await _effect(visit, row, root, held, change)


async def _matrix(
    visit: Visit, row: Json, root: str, held: Mapping[str, str], change: RoleChange, problem: str = ""
) -> Response:
    only_held = visit.parameter("all") != "1"
    wanted = visit.parameter("q")
    options = {"$select": "fullname", "$orderby": "fullname"}
    context = {
        "row": row,
        "root": root,
        "lines": lines_of(visit, held, change, wanted, only_held=only_held),
        "others": other_privileges(visit, held, change, wanted, only_held=only_held),
        "rights": [RIGHT_NAMES[right].removesuffix("Access") for right in RIGHTS],
        "symbols": SYMBOLS,
        "depth_names": _depth_names(visit),
        "only_held": only_held,
        "wanted": wanted,
        "problem": problem,
        "holders": await visit.api.rows_if_allowed(
            f"roles({visit.row_id()})/systemuserroles_association", options, most=25
        ),
        "teams": await visit.api.rows_if_allowed(
            f"roles({visit.row_id()})/teamroles_association", {"$select": "name"}, most=25
        ),
    }
    name = formatted(row, "name")
    crumbs = (Crumb(visit.texts("Security roles"), visit.address("roles")), Crumb(name))
    return visit.render("role.html", name, context, crumbs=crumbs, status=400 if problem else 200)


def _depth_names(visit: Visit) -> Mapping[str, str]:
    return {depth: depth_name(visit.texts, depth) or visit.texts("None") for depth in SYMBOLS}


async def _effect(visit: Visit, row: Json, root: str, held: Mapping[str, str], change: RoleChange) -> Response:
    """Who would gain and lose what, before anything is saved."""
    problem: ApiError | None = None
    found: Json = {}
    try:
        body = change.proposal(root)
        found = await visit.api.ask("sr_PreviewChange", Change=body)
    except ApiError as error:
        problem = error  # somebody may change roles and yet not ask about others; the role can still be saved
    context = {
        "row": row,
        "root": root,
        "changes": [
            (name, depth_name(visit.texts, held.get(name, NOTHING)) or "—", depth_name(visit.texts, depth) or "—")
            for name, depth in sorted(change.depths.items())
        ],
        "sent": change.depths,
        "tables": [(each, _examples(each)) for each in objects(found.get("Tables"))],
        "columns": objects(found.get("Columns")),
        "problem": problem,
        "labels": {name: table.collection_label or table.label for name, table in visit.schema.tables.items()},
    }
    name = formatted(row, "name")
    crumbs = (
        Crumb(visit.texts("Security roles"), visit.address("roles")),
        Crumb(name, visit.address(f"roles/{root}")),
        Crumb(visit.texts("Effect")),
    )
    return visit.render(
        "role-effect.html", visit.texts("What changing %(role)s would do", role=name), context, crumbs=crumbs
    )


def _examples(table: Json) -> Sequence[Json]:
    return [as_object(each) for each in objects(table.get("Examples"))]


async def _save(visit: Visit, role_id: str, held: Mapping[str, str], change: RoleChange) -> None:
    """Save a change whole: all privileges of the role are replaced in one action, so that no half of it can hold."""
    wanted = {**held, **change.depths}
    privileges = [
        {"PrivilegeId": visit.schema.privileges_by_name[name].id, "Depth": depth}
        for name, depth in wanted.items()
        if depth and name in visit.schema.privileges_by_name
    ]
    await visit.api.send(
        "POST", f"roles({role_id})/Microsoft.Dynamics.CRM.ReplacePrivilegesRole", {"Privileges": privileges}
    )


async def compare(visit: Visit) -> Response:
    """Two roles side by side: only what differs."""
    problem: ApiError | None = None
    differences: list[tuple[str, str, str]] = []
    names: Sequence[str] = ()
    if visit.parameter("a") and visit.parameter("b"):
        try:
            (name_a, a), (name_b, b) = (
                await _named_role(visit, visit.parameter("a")),
                await _named_role(visit, visit.parameter("b")),
            )
            names = (name_a, name_b)
            differences = [
                (name, a.get(name, NOTHING), b.get(name, NOTHING))
                for name in sorted({*a, *b})
                if a.get(name, NOTHING) != b.get(name, NOTHING)
            ]
        except ApiError as error:
            problem = error
    context = {
        "differences": differences,
        "names": names,
        "problem": problem,
        "symbols": SYMBOLS,
        "depth_names": _depth_names(visit),
    }
    crumbs = (Crumb(visit.texts("Security roles"), visit.address("roles")), Crumb(visit.texts("Compare")))
    return visit.render(
        "role-compare.html",
        visit.texts("Compare roles"),
        context,
        crumbs=crumbs,
        status=problem.status if problem else 200,
    )


async def _named_role(visit: Visit, given: str) -> tuple[str, Mapping[str, str]]:
    rows = await visit.api.rows(
        "roles", {"$select": "name", "$filter": "_parentroleid_value eq null", "$orderby": "name"}
    )
    fitting = [row for row in rows if text(row.get("name")).casefold() == given.casefold()]
    role_id = text(fitting[0]["roleid"]) if fitting else (await find_row(visit, ("role",), given))[1]
    row = await visit.api.get(f"roles({role_id})", {"$select": "name"})
    return text(row.get("name")), await held_depths(visit, role_id)


async def copy(visit: Visit) -> Response:
    """A new role with the privileges of another one."""
    role_id = visit.row_id()
    row = await visit.api.get(f"roles({role_id})", {"$select": "name,_businessunitid_value"})
    name = text((await visit.form()).get("name")).strip()
    if not name:
        raise ApiError(400, "", visit.texts("The copy needs a name."))
    held = await held_depths(visit, role_id)
    unit = text(row.get("_businessunitid_value"))
    answer = await visit.api.send(
        "POST", "roles", {"name": name, "businessunitid@odata.bind": f"/businessunits({unit})"}
    )
    await _save(visit, answer.created_id, {}, RoleChange(held))
    return visit.redirect(f"roles/{answer.created_id}", done="created")


PAGES = (
    Page("/roles", roles, "roles"),
    Page("/roles/compare", compare, "roles"),
    Page("/roles/{id}", role, "roles", ("GET", "POST")),
    Page("/roles/{id}/copy", copy, "roles", ("POST",)),
)
