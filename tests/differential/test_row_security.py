"""PostgreSQL's row-level security against the oracle: a statement written by hand sees what it should, and no more."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from random_worlds import Seeded, world_of
from stored_worlds import TABLES, StoredWorld, prepare
from tests.engines import Stores, empty
from tests.profiles import examples
from tests.worlds import World as Birthplace

from oracle.decision import decide
from strongroom.access.planning import plan_for
from strongroom.access.resolve import resolve
from strongroom.schema.model import Rights
from strongroom.store.protocol import Transaction


@pytest.fixture(scope="module")
def place(stores: Stores) -> Iterator[str]:
    """An environment on PostgreSQL with the tables of the worlds, and no rows."""
    made = stores.place("postgresql")
    assert isinstance(made, str)
    database = stores.open(made)
    prepare(Birthplace(database))
    database.close()
    empty(made)
    yield made


@settings(deadline=None, max_examples=examples(12))
@given(st.integers(0, 2**32))
def test_a_statement_by_hand_sees_what_the_oracle_allows(place: str, stores: Stores, seed: int) -> None:
    """SM-5: for every user, table and row of random worlds. Readers see what is committed, so each world is."""
    world = world_of(Seeded(seed))
    database = stores.open(place)
    try:
        birthplace = Birthplace(database)
        with database.write() as transaction:
            stored = StoredWorld(birthplace, transaction, world)
        with database.read() as transaction:
            compared = sum(_compared(stored, transaction, world, user, seed) for user in world["users"])
    finally:
        database.close()
        empty(place)
    assume(compared)


def _compared(stored: StoredWorld, transaction: Transaction, world: dict[str, Any], user: str, seed: int) -> int:
    """Compare everything that one user sees; how many rows were looked at."""
    anything: dict[str, Any] = {"table": "account", "owner": None, "unit": None, "shares": {}}
    if decide(world, user, "Read", anything)[2] in ("user-disabled", "no-roles"):
        return 0  # such a user gets no session at all
    facts = transaction.facts(stored.principal(user))
    assert facts is not None
    caller = resolve(facts, transaction.schema, transaction.stamp.security_epoch)
    plans = [plan_for(caller, stored.table(name), Rights.READ) for name in TABLES]
    asked = " union all ".join(
        f"select {stored.table(name).primary_id}::text as id from {table}" for name, table in TABLES.items()
    )
    seen = {str(row["id"]) for row in transaction.read_by_hand(plans, asked, 1_000)}
    here = {name: row for name, row in world["rows"].items() if row["table"] in TABLES}
    for name, row in here.items():
        allowed = decide(world, user, "Read", row)[0]
        shown = str(stored.rows[name].id) in seen
        assert shown is allowed, f"world {seed}: {user} and {name}: {shown}, not {allowed}"
    return len(here)
