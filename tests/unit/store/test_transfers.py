"""Files on their way: pieces in any order, one behind the other, and nothing left of what was never finished."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.engines import Stores
from tests.profiles import examples
from tests.unit.store.people import add, below, found, guid

from strongroom.ids import Guid
from strongroom.store.database import StoreDatabase
from strongroom.store.file_contents import CHUNK
from strongroom.store.protocol import Row, StoredFile, Transfer
from strongroom.store.transaction import StoreTransaction

COLUMN = "new_paper"
FILE = Guid("bbbbbbbb-0000-0000-0000-000000000001")
BEGUN, LATER, MUCH_LATER = "2026-01-05T09:30:00Z", "2026-01-05T09:45:00Z", "2026-01-05T10:00:00Z"


@pytest.fixture
def filed(database: StoreDatabase) -> StoreDatabase:
    """An environment with one account."""
    with database.write() as tx:
        add(tx, "account", 101, found(tx).ada, name="With paper")
    return database


def _row(tx: StoreTransaction) -> Row:
    row = tx.row(tx.schema.tables["account"], guid(101))
    assert row is not None
    return row


def _begun(tx: StoreTransaction) -> Transfer:
    transfer = Transfer("t", guid(1), _row(tx).reference(), COLUMN, "a.bin", FILE, LATER, True)
    tx.transfers.begin(transfer, BEGUN)
    return transfer


def _chunks(tx: StoreTransaction) -> list[int]:
    return [len(body) for (body,) in below(tx).connection.query("select body from filechunk order by fileid, number")]


@settings(max_examples=examples(10), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sizes=st.lists(st.sampled_from([1, 7, CHUNK - 1, CHUNK, CHUNK + 5]), min_size=1, max_size=4))
def test_pieces_that_come_in_order_are_the_content_when_they_are_all_there(
    filed: StoreDatabase, sizes: list[int]
) -> None:
    """WA-361: the last step copies nothing, whatever the pieces' sizes."""
    pieces = [bytes([number + 1]) * size for number, size in enumerate(sizes)]
    whole = b"".join(pieces)
    with filed.write() as tx:
        transfer = _begun(tx)
        for number, piece in enumerate(pieces):
            tx.transfers.put(transfer, str(number), piece)
        names = [str(number) for number in range(len(pieces))]
        before = _chunks(tx)
        assert tx.transfers.is_whole(transfer, names)
        tx.adopt_file(_row(tx), COLUMN, StoredFile(FILE, "a.bin", "a/b", len(whole)))
        tx.transfers.end("t", keeps_bytes=True)
        assert _chunks(tx) == before
        assert set(before[:-1]) <= {CHUNK}
        assert tx.file_bytes(FILE, 0, len(whole)) == whole
        tx.remove_file(_row(tx), COLUMN)
        assert _chunks(tx) == []


def test_pieces_in_another_order_are_put_together_as_they_are_named(filed: StoreDatabase) -> None:
    """WA-366: the order is that of BlockList; a piece that came again counts as it came last."""
    with filed.write() as tx:
        transfer = _begun(tx)
        for block, body in (("b", b"BBB"), ("a", b"x"), ("c", b"C"), ("a", b"AA")):
            tx.transfers.put(transfer, block, body)
        assert tx.transfers.blocks("t") == {"a": 2, "b": 3, "c": 1}
        for order in (["b", "a", "c"], ["a", "b", "c"], ["b"]):
            assert not tx.transfers.is_whole(transfer, order)
        assert b"".join(tx.transfers.pieces(transfer, ["a", "b", "c"])) == b"AABBBC"


def test_nothing_is_left_of_an_upload_that_was_never_finished(filed: StoreDatabase) -> None:
    """WA-361: its bytes go with it when the next one begins after its time; a download takes no content along."""
    other = Guid("bbbbbbbb-0000-0000-0000-000000000002")
    with filed.write() as tx:
        tx.set_file(_row(tx), COLUMN, StoredFile(other, "kept.bin", "a/b", 4), (b"kept",))
        tx.transfers.begin(Transfer("d", guid(1), _row(tx).reference(), COLUMN, "k", other, LATER, False), BEGUN)
        tx.transfers.put(_begun(tx), "1", b"half")
    with filed.write() as tx:
        last = Transfer("u", guid(1), _row(tx).reference(), COLUMN, "a", FILE, MUCH_LATER, True)
        tx.transfers.begin(last, LATER)
        assert tx.transfers.find("t", BEGUN) is None
        assert _chunks(tx) == [4]
        assert tx.file_bytes(other, 0, 4) == b"kept"


def test_uploads_of_an_older_version_begin_anew(stores: Stores, engine: str) -> None:
    """The migration: pieces lie where contents lie; what was under way is forgotten, nothing else is."""
    place = stores.place(engine)
    database = stores.open(place)
    with database.write() as tx:
        work = below(tx)
        binary = "blob" if engine == "sqlcipher" else "bytea"
        for statement in (
            "alter table filetransfer drop column isupload",
            "alter table filetransferblock drop column start",
            f"alter table filetransferblock add column body {binary}",
            "insert into filetransferblock (token, blockid, size, body) values ('t', '1', 0, null)",
            "delete from migration where number = 12",
        ):
            work.connection.execute(statement)
    database.close()

    database = stores.open(place)

    with database.write() as tx:
        add(tx, "account", 101, found(tx).ada, name="With paper")
        assert tx.transfers.blocks("t") == {}
        tx.transfers.put(_begun(tx), "1", b"new")
        assert tx.transfers.size("t") == 3
    assert database.check() == []
    database.close()
