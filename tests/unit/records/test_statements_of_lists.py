"""Performance page, section 4: a list asks the store at most three statements, whatever the page."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol, cast

import pytest
from tests.worlds import World, depths, select, user

from strongroom.access.resolve import resolve
from strongroom.ids import Reference
from strongroom.query.ast import Field, Order
from strongroom.records import RequestFacts, Session, count, retrieve_page
from strongroom.schema.model import Depth, Rights
from strongroom.store.database import StoreDatabase
from strongroom.store.engine import Raw
from strongroom.store.postgresql import PostgresqlConnection
from strongroom.store.sqlcipher import SqlcipherConnection


class Query(Protocol):
    """`Connection.query` as a function of the class."""

    def __call__(
        self, connection: object, sql: str, parameters: Sequence[object] = (), *, one_plan: bool | None = None
    ) -> list[Raw]: ...


def _noting(original: Query, texts: list[str]) -> Query:
    def query(
        connection: object, sql: str, parameters: Sequence[object] = (), *, one_plan: bool | None = None
    ) -> list[Raw]:
        texts.append(sql)
        return original(connection, sql, parameters, one_plan=one_plan)

    return query


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts of all queries, as they are asked."""
    texts: list[str] = []
    for kind in (SqlcipherConnection, PostgresqlConnection):
        monkeypatch.setattr(kind, "query", _noting(cast("Query", kind.query), texts))
    return texts


def test_a_page_with_its_total_takes_at_most_three_statements_and_every_later_page_the_same(
    database: StoreDatabase, asked: list[str]
):
    world = World(database)
    north = world.unit("North")
    ann = world.user("Ann", north, world.role("Seller", {"account": depths(Depth.LOCAL)}))
    for number in range(7):
        world.create("account", ann, name=f"Account {number}")

    with world.acting(ann) as session:
        table = session.table("account")
        order = (Order(Field("", table.columns["name"])),)
        listed = replace(select(table, "name"), order=order, page_size=2, count=True)
        pages: list[list[str]] = []
        position: tuple[object, ...] | None = None
        for _ in range(3):
            retrieve_page(session, replace(listed, after=position))  # what is looked up once is looked up now
            asked.clear()
            position = retrieve_page(session, replace(listed, after=position)).position
            pages.append(list(asked))

    assert 1 <= len(pages[0]) <= 3
    assert pages[1] == pages[2]
    assert len(pages[1]) == len(pages[0])


def test_a_number_that_was_counted_is_not_counted_again_after_writes_of_this_process(
    database: StoreDatabase, asked: list[str]
):
    """Section 2, point 6: new and deleted rows and owners change it on the way; shares are counted anew."""
    world = World(database)
    north = world.unit("North")
    ann = world.user("Ann", north, world.role("Seller", {"account": depths(Depth.LOCAL)}))
    mine = [world.create("account", ann, name=f"Account {number}") for number in range(3)]
    theirs = world.create("account", name="Another")

    def counted() -> tuple[int, int]:
        with database.read() as transaction:
            facts = transaction.facts(user(ann))
            assert facts is not None
            caller = resolve(facts, transaction.schema, transaction.stamp.security_epoch)
            session = Session(transaction, caller, world.clock, world.rules, RequestFacts())
            listed = select(session.table("account"), "name")
            asked.clear()
            number = count(session, listed, None)
            return number, len(asked)

    assert counted()[0] == 3
    assert counted() == (3, 0)
    world.create("account", ann, name="One more")
    assert counted() == (4, 0)
    world.delete("account", mine[0])
    assert counted() == (3, 0)
    world.update("account", theirs, ownerid=user(ann))
    assert counted() == (4, 0)
    world.update("account", theirs, name="Renamed")
    assert counted() == (4, 0)
    world.share(Reference("account", world.create("account", name="Shared")), user(ann), Rights.READ)
    assert counted() == (5, 1)
    assert counted() == (5, 0)
