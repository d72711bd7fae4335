"""How shares travel: SM-74 to SM-87."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from people import ADA, BO, CY

from strongroom.access.rights import SHAREABLE
from strongroom.access.sharing import (
    ended,
    gained,
    lacking,
    mask_after_grant,
    mask_after_modify,
    part_after_end,
    part_after_gain,
    reaches_child,
    reparent_parts,
)
from strongroom.ids import Key
from strongroom.schema.model import Rights

READ, WRITE, CREATE, DELETE = Rights.READ, Rights.WRITE, Rights.CREATE, Rights.DELETE
masks = st.sets(st.sampled_from(list(Rights))).map(lambda rights: Rights(sum(rights)))


@pytest.mark.parametrize(
    ("cascade", "is_active", "owner", "touched"),
    [
        ("Cascade", False, BO, True),
        ("NoCascade", True, ADA, False),
        ("Active", True, BO, True),
        ("Active", False, ADA, False),
        ("UserOwned", False, ADA, True),
        ("UserOwned", True, BO, False),
        ("UserOwned", True, None, False),
    ],
)
def test_a_cascade_touches_the_children_that_its_setting_names(
    cascade: str, is_active: bool, owner: Key | None, touched: bool
) -> None:
    """Section 7: the parent is owned by Ada."""
    assert reaches_child(cascade, is_active=is_active, child_owner=owner, parent_owner=ADA) is touched
    assert not reaches_child("UserOwned", is_active=True, child_owner=None, parent_owner=None)


def test_granting_adds_and_modifying_replaces() -> None:
    """SM-76, SM-77: Create is never in a mask."""
    assert mask_after_grant(READ, WRITE | CREATE) == READ | WRITE
    assert mask_after_modify(WRITE | CREATE) == WRITE


def test_nobody_gives_what_they_lack_but_create_is_ignored() -> None:
    """SM-74."""
    assert lacking(READ, READ | WRITE | CREATE) == WRITE
    assert lacking(READ | WRITE, READ | CREATE) == Rights.NONE


def test_a_child_under_a_new_parent_gets_what_everybody_has_there() -> None:
    """SM-83, SM-84: both masks without Create; the parent's owner everything."""
    parts = reparent_parts({CY: READ | CREATE, ADA: WRITE, Key(9): CREATE}, parent_owner=ADA, child_owner=BO)

    assert parts == {CY: READ, ADA: SHAREABLE}


@pytest.mark.parametrize("parent_owner", [BO, None])
def test_a_parent_of_the_same_owner_or_of_none_gives_the_owner_no_part(parent_owner: Key | None) -> None:
    """SM-84."""
    assert reparent_parts({}, parent_owner=parent_owner, child_owner=BO) == {}


def test_a_right_that_the_principal_keeps_by_its_other_mask_does_not_end() -> None:
    """SM-85."""
    before, after = READ | WRITE, READ

    assert ended(before, after) == WRITE
    assert part_after_end(READ | WRITE | DELETE, ended(before, after)) == READ | DELETE


@given(masks, masks)
def test_what_is_gained_and_what_ended_lead_from_one_mask_to_the_other(before: Rights, after: Rights) -> None:
    """SM-80, SM-82: a part that follows every event of its parent ends up with the same rights."""
    part = part_after_end(part_after_gain(before & SHAREABLE, gained(before, after)), ended(before, after))

    assert part == after & SHAREABLE
