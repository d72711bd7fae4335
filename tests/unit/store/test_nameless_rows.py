"""Performance page, section 2: rows without a name come first in a list, and many of them make no list slow."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from tests.differential.query_world import sqlite_connection
from tests.unit.store.plan_company import Company, company
from tests.unit.store.test_compile_plans import compiled, list_by

ACCOUNTS = 20_000


@pytest.fixture(scope="module")
def half_nameless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    with ExitStack() as stack:
        opened = stack.enter_context(sqlite_connection(tmp_path_factory.mktemp("nameless")))
        made = company(*opened, ACCOUNTS)
        made.connection.execute("update account set name = null, name__fold = null where id % 2 = 0")
        made.connection.execute("update principalobjectaccess set sort = null where object % 2 = 0")
        yield made


@pytest.mark.parametrize("archetype", ["own", "bu", "deep_s", "deep_m", "mixed"])
def test_nameless_rows_are_found_by_owner_and_unit(half_nameless: Company, archetype: str) -> None:
    query = compiled(half_nameless, half_nameless.plan(archetype), list_by("name"))
    plan = "\n".join(half_nameless.explain(query))

    assert "USING INDEX ix_account_name" not in plan
    assert half_nameless.instructions(query) < 20_000
