"""Changing rows that exist, upsert and emptying (SM-90 to SM-99, SM-110 to SM-112, WA-140 to WA-156)."""

import pytest
from tests.worlds import World, depths, user

from strongroom.errors import AccessDenied, InvalidRequest, NotFound, PayloadError, PreconditionFailed
from strongroom.ids import Guid, Reference
from strongroom.records import NewRecord, change_schema, set_null, update, upsert
from strongroom.schema.changes import NewKey, create_key
from strongroom.schema.model import Depth, Rights

NOBODY = Guid("99999999-9999-4999-8999-999999999999")


@pytest.fixture
def account(world: World) -> Guid:
    return world.create("account", name="Contoso", telephone1="1", revenue=5)


@pytest.fixture
def keyed(world: World) -> World:
    """Accounts have the alternate key `accountnumber`."""
    with world.administrating() as session:
        change_schema(session, create_key(session.schema, "account", NewKey("new_number", ("accountnumber",))))
    return world


def test_only_the_named_columns_change(world: World, account: Guid) -> None:
    """WA-140."""
    before = world.row("account", account)
    world.update("account", account, telephone1="2")

    after = world.row("account", account)
    assert after.values["telephone1"] == "2"
    assert after.values["name"] == "Contoso"
    assert after.version > before.version


def test_a_change_needs_write_and_the_row(world: World, account: Guid) -> None:
    """SM-150 to SM-152: privilege first, then existence, then reach."""
    reader = world.user("Rita", None, world.role("Reader", {"account": {Rights.READ: Depth.GLOBAL}}))
    writer = world.user("Wim", None, world.role("Writer", {"account": {Rights.WRITE: Depth.BASIC}}))

    with pytest.raises(AccessDenied) as missing_privilege:
        world.update("account", NOBODY, by=reader, name="X")
    with pytest.raises(NotFound) as missing_row:
        world.update("account", NOBODY, by=writer, name="X")
    with pytest.raises(AccessDenied) as no_reach:
        world.update("account", account, by=writer, name="X")

    codes = (missing_privilege.value.code, missing_row.value.code, no_reach.value.code)
    assert codes == ("0x80040220", "0x80040217", "0x80048306")


def test_an_empty_change_touches_nothing(world: World, account: Guid) -> None:
    """WA-146: also when all that it names is ignored."""
    before, entries = world.row("account", account), len(world.rows("audit"))
    world.update("account", account)
    world.update("account", account, createdon="2001-01-01T00:00:00Z", versionnumber=1)

    assert world.row("account", account) == before
    assert len(world.rows("audit")) == entries


def test_an_equal_value_is_still_a_change(world: World, account: Guid) -> None:
    """WA-147: a new version, and an audit entry without changed columns."""
    before = world.row("account", account)
    world.update("account", account, name="Contoso")

    assert world.row("account", account).version > before.version
    entry = world.rows("audit", objectid=Reference("account", account))[-1]
    assert entry.values["changedata"] == '{"changedAttributes":[]}'


def test_an_old_version_is_refused_and_the_present_one_taken(world: World, account: Guid) -> None:
    """WA-142, WA-156."""
    version = world.row("account", account).version
    with world.administrating() as session:
        update(session, session.table("account"), account, {"name": "X"}, expected_version=version)
    with pytest.raises(PreconditionFailed) as refusal, world.administrating() as session:
        update(session, session.table("account"), account, {"name": "Y"}, expected_version=version)

    assert refusal.value.code == "0x80060882"
    assert world.row("account", account).values["name"] == "X"


def test_the_id_in_the_body_must_be_the_rows_own(world: World, account: Guid) -> None:
    """WA-145."""
    world.update("account", account, accountid=account.upper(), name="Y")
    with pytest.raises(PayloadError, match="differs from the id"):
        world.update("account", account, accountid=NOBODY, name="Z")


def test_required_columns_cannot_be_emptied(world: World) -> None:
    """WA-112, WA-149."""
    campaign = world.create("campaign", name="Spring")
    with pytest.raises(InvalidRequest, match="cannot be emptied"):
        world.update("campaign", campaign, name=None)
    with pytest.raises(InvalidRequest, match="cannot be emptied"):
        world.update("campaign", campaign, name="")


def test_names_and_base_amounts_follow(world: World, account: Guid) -> None:
    """WA-85, WA-443."""
    contact = world.create("contact", firstname="Ann", lastname="Lee")
    world.update("contact", contact, firstname=None)
    world.update("account", account, revenue=7)

    assert world.row("contact", contact).values["fullname"] == "Lee"
    assert world.row("account", account).values["revenue_base"] == 7


def test_a_state_brings_its_status_and_a_status_must_fit_the_state(world: World, account: Guid) -> None:
    """WA-151."""
    world.update("account", account, statecode=1)
    assert world.row("account", account).values["statuscode"] == 2
    with pytest.raises(InvalidRequest, match="is not a valid status code for state code 1") as refusal:
        world.update("account", account, statuscode=1)
    assert refusal.value.code == "0x80048408"
    world.update("account", account, statecode=0, statuscode=1)
    assert world.row("account", account).values["statecode"] == 0


def test_setting_a_lookup_needs_append_too_but_emptying_it_does_not(world: World) -> None:
    """SM-110 to SM-112."""
    rights = (Rights.READ, Rights.WRITE, Rights.CREATE)
    writer = world.user("Wim", None, world.role("Writer", {"account": depths(Depth.GLOBAL, rights)}))
    contact = Reference("contact", world.create("contact", lastname="Lee"))
    account = world.create("account", name="A", primarycontactid=contact)

    with pytest.raises(AccessDenied, match="prvAppendAccount"):
        world.update("account", account, by=writer, primarycontactid=contact)
    world.update("account", account, by=writer, primarycontactid=None)
    assert world.row("account", account).values["primarycontactid"] is None


# --- alternate keys and upsert ---


def test_an_upsert_creates_with_the_given_id_and_then_updates(world: World) -> None:
    """WA-141."""
    with world.administrating() as session:
        made = upsert(session, session.table("account"), NOBODY, NewRecord({"name": "A"}))
        again = upsert(session, session.table("account"), NOBODY, NewRecord({"name": "B"}))

    assert (made.created, again.created) == (True, False)
    assert world.row("account", NOBODY).values["name"] == "B"


def test_an_upsert_that_must_not_update_refuses_existing_rows(world: World, account: Guid) -> None:
    """WA-142."""
    with pytest.raises(PreconditionFailed, match="already exists"), world.administrating() as session:
        upsert(session, session.table("account"), account, NewRecord({"name": "B"}), must_not_exist=True)


def test_an_upsert_creates_only_with_the_create_privilege(world: World) -> None:
    """WA-141."""
    writer = world.user(
        "Wim", None, world.role("Writer", {"account": depths(Depth.GLOBAL, (Rights.READ, Rights.WRITE))})
    )
    with pytest.raises(AccessDenied, match="prvCreateAccount"), world.acting(writer) as session:
        upsert(session, session.table("account"), NOBODY, NewRecord({"name": "A"}))


def test_an_upsert_by_key_takes_the_key_from_the_address(keyed: World) -> None:
    """WA-144: in the body the key wins on create and is ignored on update."""
    with keyed.administrating() as session:
        table = session.table("account")
        made = upsert(session, table, {"accountnumber": "A1"}, NewRecord({"name": "A"}))
        again = upsert(session, table, {"accountnumber": "a1"}, NewRecord({"name": "B", "accountnumber": "other"}))
        renamed = upsert(session, table, {"accountnumber": "B1"}, NewRecord({"accountnumber": "C1"}))

    assert made.id == again.id and not again.created
    row = keyed.row("account", made.id)
    assert (row.values["name"], row.values["accountnumber"]) == ("B", "A1")
    assert keyed.row("account", renamed.id).values["accountnumber"] == "C1"


def test_a_taken_key_is_refused(keyed: World) -> None:
    """WA-101: case does not make a key another one."""
    keyed.create("account", name="A", accountnumber="A1")
    second = keyed.create("account", name="B", accountnumber="B1")

    for attempt in (
        lambda: keyed.create("account", name="C", accountnumber="a1"),
        lambda: keyed.update("account", second, accountnumber="a1"),
    ):
        with pytest.raises(PreconditionFailed) as refusal:
            attempt()
        assert refusal.value.code == "0x80060892"


def test_a_key_that_names_no_row_is_404_with_its_own_code(keyed: World) -> None:
    """WA-128, WA-78."""
    with pytest.raises(NotFound) as unknown, keyed.administrating() as session:
        update(session, session.table("account"), {"accountnumber": "none"}, {"name": "X"})
    with (
        pytest.raises(InvalidRequest, match="The key in the request URI is not valid"),
        keyed.administrating() as session,
    ):
        update(session, session.table("account"), {"name": "none"}, {"name": "X"})
    assert unknown.value.code == "0x80060891"


# --- emptying ---


def test_a_column_can_be_emptied_by_name(world: World, account: Guid) -> None:
    """WA-149."""
    with world.administrating() as session:
        set_null(session, session.table("account"), account, "telephone1")
    assert world.row("account", account).values["telephone1"] is None

    for column in ("createdon", "ownerid"):
        with pytest.raises(InvalidRequest, match="cannot be emptied"), world.administrating() as session:
            set_null(session, session.table("account"), account, column)


# --- assign ---


def test_assigning_needs_assign_and_no_write(world: World) -> None:
    """SM-90, SM-91: the owning unit follows."""
    rights = (Rights.READ, Rights.ASSIGN)
    north = world.unit("North")
    role = world.role("Giver", {"account": depths(Depth.GLOBAL, rights)})
    giver, taker = world.user("Gil", None, role), world.user("Tim", north, role)
    account = world.create("account", name="A")

    world.update("account", account, by=giver, ownerid=user(taker))
    assert world.owner("account", account) == user(taker)
    assert world.owning_unit("account", account) == north
    with pytest.raises(AccessDenied, match="prvWriteAccount"):
        world.update("account", account, by=giver, ownerid=user(giver), name="B")


def test_assigning_to_the_present_owner_does_nothing(world: World, account: Guid) -> None:
    """SM-95."""
    before = world.row("account", account)
    world.update("account", account, ownerid=user(world.admin))
    assert world.row("account", account) == before


def test_one_refusal_in_the_cascade_refuses_the_whole_assign(world: World) -> None:
    """SM-96: the caller may assign accounts, but not the contacts that go with them."""
    role = world.role("Giver", {"account": depths(Depth.GLOBAL), "contact": depths(Depth.GLOBAL, (Rights.READ,))})
    giver = world.user("Gil", None, role)
    account = world.create("account", name="A")
    world.create("contact", lastname="Lee", parentcustomerid=Reference("account", account))

    with pytest.raises(AccessDenied, match="prvAssignContact"):
        world.update("account", account, by=giver, ownerid=user(giver))
    assert world.owner("account", account) == user(world.admin)


def test_the_previous_owner_keeps_a_share_when_the_organization_says_so(world: World, account: Guid) -> None:
    """SM-99."""
    world.update("organization", world.born.organization, sharetopreviousowneronassign=True)
    seller = world.role("Seller", {"account": depths(Depth.BASIC)})
    ann, bob = world.user("Ann", None, seller), world.user("Bob", None, seller)
    world.update("account", account, ownerid=user(ann))
    world.update("account", account, ownerid=user(bob), by=ann)

    assert world.visible("account", ann) == {account}
    world.update("account", account, by=ann, name="still mine to change")


def test_moving_to_another_owning_unit_cascades_and_leaves_owners_alone(world: World) -> None:
    """SM-98: with matrix access; the caller needs Assign on the rows and AppendTo on the unit."""
    north = Reference("businessunit", world.unit("North"))
    matrix = "EnableOwnershipAcrossBusinessUnits"
    world.update("organization", world.born.organization, orgdborgsettings=f"<O><{matrix}>true</{matrix}></O>")
    account = world.create("account", name="A")
    contact = world.create("contact", lastname="Lee", parentcustomerid=Reference("account", account))
    giver = world.role("Giver", {"account": depths(Depth.GLOBAL), "contact": depths(Depth.GLOBAL)})
    gil = world.user("Gil", None, giver)

    with pytest.raises(AccessDenied, match="prvAppendToBusinessUnit"):
        world.update("account", account, by=gil, owningbusinessunit=north)
    world.give_role(world.role("Units", {"businessunit": {Rights.APPEND_TO: Depth.GLOBAL}}), user(gil))
    world.update("account", account, by=gil, owningbusinessunit=north)

    assert world.owning_unit("account", account) == world.owning_unit("contact", contact) == north.id
    assert world.owner("account", account) == world.owner("contact", contact) == user(world.admin)
    entry = world.rows("audit", objectid=Reference("account", account))[-1]
    assert f"businessunit,{north.id}" in str(entry.values["changedata"])


def test_changing_owners_leaves_owning_units_alone_when_the_settings_say_so(world: World, account: Guid) -> None:
    """SM-97."""
    north = world.unit("North")
    settings = (
        "<O><EnableOwnershipAcrossBusinessUnits>true</EnableOwnershipAcrossBusinessUnits>"
        "<AlwaysMoveRecordToOwnerBusinessUnit>false</AlwaysMoveRecordToOwnerBusinessUnit></O>"
    )
    world.update("organization", world.born.organization, orgdborgsettings=settings)
    ann = world.user("Ann", north, world.role("Own", {"account": depths(Depth.BASIC)}))
    world.update("account", account, ownerid=user(ann))
    assert (world.owner("account", account), world.owning_unit("account", account)) == (user(ann), world.root)


def test_an_owner_cannot_be_emptied_nor_be_anything(world: World, account: Guid) -> None:
    """SM-10, SM-14."""
    for owner in (None, Reference("account", account), "nobody"):
        with pytest.raises(PayloadError, match="takes a systemuser or a team"):
            world.update("account", account, ownerid=owner)
    world.update("account", account, owninguser=Reference("systemuser", NOBODY), name="B")
    assert world.owner("account", account) == user(world.admin)


def test_a_key_may_be_made_of_a_lookup(world: World) -> None:
    """WA-75: `accounts(_primarycontactid_value=<guid>)`."""
    with world.administrating() as session:
        change_schema(session, create_key(session.schema, "account", NewKey("new_contact", ("primarycontactid",))))
    contact = world.create("contact", lastname="Lee")
    account = world.create("account", name="A", primarycontactid=Reference("contact", contact))

    with world.administrating() as session:
        assert update(session, session.table("account"), {"primarycontactid": contact}, {"name": "B"}) == account
    for value in ("nobody", None):
        with pytest.raises((InvalidRequest, NotFound)), world.administrating() as session:
            update(session, session.table("account"), {"primarycontactid": value}, {"name": "C"})
