"""Column security: the profiles, what each opens and for whom, and the columns that are secured."""

from starlette.responses import Response

from strongroom.console.api import Json, formatted, text
from strongroom.console.data.columns import label
from strongroom.console.page import Page
from strongroom.console.visit import Crumb, Visit

_MEMBERS = (
    ("systemuserprofiles_association", "fullname", "systemuserid", "people"),
    ("teamprofiles_association", "name", "teamid", "teams"),
)


async def profiles(visit: Visit) -> Response:
    """All profiles, and all secured columns."""
    rows = await visit.api.rows("fieldsecurityprofiles", {"$select": "name,description", "$orderby": "name"})
    secured = [
        (table.label or table.logical_name, table.logical_name, label(column), column.logical_name)
        for table in visit.schema.tables.values()
        for column in table.columns.values()
        if column.is_secured
    ]
    context = {"rows": rows, "secured": sorted(secured)}
    return visit.render("profiles.html", visit.texts("Column security"), context)


async def profile(visit: Visit) -> Response:
    """One profile: the columns it opens, and who has it."""
    profile_id = visit.row_id()
    row = await visit.api.get(f"fieldsecurityprofiles({profile_id})")
    permissions = await visit.api.rows(
        "fieldpermissions", {"$filter": f"_fieldsecurityprofileid_value eq {profile_id}", "$orderby": "entityname"}
    )
    members: list[tuple[str, str]] = []
    for association, name, key, place in _MEMBERS:
        found = await visit.api.rows_if_allowed(f"fieldsecurityprofiles({profile_id})/{association}", {"$select": name})
        members += [(text(each.get(name)), visit.address(f"{place}/{text(each[key])}")) for each in found or ()]
    context = {"row": row, "permissions": [_permission(visit, each) for each in permissions], "members": members}
    name = formatted(row, "name")
    crumbs = (Crumb(visit.texts("Column security"), visit.address("profiles")), Crumb(name))
    return visit.render("profile.html", name, context, crumbs=crumbs)


def _permission(visit: Visit, row: Json) -> tuple[str, str, str, str, str, str]:
    """(table, column, read, unmasked, update, create) as they are shown."""
    table = visit.schema.tables.get(text(row.get("entityname")))
    name = text(row.get("attributelogicalname"))
    column = table.columns.get(name) if table else None
    shown = [formatted(row, each) for each in ("canread", "canreadunmasked", "canupdate", "cancreate")]
    return (table.label if table else "", label(column) if column else name, shown[0], shown[1], shown[2], shown[3])


PAGES = (Page("/profiles", profiles, "profiles"), Page("/profiles/{id}", profile, "profiles"))
