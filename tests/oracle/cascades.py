"""Changes of rows with everything that they take along: sections 7 to 11 of the rules, read once more.

Like `oracle.moves`: each function makes one change of a world or gives the code of its refusal and changes nothing.
`by` is the user who makes it, None the administrator, whom only those refusals bind that bind everybody.
"""

import copy
from collections.abc import Callable
from typing import Any

from oracle.decision import SHAREABLE_RIGHTS, World, column_allowed, decide
from oracle.inheriting import arrive, children, leave, owner_changed, set_direct, settle, touches
from oracle.moves import holder, stays_in_unit, why_not_owner

_CODES = {
    "user-disabled": "0x80040225",
    "no-roles": "0x80042f09",
    "missing-privilege": "0x80040220",
    "no-access-path": "0x80048306",
}
_NO_REACH = "0x80048306"


def refused(world: World, by: str | None, right: str, row: str) -> str | None:
    """SM-2: the code for somebody who does not have a right on a row."""
    if by is None:
        return None
    _, _, denial = decide(world, by, right, world["rows"][row])
    return None if denial is None else _CODES[denial]


def whole(change: Callable[[World], str | None], world: World) -> str | None:
    """SM-6: a change happens whole or not at all."""
    tried = copy.deepcopy(world)
    refusal = change(tried)
    if refusal is None:
        settle(tried)
        world.clear()
        world.update(tried)
    return refusal


def assign(world: World, by: str | None, row: str, to: str) -> str | None:
    """SM-90 to SM-97, SM-99."""
    told = world["rows"][row]
    refusal = refused(world, by, "Assign", row)
    if refusal is not None or told["owner"] == to:
        return refusal
    refusal = why_not_owner(world, told["table"], to)
    if refusal is not None:
        return refusal

    def change(tried: World) -> str | None:
        going = _assigned(tried, row, lambda name: bool(tried["rows"][name]["owner"] == to))
        for name in going[1:]:
            refusal = refused(tried, by, "Assign", name)
            if refusal is not None:
                return refusal
        before = {name: tried["rows"][name]["owner"] for name in going}
        for name in going:
            tried["rows"][name]["owner"] = to
            if not stays_in_unit(tried):
                tried["rows"][name]["unit"] = holder(tried, to)["unit"]
        for name in going:
            owner_changed(tried, name, before[name])
            if tried["settings"].get("share_previous"):
                set_direct(tried, name, before[name], set(SHAREABLE_RIGHTS))
        return None

    return whole(change, world)


def place(world: World, by: str | None, row: str, unit: str) -> str | None:
    """SM-98: another owning unit."""
    if not world["settings"]["matrix"]:
        return "0x800404a8"
    refusal = refused(world, by, "Assign", row)
    if refusal is not None:
        return refusal

    def change(tried: World) -> str | None:
        going = _assigned(tried, row, lambda name: bool(tried["rows"][name]["unit"] == unit))
        for name in going[1:]:
            refusal = refused(tried, by, "Assign", name)
            if refusal is not None:
                return refusal
        for name in going:
            tried["rows"][name]["unit"] = unit
        return None

    return whole(change, world)


def _assigned(world: World, row: str, is_there: Callable[[str], bool]) -> list[str]:
    """SM-94, SM-95: the row and those below it that change with it."""
    going = [] if is_there(row) else [row]
    for name in going:
        for relationship, child in children(world, name):
            how = world["relationships"][relationship]["assign"]
            if child not in going and not is_there(child) and touches(world, how, child, world["rows"][name]["owner"]):
                going.append(child)
    return going


def share(world: World, by: str | None, row: str, principal: str, rights: set[str]) -> str | None:
    """SM-73 to SM-76."""
    held = world["rows"][row]["shares"].get(principal, {"direct": set()})["direct"]
    return _share(world, by, row, principal, rights, held | rights)


def modify(world: World, by: str | None, row: str, principal: str, rights: set[str]) -> str | None:
    """SM-73 to SM-75, SM-77."""
    return _share(world, by, row, principal, rights, rights)


def _share(world: World, by: str | None, row: str, principal: str, given: set[str], direct: set[str]) -> str | None:
    refusal = refused(world, by, "Share", row)
    if refusal is not None:
        return refusal
    if any(refused(world, by, right, row) for right in given):
        return _NO_REACH
    if world["rows"][row]["owner"] == principal:
        return "0x80040214"
    return whole(lambda tried: set_direct(tried, row, principal, direct), world)


def revoke(world: World, by: str | None, row: str, principal: str) -> str | None:
    """SM-73, SM-78."""
    refusal = refused(world, by, "Share", row)
    return refusal or whole(lambda tried: set_direct(tried, row, principal, set()), world)


def remove(world: World, by: str | None, row: str) -> str | None:
    """SM-100 to SM-104: rights first, then what restricts; then what stays lets go, and the rest goes."""
    refusal = refused(world, by, "Delete", row)
    if refusal is not None:
        return refusal
    going = [row]
    for name in going:
        for relationship, child in children(world, name):
            if world["relationships"][relationship]["delete"] == "Cascade" and child not in going:
                going.append(child)
    for name in going[1:]:
        refusal = refused(world, by, "Delete", name)
        if refusal is not None:
            return refusal
    for name in going:
        for relationship, child in children(world, name):
            if world["relationships"][relationship]["delete"] == "Restrict" and child not in going:
                return "0x80040227"

    def change(tried: World) -> None:
        for name in going:
            for relationship, child in children(tried, name):
                if child not in going:
                    tried["rows"][child]["parents"][relationship] = None
                    leave(tried, child, relationship, name)
        for name in going:
            del tried["rows"][name]

    return whole(change, world)


def link(world: World, by: str | None, row: str, relationship: str, parent: str | None) -> str | None:
    """SM-83, SM-84, SM-86, SM-110 to SM-112: a child leaves its parent and comes under another one."""
    refusal = refused(world, by, "Write", row)
    if refusal is None and parent is not None:
        refusal = _may_not_hang(world, by, world["rows"][row], [parent])
    if refusal is not None:
        return refusal

    def change(tried: World) -> None:
        _link(tried, row, relationship, parent)

    return whole(change, world)


def _may_not_hang(world: World, by: str | None, told: dict[str, Any], parents: list[str]) -> str | None:
    """SM-111: Append on the row that gets the lookup, AppendTo on the one it points to, which must be readable."""
    if by is None or not parents:
        return None
    _, _, denial = decide(world, by, "Append", told)
    if denial is not None:
        return _CODES[denial]
    for parent in parents:
        refusal = refused(world, by, "AppendTo", parent) or refused(world, by, "Read", parent)
        if refusal is not None:
            return refusal
    return None


def _link(world: World, row: str, relationship: str, parent: str | None) -> None:
    parents = world["rows"][row]["parents"]
    before = parents.get(relationship)
    if before == parent:
        return
    parents[relationship] = parent
    if before is not None:
        leave(world, row, relationship, before)
    if parent is not None:
        arrive(world, row, relationship, parent)


def create(world: World, by: str | None, row: str, table: str, owner: str, parents: dict[str, str]) -> str | None:
    """SM-15, SM-83, SM-84, SM-92, SM-93, SM-111, SM-120 to SM-124: a new row comes under its parents."""
    told: dict[str, Any] = {"table": table, "owner": owner, "unit": holder(world, owner)["unit"], "shares": {}}
    refusal = _may_not_create(world, by, told, [*parents.values()]) or why_not_owner(world, table, owner)
    if refusal is not None:
        return refusal

    def change(tried: World) -> None:
        made: dict[str, Any] = {**told, "active": True, "parents": {}, "parts": {}}
        tried["rows"][row] = made
        for relationship, parent in parents.items():
            made["parents"][relationship] = parent
            arrive(tried, row, relationship, parent)

    return whole(change, world)


def _may_not_create(world: World, by: str | None, told: dict[str, Any], parents: list[str]) -> str | None:
    """SM-124: Create, Assign for another owner, the lookups, secured columns; all of which an account gets."""
    if by is None:
        return None
    for right in ("Create", "Assign") if told["owner"] != by else ("Create",):
        _, _, denial = decide(world, by, right, told)
        if denial is not None:
            return _CODES[denial]
    refusal = _may_not_hang(world, by, told, parents)
    if refusal is not None:
        return refusal
    secured = [column for table, column in world["secured"] if table == told["table"]]
    if not all(column_allowed(world, by, told["table"], column, "create") for column in secured):
        return "0x8004f502"
    return None


def set_active(world: World, by: str | None, row: str, active: bool) -> str | None:
    """SM-87: what is touched later depends on it; nothing else happens."""
    refusal = refused(world, by, "Write", row)
    if refusal is not None:
        return refusal
    world["rows"][row]["active"] = active
    return None


def merge(world: World, by: str | None, stays: str, goes: str) -> str | None:
    """SM-114: children move where the relationship says so; the subordinate is deactivated."""
    for name, rights in ((stays, ("Write", "Read", "AppendTo")), (goes, ("Write", "Read"))):
        for right in rights:
            refusal = refused(world, by, right, name)
            if refusal is not None:
                return refusal

    def change(tried: World) -> None:
        for relationship, child in children(tried, goes):
            if tried["relationships"][relationship]["merge"] == "Cascade":
                _link(tried, child, relationship, None if child == stays else stays)
        tried["rows"][goes] |= {"active": False, "merged": True}

    return whole(change, world)
