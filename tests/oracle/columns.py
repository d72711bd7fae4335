"""Section 12 of the security model read again, in the plainest words: secured columns of one table.

    {"administrators": {user}, "members": {team: [user]}, "masked": {column: character},
     "rows": {row: {column: text or None}},
     "profiles": [{"users": [user], "teams": [team],
                   "columns": {column: {"read": bool, "create": bool, "update": bool, "unmasked": 0 | 1 | 3}}}],
     "shares": [{"row": row, "column": column, "with": user or team, "read": bool, "update": bool}]}

Every column of the rows is secured, and every user reaches every row.
"""

from typing import Any

World = dict[str, Any]


def allowed(world: World, user: str, column: str, what: str, row: str | None = None) -> bool:
    """Whether a user may read, create or update a column; of a row that exists, its value (SM-131, SM-134, SM-135)."""
    if user in world["administrators"]:
        return True
    for profile in world["profiles"]:
        if is_reached(world, profile, user) and profile["columns"].get(column, {}).get(what):
            return True
    if row is None or what == "create":
        return False
    mine = [user, *teams_of(world, user)]
    return any(
        share["row"] == row and share["column"] == column and share["with"] in mine and share[what]
        for share in world["shares"]
    )


def shown(world: World, user: str, row: str, column: str, asked: bool, single: bool) -> str | None:
    """What a user sees of a value (SM-132, SM-137, SM-138)."""
    value = world["rows"][row][column]
    if value is None or not allowed(world, user, column, "read", row):
        return None
    if column not in world["masked"] or is_unmasked(world, user, column, asked, single):
        return value
    return masked(value, world["masked"][column])


def is_unmasked(world: World, user: str, column: str, asked: bool, single: bool) -> bool:
    """Whether the mask gives way (SM-65, SM-138)."""
    return asked and may_unmask(world, user, column) >= (1 if single else 3)


def decides(world: World, user: str, column: str) -> bool:
    """Whether a user may filter, sort or group by a column (SM-136, SM-137)."""
    if not allowed(world, user, column, "read"):
        return False
    return column not in world["masked"] or may_unmask(world, user, column) == 3


def may_unmask(world: World, user: str, column: str) -> int:
    """The greatest `canreadunmasked` that a user has."""
    if user in world["administrators"]:
        return 3
    found = [
        profile["columns"].get(column, {}).get("unmasked", 0)
        for profile in world["profiles"]
        if is_reached(world, profile, user)
    ]
    return max(found, default=0)


def masked(text: str, character: str) -> str:
    """Every digit that four digits follow is covered."""
    return "".join(
        character if here.isdigit() and len(text[at + 1 : at + 5]) == 4 and text[at + 1 : at + 5].isdigit() else here
        for at, here in enumerate(text)
    )


def is_reached(world: World, profile: World, user: str) -> bool:
    """Whether a profile is a user's, directly or through a team (SM-131)."""
    return user in profile["users"] or any(team in profile["teams"] for team in teams_of(world, user))


def teams_of(world: World, user: str) -> list[str]:
    """Every team of a user."""
    return [team for team, members in world["members"].items() if user in members]
