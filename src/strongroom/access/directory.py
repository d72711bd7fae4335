"""Everybody at once: all users and teams, the roles they hold and what those give, as one value in memory.

`SecurityFacts` tell what decides about one principal; a `Directory` holds what all facts are made of, so that two
questions can be answered without asking the store user by user: who has a right on a row (SM-164), and what would
change for whom if something were different (`access.changes`). `facts_of` makes the same facts that the store reads
for a single principal; a test holds the two against each other.

A directory is valid for one security epoch, and is never changed: a change makes another one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

from strongroom.access.caller import (
    AccessMode,
    HeldRole,
    Role,
    SecurityFacts,
    SecuritySettings,
    Subordinate,
    Team,
    UnitTree,
)
from strongroom.access.columns import Columns, added
from strongroom.access.hierarchy import People, Person, Position, position_tree, reports_of, subordinates
from strongroom.ids import Guid, Key
from strongroom.schema.model import Depth


@dataclass(frozen=True, slots=True)
class User:
    """One user. `manager` is `parentsystemuserid`, `position` is `positionid`."""

    key: Key
    id: Guid
    name: str
    unit: Key
    is_disabled: bool = False
    access_mode: AccessMode = AccessMode.READ_WRITE
    directory_object_id: Guid | None = None
    manager: Key | None = None
    position: Guid | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """A column security profile."""

    id: Guid
    name: str
    columns: Columns


_NO_COLUMNS: Columns = MappingProxyType({})


@dataclass(frozen=True)
class Directory:
    """Who is there and holds what. Sequences are in the order of keys, so that facts come out the same every time."""

    units: UnitTree
    settings: SecuritySettings
    users: Mapping[Key, User]
    teams: Mapping[Key, Team]
    team_directory_ids: Mapping[Key, Guid]
    """`azureactivedirectoryobjectid` of group teams."""
    teams_of: Mapping[Key, tuple[Key, ...]]
    """User → teams."""
    roles: Mapping[Guid, Role]
    """Role copies that somebody holds, by id."""
    roles_of: Mapping[Key, tuple[Guid, ...]]
    """User or team → role copies held directly."""
    privileges: Mapping[Guid, Mapping[Guid, Depth]]
    """Root role → privilege → depth."""
    origins: Mapping[Guid, Key]
    """Root role → the business unit of the original; the copies are in the units below (SM-23)."""
    positions: Mapping[Guid, Position] = field(default_factory=dict[Guid, Position])
    profiles: Mapping[Guid, Profile] = field(default_factory=dict[Guid, Profile])
    profiles_of: Mapping[Key, frozenset[Guid]] = field(default_factory=dict[Key, frozenset[Guid]])
    """User or team → column profiles held directly."""

    def facts_of(self, principal: Key) -> SecurityFacts:
        """What is known of a user, or of a team as a principal (SM-47)."""
        team = self.teams.get(principal)
        return self._facts_of_user(self.users[principal]) if team is None else self._facts_of_team(team)

    @cached_property
    def members_of(self) -> Mapping[Key, tuple[Key, ...]]:
        """Team → its members."""
        found: dict[Key, list[Key]] = {}
        for user, teams in self.teams_of.items():
            for team in teams:
                found.setdefault(team, []).append(user)
        return {team: tuple(users) for team, users in found.items()}

    @cached_property
    def people(self) -> People:
        """Users and positions as hierarchy security sees them."""
        people = {
            user.key: Person(user.key, user.unit, user.manager, user.position, user.is_disabled)
            for user in self.users.values()
        }
        return People(
            people,
            self.positions,
            {user.key: (user.id, user.name) for user in self.users.values()},
            {user: [(team, self.teams[team].owns_rows) for team in teams] for user, teams in self.teams_of.items()},
            reports_of(people.values()),
            position_tree(people.values(), self.positions),
        )

    def subordinates_of(self, user: Key) -> tuple[Subordinate, ...]:
        """Those below a user; nobody when hierarchy security is off."""
        if not self.settings.hierarchy_enabled:
            return ()
        return subordinates(self.people, user, self.settings, self.units)

    def narrowed(self, user: User, roles: Iterable[Guid], teams: Iterable[Key]) -> SecurityFacts:
        """The facts of a user who would hold these roles only, be in these teams only, and be above nobody."""
        return self._facts(user, roles, tuple(self.teams[team] for team in teams), ())

    def _facts_of_user(self, user: User) -> SecurityFacts:
        teams = tuple(self.teams[team] for team in self.teams_of.get(user.key, ()))
        return self._facts(user, self.roles_of.get(user.key, ()), teams, self.subordinates_of(user.key))

    def _facts(
        self, user: User, roles: Iterable[Guid], teams: tuple[Team, ...], below: tuple[Subordinate, ...]
    ) -> SecurityFacts:
        held = [HeldRole(self.roles[role]) for role in roles]
        for team in sorted((team for team in teams if team.owns_rows), key=lambda team: team.id):
            held += self._held_by_team(team)
        return SecurityFacts(
            id=user.id,
            key=user.key,
            name=user.name,
            unit=user.unit,
            is_team=False,
            is_disabled=user.is_disabled,
            access_mode=user.access_mode,
            directory_object_id=user.directory_object_id,
            teams=teams,
            roles=tuple(held),
            role_privileges=self._privileges_of(held),
            units=self.units,
            settings=self.settings,
            subordinates=below,
            column_permissions=self._columns_of((user.key, *(team.key for team in teams))),
        )

    def _facts_of_team(self, team: Team) -> SecurityFacts:
        held = [HeldRole(one.role) for one in self._held_by_team(team)] if team.owns_rows else []
        return SecurityFacts(
            id=team.id,
            key=team.key,
            name=team.name,
            unit=team.unit,
            is_team=True,
            is_disabled=False,
            access_mode=AccessMode.READ_WRITE,
            directory_object_id=self.team_directory_ids.get(team.key),
            teams=(),
            roles=tuple(held),
            role_privileges=self._privileges_of(held),
            units=self.units,
            settings=self.settings,
            column_permissions=self._columns_of((team.key,)),
            team=team,
        )

    @cached_property
    def _held(self) -> dict[Key, tuple[HeldRole, ...]]:
        return {}

    def _held_by_team(self, team: Team) -> tuple[HeldRole, ...]:
        found = self._held.get(team.key)
        if found is None:
            found = tuple(HeldRole(self.roles[role], team) for role in self.roles_of.get(team.key, ()))
            self._held[team.key] = found
        return found

    def _privileges_of(self, held: Iterable[HeldRole]) -> Mapping[Guid, Mapping[Guid, Depth]]:
        return {one.role.root_id: self.privileges.get(one.role.root_id, {}) for one in held}

    def _columns_of(self, principals: Iterable[Key]) -> Columns:
        """What the profiles of a user and its teams open, added up (SM-131)."""
        profiles = {profile for principal in principals for profile in self.profiles_of.get(principal, ())}
        return added(*(self.profiles[profile].columns for profile in profiles)) if profiles else _NO_COLUMNS
