"""One company to attack on each engine, for all tests of this folder: refused attempts leave it as it is. And an
environment on PostgreSQL for attacks by SQL."""

from collections.abc import Iterator

import pytest
from tests.engines import ENGINES, Stores
from tests.homes import make_home
from tests.security.guarded import Place, guarded_place
from tests.security.realm import Realm, opened_realm


@pytest.fixture(scope="session", params=ENGINES)
def realm(request: pytest.FixtureRequest, stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Realm]:
    home = make_home(tmp_path_factory.mktemp("realm"), stores, str(request.param))
    with opened_realm(home) as opened:
        yield opened


@pytest.fixture(scope="session")
def place(stores: Stores) -> Iterator[Place]:
    with guarded_place(stores) as made:
        yield made
