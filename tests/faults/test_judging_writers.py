"""The judge of the killed server's writes finds each kind of damage, so that its silence means something."""

import pytest
from tests.faults.writers import CREATE, DELETE, UPDATE, Kind, Truth, Write, Writer, doubts

FAMILY = (("account", "a"), ("contact", "c"), ("task", "t1"), ("task", "t2"))


def writer_of(*writes: Write) -> Writer:
    return Writer("", "", list(writes))


def truth_of(rows: str, trail: dict[str, list[int]], revenue: int = 0) -> Truth:
    held = set(rows.split())
    tables = {"account": {"a"}, "contact": {"c"}, "task": {"t1", "t2"}}
    return Truth({name: frozenset(known & held) for name, known in tables.items()}, {"a": revenue}, trail)


ALL = {row: [CREATE] for _, row in FAMILY}


@pytest.mark.parametrize("is_acknowledged", [True, False])
def test_whole_insert_is_beyond_doubt(is_acknowledged: bool) -> None:
    write = Write(Kind.DEEP_INSERT, FAMILY, is_acknowledged=is_acknowledged)
    assert doubts(writer_of(write), truth_of("a c t1 t2", ALL)) == []


def test_insert_that_was_not_acknowledged_may_be_missing_and_an_acknowledged_one_may_not() -> None:
    assert doubts(writer_of(Write(Kind.DEEP_INSERT, FAMILY)), truth_of("", {})) == []
    assert doubts(writer_of(Write(Kind.DEEP_INSERT, FAMILY, is_acknowledged=True)), truth_of("", {}))


@pytest.mark.parametrize("rows", ["a c t1", "a", "t2"])
def test_half_an_insert_is_found(rows: str) -> None:
    trail = {row: [CREATE] for row in rows.split()}
    assert doubts(writer_of(Write(Kind.DEEP_INSERT, FAMILY)), truth_of(rows, trail))


def test_row_without_its_entry_and_entry_without_its_row_are_found() -> None:
    write = Write(Kind.DEEP_INSERT, FAMILY)
    assert doubts(writer_of(write), truth_of("a c t1 t2", {**ALL, "c": []}))
    assert doubts(writer_of(write), truth_of("a t1 t2", ALL))


def test_half_a_delete_is_found() -> None:
    insert = Write(Kind.DEEP_INSERT, FAMILY, is_acknowledged=True)
    delete = Write(Kind.CASCADE, (FAMILY[0], *FAMILY[2:]))
    gone = {**ALL, "a": [CREATE, DELETE], "t1": [CREATE, DELETE], "t2": [CREATE, DELETE]}
    assert doubts(writer_of(insert, delete), truth_of("c", gone)) == []
    assert doubts(writer_of(insert, delete), truth_of("c t2", {**gone, "t2": [CREATE]}))
    assert doubts(writer_of(insert), truth_of("c", gone))


@pytest.mark.parametrize(
    ("revenue", "entries", "is_sound"), [(1, 1, True), (2, 2, True), (0, 0, False), (2, 1, False), (1, 2, False)]
)
def test_lost_update_is_found(revenue: int, entries: int, is_sound: bool) -> None:
    """One was acknowledged, and one was on its way."""
    insert = Write(Kind.DEEP_INSERT, FAMILY, is_acknowledged=True)
    updates = [Write(Kind.UPDATE, FAMILY[:1], value, is_acknowledged=value == 1) for value in (1, 2)]
    trail = {**ALL, "a": [CREATE, *[UPDATE] * entries]}
    assert (doubts(writer_of(insert, *updates), truth_of("a c t1 t2", trail, revenue)) == []) is is_sound
