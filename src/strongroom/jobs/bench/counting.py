"""W3: how many rows each archetype sees, exactly and up to the cap of `$count`.

A process keeps the numbers that it has counted, and its own writes change them on the way; a write of another process
makes it count again. Both are measured: *exact* asks while nothing has been written since, *after a change elsewhere*
asks for the first time after another process has written to the same table.
"""

from collections.abc import Iterator
from dataclasses import replace

from strongroom.access.planned import PlannedSelect, planned
from strongroom.environment import Environment
from strongroom.jobs.bench.bare import Bare
from strongroom.jobs.bench.figures import Figure, Target
from strongroom.jobs.bench.place import Place
from strongroom.jobs.bench.reading import clock_of
from strongroom.jobs.bench.rounds import interleaved, ratio
from strongroom.jobs.demo import Archetype
from strongroom.opening import open_environment
from strongroom.records import RequestFacts, Session, update
from strongroom.records.read import COUNT_CAP
from strongroom.store.protocol import Row

_FACTS = RequestFacts()
_WHOLE = "count(*) of the table"


def counts(place: Place, bare: Bare, rounds: int) -> Iterator[Figure]:
    """W3, all of it."""
    for archetype in place.archetypes:
        with place.environment.session(place.identity(archetype), _FACTS, write=False) as session:
            yield from _counts(place, bare, session, archetype.name, rounds)
    elsewhere = open_environment(place.home, place.environment.record.name)
    try:
        row = _some_account(elsewhere, place)
        for archetype in place.archetypes:
            yield _after_a_change(place, bare, elsewhere, row, archetype, rounds)
    finally:
        elsewhere.close()


def _counts(place: Place, bare: Bare, session: Session, name: str, rounds: int) -> Iterator[Figure]:
    query = _everything(place, session)
    found = interleaved(
        {
            "exact": lambda: session.transaction.count(query, None),
            "capped": lambda: session.transaction.count(query, COUNT_CAP),
            "bare": bare.count,
        },
        rounds,
        clock=clock_of(place),
    )
    yield ratio(f"W3 {name}, exact", found["exact"], found["bare"], _WHOLE, _target(name))
    yield ratio(f"W3 {name}, $count", found["capped"], found["bare"], _WHOLE)


def _after_a_change(
    place: Place, bare: Bare, elsewhere: Environment, row: Row, archetype: Archetype, rounds: int
) -> Figure:
    clock = clock_of(place)
    ours: list[float] = []
    theirs: list[float] = []
    for number in range(rounds):
        with elsewhere.session_of("admin", write=True) as session:
            update(session, place.table, row.id, {"numberofemployees": number})
        with place.environment.session(place.identity(archetype), _FACTS, write=False) as session:
            query = _everything(place, session)
            started = clock()
            session.transaction.count(query, None)
            ours.append(clock() - started)
        bare.connection.query("select 1 from stamp")  # it has met the change too
        started = clock()
        bare.count()
        theirs.append(clock() - started)
    measure = f"W3 {archetype.name}, exact, after a change elsewhere"
    return ratio(measure, ours, theirs, _WHOLE, _target(archetype.name))


def _everything(place: Place, session: Session) -> PlannedSelect:
    return planned(replace(place.list_by(), order=(), page_size=None), session.caller)


def _some_account(environment: Environment, place: Place) -> Row:
    with environment.database.read() as transaction:
        return transaction.rows_where(place.table, {}, limit=1)[0]


def _target(name: str) -> Target:
    return Target(most=1.0 if name == "mixed" else 0.05)
