"""What it costs that every second comes back, and how long new keys for many environments take.

The journal is written with each unit of work (decision 0018): a create with it is measured against one without, in two
environments of a home of their own. Keys are wrapped anew and no store is touched, so that nothing stops meanwhile.
"""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time, thread_time

from strongroom.clock import SystemClock
from strongroom.environment import Environment
from strongroom.home import create_home
from strongroom.ids import new_guid
from strongroom.jobs.bench.figures import Figure, Spread, Target
from strongroom.jobs.bench.rounds import Act, interleaved, ratio
from strongroom.keys import create_ring, parse_source
from strongroom.opening import create_environment
from strongroom.records import Birth, NewRecord, create, create_multiple

_ADMINISTRATOR = "admin@bench"
_ENVIRONMENTS = 100
_MANY = 1_000


def journal(rounds: int) -> Iterator[Figure]:
    """Creates with a journal over creates without."""
    with TemporaryDirectory(prefix="strongroom-journal-") as folder:
        home = create_home(Path(folder) / "home")
        environments: dict[str, Environment] = {}
        try:
            for name in ("journaled", "plain"):
                environments[name], _ = create_environment(home, name, Birth(name, _ADMINISTRATOR))
            environments["journaled"].database.begin_journal()
            one: dict[str, Act] = {name: _creating(each, 1) for name, each in environments.items()}
            found = interleaved(one, rounds, warm=True, clock=thread_time, least_s=0.05)
            measure = "Journal, create 1, processor time"
            yield ratio(measure, found["journaled"], found["plain"], "without", Target(most=1.2))
            many: dict[str, Act] = {name: _creating(each, _MANY) for name, each in environments.items()}
            found = interleaved(many, min(rounds, 5), warm=True, clock=thread_time)
            measure = f"Journal, create {_MANY:,}, processor time"
            yield ratio(measure, found["journaled"], found["plain"], "without", Target(most=1.2))
        finally:
            for each in environments.values():
                each.close()


def _creating(environment: Environment, number: int) -> Act:
    numbers = count()

    def act() -> None:
        rows = [NewRecord({"name": f"Company {next(numbers)}", "telephone1": "0123 456789"}) for _ in range(number)]
        with environment.session_of(_ADMINISTRATOR, write=True) as session:
            table = session.table("account")
            if number == 1:
                create(session, table, rows[0])
            else:
                create_multiple(session, table, rows)

    return act


def rotation(rounds: int) -> Iterator[Figure]:
    """The root key of a hundred environments rotated: everything is wrapped anew, in processor time."""
    with TemporaryDirectory(prefix="strongroom-ring-") as folder:
        clock = SystemClock()
        ring = create_ring(Path(folder), new_guid(clock), parse_source("file:root.key"), clock)
        for _ in range(_ENVIRONMENTS):
            ring.add_environment(new_guid(clock), clock)
        times: list[float] = []
        for _ in range(min(rounds, 5)):
            started = process_time()
            ring.rotate()
            times.append(process_time() - started)
        yield Figure(f"Root key of {_ENVIRONMENTS} environments rotated", Spread.of(times), "s", target=Target(most=5))
