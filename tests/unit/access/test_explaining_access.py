"""Why, why not, and what would help, in worked examples: SM-160 to SM-165."""

from dataclasses import replace

import pytest
from people import (
    ACCOUNT,
    ADA,
    BO,
    CHAT,
    DEALS,
    NORTH,
    PRODUCT,
    ROOT,
    SCHEMA,
    SOUTH,
    UNITS,
    administrator,
    facts,
    role,
    team,
)

from strongroom.access.caller import AccessMode, SecurityFacts, SecuritySettings, TeamType, UnitTree
from strongroom.access.check import SecuredRow
from strongroom.access.explain import Question, explain, is_allowed
from strongroom.query.ast import Predicate
from strongroom.schema.model import Depth, Rights
from strongroom.schema.standard_tables import standard_schema

READ, WRITE, CREATE = Rights.READ, Rights.WRITE, Rights.CREATE
FAR = SecuredRow(BO, SOUTH)


def seller(depth: Depth = Depth.BASIC, *rights: Rights, mode: AccessMode = AccessMode.READ_WRITE) -> SecurityFacts:
    """Ada of north with one direct role."""
    privileges = {"seller": {("account", right): depth for right in rights or (READ,)}}
    return facts(role("seller"), privileges=privileges, mode=mode)


def yes(_: Predicate) -> bool:
    """The store's answer when a parent row is reached."""
    return True


def about(row: SecuredRow | None, right: Rights = READ) -> Question:
    return Question(ACCOUNT, right, row)


def test_an_allowed_answer_lists_every_reason_and_proposes_nothing() -> None:
    """SM-160."""
    explanation = explain(seller(Depth.LOCAL), SCHEMA, about(SecuredRow(ADA, NORTH)))

    assert explanation.allowed
    assert [reason.code for reason in explanation.reasons] == ["role-local-bu", "role-basic-own"]
    assert explanation.would_allow == ()


def test_a_denial_for_want_of_reach_names_the_widest_grant_and_what_it_does_not_reach() -> None:
    """SM-161."""
    privileges = {"seller": {("account", READ): Depth.BASIC}, "boss": {("account", READ): Depth.LOCAL}}
    explanation = explain(facts(role("boss"), role("seller"), privileges=privileges), SCHEMA, about(FAR))

    denial = explanation.denial
    assert denial is not None
    assert (denial.code, denial.owner, denial.unit) == ("no-access-path", BO, SOUTH)
    assert denial.widest is not None
    assert (denial.widest.depth, denial.widest.anchor, denial.widest.held.role.name) == (Depth.LOCAL, NORTH, "boss")
    assert explanation.would_allow == ("privilege:Global", "share", "own")


def test_a_missing_privilege_is_named_and_neither_share_nor_ownership_would_help() -> None:
    """SM-161, SM-163."""
    explanation = explain(seller(), SCHEMA, about(SecuredRow(ADA, NORTH), WRITE))

    assert explanation.denial is not None
    assert (explanation.denial.code, explanation.denial.privilege) == ("missing-privilege", "prvWriteAccount")
    assert not explanation.denial.taken_by_access_mode
    assert explanation.would_allow == ("privilege:Basic",)


def test_a_privilege_that_the_access_mode_takes_is_told_as_such_and_no_role_would_help() -> None:
    """SM-161, SM-63."""
    held = seller(Depth.GLOBAL, READ, WRITE, mode=AccessMode.READ)
    explanation = explain(held, SCHEMA, about(FAR, WRITE))

    assert explanation.denial is not None
    assert explanation.denial.taken_by_access_mode
    assert explanation.would_allow == ()


def test_a_share_makes_the_privilege_at_basic_suffice() -> None:
    """SM-162: the least depth is found by trying, not by the owner alone."""
    deals = team("chat", CHAT, TeamType.ACCESS)
    blank = facts(role("blank"), teams=[deals])

    class Share:
        principal, direct, inherited = CHAT, READ, Rights.NONE

    explanation = explain(blank, SCHEMA, about(SecuredRow(BO, SOUTH, [Share()])))

    assert explanation.would_allow == ("privilege:Basic",)


def test_each_team_that_suffices_is_proposed_default_teams_and_own_teams_aside() -> None:
    """SM-162."""
    mine, default = team("mine", DEALS), team("default", BO, unit=SOUTH, default=True)
    strong, weak, quiet = team("strong", CHAT, unit=SOUTH), team("weak", ROOT), team("quiet", NORTH)
    helper = {"helper": {("account", READ): Depth.LOCAL}}
    user = replace(seller(), teams=(mine,))
    teams = [
        facts(role("helper", SOUTH), team=strong, privileges=helper),
        facts(role("helper", NORTH), team=weak, privileges=helper),
        facts(role("helper", SOUTH), team=mine, privileges=helper),
        facts(role("helper", SOUTH), team=default, privileges=helper),
        facts(team=quiet),
        replace(facts(role("helper", SOUTH), team=strong, privileges=helper), team=None),
    ]

    assert explain(user, SCHEMA, about(FAR), teams).would_allow == ("privilege:Global", "share", "own", "team:strong")


def test_a_disabled_user_is_only_ever_told_to_be_enabled() -> None:
    """SM-162."""
    enough, not_enough = replace(seller(Depth.GLOBAL), is_disabled=True), replace(seller(), is_disabled=True)
    units = UnitTree({**UNITS.units, NORTH: replace(UNITS.units[NORTH], is_disabled=True)})
    below = replace(enough, units=units)

    assert [explain(user, SCHEMA, about(FAR)).would_allow for user in (enough, not_enough, below)] == [
        ("enable-user",),
        (),
        (),
    ]
    denial = explain(enough, SCHEMA, about(FAR)).denial
    assert denial is not None
    assert denial.code == "user-disabled"


def test_a_user_without_roles_needs_one() -> None:
    """SM-62, SM-162."""
    explanation = explain(facts(), SCHEMA, about(SecuredRow(BO, NORTH)))

    assert explanation.denial is not None
    assert explanation.denial.code == "no-roles"
    assert explanation.would_allow == ("privilege:Local",)


def test_a_row_that_does_not_exist_is_denied_after_the_privilege_and_nothing_would_help() -> None:
    """SM-152, SM-161."""
    held, missing = explain(seller(), SCHEMA, about(None)), explain(seller(), SCHEMA, about(None, WRITE))

    assert held.denial is not None
    assert missing.denial is not None
    assert (held.denial.code, held.would_allow) == ("does-not-exist", ())
    assert missing.denial.code == "missing-privilege"


def test_a_share_is_proposed_even_to_the_owner_that_a_team_only_role_leaves_out() -> None:
    """SM-45, SM-162: scenario 9; owning again would change nothing."""
    club = team("club", DEALS, unit=NORTH)
    held = facts(
        role("only", NORTH, club, inherited=False),
        unit=SOUTH,
        teams=[club],
        privileges={"only": {("account", READ): Depth.BASIC}},
    )

    assert explain(held, SCHEMA, about(SecuredRow(ADA, SOUTH))).would_allow == ("privilege:Basic", "share")


def test_ownership_is_not_proposed_to_those_who_may_not_read_the_table() -> None:
    """SM-92."""
    explanation = explain(seller(Depth.BASIC, WRITE), SCHEMA, about(FAR, WRITE))

    assert explanation.would_allow == ("privilege:Global", "share")


def test_create_is_never_proposed_as_a_share() -> None:
    """SM-120."""
    assert explain(seller(Depth.BASIC, READ, CREATE), SCHEMA, about(FAR, CREATE)).would_allow == (
        "privilege:Global",
        "own",
    )


@pytest.mark.parametrize(("always_move", "proposed"), [(True, True), (False, False)])
def test_ownership_brings_the_unit_along_only_where_it_would_move(always_move: bool, proposed: bool) -> None:
    """SM-91, SM-97: a team-only role reaches by unit alone."""
    club = team("club", DEALS)
    held = facts(
        role("only", NORTH, club, inherited=False),
        teams=[club],
        privileges={"only": {("account", READ): Depth.LOCAL}},
        settings=SecuritySettings(matrix_access=True, always_move_record=always_move),
    )

    assert ("own" in explain(held, SCHEMA, about(FAR)).would_allow) is proposed


def test_tables_without_owners_are_opened_by_a_role_or_a_team_only() -> None:
    """SM-11."""
    held = facts(role("seller"), privileges={"seller": {("product", READ): Depth.BASIC}})
    question = Question(PRODUCT, READ, SecuredRow(None, None))

    assert explain(held, SCHEMA, question).would_allow == ("privilege:Global",)


def test_a_right_that_no_privilege_gives_cannot_be_had() -> None:
    """SM-11."""
    explanation = explain(administrator().facts, SCHEMA, Question(PRODUCT, Rights.SHARE, SecuredRow(None, None)))

    assert explanation.denial is not None
    assert (explanation.denial.code, explanation.denial.privilege) == ("missing-privilege", None)
    assert explanation.would_allow == ()


def test_rows_that_hang_on_others_are_explained_by_who_can_look_at_them() -> None:
    """SM-10: the store answers for the parent."""
    standard = standard_schema()
    held = facts(role("seller"), privileges={"seller": {("account", READ): Depth.BASIC}}, of=standard)
    address = standard.tables["customeraddress"]
    nowhere = Question(address, READ, SecuredRow(None, None))
    somewhere = replace(nowhere, elsewhere=yes)

    assert [reason.code for reason in explain(held, standard, somewhere).reasons] == ["parent"]
    denied = explain(held, standard, nowhere)
    assert denied.denial is not None
    assert (denied.denial.code, denied.would_allow) == ("no-access-path", ())


def test_a_team_can_be_explained_but_not_put_into_a_team() -> None:
    """SM-47, SM-160."""
    deals, other = team("deals", DEALS), team("other", CHAT, unit=SOUTH)
    helper = {"helper": {("account", READ): Depth.LOCAL}}
    principal = facts(role("helper"), team=deals, privileges=helper)
    others = [facts(role("helper", SOUTH), team=other, privileges=helper)]

    assert explain(principal, SCHEMA, about(SecuredRow(DEALS, SOUTH))).reasons[0].code == "owner-team"
    assert explain(principal, SCHEMA, about(FAR), others).would_allow == ("privilege:Global", "share", "own")


@pytest.mark.parametrize("row", [SecuredRow(ADA, NORTH), FAR, None])
@pytest.mark.parametrize("right", [READ, WRITE])
def test_the_decision_alone_is_that_of_the_explanation(row: SecuredRow | None, right: Rights) -> None:
    """SM-165."""
    asked = about(row, right)

    assert is_allowed(seller(Depth.LOCAL), SCHEMA, asked) is explain(seller(Depth.LOCAL), SCHEMA, asked).allowed
