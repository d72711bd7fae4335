"""New ids: GUIDs of version 7, in order, never the same."""

from datetime import UTC, datetime
from uuid import RFC_4122, UUID

from hypothesis import given
from hypothesis import strategies as st

from strongroom.clock import TestClock
from strongroom.ids import new_guid, new_guids, parse_guid

CLOCK = TestClock(datetime(2026, 1, 5, 9, 30, tzinfo=UTC))


@given(st.integers(0, 3_000))
def test_ids_of_one_moment_ascend_and_differ(number: int) -> None:
    found = new_guids(CLOCK, number)
    assert len(found) == number
    assert found == sorted(set(found))


def test_an_id_tells_its_moment_and_is_a_guid_of_version_7() -> None:
    for text in (new_guid(CLOCK), *new_guids(CLOCK, 3)):
        guid = UUID(text)
        assert (guid.version, guid.variant) == (7, RFC_4122)
        assert guid.int >> 80 == CLOCK.now_ms()
        assert parse_guid(text) == text


def test_ids_of_the_same_moment_do_not_meet() -> None:
    assert len({guid for _ in range(2_000) for guid in new_guids(CLOCK, 2)}) == 4_000
