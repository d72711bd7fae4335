"""Performance page, section 2: what PostgreSQL touches for a page does not grow with the table, and planning is short.

PostgreSQL plans each term of a statement for itself and reads an IN list to its end, so a caller of many sets gets
few terms: one for each key while they are few, else one that reads the first rows of every key.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, cast

import pytest
from tests.differential.query_world import SCHEMA, postgresql_connection
from tests.engines import Stores
from tests.unit.store.plan_company import Company, company
from tests.unit.store.test_compile_plans import ARCHETYPES, COLUMNS, field, list_by

from strongroom.access.planned import PlannedSelect
from strongroom.query import ast
from strongroom.store.compile import Compiled, compile_select
from strongroom.store.dialect import POSTGRESQL

SMALL, LARGE = 10_000, 40_000
_MOST_NODES = 100
"""Nodes of a plan; one term for each of 146 sets had some 600, and took 17 ms to plan."""


@pytest.fixture(scope="module")
def companies(stores: Stores) -> Iterator[dict[int, Company]]:
    with ExitStack() as stack:
        made: dict[int, Company] = {}
        for size in (SMALL, LARGE):
            opened = stack.enter_context(postgresql_connection(str(stores.server_url), f"plans{size}"))
            made[size] = company(*opened, size)
            opened[1].execute("vacuum analyze account")
            opened[1].execute("vacuum analyze principalobjectaccess")
        yield made


def _compiled(made: Company, archetype: str, select: ast.Select) -> Compiled:
    return compile_select(PlannedSelect(select, {"": made.plan(archetype)}), SCHEMA, POSTGRESQL, made.estimate)


def _page_two(made: Company, archetype: str) -> ast.Select:
    select = list_by("name")
    first = _compiled(made, archetype, select)
    rows = first.rows(made.connection.query(first.sql, first.parameters))
    return replace(select, after=rows[min(50, len(rows) - 1) - 1][len(COLUMNS) :])


def _plan(made: Company, compiled: Compiled) -> Mapping[str, Any]:
    sql = f"explain (analyze, timing off, format json) {compiled.sql}"
    found = made.connection.query(sql, compiled.parameters)[0][0]
    return cast("Mapping[str, Any]", (json.loads(found) if isinstance(found, str) else found)[0]["Plan"])


def _nodes(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    for inner in node.get("Plans", ()):
        yield from _nodes(inner)


def _touched(plan: Mapping[str, Any]) -> int:
    """Rows that scans of tables and indexes gave or threw away."""
    return round(
        sum(
            (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
            for node in _nodes(plan)
            if "Relation Name" in node or node["Node Type"] == "Bitmap Index Scan"
        )
    )


@pytest.mark.parametrize("archetype", ARCHETYPES)
def test_a_page_by_name_touches_as_many_rows_of_a_table_four_times_as_large(
    companies: dict[int, Company], archetype: str
) -> None:
    touched: dict[int, tuple[int, int]] = {}
    for size, made in companies.items():
        pages = (list_by("name"), _page_two(made, archetype))
        plans = [_plan(made, _compiled(made, archetype, page)) for page in pages]
        touched[size] = (_touched(plans[0]), _touched(plans[1]))
        for plan in plans:
            assert len([*_nodes(plan)]) <= _MOST_NODES

    for small, large in zip(touched[SMALL], touched[LARGE], strict=True):
        assert large <= 1.6 * max(small, 1_000), touched
        assert large <= 3_000, touched


def test_many_sets_are_one_term_and_few_are_terms_of_their_own(companies: dict[int, Company]) -> None:
    made = companies[LARGE]
    own = _compiled(made, "own", list_by("name")).sql
    mixed = _compiled(made, "mixed", list_by("name")).sql

    for key in made.plan("own").reach.owners:
        assert f't0."owner" = {key}' in own
    assert mixed.count(" union all ") <= 4
    assert "s.principal = p.k" in mixed


def test_values_that_only_say_where_a_page_begins_need_one_plan(companies: dict[int, Company]) -> None:
    made = companies[SMALL]
    filtered = list_by("name", where=ast.Match(ast.TextMatch.STARTS_WITH, field("name"), "s"))

    assert _compiled(made, "own", list_by("name")).one_plan is None
    assert _compiled(made, "own", _page_two(made, "own")).one_plan is True
    assert _compiled(made, "own", filtered).one_plan is False
