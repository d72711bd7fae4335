"""The trail convicts (TS-812 to TS-814, reliability R11): whoever has the database key, but not the key that signs
heads, changes nothing unseen."""

import base64
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import orjson
import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.engines import START
from tests.worlds import World

from strongroom.audit import sealing
from strongroom.audit.exports import open_export, write_export
from strongroom.audit.heads import Signer, is_signed, shown_head
from strongroom.audit.leaf import hash_of, leaf_data, members_of
from strongroom.audit.sealing import Sealer
from strongroom.audit.verification import Verdict, logged_entries, verify
from strongroom.clock import TestClock
from strongroom.errors import IntegrityViolation
from strongroom.ids import Guid, Reference
from strongroom.records.trail_removal import delete_record_history
from strongroom.store.database import StoreDatabase
from strongroom.store.leaves import StoredHead

ENVIRONMENT = Guid("11111111-2222-4333-8444-555555555555")


@dataclass
class Proven:
    """A sealed trail, the heads that a witness kept, and the key."""

    world: World
    sealer: Sealer
    witness: list[StoredHead]
    accounts: list[Guid]

    @property
    def database(self) -> StoreDatabase:
        assert isinstance(self.world.database, StoreDatabase)
        return self.world.database

    def heads(self) -> list[StoredHead]:
        with self.database.read() as transaction:
            return transaction.log.heads()

    def verdict(self, *, witnessed: bool = False) -> Verdict:
        public = self.sealer.signer.public
        kept = self.witness if witnessed else []
        return verify(ENVIRONMENT, public, logged_entries(self.database), self.heads(), kept)

    def strangers(self) -> list[Guid]:
        with self.database.read() as transaction:
            return transaction.log.strangers()

    def tamper(self, *statements: str) -> None:
        """What an intruder does to the store."""
        with self.database.write() as transaction:
            work = transaction._work  # pyright: ignore[reportPrivateUsage]
            for statement in statements:
                work.connection.execute(statement)

    def number(self, sql: str) -> int:
        with self.database.read() as transaction:
            return transaction._work.connection.query(sql)[0][0]  # pyright: ignore[reportPrivateUsage]


@pytest.fixture
def proven(database: StoreDatabase) -> Iterator[Proven]:
    """Twelve accounts made and renamed, sealed five entries at a time."""
    world = World(database)
    witness: list[StoredHead] = []
    signer = Signer(ENVIRONMENT, Ed25519PrivateKey.generate(), is_test_home=False)
    sealer = Sealer(database, signer, TestClock(START), witness.append, batch=5)
    accounts = [world.create("account", name=f"Company {number}") for number in range(12)]
    for account in accounts:
        world.update("account", account, name="Renamed")
    sealer.seal()
    yield Proven(world, sealer, witness, accounts)


def place(proven: Proven, number: int) -> str:
    """The condition on `audit.id` for the entry at this place."""
    return f"id = (select entry from auditleaf where sequence = {number})"


def test_a_trail_that_nobody_touched_is_proven(proven: Proven) -> None:
    verdict = proven.verdict(witnessed=True)

    assert verdict.doubts == ()
    assert verdict.size == proven.number("select count(*) from audit") >= 24
    assert verdict.unproven == 0
    assert verdict.heads == len(proven.witness) > 4
    assert proven.strangers() == []


def test_a_head_is_signed_over_canonical_json_without_its_signature(proven: Proven) -> None:
    """TS-812: anybody checks it with the public key and RFC 8785."""
    head = proven.witness[-1]
    shown = shown_head(head)
    signature = shown.pop("Signature")

    assert isinstance(signature, str)
    proven.sealer.signer.public.verify(base64.b64decode(signature), rfc8785.dumps(shown))
    assert shown["TestClock"] is False
    assert shown["EnvironmentId"] == ENVIRONMENT


def test_a_leaf_is_canonical_json_and_holds_no_value(proven: Proven) -> None:
    """TS-812: RFC 8785; what may be personal is a salted digest."""
    with proven.database.read() as transaction:
        rows = [leaf.row for leaf in transaction.log.leaves(0, 100)]
    for row in rows:
        assert row is not None
        data = leaf_data(members_of(row), "00" * 16)
        assert data == rfc8785.dumps(orjson.loads(data))
        assert b"Company" not in data


CHANGES: dict[str, Callable[[Proven], tuple[str, ...]]] = {
    "value": lambda p: (f"update audit set changedata = '{{}}' where {place(p, 9)}",),
    "author": lambda p: (f"update audit set userid = auditid where {place(p, 9)}",),
    "time": lambda p: (f"update audit set createdon = '2020-01-01T00:00:00Z' where {place(p, 9)}",),
    "action": lambda p: (f"update audit set action = 3 where {place(p, 9)}",),
    "row": lambda p: (f"update audit set objectid = auditid where {place(p, 9)}",),
    "column": lambda p: (f"update audit set attributemask = null where {place(p, 9)}",),
    "note": lambda p: (f"update audit set useradditionalinfo = 'x' where {place(p, 9)}",),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_changed_entry_is_named(proven: Proven, what: str) -> None:
    """TS-814, R11: whatever part of it is changed."""
    with proven.database.read() as transaction:
        (leaf,) = transaction.log.leaves(9, 1)
    proven.tamper(*CHANGES[what](proven))

    assert proven.verdict().doubts == (f"The entry {leaf.audit_id} (place 9) was changed.",)


def test_a_changed_entry_with_its_hash_made_anew_is_found_by_the_head(proven: Proven) -> None:
    """TS-814: hashes can be computed anew, signatures cannot."""
    proven.tamper(CHANGES["author"](proven)[0])
    with proven.database.read() as transaction:
        (leaf,) = transaction.log.leaves(9, 1)
    assert leaf.row is not None
    assert leaf.salt is not None
    forged = hash_of(members_of(leaf.row), leaf.salt)
    proven.tamper(f"update auditleaf set hash = '{forged}' where sequence = 9")

    (doubt,) = proven.verdict().doubts
    assert "places 5 to 9" in doubt
    fresh = replace(proven.sealer)
    fresh._frontier = type(fresh._frontier)()  # pyright: ignore[reportPrivateUsage]
    proven.tamper("delete from audithead where treesize >= 10")
    proven.world.create("account", name="Later")
    with pytest.raises(IntegrityViolation):
        fresh.seal()  # a new process signs nothing that the newest head does not vouch for


def test_a_removed_entry_is_named(proven: Proven) -> None:
    with proven.database.read() as transaction:
        (leaf,) = transaction.log.leaves(9, 1)
    proven.tamper(f"delete from audit where {place(proven, 9)}")

    assert proven.verdict().doubts == (f"The entry {leaf.audit_id} (place 9) was taken out.",)


def test_a_removal_that_is_made_to_look_proper_is_found(proven: Proven) -> None:
    """A mark without the entry that tells of it, whose leaf no intruder can sign."""
    proven.tamper(
        f"delete from audit where {place(proven, 9)}",
        "update auditleaf set gone = '2026-01-05T09:30:00Z', salt = null where sequence = 9",
    )

    (doubt,) = proven.verdict().doubts
    assert "without an entry that says so; the first had place 9" in doubt


def test_an_entry_removed_with_its_leaf_leaves_a_gap(proven: Proven) -> None:
    proven.tamper(f"delete from audit where {place(proven, 9)}", "delete from auditleaf where sequence = 9")
    assert proven.verdict().doubts == ("Place 9 of the log is missing; the next one is 10.",)


def test_a_gap_that_is_closed_is_found_by_the_head(proven: Proven) -> None:
    end = proven.number("select max(sequence) from auditleaf")
    proven.tamper(
        f"delete from audit where {place(proven, 9)}",
        "delete from auditleaf where sequence = 9",
        *(f"update auditleaf set sequence = {each - 1} where sequence = {each}" for each in range(10, end + 1)),
    )
    assert "places 5 to 9" in proven.verdict().doubts[0]


def test_two_entries_in_another_order_are_found(proven: Proven) -> None:
    """By their places, and by the keys that the order comes from."""
    proven.tamper(
        "update auditleaf set sequence = -1 where sequence = 8",
        "update auditleaf set sequence = 8 where sequence = 9",
        "update auditleaf set sequence = 9 where sequence = -1",
    )
    assert "places 5 to 9" in proven.verdict().doubts[0]


def test_an_entry_that_is_put_in_between_is_named(proven: Proven) -> None:
    spare = proven.number(
        "select min(a.id) + 1 from audit a where not exists (select 1 from audit b where b.id = a.id + 1)"
    )
    guid = "99999999-9999-4999-8999-999999999999"
    proven.tamper(
        "insert into audit (id, auditid, createdon, operation, action)"
        f" values ({spare}, '{guid}', '2026-01-05T09:30:00Z', 2, 2)"
    )
    assert proven.strangers() == [guid]


def test_a_log_that_is_cut_is_found_by_its_heads(proven: Proven) -> None:
    proven.tamper(
        "delete from audit where id in (select entry from auditleaf where sequence >= 10)",
        "delete from auditleaf where sequence >= 10",
    )
    assert "The log ends after 10 leaves" in proven.verdict().doubts[0]


def test_a_log_rolled_back_with_its_heads_is_found_by_any_witness(proven: Proven) -> None:
    """TS-814: nobody can tell from inside; whoever kept a head can."""
    proven.tamper(
        "delete from audit where id in (select entry from auditleaf where sequence >= 10)",
        "delete from auditleaf where sequence >= 10",
        "delete from audithead where treesize > 10",
    )
    assert proven.verdict().doubts == ()
    assert "was cut or rolled back" in proven.verdict(witnessed=True).doubts[0]

    proven.world.create("account", name="Another history")
    proven.world.create("account", name="of the same length")
    for account in proven.accounts:
        proven.world.update("account", account, name="Again")
    proven.sealer.seal()
    assert any("which a witness kept" in doubt for doubt in proven.verdict(witnessed=True).doubts)


@pytest.mark.parametrize(
    "forgery",
    [
        "update audithead set root = 'ab' || substr(root, 3)",
        "update audithead set treesize = treesize + 1 where treesize = (select max(treesize) from audithead)",
        "update audithead set signedon = '2020-01-01T00:00:00Z' where treesize = 10",
        "update audithead set signature = 'AAAA'",
        "delete from audithead where treesize = 10",
        "delete from audithead where treesize = (select min(treesize) from audithead)",
        "update audithead set testclock = 1",
    ],
)
def test_forged_and_removed_heads_are_found(proven: Proven, forgery: str) -> None:
    proven.tamper(forgery)
    assert proven.verdict().doubts


def test_another_key_proves_nothing(proven: Proven) -> None:
    other = Ed25519PrivateKey.generate().public_key()
    verdict = verify(ENVIRONMENT, other, logged_entries(proven.database), proven.heads())
    assert "not signed with the environment's key" in verdict.doubts[0]
    assert not is_signed(proven.witness[0], other)


def test_deleting_in_good_order_leaves_provable_hashes(proven: Proven) -> None:
    """TS-806: the leaf stays, the salt does not, and the entry that tells is never deleted itself."""
    target = Reference("account", proven.accounts[0])
    with proven.world.acting(proven.world.admin) as session:
        removed = delete_record_history(session, target)
    assert removed == 2
    proven.sealer.seal()

    verdict = proven.verdict(witnessed=True)
    assert (verdict.doubts, verdict.removed) == ((), 2)
    with proven.world.acting(proven.world.admin) as session:
        assert delete_record_history(session, target) == 0
    proven.sealer.seal()
    assert proven.verdict().doubts == ()


def test_two_sealers_seal_each_entry_once(proven: Proven) -> None:
    """Two servers on one home do no harm: what the other has sealed is taken over."""
    other = Sealer(proven.database, proven.sealer.signer, proven.sealer.clock, proven.witness.append)
    for sealer in (other, proven.sealer, other):
        proven.world.create("account", name="More")
        assert sealer.seal() == 1
    assert proven.verdict(witnessed=True).doubts == ()


def test_a_new_sealer_takes_in_a_long_log_some_leaves_at_a_time(
    proven: Proven, monkeypatch: pytest.MonkeyPatch
) -> None:
    """WA-433: a transaction lasts only so long, however long the log is."""
    monkeypatch.setattr(sealing, "_READ", 4)
    other = Sealer(proven.database, proven.sealer.signer, proven.sealer.clock, proven.witness.append)
    proven.world.create("account", name="More")

    assert other.seal() == 1
    assert proven.verdict(witnessed=True).doubts == ()


def test_what_is_removed_while_it_is_being_sealed_gets_no_leaf(proven: Proven) -> None:
    """Between reading and appending an entry can go: then the log is looked at anew."""
    world = proven.world
    account = world.create("account", name="Short")
    with proven.database.read() as transaction:
        (row,) = transaction.log.unsealed(10)
        size = transaction.log.size()
    with world.acting(world.admin) as session:
        target = Reference("account", account)
        delete_record_history(session, target)
    with proven.database.read() as transaction:
        assert not transaction.log.is_next(size, [row])
    proven.sealer.seal()
    assert proven.verdict().doubts == ()


def test_a_clock_that_goes_backwards_makes_no_head_before_the_last(proven: Proven) -> None:
    clock = proven.sealer.clock
    assert isinstance(clock, TestClock)
    clock.move_to(START - timedelta(days=1))
    proven.world.create("account", name="Yesterday")
    proven.sealer.seal()
    assert proven.heads()[-1].signed_on == proven.heads()[-2].signed_on
    assert proven.verdict().doubts == ()


def test_an_export_is_proven_with_the_public_key_alone(proven: Proven, tmp_path: Path) -> None:
    """TS-813, and any byte of it that is changed is found or refused."""
    path, public = tmp_path / "trail.jsonl", proven.sealer.signer.public
    target = io.BytesIO()
    number = write_export(target, ENVIRONMENT, public, logged_entries(proven.database), proven.heads())
    path.write_bytes(target.getvalue())

    with open_export(path) as trail:
        verdict = verify(trail.environment, public, trail.entries, trail.heads, proven.witness)
    assert verdict.doubts == ()
    assert verdict.size == number == proven.verdict().size

    path.write_bytes(target.getvalue().replace(b"Company 3", b"Company 4", 1))
    with open_export(path) as trail:
        (doubt,) = verify(trail.environment, public, trail.entries, trail.heads).doubts
    assert "was changed" in doubt
