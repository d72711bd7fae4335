"""The tree of business units."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.responses import Response

from strongroom.console.api import Json, text
from strongroom.console.page import Page
from strongroom.console.visit import Visit


@dataclass(frozen=True, slots=True)
class Unit:
    """A business unit, the units below it, and how many enabled users are in it."""

    id: str
    name: str
    is_disabled: bool
    users: int
    below: "Sequence[Unit]"

    @property
    def all_users(self) -> int:
        """Users in it and below it."""
        return self.users + sum(unit.all_users for unit in self.below)


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
    context = {"tree": _below(rows, users, "", 0), "count": len(rows)}
    return visit.render("units.html", visit.texts("Business units"), context)


def _below(rows: Sequence[Json], users: dict[str, int], parent: str, depth: int) -> Sequence[Unit]:
    """The units whose parent is `parent`; those whose parent is not to be seen stand at the top."""
    known = {text(row["businessunitid"]) for row in rows}
    found: list[Unit] = []
    for row in rows:
        above = text(row.get("_parentbusinessunitid_value"))
        if (above if above in known else "") == parent and depth < 100:
            unit_id = text(row["businessunitid"])
            below = _below(rows, users, unit_id, depth + 1)
            found.append(Unit(unit_id, text(row["name"]), row.get("isdisabled") is True, users.get(unit_id, 0), below))
    return found


PAGES = (Page("/units", show, "units"),)
