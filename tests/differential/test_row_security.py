"""PostgreSQL's row-level security against the oracle: a statement written by hand sees what it should, and no more."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from random_worlds import Seeded, world_of
from stored_worlds import TABLES, StoredWorld, prepare
from tests.engines import Stores
from tests.profiles import examples
from tests.worlds import World as Birthplace

from oracle.decision import decide
from strongroom.access.planning import plan_for
from strongroom.access.resolve import resolve
from strongroom.errors import InvalidRequest
from strongroom.schema.model import Rights


@pytest.fixture(scope="module")
def birthplace(stores: Stores) -> Iterator[Birthplace]:
    """An environment on PostgreSQL with the tables of the worlds."""
    with stores.opened("postgresql") as database:
        made = Birthplace(database)
        prepare(made)
        yield made


class _OverError(Exception):
    """Undoes a world."""


@settings(deadline=None, max_examples=examples(25))
@given(st.integers(0, 2**32))
def test_a_statement_by_hand_sees_what_the_oracle_allows(birthplace: Birthplace, seed: int) -> None:
    """SM-5: for every user, table and row of random worlds."""
    world = world_of(Seeded(seed))
    with pytest.raises(_OverError), birthplace.database.write() as transaction:
        stored = StoredWorld(birthplace, transaction, world)
        compared = sum(_compared(stored, world, user, seed) for user in world["users"])
        assume(compared)
        raise _OverError


def _compared(stored: StoredWorld, world: dict[str, Any], user: str, seed: int) -> int:
    """Compare everything that one user sees; how many rows were looked at."""
    anything: dict[str, Any] = {"table": "account", "owner": None, "unit": None, "shares": {}}
    if decide(world, user, "Read", anything)[2] in ("user-disabled", "no-roles"):
        return 0  # such a user gets no session at all
    caller = resolve(stored.facts(user), stored.schema, stored.transaction.stamp.security_epoch)
    compared = 0
    for name, table in TABLES.items():
        plan = plan_for(caller, stored.table(name), Rights.READ)
        column = stored.table(name).primary_id
        rows = stored.transaction.read_by_hand([plan], f"select {column} from {table}", 1_000)
        seen = {str(row[column]) for row in rows}
        for row_name, row in world["rows"].items():
            if row["table"] == name:
                allowed = decide(world, user, "Read", row)[0]
                shown = str(stored.rows[row_name].id) in seen
                assert shown is allowed, f"world {seed}: {user} and {row_name}: {shown}, not {allowed}"
                compared += 1
    return compared


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("select new_ssn from account", "permission denied"),  # a secured column is not granted
        ("select id from principal", "permission denied"),  # nor are the platform's own tables
        ("delete from account returning id", "syntax error"),
        ("select 1; drop table account", "syntax error|multiple commands"),
        ("select ? from account", "question mark"),
        ("select nothing from account", "does not exist"),
    ],
)
def test_what_the_role_may_not_is_refused_and_the_transaction_goes_on(
    birthplace: Birthplace, sql: str, says: str
) -> None:
    with birthplace.administrating() as session:
        transaction = session.transaction
        plan = plan_for(session.caller, transaction.schema.tables["account"], Rights.READ)
        with pytest.raises(InvalidRequest, match=says):
            transaction.read_by_hand([plan], sql, 10)
        assert transaction.rows_where(transaction.schema.tables["organization"], {})


def test_a_table_without_a_plan_shows_nothing(birthplace: Birthplace) -> None:
    """Default is deny: what no setting names is not seen, whoever the caller is."""
    birthplace.create("account", name="Hidden")
    birthplace.create("contact", lastname="Hidden")
    with birthplace.administrating() as session:
        transaction = session.transaction
        accounts = plan_for(session.caller, transaction.schema.tables["account"], Rights.READ)

        assert transaction.read_by_hand([accounts], "select count(*) as n from account", 1)[0]["n"] != 0
        assert transaction.read_by_hand([accounts], "select count(*) as n from contact", 1) == [{"n": 0}]
        assert transaction.read_by_hand([], "select count(*) as n from account", 1) == [{"n": 0}]


def test_a_table_that_is_made_later_is_guarded_from_its_first_row(birthplace: Birthplace) -> None:
    birthplace.new_table("later")
    birthplace.create("new_later", new_name="Hidden")
    with birthplace.administrating() as session:
        plan = plan_for(session.caller, session.schema.tables["new_later"], Rights.READ)

        assert session.transaction.read_by_hand([], "select new_name from new_later", 5) == []
        assert session.transaction.read_by_hand([plan], "select new_name from new_later", 5) == [{"new_name": "Hidden"}]
