"""Readings that wait to be stored: none is lost while the store recovers, and nobody reads untold for long (TS-802)."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import cast

import pytest
from tests.engines import START
from tests.worlds import World

from strongroom.audit import buffer
from strongroom.audit.activities import Activity, Actor, activity
from strongroom.audit.buffer import ActivityBuffer
from strongroom.clock import iso
from strongroom.errors import Unavailable
from strongroom.store.protocol import Database, Transaction, Value


class Disk:
    """A store whose disk may be full."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.is_full = False

    @contextmanager
    def write(self) -> Generator[Transaction]:
        if self.is_full:
            raise Unavailable("The disk is full.")
        with self._database.write() as transaction:
            yield transaction


def reading() -> dict[str, Value]:
    return activity(Actor(iso(START)), Activity.RETRIEVE_MULTIPLE, table="account", rows=[])


def test_a_full_disk_loses_no_reading_and_stops_further_ones(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """503 `audit-unavailable` once too many wait; what waits is stored when there is room again."""
    monkeypatch.setattr(buffer, "MOST_WAITING", 3)
    monkeypatch.setattr(buffer, "PERIOD_S", 3600.0)
    disk = Disk(world.database)
    waiting = ActivityBuffer(cast(Database, disk))
    disk.is_full = True
    for _ in range(3):
        waiting.add([reading()])
    with pytest.raises(Unavailable) as refused:
        waiting.add([reading()])
    assert refused.value.details["reason"] == "audit-unavailable"
    assert world.rows("activitylog") == []

    disk.is_full = False
    waiting.add([reading()])
    waiting.close()
    assert len(world.rows("activitylog")) == 4
