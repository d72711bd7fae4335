"""Creating rows: what the platform adds, what it refuses, and in which order (SM-120 to SM-124, WA-105 to WA-122)."""

from decimal import Decimal

import pytest
from tests.worlds import World, depths, team, user

from strongroom.errors import AccessDenied, InvalidRequest, NotFound, PayloadError, PreconditionFailed
from strongroom.ids import Guid, Reference
from strongroom.records import NewRecord, Related, create
from strongroom.schema.model import Depth, Rights

NOBODY = Guid("99999999-9999-4999-8999-999999999999")


@pytest.fixture
def seller(world: World) -> Guid:
    """Ann of North, who does everything with her own accounts and contacts."""
    basic = depths(Depth.BASIC)
    return world.user("Ann", world.unit("North"), world.role("Seller", {"account": basic, "contact": basic}))


def test_the_platform_says_who_made_a_row_and_when(world: World, seller: Guid) -> None:
    """WA-122: and the caller owns it, in the caller's unit (SM-15)."""
    account = world.create("account", by=seller, name="Contoso")

    row = world.row("account", account)
    assert row.values["createdby"] == row.values["modifiedby"] == user(seller)
    assert row.values["createdon"] == row.values["modifiedon"] == "2026-01-05T09:30:00Z"
    assert row.values["createdonbehalfby"] is None
    assert (row.values["statecode"], row.values["statuscode"]) == (0, 1)
    assert world.owner("account", account) == user(seller)
    assert world.owning_unit("account", account) == world.unit_of(user(seller))


def test_choices_and_flags_get_their_defaults_unless_they_are_named(world: World) -> None:
    account = world.row("account", world.create("account", name="A"))
    other = world.row("account", world.create("account", name="B", accountratingcode=None, donotemail=True))

    assert (account.values["accountratingcode"], account.values["donotemail"]) == (1, False)
    assert (other.values["accountratingcode"], other.values["donotemail"]) == (None, True)


def test_columns_that_cannot_be_written_are_ignored(world: World) -> None:
    """WA-111."""
    contact = world.create(
        "contact",
        firstname="Ann",
        lastname="Lee",
        fullname="Somebody",
        createdon="2001-01-01T00:00:00Z",
        versionnumber=7,
    )

    row = world.row("contact", contact)
    assert row.values["fullname"] == "Ann Lee"
    assert row.values["createdon"] == "2026-01-05T09:30:00Z"


def test_an_unknown_property_is_refused_by_name(world: World) -> None:
    """WA-109."""
    with pytest.raises(PayloadError, match="An undeclared property 'nmae'"):
        world.create("account", nmae="Contoso")


def test_the_caller_may_choose_the_id_once(world: World) -> None:
    """WA-107: an id that is taken is 412 0x80040237."""
    chosen = "AAAAAAAA-1111-4111-8111-111111111111"
    assert world.create("account", accountid=chosen, name="A") == chosen.lower()

    with pytest.raises(PreconditionFailed) as refusal:
        world.create("account", accountid=chosen, name="B")
    assert refusal.value.code == "0x80040237"


def test_system_required_columns_must_have_a_value(world: World) -> None:
    """WA-112: application-required ones need none."""
    world.create("account")
    with pytest.raises(InvalidRequest, match="'campaign' needs a value for 'name'"):
        world.create("campaign")


def test_a_refused_row_leaves_nothing_behind(world: World) -> None:
    """SM-6, WA-53."""
    before = len(world.rows("audit"))
    with pytest.raises(PayloadError):
        world.create("account", name="A", numberofemployees="many")

    assert world.rows("account") == []
    assert len(world.rows("audit")) == before


# --- state ---


def test_a_state_and_its_status_may_be_given(world: World) -> None:
    """WA-122."""
    inactive = world.row("account", world.create("account", name="A", statecode=1))
    by_status = world.row("account", world.create("account", name="B", statuscode=2))

    assert (inactive.values["statecode"], inactive.values["statuscode"]) == (1, 2)
    assert (by_status.values["statecode"], by_status.values["statuscode"]) == (1, 2)
    with pytest.raises(InvalidRequest) as refusal:
        world.create("account", name="C", statecode=0, statuscode=2)
    assert refusal.value.code == "0x80048408"


# --- money ---


def test_money_brings_the_base_currency_its_rate_and_the_base_amount(world: World) -> None:
    """WA-85, WA-446."""
    row = world.row("account", world.create("account", name="A", revenue=12.5))
    without = world.row("account", world.create("account", name="B"))

    assert row.values["transactioncurrencyid"] == Reference("transactioncurrency", world.born.currency)
    assert row.values["exchangerate"] == 1
    assert row.values["revenue_base"] == Decimal("12.5")
    assert without.values["transactioncurrencyid"] is None


def test_amounts_in_another_currency_are_converted(world: World) -> None:
    """WA-85: and again when the currency changes."""
    euro = world.create(
        "transactioncurrency",
        currencyname="Euro",
        isocurrencycode="EUR",
        currencysymbol="€",
        currencyprecision=2,
        exchangerate=0.8,
    )
    account = world.create(
        "account", name="A", revenue=100, transactioncurrencyid=Reference("transactioncurrency", euro)
    )
    assert world.row("account", account).values["revenue_base"] == Decimal(125)

    world.update("account", account, transactioncurrencyid=Reference("transactioncurrency", world.born.currency))
    assert world.row("account", account).values["revenue_base"] == Decimal(100)


# --- lookups ---


def test_a_lookup_target_must_exist(world: World) -> None:
    """WA-115."""
    with pytest.raises(NotFound, match=f"contact With Id = {NOBODY} Does Not Exist"):
        world.create("account", name="A", primarycontactid=Reference("contact", NOBODY))


def test_a_lookup_needs_append_on_the_row_and_append_to_and_read_on_the_target(world: World, seller: Guid) -> None:
    """SM-111: a contact that Ann neither appends to nor reads."""
    foreign = world.create("contact", lastname="Lee")
    with pytest.raises(AccessDenied) as refusal:
        world.create("account", by=seller, name="A", primarycontactid=Reference("contact", foreign))
    assert refusal.value.code == "0x80048306"
    assert "AppendToAccess" in refusal.value.message

    world.share(Reference("contact", foreign), user(seller), Rights.APPEND_TO)
    with pytest.raises(AccessDenied, match="ReadAccess"):
        world.create("account", by=seller, name="A", primarycontactid=Reference("contact", foreign))

    world.share(Reference("contact", foreign), user(seller), Rights.READ)
    assert world.create("account", by=seller, name="A", primarycontactid=Reference("contact", foreign))


def test_without_append_no_lookup_can_be_set(world: World) -> None:
    """SM-111, in the order of SM-124: Append comes before the target's existence."""
    role = world.role("Typist", {"account": depths(Depth.GLOBAL, (Rights.READ, Rights.CREATE))})
    typist = world.user("Tom", None, role)

    with pytest.raises(AccessDenied) as refusal:
        world.create("account", by=typist, name="A", primarycontactid=Reference("contact", NOBODY))
    assert refusal.value.code == "0x80040220"


# --- owners ---


def test_creating_for_somebody_else_needs_assign(world: World) -> None:
    """SM-121, WA-118."""
    rights = (Rights.READ, Rights.CREATE)
    maker = world.user("Max", None, world.role("Maker", {"account": depths(Depth.GLOBAL, rights)}))
    giver = world.user("Gil", None, world.role("Giver", {"account": depths(Depth.GLOBAL, (*rights, Rights.ASSIGN))}))

    with pytest.raises(AccessDenied) as refusal:
        world.create("account", by=maker, name="A", ownerid=user(giver))
    assert refusal.value.code == "0x80040220"
    assert world.owner("account", world.create("account", by=giver, name="A", ownerid=user(maker))) == user(maker)


def test_basic_creates_for_a_team_of_ones_own(world: World, seller: Guid) -> None:
    """SM-121: reach is that of the team's membership."""
    readers = world.role("Readers", {"account": {Rights.READ: Depth.BASIC}})
    own = world.team("Deals", None, readers, members=[seller])
    other = world.team("Others", None, readers)

    assert world.create("account", by=seller, name="A", ownerid=team(own))
    with pytest.raises(AccessDenied) as refusal:
        world.create("account", by=seller, name="A", ownerid=team(other))
    assert refusal.value.code == "0x80048306"


def test_an_owner_must_be_able_to_read(world: World) -> None:
    """SM-92, SM-122: also when it is the caller."""
    blind = world.user("Bea", None, world.role("Blind", {"account": {Rights.CREATE: Depth.BASIC}}))

    with pytest.raises(AccessDenied) as refusal:
        world.create("account", by=blind, name="A")
    assert refusal.value.code == "0x80040299"


@pytest.mark.parametrize(
    ("state", "code"), [("disabled", "0x8004022b"), ("unit", "0x8004032d"), ("access", "0x80048340")]
)
def test_some_principals_cannot_own(world: World, state: str, code: str) -> None:
    """SM-93, SM-55."""
    unit = world.unit("North")
    reader = world.role("Reader", {"account": {Rights.READ: Depth.BASIC}})
    owner = user(world.user("Ann", unit, reader))
    if state == "disabled":
        world.update("systemuser", owner.id, isdisabled=True)
    elif state == "unit":
        world.update("businessunit", unit, isdisabled=True)
    else:
        owner = team(world.team("Access", unit, kind=1))

    with pytest.raises(InvalidRequest) as refusal:
        world.create("account", name="A", ownerid=owner)
    assert refusal.value.code == code


def test_owning_units_are_set_only_with_matrix_access(world: World) -> None:
    """SM-123."""
    north = Reference("businessunit", world.unit("North"))
    with pytest.raises(InvalidRequest) as refusal:
        world.create("account", name="A", owningbusinessunit=north)
    assert refusal.value.code == "0x800404a8"

    world.update(
        "organization",
        world.born.organization,
        orgdborgsettings="<O><EnableOwnershipAcrossBusinessUnits>true</EnableOwnershipAcrossBusinessUnits></O>",
    )
    assert world.owning_unit("account", world.create("account", name="A", owningbusinessunit=north)) == north.id


def test_a_user_without_roles_can_create_nothing(world: World) -> None:
    """SM-62."""
    with pytest.raises(AccessDenied) as refusal:
        world.create("account", by=world.user("Zoe"), name="A")
    assert refusal.value.code == "0x80042f09"


def test_rows_made_for_somebody_name_both(world: World, seller: Guid) -> None:
    """WA-421: the impersonated user as author, the real one as delegate."""
    with world.acting(seller, behind=world.admin) as session:
        account = create(session, session.table("account"), NewRecord({"name": "A"}))

    row = world.row("account", account)
    assert row.values["createdby"] == user(seller)
    assert row.values["createdonbehalfby"] == row.values["modifiedonbehalfby"] == user(world.admin)


# --- related rows ---


def test_deep_insert_creates_parents_children_and_links(world: World) -> None:
    """WA-120."""
    existing = world.create("contact", lastname="Old")
    with world.administrating() as session:
        schema = session.schema
        parent = schema.lookup_nav("account", "primarycontactid")
        children = schema.collection_nav("account", "contact_customer_accounts")
        assert parent is not None and children is not None
        account = create(
            session,
            session.table("account"),
            NewRecord(
                {"name": "Contoso"},
                (
                    Related(parent, create=(NewRecord({"lastname": "Boss"}),), to_parent=True),
                    Related(children, create=(NewRecord({"lastname": "New"}),), bind=(existing,)),
                ),
            ),
        )

    boss = world.row("account", account).values["primarycontactid"]
    assert isinstance(boss, Reference)
    assert world.row("contact", boss.id).values["lastname"] == "Boss"
    staff = world.rows("contact", parentcustomerid=Reference("account", account))
    assert {row.values["lastname"] for row in staff} == {"New", "Old"}


def test_deep_insert_ties_many_to_many_from_either_side(world: World) -> None:
    """WA-120."""
    parent, pal = world.new_table("parent"), world.new_table("pal")
    link = world.new_association("pals", parent, pal)
    existing = world.create(pal, new_name="old")
    with world.administrating() as session:
        new_pal = Related(link, create=(NewRecord({"new_name": "new"}),), bind=(existing,))
        row = create(session, session.table(parent), NewRecord({"new_name": "p"}, (new_pal,)))
        back = Related(link, create=(NewRecord({"new_name": "q"}),), from_first=False)
        other = create(session, session.table(pal), NewRecord({"new_name": "r"}, (back,)))
        linked = session.transaction.linked
        assert len(linked(link, row, from_first=True)) == 2 and existing in linked(link, row, from_first=True)
        assert len(linked(link, other, from_first=False)) == 1


def test_a_parent_may_be_bound_in_a_deep_insert(world: World) -> None:
    """WA-120: a relationship names the lookup."""
    contact = world.create("contact", lastname="Lee")
    parent = world.schema.lookup_nav("account", "primarycontactid")
    assert parent is not None
    with world.administrating() as session:
        record = NewRecord({"name": "A"}, (Related(parent, bind=(contact,), to_parent=True),))
        account = create(session, session.table("account"), record)
    assert world.row("account", account).values["primarycontactid"] == Reference("contact", contact)


def test_a_refused_child_undoes_the_whole_insert(world: World, seller: Guid) -> None:
    """WA-120, SM-6: each row is checked for rights."""
    with world.administrating() as session:
        tasks = session.schema.collection_nav("account", "Account_Tasks")
    assert tasks is not None
    record = NewRecord({"name": "Contoso"}, (Related(tasks, create=(NewRecord({"subject": "Call"}),)),))

    with pytest.raises(AccessDenied), world.acting(seller) as session:
        create(session, session.table("account"), record)
    assert world.rows("account") == []


def test_inserts_nest_ten_levels(world: World) -> None:
    """WA-120."""
    with world.administrating() as session:
        below = session.schema.collection_nav("account", "account_parent_account")
    assert below is not None

    def nested(levels: int) -> NewRecord:
        related = (Related(below, create=(nested(levels - 1),)),) if levels > 1 else ()
        return NewRecord({"name": str(levels)}, related)

    with world.administrating() as session:
        create(session, session.table("account"), nested(10))
    assert len(world.rows("account")) == 10
    with pytest.raises(InvalidRequest, match="at most 10 levels"), world.administrating() as session:
        create(session, session.table("account"), nested(12))


# --- tables that only the platform writes ---


@pytest.mark.parametrize("table", ["systemuserroles", "teammembership", "principalobjectaccess", "audit", "privilege"])
def test_tables_of_the_platform_cannot_be_written_directly(world: World, table: str) -> None:
    """WA-169, SM-79, WA-413."""
    with pytest.raises(InvalidRequest, match="cannot be written directly"):
        world.create(table)


def test_the_type_of_a_notes_object_follows_its_lookup(world: World) -> None:
    account = Reference("account", world.create("account", name="A"))
    note = world.create("annotation", subject="S", objectid=account)
    assert world.row("annotation", note).values["objecttypecode"] == "account"


def test_a_malformed_id_is_refused(world: World) -> None:
    """WA-79."""
    with pytest.raises(PayloadError, match="takes a GUID"):
        world.create("account", accountid="none")


def test_an_address_takes_the_rights_of_its_parent(world: World, seller: Guid) -> None:
    """SM-10: a child table without an owner."""
    own = world.create("account", by=seller, name="Own")
    foreign = world.create("account", name="Foreign")

    assert world.create("customeraddress", by=seller, name="HQ", parentid=Reference("account", own))
    with pytest.raises(AccessDenied):
        world.create("customeraddress", by=seller, name="HQ", parentid=Reference("account", foreign))
    with pytest.raises(AccessDenied):
        world.create("customeraddress", by=seller, name="HQ")
