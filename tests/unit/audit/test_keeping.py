"""How long the trail is kept: partitions, holds, erasing and retention (TS-805 to TS-807, TS-816, TS-909)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.engines import START
from tests.worlds import World

from strongroom.audit.activities import Activity, Actor, activity
from strongroom.audit.heads import Signer
from strongroom.audit.leaf import is_erased
from strongroom.audit.partitions import partitions
from strongroom.audit.sealing import Sealer
from strongroom.audit.verification import Verdict, logged_entries, verify
from strongroom.clock import TestClock, iso
from strongroom.errors import AccessDenied, Conflict, InvalidRequest
from strongroom.ids import Guid, Reference
from strongroom.records.holds import release_hold
from strongroom.records.trail_removal import delete_partitions, delete_record_history, erase_record_values
from strongroom.records.trail_storage import trail_storage
from strongroom.schema.model import Depth, Rights
from strongroom.schema.trail_tables import HOLD
from strongroom.store.database import StoreDatabase

ENVIRONMENT = Guid("11111111-2222-4333-8444-555555555555")
SECRET = "Lovelace of Ockham"


class Kept:
    """A world whose clock moves, with its sealer."""

    def __init__(self, database: StoreDatabase) -> None:
        self.database = database
        self.clock = TestClock(START)
        database._clock = self.clock  # pyright: ignore[reportPrivateUsage]
        self.world = World(database, self.clock)
        signer = Signer(ENVIRONMENT, Ed25519PrivateKey.generate(), is_test_home=False)
        self.sealer = Sealer(database, signer, self.clock, lambda _: None)
        self.account = self.world.create("account", name=SECRET)
        self.target = Reference("account", self.account)
        self.sealer.seal()

    def pass_days(self, days: int) -> None:
        self.clock.move_to(self.clock.now() + timedelta(days=days))

    def verdict(self) -> Verdict:
        self.sealer.seal()
        with self.database.read() as transaction:
            heads = transaction.log.heads()
        return verify(ENVIRONMENT, self.sealer.signer.public, logged_entries(self.database), heads)

    def actions(self, target: Reference) -> list[object]:
        return [row.values["action"] for row in self.world.rows("audit", objectid=target)]

    def hold(self, **scope: str) -> Guid:
        maker = self.world.user(
            "Maker", None, self.world.role("Legal", {HOLD: dict.fromkeys((Rights.CREATE, Rights.READ), Depth.GLOBAL)})
        )
        return self.world.make(HOLD, {"name": "Case 7", "matter": "Smith v. Jones", **scope}, maker)


@pytest.fixture
def kept(database: StoreDatabase) -> Iterator[Kept]:
    before = database._clock  # pyright: ignore[reportPrivateUsage]
    yield Kept(database)
    database._clock = before  # pyright: ignore[reportPrivateUsage]


# --- one row -------------------------------------------------------------------------------------------------------


def test_deleting_a_history_is_itself_an_entry_and_breaks_no_proof(kept: Kept) -> None:
    """TS-806, WA-398: `DeletedEntriesCount`, action 111 with who, filter and count, a tombstone for each."""
    kept.world.update("account", kept.account, name="Other")
    kept.sealer.seal()
    with kept.world.administrating() as session:
        number = delete_record_history(session, kept.target)

    verdict = kept.verdict()
    (entry,) = kept.world.rows("audit", objectid=kept.target)
    assert number == 2
    assert entry.values["action"] == 111
    assert "one row" in str(entry.values["changedata"])
    assert verdict.doubts == ()
    assert verdict.removed == 2


def test_a_deletion_is_told_of_a_table_without_audit_too(kept: Kept) -> None:
    """TS-806: nobody clears the trail unseen, whatever the switches say."""
    party = Reference("activityparty", kept.world.admin)
    with kept.world.administrating() as session:
        assert delete_record_history(session, party) == 0
    (told,) = kept.world.rows("audit", objectid=party, objecttypecode="activityparty")
    assert told.values["action"] == 111


def test_taking_out_needs_its_privileges(kept: Kept) -> None:
    """SM-173."""
    plain = kept.world.user("Ann", None, kept.world.role("Plain", {"account": {Rights.READ: Depth.GLOBAL}}))
    with kept.world.acting(plain) as session:
        for attempt in (
            lambda: delete_record_history(session, kept.target),
            lambda: erase_record_values(session, kept.target),
            lambda: delete_partitions(session, datetime(2030, 1, 1, tzinfo=UTC)),
            lambda: trail_storage(session),
        ):
            with pytest.raises(AccessDenied):
                attempt()


# --- partitions ----------------------------------------------------------------------------------------------------


def test_partitions_are_quarters_and_the_present_one_is_open(kept: Kept) -> None:
    """TS-805: from 5 January on, with an entry in the third quarter."""
    kept.pass_days(200)
    kept.world.update("account", kept.account, name="Later")
    with kept.database.read() as transaction:
        found = partitions(transaction, kept.clock.now())

    assert [(each.number, iso(each.start), each.end and iso(each.end)) for each in found] == [
        (1, "2026-01-01T00:00:00Z", "2026-03-31T23:59:59Z"),
        (3, "2026-07-01T00:00:00Z", None),
    ]
    assert found[1].entries == 1


def test_quarters_that_ended_are_deleted_whole_and_no_other(kept: Kept) -> None:
    """TS-806: not the present one, and 400 0x80040203 when none ended before the date."""
    kept.pass_days(200)
    kept.world.update("account", kept.account, name="Later")
    with kept.world.administrating() as session:
        for moment in (datetime(2026, 3, 30, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)):
            with pytest.raises(InvalidRequest) as refused:
                delete_partitions(session, moment)
            assert refused.value.code == "0x80040203"
            assert refused.value.message == "There are no partitions ending before the given date."
        number = delete_partitions(session, datetime(2030, 1, 1, tzinfo=UTC))

    assert number == 1
    assert kept.actions(kept.target) == [2]
    assert kept.verdict().doubts == ()


# --- holds ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", ["row", "table", "environment"])
def test_what_is_held_is_neither_deleted_nor_taken_out_of_the_trail(kept: Kept, scope: str) -> None:
    """TS-807, TS-909: 409 `legal-hold` through every door; who is refused learns no matter."""
    scopes = {"row": {"tablename": "account", "objectid": kept.account}, "table": {"tablename": "account"}}
    kept.hold(**scopes.get(scope, {}))
    kept.pass_days(200)
    with kept.world.administrating() as session:
        for attempt in (
            lambda: delete_record_history(session, kept.target),
            lambda: erase_record_values(session, kept.target),
            lambda: delete_partitions(session, datetime(2030, 1, 1, tzinfo=UTC)),
        ):
            with pytest.raises(Conflict) as refused:
                attempt()
            assert refused.value.code == "legal-hold"
            assert "Smith" not in refused.value.message
    with pytest.raises(Conflict):
        kept.world.delete("account", kept.account)
    assert kept.world.find("account", kept.account) is not None


def test_a_hold_on_one_row_leaves_others_free(kept: Kept) -> None:
    """TS-909."""
    kept.hold(tablename="account", objectid=kept.account)
    other = kept.world.create("account", name="Free")
    kept.world.delete("account", other)
    assert kept.world.find("account", other) is None


def test_a_hold_is_ended_by_another_person_than_its_maker(kept: Kept) -> None:
    """TS-909: a second person, a reason; a hold itself is neither changed nor deleted."""
    hold = kept.hold(tablename="account")
    maker = kept.world.row(HOLD, hold).values["createdby"]
    assert isinstance(maker, Reference)
    rights = {HOLD: {Rights.WRITE: Depth.GLOBAL, Rights.READ: Depth.GLOBAL}}
    kept.world.give_role(kept.world.role("Writer", rights), maker)
    with kept.world.acting(maker.id) as session, pytest.raises(AccessDenied) as refused:
        release_hold(session, hold, "closed")
    assert refused.value.details["reason"] == "second-person"
    with pytest.raises(Conflict):
        kept.world.update(HOLD, hold, tablename="contact")
    with pytest.raises(Conflict):
        kept.world.delete(HOLD, hold)
    with kept.world.administrating() as session, pytest.raises(InvalidRequest):
        release_hold(session, hold, "  ")

    with kept.world.administrating() as session:
        release_hold(session, hold, "The matter is closed.")
    kept.world.delete("account", kept.account)
    assert kept.world.find("account", kept.account) is None


@pytest.mark.parametrize(
    "scope",
    [
        {"tablename": "nosuch"},
        {"objectid": "00000000-0000-4000-8000-000000000001"},
        {"tablename": "account", "objectid": "00000000-0000-4000-8000-000000000001"},
    ],
)
def test_a_hold_on_nothing_is_refused(kept: Kept, scope: dict[str, str]) -> None:
    """TS-909."""
    with pytest.raises(InvalidRequest):
        kept.hold(**scope)


# --- erasing -------------------------------------------------------------------------------------------------------


def test_erased_values_are_gone_and_every_proof_stays(kept: Kept) -> None:
    """TS-816: the digest in the place of the text, the salt forgotten; an entry tells of it."""
    with kept.world.administrating() as session:
        assert erase_record_values(session, kept.target) == 1
        assert erase_record_values(session, kept.target) == 0

    verdict = kept.verdict()
    created = kept.world.rows("audit", objectid=kept.target)[0]
    assert verdict.doubts == ()
    assert is_erased(str(created.values["changedata"]))
    assert SECRET not in str([row.values for row in kept.world.rows("audit")])
    with kept.database.read() as transaction:
        leaf = next(leaf for leaf in transaction.log.leaves(0, 1000) if leaf.audit_id == created.id)
    assert leaf.salt is None


def test_who_erases_without_saying_so_is_found(kept: Kept) -> None:
    """TS-814, TS-816: the digest alone would keep the leaf's hash."""
    with kept.world.administrating() as session:
        erase_record_values(session, kept.target)
    with kept.database.write() as transaction:
        work = transaction._work  # pyright: ignore[reportPrivateUsage]
        work.connection.execute("delete from audit where action = 111")

    assert any("were erased without an entry" in doubt for doubt in kept.verdict().doubts)


def test_entries_that_are_not_sealed_yet_are_not_erased(kept: Kept) -> None:
    """TS-816: there is no digest to put in their place."""
    kept.world.update("account", kept.account, name="Fresh")
    with kept.world.administrating() as session, pytest.raises(Conflict):
        erase_record_values(session, kept.target)


# --- storage -------------------------------------------------------------------------------------------------------


def test_storage_and_growth_are_told_by_table(kept: Kept) -> None:
    """TS-807, TS-811: what a day writes, kept as long as retention says."""
    kept.world.change(
        "organization", kept.world.born.organization, {"auditsettings": '{"RetentionDays":{"account":10}}'}
    )
    with kept.database.write() as transaction:
        transaction.append_activity((activity(Actor(iso(kept.clock.now())), Activity.EXPORT, table="account"),))
    with kept.world.administrating() as session:
        report = trail_storage(session, days=1)

    accounts = next(each for each in report.growth if each.table == "account")
    assert accounts.entries_a_day == 1
    assert accounts.retention_days == 10
    assert accounts.bytes_in_a_year == round(accounts.bytes_a_day * 10)
    assert report.activities == 1
    assert report.entries == len(kept.world.rows("audit"))
    assert any(each.table == "activitylog" for each in report.growth)


# --- retention -----------------------------------------------------------------------------------------------------


def test_entries_are_stamped_with_the_retention_in_force_when_they_are_written(kept: Kept) -> None:
    """TS-807: the organization's, or the table's own; for ever by default."""
    organization = kept.world.born.organization
    before = kept.world.rows("audit", objectid=kept.target)[0].values["expireson"]
    kept.world.update("organization", organization, auditretentionperiodv2="30")
    settings = '{"RetentionDays":{"contact":10,"lead":-1}}'
    kept.world.update("organization", organization, auditsettings=settings)
    rows = {name: kept.world.create(name, lastname="Ada") for name in ("contact", "lead")}
    kept.world.update("account", kept.account, name="Other")

    def until(table: str, row: Guid) -> object:
        return kept.world.rows("audit", objectid=Reference(table, row))[-1].values["expireson"]

    assert before is None
    assert until("account", kept.account) == iso(START + timedelta(days=30))
    assert until("contact", rows["contact"]) == iso(START + timedelta(days=10))
    assert until("lead", rows["lead"]) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"auditretentionperiodv2": "0"},
        {"auditretentionperiodv2": "365001"},
        {"auditretentionperiodv2": "a month"},
        {"auditsettings": "[]"},
        {"auditsettings": '{"Retention":5}'},
        {"auditsettings": '{"RetentionDays":{"account":0}}'},
        {"auditsettings": '{"RetentionDays":5}'},
        {"auditsettings": '{"ActivityRetentionDays":89}'},
    ],
)
def test_a_retention_that_makes_no_sense_is_refused(kept: Kept, changes: dict[str, str]) -> None:
    """TS-807, TS-822: 1 to 365,000 days or -1; activities at least 90 days."""
    with pytest.raises(InvalidRequest):
        kept.world.change("organization", kept.world.born.organization, changes)
