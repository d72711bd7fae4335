"""Rows that are put into the unit of their owner, a table at once (SM-25, SM-27)."""

from tests.engines import START
from tests.worlds import World, user

from strongroom.clock import iso
from strongroom.ids import Reference
from strongroom.records import NewRecord, create_multiple
from strongroom.store.protocol import Database


def test_only_rows_that_are_elsewhere_change(database: Database) -> None:
    """SM-27: a second call finds nothing, and takes no versions."""
    world = World(database)
    south = world.unit("South")
    with world.administrating() as session:
        table = session.table("account")
        ids = create_multiple(session, table, [NewRecord({"name": str(n)}) for n in range(5)])
        transaction = session.transaction
        rows = transaction.rows(table, ids)
        key = transaction.unit_key(south)
        for row_id in ids[:3]:
            transaction.update(rows[row_id], {}, unit=key)
        assert transaction.settle_units(table) == 3
        assert transaction.settle_units(table) == 0
    with database.read() as transaction:
        table = transaction.schema.tables["account"]
        home = transaction.unit_key(world.root)
        assert {row.unit for row in transaction.rows(table, ids).values()} == {home}
        assert len({row.version for row in transaction.rows(table, ids).values()}) == 5
    assert database.check() == []


def test_the_rows_of_named_owners_only(database: Database) -> None:
    """SM-27."""
    world = World(database)
    south = world.unit("South")
    other = world.user("Other", None, world.rows("role", name="Basic User")[0].id)
    mine, theirs = world.create("account", name="A"), world.create("account", name="B", ownerid=user(other))
    with database.write() as transaction:
        table = transaction.schema.tables["account"]
        for row in transaction.rows(table, [mine, theirs]).values():
            transaction.update(row, {}, unit=transaction.unit_key(south))
        owner = transaction.principal_key(Reference("systemuser", other))
        assert owner is not None
        assert transaction.settle_units(table, [owner]) == 1
    assert world.owning_unit("account", theirs) == world.root
    assert world.owning_unit("account", mine) == south


def test_a_move_that_fails_later_is_undone(database: Database) -> None:
    """SM-6: the counters too."""
    world = World(database)
    south = world.unit("South")
    row_id = world.create("account", name="A")
    with database.write() as transaction:
        table = transaction.schema.tables["account"]
        (row,) = transaction.rows(table, [row_id]).values()
        transaction.update(row, {}, unit=transaction.unit_key(south))
    try:
        with database.write() as transaction:
            transaction.settle_units(transaction.schema.tables["account"])
            raise InterruptedError(iso(START))
    except InterruptedError:
        pass
    assert world.owning_unit("account", row_id) == south
    assert database.check() == []
