"""What PostgreSQL's row security costs: the product's lists beside it, and statements by hand under it (decision 0011).

The product's statements run as the owner of the tables, to whom policies do not apply: its lists are timed with the
policy of the table switched on and off. A statement by hand is timed under the policy and, as the owner, without.
"""

from collections.abc import Iterator

from strongroom.access.planned import planned
from strongroom.access.planning import plan_for
from strongroom.jobs.bench.figures import Figure, Spread
from strongroom.jobs.bench.place import COLUMNS, PAGE, Place
from strongroom.jobs.bench.rounds import interleaved, ratio
from strongroom.jobs.demo import Archetype
from strongroom.records import RequestFacts
from strongroom.schema.model import Rights
from strongroom.store.engine import Connection, Sight

_FACTS = RequestFacts()
_SAME = "the same statement as the owner"
_OFF = "the same list without the policy"
_LONG_S = 0.1
"""A switch makes the server plan anew; what is timed is what comes after."""


def row_security(place: Place, rounds: int) -> Iterator[Figure]:
    """On PostgreSQL; the embedded store has no such lock."""
    if place.engine != "postgresql":
        return
    from strongroom.store import by_hand
    from strongroom.store.postgresql import PostgresqlConnection

    address = place.home.database_address(place.environment.record).reveal().decode()
    owner = place.connect()
    assert isinstance(owner, PostgresqlConnection)  # noqa: S101 - said by the engine's name
    first_page = f"select {', '.join(COLUMNS)} from account order by name__fold nulls first, accountid limit {PAGE}"
    number = "select count(*) from account"
    for archetype in place.archetypes:
        yield _beside(f"second lock beside {archetype.name}", place, owner, archetype, rounds)
        with place.environment.session(place.identity(archetype), _FACTS, write=False) as session:
            plans = [plan_for(session.caller, place.table, Rights.READ)]
            sight = Sight(plans, session.transaction.stamp.security_epoch)
        with by_hand.reader(owner, address, sight) as reader:
            for measure, sql in (("page", first_page), ("count", number)):
                found = interleaved(
                    {
                        "reader": lambda sql=sql: reader.execute(sql.encode()).fetchall(),
                        "owner": lambda sql=sql: owner.driver.execute(sql).fetchall(),
                    },
                    rounds,
                )
                yield ratio(f"by hand {archetype.name}, {measure}", found["reader"], found["owner"], _SAME)
        whole = interleaved({"": lambda sight=sight: by_hand.read(owner, address, sight, first_page, PAGE)}, rounds)[""]
        yield Figure(f"by hand {archetype.name}, session and page", Spread.of([each * 1e3 for each in whole]), "ms")


def _beside(measure: str, place: Place, owner: Connection, archetype: Archetype, rounds: int) -> Figure:
    """Each round in a transaction of its own: a switch waits for those that read."""

    def listed() -> list[float]:
        with place.environment.session(place.identity(archetype), _FACTS, write=False) as session:
            query = planned(place.list_by(), session.caller)
            return interleaved({"list": lambda: session.transaction.select(query)}, 1, least_s=_LONG_S)["list"]

    on: list[float] = []
    off: list[float] = []
    for _ in range(rounds):
        on += listed()
        owner.execute(f"alter table {place.table.logical_name} disable row level security")
        try:
            off += listed()
        finally:
            owner.execute(f"alter table {place.table.logical_name} enable row level security")
    return ratio(measure, on, off, _OFF)
