"""The tree of business units."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.responses import Response

from strongroom.console.api import Json, text
from strongroom.console.page import Page
from strongroom.console.visit import Visit

_DEEPEST = 100


@dataclass(frozen=True, slots=True)
class Unit:
    """A business unit and the units below it, with how many enabled users are in it, and in all of these together."""

    id: str
    name: str
    is_disabled: bool
    users: int
    all_users: int
    below: "Sequence[Unit]"


async def show(visit: Visit) -> Response:
    """The whole tree."""
    rows = await visit.api.rows(
        "businessunits", {"$select": "name,_parentbusinessunitid_value,isdisabled", "$orderby": "name"}
    )
    grouped = await visit.api.rows(
        "systemusers",
        {"$apply": "filter(isdisabled eq false)/groupby((_businessunitid_value),aggregate($count as number))"},
    )
    users = {
        text(row.get("_businessunitid_value")): number
        for row in grouped
        if isinstance(number := row.get("number"), int)
    }
    known = {text(row["businessunitid"]) for row in rows}
    children: dict[str, list[Json]] = {}
    for row in rows:
        above = text(row.get("_parentbusinessunitid_value"))
        children.setdefault(above if above in known else "", []).append(row)
    context = {"tree": _below(children, users, "", 0), "count": len(rows)}
    return visit.render("units.html", visit.texts("Business units"), context)


def _below(children: Mapping[str, Sequence[Json]], users: Mapping[str, int], parent: str, depth: int) -> Sequence[Unit]:
    """The units whose parent is `parent`, with all below; "" is the parent of those whose own is not to be seen."""
    if depth >= _DEEPEST:
        return ()
    found: list[Unit] = []
    for row in children.get(parent, ()):
        unit_id = text(row["businessunitid"])
        below = _below(children, users, unit_id, depth + 1)
        number = users.get(unit_id, 0)
        all_users = number + sum(unit.all_users for unit in below)
        found.append(Unit(unit_id, text(row["name"]), row.get("isdisabled") is True, number, all_users, below))
    return found


PAGES = (Page("/units", show, "units"),)
