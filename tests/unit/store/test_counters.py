"""Counters equal a recount after any mixture of writes, also of those that fail."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.profiles import examples
from tests.unit.store.people import Company, below, found, guid

from strongroom.ids import Key
from strongroom.store.counters import stored_counts
from strongroom.store.database import StoreDatabase
from strongroom.store.protocol import Row
from strongroom.store.transaction import StoreTransaction


class _Stop(Exception):
    pass


def _company(database: StoreDatabase) -> Company:
    with database.write() as tx:
        known = {number: tx.row(tx.schema.tables["systemuser"], guid(number)) for number in (11, 12)}
        if known[11] is None:
            return found(tx)
        tables = tx.schema.tables
        rows = [tx.row(tables["businessunit"], guid(number)) for number in (1, 2, 3)]
        rows += [tx.row(tables["systemuser"], guid(11)), tx.row(tables["systemuser"], guid(12))]
        rows.append(tx.row(tables["team"], guid(21)))
        return Company(*(row for row in rows if row is not None))


def _some_work(tx: StoreTransaction, company: Company, alive: list[Row], chance: random.Random) -> None:
    table = tx.schema.tables["account"]
    owners = [company.ada, company.ben, company.deals]
    for _ in range(chance.randrange(1, 6)):
        kind = chance.choice(["insert", "move", "delete", "rename"])
        if kind == "insert" or not alive:
            owner = chance.choice(owners)
            new = [
                Row(table, Key(0), guid(chance.getrandbits(40)), owner.key, owner.unit, 0, {"name": "A"})
                for _ in range(chance.choice([1, 2, 30]))
            ]
            tx.insert(table, new)
            alive += new
        elif kind == "move":
            owner = chance.choice(owners)
            tx.update(chance.choice(alive), {}, owner=owner.key, unit=owner.unit)
        elif kind == "rename":
            tx.update(chance.choice(alive), {"name": "B"})
        else:
            gone = chance.sample(alive, chance.randrange(1, len(alive) + 1))
            tx.delete(table, gone)
            for row in gone:
                alive.remove(row)


@settings(max_examples=examples(15), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_counters_equal_a_recount_after_random_writes(database: StoreDatabase, seed: int) -> None:
    chance = random.Random(seed)
    company = _company(database)
    alive: list[Row] = []
    for _ in range(3):
        before = list(alive)
        if chance.random() < 0.3:
            with pytest.raises(_Stop), database.write() as tx:
                _some_work(tx, company, list(alive), chance)
                raise _Stop
            with database.read() as tx:  # what was refused has changed the objects, not the rows
                found_again = tx.rows(tx.schema.tables["account"], [row.id for row in before])
            alive = [found_again[row.id] for row in before]
        else:
            with database.write() as tx:
                _some_work(tx, company, alive, chance)

    assert database.check() == []
    with database.write() as tx:
        tx.delete(tx.schema.tables["account"], alive)
        work = below(tx)
        work.counters.flush(work.connection)
        assert stored_counts(work.connection, "account") == {}


def test_check_notices_a_counter_that_lies(database: StoreDatabase) -> None:
    with database.write() as tx:
        found(tx)
        work = below(tx)
        work.counters.flush(work.connection)
        work.connection.execute("update counters set amount = amount + 1 where tablename = 'team'")

    assert [doubt for doubt in database.check() if doubt.startswith("team: the counters say")]
