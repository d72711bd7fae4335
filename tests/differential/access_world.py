"""Worlds of the oracle, told to the product: the same facts in the product's own types."""

from dataclasses import dataclass
from typing import Any

from access_schema import column, guid, schema, table
from strongroom.access.caller import (
    SYSTEM_ADMINISTRATOR_TEMPLATE,
    AccessMode,
    HeldRole,
    Role,
    SecurityFacts,
    SecuritySettings,
    Subordinate,
    Team,
    TeamType,
    Unit,
    UnitTree,
)
from strongroom.access.check import SecuredRow
from strongroom.access.hierarchy import Person, Position, levels_below
from strongroom.access.plan import ColumnAccess
from strongroom.ids import Guid, Key
from strongroom.schema.model import Depth, Ownership, Rights

SCHEMA = schema(
    [
        table("account", columns=[column("ssn", secured=True), column("iban", secured=True), column("note")]),
        table("ticket", hierarchy=False),
        table("product", Ownership.ORGANIZATION),
        table("territory", Ownership.ORGANIZATION),
        table("systemuser", Ownership.BUSINESS, depths=frozenset(Depth)),
        table("team", Ownership.BUSINESS),
    ]
)
TABLES = {
    "account": {"ownership": "user", "hierarchy": True, "settings": False},
    "ticket": {"ownership": "user", "hierarchy": False, "settings": False},
    "product": {"ownership": "organization", "hierarchy": True, "settings": False},
    "territory": {"ownership": "organization", "hierarchy": True, "settings": True},
    "systemuser": {"ownership": "business", "hierarchy": True, "settings": True},
    "team": {"ownership": "business", "hierarchy": True, "settings": True},
}
CASCADES = ("assign", "share", "unshare", "reparent", "delete", "merge")
_N, _C, _A, _U = "NoCascade", "Cascade", "Active", "UserOwned"
_CASCADES = {
    "parental": ("account", "ticket", (_C, _C, _C, _C, "Cascade", _C)),
    "active": ("account", "ticket", (_A, _A, _A, _A, "RemoveLink", _N)),
    "owned": ("account", "ticket", (_U, _U, _U, _U, "Restrict", _C)),
    "loose": ("account", "ticket", (_N, _N, _N, _N, "RemoveLink", _C)),
    "group": ("account", "account", (_C, _A, _N, _U, "Cascade", _C)),
    "chain": ("account", "account", (_U, _C, _A, _C, "RemoveLink", _N)),
    "line": ("ticket", "ticket", (_A, _U, _C, _A, "Restrict", _N)),
    "back": ("ticket", "account", (_N, _C, _U, _N, "Cascade", _N)),
}
RELATIONSHIPS: dict[str, dict[str, str]] = {
    name: {"parent": parent, "child": child, **dict(zip(CASCADES, how, strict=True))}
    for name, (parent, child, how) in _CASCADES.items()
}
"""What rows of these worlds hang on: every kind of cascade for every event, and each kind of delete."""

RIGHTS = {
    "Read": Rights.READ,
    "Write": Rights.WRITE,
    "Append": Rights.APPEND,
    "AppendTo": Rights.APPEND_TO,
    "Create": Rights.CREATE,
    "Delete": Rights.DELETE,
    "Share": Rights.SHARE,
    "Assign": Rights.ASSIGN,
}
COLUMN_ACCESS = {"read": ColumnAccess.READ, "create": ColumnAccess.CREATE, "update": ColumnAccess.UPDATE}
TEAM_TYPES = {"owner": TeamType.OWNER, "access": TeamType.ACCESS, "group": TeamType.SECURITY_GROUP}


@dataclass(frozen=True)
class HeldMasks:
    """A share as the product sees it."""

    principal: Key
    direct: Rights
    inherited: Rights


class Telling:
    """One world in the product's types. Keys are places in sorted lists, ids are made of names."""

    def __init__(self, world: dict[str, Any]) -> None:
        self.world = world
        self.keys = {name: Key(i + 1) for i, name in enumerate([*sorted(world["users"]), *sorted(world["teams"])])}
        self.unit_keys = {name: Key(i + 1001) for i, name in enumerate(sorted(world["units"]))}
        self.units = UnitTree(
            {
                self.unit_keys[name]: Unit(
                    self.unit_keys[name],
                    guid(name),
                    name,
                    self.unit_keys[unit["parent"]] if unit["parent"] is not None else None,
                    unit["disabled"],
                )
                for name, unit in world["units"].items()
            }
        )
        self.settings = self._settings()
        self.privileges = {guid(name): self._privileges(role) for name, role in world["roles"].items()}

    def facts(self, principal: str) -> SecurityFacts:
        """The facts of a user or a team."""
        if principal in self.world["teams"]:
            return self._facts_of_team(principal)
        user = self.world["users"][principal]
        teams = self._teams_of(principal)
        roles = [HeldRole(self.role(role, unit)) for role, unit in user["roles"]]
        for team in teams:
            if team.owns_rows:
                roles += [HeldRole(self.role(*held), team) for held in self.world["teams"][team.name]["roles"]]
        return SecurityFacts(
            id=guid(principal),
            key=self.keys[principal],
            name=principal,
            unit=self.unit_keys[user["unit"]],
            is_team=False,
            is_disabled=user["disabled"],
            access_mode=AccessMode(user["mode"]),
            directory_object_id=None,
            teams=teams,
            roles=tuple(roles),
            role_privileges=self.privileges,
            units=self.units,
            settings=self.settings,
            subordinates=self._subordinates(principal),
            column_permissions=self._column_permissions(principal),
        )

    def teams(self) -> list[SecurityFacts]:
        """The facts of all teams."""
        return [self.facts(name) for name in self.world["teams"]]

    def row(self, row: dict[str, Any]) -> SecuredRow:
        """What security sees of a row."""
        return SecuredRow(
            self.keys[row["owner"]] if row["owner"] is not None else None,
            self.unit_keys[row["unit"]] if row["unit"] is not None else None,
            [
                HeldMasks(self.keys[name], _mask(share["direct"]), _mask(share["inherited"]))
                for name, share in row["shares"].items()
            ],
        )

    def role_id(self, name: str, unit: str) -> Guid:
        """The id of the copy of a role in a unit."""
        return self.role(name, unit).id

    def _facts_of_team(self, name: str) -> SecurityFacts:
        team = self._team(name)
        return SecurityFacts(
            id=team.id,
            key=team.key,
            name=name,
            unit=team.unit,
            is_team=True,
            is_disabled=False,
            access_mode=AccessMode.READ_WRITE,
            directory_object_id=None,
            teams=(),
            roles=tuple(HeldRole(self.role(*held)) for held in self.world["teams"][name]["roles"]),
            role_privileges=self.privileges,
            units=self.units,
            settings=self.settings,
            column_permissions=self._column_permissions(name),
            team=team,
        )

    def _team(self, name: str) -> Team:
        team = self.world["teams"][name]
        unit = self.unit_keys[team["unit"]]
        return Team(self.keys[name], guid(name), name, TEAM_TYPES[team["type"]], unit, team["default"])

    def _teams_of(self, user: str) -> tuple[Team, ...]:
        return tuple(self._team(name) for name, team in self.world["teams"].items() if user in team["members"])

    def role(self, name: str, unit: str) -> Role:
        """The copy of a role in a unit."""
        role = self.world["roles"][name]
        template = SYSTEM_ADMINISTRATOR_TEMPLATE if role["sysadmin"] else None
        return Role(guid(f"{name} in {unit}"), guid(name), name, self.unit_keys[unit], role["inherited"], template)

    def _privileges(self, role: dict[str, Any]) -> dict[Guid, Depth]:
        return {
            SCHEMA.tables[table].privileges[RIGHTS[right]].id: Depth[depth.upper()]
            for (table, right), depth in role["privileges"].items()
            if RIGHTS[right] in SCHEMA.tables[table].privileges
        }

    def _settings(self) -> SecuritySettings:
        told = self.world["settings"]
        return SecuritySettings(
            matrix_access=told["matrix"],
            always_move_record=told["always_move"],
            hierarchy_enabled=told["hierarchy"] != "off",
            hierarchy_by_position=told["hierarchy"] == "position",
            hierarchy_depth=told["depth"],
            hierarchy_write_levels=told["write_levels"],
            hierarchy_same_unit=told["same_unit"],
            hierarchy_disabled_users=told["disabled_reports"],
        )

    def _subordinates(self, user: str) -> tuple[Subordinate, ...]:
        users = self.world["users"]
        people = {
            self.keys[name]: Person(
                self.keys[name],
                self.unit_keys[person["unit"]],
                self.keys[person["manager"]] if person["manager"] is not None else None,
                guid(person["position"]) if person["position"] is not None else None,
                person["disabled"],
            )
            for name, person in users.items()
        }
        positions = {
            guid(name): Position(
                guid(name), guid(position["parent"]) if position["parent"] is not None else None, position["active"]
            )
            for name, position in self.world["positions"].items()
        }
        levels = levels_below(self.keys[user], people, positions, self.settings, self.units)
        return tuple(
            Subordinate(
                self.keys[name],
                guid(name),
                name,
                levels[self.keys[name]],
                frozenset({self.keys[name], *(t.key for t in self._teams_of(name) if t.owns_rows)}),
                frozenset({self.keys[name], *(t.key for t in self._teams_of(name))}),
            )
            for name in users
            if self.keys[name] in levels
        )

    def _column_permissions(self, principal: str) -> dict[str, dict[str, ColumnAccess]]:
        found: dict[str, dict[str, ColumnAccess]] = {}
        mine = {principal, *(team.name for team in self._teams_of(principal))}
        for profile in self.world["profiles"]:
            if mine & {*profile["users"], *profile["teams"]}:
                for (table_name, column_name), allowed in profile["columns"].items():
                    columns = found.setdefault(table_name, {})
                    for what in allowed:
                        columns[column_name] = columns.get(column_name, ColumnAccess.NONE) | COLUMN_ACCESS[what]
        return found


def _mask(rights: set[str]) -> Rights:
    mask = Rights.NONE
    for right in rights:
        mask |= RIGHTS[right]
    return mask
