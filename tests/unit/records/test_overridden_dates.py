"""Rows that are older than their records here (WA-111)."""

import pytest
from tests.worlds import World, depths

from strongroom.errors import AccessDenied
from strongroom.schema.model import Depth

LONG_AGO = "2001-02-03T04:05:06Z"


def test_overriddencreatedon_sets_the_date_of_creation_and_tells_the_real_one(world: World) -> None:
    """WA-111."""
    row = world.row("account", world.create("account", name="Old", overriddencreatedon=LONG_AGO))
    assert row.values["createdon"] == LONG_AGO
    assert row.values["overriddencreatedon"] == row.values["modifiedon"] != LONG_AGO


def test_without_it_the_column_stays_empty(world: World) -> None:
    """WA-111."""
    row = world.row("account", world.create("account", name="New", overriddencreatedon=None))
    assert row.values["overriddencreatedon"] is None
    assert row.values["createdon"] == row.values["modifiedon"]


def test_it_takes_a_privilege_of_its_own(world: World) -> None:
    """WA-111: prvOverrideCreatedOnCreatedBy."""
    accounts = {"account": depths(Depth.GLOBAL)}
    plain = world.user("Plain", None, world.role("Plain", accounts))
    with pytest.raises(AccessDenied) as error:
        world.create("account", by=plain, name="Old", overriddencreatedon=LONG_AGO)
    assert (error.value.code, "prvOverrideCreatedOnCreatedBy" in error.value.message) == ("0x80040220", True)
    world.create("account", by=plain, name="New")

    may = world.role("Importer", accounts, by_name={"prvOverrideCreatedOnCreatedBy": Depth.GLOBAL})
    world.create("account", by=world.user("Importer", None, may), name="Old", overriddencreatedon=LONG_AGO)
