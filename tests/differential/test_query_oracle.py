"""The compiler against the naive evaluator: random queries under random plans, every page, on both engines.

The layout of a statement depends on estimates; here they are random too, so that every layout meets every query.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.differential.query_evaluator import Evaluator
from tests.differential.query_world import (
    ACCOUNT,
    SCHEMA,
    World,
    fill,
    guid,
    postgresql_connection,
    random_world,
    sqlite_connection,
)
from tests.differential.random_queries import Chooser
from tests.engines import Stores
from tests.profiles import examples

from strongroom.access.plan import Branch, Plan, Reach
from strongroom.access.planned import PlannedSelect
from strongroom.query import ast
from strongroom.schema.model import Rights, Table
from strongroom.store.compile import Estimate, Statements, Visible, compile_check, compile_count
from strongroom.store.engine import Connection, Engine
from strongroom.store.layout import fold


@dataclass(repr=False)
class Store:
    """One filled database, its world, and a cache of statements that lives as long as the tests."""

    engine: Engine
    connection: Connection
    world: World
    statements: Statements

    def rows(self, planned: PlannedSelect, estimate: Estimate) -> list[tuple[object, ...]]:
        compiled = self.statements.select(planned, SCHEMA, estimate)
        return compiled.rows(self.connection.query(compiled.sql, compiled.parameters))


@pytest.fixture(scope="module", params=["sqlcipher", "postgresql"])
def store(request: pytest.FixtureRequest, stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    world = random_world(7)
    if request.param == "sqlcipher":
        folder: Path = tmp_path_factory.mktemp("queries")
        opened = sqlite_connection(folder)
    else:
        assert stores.server_url is not None
        opened = postgresql_connection(stores.server_url, "queries")
    with opened as (engine, connection):
        fill(engine, connection, world)
        yield Store(engine, connection, world, Statements(engine.dialect))


LIMITS = settings(
    max_examples=examples(250),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
SEEDS = st.integers(0, 2**40)


def _estimate(chance: random.Random) -> Estimate:
    """Counters that say anything."""
    answer = chance.choice((Visible(1, 10**6), Visible(10**5, 10**6), Visible(0, 60), Visible(59, 60)))

    def estimate(table: Table, reach: Reach) -> Visible:
        return answer

    return estimate


@LIMITS
@given(seed=SEEDS)
def test_a_list_shows_every_row_once_in_order_over_all_its_pages(store: Store, seed: int) -> None:
    """WA-174, WA-188, WA-233, WA-243, SM-132, SM-153."""
    chooser = Chooser(random.Random(seed))
    select = chooser.select()
    oracle = Evaluator(store.world, chooser.plans)
    expected = [oracle.outputs(select, env) for env in oracle.ordered(select)]

    seen: list[tuple[object, ...]] = []
    page = select
    while True:
        rows = store.rows(PlannedSelect(page, chooser.plans), _estimate(chooser.chance))
        size = page.page_size or 5000
        seen += (row[: len(select.outputs)] for row in rows[:size])
        assert len(rows) <= size + 1
        if len(rows) <= size:
            break
        page = replace(select, after=rows[size - 1][len(select.outputs) :])

    assert seen == expected


@LIMITS
@given(seed=SEEDS)
def test_a_count_is_the_number_of_rows_of_the_list(store: Store, seed: int) -> None:
    """WA-180, WA-236."""
    chooser = Chooser(random.Random(seed))
    select = chooser.select()
    planned = PlannedSelect(select, chooser.plans)
    expected = len(Evaluator(store.world, chooser.plans).envs(select))

    for limit in (None, 7):
        for estimate in (None, _estimate(chooser.chance)):
            compiled = compile_count(planned, SCHEMA, store.engine.dialect, limit, estimate)
            ((counted,),) = store.connection.query(compiled.sql, compiled.parameters)
            assert counted == (expected if limit is None else min(expected, limit))
        compiled = store.statements.count(planned, SCHEMA, limit, _estimate(chooser.chance))
        counted = sum(store.connection.query(compiled.sql, compiled.parameters)[0])
        assert min(counted, limit or counted) == (expected if limit is None else min(expected, limit))


@LIMITS
@given(seed=SEEDS)
def test_the_counters_know_what_the_list_would_show(store: Store, seed: int) -> None:
    """WA-180: owners and units from the counters, and the shares outside them."""
    chooser = Chooser(random.Random(seed))
    plan = chooser.plan(ACCOUNT)
    select = ast.Select(ast.Source(ACCOUNT), (ast.Output("id", ast.Field("", ACCOUNT.id_column)),))
    expected = len(Evaluator(store.world, {**chooser.plans, "": plan}).envs(select))

    compiled = store.statements.count(PlannedSelect(select, {**chooser.plans, "": plan}), SCHEMA, None)
    counted = sum(store.connection.query(compiled.sql, compiled.parameters)[0])

    assert counted == expected


@LIMITS
@given(seed=SEEDS)
def test_groups_and_distinct_rows_hold_what_the_rows_hold(store: Store, seed: int) -> None:
    """WA-101, WA-223, WA-251, WA-259."""
    chooser = Chooser(random.Random(seed))
    select = chooser.grouped()
    planned = PlannedSelect(select, chooser.plans)
    expected = Evaluator(store.world, chooser.plans).grouped(select)

    rows = store.rows(planned, _estimate(chooser.chance))
    compiled = compile_count(planned, SCHEMA, store.engine.dialect, None)
    ((counted,),) = store.connection.query(compiled.sql, compiled.parameters)

    assert sorted(map(_folded, rows)) == sorted(map(_folded, expected))
    assert counted == len(expected)


def _folded(row: tuple[object, ...]) -> list[tuple[bool, str]]:
    """A row in a form that sorts: text folded, numbers by value."""
    found: list[tuple[bool, str]] = []
    for value in row:
        if value is None or isinstance(value, bool | str):
            found.append((value is None, fold(str(value))))
        else:
            found.append((False, f"{float(value):.9f}"))  # pyright: ignore[reportArgumentType] -- a number
    return found


@LIMITS
@given(seed=SEEDS)
def test_checking_a_row_agrees_with_the_list(store: Store, seed: int) -> None:
    """SM-2: the check and the list are one predicate."""
    chooser = Chooser(random.Random(seed))
    plan: Plan = chooser.plan(chooser.chance.choice((SCHEMA.tables["account"], SCHEMA.tables["contact"])))
    oracle = Evaluator(store.world, chooser.plans)
    compiled = compile_check(plan, SCHEMA, store.engine.dialect)

    for record in chooser.chance.sample(list(store.world.records[plan.table.logical_name].values()), 5):
        found = store.connection.query(compiled.sql, (*compiled.parameters, record.key))
        assert bool(found) == oracle.visible(record, plan)


def test_the_name_of_a_column_is_never_taken_from_a_value(store: Store) -> None:
    """Values are bound; a hostile one is just text."""
    hostile = "'; drop table account; --\" ?1 $1 %s"
    name = ast.Field("", SCHEMA.tables["account"].columns["name"])
    where = ast.Comparison(ast.Operator.EQUAL, name, ast.Literal(hostile, name.column.type))
    everything = Plan(SCHEMA.tables["account"], Chooser(random.Random(0)).plan(SCHEMA.tables["team"]).right)
    select = ast.Select(ast.Source(SCHEMA.tables["account"]), (ast.Output("name", name),), where=where)

    compiled = store.statements.select(PlannedSelect(select, {"": everything}), SCHEMA, _estimate(random.Random(0)))

    assert hostile not in compiled.sql
    assert store.connection.query(compiled.sql, compiled.parameters) == []


def _owner_is(column: str, kind: str, key: int) -> ast.Comparison:
    field = ast.Field("", ACCOUNT.columns[column])
    return ast.Comparison(ast.Operator.EQUAL, field, ast.Literal(guid(kind, key), field.column.type))


def _same_as_oracle(store: Store, select: ast.Select, plan: Plan) -> None:
    expected = [(env[""].id,) for env in Evaluator(store.world, {"": plan}).ordered(select) if env[""] is not None]
    for answer in (Visible(1, 10**6), Visible(59, 60)):
        rows = store.rows(PlannedSelect(select, {"": plan}), lambda table, reach, answer=answer: answer)
        assert [row[:1] for row in rows] == expected


@pytest.mark.parametrize(
    ("column", "kind", "key"),
    [
        ("ownerid", "systemuser", 101),
        ("ownerid", "systemuser", 999),
        ("owninguser", "systemuser", 101),
        ("owninguser", "systemuser", 999),
        ("owningteam", "team", 201),
        ("owningbusinessunit", "businessunit", 301),
        ("owningbusinessunit", "businessunit", 999),
    ],
)
def test_not_keeps_rows_apart_for_which_an_owner_condition_is_unknown(
    store: Store, column: str, kind: str, key: int
) -> None:
    """WA-188. 999 is nobody: rows differ from it, unless their column is null."""
    identity = ast.Output("id", ast.Field("", ACCOUNT.id_column))
    everything = Plan(ACCOUNT, Rights.READ, (Branch(ast.TRUE, ()),))
    condition = _owner_is(column, kind, key)
    for where in (condition, ast.Not(condition), ast.Not(ast.Not(condition))):
        _same_as_oracle(store, ast.Select(ast.Source(ACCOUNT), (identity,), where=where), everything)


def test_a_branch_about_an_owner_who_is_nobody_hides_no_row_of_another_branch(store: Store) -> None:
    """SM-2: branches are OR-ed; the terms of a list exclude each other without losing rows."""
    name = ast.Order(ast.Field("", ACCOUNT.columns["name"]))
    identity = ast.Output("id", ast.Field("", ACCOUNT.id_column))
    branches = (
        _owner_is("ownerid", "systemuser", 999),
        ast.IsNull(ast.Field("", ACCOUNT.columns["city"])),
        ast.SharedWith("", frozenset({101, 201}), Rights.READ),
    )
    plan = Plan(ACCOUNT, Rights.READ, tuple(Branch(each, ()) for each in branches))

    _same_as_oracle(store, ast.Select(ast.Source(ACCOUNT), (identity,), order=(name,)), plan)


def test_a_position_whose_row_is_deleted_still_leads_to_the_next_page(store: Store) -> None:
    """WA-233: a client that deletes what it has read, page after page, sees every row once."""
    identity = ast.Output("id", ast.Field("", ACCOUNT.id_column))
    everything = Plan(ACCOUNT, Rights.READ, (Branch(ast.TRUE, ()),))
    for order in ((), (ast.Order(ast.Field("", ACCOUNT.columns["industrycode"])),)):
        select = ast.Select(ast.Source(ACCOUNT), (identity,), order=order, page_size=7)
        expected = [
            env[""].id for env in Evaluator(store.world, {"": everything}).ordered(select) if env[""] is not None
        ]
        seen: list[object] = []
        store.connection.execute("begin")
        page = select
        while rows := store.rows(PlannedSelect(page, {"": everything}), lambda table, reach: Visible(60, 60)):
            seen += (row[0] for row in rows[:7])
            for row in rows[:7]:
                store.connection.execute("delete from account where accountid = ?", (row[0],))
            page = replace(select, after=rows[min(7, len(rows)) - 1][1:])
        store.connection.execute("rollback")

        assert seen == expected
