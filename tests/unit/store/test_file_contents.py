"""What file columns hold: whole contents and ranges, replaced, removed, gone with their rows and columns."""

import tracemalloc
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.profiles import examples
from tests.unit.store.people import add, below, found, guid

from strongroom.errors import IntegrityViolation
from strongroom.ids import Guid
from strongroom.schema.model import Column, ColumnType, Schema
from strongroom.store.database import StoreDatabase
from strongroom.store.file_contents import CHUNK
from strongroom.store.protocol import Row, StoredFile
from strongroom.store.transaction import StoreTransaction

NAME = "new_paper"
FILE = Guid("bbbbbbbb-0000-0000-0000-000000000001")
OTHER = Guid("bbbbbbbb-0000-0000-0000-000000000002")


def _with_file_column(schema: Schema) -> Schema:
    table = schema.tables["account"]
    column = Column(NAME, NAME, ColumnType.FILE, FILE, max_size_kb=64)
    changed = replace(table, columns={**table.columns, NAME: column})
    return replace(schema, version=schema.version + 1, tables={**schema.tables, "account": changed})


def _row(tx: StoreTransaction) -> Row:
    row = tx.row(tx.schema.tables["account"], guid(101))
    assert row is not None
    return row


def _put(tx: StoreTransaction, body: bytes, file_id: Guid = FILE) -> None:
    tx.set_file(_row(tx), NAME, StoredFile(file_id, "a.txt", "text/plain", len(body)), (body,))


@pytest.fixture
def filed(database: StoreDatabase) -> StoreDatabase:
    """An environment whose table `account` has a file column, and one account."""
    with database.write() as tx:
        tx.change_schema(_with_file_column(tx.schema))
        add(tx, "account", 101, found(tx).ada, name="With paper")
    return database


@settings(max_examples=examples(12), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    size=st.sampled_from([0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 7]),
    start=st.integers(0, 2 * CHUNK + 9),
    length=st.integers(0, 2 * CHUNK),
)
def test_any_range_is_that_of_the_whole(filed: StoreDatabase, size: int, start: int, length: int) -> None:
    body = bytes(range(251)) * (size // 251 + 1)
    body = body[:size]
    with filed.write() as tx:
        _put(tx, body)
    with filed.read() as tx:
        held = tx.file(_row(tx), NAME)
        assert held == StoredFile(FILE, "a.txt", "text/plain", size)
        assert tx.file_bytes(FILE, 0, size) == body
        assert tx.file_bytes(FILE, min(start, size), min(start + length, size)) == body[start : start + length]


def test_a_new_content_takes_the_place_of_the_old(filed: StoreDatabase) -> None:
    with filed.write() as tx:
        _put(tx, b"old")
        _put(tx, b"new", OTHER)
        held = tx.file(_row(tx), NAME)
        assert held is not None
        assert held.id == OTHER
        assert (tx.file_bytes(FILE, 0, 3), tx.file_bytes(OTHER, 0, 3)) == (b"", b"new")
        assert tx.file_place(FILE) is None
        assert tx.file_place(OTHER) == (_row(tx).reference(), NAME)


def test_a_removed_content_is_gone(filed: StoreDatabase) -> None:
    with filed.write() as tx:
        _put(tx, b"x")
        tx.remove_file(_row(tx), NAME)
        tx.remove_file(_row(tx), NAME)
        assert tx.file(_row(tx), NAME) is None
        assert _left(tx) == [0, 0]


def test_contents_go_with_their_row(filed: StoreDatabase) -> None:
    """WA-369."""
    with filed.write() as tx:
        _put(tx, b"x")
        tx.delete(tx.schema.tables["account"], [_row(tx)])
        assert _left(tx) == [0, 0]


def test_contents_go_with_their_column(filed: StoreDatabase) -> None:
    with filed.write() as tx:
        _put(tx, b"x")
        table = tx.schema.tables["account"]
        columns = {name: column for name, column in table.columns.items() if name != NAME}
        without = replace(table, columns=columns)
        tx.change_schema(replace(tx.schema, tables={**tx.schema.tables, "account": without}))
        assert _left(tx) == [0, 0]


def test_what_is_rolled_back_was_never_there(filed: StoreDatabase) -> None:
    with pytest.raises(ZeroDivisionError), filed.write() as tx:
        _put(tx, b"x")
        raise ZeroDivisionError
    with filed.read() as tx:
        assert tx.file(_row(tx), NAME) is None
        with pytest.raises(IntegrityViolation):
            tx.remove_file(_row(tx), NAME)


def _left(tx: StoreTransaction) -> list[int]:
    counts: list[int] = []
    for table in ("filecontent", "filechunk"):
        ((number,),) = below(tx).connection.query(f"select count(*) from {table}")
        counts.append(number)
    return counts


def test_a_content_is_never_whole_in_memory(filed: StoreDatabase) -> None:
    """WA-361: neither while it is stored nor while it is read; the pieces may be of any size."""
    pieces, size = 24, 700_001
    piece = bytes(size)
    with filed.write() as tx:
        file = StoredFile(FILE, "a.bin", "a/b", pieces * size)
        tracemalloc.start()
        try:
            tx.set_file(_row(tx), NAME, file, (piece for _ in range(pieces)))
            read = sum(len(tx.file_bytes(file.id, at, min(at + size, file.size))) for at in range(0, file.size, size))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert read == file.size
    assert peak < file.size / 2, f"{peak} bytes for a content of {file.size}"


def test_a_content_that_is_not_as_long_as_it_says_is_not_stored(filed: StoreDatabase) -> None:
    """WA-53."""
    file = StoredFile(FILE, "a.bin", "a/b", 10)
    with pytest.raises(IntegrityViolation, match="10 bytes came as 3"), filed.write() as tx:
        tx.set_file(_row(tx), NAME, file, (b"abc",))
    with filed.read() as tx:
        assert tx.file(_row(tx), NAME) is None
