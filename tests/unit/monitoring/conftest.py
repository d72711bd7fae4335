"""Watched environments for the tests of monitoring, made once for each module and engine."""

from collections.abc import Iterator

import pytest
from tests.engines import ENGINES, Stores
from tests.unit.monitoring.watched import Watched, watched


@pytest.fixture(scope="module", params=ENGINES)
def watch(request: pytest.FixtureRequest, stores: Stores) -> Iterator[Watched]:
    """A watched environment that the tests of a module share; each has rules and people of its own."""
    with watched(stores, str(request.param)) as found:
        yield found


@pytest.fixture(scope="module", params=ENGINES)
def shipped(request: pytest.FixtureRequest, stores: Stores) -> Iterator[Watched]:
    """The same, with the rules that come along."""
    with watched(stores, str(request.param), with_shipped=True) as found:
        yield found
