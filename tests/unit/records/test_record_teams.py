"""Access teams that the platform keeps for single rows, made after a team template (SM-57), and SM-56."""

import pytest
from tests.worlds import World, depths, team, user

from strongroom.errors import AccessDenied, InvalidRequest, NotFound, StrongroomError
from strongroom.ids import Guid, Reference
from strongroom.records import (
    add_members,
    add_user_to_record_team,
    grant_access,
    principal_access,
    remove_user_from_record_team,
)
from strongroom.schema.model import Depth, Rights
from strongroom.store.protocol import Row

READ_WRITE = int(Rights.READ | Rights.WRITE)


@pytest.fixture
def account(world: World) -> Reference:
    """An account of the administrator."""
    return Reference("account", world.create("account", name="Contoso"))


@pytest.fixture
def bob(world: World) -> Guid:
    """A user who holds every privilege on accounts for own rows."""
    return world.user("Bob", None, world.role("Basic", {"account": depths(Depth.BASIC)}))


def template(world: World, mask: int = READ_WRITE, table: str = "account") -> Guid:
    code = world.table(table).object_type_code
    return world.create("teamtemplate", teamtemplatename="Deal", objecttypecode=code, defaultaccessrightsmask=mask)


def add(world: World, who: Guid, account: Reference, by: Guid, *, as_: Guid | None = None) -> Guid:
    with world.acting(as_ or world.admin) as session:
        return add_user_to_record_team(session, who, account, by)


def remove(world: World, who: Guid, account: Reference, by: Guid) -> Guid:
    with world.administrating() as session:
        return remove_user_from_record_team(session, who, account, by)


def access(world: World, who: Guid, account: Reference) -> Rights:
    with world.administrating() as session:
        return principal_access(session, account, user(who)) & ~Rights.CREATE


def code_of(error: pytest.ExceptionInfo[StrongroomError]) -> tuple[int, str]:
    return error.value.status, error.value.code


def teams_of(world: World, by: Guid) -> list[Row]:
    return world.rows("team", teamtemplateid=Reference("teamtemplate", by))


def test_the_first_user_makes_a_system_managed_access_team_with_the_rights_of_the_template(
    world: World, account: Reference, bob: Guid
) -> None:
    """SM-57."""
    deal = template(world)
    made = add(world, bob, account, deal)

    row = world.row("team", made)
    assert (row.values["teamtype"], row.values["systemmanaged"]) == (1, True)
    assert row.values["regardingobjectid"] == account
    assert access(world, bob, account) == Rights.READ | Rights.WRITE
    assert world.visible("account", bob) == {account.id}


def test_later_users_join_the_team_of_row_and_template(world: World, account: Reference, bob: Guid) -> None:
    """SM-57."""
    deal = template(world)
    eve = world.user("Eve", None, world.role("Same", {"account": depths(Depth.BASIC)}))

    made = add(world, bob, account, deal)
    assert add(world, eve, account, deal) == made
    assert add(world, eve, account, deal) == made, "a member already stays"
    other = Reference("account", world.create("account", name="Fabrikam"))
    assert add(world, eve, other, deal) != made
    assert add(world, bob, account, template(world, 1)) != made
    assert access(world, eve, account) == Rights.READ | Rights.WRITE


def test_the_last_member_takes_team_and_share_along(world: World, account: Reference, bob: Guid) -> None:
    """SM-57."""
    deal = template(world)
    eve = world.user("Eve", None, world.role("Same", {"account": depths(Depth.BASIC)}))
    add(world, bob, account, deal)
    made = add(world, eve, account, deal)

    assert remove(world, bob, account, deal) == made
    assert access(world, bob, account) == Rights.NONE
    assert access(world, eve, account) == Rights.READ | Rights.WRITE
    assert remove(world, eve, account, deal) == made
    assert world.find("team", made) is None
    assert not world.rows("principalobjectaccess")
    with pytest.raises(NotFound):
        remove(world, eve, account, deal)


def test_a_user_needs_each_privilege_of_the_template(world: World, account: Reference) -> None:
    """SM-57: 403 0x80040231, and nothing is left behind."""
    deal = template(world)
    reader = world.user("Rea", None, world.role("Reader", {"account": {Rights.READ: Depth.GLOBAL}}))

    with pytest.raises(AccessDenied) as error:
        add(world, reader, account, deal)
    assert code_of(error) == (403, "0x80040231")
    assert not teams_of(world, deal)


def test_adding_takes_share_on_the_row_and_what_is_given(world: World, account: Reference, bob: Guid) -> None:
    """SM-57, SM-73, SM-74."""
    deal = template(world, READ_WRITE | int(Rights.DELETE))
    sees = world.role("Sees", {"account": {Rights.READ: Depth.GLOBAL}, "systemuser": {Rights.READ: Depth.GLOBAL}})
    ann = world.user("Ann", None, sees, world.role("Basic of Ann", {"account": depths(Depth.BASIC)}))
    with pytest.raises(AccessDenied) as error:
        add(world, bob, account, deal, as_=ann)
    assert code_of(error) == (403, "0x80048306")

    world.share(account, user(ann), Rights.READ | Rights.WRITE | Rights.SHARE)
    with pytest.raises(AccessDenied) as error:
        add(world, bob, account, deal, as_=ann)
    assert code_of(error) == (403, "0x80048306"), "Ann has no Delete to give"

    world.share(account, user(ann), Rights.DELETE)
    add(world, bob, account, deal, as_=ann)
    assert access(world, bob, account) == Rights.READ | Rights.WRITE | Rights.DELETE


def test_no_other_row_is_shared_with_the_team(world: World, account: Reference, bob: Guid) -> None:
    """SM-57: 400 0x80048339."""
    made = add(world, bob, account, template(world))
    other = Reference("account", world.create("account", name="Fabrikam"))
    with pytest.raises(InvalidRequest) as error, world.administrating() as session:
        grant_access(session, other, team(made), Rights.READ)
    assert code_of(error) == (400, "0x80048339")


def test_its_members_are_not_written_by_hand(world: World, account: Reference, bob: Guid) -> None:
    """SM-57: by hand nobody would ask for the privileges."""
    made = add(world, bob, account, template(world))
    eve = world.user("Eve", None, world.role("None"))
    with pytest.raises(InvalidRequest), world.administrating() as session:
        add_members(session, made, [eve])


def test_changing_the_template_changes_no_team(world: World, account: Reference, bob: Guid) -> None:
    """SM-57."""
    deal = template(world)
    add(world, bob, account, deal)
    world.update("teamtemplate", deal, defaultaccessrightsmask=1)
    assert access(world, bob, account) == Rights.READ | Rights.WRITE


def test_a_template_is_for_one_table_that_can_be_shared(world: World, bob: Guid) -> None:
    """SM-57."""
    contact = Reference("contact", world.create("contact", lastname="Smith"))
    with pytest.raises(InvalidRequest):
        add(world, bob, contact, template(world))
    with pytest.raises(InvalidRequest):
        template(world, table="systemuser")
    with pytest.raises(InvalidRequest):
        template(world, mask=8)


def test_the_team_goes_with_its_row(world: World, account: Reference, bob: Guid) -> None:
    """SM-57."""
    made = add(world, bob, account, template(world))
    world.delete("account", account.id)
    assert world.find("team", made) is None
    assert not world.rows("teammembership", teamid=made)


def test_a_team_made_by_hand_is_never_taken_for_one_of_the_platform(
    world: World,
) -> None:
    """SM-57: `systemmanaged` is the platform's to say."""
    forged = world.create(
        "team",
        name="Forged",
        teamtype=1,
        systemmanaged=True,
        administratorid=user(world.admin),
        businessunitid=Reference("businessunit", world.root),
    )
    assert world.row("team", forged).values["systemmanaged"] is False


def test_an_owner_team_with_nothing_becomes_an_access_team_and_stays_one(world: World) -> None:
    """SM-56."""
    plain = world.team("Plain")
    world.update("team", plain, teamtype=1)
    with pytest.raises(InvalidRequest) as error:
        world.update("team", plain, teamtype=0)
    assert code_of(error) == (400, "0x80048337")
