"""Hierarchy security: whether it is on, and who stands above whom, drawn as a tree (section 13 of the
security model)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.responses import Response

from strongroom.console.api import Json, formatted, text
from strongroom.console.page import Page
from strongroom.console.visit import Visit

_DEEPEST = 100
_MOST = 5000
_SETTINGS = "ishierarchicalsecuritymodelenabled,usepositionhierarchy,maxdepthforhierarchicalsecuritymodel"


@dataclass(frozen=True, slots=True)
class Place:
    """A user, or a position with those who hold it; `reach` is how many users stand below within the depth."""

    name: str
    address: str
    note: str
    is_disabled: bool
    reach: int
    below: "Sequence[Place]"


@dataclass(frozen=True, slots=True)
class _Node:
    """A place before its tree: `users` is how many it counts for."""

    id: str
    above: str
    name: str
    address: str
    note: str
    is_disabled: bool
    users: int


async def show(visit: Visit) -> Response:
    """The hierarchy that counts: of managers, or of positions."""
    organizations = await visit.api.rows_if_allowed("organizations", {"$select": _SETTINGS}, most=1)
    settings: Json = organizations[0] if organizations else {}
    is_on = settings.get("ishierarchicalsecuritymodelenabled") is True
    by_position = settings.get("usepositionhierarchy") is True
    given = settings.get("maxdepthforhierarchicalsecuritymodel")
    depth = given if isinstance(given, int) else 0
    nodes = await (_positions(visit) if by_position else _managers(visit))
    known = {node.id for node in nodes}
    children: dict[str, list[_Node]] = {}
    for node in nodes:
        children.setdefault(node.above if node.above in known else "", []).append(node)
    tops = [node for node in children.get("", ()) if node.id in children]
    context = {
        "is_on": is_on,
        "by_position": by_position,
        "depth": depth,
        "tree": [_place(children, node, depth, 0) for node in tops],
        "alone": sum(1 for node in children.get("", ()) if node.id not in children),
        "excluded": [table.label for table in visit.schema.tables.values() if not table.is_hierarchy_security_enabled],
    }
    return visit.render("hierarchy.html", visit.texts("Hierarchy security"), context)


async def _managers(visit: Visit) -> Sequence[_Node]:
    columns = "fullname,title,_parentsystemuserid_value,_businessunitid_value,isdisabled"
    rows = await visit.api.rows("systemusers", {"$select": columns, "$orderby": "fullname"}, most=_MOST)
    return [
        _Node(
            text(row["systemuserid"]),
            text(row.get("_parentsystemuserid_value")),
            text(row.get("fullname")) or visit.texts("(no name)"),
            visit.address(f"people/{row['systemuserid']}"),
            " · ".join(part for part in (text(row.get("title")), formatted(row, "_businessunitid_value")) if part),
            row.get("isdisabled") is True,
            1,
        )
        for row in rows
    ]


async def _positions(visit: Visit) -> Sequence[_Node]:
    holders: dict[str, list[str]] = {}
    for row in await visit.api.rows(
        "systemusers", {"$select": "fullname,_positionid_value", "$filter": "_positionid_value ne null"}, most=_MOST
    ):
        holders.setdefault(text(row["_positionid_value"]), []).append(text(row.get("fullname")))
    rows = await visit.api.rows("positions", {"$select": "name,_parentpositionid_value", "$orderby": "name"})
    return [
        _Node(
            position := text(row["positionid"]),
            text(row.get("_parentpositionid_value")),
            text(row.get("name")),
            visit.address(f"tables/position/{position}"),
            ", ".join(sorted(holders.get(position, ()))),
            False,
            len(holders.get(position, ())),
        )
        for row in rows
    ]


def _place(children: Mapping[str, Sequence[_Node]], node: _Node, depth: int, level: int) -> Place:
    below = [_place(children, each, depth, level + 1) for each in children.get(node.id, ()) if level < _DEEPEST]
    reach = _reach(children, node.id, depth)
    return Place(node.name, node.address, node.note, node.is_disabled, reach, below)


def _reach(children: Mapping[str, Sequence[_Node]], place: str, depth: int) -> int:
    if depth <= 0:
        return 0
    return sum(each.users + _reach(children, each.id, depth - 1) for each in children.get(place, ()))


PAGES = (Page("/hierarchy", show, "people"),)
