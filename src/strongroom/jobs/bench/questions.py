"""Questions about access and changes of security on the whole data set: explain, who, what if, moving a large unit.

Changes are made in a transaction that is rolled back, so that the data set stays what it is.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from strongroom.access.changes import RolePrivileges
from strongroom.access.planned import planned
from strongroom.access.resolve import resolve
from strongroom.ids import Guid, Key, Reference
from strongroom.jobs.bench.figures import Figure, Spread, Target
from strongroom.jobs.bench.place import Place
from strongroom.jobs.bench.reading import clock_of
from strongroom.records import NewRecord, Session, create_multiple, update
from strongroom.records.backgrounds import backgrounds
from strongroom.records.explaining import who_can_see
from strongroom.records.explaining_acts import explain_act
from strongroom.records.foresight import preview
from strongroom.schema.model import Depth, Rights

_ROWS = 20
"""Rows that are asked about."""
_UNIT_USERS = 10_000
_USERS_AT_ONCE = 2_000


def questions(place: Place, rounds: int) -> Iterator[Figure]:
    """What an administrator asks, and how long a move of many users takes."""
    with place.environment.session_of("admin", write=False) as session:
        session.transaction.directory()  # read once in an epoch
        rows = _some_rows(place, session)
        yield from _explanations(place, session, rows)
        yield _who(place, session, rows)
        yield _what_if(place, session, rounds)
    yield from _moves(place)


def _some_rows(place: Place, session: Session) -> list[Reference]:
    """Accounts from all over the data set."""
    step = max(1, place.company.accounts // _ROWS)
    ids = [
        Guid(str(row["accountid"]))
        for number in range(_ROWS)
        for row in place.company.account_rows(number * step, number * step + 1)
    ]
    found = session.transaction.rows(place.table, ids)
    return [row.reference() for row in found.values()]


def _explanations(place: Place, session: Session, rows: list[Reference]) -> Iterator[Figure]:
    """Why each archetype may read each row, with what stands behind the reasons, or why not and what would help."""
    clock = clock_of(place)
    for archetype in place.archetypes:
        who = Reference("systemuser", archetype.user)
        times: list[float] = []
        for row in rows:
            started = clock()
            explanation = explain_act(session, who, row, Rights.READ)
            backgrounds(session, who, row, Rights.READ, explanation)
            times.append((clock() - started) * 1e3)
        yield Figure(f"explain {archetype.name}", Spread.of(times), "ms", target=Target(most=5))


def _who(place: Place, session: Session, rows: list[Reference]) -> Figure:
    clock = clock_of(place)
    times: list[float] = []
    for row in rows:
        started = clock()
        who_can_see(session, row, Rights.READ)
        times.append((clock() - started) * 1e3)
    return Figure("who can read a row", Spread.of(times), "ms", target=Target(most=50))


def _what_if(place: Place, session: Session, rounds: int) -> Figure:
    """The role that most users hold, with Read one step wider or narrower: who gains and loses which rows."""
    directory = session.transaction.directory()
    privilege = place.table.privileges[Rights.READ].id
    holders: dict[Guid, int] = {}
    for roles in directory.roles_of.values():
        for role in roles:
            root = directory.roles[role].root_id
            if privilege in directory.privileges.get(root, {}):
                holders[root] = holders.get(root, 0) + 1
    role = max(holders, key=lambda root: holders[root])
    held = directory.privileges[role]
    other = Depth.LOCAL if held[privilege] is Depth.DEEP else Depth.DEEP
    clock = clock_of(place)
    times: list[float] = []
    for _ in range(min(rounds, 3)):
        started = clock()
        preview(session, RolePrivileges(role, {**held, privilege: other}), (Rights.READ,))
        times.append((clock() - started) * 1e3)
    return Figure("what if a role changes", Spread.of(times), "ms", target=Target(most=5_000))


class _Undone(Exception):
    """Raised to leave nothing of a change behind."""


@dataclass(frozen=True)
class _Move:
    unit: Guid
    parent: Guid
    caller: Guid


def _moves(place: Place) -> Iterator[Figure]:
    """A business unit with 10,000 users gets another parent, and the next list of one of them is right."""
    with suppress(_Undone), place.environment.session_of("admin", write=True) as session:
        move = _largest_unit(session)
        clock = clock_of(place)
        started = clock()
        update(
            session,
            session.table("businessunit"),
            move.unit,
            {"parentbusinessunitid": Reference("businessunit", move.parent)},
        )
        moved = (clock() - started) * 1e3
        _list(place, session, move.caller)
        listed = (clock() - started) * 1e3
        yield Figure("move a unit of 10,000 users", Spread.of([moved]), "ms", target=Target(most=2_000))
        yield Figure("… and the next list", Spread.of([listed]), "ms", target=Target(most=2_000))
        raise _Undone


def _list(place: Place, session: Session, user: Guid) -> None:
    """The first page of a user, as it is before the change is committed: so no cache of the process may know of it."""
    facts = session.transaction.facts(Reference("systemuser", user))
    if facts is not None:
        caller = resolve(facts, session.schema, session.transaction.stamp.security_epoch)
        session.transaction.select(planned(place.list_by(), caller))


def _largest_unit(session: Session) -> _Move:
    """The largest unit below the root, filled up to 10,000 users; one of its users; and a unit to move it under."""
    directory = session.transaction.directory()
    tree = directory.units
    root = next(unit for unit in tree.units.values() if unit.parent is None)
    tops = [unit for unit in tree.units.values() if unit.parent == root.key]
    users: dict[Key, list[Guid]] = {}
    for user in directory.users.values():
        users.setdefault(user.unit, []).append(user.id)
    sizes = {top.key: sum(len(users.get(each, ())) for each in tree.subtree(top.key)) for top in tops}
    ranked = sorted(tops, key=lambda top: sizes[top.key], reverse=True)
    _fill(session, ranked[0].id, _UNIT_USERS - sizes[ranked[0].key])
    return _Move(
        ranked[0].id, ranked[1].id, next(users[each][0] for each in tree.subtree(ranked[0].key) if users.get(each))
    )


def _fill(session: Session, unit: Guid, number: int) -> None:
    table, here = session.table("systemuser"), Reference("businessunit", unit)
    for start in range(0, max(0, number), _USERS_AT_ONCE):
        records = [
            NewRecord(
                {"firstname": "More", "lastname": str(each), "domainname": f"more{each}@bench", "businessunitid": here}
            )
            for each in range(start, min(number, start + _USERS_AT_ONCE))
        ]
        create_multiple(session, table, records)
