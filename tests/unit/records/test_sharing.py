"""Sharing and what children inherit (SM-70 to SM-88, SM-170)."""

import pytest
from tests.worlds import PARENTAL, World, depths, team, user

from strongroom.errors import AccessDenied, InvalidRequest, NotFound
from strongroom.ids import Guid, Reference
from strongroom.records import modify_access, principal_access, revoke_access, shared_principals
from strongroom.schema.model import Cascade, Depth, Rights

READ_WRITE = Rights.READ | Rights.WRITE


class Shop:
    """Ann's account with a note and its line; all cascades are on. Ann and Bob work with what they own."""

    def __init__(self, world: World, cascade: Cascade = PARENTAL) -> None:
        self.world = world
        self.note, self.line = world.new_table("note"), world.new_table("line")
        world.new_relationship("account_note", "account", self.note, "accountid", cascade)
        world.new_relationship("note_line", self.note, self.line, "noteid", cascade)
        basic = depths(Depth.BASIC)
        self.seller = world.role("Seller", {"account": basic, self.note: basic, self.line: basic})
        self.ann, self.bob = world.user("Ann", None, self.seller), world.user("Bob", None, self.seller)
        self.account = Reference("account", world.create("account", by=self.ann, name="A"))
        self.first_note = self.new_note(self.ann)
        self.first_line = self.new_line(self.ann, self.first_note)

    def new_note(self, by: Guid, under: Reference | None = None) -> Reference:
        parent = under or self.account
        return Reference(self.note, self.world.make(self.note, {"new_accountid": parent}, by))

    def new_line(self, by: Guid, under: Reference) -> Reference:
        return Reference(self.line, self.world.make(self.line, {"new_noteid": under}, by))

    def rights(self, who: Guid, target: Reference) -> Rights:
        """What a user has on a row by shares alone: nobody holds more than Basic."""
        with self.world.administrating() as session:
            return principal_access(session, target, user(who)) & ~Rights.CREATE

    def on_all(self, who: Guid) -> tuple[Rights, Rights, Rights]:
        return tuple(self.rights(who, row) for row in (self.account, self.first_note, self.first_line))  # pyright: ignore[reportReturnType]

    def revoke(self, target: Reference, principal: Reference) -> None:
        with self.world.acting(self.ann) as session:
            revoke_access(session, target, principal)


@pytest.fixture
def shop(world: World) -> Shop:
    return Shop(world)


NONE = Rights.NONE


# --- direct shares -------------------------------------------------------------------------------------------------


def test_a_share_works_only_behind_the_privilege(shop: Shop) -> None:
    """SM-71: it succeeds, and waits for the privilege."""
    lucy = shop.world.user("Lucy", None, shop.world.role("Nothing"))
    shop.world.share(shop.account, user(lucy), Rights.READ, by=shop.ann)
    with pytest.raises(AccessDenied, match="prvReadAccount"):
        shop.world.visible("account", lucy)

    shop.world.give_role(shop.seller, user(lucy))
    assert shop.world.visible("account", lucy) == {shop.account.id}


def test_grants_add_modify_replaces_and_revoke_ends(shop: Shop) -> None:
    """SM-76 to SM-78."""
    shop.world.share(shop.account, user(shop.bob), Rights.READ, by=shop.ann)
    shop.world.share(shop.account, user(shop.bob), Rights.WRITE, by=shop.ann)
    assert shop.rights(shop.bob, shop.account) == READ_WRITE

    with shop.world.acting(shop.ann) as session:
        modify_access(session, shop.account, user(shop.bob), Rights.DELETE)
    assert shop.rights(shop.bob, shop.account) == Rights.DELETE

    shop.revoke(shop.account, user(shop.bob))
    assert shop.rights(shop.bob, shop.account) == NONE
    assert shop.world.rows("principalobjectaccess", objectid=shop.account.id) == []


def test_nobody_grants_what_they_do_not_have(shop: Shop) -> None:
    """SM-74: Bob has Share and Read by a share; the same bound holds for the whole new mask of a modify."""
    cy = shop.world.user("Cy", None, shop.seller)
    shop.world.share(shop.account, user(shop.bob), Rights.READ | Rights.SHARE, by=shop.ann)

    shop.world.share(shop.account, user(cy), Rights.READ, by=shop.bob)
    with pytest.raises(AccessDenied) as refusal:
        shop.world.share(shop.account, user(cy), READ_WRITE, by=shop.bob)
    assert refusal.value.code == "0x80048306"
    with pytest.raises(AccessDenied), shop.world.acting(shop.bob) as session:
        modify_access(session, shop.account, user(cy), READ_WRITE)
    assert shop.rights(cy, shop.account) == Rights.READ


def test_sharing_needs_share_and_not_the_owner(shop: Shop) -> None:
    """SM-73, SM-75, in the order of SM-124."""
    with pytest.raises(AccessDenied, match="ShareAccess"):
        shop.world.share(shop.account, user(shop.bob), Rights.READ, by=shop.bob)
    with pytest.raises(InvalidRequest) as refusal:
        shop.world.share(shop.account, user(shop.ann), Rights.READ, by=shop.ann)
    assert refusal.value.code == "0x80040214"


def test_rows_without_owner_cannot_be_shared(world: World) -> None:
    """SM-75, SM-11."""
    product = Reference("product", world.create("product", name="P", productnumber="1", productstructure=1))
    with pytest.raises((InvalidRequest, AccessDenied)):
        world.share(product, user(world.admin), Rights.READ)


def test_the_list_of_a_rows_shares_needs_read(shop: Shop) -> None:
    """SM-79."""
    helpers = team(shop.world.team("Helpers", None, shop.seller))
    shop.world.share(shop.account, helpers, READ_WRITE, by=shop.ann)
    with shop.world.acting(shop.ann) as session:
        found = [(share.principal, share.rights) for share in shared_principals(session, shop.account)]
    assert found == [(helpers, READ_WRITE)]
    with pytest.raises(AccessDenied), shop.world.acting(shop.bob) as session:
        shared_principals(session, shop.account)


def test_asking_about_rights_needs_a_row_that_exists(shop: Shop) -> None:
    """SM-170."""
    nowhere = Reference("account", Guid("99999999-9999-4999-8999-999999999999"))
    with pytest.raises(NotFound), shop.world.acting(shop.ann) as session:
        principal_access(session, nowhere, user(shop.ann))


# --- what children inherit -----------------------------------------------------------------------------------------


def test_a_share_runs_down_and_ends_downwards(shop: Shop) -> None:
    """SM-80 to SM-82."""
    shop.world.share(shop.account, user(shop.bob), READ_WRITE, by=shop.ann)
    assert shop.on_all(shop.bob) == (READ_WRITE, READ_WRITE, READ_WRITE)

    shop.revoke(shop.account, user(shop.bob))
    assert shop.on_all(shop.bob) == (NONE, NONE, NONE)


def test_what_is_given_directly_runs_down_also_when_it_had_been_inherited(world: World) -> None:
    """SM-80: the second line came without Reparent, so what Bob inherits on the note never reached it."""
    shop = Shop(world, Cascade(share="Cascade"))
    shop.world.share(shop.account, user(shop.bob), Rights.READ, by=shop.ann)
    later = shop.new_line(shop.ann, shop.first_note)
    assert (shop.rights(shop.bob, shop.first_note), shop.rights(shop.bob, later)) == (Rights.READ, NONE)

    shop.world.share(shop.first_note, user(shop.bob), Rights.READ, by=shop.ann)
    assert shop.rights(shop.bob, later) == Rights.READ


def test_a_share_runs_down_to_children_on_which_who_shares_has_nothing(world: World) -> None:
    """SM-88: the relationship is the permission. Ann may not even read the note, which is the administrator's."""
    shop = Shop(world, Cascade(share="Cascade"))
    note = shop.new_note(world.admin)
    assert shop.rights(shop.ann, note) == NONE

    shop.world.share(shop.account, user(shop.bob), Rights.READ, by=shop.ann)
    assert (shop.rights(shop.bob, note), shop.rights(shop.ann, note)) == (Rights.READ, NONE)


def test_a_right_that_stays_by_another_mask_does_not_end_below(shop: Shop) -> None:
    """SM-85: Bob keeps Read on the note by a share of its own, so the line keeps it too."""
    shop.world.share(shop.account, user(shop.bob), READ_WRITE, by=shop.ann)
    shop.world.share(shop.first_note, user(shop.bob), Rights.READ, by=shop.ann)
    shop.revoke(shop.account, user(shop.bob))

    assert shop.on_all(shop.bob) == (NONE, Rights.READ, Rights.READ)


def test_a_child_that_comes_later_gets_what_its_parent_has(shop: Shop) -> None:
    """SM-83: by Reparent, and passes it on."""
    shop.world.share(shop.account, user(shop.bob), Rights.READ, by=shop.ann)
    loose = Reference(shop.note, shop.world.create(shop.note, by=shop.ann, new_name="n"))
    line = shop.new_line(shop.ann, loose)
    assert (shop.rights(shop.bob, loose), shop.rights(shop.bob, line)) == (NONE, NONE)

    shop.world.update(shop.note, loose.id, by=shop.ann, new_accountid=shop.account)
    assert (shop.rights(shop.bob, loose), shop.rights(shop.bob, line)) == (Rights.READ, Rights.READ)


def test_a_child_that_leaves_loses_what_came_from_there(shop: Shop) -> None:
    """SM-86: by emptying the lookup, by moving, and by the parent's end."""
    shop.world.share(shop.account, user(shop.bob), Rights.READ, by=shop.ann)
    shop.world.update(shop.note, shop.first_note.id, by=shop.ann, new_accountid=None)
    assert shop.on_all(shop.bob) == (Rights.READ, NONE, NONE)


def test_leaving_does_not_ask_for_unshare(world: World) -> None:
    """SM-86: whatever Unshare says; RemoveLink is leaving too."""
    shop = Shop(world, Cascade(share="Cascade"))
    shop.world.share(shop.account, user(shop.bob), Rights.READ, by=shop.ann)
    shop.revoke(shop.account, user(shop.bob))
    assert shop.on_all(shop.bob) == (NONE, Rights.READ, Rights.READ)

    shop.world.delete("account", shop.account.id, by=shop.ann)
    assert (shop.rights(shop.bob, shop.first_note), shop.rights(shop.bob, shop.first_line)) == (NONE, NONE)


def test_the_parents_owner_has_everything_on_a_foreign_child(shop: Shop) -> None:
    """SM-84: Bob writes a note under Ann's account."""
    shop.world.share(shop.account, user(shop.bob), Rights.APPEND_TO | Rights.READ, by=shop.ann)
    note = shop.new_note(shop.bob)
    assert shop.rights(shop.ann, note) == Rights(851991)


def test_a_new_owner_takes_the_place_of_the_old_one(world: World) -> None:
    """SM-84: without an Assign cascade the notes stay with their owner."""
    shop = Shop(world, Cascade(reparent="Cascade"))
    shop.world.share(shop.account, user(shop.bob), Rights.APPEND_TO | Rights.READ, by=shop.ann)
    note = shop.new_note(shop.bob)
    cy = shop.world.user("Cy", None, shop.seller)
    shop.world.update("account", shop.account.id, ownerid=user(cy))

    assert shop.rights(shop.ann, note) == NONE
    assert shop.rights(cy, note) == Rights(851991)


@pytest.mark.parametrize(("how", "touched"), [("Active", {"active", "foreign"}), ("UserOwned", {"active", "inactive"})])
def test_cascades_touch_only_children_that_match(world: World, how: str, touched: set[str]) -> None:
    """SM-87: judged when the share is given."""
    shop = Shop(world, Cascade(share=how))
    notes = {"active": shop.first_note, "inactive": shop.new_note(shop.ann), "foreign": shop.new_note(shop.ann)}
    shop.world.update(shop.note, notes["inactive"].id, statecode=1)
    shop.world.update(shop.note, notes["foreign"].id, ownerid=user(world.admin))
    shop.world.share(shop.account, user(shop.bob), Rights.READ, by=shop.ann)

    assert {name for name, note in notes.items() if shop.rights(shop.bob, note)} == touched
