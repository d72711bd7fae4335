"""A world for each test of policies."""

import pytest
from tests.worlds import World

from strongroom.store.protocol import Database


@pytest.fixture
def world(database: Database) -> World:
    """An environment with its first rows, on both engines."""
    return World(database)
