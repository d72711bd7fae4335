"""Lists of privileges as messages give them (SM-171), and what may be handed out to others (SM-29)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from strongroom.access.caller import Caller, UnitTree
from strongroom.ids import Guid, Key
from strongroom.schema.model import Depth, Schema


@dataclass(frozen=True, slots=True)
class RolePrivilege:
    """One entry of RetrieveUserPrivileges and its kin: a privilege, its depth and the unit it is anchored at."""

    privilege_id: Guid
    name: str
    depth: Depth
    unit_id: Guid


@dataclass(frozen=True, slots=True)
class Handed:
    """A privilege that somebody is about to give to others: at this depth, anchored at this unit."""

    privilege_id: Guid
    depth: Depth
    anchor: Key


def privileges_of(caller: Caller) -> tuple[RolePrivilege, ...]:
    """The privileges of a user or team, resolved as `caller`: one entry for each (privilege, anchor unit) with the
    greatest depth, in the order of their names (SM-171)."""
    greatest: dict[tuple[Guid, Key], Depth] = {}
    for privilege_id, grants in caller.grants.items():
        for grant in grants:
            place = (privilege_id, grant.anchor)
            before = greatest.get(place)
            if before is None or grant.depth.value > before.value:
                greatest[place] = grant.depth
    units = caller.facts.units.units
    return _named(
        ((privilege_id, depth, units[anchor].id) for (privilege_id, anchor), depth in greatest.items()), caller.schema
    )


def privileges_of_role(privileges: Mapping[Guid, Depth], unit_id: Guid, schema: Schema) -> tuple[RolePrivilege, ...]:
    """The privileges of one role, in the order of their names (SM-171)."""
    return _named(((privilege_id, depth, unit_id) for privilege_id, depth in privileges.items()), schema)


def exceeding(caller: Caller, handed: Iterable[Handed]) -> Handed | None:
    """The first of `handed` that the caller lacks or holds with less reach, by depth and unit (SM-29); None when the
    caller may hand out all of them."""
    units = caller.facts.units
    for wanted in handed:
        grants = caller.grants.get(wanted.privilege_id, ())
        if not any(_covers(grant.depth, grant.anchor, wanted, units) for grant in grants):
            return wanted
    return None


def _covers(depth: Depth, anchor: Key, wanted: Handed, units: UnitTree) -> bool:
    if depth is Depth.GLOBAL or wanted.depth is Depth.BASIC:
        return True
    if depth is Depth.DEEP:
        return wanted.depth is not Depth.GLOBAL and wanted.anchor in units.subtree(anchor)
    return depth is Depth.LOCAL and wanted.depth is Depth.LOCAL and wanted.anchor == anchor


def _named(entries: Iterable[tuple[Guid, Depth, Guid]], schema: Schema) -> tuple[RolePrivilege, ...]:
    known = schema.privileges_by_id
    made = [
        RolePrivilege(privilege_id, known[privilege_id].name, depth, unit_id)
        for privilege_id, depth, unit_id in entries
        if privilege_id in known
    ]
    return tuple(sorted(made, key=lambda entry: (entry.name, entry.unit_id)))
