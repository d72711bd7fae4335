"""Making and removing environments: whole or not at all."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.engines import DATA_KEY, NAME, START, Stores

from strongroom.clock import TestClock
from strongroom.errors import HomeError, InvalidRequest
from strongroom.schema.model import Schema
from strongroom.schema.standard_tables import standard_schema
from strongroom.store.database import open_database, remove_database


def _unfit() -> Schema:
    """A schema that no database takes: one name is too long."""
    schema = standard_schema()
    long_named = replace(schema.tables["account"], logical_name="x" * 60)
    return replace(schema, tables={**schema.tables, long_named.logical_name: long_named})


def test_an_environment_that_cannot_be_made_leaves_nothing_behind(stores: Stores, engine: str) -> None:
    place = stores.empty_place(engine)
    with pytest.raises(InvalidRequest, match="too long"):
        open_database(place, data_key=DATA_KEY, create=True, name=NAME, clock=TestClock(START), schema=_unfit())

    again = open_database(
        place, data_key=DATA_KEY, create=True, name=NAME, clock=TestClock(START), schema=standard_schema()
    )
    assert again.check() == []
    again.close()


def test_a_removed_environment_is_gone_and_can_be_removed_again(stores: Stores, engine: str) -> None:
    place = stores.place(engine)
    remove_database(place, NAME)
    remove_database(place, NAME)

    with pytest.raises(HomeError, match=r"no database|no schema"):
        stores.open(place)
    if isinstance(place, Path):
        assert not [file for file in place.parent.iterdir() if file.name.startswith(place.name)]
