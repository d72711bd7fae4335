"""Changes of configuration that are not made yet, applied to a `Directory` in memory.

Each change is what an administrator is about to save; `applied` gives the directory as it would be afterwards, with
everything that the platform does along with it: a user who moves leaves one default team for another and loses its
roles (SM-26, SM-53), a unit that moves loses the role copies of what is no longer above it (SM-28). `effects` tells
what happens to rows: those of somebody who moves go along (SM-27), and role copies come and go.

Whether a change would be accepted at all is the matter of the verbs that make it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar, assert_never

from strongroom.access.caller import Role, SecuritySettings, UnitTree
from strongroom.access.columns import Columns
from strongroom.access.directory import Directory, User
from strongroom.ids import Guid, Key
from strongroom.schema.model import Depth


@dataclass(frozen=True, slots=True)
class RolePrivileges:
    """A role gets exactly these privileges. `role` is the original's id."""

    role: Guid
    privileges: Mapping[Guid, Depth]


@dataclass(frozen=True, slots=True)
class RoleHeld:
    """A user or team gets a role copy, or loses it."""

    principal: Key
    role: Role
    is_held: bool


@dataclass(frozen=True, slots=True)
class Membership:
    """A user joins a team, or leaves it."""

    team: Key
    user: Key
    is_member: bool


@dataclass(frozen=True, slots=True)
class PrincipalMoved:
    """A user or team goes to another business unit."""

    principal: Key
    unit: Key


@dataclass(frozen=True, slots=True)
class UnitMoved:
    """A business unit gets another parent."""

    unit: Key
    parent: Key


@dataclass(frozen=True, slots=True)
class UnitDisabled:
    """A business unit is disabled, or enabled."""

    unit: Key
    is_disabled: bool


@dataclass(frozen=True, slots=True)
class UserChanged:
    """A user gets another manager, position, access mode or state: `user` is the user as it would be, in its unit."""

    user: User


@dataclass(frozen=True, slots=True)
class HierarchyChanged:
    """The organisation's hierarchy security is set otherwise."""

    settings: SecuritySettings


@dataclass(frozen=True, slots=True)
class ProfileColumns:
    """A column security profile opens exactly these columns."""

    profile: Guid
    columns: Columns


@dataclass(frozen=True, slots=True)
class ProfileHeld:
    """A user or team gets a column security profile, or loses it."""

    principal: Key
    profile: Guid
    is_held: bool


Change = (
    RolePrivileges
    | RoleHeld
    | Membership
    | PrincipalMoved
    | UnitMoved
    | UnitDisabled
    | UserChanged
    | HierarchyChanged
    | ProfileColumns
    | ProfileHeld
)


@dataclass(frozen=True, slots=True)
class Effects:
    """What a change does to rows."""

    possessions: Mapping[Key, Key] = field(default_factory=dict[Key, Key])
    """Owner → unit to which all its rows go."""
    principals: Mapping[Key, Key] = field(default_factory=dict[Key, Key])
    """User or team → unit to which its own row goes."""
    roles_gone: Mapping[Key, int] = field(default_factory=dict[Key, int])
    """Unit → role copies that disappear in it."""
    roles_new: Mapping[Key, int] = field(default_factory=dict[Key, int])

    @property
    def is_nothing(self) -> bool:
        """Whether no row changes its place."""
        return not (self.possessions or self.principals or self.roles_gone or self.roles_new)


def applied(directory: Directory, change: Change) -> Directory:
    """The directory after the change."""
    match change:
        case RolePrivileges(role, privileges):
            return replace(directory, privileges={**directory.privileges, role: privileges})
        case RoleHeld(principal, role, is_held):
            held = _with(directory.roles_of.get(principal, ()), role.id, is_held)
            return replace(
                directory,
                roles={**directory.roles, role.id: role},
                roles_of={**directory.roles_of, principal: tuple(held)},
            )
        case Membership(team, user, is_member):
            return _with_members(directory, user, [(team, is_member)])
        case PrincipalMoved(principal, unit):
            return _move(directory, principal, unit)
        case UnitMoved(unit, parent):
            return _move_unit(directory, unit, parent)
        case UnitDisabled(unit, is_disabled):
            units = directory.units.units
            return replace(directory, units=UnitTree({**units, unit: replace(units[unit], is_disabled=is_disabled)}))
        case UserChanged(user):
            return replace(directory, users={**directory.users, user.key: user})
        case HierarchyChanged(settings):
            return replace(directory, settings=settings)
        case ProfileColumns(profile, columns):
            changed = replace(directory.profiles[profile], columns=columns)
            return replace(directory, profiles={**directory.profiles, profile: changed})
        case ProfileHeld(principal, profile, is_held):
            held = frozenset(_with(directory.profiles_of.get(principal, ()), profile, is_held))
            return replace(directory, profiles_of={**directory.profiles_of, principal: held})
        case _:  # pragma: no cover - a new kind of change must say what it does
            assert_never(change)


def effects(directory: Directory, change: Change) -> Effects:
    """What the change does to rows."""
    match change:
        case PrincipalMoved(principal, unit) if unit != _unit_of(directory, principal):
            moved = {principal: unit}
            settings = directory.settings
            stay = settings.matrix_access and not settings.always_move_record  # SM-27
            return Effects(possessions={} if stay else moved, principals=moved)
        case UnitMoved(unit):
            after = applied(directory, change)
            gone: dict[Key, int] = {}
            new: dict[Key, int] = {}
            for below in directory.units.subtree(unit):
                before_here, after_here = (_roles_at(each, below) for each in (directory, after))
                gone[below] = len(before_here - after_here)
                new[below] = len(after_here - before_here)
            return Effects(roles_gone=_positive(gone), roles_new=_positive(new))
        case _:
            return Effects()


# --- pieces --------------------------------------------------------------------------------------------------------


_T = TypeVar("_T")


def _with(items: Iterable[_T], item: _T, is_in: bool) -> list[_T]:
    """`items` with or without `item`."""
    rest = [each for each in items if each != item]
    return [*rest, item] if is_in else rest


def _with_members(directory: Directory, user: Key, changes: Iterable[tuple[Key, bool]]) -> Directory:
    teams = list(directory.teams_of.get(user, ()))
    for team, is_member in changes:
        teams = _with(teams, team, is_member)
    return replace(directory, teams_of={**directory.teams_of, user: tuple(sorted(teams))})


def _move(directory: Directory, principal: Key, unit: Key) -> Directory:
    """A user or team goes to another unit: direct roles stay behind (SM-26), a user changes default teams (SM-53)."""
    team = directory.teams.get(principal)
    if unit == _unit_of(directory, principal):
        return directory
    if team is not None:
        moved = replace(directory, teams={**directory.teams, principal: replace(team, unit=unit)})
    else:
        user = directory.users[principal]
        defaults = {each.unit: each.key for each in directory.teams.values() if each.is_default}
        places = ((user.unit, False), (unit, True))
        moved = _with_members(
            replace(directory, users={**directory.users, principal: replace(user, unit=unit)}),
            principal,
            [(defaults[place], is_member) for place, is_member in places if place in defaults],
        )
    settings = directory.settings
    if settings.matrix_access and settings.keep_roles_on_unit_change:
        return moved
    return replace(moved, roles_of={**moved.roles_of, principal: ()})


def _unit_of(directory: Directory, principal: Key) -> Key:
    team = directory.teams.get(principal)
    return directory.users[principal].unit if team is None else team.unit


def _move_unit(directory: Directory, unit: Key, parent: Key) -> Directory:
    """Role copies that the new position no longer provides disappear, with their assignments (SM-28)."""
    units = directory.units.units
    moved = replace(directory, units=UnitTree({**units, unit: replace(units[unit], parent=parent)}))
    provided = {below: _roles_at(moved, below) for below in directory.units.subtree(unit)}

    def stays(role: Guid) -> bool:
        copy = directory.roles[role]
        return copy.unit not in provided or copy.root_id in provided[copy.unit]

    return replace(
        moved, roles_of={holder: tuple(filter(stays, roles)) for holder, roles in directory.roles_of.items()}
    )


def _roles_at(directory: Directory, unit: Key) -> frozenset[Guid]:
    """The roots of the roles that a unit has, its own and copies of those above (SM-23)."""
    path = {each.key for each in directory.units.path_to_root(unit)}
    return frozenset(role for role, place in directory.origins.items() if place in path)


def _positive(numbers: Mapping[Key, int]) -> dict[Key, int]:
    return {unit: number for unit, number in numbers.items() if number}
