"""The roles that every environment begins with hold what their published descriptions say."""

import pytest
from tests.worlds import World, depths, user

from strongroom.errors import AccessDenied
from strongroom.ids import Guid
from strongroom.schema.model import Depth, Rights


def holder(world: World, role: str) -> Guid:
    """A user of another unit with one standard role."""
    return world.user(role.replace(" ", ""), world.unit("North"), world.rows("role", name=role)[0].id)


@pytest.mark.parametrize(
    ("role", "accounts", "may_create"),
    [
        ("App Opener", None, False),
        ("Environment Maker", None, False),
        ("Support User", None, False),
        ("Delegate", None, False),
        ("Service Reader", 1, False),
        ("Service Writer", 1, True),
        ("Basic User", 0, True),
        ("System Customizer", 0, True),
    ],
)
def test_each_sees_and_makes_as_much_as_it_says(
    world: World, role: str, accounts: int | None, may_create: bool
) -> None:
    """None: the table is closed altogether."""
    ann = holder(world, role)
    world.create("account", name="Foreign")
    if accounts is None:
        with pytest.raises(AccessDenied) as error:
            world.visible("account", ann)
        assert error.value.code == "0x80040220"
    else:
        assert len(world.visible("account", ann)) == accounts
    if may_create:
        world.create("account", by=ann, name="Own")
    else:
        with pytest.raises(AccessDenied):
            world.create("account", by=ann, name="Own")


def test_services_reach_tables_that_are_made_later(world: World) -> None:
    """SM-20."""
    reader, writer = holder(world, "Service Reader"), holder(world, "Service Writer")
    table = world.new_table("thing")
    row = world.make(table, {"new_name": "A"})
    assert world.visible(table, reader) == {row}
    world.change(table, row, {"new_name": "B"}, by=writer)
    with pytest.raises(AccessDenied):
        world.change(table, row, {"new_name": "C"}, by=reader)


def test_a_service_that_writes_data_hands_out_no_access(world: World) -> None:
    """SM-29: neither its own nor that of others."""
    writer = holder(world, "Service Writer")
    with pytest.raises(AccessDenied):
        world.create("role", by=writer, name="Mine")
    with pytest.raises(AccessDenied):
        world.update("systemuser", world.admin, by=writer, isdisabled=True)


def test_a_delegate_acts_for_others_and_does_nothing_by_itself(world: World) -> None:
    """SM-68: both must hold the privilege that is used."""
    delegate = holder(world, "Delegate")
    role = world.role("Reader", {"account": depths(Depth.GLOBAL, (Rights.READ,))})
    ann = world.user("Ann", None, role)
    with world.acting(ann, behind=delegate) as session:
        assert session.caller.initiating_id == delegate
        assert session.caller.grants == {}
    world.give_role(role, user(delegate))
    with world.acting(ann, behind=delegate) as session:
        assert len(session.caller.grants) == 1
