"""What changes of a world do to it, read from the rules once more: each function makes one change or says why not.

A change that is refused gives the code of the error and changes nothing; a change that is made gives None. They are
those of an administrator, so the only refusals are those that bind everybody. Changes of rows, which take others along,
are in `oracle.cascades`.
"""

from typing import Any

from oracle.decision import Held, World, grants_among, mode_forbids, owning_teams_of, path_up, subtree


def why_not_owner(world: World, table: str, name: str) -> str | None:
    """SM-92, SM-93: the code for somebody who cannot own rows of a table."""
    if name in world["teams"]:
        if world["teams"][name]["type"] == "access":
            return "0x80048340"
        roles: list[Held] = [(role, unit, None) for role, unit in world["teams"][name]["roles"]]
        return None if grants_among(world, roles, "Read", table) else "0x80040299"
    user = world["users"][name]
    if user["disabled"]:
        return "0x8004022b"
    if any(world["units"][unit]["disabled"] for unit in path_up(world, user["unit"])):
        return "0x8004032d"
    roles = [(role, unit, None) for role, unit in user["roles"]]
    for team in owning_teams_of(world, name):
        roles += [(role, unit, None) for role, unit in world["teams"][team]["roles"]]
    if mode_forbids(world, user["mode"], "Read", table) or not grants_among(world, roles, "Read", table):
        return "0x80040299"
    return None


def join(world: World, team: str, user: str) -> str | None:
    """SM-53. Who is a member already stays one."""
    if user in world["teams"][team]["members"]:
        return None
    if world["teams"][team]["default"]:
        return "0x8004830b"
    world["teams"][team]["members"].append(user)
    return None


def leave(world: World, team: str, user: str) -> str | None:
    """SM-53."""
    if world["teams"][team]["default"]:
        return "0x8004830c"
    if user in world["teams"][team]["members"]:
        world["teams"][team]["members"].remove(user)
    return None


def give(world: World, principal: str, role: str, unit: str) -> str | None:
    """SM-24, SM-25, SM-51, SM-55."""
    told = holder(world, principal)
    if (role, unit) in told["roles"]:
        return None
    if told.get("type") == "access":
        return "0x80048331"
    if told.get("type") == "group" and not world["roles"][role]["inherited"]:
        return "0x80048350"
    if unit != told["unit"] and not world["settings"]["matrix"]:
        return "0x80041409"
    told["roles"].append((role, unit))
    return None


def take(world: World, principal: str, role: str, unit: str) -> str | None:
    """A role copy that somebody holds is taken away."""
    told = holder(world, principal)
    told["roles"] = [held for held in told["roles"] if held != (role, unit)]
    return None


def edit(world: World, role: str, privileges: dict[tuple[str, str], str]) -> str | None:
    """SM-23, SM-64: privileges hold for all copies at once; nobody edits System Administrator."""
    if world["roles"][role]["sysadmin"]:
        return "0x80041d31"
    world["roles"][role]["privileges"] = privileges
    return None


def move(world: World, principal: str, unit: str) -> str | None:
    """SM-26, SM-27, SM-52, SM-53: roles stay behind, rows follow, a user changes default teams."""
    told = holder(world, principal)
    if told["unit"] == unit:
        return None
    if told.get("default"):
        return "0x80048308"
    if principal in world["users"]:
        world["teams"][f"default of {told['unit']}"]["members"].remove(principal)
        world["teams"][f"default of {unit}"]["members"].append(principal)
    told["unit"] = unit
    told["roles"] = []
    for row in world["rows"].values():
        is_owned = world["tables"][row["table"]]["ownership"] == "user" and row["owner"] == principal
        if row.get("is") == principal or (is_owned and not stays_in_unit(world)):
            row["unit"] = unit
    return None


def reparent(world: World, unit: str, parent: str) -> str | None:
    """SM-28: role copies that the new place no longer provides go, with their assignments."""
    world["units"][unit]["parent"] = parent
    for told in (*world["users"].values(), *world["teams"].values()):
        told["roles"] = [
            (role, place) for role, place in told["roles"] if place in subtree(world, world["roles"][role]["unit"])
        ]
    return None


def set_manager(world: World, user: str, manager: str | None) -> str | None:
    """SM-149: no loops."""
    above = manager
    while above is not None:
        if above == user:
            return "0x80041d25"
        above = world["users"][above]["manager"]
    world["users"][user]["manager"] = manager
    return None


def set_of_user(world: World, user: str, what: str, value: object) -> str | None:
    """Disabled or not, the access mode, the position."""
    world["users"][user][what] = value
    return None


def disable_unit(world: World, unit: str, disabled: bool) -> str | None:
    """SM-61."""
    world["units"][unit]["disabled"] = disabled
    return None


def set_hierarchy(world: World, kind: str, depth: int) -> str | None:
    """Off, by manager, by position."""
    world["settings"] |= {"hierarchy": kind, "depth": depth}
    return None


def set_matrix(world: World, on: bool) -> str | None:
    """SM-25: switched off, every row goes to its owner's unit."""
    if world["settings"]["matrix"] and not on:
        for row in world["rows"].values():
            if world["tables"][row["table"]]["ownership"] == "user":
                row["unit"] = holder(world, row["owner"])["unit"]
    world["settings"]["matrix"] = on
    return None


def set_profile(world: World, principal: str, number: int, held: bool) -> str | None:
    """SM-55, SM-131."""
    told = holder(world, principal)
    if held and told.get("type") == "access":
        return "0x80048331"
    holders = world["profiles"][number]["teams" if principal in world["teams"] else "users"]
    if held and principal not in holders:
        holders.append(principal)
    if not held and principal in holders:
        holders.remove(principal)
    return None


def holder(world: World, name: str) -> dict[str, Any]:
    """What is told of a user or team."""
    found: dict[str, Any] = world["teams"][name] if name in world["teams"] else world["users"][name]
    return found


def stays_in_unit(world: World) -> bool:
    """SM-97: whether the owning unit of rows stays when their owner changes."""
    return bool(world["settings"]["matrix"] and not world["settings"]["always_move"])
