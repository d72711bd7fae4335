"""R5, SM-3, SM-5: all doors show exactly the rows that the oracle lets each user read, on random worlds and both
engines. A failure names its seed; the campaign draws seeds of its own."""

import os
import random
import time
from datetime import UTC, datetime

import pytest
from tests.differential.doors import DOORS, Visitor, everything_is_refused
from tests.differential.doors_world import Doubled, prepare
from tests.engines import ENGINES, Stores
from tests.worlds import World

from strongroom.environment import Environment
from strongroom.home import EnvironmentKind, EnvironmentRecord
from strongroom.home.registry import EnvironmentState
from strongroom.ids import new_guid
from strongroom.store.database import StoreDatabase

SEEDS = tuple(f"doors {number}" for number in range(4))
CAMPAIGN_S = float(os.environ.get("STRONGROOM_CAMPAIGN_S", "600"))


def environment_of(database: StoreDatabase, world: World) -> Environment:
    """What the service answers from, around an open store."""
    record = EnvironmentRecord(
        "test",
        new_guid(world.clock),
        EnvironmentKind.BUSINESS,
        database.engine,
        "",
        EnvironmentState.READY,
        datetime.now(UTC),
    )
    return Environment(record, database, world.clock, bytes(32))


def visit(stores: Stores, engine: str, seed: str) -> int:
    """Build the world of `seed` and walk through every door as every user; how many requests that took."""
    with stores.opened(engine) as database:
        world = World(database)
        prepare(world)
        doubled = Doubled(world, seed)
        environment = environment_of(database, world)
        requests = 0
        for user in doubled.users:
            visitor = Visitor(environment, doubled, user)
            for door in (everything_is_refused,) if visitor.is_disabled else DOORS:
                door(visitor)
            requests += visitor.requests
        return requests


@pytest.mark.parametrize("seed", SEEDS)
def test_all_doors_show_what_the_oracle_says(stores: Stores, engine: str, seed: str) -> None:
    assert visit(stores, engine, f"{engine} {seed}") > 100


@pytest.mark.campaign
def test_campaign_of_random_worlds(stores: Stores, engine: str) -> None:
    """New seeds until the time given by STRONGROOM_CAMPAIGN_S is over."""
    until = time.monotonic() + CAMPAIGN_S / len(ENGINES)
    while time.monotonic() < until:
        seed = f"{random.SystemRandom().getrandbits(64):x}"
        print("seed", seed)
        visit(stores, engine, seed)
