"""Why acts are refused although the right is there, and that what is proposed helps (SM-161, SM-162)."""

from unittest.mock import ANY

import pytest
from tests.unit.records.acts import ASSIGN, CREATE, DELETE, READ, SHARE, WRITE, Acts, Asked
from tests.worlds import World, depths, team, user

from strongroom.access.explain import Denial, Explanation
from strongroom.access.plan import ColumnAccess
from strongroom.access.reasons import DenialCode
from strongroom.errors import AccessDenied, InvalidRequest
from strongroom.ids import Reference
from strongroom.records.explaining_acts import Act, explain_act
from strongroom.schema.model import Depth, Rights


@pytest.fixture
def acts(world: World) -> Acts:
    return Acts(world)


def answer(acts: Acts, asked: Asked) -> Explanation:
    with acts.world.administrating() as session:
        return explain_act(session, asked.who, asked.row, asked.right, asked.act)


EXPECTED: dict[str, tuple[str, ...]] = {
    "user-disabled": ("enable-user",),
    "no-roles": ("privilege:Local",),
    "missing-privilege": ("privilege:Local",),
    "missing-privilege by mode": (),
    "no-access-path": ("privilege:Local", "share", "own"),
    "no-access-path of a part": ("privilege:Local", "share", "own"),
    "no-access-path of an assigned part": ("privilege:Local", "share", "own"),
    "no-access-path of a new row": (),  # Create and Assign are two privileges
    "does-not-exist": (),
    "column-not-permitted": ("profile:Secrets", "value-share", "team:Keepers"),
    "column-not-permitted to write": ("profile:Secrets", "value-share", "team:Keepers"),
    "column-not-permitted to create": ("profile:Secrets", "team:Keepers"),
    "owner-cannot-read": ("privilege:Basic", "team:Deals"),
    "owner-disabled": ("enable-user",),
    "owner-is-access-team": (),
    "cannot-grant-what-you-lack": ("privilege:Local", "share", "own"),
    "cannot-grant-what-you-lack of several": ("share", "own"),
    "share-with-owner": (),
    "delete-restricted": (),
}


def test_every_code_of_a_denial_is_given_with_the_changes_that_would_help(acts: Acts) -> None:
    """SM-161, SM-162: all twelve codes, in words that name what each is about."""
    questions = acts.asked()
    assert {name.partition(" ")[0] for name in questions} == {str(code) for code in DenialCode}

    found = {name: answer(acts, asked) for name, asked in questions.items()}

    for name, explanation in found.items():
        assert explanation.denial is not None, name
        assert (explanation.denial.code, explanation.reasons) == (name.partition(" ")[0], ()), name
    assert {name: explanation.would_allow for name, explanation in found.items()} == EXPECTED
    denials = {name: explanation.denial for name, explanation in found.items()}
    assert denials["column-not-permitted to write"] == Denial(
        DenialCode.COLUMN_NOT_PERMITTED, column="new_secret", lacks=ColumnAccess.UPDATE
    )
    assert denials["cannot-grant-what-you-lack of several"] == Denial(
        DenialCode.CANNOT_GRANT_WHAT_YOU_LACK, right=WRITE | ASSIGN
    )
    assert denials["delete-restricted"] == Denial(DenialCode.DELETE_RESTRICTED, relationship="new_seals")
    part = denials["no-access-path of a part"]
    assert part is not None
    assert part.row == Reference("new_part", ANY)
    assert found["owner-disabled"].changes_of == acts.off
    assert found["no-access-path"].changes_of is None


@pytest.mark.parametrize(
    ("name", "change"), [(name, change) for name, changes in EXPECTED.items() for change in changes]
)
def test_every_change_that_is_proposed_allows_the_act_when_the_verbs_make_it(
    acts: Acts, name: str, change: str
) -> None:
    """SM-162, SM-163: each is true on its own."""
    asked = acts.asked()[name]

    make(acts, change, asked, answer(acts, asked))

    assert answer(acts, asked).allowed


def make(acts: Acts, change: str, asked: Asked, explanation: Explanation) -> None:
    """What a change is about follows from the denial: the right that is lacking, on the row that stopped the act."""
    denial = explanation.denial
    assert denial is not None
    row = denial.row or asked.row
    right = denial.right or asked.right
    if denial.code is DenialCode.OWNER_CANNOT_READ:
        right = READ
    acts.make(change, asked, (row.table, right), explanation.changes_of or asked.who, row)


def test_a_change_that_would_not_be_enough_for_the_whole_act_is_not_proposed(acts: Acts) -> None:
    """SM-162: a share gives Write on Bo's row, but the column stays closed; the team gives both."""
    world = acts.world
    writers = world.role("Writers", {"account": depths(Depth.LOCAL, (READ, WRITE))})
    both = team(world.team("Both", acts.unit, writers))
    world.team("Rows only", acts.unit, writers)
    acts.hand_profile(both)

    explanation = answer(acts, Asked(acts.ann, acts.plain, WRITE, Act(column="new_secret")))

    assert explanation.denial is not None
    assert (explanation.denial.code, explanation.would_allow) == (DenialCode.NO_ACCESS_PATH, ("team:Both",))


def test_what_is_allowed_is_allowed_for_the_act_too(acts: Acts) -> None:
    """SM-95, SM-134, SM-160: with the reasons of the right."""
    world = acts.world
    shared = Reference("account", world.create("account", name="Value", ownerid=acts.ann))
    acts.make("value-share", Asked(acts.ann, shared, READ, Act(column="new_secret")), ("", READ), acts.ann, shared)
    for asked in (
        Asked(acts.ann, shared, READ, Act(column="new_secret")),
        Asked(acts.ann, shared, WRITE, Act(column="new_secret")),
        Asked(acts.ann, acts.free, WRITE, Act(column="name")),
        Asked(acts.ann, acts.free, ASSIGN, Act(owner=acts.bo)),
        Asked(acts.ann, acts.built, ASSIGN, Act(owner=acts.ann)),
        Asked(acts.ann, acts.free, CREATE, Act(owner=acts.ann)),
        Asked(acts.ann, acts.free, SHARE, Act(shared_with=acts.blind, rights=READ | WRITE | CREATE)),
        Asked(acts.ann, acts.free, DELETE),
        Asked(user(world.admin), acts.free, WRITE, Act(column="new_secret")),
    ):
        explanation = answer(acts, asked)

        assert explanation.allowed, asked
        assert explanation.reasons, asked
    create = Asked(acts.ann, shared, CREATE, Act(column="new_secret"))
    assert not answer(acts, create).allowed, "a shared value is of a row that exists"


def test_an_owner_in_a_disabled_unit_is_not_helped_by_being_enabled(acts: Acts) -> None:
    """SM-61, SM-93, SM-162: only what suffices is listed."""
    below = acts.world.unit("Closed", acts.unit)
    cy = user(acts.world.user("Cy", below, acts.seller, isdisabled=True))
    acts.world.update("businessunit", below, isdisabled=True)

    explanation = answer(acts, Asked(acts.ann, acts.free, ASSIGN, Act(owner=cy)))

    assert explanation.denial is not None
    assert (explanation.denial.code, explanation.would_allow) == (DenialCode.OWNER_DISABLED, ())


def test_who_asks_about_itself_is_told_of_no_profile_or_team_that_it_cannot_read(acts: Acts) -> None:
    """Nobody learns more than they may read."""
    with acts.world.acting(acts.ann.id) as session:
        explanation = explain_act(session, acts.ann, acts.free, READ, Act(column="new_secret"))

    assert explanation.would_allow == ("value-share",)


@pytest.mark.parametrize(
    ("right", "act", "says"),
    [
        (SHARE, Act(column="name"), "'Column' goes with the right ReadAccess, WriteAccess, CreateAccess"),
        (READ, Act(column="nam"), "has no column 'nam'. Did you mean 'name'?"),
        (WRITE, Act(owner=Reference("team", "")), "'Owner' goes with the right AssignAccess, CreateAccess"),  # pyright: ignore[reportArgumentType]  # never looked up
        (READ, Act(rights=READ), "'With' and 'Rights' go with the right ShareAccess"),
        (SHARE, Act(rights=READ), "name both"),
    ],
)
def test_an_act_that_is_none_of_the_right_is_refused(acts: Acts, right: Rights, act: Act, says: str) -> None:
    with acts.world.administrating() as session, pytest.raises(InvalidRequest, match=says.replace("?", r"\?")):
        explain_act(session, acts.ann, acts.free, right, act)


def test_questions_about_acts_of_others_are_for_administrators(acts: Acts) -> None:
    with acts.world.acting(acts.ann.id) as session, pytest.raises(AccessDenied, match="Ask about yourself"):
        explain_act(session, acts.bo, acts.free, READ, Act(column="name"))
