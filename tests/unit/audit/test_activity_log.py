"""The activity log: a ledger beside the trail, in the same proof (TS-003, TS-808, TS-812)."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.engines import START
from tests.worlds import World

from strongroom.audit.activities import MOST_IDS, Activity, Actor, Outcome, activity
from strongroom.audit.heads import Signer
from strongroom.audit.sealing import Sealer
from strongroom.audit.verification import Verdict, logged_entries, verify
from strongroom.clock import TestClock, iso
from strongroom.errors import AccessDenied
from strongroom.ids import Guid, Reference
from strongroom.records import NewRecord, create, delete, update
from strongroom.store.database import StoreDatabase
from strongroom.store.leaves import StoredHead

ENVIRONMENT = Guid("11111111-2222-4333-8444-555555555555")
NOW = iso(START)


def sealer_of(world: World) -> Sealer:
    signer = Signer(ENVIRONMENT, Ed25519PrivateKey.generate(), is_test_home=False)
    return Sealer(world.database, signer, TestClock(START), lambda _: None, batch=5)


def verdict_of(world: World, sealer: Sealer) -> Verdict:
    with world.database.read() as transaction:
        heads: list[StoredHead] = transaction.log.heads()
    return verify(ENVIRONMENT, sealer.signer.public, logged_entries(world.database), heads)


def tell_once(world: World, row: Guid, *, number: int = 1) -> None:
    with world.database.write() as transaction:
        for _ in range(number):
            told = activity(Actor(NOW, address="192.0.2.7"), Activity.RETRIEVE, table="account", row=row)
            transaction.append_activity((told,))


def tamper(world: World, statement: str) -> None:
    """What an intruder does to the store."""
    assert isinstance(world.database, StoreDatabase)
    with world.database.write() as transaction:
        transaction._work.connection.execute(statement)  # pyright: ignore[reportPrivateUsage]


def test_changes_and_activities_share_one_log_in_the_order_of_their_commits(world: World) -> None:
    """TS-812: nobody moves a reading before or behind a change."""
    account = world.create("account", name="Fabrikam")
    sealer = sealer_of(world)
    tell_once(world, account, number=7)
    world.update("account", account, name="Contoso")
    tell_once(world, account)
    sealed = sealer.seal()

    with world.database.read() as transaction:
        leaves = transaction.log.leaves(0, 1000)
    tables = [leaf.row.table.logical_name for leaf in leaves if leaf.row is not None][-9:]
    assert sealed == len(leaves)
    assert tables == ["activitylog"] * 7 + ["audit", "activitylog"]
    verdict = verdict_of(world, sealer)
    assert verdict.doubts == ()
    assert verdict.size == sealed


@pytest.mark.parametrize(
    "tampering",
    [
        "update activitylog set address = '198.51.100.1'",
        "update activitylog set activity = 'search'",
        "delete from activitylog",
    ],
)
def test_an_activity_that_was_changed_or_removed_is_found(world: World, tampering: str) -> None:
    """TS-814."""
    account = world.create("account", name="Fabrikam")
    sealer = sealer_of(world)
    tell_once(world, account)
    sealer.seal()
    tamper(world, tampering)

    assert len(verdict_of(world, sealer).doubts) == 1


def test_an_activity_that_was_put_in_between_is_found(world: World) -> None:
    """TS-814."""
    account = world.create("account", name="Fabrikam")
    sealer = sealer_of(world)
    tell_once(world, account)
    sealer.seal()
    tamper(world, "update auditleaf set entry = entry + 1000000 where entry in (select id from activitylog)")
    with world.database.read() as transaction:
        assert len(transaction.log.strangers()) == 1


def test_the_log_is_a_ledger_for_everybody(world: World) -> None:
    """TS-003: 403 `ledger-table`, for administrators too."""
    account = world.create("account", name="Fabrikam")
    tell_once(world, account)
    with world.administrating() as session:
        table = session.table("activitylog")
        row = session.transaction.rows_where(table, {})[0]
        for attempt in (
            lambda: create(session, table, NewRecord({})),
            lambda: update(session, table, row.id, {"details": None}),
            lambda: delete(session, table, row.id),
        ):
            with pytest.raises(AccessDenied) as refused:
                attempt()
            assert refused.value.code == "0x80048306"
            assert refused.value.details["reason"] == "ledger-table"


def test_of_many_rows_their_number_and_a_digest_are_kept() -> None:
    """TS-808: ids up to 1,000."""
    few = [Guid(f"00000000-0000-4000-8000-{number:012x}") for number in range(MOST_IDS)]
    named = activity(Actor(NOW), Activity.RETRIEVE_MULTIPLE, table="account", rows=few)
    counted = activity(Actor(NOW), Activity.RETRIEVE_MULTIPLE, table="account", rows=[*few, few[0]])

    assert str(named["objectids"]).count("-8000-") == MOST_IDS
    assert named["objectcount"] == MOST_IDS
    assert "objectids" not in counted
    assert counted["objectcount"] == MOST_IDS + 1
    assert len(str(counted["objectdigest"])) == 64


def test_an_activity_says_who_and_with_what_outcome() -> None:
    """TS-808."""
    ada = Reference("systemuser", Guid("00000000-0000-4000-8000-000000000001"))
    told = activity(
        Actor(NOW, ada, ada, "192.0.2.7", "curl/8", "r-1"),
        Activity.DENIED,
        outcome=Outcome.FAILURE,
        details={"b": 1, "a": "x"},
    )

    assert told["userid"] == told["callinguserid"] == ada
    assert (told["category"], told["activity"], told["outcome"]) == (5, "denied", 2)
    assert told["details"] == '{"a":"x","b":1}'
