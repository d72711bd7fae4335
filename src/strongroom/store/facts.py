"""What the tables say about one principal: `SecurityFacts` for a user, or for a team asked about as a principal.

A read keeps what it found in a cache of the process, under the security epoch of its snapshot: whatever changes a
fact bumps the epoch in the same transaction, so a cached fact is never older than the reader's snapshot. A write that
has changed security itself works with a cache of its own, thrown away at every further change.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock

from strongroom.access.caller import (
    AccessMode,
    HeldRole,
    Role,
    SecurityFacts,
    SecuritySettings,
    Team,
    TeamType,
    Unit,
    UnitTree,
)
from strongroom.access.directory import Directory
from strongroom.access.hierarchy import People, subordinates
from strongroom.access.masking import Mask
from strongroom.access.plan import ColumnAccess
from strongroom.errors import IntegrityViolation
from strongroom.ids import Guid, Key, Reference
from strongroom.schema.model import Depth
from strongroom.store.column_rules import MASKING_TABLES, columns_shared_with, masking_rules
from strongroom.store.engine import Raw
from strongroom.store.hierarchy import read_people
from strongroom.store.settings import read_settings
from strongroom.store.work import EVERYTHING, Work

MOST_PRINCIPALS = 5_000
"""Facts kept per process; the least recently used go first."""

TEAM_COLUMNS = "t.id, t.teamid, t.name, t.teamtype, t.unit, t.isdefault"
ROLE_COLUMNS = (
    "r.roleid, coalesce(r.parentrootroleid, r.roleid), r.name, r.unit, coalesce(o.isinherited, r.isinherited),"
    " coalesce(o.roletemplateid, r.roletemplateid)"
)
ROLES_OF_LINKS = "join role r on r.roleid = l.roleid left join role o on o.roleid = r.parentrootroleid"


@dataclass
class SecurityCache:
    """Facts of one security epoch."""

    epoch: int
    units: UnitTree | None = None
    settings: SecuritySettings | None = None
    people: People | None = None
    masking: Mapping[str, Mapping[str, Mask]] | None = None
    directory: Directory | None = None
    privileges: dict[Guid, Mapping[Guid, Depth]] = field(default_factory=dict[Guid, Mapping[Guid, Depth]])
    """Root role id → privilege id → depth."""
    principals: OrderedDict[Reference, SecurityFacts] = field(default_factory=OrderedDict[Reference, SecurityFacts])
    lock: Lock = field(default_factory=Lock)

    def later(self, work: Work) -> "SecurityCache":
        """The cache of a later epoch: it keeps what comes from tables that have not changed since this one's."""
        fresh = SecurityCache(work.stamp.security_epoch)
        changed = {
            table
            for (table,) in work.connection.query(
                "select tablename from security_change where epoch > ?", (self.epoch,)
            )
        }
        if EVERYTHING not in changed:
            if not changed & {"businessunit"}:
                fresh.units = self.units
            if not changed & {"organization", "team"}:  # settings know the team of the environment's group
                fresh.settings = self.settings
            if not changed & {"systemuser", "position", "team", "teammembership"}:
                fresh.people = self.people
            if not changed & MASKING_TABLES:
                fresh.masking = self.masking
            if not changed & {"role", "roleprivileges"}:
                fresh.privileges = self.privileges
        return fresh

    def get(self, principal: Reference) -> SecurityFacts | None:
        with self.lock:
            found = self.principals.get(principal)
            if found is not None:
                self.principals.move_to_end(principal)
            return found

    def put(self, principal: Reference, facts: SecurityFacts) -> None:
        with self.lock:
            self.principals[principal] = facts
            if len(self.principals) > MOST_PRINCIPALS:
                self.principals.popitem(last=False)


def facts(work: Work, cache: SecurityCache, principal: Reference) -> SecurityFacts | None:
    """What is known of a user or team; None when there is no such principal."""
    found = cache.get(principal)
    if found is None:
        match principal.table:
            case "systemuser":
                found = _user(work, cache, principal.id)
            case "team":
                found = _team_as_principal(work, cache, principal.id)
            case other:
                raise IntegrityViolation(f"{other} is no table of principals.")
        if found is not None:
            cache.put(principal, found)
    return found


def unit_tree(work: Work, cache: SecurityCache) -> UnitTree:
    """All business units."""
    if cache.units is None:
        rows = work.connection.query(
            "select id, businessunitid, name, parentbusinessunitid, isdisabled from businessunit order by id"
        )
        keys = {identity: Key(key) for key, identity, *_ in rows}
        cache.units = UnitTree(
            {
                Key(key): Unit(Key(key), identity, name or "", keys.get(parent), bool(disabled))
                for key, identity, name, parent, disabled in rows
            }
        )
    return cache.units


def settings(work: Work, cache: SecurityCache) -> SecuritySettings:
    """The organisation's switches."""
    if cache.settings is None:
        cache.settings = read_settings(work)
    return cache.settings


def _masking(work: Work, cache: SecurityCache) -> Mapping[str, Mapping[str, Mask]]:
    if cache.masking is None:
        cache.masking = masking_rules(work)
    return cache.masking


def _user(work: Work, cache: SecurityCache, user: Guid) -> SecurityFacts | None:
    found = work.connection.query(
        "select id, fullname, unit, isdisabled, accessmode, azureactivedirectoryobjectid from systemuser"
        " where systemuserid = ?",
        (user,),
    )
    if not found:
        return None
    key, name, unit, disabled, mode, directory_id = found[0]
    teams = tuple(
        team_of(row)
        for row in work.connection.query(
            f"select {TEAM_COLUMNS} from teammembership m join team t on t.teamid = m.teamid where m.systemuserid = ?"
            " order by t.id",
            (user,),
        )
    )
    held = [
        HeldRole(role_of(row))
        for row in work.connection.query(
            f"select {ROLE_COLUMNS} from systemuserroles l {ROLES_OF_LINKS} where l.systemuserid = ? order by r.id",
            (user,),
        )
    ]
    held += _roles_of_teams(work, [team for team in teams if team.owns_rows])
    switches, units = settings(work, cache), unit_tree(work, cache)
    below = ()
    if switches.hierarchy_enabled:
        if cache.people is None:
            cache.people = read_people(work)
        below = subordinates(cache.people, Key(key), switches, units)
    return SecurityFacts(
        id=user,
        key=Key(key),
        name=name or "",
        unit=Key(unit),
        is_team=False,
        is_disabled=bool(disabled),
        access_mode=AccessMode(mode or 0),
        directory_object_id=directory_id,
        teams=teams,
        roles=tuple(held),
        role_privileges=_privileges(work, cache, held),
        units=units,
        settings=switches,
        subordinates=below,
        column_permissions=_column_permissions(work, user, [team.id for team in teams]),
        masking=_masking(work, cache),
        shared_columns=columns_shared_with(work, [user, *(team.id for team in teams)]),
    )


def _team_as_principal(work: Work, cache: SecurityCache, identity: Guid) -> SecurityFacts | None:
    """SM-47: a team has its own roles and shares only, nothing of its members."""
    found = work.connection.query(
        f"select {TEAM_COLUMNS}, t.azureactivedirectoryobjectid from team t where t.teamid = ?", (identity,)
    )
    if not found:
        return None
    team, directory_id = team_of(found[0][:-1]), found[0][-1]
    held = [HeldRole(one.role) for one in _roles_of_teams(work, [team] if team.owns_rows else [])]
    return SecurityFacts(
        id=identity,
        key=team.key,
        name=team.name,
        unit=team.unit,
        is_team=True,
        is_disabled=False,
        access_mode=AccessMode.READ_WRITE,
        directory_object_id=directory_id,
        teams=(),
        roles=tuple(held),
        role_privileges=_privileges(work, cache, held),
        units=unit_tree(work, cache),
        settings=settings(work, cache),
        column_permissions=_column_permissions(work, None, [identity]),
        masking=_masking(work, cache),
        shared_columns=columns_shared_with(work, [identity]),
        team=team,
    )


def team_of(row: Raw) -> Team:
    key, identity, name, kind, unit, default = row
    return Team(Key(key), identity, name or "", TeamType(kind or 0), Key(unit), bool(default))


def role_of(row: Raw) -> Role:
    identity, root, name, unit, inherited, template = row
    return Role(identity, root, name or "", Key(unit), inherited is None or inherited == 1, template)


def _roles_of_teams(work: Work, teams: Sequence[Team]) -> list[HeldRole]:
    if not teams:
        return []
    by_id = {team.id: team for team in teams}
    rows = work.connection.query(
        f"select l.teamid, {ROLE_COLUMNS} from teamroles l {ROLES_OF_LINKS} where {work.engine.guids_in('l.teamid')}"
        " order by l.teamid, r.id",
        (work.engine.as_list(list(by_id)),),
    )
    return [HeldRole(role_of(row[1:]), by_id[row[0]]) for row in rows]


def _privileges(work: Work, cache: SecurityCache, held: Sequence[HeldRole]) -> Mapping[Guid, Mapping[Guid, Depth]]:
    """The privileges of the original roles: they hold for all copies at once (SM-23)."""
    roots = {one.role.root_id for one in held}
    for root in roots - cache.privileges.keys():
        cache.privileges[root] = deepest(
            work.connection.query(
                "select privilegeid, privilegedepthmask from roleprivileges where roleid = ?", (root,)
            )
        )
    return {root: cache.privileges[root] for root in roots}


def _column_permissions(
    work: Work, user: Guid | None, teams: Sequence[Guid]
) -> Mapping[str, Mapping[str, ColumnAccess]]:
    """What the column profiles of a user and of teams open, added up (SM-131)."""
    opened: dict[str, dict[str, ColumnAccess]] = {}
    for table, column, create, read, update, unmasked in work.connection.query(
        "select p.entityname, p.attributelogicalname, p.cancreate, p.canread, p.canupdate, p.canreadunmasked"
        " from fieldpermission p where p.fieldsecurityprofileid in (select fieldsecurityprofileid"
        f" from systemuserprofiles where {work.engine.guids_in('systemuserid')} union select fieldsecurityprofileid"
        f" from teamprofiles where {work.engine.guids_in('teamid')})",
        (work.engine.as_list([] if user is None else [user]), work.engine.as_list(teams)),
    ):
        access = column_access(create, read, update, unmasked)
        columns = opened.setdefault(table, {})
        columns[column] = columns.get(column, ColumnAccess.NONE) | access
    return opened


def column_access(create: object, read: object, update: object, unmasked: object) -> ColumnAccess:
    """What one row of `fieldpermission` opens."""
    access = ColumnAccess.NONE
    if create:
        access |= ColumnAccess.CREATE
    if read:
        access |= ColumnAccess.READ
    if update:
        access |= ColumnAccess.UPDATE
    if unmasked in (1, 3):
        access |= ColumnAccess.READ_UNMASKED_ONE
    if unmasked == 3:
        access |= ColumnAccess.READ_UNMASKED_ALL
    return access


def deepest(rows: Iterable[Raw]) -> dict[Guid, Depth]:
    """Privilege → depth, from (privilege, mask) pairs; the greatest counts."""
    depths: dict[Guid, Depth] = {}
    for privilege, mask in rows:
        if mask:
            depth = Depth(int(mask).bit_length() - 1)
            known = depths.get(privilege)
            depths[privilege] = depth if known is None or depth.value > known.value else known
    return depths
