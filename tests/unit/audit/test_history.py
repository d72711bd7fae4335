"""The trail of real changes, and who may read it (WA-395 to WA-398, SM-132, SM-173)."""

import pytest
from tests.worlds import World, depths, select, user

from strongroom.audit.history import (
    attribute_change_history,
    audit_detail,
    record_change_history,
)
from strongroom.errors import AccessDenied, InvalidRequest, NotFound, PayloadError
from strongroom.ids import Guid, Reference
from strongroom.records import NewRecord, change_schema, create, grant_access, retrieve_page
from strongroom.schema.changes import NewColumn, delete_column
from strongroom.schema.model import ColumnType, Depth, Rights

HISTORY = {"prvReadRecordAuditHistory": Depth.GLOBAL}


@pytest.fixture
def account(world: World) -> Reference:
    """An account that was created, changed twice, and shared."""
    row = Reference("account", world.create("account", name="A", telephone1="1"))
    world.update("account", row.id, name="B")
    world.update("account", row.id, telephone1="2", name="B")
    return row


def test_a_history_tells_old_and_new_values_newest_first(world: World, account: Reference) -> None:
    """WA-395."""
    with world.administrating() as session:
        history = record_change_history(session.transaction, session.caller, account)
    last, middle, first = history.details
    assert (last.old, last.new) == ({"telephone1": "1"}, {"telephone1": "2"})
    assert (middle.old, middle.new) == ({"name": "A"}, {"name": "B"})
    assert first.old == {} and first.new["ownerid"] == user(world.admin)
    assert [detail.entry["operation"] for detail in history.details] == [2, 2, 1]
    assert (history.total, history.more) == (3, False)


def test_a_history_comes_in_pages(world: World, account: Reference) -> None:
    """WA-395."""
    with world.administrating() as session:
        pages = [
            record_change_history(session.transaction, session.caller, account, page=page, page_size=2)
            for page in (1, 2)
        ]
    assert [(len(page.details), page.more, page.total) for page in pages] == [(2, True, 3), (1, False, 3)]


def test_a_columns_history_has_only_its_changes(world: World, account: Reference) -> None:
    """WA-396."""
    with world.administrating() as session:
        history = attribute_change_history(session.transaction, session.caller, account, "telephone1")
        assert [(d.old, d.new) for d in history.details] == [
            ({"telephone1": "1"}, {"telephone1": "2"}),
            ({}, {"telephone1": "1"}),
        ]
        with pytest.raises(InvalidRequest, match="doesn't contain attribute"):
            attribute_change_history(session.transaction, session.caller, account, "nothing")


def test_a_deleted_row_keeps_its_history(world: World, account: Reference) -> None:
    """What it was can still be told."""
    world.delete("account", account.id)
    with world.administrating() as session:
        history = record_change_history(session.transaction, session.caller, account)
    assert history.details[0].entry["operation"] == 3
    assert history.details[0].old["name"] == "B" and history.details[0].new == {}


def test_shares_roles_members_and_states_are_told_by_their_own_actions(world: World, account: Reference) -> None:
    seller = world.role("Seller", {"account": depths(Depth.BASIC)})
    ann = user(world.user("Ann", None, seller))
    world.team("Deals", members=[ann.id])
    with world.administrating() as session:
        grant_access(session, account, ann, Rights.READ)
    world.update("account", account.id, statecode=1)
    world.update("account", account.id, ownerid=ann)

    actions = [entry.values["action"] for entry in world.rows("audit", objectid=account)]
    assert actions == [1, 2, 2, 14, 5, 13]
    assert [entry.values["action"] for entry in world.rows("audit", objectid=ann)] == [1, 55]
    assert {35, 57} <= {entry.values["action"] for entry in world.rows("audit")}


def test_an_entry_names_both_users_and_the_tag(world: World) -> None:
    """WA-421, WA-425."""
    ann = world.user("Ann", None, world.role("Seller", {"account": depths(Depth.BASIC)}))
    with world.acting(ann, behind=world.admin, tag="nightly") as session:
        row = create(session, session.table("account"), NewRecord({"name": "A"}))
    (entry,) = world.rows("audit", objectid=Reference("account", row))
    assert (entry.values["userid"], entry.values["callinguserid"]) == (user(ann), user(world.admin))
    assert entry.values["useradditionalinfo"] == "nightly"


def test_a_refused_change_leaves_no_entry(world: World, account: Reference) -> None:
    """SM-6, WA-53."""
    with pytest.raises(PayloadError):
        world.update("account", account.id, numberofemployees="many")
    assert len(world.rows("audit", objectid=account)) == 3


# --- rights --------------------------------------------------------------------------------------------------------


def test_a_history_needs_its_privilege_and_the_row(world: World, account: Reference) -> None:
    """SM-173."""
    reader = {"account": {Rights.READ: Depth.BASIC}}
    plain = world.user("Ann", None, world.role("Plain", reader))
    historian = world.user("Hal", None, world.role("Historian", reader, by_name=HISTORY))

    for by, code in ((plain, "0x80040220"), (historian, "0x80048306")):
        with pytest.raises(AccessDenied) as refusal, world.acting(by) as session:
            record_change_history(session.transaction, session.caller, account)
        assert refusal.value.code == code
    world.share(account, user(historian), Rights.READ)
    with world.acting(historian) as session:
        assert record_change_history(session.transaction, session.caller, account).total == 4


def test_secured_columns_do_not_show_in_a_history(world: World) -> None:
    """SM-132: as if they had not changed."""
    table = world.new_table("thing", NewColumn("new_secret", ColumnType.STRING, is_secured=True))
    thing = Reference(table, world.create(table, new_name="t", new_secret="s"))
    world.update(table, thing.id, new_secret="u")
    role = world.role("Historian", {table: {Rights.READ: Depth.GLOBAL}}, by_name=HISTORY)
    historian = world.user("Hal", None, role)

    with world.acting(historian) as session:
        seen = record_change_history(session.transaction, session.caller, thing)
        of_column = attribute_change_history(session.transaction, session.caller, thing, "new_secret")
    assert all("new_secret" not in {**detail.old, **detail.new} for detail in seen.details)
    assert of_column.details == ()
    with world.administrating() as session:
        assert record_change_history(session.transaction, session.caller, thing).details[0].new == {"new_secret": "u"}


def test_a_column_that_is_gone_is_named_as_such(world: World) -> None:
    """WA-397."""
    table = world.new_table("thing", NewColumn("new_old", ColumnType.STRING))
    thing = Reference(table, world.create(table, new_old="x"))
    with world.administrating() as session:
        change_schema(session, delete_column(session.schema, table, "new_old"))
    with world.administrating() as session:
        (detail,) = record_change_history(session.transaction, session.caller, thing).details
    assert detail.deleted == ("new_old",)


def test_one_entry_opens_with_the_summary_privilege(world: World, account: Reference) -> None:
    """WA-397, SM-173; lists of entries obey the same privilege (WA-413)."""
    entry = world.rows("audit", objectid=account)[1]
    plain = world.user("Ann", None, world.role("Plain", {"account": {Rights.READ: Depth.GLOBAL}}))
    auditor = world.user("Aud", None, world.role("Auditor", by_name={"prvReadAuditSummary": Depth.GLOBAL}))

    with pytest.raises(AccessDenied), world.acting(plain) as session:
        audit_detail(session.transaction, session.caller, entry.id)
    with pytest.raises(AccessDenied):
        world.visible("audit", plain)
    with world.administrating() as session:
        assert audit_detail(session.transaction, session.caller, entry.id).new == {"name": "B"}
        with pytest.raises(NotFound):
            audit_detail(session.transaction, session.caller, Guid("99999999-9999-4999-8999-999999999999"))
    with world.acting(auditor) as session:
        assert retrieve_page(session, select(session.table("audit"), "action")).rows
