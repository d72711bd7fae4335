"""Fixtures that every part of the tests may use."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from tests.engines import ENGINES, Stores, start_server
from tests.homes import make_home
from tests.profiles import load_profile
from tests.servers import RunningServer
from tests.servers import start_server as serve

from strongroom.store.database import StoreDatabase

load_profile()  # before any test module is imported: their settings build on it


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stores]:
    """Makes environments on either engine; the PostgreSQL server runs for the whole session."""
    # Not below pytest's own folder: every session that starts closes that one to other users, and a server that root
    # starts runs as another user.
    with TemporaryDirectory(prefix="strongroom-server-") as server:
        url, stop = start_server(Path(server) / "data")
        yield Stores(tmp_path_factory.mktemp("stores"), url)
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


@pytest.fixture(scope="session", params=ENGINES)
def server(
    request: pytest.FixtureRequest, stores: Stores, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    """A server on an environment without business rows, shared by all tests that ask for it, on each engine."""
    home = make_home(tmp_path_factory.mktemp("served"), stores, str(request.param))
    running = serve(home)
    yield running
    running.stop()


@pytest.fixture(scope="session", params=ENGINES)
def tls_server(
    request: pytest.FixtureRequest, stores: Stores, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    """The same over HTTPS, with the certificate that the home made for itself."""
    home = make_home(tmp_path_factory.mktemp("served-tls"), stores, str(request.param))
    running = serve(home, "--tls-self-signed")
    yield running
    running.stop()
