"""R4: at least 2,000 random worlds with 200,000 decisions on SQLCipher in every run of the tests, fewer on PostgreSQL.

The sum is told at the end of the run. `make fuzz SECONDS=…` draws new seeds for as long as it is given; those that
fail are kept in `failed_seeds.txt`, which every run replays.
"""

import os
import random
import time
from collections.abc import Callable, Iterator

import pytest
from many_worlds import Disagreement, Ground, Tally, failed_seeds, keep_failed
from tests.engines import ENGINES, Stores

PARTS = 8
WORLDS = {"sqlcipher": 2_000, "postgresql": 160}
"""In all parts together."""
DECISIONS_OF_A_WORLD = 100
FUZZ_S = float(os.environ.get("STRONGROOM_CAMPAIGN_S", "600"))
FUZZ_SEED = os.environ.get("STRONGROOM_SEED", "")
_TOLD_EVERY_S = 60


@pytest.fixture(scope="module")
def ground_of(stores: Stores) -> Iterator[Callable[[str], Ground]]:
    """One environment for each engine, however many worlds."""
    opened = {engine: stores.opened(engine) for engine in ENGINES}
    grounds: dict[str, Ground] = {}

    def ground(engine: str) -> Ground:
        if engine not in grounds:
            grounds[engine] = Ground(opened[engine].__enter__())
        return grounds[engine]

    yield ground
    for engine in grounds:
        opened[engine].__exit__(None, None, None)


@pytest.mark.parametrize("part", range(PARTS))
def test_the_product_decides_as_the_oracle_on_random_worlds_that_change(
    ground_of: Callable[[str], Ground],
    engine: str,
    part: int,
    record_property: Callable[[str, object], None],
) -> None:
    """R4, SM-1 to SM-165: rows, rights, columns, shares, hierarchy, profiles and moves in random order."""
    ground, worlds = ground_of(engine), WORLDS[engine] // PARTS
    ground.tally = Tally()

    for number in range(worlds):
        ground.compare(f"{part}.{number}")

    tally = ground.tally
    record_property(f"compared with the oracle on {engine} (R4), random worlds", tally.worlds)
    record_property(f"compared with the oracle on {engine} (R4), decisions", tally.decisions)
    assert tally.worlds >= worlds
    assert tally.decisions >= worlds * DECISIONS_OF_A_WORLD, f"too little was compared: {tally}"


def test_seeds_that_once_failed_are_right_now(ground_of: Callable[[str], Ground], engine: str) -> None:
    for seed in failed_seeds():
        ground_of(engine).compare(seed)


@pytest.mark.campaign
def test_fuzz(ground_of: Callable[[str], Ground], capsys: pytest.CaptureFixture[str]) -> None:
    """New worlds until the time is over; four of five on SQLCipher. The first seed is told, so that all can be had
    again with STRONGROOM_SEED."""
    begin = FUZZ_SEED or f"{random.SystemRandom().getrandbits(48):x}"
    until = time.monotonic() + FUZZ_S
    grounds = [ground_of(ENGINES[0])] * 4 + [ground_of(ENGINES[1])]
    failed: list[str] = []
    told, number = 0.0, 0
    while time.monotonic() < until:
        seed = f"{begin}.{number}"
        try:
            grounds[number % len(grounds)].compare(seed)
        except Disagreement as found:
            failed.append(str(found))
            keep_failed(seed, found)
        number += 1
        if time.monotonic() > told + _TOLD_EVERY_S or time.monotonic() >= until:
            told = time.monotonic()
            with capsys.disabled():
                sums = "; ".join(f"{ground.database.engine} {ground.tally}" for ground in (grounds[0], grounds[-1]))
                print(f"\nseed {begin}, {int(until - told)} s left: {sums}; {len(failed)} failed", flush=True)
    assert not failed, "\n".join(failed)
