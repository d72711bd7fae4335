"""How long it takes to find out what somebody may do: the first time in an epoch, and from then on."""

from collections.abc import Iterator
from time import perf_counter

from strongroom.access.planning import plan_for
from strongroom.environment import Identity
from strongroom.ids import Guid
from strongroom.jobs.bench.figures import Figure, Spread, Target
from strongroom.jobs.bench.place import Place
from strongroom.schema.model import Rights

_USERS = 300


def resolution(place: Place) -> Iterator[Figure]:
    """From the id of a user to the plan of a list, for users that nobody has asked about, and again."""
    users = [Guid(str(row["systemuserid"])) for row in place.company.people.users[-_USERS:]]
    with place.environment.database.read() as transaction:

        def resolve(user: Guid) -> float:
            started = perf_counter()
            plan_for(place.environment.caller(transaction, Identity(user)), place.table, Rights.READ)
            return (perf_counter() - started) * 1e6

        resolve(place.archetypes[0].user)  # units and people are read once for all
        cold = [resolve(user) for user in users]
        cached = [resolve(user) for user in users]
    yield Figure("grants of a user, cold", Spread.of(cold), "us", target=Target(most=2_000))
    yield Figure("grants of a user, cached", Spread.of(cached), "us", target=Target(most=20))
