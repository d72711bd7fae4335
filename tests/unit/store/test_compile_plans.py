"""Performance page, sections 2 and 4: the plan of a list is right and does not grow with the table.

Measured in instructions of SQLite's virtual machine and in lines of EXPLAIN QUERY PLAN, which do not depend on the
machine: the archetypes of section 1 over 10,000 and 100,000 rows.
"""

import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from query_plan_world import ACCOUNT, SCHEMA, Company, company

from strongroom.access.plan import Branch, Guard, Plan, Reach, Reason
from strongroom.access.planned import PlannedSelect
from strongroom.query import ast
from strongroom.schema.model import ColumnType, Rights, Table
from strongroom.store.compile import Compiled, Visible, compile_count, compile_select
from strongroom.store.dialect import SQLITE

SIZES = (10_000, 100_000)
ARCHETYPES = ("own", "bu", "deep_s", "deep_m", "deep_l", "global", "mixed")
COLUMNS = ("accountid", "name", "city", "numberofemployees", "revenue", "donotemail", "createdon", "ownerid")


@pytest.fixture(scope="module")
def companies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, Company]]:
    made = {size: company(tmp_path_factory.mktemp(f"rows{size}"), size) for size in SIZES}
    yield made
    for each in made.values():
        each.close()


def name_list(**more: object) -> ast.Select:
    name = ast.Field("", ACCOUNT.columns["name"])
    outputs = tuple(ast.Output(each, ast.Field("", ACCOUNT.columns[each])) for each in COLUMNS)
    select = ast.Select(ast.Source(ACCOUNT), outputs, order=(ast.Order(name),), page_size=50)
    return replace(select, **more)  # pyright: ignore[reportArgumentType] -- the tests' own keywords


def compiled(made: Company, archetype: str, select: ast.Select) -> Compiled:
    plan = made.plan(archetype)
    return compile_select(PlannedSelect(select, {"": plan}), SCHEMA, SQLITE, made.estimate)


@pytest.mark.parametrize("archetype", ARCHETYPES)
def test_a_list_by_name_has_no_red_flag_in_its_plan(companies: dict[int, Company], archetype: str) -> None:
    for size in SIZES:
        made = companies[size]
        lines = made.explain(compiled(made, archetype, name_list()))
        text = "\n".join(lines)

        assert "MULTI-INDEX OR" not in text
        share = made.estimate(ACCOUNT, made.plan(archetype).reach)
        if share.visible < share.total / 100:
            assert not re.search(r"SCAN t0\b", text), text
        assert not _sorts_wide_rows(lines), text
        assert not _scans_with_subquery(lines), text


def _sorts_wide_rows(lines: list[str]) -> bool:
    """A sorter outside the terms that find the keys."""
    return any(line.startswith("USE TEMP B-TREE") for line in lines)


def _scans_with_subquery(lines: list[str]) -> bool:
    return any("CORRELATED" in line and "SCAN t0" in before for before, line in zip(lines, lines[1:], strict=False))
