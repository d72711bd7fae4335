"""Which rows a plan reaches, one rule at a time; the random worlds of `tests/differential` hold them all together."""

from collections.abc import Mapping

import pytest
from people import (
    ACCOUNT,
    ADA,
    BO,
    CHAT,
    CITY,
    CLUB,
    CY,
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

from access_schema import guid, schema, table
from strongroom.access.caller import Caller, SecuritySettings, Subordinate, TeamType
from strongroom.access.check import SecuredRow, reaches, reasons_of
from strongroom.access.parents import READABLE_BY_EVERY_USER
from strongroom.access.plan import Branch, Guard, Plan, Reason
from strongroom.access.planning import plan_for
from strongroom.access.resolve import resolve
from strongroom.ids import Key
from strongroom.query.ast import FALSE, TRUE, OwnerIn, SharedWith, UnitIn
from strongroom.schema.model import Depth, Ownership, Rights

READ = Rights.READ
BASIC: Mapping[tuple[str, Rights], Depth] = {("account", READ): Depth.BASIC}


def codes(plan: Plan, owner: Key | None, unit: Key | None) -> set[str]:
    return {str(reason.code) for reason in reasons_of(plan, SecuredRow(owner, unit))}


def member(inherited: bool, depth: Depth = Depth.BASIC) -> Caller:
    """Ada of north with no role of her own, in the owner teams Deals (south, with a role) and Club (without)."""
    deals, club = team("deals", DEALS, unit=SOUTH), team("club", CLUB)
    held = role("helper", SOUTH, deals, inherited=inherited)
    privileges = {"helper": {("account", READ): depth}}
    return resolve(facts(held, teams=[deals, club], privileges=privileges), SCHEMA, 1)


def test_basic_reaches_own_rows_in_whatever_unit() -> None:
    """SM-40."""
    plan = plan_for(holding(Depth.BASIC, READ), ACCOUNT, READ)

    assert codes(plan, ADA, SOUTH) == {"role-basic-own"}
    assert codes(plan, BO, NORTH) == set()


def test_local_reaches_its_own_unit_and_neither_parents_nor_children() -> None:
    """SM-32, SM-33."""
    plan = plan_for(holding(Depth.LOCAL, READ), ACCOUNT, READ)

    assert codes(plan, BO, NORTH) == {"role-local-bu"}
    assert codes(plan, BO, CITY) == codes(plan, BO, ROOT) == set()


def test_deep_reaches_its_own_unit_and_all_below() -> None:
    """SM-34."""
    plan = plan_for(holding(Depth.DEEP, READ), ACCOUNT, READ)

    assert codes(plan, BO, NORTH) == codes(plan, BO, CITY) == {"role-deep"}
    assert codes(plan, BO, SOUTH) == set()


def test_global_reaches_everything_and_still_counts_as_basic() -> None:
    """SM-35, SM-36."""
    plan = plan_for(holding(Depth.GLOBAL, READ), ACCOUNT, READ)

    assert plan.is_everything
    assert codes(plan, BO, SOUTH) == {"role-global"}
    assert codes(plan, ADA, SOUTH) == {"role-global", "role-basic-own"}


def test_a_direct_basic_grant_reaches_rows_of_every_owner_team_of_the_caller() -> None:
    """SM-41, SM-54: access teams own nothing."""
    deals, chat = team("deals", DEALS), team("chat", CHAT, TeamType.ACCESS)
    caller = resolve(facts(role("seller"), teams=[deals, chat], privileges={"seller": BASIC}), SCHEMA, 1)

    plan = plan_for(caller, ACCOUNT, READ)

    assert codes(plan, DEALS, SOUTH) == {"owner-team"}
    assert plan.reach.owners == {ADA, DEALS}


def test_an_inheritable_team_role_serves_the_member_as_if_held_directly() -> None:
    """SM-44."""
    plan = plan_for(member(inherited=True), ACCOUNT, READ)

    assert codes(plan, ADA, NORTH) == {"team-role-basic-own"}
    assert codes(plan, DEALS, SOUTH) == codes(plan, CLUB, NORTH) == {"owner-team"}


def test_a_team_only_role_reaches_rows_of_that_very_team_alone() -> None:
    """SM-45."""
    plan = plan_for(member(inherited=False), ACCOUNT, READ)

    assert codes(plan, DEALS, SOUTH) == {"owner-team"}
    assert codes(plan, ADA, NORTH) == codes(plan, CLUB, NORTH) == set()


@pytest.mark.parametrize(
    ("depth", "code"),
    [(Depth.LOCAL, "team-role-local-bu"), (Depth.DEEP, "team-role-deep"), (Depth.GLOBAL, "team-role-global")],
)
def test_a_team_role_is_anchored_at_the_unit_of_its_copy(depth: Depth, code: str) -> None:
    """SM-42: Ada sits in north, the role in south."""
    plan = plan_for(member(inherited=False, depth=depth), ACCOUNT, READ)

    assert codes(plan, BO, SOUTH) == {code}
    assert codes(plan, BO, NORTH) == ({code} if depth is Depth.GLOBAL else set())


def test_a_team_as_principal_has_its_own_roles_and_rows_only() -> None:
    """SM-47."""
    deals = team("deals", DEALS, unit=SOUTH)
    held = facts(role("helper", SOUTH), team=deals, privileges={"helper": {("account", READ): Depth.LOCAL}})

    plan = plan_for(resolve(held, SCHEMA, 1), ACCOUNT, READ)

    assert codes(plan, DEALS, NORTH) == {"owner-team"}
    assert codes(plan, BO, SOUTH) == {"team-role-local-bu"}
    assert codes(plan, ADA, NORTH) == set()


def test_organization_owned_tables_know_global_or_nothing() -> None:
    """SM-11."""
    assert plan_for(holding(Depth.GLOBAL, READ, on="product"), PRODUCT, READ).is_everything
    assert plan_for(holding(Depth.BASIC, READ, on="product"), PRODUCT, READ).branches == ()


def test_organization_owned_tables_can_be_neither_shared_nor_assigned_not_even_by_administrators() -> None:
    """SM-11."""
    for right in (Rights.SHARE, Rights.ASSIGN):
        refusal = plan_for(administrator(), PRODUCT, right).refusal
        assert refusal is not None
        assert refusal.code == "0x80040220"
        assert "entity 'product'" in refusal.message


def test_basic_on_users_reaches_oneself_and_on_teams_nobody() -> None:
    """SM-12."""
    deals = team("deals", DEALS)
    privileges = {("systemuser", READ): Depth.BASIC, ("team", READ): Depth.BASIC}
    caller = resolve(facts(role("seller"), teams=[deals], privileges={"seller": privileges}), SCHEMA, 1)

    users, teams = (plan_for(caller, SCHEMA.tables[name], READ) for name in ("systemuser", "team"))

    assert codes(users, ADA, NORTH) == {"role-basic-own"}
    assert codes(users, BO, NORTH) == set()
    assert teams.branches == ()


def test_local_on_a_business_owned_table_reaches_rows_of_the_unit() -> None:
    """SM-12."""
    plan = plan_for(holding(Depth.LOCAL, READ, on="team"), SCHEMA.tables["team"], READ)

    assert codes(plan, None, NORTH) == {"role-local-bu"}
    assert codes(plan, None, SOUTH) == set()


def test_a_team_role_on_users_reaches_the_member_itself_only_when_inheritable() -> None:
    """SM-12, SM-44, SM-45."""
    deals = team("deals", DEALS, unit=SOUTH)
    for inherited in (True, False):
        held = role("helper", SOUTH, deals, inherited=inherited)
        privileges = {"helper": {("systemuser", READ): Depth.LOCAL}}
        caller = resolve(facts(held, teams=[deals], privileges=privileges), SCHEMA, 1)

        plan = plan_for(caller, SCHEMA.tables["systemuser"], READ)

        assert codes(plan, ADA, NORTH) == ({"team-role-basic-own"} if inherited else set())


def test_system_administrators_reach_everything_for_one_reason() -> None:
    """SM-64, SM-160."""
    plan = plan_for(administrator(), ACCOUNT, Rights.DELETE)

    assert codes(plan, ADA, NORTH) == {"bypass-sysadmin"}
    assert plan.branches[0].reasons == (
        Reason("bypass-sysadmin", (("role", guid(f"administrator in {ROOT}"), "administrator"),)),
    )


def test_shares_and_hierarchy_never_give_create() -> None:
    """SM-120."""
    privileges = {"seller": {("account", Rights.CREATE): Depth.BASIC, ("account", READ): Depth.BASIC}}
    caller = resolve(facts(role("seller"), privileges=privileges, settings=MANAGERS, subordinates=[BELOW]), SCHEMA, 1)

    reach = plan_for(caller, ACCOUNT, Rights.CREATE).reach

    assert (reach.owners, reach.shared_with, reach.shared_directly_with) == ({ADA}, frozenset(), frozenset())
    assert not reach.uses_shares


def test_reasons_name_the_role_the_team_that_holds_it_and_the_team_that_owns_the_row() -> None:
    """SM-160."""
    (reason,) = reasons_of(plan_for(member(inherited=True), ACCOUNT, READ), SecuredRow(CLUB, NORTH))

    assert reason.sources == (
        ("role", guid(f"helper in {SOUTH}"), "helper"),
        ("team", guid("deals"), "deals"),
        ("team", guid("club"), "club"),
    )


def test_grants_with_the_same_predicate_are_one_branch_with_several_reasons() -> None:
    """One-core, section 1."""
    caller = resolve(facts(role("seller"), role("helper"), privileges={"seller": BASIC, "helper": BASIC}), SCHEMA, 1)

    own = [
        branch
        for branch in plan_for(caller, ACCOUNT, READ).branches
        if branch.predicate == OwnerIn("", frozenset({ADA}))
    ]

    assert [[reason.sources[0][2] for reason in branch.reasons] for branch in own] == [["seller", "helper"]]


def test_a_plan_is_made_once_for_a_caller() -> None:
    caller = holding(Depth.BASIC, READ)

    assert plan_for(caller, ACCOUNT, READ) is plan_for(caller, ACCOUNT, READ)


def test_a_guard_excludes_what_branches_grant() -> None:
    """One-core, law 1."""
    plan = plan_for(holding(Depth.GLOBAL, READ), ACCOUNT, READ)
    held, open_ = (plan.with_guard(Guard(predicate, Reason("hold"))) for predicate in (FALSE, TRUE))

    assert not reaches(held, SecuredRow(ADA, NORTH))
    assert reaches(open_, SecuredRow(ADA, NORTH))
    assert not held.is_everything


# --- hierarchy -----------------------------------------------------------------------------------------------------

MANAGERS = SecuritySettings(hierarchy_enabled=True)
BELOW = Subordinate(BO, guid("bo"), "bo", 1, frozenset({BO, DEALS}), frozenset({BO, DEALS, CHAT}))
FURTHER = Subordinate(CY, guid("cy"), "cy", 2, frozenset({CY}), frozenset({CY}))


def manager(*rights: Rights, settings: SecuritySettings = MANAGERS) -> Caller:
    privileges = {"seller": {("account", right): Depth.BASIC for right in rights}}
    return resolve(
        facts(role("seller"), privileges=privileges, settings=settings, subordinates=[BELOW, FURTHER]), SCHEMA, 1
    )


def test_managers_read_what_subordinates_and_their_teams_own() -> None:
    """SM-140, SM-146."""
    plan = plan_for(manager(READ), ACCOUNT, READ)

    assert codes(plan, BO, SOUTH) == codes(plan, DEALS, SOUTH) == codes(plan, CY, SOUTH) == {"hierarchy-manager"}
    assert plan.reach.shared_directly_with == {BO, DEALS, CHAT, CY}
    assert plan.reach.uses_shares


def test_managers_write_what_is_directly_below_and_only_read_what_is_further() -> None:
    """SM-142."""
    plan = plan_for(manager(READ, Rights.WRITE), ACCOUNT, Rights.WRITE)

    assert codes(plan, BO, SOUTH) == {"hierarchy-manager"}
    assert codes(plan, CY, SOUTH) == set()


@pytest.mark.parametrize("right", [Rights.DELETE, Rights.SHARE, Rights.ASSIGN])
def test_the_hierarchy_never_gives_delete_share_or_assign(right: Rights) -> None:
    """SM-142."""
    assert codes(plan_for(manager(READ, right), ACCOUNT, right), BO, SOUTH) == set()


def test_the_hierarchy_needs_the_read_privilege_on_the_table() -> None:
    """SM-140."""
    assert codes(plan_for(manager(Rights.WRITE), ACCOUNT, Rights.WRITE), BO, SOUTH) == set()


def test_positions_are_named_as_such() -> None:
    """SM-144."""
    settings = SecuritySettings(hierarchy_enabled=True, hierarchy_by_position=True)

    assert codes(plan_for(manager(READ, settings=settings), ACCOUNT, READ), BO, SOUTH) == {"hierarchy-position"}


def test_the_hierarchy_counts_only_when_switched_on_and_only_on_tables_not_excluded() -> None:
    """SM-140."""
    off = manager(READ, settings=SecuritySettings())
    excluded = schema([table("account", hierarchy=False)])
    caller = resolve(manager(READ).facts, excluded, 1)

    assert codes(plan_for(off, ACCOUNT, READ), BO, SOUTH) == set()
    assert codes(plan_for(caller, excluded.tables["account"], READ), BO, SOUTH) == set()


def test_a_plan_has_every_branch_with_its_reasons_and_their_sources() -> None:
    """SM-160: the worked example of the rules, whole."""
    deals = team("deals", DEALS)
    below = Subordinate(BO, guid("bo"), "bo", 1, frozenset({BO, CLUB}), frozenset({BO, CLUB, CHAT}))
    asked = facts(
        role("seller"),
        privileges={"seller": {("account", READ): Depth.LOCAL}},
        teams=[deals],
        settings=SecuritySettings(hierarchy_enabled=True),
        subordinates=[below],
    )
    seller, mine = ("role", guid(f"seller in {NORTH}"), "seller"), ("principalobjectaccess", guid("ada"), "ada")
    of_team, shared = ("team", guid("deals"), "deals"), ("principalobjectaccess", guid("deals"), "deals")
    manager = Reason("hierarchy-manager", (("systemuser", guid("bo"), "bo"),))

    assert plan_for(resolve(asked, SCHEMA, 1), ACCOUNT, READ).branches == (
        Branch(UnitIn("", frozenset({NORTH})), (Reason("role-local-bu", (seller,)),)),
        Branch(OwnerIn("", frozenset({ADA})), (Reason("role-basic-own", (seller,)),)),
        Branch(OwnerIn("", frozenset({DEALS})), (Reason("owner-team", (seller, of_team)),)),
        Branch(
            SharedWith("", frozenset({ADA}), READ),
            (Reason("share-direct", (mine,)), Reason("share-inherited", (mine,))),
        ),
        Branch(
            SharedWith("", frozenset({DEALS}), READ),
            (Reason("share-team", (shared, of_team)), Reason("share-inherited", (shared, of_team))),
        ),
        Branch(OwnerIn("", frozenset({BO, CLUB})), (manager,)),
        Branch(SharedWith("", frozenset({BO, CLUB, CHAT}), READ, direct_only=True), (manager,)),
    )


def test_what_comes_through_teams_has_its_role_and_its_team_as_sources() -> None:
    """SM-45, SM-47, SM-160: a team by itself, and a member by a role for the team alone, at each depth."""
    deals = team("deals", DEALS, unit=NORTH)
    for depth, reached, code in (
        (Depth.LOCAL, frozenset({NORTH}), "team-role-local-bu"),
        (Depth.DEEP, frozenset({NORTH, CITY}), "team-role-deep"),
        (Depth.GLOBAL, None, "team-role-global"),
    ):
        given = {"helper": {("account", READ): depth}}
        helper, of_team = ("role", guid(f"helper in {NORTH}"), "helper"), ("team", guid("deals"), "deals")
        where = TRUE if reached is None else UnitIn("", reached)
        own = OwnerIn("", frozenset({DEALS}))
        alone = resolve(facts(role("helper"), privileges=given, team=deals), SCHEMA, 1)
        held = role("helper", NORTH, deals, inherited=False)
        through = resolve(facts(held, privileges=given, teams=[deals]), SCHEMA, 1)

        assert plan_for(alone, ACCOUNT, READ).branches[:2] == (
            Branch(where, (Reason(code, (helper,)),)),
            Branch(own, (Reason("owner-team", (helper,)),)),
        )
        assert plan_for(through, ACCOUNT, READ).branches[:2] == (
            Branch(where, (Reason(code, (helper, of_team)),)),
            Branch(own, (Reason("owner-team", (helper, of_team)),)),
        )


def test_basic_on_users_reaches_oneself_with_its_sources() -> None:
    """SM-12, SM-160: by a direct role, and by a team's that serves its members."""
    people = schema([table("systemuser", Ownership.BUSINESS, depths=frozenset(Depth))])
    users, deals = people.tables["systemuser"], team("deals", DEALS)
    given = {"helper": {("systemuser", READ): Depth.BASIC}}
    helper, of_team = ("role", guid(f"helper in {NORTH}"), "helper"), ("team", guid("deals"), "deals")
    me = OwnerIn("", frozenset({ADA}))
    direct = resolve(facts(role("helper"), privileges=given, of=people), people, 1)
    through = resolve(facts(role("helper", NORTH, deals), privileges=given, teams=[deals], of=people), people, 1)

    assert plan_for(direct, users, READ).branches == (Branch(me, (Reason("role-basic-own", (helper,)),)),)
    assert plan_for(through, users, READ).branches == (Branch(me, (Reason("team-role-basic-own", (helper, of_team)),)),)


def test_what_everybody_may_read_nobody_may_write_by_that() -> None:
    """WA-307: tables of settings that all users read keep their privileges for every other right."""
    name = sorted(READABLE_BY_EVERY_USER)[0]
    known = schema([table(name, Ownership.ORGANIZATION), table("account")])
    nobody = resolve(facts(role("seller"), privileges={"seller": {("account", READ): Depth.BASIC}}, of=known), known, 1)

    assert plan_for(nobody, known.tables[name], READ).refusal is None
    assert plan_for(nobody, known.tables[name], Rights.WRITE).refusal is not None
    assert plan_for(nobody, known.tables[name], Rights.DELETE).branches == ()


def test_a_caller_knows_the_epoch_that_it_was_resolved_at() -> None:
    """SM-4: what is kept for a caller is kept for that epoch."""
    assert resolve(facts(role("seller")), SCHEMA, 7).epoch == 7
