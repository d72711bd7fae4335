"""The people and positions that hierarchy security is about, read once per security epoch, and each subordinate's
principals (SM-146)."""

from collections.abc import Mapping
from dataclasses import dataclass

from strongroom.access.caller import SecuritySettings, Subordinate, TeamType, UnitTree
from strongroom.access.hierarchy import Person, Position, Reports, levels_below, reports_of
from strongroom.ids import Guid, Key
from strongroom.store.work import Work

_ACTIVE = 0


@dataclass(frozen=True)
class People:
    """All users and positions of the environment, with names and teams by user."""

    people: Mapping[Key, Person]
    positions: Mapping[Guid, Position]
    names: Mapping[Key, tuple[Guid, str]]
    teams: Mapping[Key, list[tuple[Key, bool]]]
    """Team keys, each with whether the team owns rows."""
    reports: Reports


def read_people(work: Work) -> People:
    """A few thousand small rows; only asked for when hierarchy security is on."""
    rows = work.connection.query(
        "select id, systemuserid, fullname, unit, parentsystemuserid, positionid, isdisabled from systemuser"
        " order by id"
    )
    keys = {identity: Key(key) for key, identity, *_ in rows}
    people = {
        Key(key): Person(Key(key), Key(unit), keys.get(manager), position, bool(disabled))
        for key, _, _, unit, manager, position, disabled in rows
    }
    positions = {
        identity: Position(identity, parent, (state or _ACTIVE) == _ACTIVE)
        for identity, parent, state in work.connection.query(
            "select positionid, parentpositionid, statecode from position"
        )
    }
    teams: dict[Key, list[tuple[Key, bool]]] = {}
    for user, team, kind in work.connection.query(
        "select m.systemuserid, t.id, t.teamtype from teammembership m join team t on t.teamid = m.teamid"
    ):
        if user in keys:
            teams.setdefault(keys[user], []).append((Key(team), kind != TeamType.ACCESS.value))
    names = {Key(row[0]): (row[1], row[2] or "") for row in rows}
    return People(people, positions, names, teams, reports_of(people.values()))


def subordinates(known: People, user: Key, settings: SecuritySettings, units: UnitTree) -> tuple[Subordinate, ...]:
    """Those below `user`, nearest first."""
    levels = levels_below(user, known.people, known.positions, settings, units, known.reports)
    found: list[Subordinate] = []
    for key, level in sorted(levels.items(), key=lambda item: (item[1], item[0])):
        identity, name = known.names[key]
        teams = known.teams.get(key, ())
        found.append(
            Subordinate(
                key,
                identity,
                name,
                level,
                owning_principals=frozenset({key, *(team for team, owns in teams if owns)}),
                sharing_principals=frozenset({key, *(team for team, _ in teams)}),
            )
        )
    return tuple(found)
