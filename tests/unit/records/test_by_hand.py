"""Statements by hand: one SELECT that leaves settings alone, and nothing else (decision 0011)."""

import pytest
from tests.engines import Stores
from tests.worlds import World

from strongroom.access.planning import plan_for
from strongroom.errors import InvalidRequest
from strongroom.records.by_hand import demand_select
from strongroom.schema.model import Rights


@pytest.mark.parametrize(
    "statement",
    [
        "select 1",
        "select name from account where name like 'A%' order by name limit 3",
        "with big as (select * from account) select count(*) from big",
        "select name from account union select fullname from contact",
    ],
)
def test_a_select_is_taken(statement: str) -> None:
    demand_select(statement)


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("delete from account", "One SELECT"),
        ("select 1; select 2", "One SELECT"),
        ("", "One SELECT"),
        ("set role postgres", "One SELECT"),
        ("select set_config('strongroom.account_everything', 'on', true)", "set_config"),
        ("with x as (select pg_catalog.set_config('a', 'b', true)) select * from account, x", "set_config"),
        ("select name from (", "cannot be read"),
        ("select " + "(" * 3_000, "cannot be read|longer"),
        ("select '" + "x" * 20_001 + "'", "longer"),
    ],
)
def test_everything_else_is_refused(statement: str, says: str) -> None:
    with pytest.raises(InvalidRequest, match=says):
        demand_select(statement)


def test_the_embedded_store_says_that_it_has_no_such_guard(stores: Stores) -> None:
    with stores.opened("sqlcipher") as database, World(database).administrating() as session:
        plan = plan_for(session.caller, session.table("account"), Rights.READ)
        with pytest.raises(InvalidRequest, match="embedded store has no such guard"):
            session.transaction.read_by_hand([plan], "select 1", 1)
