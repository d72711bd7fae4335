"""The proof of the trail, and the telling of reading: what they cost, and how far the sealer is behind.

The trail of the data set is sealed, unless an earlier run did, and verified whole. Then one writer creates accounts
without rest while a sealer looks twice a second, as in a server: its lag is how long a committed entry waits for its
head. Last, the same list of 50 is read with the switch for reading on and off.
"""

import time
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from threading import Event, Thread
from time import perf_counter, process_time, thread_time

from strongroom.environment import Identity
from strongroom.ids import Guid
from strongroom.jobs.bench.figures import Figure, Spread, Target
from strongroom.jobs.bench.place import Place
from strongroom.jobs.bench.rounds import Act, interleaved, ratio
from strongroom.jobs.demo import Row
from strongroom.records import NewRecord, RequestFacts, create, create_multiple, retrieve_page, update
from strongroom.records.metadata_changes import change_schema
from strongroom.schema.build import next_version
from strongroom.trail import Trail

_PERIOD_S = 0.5
_WRITING_S = 10.0
_MANY = 100
_FACTS = RequestFacts(client="bench", address="192.0.2.1", request_id="00000000-0000-4000-8000-000000000001")


def figures(place: Place, rounds: int) -> Iterator[Figure]:
    """All of them."""
    trail = Trail(place.home, place.environment)
    yield from _sealing(trail)
    yield from _verifying(trail)
    for number in (1, _MANY):
        yield from _lag(place, number)
    yield from _reading(place, rounds)


def _sealing(trail: Trail) -> Iterator[Figure]:
    started = process_time()
    number = trail.seal()
    if number:
        rate = number / max(process_time() - started, 1e-9)
        yield Figure(f"trail, {number:,} entries sealed, processor time", Spread.of([rate]), "entries/s")


def _verifying(trail: Trail) -> Iterator[Figure]:
    clock, started = process_time(), perf_counter()
    verdict = trail.verify()
    processor, wall = process_time() - clock, perf_counter() - started
    if verdict.doubts:
        raise RuntimeError(verdict.doubts[0])
    measure = f"trail, {verdict.size:,} entries verified"
    per_million = 1e6 / max(verdict.size, 1)
    yield Figure(f"{measure}, processor time", Spread.of([verdict.size / processor]), "entries/s")
    target = Target(most=30)
    yield Figure("a million entries verified, processor time", Spread.of([processor * per_million]), "s", target=target)
    yield Figure("a million entries verified, by the clock", Spread.of([wall * per_million]), "s", target=target)


# --- how far the sealer is behind -------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Beside:
    """A sealer in a thread of its own, and when it had sealed how much."""

    trail: Trail
    sealed: list[tuple[int, float]] = field(default_factory=list[tuple[int, float]])
    ended: Event = field(default_factory=Event)

    def run(self) -> None:
        """Until it is told to end; and once more."""
        while not self.ended.wait(_PERIOD_S):
            self._seal()
        self._seal()

    def _seal(self) -> None:
        self.trail.seal()
        with self.trail.environment.database.read() as transaction:
            self.sealed.append((transaction.log.size(), time.monotonic()))


def _lag(place: Place, number: int) -> Iterator[Figure]:
    """One writer without rest, `number` rows to a unit of work."""
    environment, rows = place.environment, place.new_rows()
    beside = _Beside(Trail(place.home, environment))
    beside.trail.seal()
    with environment.database.read() as transaction:
        size = transaction.log.size()
    thread = Thread(target=beside.run, name="sealer")
    made: list[Guid] = []
    committed: list[tuple[int, float]] = []
    thread.start()
    started = time.monotonic()
    while time.monotonic() - started < _WRITING_S:
        fresh = [NewRecord(_without_owner(next(rows))) for _ in range(number)]
        with environment.session_of("admin", write=True) as session:
            if number == 1:
                made.append(create(session, place.table, fresh[0]))
            else:
                made += create_multiple(session, place.table, fresh)
        committed.append((size + len(made), time.monotonic()))
    took = time.monotonic() - started
    beside.ended.set()
    thread.join()
    sizes = [each for each, _ in beside.sealed]
    lags = [beside.sealed[bisect_left(sizes, until)][1] - at for until, at in committed]
    unit = "single creates" if number == 1 else f"creates of {number}"
    yield Figure(f"{unit} beside the sealer", Spread.of([len(made) / took]), "rows/s")
    yield Figure(f"an entry waits for its head, {unit}", Spread.of(lags), "s", target=Target(most=1))
    with environment.database.write() as transaction:
        transaction.delete(place.table, list(transaction.rows(place.table, made).values()))


def _without_owner(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "ownerid"}


# --- reading that is told ---------------------------------------------------------------------------------------------


def _reading(place: Place, rounds: int) -> Iterator[Figure]:
    """A list of 50, told and not: in the thread that answers, and in the whole process with what stores it."""
    environment = place.environment
    with environment.session_of("admin", write=True) as session:
        table = replace(session.table("account"), is_retrieve_multiple_audited=True)
        change_schema(session, next_version(session.schema, tables={**session.schema.tables, "account": table}))
        admin, organization = session.caller.id, session.transaction.rows_where(session.table("organization"), {})[0]
        schema = session.schema
    select = replace(place, schema=schema).list_by()

    def read() -> None:
        with environment.session(Identity(admin), _FACTS, write=False) as session:
            retrieve_page(session, select)

    def turned(*, is_on: bool) -> Act:
        def act() -> None:
            if current[0] is not is_on:
                current[0] = is_on
                with environment.session_of("admin", write=True) as session:
                    update(session, session.table("organization"), organization.id, {"isreadauditenabled": is_on})
                read()
            read()

        return act

    current: list[bool | None] = [None]
    acts: dict[str, Act] = {"on": turned(is_on=True), "off": turned(is_on=False)}
    for name, clock in (("in the thread that answers", thread_time), ("with what stores it", process_time)):
        found = interleaved(acts, rounds, warm=True, clock=clock, least_s=0.3)
        target = Target(most=1.1) if clock is thread_time else None
        yield ratio(f"list of 50 whose reading is told, {name}", found["on"], found["off"], "not told", target)
    with environment.session_of("admin", write=True) as session:
        update(session, session.table("organization"), organization.id, {"isreadauditenabled": False})
