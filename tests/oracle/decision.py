"""The decision procedure of the security model (section 17), word for word, over dictionaries.

A world:

    {"units":     {id: {"parent": id or None, "disabled": bool}},
     "tables":    {id: {"ownership": "user" | "organization" | "business", "hierarchy": bool, "settings": bool}},
     "roles":     {id: {"inherited": bool, "sysadmin": bool, "privileges": {(table, right): depth},
                        "unit": id of the original's}},
     "users":     {id: {"unit": id, "disabled": bool, "mode": int, "roles": [(role, unit)],
                        "manager": id or None, "position": id or None}},
     "teams":     {id: {"unit": id, "type": "owner" | "access" | "group", "default": bool, "roles": [(role, unit)],
                        "members": [user]}},
     "positions": {id: {"parent": id or None, "active": bool}},
     "rows":      {id: {"table": id, "owner": id or None, "unit": id or None,
                        "shares": {principal: {"direct": {right}, "inherited": {right}}}}},
     "profiles":  [{"users": [id], "teams": [id], "columns": {(table, column): {"read", "create", "update"}}}],
     "secured":   {(table, column)},
     "settings":  {"hierarchy": "off" | "manager" | "position", "depth": int, "write_levels": int, "same_unit": bool,
                   "disabled_reports": bool, "matrix": bool, "always_move": bool}}

Rights and depths are their names: "Read", "Basic". Nothing is cached, nothing is clever.
"""

from typing import Any

Held = tuple[str, str, str | None]
"""(role, unit of the copy, team through which it is held)."""

World = dict[str, Any]

RIGHTS = ("Read", "Write", "Append", "AppendTo", "Create", "Delete", "Share", "Assign")
DEPTHS = ("Basic", "Local", "Deep", "Global")
SHAREABLE_RIGHTS = tuple(right for right in RIGHTS if right != "Create")


def decide(world: World, principal: str, right: str, row: dict[str, Any]) -> tuple[bool, set[str], str | None]:
    """(allowed, reason codes, denial code) for a user or a team."""
    if principal in world["teams"]:
        return _decide_team(world, principal, right, row)
    user = world["users"][principal]
    table = world["tables"][row["table"]]

    if user["disabled"] or any(world["units"][unit]["disabled"] for unit in path_up(world, user["unit"])):
        return False, set(), "user-disabled"
    roles: list[Held] = [(role, unit, None) for role, unit in user["roles"]]
    for team in owning_teams_of(world, principal):
        roles += [(role, unit, team) for role, unit in world["teams"][team]["roles"]]
    if not roles:
        return False, set(), "no-roles"
    grants = grants_among(world, roles, right, row["table"])
    if mode_forbids(world, user["mode"], right, row["table"]):
        grants = []
    if not grants:
        return False, set(), "missing-privilege"
    if any(world["roles"][role]["sysadmin"] for role, _, _ in roles):
        return True, {"bypass-sysadmin"}, None

    reasons: set[str] = set()
    for depth, anchor, via, inherited in grants:
        team_prefix = "" if via is None else "team-"
        if depth == "Global":
            reasons.add(team_prefix + "role-global")
        if table["ownership"] == "organization":
            continue
        if depth == "Deep" and row["unit"] in subtree(world, anchor):
            reasons.add(team_prefix + "role-deep")
        if depth == "Local" and row["unit"] == anchor:
            reasons.add(team_prefix + "role-local-bu")
        if table["ownership"] == "business":
            if row["table"] == "systemuser" and row["owner"] == principal and (via is None or inherited):
                reasons.add(team_prefix + "role-basic-own")
            continue
        if via is not None and not inherited:
            if row["owner"] == via:
                reasons.add("owner-team")
        else:
            if row["owner"] == principal:
                reasons.add(team_prefix + "role-basic-own")
            if row["owner"] in owning_teams_of(world, principal):
                reasons.add("owner-team")

    if right != "Create" and table["ownership"] == "user":
        for holder in [principal, *teams_of(world, principal)]:
            share = row["shares"].get(holder, {"direct": set(), "inherited": set()})
            if right in share["direct"]:
                if holder == principal:
                    reasons.add("share-direct")
                elif world["teams"][holder]["type"] == "access":
                    reasons.add("access-team")
                else:
                    reasons.add("share-team")
            if right in share["inherited"]:
                reasons.add("share-inherited")
        reads_table = grants_among(world, roles, "Read", row["table"]) and not mode_forbids(
            world, user["mode"], "Read", row["table"]
        )
        if world["settings"]["hierarchy"] != "off" and table["hierarchy"] and reads_table:
            for below, level in subordinates(world, principal).items():
                full = level <= world["settings"]["write_levels"]
                allowed = {"Read", "Write", "Append", "AppendTo"} if full else {"Read"}
                owns = row["owner"] in [below, *owning_teams_of(world, below)]
                shared = any(
                    right in row["shares"][holder]["direct"]
                    for holder in [below, *teams_of(world, below)]
                    if holder in row["shares"]
                )
                if right in allowed and (owns or shared):
                    reasons.add("hierarchy-" + world["settings"]["hierarchy"])
    return (True, reasons, None) if reasons else (False, set(), "no-access-path")


def _decide_team(world: World, principal: str, right: str, row: dict[str, Any]) -> tuple[bool, set[str], str | None]:
    """A team has its own roles, rows and shares only (SM-47)."""
    table = world["tables"][row["table"]]
    roles: list[Held] = [(role, unit, principal) for role, unit in world["teams"][principal]["roles"]]
    if not roles:
        return False, set(), "no-roles"
    grants = grants_among(world, roles, right, row["table"])
    if not grants:
        return False, set(), "missing-privilege"
    if any(world["roles"][role]["sysadmin"] for role, _, _ in roles):
        return True, {"bypass-sysadmin"}, None
    reasons: set[str] = set()
    for depth, anchor, _, _ in grants:
        if depth == "Global":
            reasons.add("team-role-global")
        if table["ownership"] == "organization":
            continue
        if depth == "Deep" and row["unit"] in subtree(world, anchor):
            reasons.add("team-role-deep")
        if depth == "Local" and row["unit"] == anchor:
            reasons.add("team-role-local-bu")
        if table["ownership"] == "user" and row["owner"] == principal:
            reasons.add("owner-team")
    if right != "Create" and table["ownership"] == "user":
        share = row["shares"].get(principal, {"direct": set(), "inherited": set()})
        if right in share["direct"]:
            reasons.add("share-direct")
        if right in share["inherited"]:
            reasons.add("share-inherited")
    return (True, reasons, None) if reasons else (False, set(), "no-access-path")


def visible(world: World, principal: str, table: str) -> set[str]:
    """The rows of a table that a principal may read."""
    rows = {name: row for name, row in world["rows"].items() if row["table"] == table}
    return {name for name, row in rows.items() if decide(world, principal, "Read", row)[0]}


def column_allowed(world: World, user: str, table: str, column: str, what: str) -> bool:
    """Whether a user may read, create or update a column (section 12), profiles only."""
    if (table, column) not in world["secured"]:
        return True
    roles = list(world["users"][user]["roles"])
    for team in owning_teams_of(world, user):
        roles += world["teams"][team]["roles"]
    if any(world["roles"][role]["sysadmin"] for role, _ in roles):
        return True
    for profile in world["profiles"]:
        reaches_user = user in profile["users"] or any(team in profile["teams"] for team in teams_of(world, user))
        if reaches_user and what in profile["columns"].get((table, column), set()):
            return True
    return False


# --- the words of the procedure ------------------------------------------------------------------------------------


def grants_among(world: World, roles: list[Held], right: str, table: str) -> list[tuple[str, str, str | None, bool]]:
    """(depth, anchor, via, is inherited) for each role that has the privilege."""
    found: list[tuple[str, str, str | None, bool]] = []
    if right in ("Share", "Assign") and world["tables"][table]["ownership"] != "user":
        return found  # no such privilege (SM-11, SM-12)
    for name, unit, via in roles:
        role = world["roles"][name]
        depth = "Global" if role["sysadmin"] else role["privileges"].get((table, right))
        if depth is not None:
            found.append((depth, unit, via, role["inherited"]))
    return found


def mode_forbids(world: World, mode: int, right: str, table: str) -> bool:
    """SM-63."""
    if mode == 2:
        return right != "Read"
    if mode in (1, 3, 5):
        return not world["tables"][table]["settings"]
    return False


def teams_of(world: World, user: str) -> list[str]:
    """Every team of a user, access teams included."""
    return [name for name, team in world["teams"].items() if user in team["members"]]


def owning_teams_of(world: World, user: str) -> list[str]:
    """The owner and group teams of a user."""
    return [name for name in teams_of(world, user) if world["teams"][name]["type"] != "access"]


def path_up(world: World, unit: str) -> list[str]:
    """A unit and those above it."""
    path = [unit]
    while world["units"][path[-1]]["parent"] is not None:
        path.append(world["units"][path[-1]]["parent"])
    return path


def subtree(world: World, unit: str) -> set[str]:
    """A unit and those below it."""
    return {name for name in world["units"] if unit in path_up(world, name)}


def subordinates(world: World, boss: str) -> dict[str, int]:
    """Who is below a user, and how many steps (SM-141 to SM-149)."""
    settings = world["settings"]
    found: dict[str, int] = {}
    for name, user in world["users"].items():
        if user["disabled"] and not settings["disabled_reports"]:
            continue
        if settings["hierarchy"] == "manager":
            level = _steps_by_manager(world, name, boss)
            if settings["same_unit"] and world["users"][boss]["unit"] not in path_up(world, user["unit"]):
                continue
        else:
            level = _steps_by_position(world, name, boss)
        if 1 <= level <= settings["depth"]:
            found[name] = level
    return found


def _steps_by_manager(world: World, user: str, boss: str) -> int:
    current = user
    for step in range(1, len(world["users"]) + 1):
        manager = world["users"][current]["manager"]
        if manager is None:
            return 0
        if manager == boss:
            return step
        if world["users"][manager]["disabled"] and not world["settings"]["disabled_reports"]:
            return 0
        current = manager
    return 0


def _steps_by_position(world: World, user: str, boss: str) -> int:
    goal = world["users"][boss]["position"]
    current = world["users"][user]["position"]
    if goal is None or current is None:
        return 0
    for step in range(len(world["positions"]) + 1):
        if current is None or not world["positions"][current]["active"]:
            return 0
        if current == goal:
            return step
        current = world["positions"][current]["parent"]
    return 0
