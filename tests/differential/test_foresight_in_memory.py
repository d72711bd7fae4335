"""Foresight against the oracle: a change is applied to a directory in memory, the oracle makes the same move, and both
must agree on everybody's facts and on who gains and loses which rows (SM-26 to SM-28, SM-53, SM-131)."""

import copy
from collections import Counter
from dataclasses import dataclass
from typing import Any

from access_world import RIGHTS, SCHEMA, TABLES, Telling
from directories import directory_of
from moving import Move, make_told, move_of
from random_worlds import Seeded, world_of

from access_schema import guid
from oracle.decision import column_allowed, decide
from strongroom.access.changes import (
    Change,
    HierarchyChanged,
    Membership,
    PrincipalMoved,
    ProfileHeld,
    RoleHeld,
    RolePrivileges,
    UnitDisabled,
    UnitMoved,
    UserChanged,
    applied,
    effects,
)
from strongroom.access.check import SecuredRow
from strongroom.access.difference import columns, compare, reaches
from strongroom.access.directory import Directory
from strongroom.access.ground import Ground, lots_of
from strongroom.access.plan import ColumnAccess
from strongroom.ids import Guid, Key
from strongroom.schema.model import Rights

World = dict[str, Any]
WORLDS = 120
KINDS = {
    "edit",
    "give",
    "take",
    "join",
    "leave",
    "move",
    "reparent",
    "disable_unit",
    "set_manager",
    "set_of_user",
    "set_hierarchy",
    "set_profile",
}


@dataclass(frozen=True)
class SharedOne:
    """A share as counters know it."""

    row: Key
    id: Guid
    principal: Key
    direct: Rights
    inherited: Rights
    owner: Key
    unit: Key


def change_of(told: Telling, directory: Directory, move: Move) -> Change:
    """The move as the change that an administrator is about to make."""
    name, of = move
    world, keys, units = told.world, told.keys, told.unit_keys
    match name:
        case "edit":
            return RolePrivileges(guid(of[0]), Telling({**world, "roles": _edited(world, *of)}).privileges[guid(of[0])])
        case "give" | "take":
            return RoleHeld(keys[of[0]], told.role(of[1], of[2]), name == "give")
        case "join" | "leave":
            return Membership(keys[of[0]], keys[of[1]], name == "join")
        case "move":
            return PrincipalMoved(keys[of[0]], units[of[1]])
        case "reparent":
            return UnitMoved(units[of[0]], units[of[1]])
        case "disable_unit":
            return UnitDisabled(units[of[0]], of[1])
        case "set_hierarchy":
            settings = {**world["settings"], "hierarchy": of[0], "depth": of[1]}
            return HierarchyChanged(Telling({**world, "settings": settings}).settings)
        case "set_profile":
            return ProfileHeld(keys[of[0]], guid(f"profile {of[1]}"), of[2])
        case _:
            after = copy.deepcopy(world)
            make_told(after, move)
            return UserChanged(directory_of(Telling(after)).users[keys[of[0]]])


def _edited(world: World, role: str, privileges: dict[tuple[str, str], str]) -> World:
    return {**world["roles"], role: {**world["roles"][role], "privileges": privileges}}


def test_a_change_that_is_foreseen_is_the_change_that_the_oracle_makes() -> None:
    """Facts of everybody, columns, and rows gained and lost for every right but Create."""
    seen = Counter[str]()
    for seed in range(WORLDS):
        chance = Seeded(f"foresight {seed}")
        world = world_of(chance)
        for _ in range(4):
            move = move_of(chance, world)
            if move is None or move[0] not in KINDS:
                continue
            after = copy.deepcopy(world)
            if make_told(after, move) is not None:
                continue
            compare_with_oracle(world, after, move, seen)
            world = after
    assert seen.keys() == KINDS, f"not every change was foreseen: {seen}"


def compare_with_oracle(world: World, after: World, move: Move, seen: Counter[str]) -> None:
    """One move, looked at from both sides."""
    seen[move[0]] += 1
    told, later = Telling(world), Telling(after)
    directory = directory_of(told)
    change = change_of(told, directory, move)
    changed = applied(directory, change)

    for principal in (*world["users"], *world["teams"]):
        foreseen, there = changed.facts_of(told.keys[principal]), later.facts(principal)
        assert _plain(foreseen) == _plain(there), (move, principal)
    found = {(each.user.name, each.column): (each.before, each.after) for each in columns(directory, changed, SCHEMA)}
    assert found == _columns(world, after), move
    for right in ("Read", "Write", "Delete"):
        found = _rows_foreseen(told, directory, changed, change, right)
        for name in TABLES:
            assert found[name] == _rows(world, after, name, right), (move, name, right)


def _plain(facts: Any) -> Any:
    """Facts without what two ways of telling them may tell in another order."""
    return (
        facts.unit,
        facts.is_disabled,
        facts.access_mode,
        {team.key for team in facts.teams},
        {(held.role, held.via_team) for held in facts.roles},
        {(below.key, below.level, below.owning_principals, below.sharing_principals) for below in facts.subordinates},
        {held.role.root_id: dict(facts.role_privileges.get(held.role.root_id, {})) for held in facts.roles},
        {unit.key: (unit.parent, unit.is_disabled) for unit in facts.units.units.values()},
    )


def _rows_foreseen(
    told: Telling, before: Directory, after: Directory, change: Change, right: str
) -> dict[str, dict[str, tuple[int, int]]]:
    """Table → user → rows gained and lost, as a preview counts them; all tables are looked at in one go."""
    known, moves = RIGHTS[right], effects(before, change)
    rows = {
        name: {each: told.row(row) for each, row in told.world["rows"].items() if row["table"] == name}
        for name in TABLES
    }
    lots = {
        name: lots_of(SCHEMA.tables[name], Counter(_place(row) for row in here.values()), moves)
        for name, here in rows.items()
    }
    moving = frozenset(name for name, here in lots.items() if any(lot.before != lot.after for lot in here))
    seen = reaches(before, after, SCHEMA, [*SCHEMA.tables.values()], known, moving)
    found: dict[str, dict[str, tuple[int, int]]] = {}
    for name, here in rows.items():
        shares = [
            SharedOne(Key(number), guid(each), share.principal, share.direct, share.inherited, *_keys(row))
            for number, (each, row) in enumerate(here.items())
            for share in row.shares
        ]
        ground = Ground(lots[name], shares, shares, known)
        difference = compare(ground, seen[name])
        users = {each.user.name: (each.gained, each.lost) for each in difference.users}
        gained, lost = (sum(each[side] for each in users.values()) for side in (0, 1))
        assert difference.gained.count(ground) <= gained
        assert difference.lost.count(ground) <= lost
        found[name] = users
    return found


def _place(row: SecuredRow) -> tuple[int, int]:
    return int(row.owner or 0), int(row.unit or 0)


def _keys(row: SecuredRow) -> tuple[Key, Key]:
    return row.owner or Key(0), row.unit or Key(0)


def _rows(world: World, after: World, table: str, right: str) -> dict[str, tuple[int, int]]:
    """The same from the oracle's decisions."""
    found: dict[str, tuple[int, int]] = {}
    for user in world["users"]:
        had, has = (
            {name for name, row in each["rows"].items() if row["table"] == table and decide(each, user, right, row)[0]}
            for each in (world, after)
        )
        if had != has:
            found[user] = (len(has - had), len(had - has))
    return found


def _columns(world: World, after: World) -> dict[tuple[str, str], tuple[ColumnAccess, ColumnAccess]]:
    """What is open of secured columns, where it changes. Users who may do nothing have nothing open."""
    found: dict[tuple[str, str], tuple[ColumnAccess, ColumnAccess]] = {}
    for user in world["users"]:
        for _, column in world["secured"]:
            was, is_now = (_open(each, user, column) for each in (world, after))
            if was != is_now:
                found[user, column] = (was, is_now)
    return found


def _open(world: World, user: str, column: str) -> ColumnAccess:
    row: World = {"table": "account", "owner": None, "unit": None, "shares": {}}
    if decide(world, user, "Read", row)[2] in ("user-disabled", "no-roles"):
        return ColumnAccess.NONE
    access = ColumnAccess.NONE
    for what, one in (("read", ColumnAccess.READ), ("create", ColumnAccess.CREATE), ("update", ColumnAccess.UPDATE)):
        if column_allowed(world, user, "account", column, what):
            access |= one
    if _administers(world, user):
        access |= ColumnAccess.READ_UNMASKED_ONE | ColumnAccess.READ_UNMASKED_ALL
    return access


def _administers(world: World, user: str) -> bool:
    held = [*world["users"][user]["roles"]]
    for team in world["teams"].values():
        if user in team["members"] and team["type"] != "access":
            held += team["roles"]
    return any(world["roles"][role]["sysadmin"] for role, _ in held)
