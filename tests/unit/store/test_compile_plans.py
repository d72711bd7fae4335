"""Performance page, sections 2 and 4: the plan of a list is right and does not grow with the table.

Measured in instructions of SQLite's virtual machine and in lines of EXPLAIN QUERY PLAN, which do not depend on the
machine: the archetypes of section 1 over 10,000 and 100,000 rows.
"""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from tests.differential.query_world import ACCOUNT, SCHEMA, guid, sqlite_connection
from tests.unit.store.plan_company import Company, company

from strongroom.access.plan import Guard, Plan, Reason
from strongroom.access.planned import PlannedSelect
from strongroom.query import ast
from strongroom.schema.model import ColumnType
from strongroom.store.compile import Compiled, compile_count, compile_select
from strongroom.store.dialect import SQLITE

SMALL, LARGE = 10_000, 100_000
ARCHETYPES = ("own", "bu", "deep_s", "deep_m", "deep_l", "global", "mixed")
COLUMNS = ("accountid", "name", "city", "numberofemployees", "revenue", "donotemail", "createdon", "ownerid")


@pytest.fixture(scope="module")
def companies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, Company]]:
    with ExitStack() as stack:
        made: dict[int, Company] = {}
        for size in (SMALL, LARGE):
            opened = stack.enter_context(sqlite_connection(tmp_path_factory.mktemp(f"rows{size}")))
            made[size] = company(*opened, size)
        yield made


def field(name: str) -> ast.Field:
    return ast.Field("", ACCOUNT.columns[name])


def list_by(*names: str, **more: Any) -> ast.Select:
    outputs = tuple(ast.Output(each, field(each)) for each in COLUMNS)
    order = tuple(ast.Order(field(name)) for name in names)
    return replace(ast.Select(ast.Source(ACCOUNT), outputs, order=order, page_size=50), **more)


def compiled(made: Company, plan: Plan, select: ast.Select) -> Compiled:
    return compile_select(PlannedSelect(select, {"": plan}), SCHEMA, SQLITE, made.estimate)


def second_page(made: Company, plan: Plan, select: ast.Select) -> ast.Select:
    first = compiled(made, plan, select)
    rows = first.rows(made.connection.query(first.sql, first.parameters))
    return replace(select, after=rows[min(50, len(rows) - 1) - 1][len(COLUMNS) :])


@pytest.mark.parametrize("archetype", ARCHETYPES)
def test_a_list_by_name_has_no_red_flag_in_its_plan(companies: dict[int, Company], archetype: str) -> None:
    for made in companies.values():
        plan = made.plan(archetype)
        select = list_by("name")
        seen = made.estimate(ACCOUNT, plan.reach)

        for page in (select, second_page(made, plan, select)):
            lines = made.explain(compiled(made, plan, page))
            text = "\n".join(lines)

            assert "MULTI-INDEX OR" not in text
            assert "AUTOMATIC" not in text
            assert not any(line.startswith("USE TEMP B-TREE") for line in lines), f"wide rows are sorted:\n{text}"
            assert "SCAN s" not in text, f"shares are not searched:\n{text}"
            if seen.visible < seen.total / 100:
                assert "SCAN t0" not in text, f"a small share is walked:\n{text}"
            for line, following in pairwise(lines):
                assert not ("SCAN t0" in line and "CORRELATED" in following), f"a sub-select per row:\n{text}"


@pytest.mark.parametrize("archetype", ARCHETYPES)
def test_a_list_by_name_costs_the_same_in_a_table_ten_times_as_large(
    companies: dict[int, Company], archetype: str
) -> None:
    costs: dict[int, tuple[int, ...]] = {}
    for size, made in companies.items():
        plan = made.plan(archetype)
        first = list_by("name")
        pages = (first, second_page(made, plan, first))
        costs[size] = tuple(made.instructions(compiled(made, plan, page)) for page in pages)

    for small, large in zip(costs[SMALL], costs[LARGE], strict=True):
        assert large <= 1.6 * max(small, 3_000), costs
        assert large <= 15_000, costs


def test_the_last_page_of_a_long_list_costs_as_much_as_the_first(companies: dict[int, Company]) -> None:
    made = companies[LARGE]
    for archetype in ("global", "deep_l", "mixed"):
        plan = made.plan(archetype)
        select = list_by("name")
        first = made.instructions(compiled(made, plan, second_page(made, plan, select)))

        late = made.instructions(compiled(made, plan, replace(select, after=("stone", guid("account", 1)))))

        assert late <= first * 1.6 + 1_000


@pytest.mark.parametrize("archetype", ARCHETYPES)
@pytest.mark.parametrize("order", [("numberofemployees",), (), ("revenue",)])
def test_another_order_never_reads_more_than_walking_or_gathering(
    companies: dict[int, Company], archetype: str, order: tuple[str, ...]
) -> None:
    """Section 2, point 7: walk along the order's index, or gather what is visible and sort, whichever is less."""
    made = companies[LARGE]
    plan = made.plan(archetype)
    seen = made.estimate(ACCOUNT, plan.reach)
    walked = seen.total if order == ("revenue",) else min(51 * seen.total / max(seen.visible, 1), seen.total)
    bound = 60 * min(walked, seen.visible + 500) + 20_000

    cost = made.instructions(compiled(made, plan, list_by(*order)))

    assert cost <= bound


def test_a_filter_on_a_lookup_or_an_id_reads_only_the_rows_that_it_finds(companies: dict[int, Company]) -> None:
    made = companies[LARGE]
    for archetype in ARCHETYPES:
        plan = made.plan(archetype)
        for name in ("accountid", "parentaccountid"):
            value = ast.Literal(guid("account", 77), ColumnType.UNIQUEIDENTIFIER)
            where = ast.Comparison(ast.Operator.EQUAL, field(name), value)

            assert made.instructions(compiled(made, plan, list_by("name", where=where))) < 1_000


def test_the_children_of_a_page_of_parents_are_found_by_the_index_of_their_lookup(
    companies: dict[int, Company],
) -> None:
    """An expansion asks for all parents of the page at once."""
    made = companies[LARGE]
    parents = tuple(ast.Literal(guid("account", key), ColumnType.UNIQUEIDENTIFIER) for key in range(1, 51))
    for count in (3, 50):
        where = ast.InList(field("parentaccountid"), parents[:count])
        for archetype in ARCHETYPES:
            cost = made.instructions(compiled(made, made.plan(archetype), list_by("name", where=where)))

            assert cost < 3_000, archetype


def test_the_rows_of_one_owner_come_in_the_order_of_the_owners_index(companies: dict[int, Company]) -> None:
    made = companies[SMALL]
    mine = ast.Comparison(ast.Operator.EQUAL, field("ownerid"), ast.Literal(guid("systemuser", 2500), ColumnType.OWNER))
    for archetype in ARCHETYPES:
        lines = "\n".join(made.explain(compiled(made, made.plan(archetype), list_by("name", where=mine))))

        assert re.search("SEARCH t0 USING (COVERING )?INDEX ix_account_owner", lines)
        assert "TEMP B-TREE" not in lines


def test_the_beginning_of_a_name_is_a_range_of_the_index(companies: dict[int, Company]) -> None:
    made = companies[LARGE]
    where = ast.Match(ast.TextMatch.STARTS_WITH, field("name"), "Stone R")
    for archetype in ARCHETYPES:
        cost = made.instructions(compiled(made, made.plan(archetype), list_by("name", where=where)))

        assert cost < 25_000, archetype


def test_a_guard_is_a_condition_of_every_branch(companies: dict[int, Company]) -> None:
    """Section 2c: it thins the list and changes no plan."""
    made = companies[LARGE]
    guard = Guard(ast.IsNull(field("city"), negated=True), Reason("policy"))
    for archetype in ARCHETYPES:
        free = made.plan(archetype)
        guarded = compiled(made, free.with_guard(guard), list_by("name"))

        assert guarded.sql.count('"city" is not null') == max(guarded.sql.count(" union all ") + 1, 1)
        assert made.instructions(guarded) < 3 * made.instructions(compiled(made, free, list_by("name"))) + 1_000


def test_the_text_of_a_statement_does_not_depend_on_the_page(companies: dict[int, Company]) -> None:
    made = companies[SMALL]
    plan = made.plan("mixed")
    select = list_by("name")

    by_position = {
        compiled(made, plan, replace(select, after=(name, guid("account", 5)))).sql for name in ("a", "river", "z")
    }
    by_number = {compiled(made, plan, replace(select, page_number=number)).sql for number in (2, 3, 900)}

    assert len(by_position) == 1
    assert len(by_number) == 1
    assert "offset" not in by_position.pop()


def test_counting_adds_up_covering_searches(companies: dict[int, Company]) -> None:
    """Section 2, point 2: disjoint branches count by addition; no row is read and nothing is made distinct."""
    made = companies[LARGE]
    for archetype in ("own", "bu", "deep_s"):
        planned = PlannedSelect(list_by("name"), {"": made.plan(archetype)})
        counted = compile_count(planned, SCHEMA, SQLITE, 5_000)
        lines = "\n".join(made.explain(counted))

        assert "COVERING INDEX" in lines
        assert "SCAN t0" not in lines
        assert "TEMP B-TREE" not in lines
