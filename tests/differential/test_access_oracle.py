"""The product's security model against the oracle's on random worlds (one-core.md, I-1, I-2, I-4, I-7, I-8)."""

import ast
import copy
from pathlib import Path
from typing import Any

from access_world import COLUMN_ACCESS, RIGHTS, SCHEMA, TABLES, Telling
from hypothesis import given, settings
from hypothesis import strategies as st
from judging import judge_in_memory
from random_worlds import Seeded, world_of, worlds
from tests.profiles import examples

import oracle
from oracle.changes import would_allow
from oracle.decision import column_allowed, decide
from strongroom.access.check import reaches, rights_on
from strongroom.access.columns import is_open
from strongroom.access.explain import Question, explain
from strongroom.access.plan import Plan
from strongroom.access.planning import plan_for
from strongroom.access.predicates import row_predicate
from strongroom.access.reasons import Code
from strongroom.access.resolve import resolve
from strongroom.query.ast import And, Constant, Or, OwnerIn, Predicate, SharedWith, UnitIn
from strongroom.schema.model import Rights

World = dict[str, Any]

SMALL = settings(deadline=None, max_examples=examples(60))
"""Worlds are big for examples: sixty of them hold some ten thousand decisions."""


def principals(world: World) -> list[str]:
    return [*world["users"], *world["teams"]]


def question(told: Telling, row: World, right: str) -> Question:
    return Question(SCHEMA.tables[row["table"]], RIGHTS[right], told.row(row))


def test_the_oracle_shares_no_code_with_the_product() -> None:
    """Two readings of the rules are worth something only when they are two."""
    files = sorted(Path(oracle.__file__).parent.glob("*.py"))
    imported = {
        name.split(".")[0]
        for file in files
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
    }

    assert imported <= {"collections", "copy", "oracle", "typing"}


@SMALL
@given(worlds())
def test_every_decision_and_its_reasons_are_those_of_the_oracle(world: World) -> None:
    """SM-2, SM-160, SM-161: for every principal, every row and every right, without what would allow it."""
    told = Telling(world)
    for principal in principals(world):
        facts = told.facts(principal)
        for row in world["rows"].values():
            for right in RIGHTS:
                explanation = explain(facts, SCHEMA, question(told, row, right))

                codes = {str(reason.code) for reason in explanation.reasons}
                denial = explanation.denial.code.value if explanation.denial is not None else None
                assert (explanation.allowed, codes, denial) == decide(world, principal, right, row)


def test_every_decision_on_many_seeded_worlds_is_that_of_the_oracle() -> None:
    """R4 in memory, quickly: what mutation testing of the rules leans on."""
    assert sum(judge_in_memory(world_of(Seeded(f"memory {number}"))) for number in range(150)) > 30_000


@SMALL
@given(worlds(), st.data())
def test_what_would_allow_it_is_exactly_what_the_oracle_finds_by_trying(world: World, data: st.DataObject) -> None:
    """SM-162, SM-163: every change listed works, and every change that works is listed."""
    told = Telling(world)
    teams = told.teams()
    user = data.draw(st.sampled_from(sorted(world["users"])))
    right = data.draw(st.sampled_from(sorted(RIGHTS)))
    for name, row in world["rows"].items():
        explanation = explain(told.facts(user), SCHEMA, question(told, row, right), teams)

        if not explanation.allowed:
            assert set(explanation.would_allow) == would_allow(world, user, right, name)
            assert len(set(explanation.would_allow)) == len(explanation.would_allow)


@SMALL
@given(worlds())
def test_the_predicate_that_lists_compile_reaches_what_the_check_reaches(world: World) -> None:
    """I-1: the folded predicate of a plan, evaluated plainly, agrees with the check on every row."""
    told = Telling(world)
    for user in world["users"]:
        caller = resolve(told.facts(user), SCHEMA, 1)
        for row in world["rows"].values():
            for right in RIGHTS.values():
                plan = plan_for(caller, SCHEMA.tables[row["table"]], right)

                assert holds(row_predicate(plan), told, row) is reaches(plan, told.row(row))


@SMALL
@given(worlds())
def test_the_rights_of_a_principal_on_a_row_are_those_the_oracle_allows(world: World) -> None:
    """SM-170, with SM-47 for teams."""
    told = Telling(world)
    for principal in principals(world):
        caller = resolve(told.facts(principal), SCHEMA, 1)
        for row in world["rows"].values():
            expected = Rights.NONE
            for name, right in RIGHTS.items():
                if decide(world, principal, name, row)[0]:
                    expected |= right

            assert rights_on(caller, SCHEMA.tables[row["table"]], told.row(row)) == expected


@SMALL
@given(worlds())
def test_secured_columns_are_open_to_those_for_whom_the_oracle_opens_them(world: World) -> None:
    """SM-130, SM-131, SM-65."""
    told = Telling(world)
    table = SCHEMA.tables["account"]
    for user in world["users"]:
        plan = plan_for(resolve(told.facts(user), SCHEMA, 1), table, Rights.READ)
        if plan.refusal is not None:
            continue
        for column in table.columns:
            for what, access in COLUMN_ACCESS.items():
                assert is_open(plan, column, access) == column_allowed(world, user, "account", column, what)


@SMALL
@given(worlds(), st.data())
def test_more_of_anything_that_grants_never_takes_a_right_away(world: World, data: st.DataObject) -> None:
    """SM-1, I-4: one more role, team, share or wider depth loses no right on any row."""
    user = data.draw(st.sampled_from(sorted(world["users"])))
    richer = enriched(world, user, data)
    before, after = Telling(world), Telling(richer)
    poor, rich = resolve(before.facts(user), SCHEMA, 1), resolve(after.facts(user), SCHEMA, 1)
    for name, row in world["rows"].items():
        table = SCHEMA.tables[row["table"]]
        had = rights_on(poor, table, before.row(row))
        has = rights_on(rich, table, after.row(richer["rows"][name]))

        assert had & has == had


@SMALL
@given(worlds(), st.data())
def test_taking_away_every_listed_source_takes_away_the_access(world: World, data: st.DataObject) -> None:
    """SM-160, I-2: the reasons are complete."""
    told = Telling(world)
    user = data.draw(st.sampled_from(sorted(world["users"])))
    facts = told.facts(user)
    for row in world["rows"].values():
        explanation = explain(facts, SCHEMA, question(told, row, "Read"))
        if not explanation.allowed:
            continue
        poorer = without_sources(world, user, {source for r in explanation.reasons for source in r.sources}, told)
        stripped = poorer["rows"][next(name for name, found in world["rows"].items() if found is row)]

        codes = {reason.code for reason in explanation.reasons}
        allowed, left, _ = decide(poorer, user, "Read", stripped)
        if Code.BYPASS_SYSADMIN in codes:  # no other reason is listed then, so another may be left
            assert Code.BYPASS_SYSADMIN not in left
        else:
            assert not allowed
        assert all(reason.sources for reason in explanation.reasons)


@SMALL
@given(worlds(), st.randoms(use_true_random=False))
def test_the_order_of_configuration_does_not_matter(world: World, random: Any) -> None:
    """I-7."""
    shuffled = copy.deepcopy(world)
    for holder in [*shuffled["users"].values(), *shuffled["teams"].values()]:
        random.shuffle(holder["roles"])
    told, again = Telling(world), Telling(shuffled)
    for user in world["users"]:
        one, other = resolve(told.facts(user), SCHEMA, 1), resolve(again.facts(user), SCHEMA, 1)
        for table in SCHEMA.tables.values():
            first, second = plan_for(one, table, Rights.READ), plan_for(other, table, Rights.READ)

            assert first.reach == second.reach
            assert meaning(first) == meaning(second)


def meaning(plan: Plan) -> set[tuple[Predicate, frozenset[Any]]]:
    return {(branch.predicate, frozenset(branch.reasons)) for branch in plan.branches}


def enriched(world: World, user: str, data: st.DataObject) -> World:
    """The world with one more thing that grants."""
    richer = copy.deepcopy(world)
    unit = data.draw(st.sampled_from(sorted(world["units"])))
    match data.draw(st.sampled_from(["role", "team", "share", "inherit"])):
        case "role":
            role = data.draw(st.sampled_from(sorted(world["roles"])))
            richer["users"][user]["roles"].append((role, unit))
        case "team" if world["teams"]:
            team = richer["teams"][data.draw(st.sampled_from(sorted(world["teams"])))]
            if user not in team["members"]:
                team["members"].append(user)
        case "share":
            for row in richer["rows"].values():
                if TABLES[row["table"]]["ownership"] == "user":
                    row["shares"].setdefault(user, {"direct": set(), "inherited": set()})["direct"].add("Write")
        case _:
            for role in richer["roles"].values():
                for place, depth in role["privileges"].items():
                    role["privileges"][place] = {"Local": "Deep", "Deep": "Global"}.get(depth, depth)
    return richer


def without_sources(world: World, user: str, sources: set[tuple[str, str, str]], told: Telling) -> World:
    """The world without the roles, shares and subordinates that reasons name, as far as they concern `user`."""
    poorer = copy.deepcopy(world)
    roles = {id for table, id, _ in sources if table == "role"}
    for holder in [poorer["users"][user], *(t for t in poorer["teams"].values() if user in t["members"])]:
        holder["roles"] = [held for held in holder["roles"] if told.role_id(*held) not in roles]
    shared = {name for table, _, name in sources if table == "principalobjectaccess"}
    for row in poorer["rows"].values():
        row["shares"] = {holder: share for holder, share in row["shares"].items() if holder not in shared}
    for table, _, name in sources:
        if table == "systemuser":
            poorer["users"][name]["manager"] = poorer["users"][name]["position"] = None
    return poorer


def holds(predicate: Predicate, told: Telling, row: World) -> bool:
    """A plan's predicate on a row, by what its words say."""
    secured = told.row(row)
    match predicate:
        case Constant(value):
            return value
        case And(parts):
            return all(holds(part, told, row) for part in parts)
        case Or(parts):
            return any(holds(part, told, row) for part in parts)
        case OwnerIn(_, keys):
            return secured.owner is not None and int(secured.owner) in keys
        case UnitIn(_, keys):
            return secured.unit is not None and int(secured.unit) in keys
        case SharedWith(_, holders, right, direct_only):
            masks = [
                s.direct if direct_only else s.direct | s.inherited for s in secured.shares if s.principal in holders
            ]
            return any(right in mask for mask in masks)
        case _:
            raise AssertionError(f"unexpected in a plan: {predicate}")
