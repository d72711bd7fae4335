"""Fixtures that every part of the tests may use."""

from collections.abc import Iterator

import pytest

from strongroom.store.database import StoreDatabase
from tests.engines import ENGINES, Stores, start_server


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stores]:
    """Makes environments on either engine; the PostgreSQL server runs for the whole session."""
    folder = tmp_path_factory.mktemp("stores")
    url, stop = start_server(folder / "server")
    yield Stores(folder, url)
    stop()


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """The name of an engine; a test that asks for it runs on both."""
    return str(request.param)


@pytest.fixture
def database(stores: Stores, engine: str) -> Iterator[StoreDatabase]:
    """An open environment with the standard tables and no business rows, on both engines. Its clock stands still."""
    with stores.opened(engine) as opened:
        yield opened
