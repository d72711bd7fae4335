"""Rows that follow their owners to another business unit (SM-25, SM-27), in one statement a table."""

from tests.worlds import World, depths, user

from strongroom.ids import Guid, Reference
from strongroom.records import NewRecord, create_multiple
from strongroom.schema.model import Depth, Rights
from strongroom.store.protocol import Database

MATRIX = "<OrgSettings><EnableOwnershipAcrossBusinessUnits>true</EnableOwnershipAcrossBusinessUnits></OrgSettings>"


def unit_reference(unit: Guid) -> Reference:
    return Reference("businessunit", unit)


def accounts_of(world: World, owner: Guid, number: int) -> list[Guid]:
    with world.administrating() as session:
        records = [NewRecord({"name": f"Account {n}", "ownerid": user(owner)}) for n in range(number)]
        return create_multiple(session, session.table("account"), records)


def is_sound(database: Database) -> bool:
    return database.check() == []


def test_all_rows_of_a_user_follow_it_with_new_versions_and_counts(world: World) -> None:
    """SM-27: versions rise and are given once, the counters stay right, others' rows stay where they are."""
    south = world.unit("South")
    role = world.role("Seller", {"account": depths(Depth.LOCAL)})
    ann, bob = world.user("Ann", None, role), world.user("Bob", None, role)
    hers, his = accounts_of(world, ann, 7), accounts_of(world, bob, 3)
    before = {row: world.row("account", row).version for row in (*hers, *his)}

    world.update("systemuser", ann, businessunitid=unit_reference(south))

    assert {world.owning_unit("account", row) for row in hers} == {south}
    assert {world.owning_unit("account", row) for row in his} == {world.root}
    versions = [world.row("account", row).version for row in hers]
    assert min(versions) > max(before.values())
    assert len(set(versions)) == len(hers)
    assert [world.row("account", row).version for row in his] == [before[row] for row in his]
    assert is_sound(world.database)


def test_the_move_is_told_once_with_the_numbers_of_rows(world: World) -> None:
    """SM-27: the trail of the user says how many rows of which table followed."""
    south = world.unit("South")
    ann = world.user("Ann", None, world.role("Seller", {"account": depths(Depth.LOCAL)}))
    accounts_of(world, ann, 4)
    world.update("systemuser", ann, businessunitid=unit_reference(south))

    told = [row for row in world.rows("audit", objectid=user(ann)) if row.values["action"] == 11]
    assert len(told) == 1
    assert '{"logicalName":"account","oldValue":null,"newValue":4}' in str(told[0].values["changedata"])


def test_lists_by_unit_see_the_move_at_once(world: World) -> None:
    """SM-4, SM-27, SM-32."""
    south = world.unit("South")
    role = world.role("Seller", {"account": depths(Depth.LOCAL)})
    ann, dan = world.user("Ann", None, role), world.user("Dan", south, role)
    hers = accounts_of(world, ann, 3)
    assert world.visible("account", dan) == set()

    world.update("systemuser", ann, businessunitid=unit_reference(south))

    assert world.visible("account", dan) == set(hers)


def test_rows_that_are_shared_move_with_their_shares(world: World) -> None:
    """SM-27, SM-70: a share does not depend on the unit."""
    south = world.unit("South")
    role = world.role("Seller", {"account": depths(Depth.BASIC)})
    ann, eve = world.user("Ann", None, role), world.user("Eve", None, role)
    (shared,) = accounts_of(world, ann, 1)
    world.share(Reference("account", shared), user(eve), Rights.READ)

    world.update("systemuser", ann, businessunitid=unit_reference(south))

    assert world.visible("account", eve) == {shared}
    assert is_sound(world.database)


def test_switching_matrix_access_off_brings_everybodys_rows_home(world: World) -> None:
    """SM-25."""
    south = world.unit("South")
    ann = world.user("Ann", None, world.role("Seller", {"account": depths(Depth.LOCAL)}))
    first, second = accounts_of(world, ann, 2)
    world.update("organization", world.born.organization, orgdborgsettings=MATRIX)
    world.update("account", first, owningbusinessunit=unit_reference(south))
    assert world.owning_unit("account", first) == south

    world.update("organization", world.born.organization, orgdborgsettings="<OrgSettings/>")

    assert world.owning_unit("account", first) == world.owning_unit("account", second) == world.root
    assert is_sound(world.database)


def test_moving_or_disabling_a_unit_writes_none_of_its_users(world: World) -> None:
    """SM-28, SM-61: what it costs does not depend on how many people are in the unit, and holds at once (SM-4)."""
    north, south = world.unit("North"), world.unit("South")
    city = world.unit("City", north)
    of_north = world.role("Of North", {"account": depths(Depth.LOCAL)}, unit=north)
    people = [world.user(f"P{n}", city) for n in range(5)]
    for one in people:
        world.give_role(of_north, user(one))
    before = [world.row("systemuser", one).version for one in people]

    world.update("businessunit", city, isdisabled=True)
    world.update("businessunit", city, isdisabled=False)
    world.update("businessunit", city, parentbusinessunitid=unit_reference(south))

    assert [world.row("systemuser", one).version for one in people] == before
    with world.acting(people[0]) as session:
        assert session.caller.facts.roles == (), "the copy of the role went with the old place"
    assert is_sound(world.database)
