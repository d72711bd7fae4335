"""Worlds of the oracle as the product's `Directory`: everybody at once."""

from access_world import COLUMN_ACCESS, TEAM_TYPES, Telling

from access_schema import guid
from strongroom.access.caller import SYSTEM_ADMINISTRATOR_TEMPLATE, AccessMode, Role, Team
from strongroom.access.directory import Directory, Profile, User
from strongroom.access.hierarchy import Position
from strongroom.access.plan import ColumnAccess
from strongroom.ids import Guid, Key


def directory_of(told: Telling) -> Directory:
    """The whole world. Ids and keys are those of `told`."""
    world = told.world
    roles: dict[Guid, Role] = {}
    roles_of: dict[Key, tuple[Guid, ...]] = {}
    for name, holder in {**world["users"], **world["teams"]}.items():
        for role, unit in holder["roles"]:
            facts = world["roles"][role]
            copy = told.role_id(role, unit)
            template = SYSTEM_ADMINISTRATOR_TEMPLATE if facts["sysadmin"] else None
            roles[copy] = Role(copy, guid(role), role, told.unit_keys[unit], facts["inherited"], template)
        roles_of[told.keys[name]] = tuple(told.role_id(*held) for held in holder["roles"])
    return Directory(
        units=told.units,
        settings=told.settings,
        users={
            told.keys[name]: User(
                told.keys[name],
                guid(name),
                name,
                told.unit_keys[user["unit"]],
                user["disabled"],
                AccessMode(user["mode"]),
                None,
                told.keys[user["manager"]] if user["manager"] is not None else None,
                guid(user["position"]) if user["position"] is not None else None,
            )
            for name, user in world["users"].items()
        },
        teams={
            told.keys[name]: Team(
                told.keys[name],
                guid(name),
                name,
                TEAM_TYPES[team["type"]],
                told.unit_keys[team["unit"]],
                team["default"],
            )
            for name, team in world["teams"].items()
        },
        team_directory_ids={},
        teams_of={
            told.keys[user]: tuple(told.keys[name] for name, team in world["teams"].items() if user in team["members"])
            for user in world["users"]
        },
        roles=roles,
        roles_of=roles_of,
        privileges=told.privileges,
        origins={guid(name): told.unit_keys[role["unit"]] for name, role in world["roles"].items()},
        positions={
            guid(name): Position(
                guid(name), guid(position["parent"]) if position["parent"] is not None else None, position["active"]
            )
            for name, position in world["positions"].items()
        },
        profiles={guid(f"profile {i}"): _profile(i, profile) for i, profile in enumerate(world["profiles"])},
        profiles_of={
            told.keys[name]: frozenset(
                guid(f"profile {i}")
                for i, profile in enumerate(world["profiles"])
                if name in profile["users"] or name in profile["teams"]
            )
            for name in [*world["users"], *world["teams"]]
        },
    )


def _profile(number: int, profile: dict[str, dict[tuple[str, str], set[str]]]) -> Profile:
    columns: dict[str, dict[str, ColumnAccess]] = {}
    for (table, column), allowed in profile["columns"].items():
        access = ColumnAccess.NONE
        for what in allowed:
            access |= COLUMN_ACCESS[what]
        columns.setdefault(table, {})[column] = access
    return Profile(guid(f"profile {number}"), f"profile {number}", columns)
