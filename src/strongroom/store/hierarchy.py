"""The people and positions that hierarchy security is about, read once per security epoch."""

from strongroom.access.caller import TeamType
from strongroom.access.hierarchy import People, Person, Position, position_tree, reports_of
from strongroom.ids import Key
from strongroom.store.work import Work

_ACTIVE = 0


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
    reports = reports_of(people.values())
    return People(people, positions, names, teams, reports, position_tree(people.values(), positions))
