"""Secured columns against the oracle on random worlds, on both engines (SM-130 to SM-138)."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from column_world import COLUMNS, PEOPLE, ColumnWorld
from tests.worlds import World, select

from oracle.columns import allowed, decides, is_unmasked, shown
from strongroom.errors import AccessDenied
from strongroom.ids import Guid
from strongroom.query.ast import Comparison, Field, IsNull, Literal, Operator, Order, Select
from strongroom.records import NewRecord, RequestFacts, create, retrieve, retrieve_page, update
from strongroom.schema.model import ColumnType
from strongroom.store.protocol import Database, Value

EVERYBODY = (*PEOPLE, "admin")
SEEDS = range(6)


@pytest.fixture
def here(database: Database) -> ColumnWorld:
    """An environment that every seed fills anew."""
    return ColumnWorld(World(database))


def test_every_value_is_seen_as_the_oracle_says(here: ColumnWorld) -> None:
    """SM-131, SM-132, SM-134, SM-135, SM-137, SM-138: in lists and single reads, asked for unmasked or not; and each
    unmasked value leaves its entry."""
    for seed in SEEDS:
        here.draw(seed)
        for who in EVERYBODY:
            for asked in (False, True):
                before = _unmasked_values(here)
                listed, single = _list(here, who, asked), _singles(here, who, asked)

                for row in here.rows:
                    for column in COLUMNS:
                        place = (seed, who, asked, row, column)
                        assert listed[row][column] == shown(here.told, who, row, column, asked, False), place
                        assert single[row][column] == shown(here.told, who, row, column, asked, True), place
                assert _unmasked_values(here) - before == _expected_entries(here, who, asked), (seed, who, asked)


def test_columns_are_written_as_the_oracle_says(here: ColumnWorld) -> None:
    """SM-133, SM-134: every column of every row, and of a new one."""
    for seed in SEEDS:
        here.draw(seed)
        for who in EVERYBODY:
            for column in COLUMNS:
                assert _may(here, who, _creating(here, column), "0x8004f502") == allowed(
                    here.told, who, column, "create"
                ), (seed, who, column)
                for row in here.rows:
                    expected = allowed(here.told, who, column, "update", row)
                    changing = _changing(here, row, column)
                    assert _may(here, who, changing, "0x8004f507") == expected, (seed, who, row, column)


def test_columns_decide_as_the_oracle_says(here: ColumnWorld) -> None:
    """SM-136, SM-137: in filters, in orders and in groups."""
    for seed in SEEDS:
        here.draw(seed)
        for who in EVERYBODY:
            for column in COLUMNS:
                expected = decides(here.told, who, column)
                for ask in _deciding(here, column):
                    assert _may(here, who, ask, "0x8004f504") == expected, (seed, who, column)


# --- asking --------------------------------------------------------------------------------------------------------

Act = Callable[[World, Guid], object]


def _list(here: ColumnWorld, who: str, asked: bool) -> dict[str, dict[str, Value]]:
    with here.world.acting(here.ids[who]) as session:
        session.request = RequestFacts(unmasked=asked)
        page = retrieve_page(session, select(session.table(here.table), *COLUMNS))
        found = {record.id: record.values for record in page.rows}
    return {name: dict(zip(COLUMNS, found[row_id], strict=True)) for name, row_id in here.rows.items()}


def _singles(here: ColumnWorld, who: str, asked: bool) -> dict[str, dict[str, Value]]:
    found: dict[str, dict[str, Value]] = {}
    with here.world.acting(here.ids[who]) as session:
        session.request = RequestFacts(unmasked=asked)
        for name, row_id in here.rows.items():
            values = retrieve(session, select(session.table(here.table), *COLUMNS), row_id).values
            found[name] = dict(zip(COLUMNS, values, strict=True))
    return found


def _unmasked_values(here: ColumnWorld) -> int:
    return sum(len(str(row.values["attributemask"]).split(",")) for row in here.world.rows("audit", action=15))


def _expected_entries(here: ColumnWorld, who: str, asked: bool) -> int:
    """How many values the list and the single reads show although a mask is over them."""
    return sum(
        1
        for row, values in here.told["rows"].items()
        for column in here.told["masked"]
        for single in (False, True)
        if values[column] is not None
        and allowed(here.told, who, column, "read", row)
        and is_unmasked(here.told, who, column, asked, single)
    )


class _Undone(Exception):
    """Raised to leave nothing behind."""


def _may(here: ColumnWorld, who: str, act: Act, code: str) -> bool:
    try:
        act(here.world, here.ids[who])
    except _Undone:
        return True
    except AccessDenied as refusal:
        assert refusal.code == code
        return False
    return True


def _creating(here: ColumnWorld, column: str) -> Act:
    def act(world: World, who: Guid) -> None:
        with world.acting(who) as session:
            create(session, session.table(here.table), NewRecord({column: "x"}))
            raise _Undone

    return act


def _changing(here: ColumnWorld, row: str, column: str) -> Act:
    def act(world: World, who: Guid) -> None:
        with world.acting(who) as session:
            update(session, session.table(here.table), here.rows[row], {column: None})
            raise _Undone

    return act


def _deciding(here: ColumnWorld, column: str) -> list[Act]:
    table = here.world.table(here.table)
    field = Field("", table.columns[column])
    plain = select(table, "new_name")
    queries = (
        replace(plain, where=Comparison(Operator.EQUAL, field, Literal("12345", ColumnType.STRING))),
        replace(plain, where=IsNull(field)),
        replace(plain, order=(Order(field),)),
        replace(plain, outputs=(), group_by=(field,), is_aggregate=True),
    )

    def asking(query: Select) -> Act:
        def act(world: World, who: Guid) -> object:
            with world.acting(who) as session:
                return retrieve_page(session, query)

        return act

    return [asking(query) for query in queries]
