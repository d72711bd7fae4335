"""The smallest changes that would allow what is denied (SM-162, SM-163), by trying each of them on a copy."""

import copy
from typing import Any

from oracle.decision import DEPTHS, World, decide


def would_allow(world: World, user: str, right: str, row_name: str) -> set[str]:
    """The changes that allow `right` on a row, for a user to whom it is denied."""
    _, _, denial = decide(world, user, right, world["rows"][row_name])
    if denial == "user-disabled":
        changed = copy.deepcopy(world)
        changed["users"][user]["disabled"] = False
        return {"enable-user"} if _allows(changed, user, right, row_name) else set()
    found: set[str] = set()
    ownership = world["tables"][world["rows"][row_name]["table"]]["ownership"]
    for depth in depths_of(world["rows"][row_name]["table"], ownership):
        if _allows(_with_new_role(world, user, right, row_name, depth), user, right, row_name):
            found.add(f"privilege:{depth}")
            break
    if (
        ownership == "user"
        and right != "Create"
        and _allows(_shared(world, user, right, row_name), user, right, row_name)
    ):
        found.add("share")
    if ownership == "user" and _may_own(world, user, row_name):
        changed = copy.deepcopy(world)
        row = changed["rows"][row_name]
        row["owner"] = user
        if not (world["settings"]["matrix"] and not world["settings"]["always_move"]):
            row["unit"] = world["users"][user]["unit"]
        if _allows(changed, user, right, row_name):
            found.add("own")
    for name, team in world["teams"].items():
        if team["default"] or user in team["members"]:
            continue
        changed = copy.deepcopy(world)
        changed["teams"][name]["members"].append(user)
        if _allows(changed, user, right, row_name):
            found.add(f"team:{name}")
    return found


def depths_of(table: str, ownership: str) -> tuple[str, ...]:
    """The depths that privileges of a table support (SM-11, SM-12)."""
    if table == "systemuser":
        return DEPTHS
    return {"user": DEPTHS, "organization": ("Global",), "business": ("Local", "Deep", "Global")}[ownership]


def _allows(world: World, user: str, right: str, row_name: str) -> bool:
    return decide(world, user, right, world["rows"][row_name])[0]


def _with_new_role(world: World, user: str, right: str, row_name: str, depth: str) -> World:
    changed = copy.deepcopy(world)
    table = changed["rows"][row_name]["table"]
    changed["roles"]["new role"] = {"inherited": True, "sysadmin": False, "privileges": {(table, right): depth}}
    changed["users"][user]["roles"].append(("new role", changed["users"][user]["unit"]))
    return changed


def _shared(world: World, user: str, right: str, row_name: str) -> World:
    changed = copy.deepcopy(world)
    shares: dict[str, Any] = changed["rows"][row_name]["shares"]
    shares.setdefault(user, {"direct": set(), "inherited": set()})["direct"].add(right)
    return changed


def _may_own(world: World, user: str, row_name: str) -> bool:
    """Whether ownership can be given at all: the owner must hold Read on the table (SM-92)."""
    row = world["rows"][row_name]
    _, _, denial = decide(world, user, "Read", row)
    return row["owner"] != user and denial in (None, "no-access-path")
