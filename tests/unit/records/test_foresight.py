"""Foresight in single cases, on both engines; what it says in general is held against the facts in
`tests/differential/test_foresight_applied.py`."""

import pytest
from tests.worlds import World, depths, user

from strongroom.access.changes import PrincipalMoved, applied, effects
from strongroom.access.plan import ColumnAccess
from strongroom.errors import AccessDenied, InvalidRequest
from strongroom.ids import Guid, Reference
from strongroom.records import grant_access, proposals
from strongroom.records.foresight import MOST_EXAMPLES, preview, preview_sharing
from strongroom.schema.changes import NewColumn
from strongroom.schema.model import ColumnType, Depth, Rights

READ = Rights.READ


class Company:
    """Ann and Ben of North sell; Ben owns a dozen accounts, Ann one."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.north = world.unit("North")
        self.seller = world.role("Seller", {"account": depths(Depth.BASIC, (READ, Rights.WRITE))})
        self.ann = world.user("Ann", self.north, self.seller)
        self.ben = world.user("Ben", self.north, self.seller)
        self.accounts = [world.create("account", name=f"B{n:02}", ownerid=user(self.ben)) for n in range(12)]
        self.mine = world.create("account", name="Mine", ownerid=user(self.ann))


@pytest.fixture
def company(world: World) -> Company:
    return Company(world)


def test_a_wider_privilege_is_counted_less_what_was_shared_already(company: Company) -> None:
    """Ann gains the twelve of Ben but the one that was shared with her; Ben gains Ann's."""
    world = company.world
    world.share(Reference("account", company.accounts[0]), user(company.ann), READ)
    privilege = world.table("account").privileges[READ].id
    with world.administrating() as session:
        change = proposals.role_privileges(session, company.seller, {privilege: Depth.LOCAL})
        (found,) = preview(session, change).tables

    assert (found.table.logical_name, found.right, found.rows_gained, found.rows_lost) == ("account", READ, 12, 0)
    assert {each.user.id: (each.gained, each.lost) for each in found.users} == {
        company.ann: (11, 0),
        company.ben: (1, 0),
    }
    assert len(found.examples) == MOST_EXAMPLES
    assert company.accounts[0] not in {example.row.id for example in found.examples}


def test_a_share_that_gives_nothing_new_changes_nothing(company: Company) -> None:
    with company.world.administrating() as session:
        target = Reference("account", company.accounts[0])
        grant_access(session, target, user(company.ann), READ)
        again = preview_sharing(session, lambda acting: grant_access(acting, target, user(company.ann), READ))

    assert again.tables == ()


def test_a_preview_leaves_nothing_behind(company: Company) -> None:
    """Neither shares nor entries of the trail nor a new security epoch."""
    world = company.world
    target = Reference("account", company.accounts[0])
    before = len(world.rows("audit"))
    with world.administrating() as session:
        epoch = session.transaction.stamp.security_epoch
        (found,) = preview_sharing(session, lambda acting: grant_access(acting, target, user(company.ann), READ)).tables
        assert session.transaction.stamp.security_epoch == epoch

    assert [(one.user.id, one.gained) for one in found.users] == [(company.ann, 1)]
    assert [example.row for example in found.examples] == [target]
    assert world.rows("principalobjectaccess") == []
    assert len(world.rows("audit")) == before


def test_secured_columns_that_open_and_close_are_told_user_by_user(company: Company) -> None:
    """SM-131."""
    world = company.world
    world.new_column("account", NewColumn("new_code", ColumnType.STRING, is_secured=True))
    profile = world.create("fieldsecurityprofile", name="Codes")
    opened = proposals.ColumnPermission("account", "new_code", ColumnAccess.READ | ColumnAccess.UPDATE)
    with world.administrating() as session:
        association = session.schema.many_to_many["systemuserprofiles_association"]
        session.transaction.link(association, company.ann, profile)
        session.transaction.bump_security_epoch()
    with world.administrating() as session:
        found = preview(session, proposals.profile_columns(session, profile, [opened]))
        nothing_held = preview(session, proposals.profile_held(session, user(company.ben), profile, is_held=True))
        unsecured = proposals.ColumnPermission("account", "name", ColumnAccess.READ)
        with pytest.raises(InvalidRequest, match="not secured"):
            proposals.profile_columns(session, profile, [unsecured])

    assert found.tables == nothing_held.tables == ()
    assert [(each.user.id, each.table, each.column, each.before, each.after) for each in found.columns] == [
        (company.ann, "account", "new_code", ColumnAccess.NONE, ColumnAccess.READ | ColumnAccess.UPDATE)
    ]
    assert nothing_held.columns == ()


def test_moving_to_where_one_is_already_changes_nothing(company: Company) -> None:
    with company.world.database.read() as transaction:
        directory = transaction.directory()
    (ann,) = (each for each in directory.users.values() if each.id == company.ann)
    change = PrincipalMoved(ann.key, ann.unit)

    assert applied(directory, change) is directory
    assert effects(directory, change).is_nothing


def test_foresight_is_for_administrators(company: Company) -> None:
    """No caller learns more than it may read: not even behind an administrator."""
    world = company.world

    def ask(who: Guid, behind: Guid | None = None) -> None:
        with world.acting(who, behind=behind) as session:
            preview(session, proposals.user_disabled(session, company.ben, is_disabled=True))

    with pytest.raises(AccessDenied):
        ask(company.ann)
    with pytest.raises(AccessDenied):
        ask(world.admin, behind=company.ann)
