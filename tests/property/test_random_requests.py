"""R7, per change: random requests are answered in time with a 2xx or a reasoned 4xx, and a refused one changes nothing.

Most requests go to the service without a socket in between; `test_random_bytes` sends some through a real one. A
failure names its seed and the request; `make long` runs seeds of its own for as long as it is given.
"""

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.engines import ENGINES, Stores
from tests.homes import make_home
from tests.profiles import examples
from tests.property.campaign import Findings, faults_of, run
from tests.property.requests import Drawn
from tests.property.world import World, opened_world

SEEDS = ("one", "two", "three", "four")
REQUESTS = 2_000
HEADERS = ("prefer", "if-match", "accept", "content-type", "odata-version")
CAMPAIGN_S = float(os.environ.get("STRONGROOM_CAMPAIGN_S", "600"))


@pytest.fixture(params=ENGINES)
def home(request: pytest.FixtureRequest, tmp_path: Path, stores: Stores) -> Path:
    return make_home(tmp_path, stores, str(request.param))


@pytest.fixture(scope="module", params=ENGINES)
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, stores: Stores) -> Iterator[World]:
    """One environment for all seeds: what they leave behind is the next one's ground."""
    home = make_home(tmp_path_factory.mktemp("random"), stores, str(request.param))
    with opened_world(home) as world:
        yield world


@pytest.mark.parametrize("seed", SEEDS)
def test_random_requests_never_fail_and_refused_ones_change_nothing(world: World, seed: str) -> None:
    """R7, WA-50, WA-53, WA-434."""
    findings = run(world, f"{world.environment.database.engine} {seed}", REQUESTS)
    assert not findings.faults, _told(findings)
    answered = sum(number for status, number in findings.statuses.items() if status < 300)
    assert answered > REQUESTS // 10, f"too few of the requests reach the rows: {findings.statuses}"
    assert {200, 204, 400, 403, 404, 405} <= set(findings.statuses)


@given(
    method=st.sampled_from(("GET", "POST", "PATCH", "DELETE", "PUT", "HEAD", "OPTIONS", "BREW")),
    path=st.text(st.characters(codec="latin-1", exclude_characters="\r\n")),
    query=st.text(st.characters(codec="latin-1", exclude_characters="\r\n")),
    header=st.text(st.characters(codec="latin-1", exclude_characters="\r\n")),
    body=st.binary(max_size=200),
)
@settings(deadline=None, max_examples=examples(150), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_characters_are_answered_well(
    world: World, method: str, path: str, query: str, header: str, body: bytes
) -> None:
    """R7: not even the grammar of the address is given."""
    before = world.witness.state()
    headers: dict[str, str] = dict.fromkeys(HEADERS, header)
    for where in ("", "accounts", "accounts(", "accounts?", "EntityDefinitions(", "$batch"):
        drawn = Drawn(method, where.rstrip("?") + path, query, headers, body)
        answer = world.send(drawn, "admin")
        assert not faults_of(answer, drawn), str(drawn)
    assert world.witness.state() == before


@pytest.mark.campaign
def test_campaign_of_random_requests(home: Path) -> None:
    """R7, campaign: new seeds until the time given by STRONGROOM_CAMPAIGN_S is over."""
    until = time.monotonic() + CAMPAIGN_S / len(ENGINES)
    with opened_world(home) as world:
        while time.monotonic() < until:
            seed = f"{random.SystemRandom().getrandbits(64):x}"
            print("seed", seed)
            findings = run(world, seed, 5_000)
            assert not findings.faults, _told(findings)


def _told(findings: Findings) -> str:
    return "\n".join([f"{len(findings.faults)} faults, statuses {dict(findings.statuses)}", *findings.faults[:10]])
