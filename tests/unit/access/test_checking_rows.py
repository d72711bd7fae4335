"""One row against a plan: shares, creation, rights, and the words of a refusal (SM-70, SM-120 to SM-122, SM-151)."""

from dataclasses import dataclass

import pytest
from people import (
    ACCOUNT,
    ADA,
    BO,
    CHAT,
    CITY,
    CLUB,
    DEALS,
    NORTH,
    PRODUCT,
    ROOT,
    SCHEMA,
    SOUTH,
    administrator,
    facts,
    holding,
    role,
    team,
)

from access_schema import guid
from strongroom.access.caller import Caller, TeamType
from strongroom.access.check import (
    SecuredRow,
    can_read_table,
    least_depth,
    reach_of,
    reaches,
    reasons_of,
    rights_on,
)
from strongroom.access.messages import does_not_exist, no_access
from strongroom.access.plan import Branch, Guard, Plan, Reason
from strongroom.access.planning import plan_for
from strongroom.access.resolve import resolve
from strongroom.access.rights import SHAREABLE
from strongroom.errors import AccessDenied, NotFound
from strongroom.ids import Key
from strongroom.query.ast import TRUE, And, Exists, Link, SharedWith, Source, UnitIn
from strongroom.schema.model import Depth, Rights

READ, CREATE, ASSIGN = Rights.READ, Rights.CREATE, Rights.ASSIGN
ROW = guid("row")


@dataclass(frozen=True)
class Share:
    principal: Key
    direct: Rights = Rights.NONE
    inherited: Rights = Rights.NONE


def shared(*shares: Share) -> SecuredRow:
    """A row of Bo in south, out of reach but for its shares."""
    return SecuredRow(BO, SOUTH, shares)


def member() -> Caller:
    """Ada with Basic read, in an owner, a group and an access team."""
    teams = [
        team("deals", DEALS),
        team("club", CLUB, TeamType.SECURITY_GROUP),
        team("chat", CHAT, TeamType.ACCESS),
    ]
    privileges = {"seller": {("account", READ): Depth.BASIC}}
    return resolve(facts(role("seller"), teams=teams, privileges=privileges), SCHEMA, 1)


@pytest.mark.parametrize(
    ("share", "codes"),
    [
        (Share(ADA, direct=READ), {"share-direct"}),
        (Share(DEALS, direct=READ), {"share-team"}),
        (Share(CLUB, direct=READ), {"share-team"}),
        (Share(CHAT, direct=READ), {"access-team"}),
        (Share(ADA, inherited=READ), {"share-inherited"}),
        (Share(CHAT, inherited=READ), {"share-inherited"}),
        (Share(ADA, direct=READ, inherited=READ), {"share-direct", "share-inherited"}),
        (Share(ADA, direct=Rights.DELETE, inherited=Rights.WRITE), set[str]()),
        (Share(BO, direct=READ), set[str]()),
    ],
)
def test_a_share_is_named_after_its_holder_and_its_mask(share: Share, codes: set[str]) -> None:
    """SM-70, SM-160."""
    plan = plan_for(member(), ACCOUNT, READ)

    assert {str(reason.code) for reason in reasons_of(plan, shared(share))} == codes
    assert reaches(plan, shared(share)) is bool(codes)


def test_a_share_has_no_effect_without_the_privilege() -> None:
    """SM-71."""
    assert not reaches(plan_for(member(), ACCOUNT, Rights.WRITE), shared(Share(ADA, direct=SHAREABLE)))


def test_shared_rights_add_up_and_each_stands_alone() -> None:
    """SM-72."""
    caller = holding(Depth.BASIC, READ, Rights.DELETE, Rights.SHARE)

    assert rights_on(caller, ACCOUNT, shared(Share(ADA, direct=Rights.DELETE))) == Rights.DELETE
    assert rights_on(caller, ACCOUNT, shared(Share(ADA, READ, Rights.SHARE))) == READ | Rights.SHARE


def test_the_branches_that_hold_carry_only_the_reasons_that_hold() -> None:
    """SM-160: each reason names the share it comes from."""
    (branch,) = reach_of(plan_for(member(), ACCOUNT, READ), shared(Share(CHAT, direct=READ)))

    assert [(reason.code, reason.sources) for reason in branch.reasons] == [
        ("access-team", (("principalobjectaccess", guid("chat"), "chat"), ("team", guid("chat"), "chat")))
    ]


def test_users_who_may_do_nothing_have_no_rights() -> None:
    """SM-170."""
    disabled = resolve(facts(role("administrator"), disabled=True), SCHEMA, 1)
    without_roles = resolve(facts(), SCHEMA, 1)

    assert rights_on(disabled, ACCOUNT, SecuredRow(ADA, NORTH)) is Rights.NONE
    assert rights_on(without_roles, ACCOUNT, SecuredRow(ADA, NORTH)) is Rights.NONE
    assert rights_on(administrator(), ACCOUNT, SecuredRow(BO, SOUTH)) == SHAREABLE | CREATE


def test_the_failed_access_check_is_told_in_the_published_words() -> None:
    """SM-151."""
    caller = holding(Depth.BASIC, READ)

    refusal = no_access(caller, READ, ACCOUNT, ROW, least_depth(caller, ACCOUNT, SecuredRow(BO, SOUTH)))

    assert isinstance(refusal, AccessDenied)
    assert (refusal.status, refusal.code) == (403, "0x80048306")
    assert refusal.message == (
        f"Principal with id {caller.id} does not have ReadAccess right(s) for record with id {ROW} of entity account. "
        "Consider assigning a role with the level Global to the user or team."
    )


def test_a_missing_row_is_told_in_the_published_words() -> None:
    """SM-152."""
    error = does_not_exist(ACCOUNT, ROW)

    assert isinstance(error, NotFound)
    assert (error.code, error.message) == ("0x80040217", f"account With Id = {ROW} Does Not Exist")


@pytest.mark.parametrize(
    ("owner", "unit", "level"),
    [
        (ADA, SOUTH, Depth.BASIC),
        (DEALS, SOUTH, Depth.BASIC),
        (CHAT, SOUTH, Depth.GLOBAL),
        (BO, NORTH, Depth.LOCAL),
        (BO, CITY, Depth.DEEP),
        (BO, ROOT, Depth.GLOBAL),
    ],
)
def test_the_advised_level_is_the_least_that_would_reach_the_row(owner: Key, unit: Key, level: Depth) -> None:
    """SM-151."""
    assert least_depth(member(), ACCOUNT, SecuredRow(owner, unit)) is level


def test_the_advised_level_of_tables_without_owners_is_by_their_units_or_global() -> None:
    """SM-11, SM-12."""
    teams = SCHEMA.tables["team"]

    assert least_depth(member(), PRODUCT, SecuredRow(None, None)) is Depth.GLOBAL
    assert least_depth(member(), teams, SecuredRow(DEALS, NORTH)) is Depth.LOCAL


# --- create --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("right", [CREATE, ASSIGN])
@pytest.mark.parametrize(
    ("depth", "unit", "reached"),
    [
        (Depth.BASIC, NORTH, False),
        (Depth.LOCAL, NORTH, True),
        (Depth.LOCAL, CITY, False),
        (Depth.DEEP, CITY, True),
        (Depth.DEEP, SOUTH, False),
        (Depth.GLOBAL, SOUTH, True),
    ],
)
def test_creating_for_others_goes_as_far_as_the_depth(right: Rights, depth: Depth, unit: Key, reached: bool) -> None:
    """SM-121: the row as it would be, for Create and for the Assign that another owner needs."""
    plan = plan_for(holding(depth, right), ACCOUNT, right)

    assert reaches(plan, SecuredRow(BO, unit)) is reached
    assert reaches(plan, SecuredRow(ADA, unit))


def test_shares_count_for_nothing_on_a_row_that_is_not_there_yet() -> None:
    """SM-120."""
    row = SecuredRow(BO, SOUTH, [Share(ADA, direct=SHAREABLE | CREATE, inherited=CREATE)])

    assert not reaches(plan_for(holding(Depth.BASIC, CREATE), ACCOUNT, CREATE), row)


def test_who_cannot_read_a_table_cannot_own_its_rows() -> None:
    """SM-92, SM-122: a team by its own roles."""
    deals = team("deals", DEALS)
    privileges = {"helper": {("account", READ): Depth.BASIC}}

    assert can_read_table(resolve(facts(role("helper"), team=deals, privileges=privileges), SCHEMA, 1), ACCOUNT)
    assert not can_read_table(resolve(facts(role("blank"), team=deals), SCHEMA, 1), ACCOUNT)
    assert not can_read_table(holding(Depth.BASIC, CREATE), ACCOUNT)


# --- guards and shares inside of conditions ------------------------------------------------------------------------


def test_a_guard_is_about_the_row_and_may_look_elsewhere() -> None:
    """A policy narrows what a plan reaches; whatever cannot be looked at does not hold (SM-7)."""
    plan = Plan(ACCOUNT, READ, (Branch(TRUE, (Reason("all"),)),))
    here = plan.with_guard(Guard(UnitIn("", frozenset({NORTH})), Reason("hold")))
    away = plan.with_guard(Guard(Exists(Link("", "a", "b"), Source(ACCOUNT, "~x")), Reason("elsewhere")))

    assert reach_of(here, SecuredRow(BO, NORTH)) == (Branch(TRUE, (Reason("all"),)),)
    assert reach_of(here, SecuredRow(BO, SOUTH)) == ()
    assert reach_of(away, SecuredRow(BO, NORTH), lambda _: True) == (Branch(TRUE, (Reason("all"),)),)
    assert reach_of(away, SecuredRow(BO, NORTH)) == ()


@pytest.mark.parametrize(
    ("direct", "inherited", "directly", "either"),
    [(READ, Rights.NONE, True, True), (Rights.NONE, READ, False, True), (Rights.WRITE, Rights.NONE, False, False)],
)
def test_shares_inside_of_a_condition_count_by_their_masks(
    direct: Rights, inherited: Rights, directly: bool, either: bool
) -> None:
    """SM-70, SM-146."""
    row = SecuredRow(BO, NORTH, [Share(ADA, direct, inherited)])
    for direct_only, expected in ((True, directly), (False, either)):
        shared = SharedWith("", frozenset({ADA}), READ, direct_only=direct_only)
        plan = Plan(ACCOUNT, READ, (Branch(And((TRUE, shared)), (Reason("x"),)),))

        assert reaches(plan, row) is expected
