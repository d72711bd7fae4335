"""Lists of privileges, handing out, and names on the wire: SM-29, SM-171, WA-411, WA-412."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from people import ACCOUNT, CITY, DEALS, NORTH, ROOT, SCHEMA, SOUTH, administrator, facts, role, team

from access_schema import guid
from strongroom.access.caller import Caller
from strongroom.access.privileges import Handed, exceeding, privileges_of, privileges_of_role
from strongroom.access.resolve import resolve
from strongroom.access.rights import RIGHT_NAMES, format_rights, parse_depth, parse_rights
from strongroom.errors import InvalidRequest
from strongroom.ids import Key
from strongroom.schema.model import Depth, Rights

READ = ACCOUNT.privileges[Rights.READ].id
WRITE = ACCOUNT.privileges[Rights.WRITE].id


def seller(depth: Depth) -> Caller:
    """Ada of north, with Read at one depth."""
    return resolve(facts(role("seller"), privileges={"seller": {("account", Rights.READ): depth}}), SCHEMA, 1)


def test_a_user_has_one_entry_for_each_privilege_and_anchor_with_the_greatest_depth() -> None:
    """SM-171."""
    deals = team("deals", DEALS, unit=SOUTH)
    privileges = {
        "seller": {("account", Rights.READ): Depth.BASIC, ("account", Rights.WRITE): Depth.LOCAL},
        "boss": {("account", Rights.READ): Depth.DEEP},
        "clerk": {("account", Rights.READ): Depth.LOCAL},
    }
    held = [role("seller"), role("boss"), role("clerk"), role("seller", SOUTH, deals, inherited=False)]
    listed = privileges_of(resolve(facts(*held, teams=[deals], privileges=privileges), SCHEMA, 1))

    assert {(entry.name, entry.depth, entry.unit_id) for entry in listed} == {
        ("prvReadAccount", Depth.DEEP, guid("north")),
        ("prvReadAccount", Depth.BASIC, guid("south")),
        ("prvWriteAccount", Depth.LOCAL, guid("north")),
        ("prvWriteAccount", Depth.LOCAL, guid("south")),
    }
    assert [entry.name for entry in listed] == sorted(entry.name for entry in listed)


def test_the_list_of_a_role_leaves_out_privileges_that_the_schema_does_not_have() -> None:
    """SM-171."""
    listed = privileges_of_role({READ: Depth.LOCAL, guid("gone"): Depth.GLOBAL}, guid("north"), SCHEMA)

    assert [(entry.privilege_id, entry.depth) for entry in listed] == [(READ, Depth.LOCAL)]


@pytest.mark.parametrize(
    ("held", "depth", "anchor", "allowed"),
    [
        (Depth.GLOBAL, Depth.GLOBAL, SOUTH, True),
        (Depth.DEEP, Depth.GLOBAL, NORTH, False),
        (Depth.DEEP, Depth.DEEP, CITY, True),
        (Depth.DEEP, Depth.LOCAL, CITY, True),
        (Depth.DEEP, Depth.LOCAL, SOUTH, False),
        (Depth.DEEP, Depth.DEEP, ROOT, False),
        (Depth.LOCAL, Depth.LOCAL, NORTH, True),
        (Depth.LOCAL, Depth.LOCAL, CITY, False),
        (Depth.LOCAL, Depth.DEEP, NORTH, False),
        (Depth.LOCAL, Depth.BASIC, SOUTH, True),
        (Depth.BASIC, Depth.LOCAL, NORTH, False),
        (Depth.BASIC, Depth.BASIC, SOUTH, True),
    ],
)
def test_nobody_hands_out_more_reach_than_they_hold(held: Depth, depth: Depth, anchor: Key, allowed: bool) -> None:
    """SM-29: by depth and by unit."""
    handed = Handed(READ, depth, anchor)

    assert exceeding(seller(held), [handed]) == (None if allowed else handed)


def test_the_first_privilege_that_is_lacking_is_named() -> None:
    """SM-29."""
    wanted = [Handed(READ, Depth.BASIC, NORTH), Handed(WRITE, Depth.BASIC, NORTH)]

    assert exceeding(seller(Depth.GLOBAL), wanted) == wanted[1]
    assert exceeding(administrator(), wanted) is None


@given(st.lists(st.sampled_from(list(RIGHT_NAMES))))
def test_rights_survive_being_written_and_read(rights: list[Rights]) -> None:
    """WA-411."""
    mask = Rights.NONE
    for right in rights:
        mask |= right

    assert parse_rights(format_rights(mask)) == mask


def test_rights_are_written_in_their_fixed_order_and_read_in_any() -> None:
    """WA-411."""
    assert format_rights(Rights.ASSIGN | Rights.WRITE | Rights.READ) == "ReadAccess, WriteAccess, AssignAccess"
    assert format_rights(Rights.NONE) == "None"
    assert parse_rights("ShareAccess,ReadAccess") == Rights.READ | Rights.SHARE
    assert parse_rights("") == parse_rights("None") == Rights.NONE


def test_an_unknown_right_is_refused_by_name() -> None:
    """WA-411."""
    with pytest.raises(InvalidRequest, match=r"'readaccess' is not an access right\. The rights are ReadAccess, "):
        parse_rights("ReadAccess, readaccess")


def test_depths_are_read_by_name_and_by_number() -> None:
    """WA-412."""
    assert [parse_depth(name) for name in ("Basic", "Local", "Deep", "Global")] == list(Depth)
    assert [parse_depth(number) for number in range(4)] == list(Depth)


@pytest.mark.parametrize("value", ["basic", "Organization", 4, -1])
def test_an_unknown_depth_is_refused(value: str | int) -> None:
    """WA-412."""
    with pytest.raises(InvalidRequest, match=f"'{value}' is not a depth"):
        parse_depth(value)


def test_none_among_rights_is_no_right_and_ends_nothing() -> None:
    """WA-411."""
    assert parse_rights("None, ReadAccess") is Rights.READ
    assert parse_rights("None") is Rights.NONE
