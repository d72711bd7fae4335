"""What the store says about users and teams: the facts that every decision starts from."""

import pytest
from tests.unit.store.people import Company, add, found, guid, reference

from strongroom.access.caller import SecuritySettings, TeamType
from strongroom.access.plan import ColumnAccess
from strongroom.ids import Key, Reference
from strongroom.schema.model import Depth
from strongroom.store.database import StoreDatabase
from strongroom.store.protocol import Row
from strongroom.store.transaction import StoreTransaction


class _Stop(Exception):
    """Ends a write without a result."""


_READ, _WRITE = guid(701), guid(702)


def _roles(tx: StoreTransaction) -> Company:
    """*Seller* of Root with its copy in Harbour, given to Ben; *Helper* of North, given to the team Deals."""
    company = found(tx)
    seller = add(tx, "role", 31, name="Seller", businessunitid=company.root.reference(), isinherited=0)
    copy = add(
        tx,
        "role",
        32,
        name="Seller",
        businessunitid=company.harbour.reference(),
        parentroleid=seller.reference(),
        parentrootroleid=seller.reference(),
    )
    helper = add(tx, "role", 33, name="Helper", businessunitid=company.north.reference(), isinherited=1)
    _grant(tx, 1, seller, _READ, 1)
    _grant(tx, 2, seller, _WRITE, 8)
    _grant(tx, 3, helper, _READ, 4)
    tx.link(tx.schema.many_to_many["systemuserroles_association"], company.ben.id, copy.id)
    tx.link(tx.schema.many_to_many["teamroles_association"], company.deals.id, helper.id)
    return company


def _grant(tx: StoreTransaction, number: int, role: Row, privilege: str, mask: int) -> None:
    add(tx, "roleprivileges", 600 + number, roleid=role.id, privilegeid=privilege, privilegedepthmask=mask)


def test_a_user_has_its_roles_and_those_of_its_teams_with_the_privileges_of_the_originals(
    database: StoreDatabase,
) -> None:
    """SM-21, SM-23: the copy is anchored in its unit, the privileges are the original's."""
    with database.write() as tx:
        company = _roles(tx)

    with database.read() as tx:
        facts = tx.facts(company.ben.reference())

    assert facts is not None
    assert (facts.key, facts.name, facts.unit, facts.is_team) == (
        company.ben.key,
        "Ben Okri",
        company.harbour.key,
        False,
    )
    assert [(team.name, team.type, team.unit) for team in facts.teams] == [("Deals", TeamType.OWNER, company.north.key)]
    assert [(h.role.id, h.role.root_id, h.role.unit, h.role.is_inherited, h.via_team) for h in facts.roles] == [
        (guid(32), guid(31), company.harbour.key, False, None),
        (guid(33), guid(33), company.north.key, True, facts.teams[0]),
    ]
    assert facts.role_privileges == {
        guid(31): {_READ: Depth.BASIC, _WRITE: Depth.GLOBAL},
        guid(33): {_READ: Depth.DEEP},
    }


def test_a_team_as_principal_has_its_own_roles_and_nothing_of_its_members(database: StoreDatabase) -> None:
    """SM-47."""
    with database.write() as tx:
        company = _roles(tx)
        facts = tx.facts(company.deals.reference())

    assert facts is not None
    assert facts.team is not None
    assert (facts.is_team, facts.teams, facts.team.key) == (True, (), company.deals.key)
    assert [held.role.id for held in facts.roles] == [guid(33)]


def test_an_access_team_brings_no_roles(database: StoreDatabase) -> None:
    """SM-54."""
    with database.write() as tx:
        company = _roles(tx)
        tx.update(company.deals, {"teamtype": 1})
        facts = tx.facts(company.ben.reference())

    assert facts is not None
    assert [held.role.id for held in facts.roles] == [guid(32)]


def test_there_are_no_facts_of_somebody_who_does_not_exist(database: StoreDatabase) -> None:
    with database.read() as tx:
        assert tx.facts(reference("systemuser", 999)) is None


def test_a_change_of_security_is_in_force_in_the_next_transaction(database: StoreDatabase) -> None:
    """SM-4: the epoch rises with the change, in the same transaction."""
    with database.write() as tx:
        company = _roles(tx)
    with database.read() as tx:
        before, epoch = tx.facts(company.ben.reference()), tx.stamp.security_epoch
    with database.write() as tx:
        tx.update(company.ben, {"isdisabled": True})

    with database.read() as tx:
        after = tx.facts(company.ben.reference())
        assert tx.stamp.security_epoch > epoch
    assert before is not None
    assert after is not None
    assert (before.is_disabled, after.is_disabled) == (False, True)


def test_facts_of_a_write_that_is_rolled_back_are_forgotten(database: StoreDatabase) -> None:
    with database.write() as tx:
        company = _roles(tx)

    within: list[bool] = []
    with pytest.raises(_Stop), database.write() as tx:
        tx.update(company.ben, {"isdisabled": True})
        facts = tx.facts(company.ben.reference())
        assert facts is not None
        within.append(facts.is_disabled)
        raise _Stop
    with database.write() as tx:
        tx.update(company.ada, {"isdisabled": True})  # reaches the very epoch that was rolled back
        after = tx.facts(company.ben.reference())

    assert after is not None
    assert (within, after.is_disabled) == ([True], False)


def test_changes_that_touch_no_decision_leave_the_epoch_alone(database: StoreDatabase) -> None:
    with database.write() as tx:
        company = found(tx)
    with database.write() as tx:
        before = tx.stamp.security_epoch
        account = add(tx, "account", 101, company.ada, name="A")
        tx.update(account, {"name": "B"})
        tx.update(company.ada, {"modifiedon": "2026-01-05T09:30:00Z"})

        assert tx.stamp.security_epoch == before


def test_column_permissions_of_user_and_teams_add_up(database: StoreDatabase) -> None:
    """SM-131."""
    with database.write() as tx:
        company = found(tx)
        for number, column in ((41, "revenue"), (42, "revenue")):
            profile = add(tx, "fieldsecurityprofile", number, name=f"Profile {number}")
            add(
                tx,
                "fieldpermission",
                number + 10,
                fieldsecurityprofileid=profile.reference(),
                entityname="account",
                attributelogicalname=column,
                canread=4 if number == 41 else 0,
                canupdate=4 if number == 42 else 0,
                cancreate=0,
                canreadunmasked=3 if number == 41 else 0,
            )
        tx.link(tx.schema.many_to_many["systemuserprofiles_association"], company.ben.id, guid(41))
        tx.link(tx.schema.many_to_many["teamprofiles_association"], company.deals.id, guid(42))
        facts = tx.facts(company.ben.reference())

    assert facts is not None
    assert facts.column_permissions == {
        "account": {
            "revenue": ColumnAccess.READ
            | ColumnAccess.UPDATE
            | ColumnAccess.READ_UNMASKED_ONE
            | ColumnAccess.READ_UNMASKED_ALL
        }
    }


def test_settings_come_from_the_organization_and_its_xml(database: StoreDatabase) -> None:
    """SM-25 to SM-27, section 13."""
    xml = (
        "<orgSettings><EnableOwnershipAcrossBusinessUnits>true</EnableOwnershipAcrossBusinessUnits>"
        "<AlwaysMoveRecordToOwnerBusinessUnit>false</AlwaysMoveRecordToOwnerBusinessUnit>"
        "<HierarchyLevelForHierarchyFeature>2</HierarchyLevelForHierarchyFeature></orgSettings>"
    )
    with database.write() as tx:
        assert tx.settings() == SecuritySettings()
        add(
            tx,
            "organization",
            1,
            name="Contoso",
            orgdborgsettings=xml,
            ishierarchicalsecuritymodelenabled=True,
            maxdepthforhierarchicalsecuritymodel=4,
            sharetopreviousowneronassign=True,
        )

        assert tx.settings() == SecuritySettings(
            matrix_access=True,
            always_move_record=False,
            share_to_previous_owner=True,
            hierarchy_enabled=True,
            hierarchy_depth=4,
            hierarchy_write_levels=2,
        )


def test_settings_that_cannot_be_read_grant_nothing(database: StoreDatabase) -> None:
    """SM-7; a document type is refused like any other damage."""
    with database.write() as tx:
        organization = add(
            tx,
            "organization",
            1,
            name="Contoso",
            orgdborgsettings="<orgSettings><Enable",
            ishierarchicalsecuritymodelenabled=True,
        )
        damaged = tx.settings()
        tx.update(organization, {"orgdborgsettings": '<!DOCTYPE x [<!ENTITY e "true">]><orgSettings/>'})
        hostile = tx.settings()

    assert damaged == hostile
    assert not damaged.hierarchy_enabled
    assert not damaged.matrix_access


def test_subordinates_come_with_the_principals_that_act_for_them(database: StoreDatabase) -> None:
    """SM-141, SM-146: Ada manages Ben, who is in Deals and in an access team."""
    with database.write() as tx:
        company = found(tx)
        add(tx, "organization", 1, name="Contoso", ishierarchicalsecuritymodelenabled=True)
        guests = add(tx, "team", 22, name="Guests", businessunitid=company.root.reference(), teamtype=1)
        tx.link(tx.schema.many_to_many["teammembership_association"], guests.id, company.ben.id)
        of_ada, of_ben = tx.facts(company.ada.reference()), tx.facts(company.ben.reference())

    assert of_ada is not None
    assert of_ben is not None
    assert of_ben.subordinates == ()
    (below,) = of_ada.subordinates
    assert (below.key, below.name, below.level) == (company.ben.key, "Ben Okri", 1)
    assert below.owning_principals == {company.ben.key, company.deals.key}
    assert below.sharing_principals == {company.ben.key, company.deals.key, guests.key}


def test_the_unit_tree_is_that_of_the_rows(database: StoreDatabase) -> None:
    with database.write() as tx:
        company = found(tx)
        tree = tx.unit_tree()

        assert tree.subtree(company.root.key) == {company.root.key, company.north.key, company.harbour.key}
        assert tx.unit_key(company.north.id) == company.north.key
        assert tx.unit_key(guid(999)) is None
        assert [unit.name for unit in tree.path_to_root(Key(company.harbour.key))] == ["Harbour", "North", "Root"]
        assert tx.principal_key(Reference("team", company.ada.id)) is None


def test_a_new_epoch_keeps_what_comes_from_tables_that_did_not_change(database: StoreDatabase) -> None:
    """Reading all units of a large company again after every change of a role would slow the next requests."""
    with database.write() as tx:
        company = _roles(tx)
    with database.read() as tx:
        units = tx.unit_tree()
    with database.write() as tx:
        tx.update(company.ben, {"isdisabled": True})
    with database.read() as tx:
        kept = tx.unit_tree()
    with database.write() as tx:
        tx.update(company.north, {"isdisabled": True})
    with database.read() as tx:
        changed = tx.unit_tree()
        assert changed.is_disabled(company.harbour.key)

    assert kept is units
    assert not units.is_disabled(company.harbour.key)


def test_an_epoch_bumped_without_a_reason_makes_everything_void(database: StoreDatabase) -> None:
    with database.write() as tx:
        found(tx)
    with database.read() as tx:
        units = tx.unit_tree()
    with database.write() as tx:
        tx.bump_security_epoch()

    with database.read() as tx:
        assert tx.unit_tree() is not units
        assert tx.unit_tree() == units
