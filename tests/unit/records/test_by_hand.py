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
        "select lower(coalesce(name, '')), count(*) from account where name like 'A%' and name <> 'B' group by 1",
        "select name from account where exists (select 1 from contact where lastname = name)",
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
        ("select \"set_config\"('strongroom.account_everything', 'on', true)", "set_config"),
        ("select word from ts_stat('select to_tsvector(set_config(''role'', ''none'', true))')", "ts_stat"),
        ("select * from rows from (ts_stat('select 1')) w", "ts_stat"),
        ("select 1 as x /* /* */ */, set_config('a', 'b', true)", "set_config"),
        ("select mine.lower('A')", "may not be called"),
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


def test_a_second_command_is_refused_by_the_server_itself(stores: Stores) -> None:
    """Even a text that the check of functions never saw cannot leave the guarded role."""
    with stores.opened("postgresql") as database, World(database).administrating() as session:
        sql = "select 1) as a; reset role; select to_json(b) from (select 1"
        transaction = session.transaction
        with pytest.raises(InvalidRequest, match="multiple commands"):
            transaction.read_by_hand([], sql, 5)
