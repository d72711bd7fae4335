"""A world for each test of the verbs."""

import pytest

from strongroom.store.protocol import Database
from tests.worlds import World


@pytest.fixture
def world(database: Database) -> World:
    """An environment with its first rows, on both engines."""
    return World(database)
