"""Changes of worlds in random order: drawn once, made by the oracle on its dictionaries and by the verbs on the store.

A move is the name of a function of `oracle.moves` with its arguments, which are names. Both sides must refuse the same
moves with the same code; what they do is compared afterwards, decision by decision. Here is what happens to people,
units, roles and settings; what happens to rows is in `row_moves`.
"""

from collections.abc import Callable, Mapping
from typing import Any

from access_world import RIGHTS
from random_worlds import Chance, privileges_of_role
from stored_worlds import StoredWorld
from tests.worlds import user as user_reference

from oracle import moves
from oracle.decision import subtree
from strongroom.access.resolve import resolve
from strongroom.errors import StrongroomError
from strongroom.ids import Guid, Reference
from strongroom.records import (
    RolePrivilege,
    Session,
    add_members,
    associate,
    disassociate,
    remove_members,
    replace_privileges,
    update,
)
from strongroom.schema.model import Depth
from strongroom.store.protocol import Value

World = dict[str, Any]
Move = tuple[str, tuple[Any, ...]]


# --- drawing -------------------------------------------------------------------------------------------------------


def move_of(chance: Chance, world: World) -> Move | None:
    """Something that could happen next; None when what was drawn has nothing to happen to."""
    name = chance.one(sorted(_DRAWN))
    arguments = _DRAWN[name](chance, world)
    return None if arguments is None else (name, arguments)


Drawing = Callable[[Chance, World], "tuple[Any, ...] | None"]


def principal_of(chance: Chance, world: World) -> str:
    """Some user or team."""
    return chance.one([*sorted(world["users"]), *sorted(world["teams"])])


def _user(chance: Chance, world: World) -> str:
    return chance.one(sorted(world["users"]))


def _membership(chance: Chance, world: World) -> tuple[Any, ...] | None:
    teams = sorted(name for name, team in world["teams"].items() if team["type"] != "group")
    return chance.one(teams), _user(chance, world)


def _give(chance: Chance, world: World) -> tuple[Any, ...] | None:
    """A copy in the holder's unit, or any when that is not what would be refused."""
    principal = principal_of(chance, world)
    told = moves.holder(world, principal)
    role = chance.one(sorted(name for name, each in world["roles"].items() if not each["sysadmin"]))
    places = sorted(subtree(world, world["roles"][role]["unit"]))
    would_refuse = told.get("type") in ("access", "group")
    if would_refuse and told["unit"] not in places:
        return None
    return principal, role, told["unit"] if would_refuse else chance.one(places)


def _take(chance: Chance, world: World) -> tuple[Any, ...] | None:
    principal = principal_of(chance, world)
    held = sorted(moves.holder(world, principal)["roles"])
    return (principal, *chance.one(held)) if held else None


def _edit(chance: Chance, world: World) -> tuple[Any, ...] | None:
    return chance.one(sorted(world["roles"])), privileges_of_role(chance)


def _move(chance: Chance, world: World) -> tuple[Any, ...] | None:
    return principal_of(chance, world), chance.one(sorted(world["units"]))


def _reparent(chance: Chance, world: World) -> tuple[Any, ...] | None:
    units = sorted(name for name in world["units"] if name != "unit0")
    if not units:
        return None
    unit = chance.one(units)
    return unit, chance.one(sorted(world["units"].keys() - subtree(world, unit)))


def _disable_unit(chance: Chance, world: World) -> tuple[Any, ...] | None:
    units = sorted(name for name in world["units"] if name != "unit0")
    return (chance.one(units), chance.one((False, True))) if units else None


def _set_manager(chance: Chance, world: World) -> tuple[Any, ...] | None:
    return _user(chance, world), chance.one([None, *sorted(world["users"])])


def _set_of_user(chance: Chance, world: World) -> tuple[Any, ...] | None:
    what = chance.one(("disabled", "mode", "position"))
    values: dict[str, list[Any]] = {
        "disabled": [False, True],
        "mode": [0, 0, 1, 2, 4],
        "position": [None, *sorted(world["positions"])],
    }
    return _user(chance, world), what, chance.one(values[what])


def _set_hierarchy(chance: Chance, world: World) -> tuple[Any, ...] | None:
    return chance.one(("off", "manager", "position")), chance.number(1, 3)


def _set_matrix(chance: Chance, world: World) -> tuple[Any, ...] | None:
    return (chance.one((False, True)),)


def _set_profile(chance: Chance, world: World) -> tuple[Any, ...] | None:
    if not world["profiles"]:
        return None
    return principal_of(chance, world), chance.number(0, len(world["profiles"]) - 1), chance.one((False, True))


_DRAWN: Mapping[str, Drawing] = {
    "disable_unit": _disable_unit,
    "edit": _edit,
    "give": _give,
    "join": _membership,
    "leave": _membership,
    "move": _move,
    "reparent": _reparent,
    "set_hierarchy": _set_hierarchy,
    "set_manager": _set_manager,
    "set_matrix": _set_matrix,
    "set_of_user": _set_of_user,
    "set_profile": _set_profile,
    "take": _take,
}


# --- making --------------------------------------------------------------------------------------------------------


def make_told(world: World, move: Move) -> str | None:
    """The oracle makes the move; the code of its refusal."""
    name, arguments = move
    refusal: str | None = getattr(moves, name)(world, *arguments)
    return refusal


def make_stored(stored: StoredWorld, move: Move) -> str | None:
    """The verbs make the move as the administrator; the code of their refusal."""
    name, arguments = move
    transaction = stored.transaction
    facts = transaction.facts(user_reference(stored.birthplace.admin))
    assert facts is not None
    caller = resolve(facts, transaction.schema, transaction.stamp.security_epoch)
    session = Session(transaction, caller, stored.birthplace.clock, stored.birthplace.rules)
    try:
        getattr(_Verbs(stored, session), name)(*arguments)
    except StrongroomError as refusal:
        return refusal.code
    return None


class _Verbs:
    """The verb behind each move. `world` is as it was before the move."""

    def __init__(self, stored: StoredWorld, session: Session) -> None:
        self._stored = stored
        self._session = session

    def join(self, team: str, user: str) -> None:
        add_members(self._session, self._stored.ids[team], [self._stored.ids[user]])

    def leave(self, team: str, user: str) -> None:
        if user in self._stored.world["teams"][team]["members"] or self._stored.world["teams"][team]["default"]:
            remove_members(self._session, self._stored.ids[team], [self._stored.ids[user]])

    def give(self, principal: str, role: str, unit: str) -> None:
        if (role, unit) not in moves.holder(self._stored.world, principal)["roles"]:
            self._link(principal, "roles", self._copy(role, unit), tie=True)

    def take(self, principal: str, role: str, unit: str) -> None:
        self._link(principal, "roles", self._copy(role, unit), tie=False)

    def edit(self, role: str, privileges: dict[tuple[str, str], str]) -> None:
        held = [
            RolePrivilege(self._stored.table(table).privileges[RIGHTS[right]].id, Depth[depth.upper()])
            for (table, right), depth in privileges.items()
        ]
        original = self._stored.copies[role, self._stored.world["roles"][role]["unit"]]
        replace_privileges(self._session, original, held)

    def move(self, principal: str, unit: str) -> None:
        self._change(self._stored.principal(principal), {"businessunitid": self._unit(unit)})

    def reparent(self, unit: str, parent: str) -> None:
        self._change(self._unit(unit), {"parentbusinessunitid": self._unit(parent)})

    def disable_unit(self, unit: str, disabled: bool) -> None:
        self._change(self._unit(unit), {"isdisabled": disabled})

    def set_manager(self, user: str, manager: str | None) -> None:
        above = None if manager is None else self._stored.principal(manager)
        self._change(self._stored.principal(user), {"parentsystemuserid": above})

    def set_of_user(self, user: str, what: str, value: Any) -> None:
        column = {"disabled": "isdisabled", "mode": "accessmode", "position": "positionid"}[what]
        if what == "position" and value is not None:
            value = Reference("position", self._stored.ids[value])
        self._change(self._stored.principal(user), {column: value})

    def set_hierarchy(self, kind: str, depth: int) -> None:
        self._change(
            Reference("organization", self._stored.birthplace.born.organization),
            {
                "ishierarchicalsecuritymodelenabled": kind != "off",
                "usepositionhierarchy": kind == "position",
                "maxdepthforhierarchicalsecuritymodel": depth,
            },
        )

    def set_matrix(self, on: bool) -> None:
        told = {**self._stored.world["settings"], "matrix": on}
        organization = Reference("organization", self._stored.birthplace.born.organization)
        self._change(organization, {"orgdborgsettings": self._stored.switches(told)})

    def set_profile(self, principal: str, number: int, held: bool) -> None:
        profile = self._stored.world["profiles"][number]
        is_held = principal in profile["teams"] or principal in profile["users"]
        if is_held is not held:
            made = Reference("fieldsecurityprofile", self._stored.ids[f"profile{number}"])
            self._link(principal, "profiles", made, tie=held)

    # --- pieces ---

    def _change(self, target: Reference, changes: Mapping[str, Value]) -> None:
        update(self._session, self._session.table(target.table), target.id, changes)

    def _unit(self, name: str) -> Reference:
        return Reference("businessunit", self._stored.ids[name])

    def _copy(self, role: str, unit: str) -> Reference:
        """The copy as it is now: a unit that moved may have another one."""
        root = Reference("role", self._stored.copies[role, self._stored.world["roles"][role]["unit"]])
        place = {"parentrootroleid": root, "businessunitid": self._unit(unit)}
        (row,) = self._stored.transaction.rows_where(self._session.table("role"), place)
        return Reference("role", Guid(row.id))

    def _link(self, principal: str, what: str, other: Reference, *, tie: bool) -> None:
        holder = self._stored.principal(principal)
        association = self._session.schema.many_to_many[f"{holder.table}{what}_association"]
        ends = (holder, other) if association.table1 == holder.table else (other, holder)
        (associate if tie else disassociate)(self._session, association, *ends)
