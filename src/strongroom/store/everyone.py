"""The whole `Directory` in a handful of queries, and what counts of rows and shares foresight adds up.

A directory is read when somebody asks about all users at once, and kept under the security epoch like the facts of
single principals. Role copies that nobody holds are not read: there is one of every role in every business unit.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from strongroom.access.caller import AccessMode, Role, Team
from strongroom.access.directory import Directory, Profile, User
from strongroom.access.hierarchy import Position
from strongroom.access.plan import ColumnAccess
from strongroom.ids import Guid, Key
from strongroom.schema.model import Rights, Table
from strongroom.store import facts
from strongroom.store.engine import Raw
from strongroom.store.facts import ROLE_COLUMNS, ROLES_OF_LINKS, TEAM_COLUMNS, SecurityCache
from strongroom.store.layout import SHARES
from strongroom.store.protocol import SharedRow
from strongroom.store.work import BATCH, Work

_ACTIVE = 0


def directory(work: Work, cache: SecurityCache) -> Directory:
    """Everybody, as of the snapshot."""
    if cache.directory is None:
        cache.directory = _read(work, cache)
    return cache.directory


def shared_rows(work: Work, table: Table, principals: Sequence[Key]) -> list[SharedRow]:
    """Every share of `principals` on rows of `table`, with the owner and unit that it knows of its row."""
    found: list[SharedRow] = []
    for start in range(0, len(principals), BATCH):
        rows = work.connection.query(
            "select object, objectid, principal, accessrightsmask, inheritedaccessrightsmask, owner, unit"
            f" from {SHARES} where objecttypecode = ? and {work.engine.keys_in('principal')}",
            (table.logical_name, work.engine.as_list(principals[start : start + BATCH])),
        )
        found += [
            SharedRow(
                Key(row), Guid(identity), Key(principal), Rights(direct), Rights(inherited), Key(owner), Key(unit)
            )
            for row, identity, principal, direct, inherited, owner, unit in rows
        ]
    return found


def _read(work: Work, cache: SecurityCache) -> Directory:
    query = work.connection.query
    users, keys = _users(work)
    teams: dict[Key, Team] = {}
    directory_ids: dict[Key, Guid] = {}
    for row in query(f"select {TEAM_COLUMNS}, t.azureactivedirectoryobjectid from team t order by t.id"):
        team = facts.team_of(row[:-1])
        teams[team.key] = team
        keys[team.id] = team.key
        if row[-1] is not None:
            directory_ids[team.key] = row[-1]
    members = query(
        "select m.systemuserid, t.id from teammembership m join team t on t.teamid = m.teamid"
        " order by m.systemuserid, t.id"
    )
    roles: dict[Guid, Role] = {}
    roles_of: dict[Key, tuple[Guid, ...]] = {}
    for table, column in (("systemuserroles", "systemuserid"), ("teamroles", "teamid")):
        rows = query(f"select l.{column}, {ROLE_COLUMNS} from {table} l {ROLES_OF_LINKS} order by l.{column}, r.id")
        for holder, held in _grouped(rows):
            if holder not in keys:
                continue
            for row in held:
                if row[1] not in roles:
                    roles[row[1]] = facts.role_of(row[1:])
            roles_of[keys[holder]] = tuple(row[1] for row in held)
    return Directory(
        units=facts.unit_tree(work, cache),
        settings=facts.settings(work, cache),
        users=users,
        teams=teams,
        team_directory_ids=directory_ids,
        teams_of={keys[user]: tuple(Key(row[1]) for row in rows) for user, rows in _grouped(members) if user in keys},
        roles=roles,
        roles_of=roles_of,
        privileges={
            Guid(role): facts.deepest(row[1:] for row in rows)
            for role, rows in _grouped(
                query("select roleid, privilegeid, privilegedepthmask from roleprivileges order by roleid")
            )
        },
        origins={
            Guid(role): Key(unit)
            for role, unit in query("select roleid, unit from role where coalesce(parentrootroleid, roleid) = roleid")
        },
        positions={
            identity: Position(identity, parent, (state or _ACTIVE) == _ACTIVE)
            for identity, parent, state in query("select positionid, parentpositionid, statecode from position")
        },
        profiles=_profiles(work),
        profiles_of=_profiles_of(work, keys),
    )


def _users(work: Work) -> tuple[dict[Key, User], dict[Guid, Key]]:
    rows = work.connection.query(
        "select id, systemuserid, fullname, unit, isdisabled, accessmode, azureactivedirectoryobjectid,"
        " parentsystemuserid, positionid from systemuser order by id"
    )
    keys = {Guid(row[1]): Key(row[0]) for row in rows}
    users = {
        Key(key): User(
            key=Key(key),
            id=identity,
            name=name or "",
            unit=Key(unit),
            is_disabled=bool(disabled),
            access_mode=AccessMode(mode or 0),
            directory_object_id=directory_id,
            manager=keys.get(manager),
            position=position,
        )
        for key, identity, name, unit, disabled, mode, directory_id, manager, position in rows
    }
    return users, keys


def _profiles(work: Work) -> dict[Guid, Profile]:
    names = work.connection.query("select fieldsecurityprofileid, name from fieldsecurityprofile")
    columns: dict[Guid, dict[str, dict[str, ColumnAccess]]] = {}
    for profile, table, column, *allowed in work.connection.query(
        "select fieldsecurityprofileid, entityname, attributelogicalname, cancreate, canread, canupdate,"
        " canreadunmasked from fieldpermission"
    ):
        known = columns.setdefault(profile, {}).setdefault(table, {})
        known[column] = known.get(column, ColumnAccess.NONE) | facts.column_access(*allowed)
    return {Guid(profile): Profile(Guid(profile), name or "", columns.get(profile, {})) for profile, name in names}


def _profiles_of(work: Work, keys: Mapping[Guid, Key]) -> dict[Key, frozenset[Guid]]:
    found: dict[Key, frozenset[Guid]] = {}
    for table, column in (("systemuserprofiles", "systemuserid"), ("teamprofiles", "teamid")):
        rows = work.connection.query(f"select {column}, fieldsecurityprofileid from {table} order by {column}")
        found |= {keys[holder]: frozenset(row[1] for row in held) for holder, held in _grouped(rows) if holder in keys}
    return found


def _grouped(rows: Iterable[Raw]) -> Iterable[tuple[Guid, list[Raw]]]:
    """Rows that are ordered by their first value, by that value."""
    return ((Guid(first), list(group)) for first, group in groupby(rows, key=lambda row: row[0]))
