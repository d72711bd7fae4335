"""Who can, what somebody sees, and what stands behind a reason, on both engines (SM-160 to SM-165)."""

import pytest
from tests.worlds import PARENTAL, World, depths, team, user

from strongroom.errors import AccessDenied, InvalidRequest, NotFound
from strongroom.ids import Guid, Reference
from strongroom.records import grant_access, modify_access
from strongroom.records.backgrounds import Background, backgrounds
from strongroom.records.explaining import explain_access, what_can_see, who_can_see
from strongroom.schema.model import Depth, Rights

READ, WRITE, SHARE = Rights.READ, Rights.WRITE, Rights.SHARE
WORK = depths(Depth.BASIC, (READ, WRITE, SHARE))


class Company:
    """North with city below it, a seller in each, their manager, and a team: something of everything."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.update("organization", world.rows("organization")[0].id, ishierarchicalsecuritymodelenabled=True)
        self.north = world.unit("North")
        self.city = world.unit("City", self.north)
        self.seller = world.role("Seller", {"account": WORK, "contact": WORK})
        self.boss = world.role("Boss", {"account": depths(Depth.DEEP, (READ,))})
        self.helper = world.role("Helper", {"account": depths(Depth.BASIC, (READ,))}, team_only=True)
        self.mia = world.user("Mia", self.north, self.seller)
        self.ann = world.user("Ann", self.city, self.seller, parentsystemuserid=user(self.mia))
        self.ben = world.user("Ben", self.city, self.seller, parentsystemuserid=user(self.ann))
        self.cy = world.user("Cy", self.north, self.boss)
        self.deals = world.team("Deals", self.north, self.helper, members=[self.ben])
        self.club = world.team("Club", self.north, members=[self.ann], kind=1)
        self.account = Reference("account", world.create("account", name="A", ownerid=user(self.ben)))


@pytest.fixture
def company(world: World) -> Company:
    return Company(world)


def test_the_directory_tells_of_everybody_what_the_store_tells_one_by_one(company: Company) -> None:
    """SM-165: there is one truth about who holds what."""
    world = company.world
    root = world.create("position", name="Head")
    below = world.create("position", name="Clerk", parentpositionid=Reference("position", root))
    world.update("systemuser", company.mia, positionid=Reference("position", root))
    world.update("systemuser", company.ann, positionid=Reference("position", below), isdisabled=True)
    profile = world.create("fieldsecurityprofile", name="Ids")
    with world.administrating() as session:
        for name, holder in (("systemuserprofiles", user(company.ben)), ("teamprofiles", team(company.club))):
            association = session.schema.many_to_many[f"{name}_association"]
            session.transaction.link(association, holder.id, profile)
        session.transaction.bump_security_epoch()

    for by_position in (False, True):
        world.update("organization", world.rows("organization")[0].id, usepositionhierarchy=by_position)
        with world.database.read() as transaction:
            directory = transaction.directory()

            for table in ("systemuser", "team"):
                for row in transaction.rows_where(transaction.schema.tables[table], {}):
                    assert directory.facts_of(row.key) == transaction.facts(row.reference())


def test_everybody_with_the_right_is_listed_with_every_reason(company: Company) -> None:
    """SM-164."""
    company.world.share(company.account, team(company.club), READ)

    with company.world.administrating() as session:
        found = who_can_see(session, company.account, READ)
        writers = who_can_see(session, company.account, WRITE)
        alone = {
            row.id: explain_access(session, row.reference(), company.account, READ)
            for row in session.transaction.rows_where(session.table("systemuser"), {})
        }

    reasons = {access.user.id: [str(reason.code) for reason in access.reasons] for access in found}
    assert reasons == {
        company.world.admin: ["bypass-sysadmin"],
        company.mia: ["hierarchy-manager", "hierarchy-manager"],  # over Ben, and over Ann with her team
        company.ann: ["access-team", "hierarchy-manager"],
        company.ben: ["role-basic-own"],
        company.cy: ["role-deep"],
    }
    assert {access.user.id: access.reasons for access in found} == {
        who: explanation.reasons for who, explanation in alone.items() if explanation.allowed
    }
    assert {access.user.id for access in writers} == {company.world.admin, company.ann, company.ben}


def test_a_row_that_takes_the_access_of_another_is_answered_too(company: Company) -> None:
    """SM-10, SM-164."""
    address = company.world.create("customeraddress", parentid=company.account)
    with company.world.administrating() as session:
        found = who_can_see(session, Reference("customeraddress", address), READ)

    assert {access.user.id for access in found} == {
        company.world.admin,
        company.mia,
        company.ann,
        company.ben,
        company.cy,
    }


def test_who_can_is_for_administrators_and_about_rows_that_exist(company: Company) -> None:
    """No caller learns more than it may read."""
    with company.world.acting(company.ben) as session, pytest.raises(AccessDenied):
        who_can_see(session, company.account, READ)
    with (
        company.world.acting(company.world.admin, behind=company.ben) as session,
        pytest.raises(AccessDenied),
    ):
        who_can_see(session, company.account, READ)
    with company.world.administrating() as session, pytest.raises(NotFound):
        who_can_see(session, Reference("account", company.mia), READ)


def test_what_somebody_sees_is_counted_as_lists_would_count_it(company: Company) -> None:
    """SM-5: owners, units, shares and subordinates, without counting a row twice."""
    world = company.world
    mine = world.create("account", name="B", ownerid=user(company.ann))
    world.share(Reference("account", mine), user(company.ben), READ)
    world.create("account", name="C", ownerid=user(company.cy))

    for who in (company.mia, company.ann, company.ben, company.cy):
        with world.acting(who) as session:
            seen = {each.table.logical_name: each.rows for each in what_can_see(session, user(who), READ)}

        assert seen["account"] == len(world.visible("account", who))
    without_roles = user(world.user("Nobody"))
    with world.administrating() as session:
        by_admin = {each.table.logical_name: each for each in what_can_see(session, user(company.ben), READ)}
        of_team = what_can_see(session, team(company.deals), READ)
        nobody = what_can_see(session, without_roles, READ)
    assert (by_admin["account"].rows, by_admin["account"].total) == (2, 3)
    assert "contact" not in by_admin
    assert of_team == nobody == []


def test_what_somebody_else_sees_is_for_administrators(company: Company) -> None:
    with company.world.acting(company.ben) as session:
        with pytest.raises(AccessDenied):
            what_can_see(session, user(company.ann), READ)
        with pytest.raises(InvalidRequest):
            what_can_see(session, user(company.ben), Rights.CREATE)


def _background(company: Company, who: Guid, code: str, asked_by: Guid | None = None) -> Background:
    with company.world.acting(asked_by or company.world.admin) as session:
        explanation = explain_access(session, user(who), company.account, READ)
        found = backgrounds(session, user(who), company.account, READ, explanation)
    return next(each for reason, each in zip(explanation.reasons, found, strict=True) if reason.code == code)


def test_a_share_tells_who_gave_the_right_last(company: Company) -> None:
    """The trail knows: a later change that leaves the right alone does not count as giving it."""
    world = company.world
    world.share(company.account, user(company.mia), WRITE)
    world.share(company.account, user(company.mia), READ, by=company.ben)
    with world.administrating() as session:
        modify_access(session, company.account, user(company.mia), READ)

    known = _background(company, company.mia, "share-direct")

    assert [giver.user for giver in known.given_by] == [("systemuser", company.ben, "Ben Test")]
    assert known.given_by[0].on == world.rows("audit", objectid=company.account)[0].values["createdon"]


def test_a_giver_whom_the_asker_may_not_read_stays_unnamed(company: Company) -> None:
    """No caller learns more than it may read."""
    company.world.share(company.account, user(company.mia), READ, by=company.ben)

    known = _background(company, company.mia, "share-direct", asked_by=company.mia)

    assert [giver.user for giver in known.given_by] == [("systemuser", "", "")]


def test_inherited_rights_tell_the_relationship_and_the_parent(company: Company) -> None:
    """SM-80: inherited rights remember where they came from."""
    world = company.world
    relationship = world.new_relationship("under", "account", "account", "above", PARENTAL)
    parent = Reference("account", world.create("account", name="Parent", ownerid=user(company.ben)))
    world.update("account", company.account.id, new_above=parent)
    world.share(parent, user(company.cy), READ)

    known = _background(company, company.cy, "share-inherited")

    assert [(origin.relationship, origin.parent) for origin in known.inherited_from] == [
        (relationship.schema_name, ("account", parent.id, "Parent"))
    ]


def test_the_hierarchy_tells_the_chain_of_managers(company: Company) -> None:
    """SM-141."""
    path = _background(company, company.mia, "hierarchy-manager").path

    assert [name for _, _, name in path] == ["Ben Test", "Ann Test"]


def test_the_position_hierarchy_tells_the_chain_of_positions(company: Company) -> None:
    """SM-144."""
    world = company.world
    above: Guid | None = None
    for name, who in (("Head", company.mia), ("Clerk", None), ("Trainee", company.ben)):
        parent = None if above is None else Reference("position", above)
        above = world.create("position", name=name, parentpositionid=parent)
        if who is not None:
            world.update("systemuser", who, positionid=Reference("position", above))
    world.update("organization", world.rows("organization")[0].id, usepositionhierarchy=True)

    path = _background(company, company.mia, "hierarchy-position").path

    assert [name for _, _, name in path] == ["Ben Test", "Trainee", "Clerk"]


def test_teams_that_the_asker_may_not_read_are_not_proposed(company: Company) -> None:
    """SM-162 proposes teams by name; a name is told to those who may read it."""
    account = Reference("account", company.world.create("account", name="Z", ownerid=team(company.deals)))
    dee = company.world.user("Dee", company.city, company.seller)

    def proposals(asker: Guid) -> tuple[str, ...]:
        with company.world.acting(asker) as session:
            return explain_access(session, user(dee), account, READ).would_allow

    assert "team:Deals" in proposals(company.world.admin)
    assert "team:Deals" not in proposals(dee)


def test_the_directory_follows_every_change_in_its_own_transaction(company: Company) -> None:
    """SM-4."""
    with company.world.administrating() as session:
        before = len(session.transaction.directory().users)
        grant_access(session, company.account, user(company.cy), READ)
    company.world.user("New", company.north)

    with company.world.database.read() as transaction:
        assert len(transaction.directory().users) == before + 1
