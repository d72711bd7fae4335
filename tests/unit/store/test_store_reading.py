"""Queries and checks under a plan: the store runs what the compiler writes and gives the contract's values."""

from collections.abc import Iterable
from decimal import Decimal

import pytest
from tests.unit.store.people import Company, add, found, guid

from strongroom.access.plan import Branch, Guard, Plan, Reason
from strongroom.access.planned import PlannedSelect
from strongroom.errors import AccessDenied
from strongroom.ids import Key
from strongroom.query.ast import (
    TRUE,
    Comparison,
    Field,
    Literal,
    Operator,
    Order,
    Output,
    OwnerIn,
    Predicate,
    Select,
    SharedWith,
    Source,
    UnitIn,
)
from strongroom.schema.model import ColumnType, Rights, Table
from strongroom.store.database import StoreDatabase
from strongroom.store.protocol import Row, Share
from strongroom.store.transaction import StoreTransaction


def _plan(table: Table, *branches: Predicate, guards: Iterable[Predicate] = ()) -> Plan:
    reason = Reason("test")
    return Plan(
        table,
        Rights.READ,
        tuple(Branch(branch, (reason,)) for branch in branches),
        tuple(Guard(guard, reason) for guard in guards),
    )


def _world(tx: StoreTransaction) -> tuple[Company, dict[str, Row]]:
    company = found(tx)
    accounts = {
        name: add(tx, "account", 100 + n, owner, name=name, revenue=Decimal(n), creditonhold=n % 2 == 0)
        for n, (name, owner) in enumerate([("Ada's", company.ada), ("Ben's", company.ben), ("Deals'", company.deals)])
    }
    tx.set_share(accounts["Ben's"], Share(company.ada.key, Rights.READ, Rights.NONE))
    tx.set_share(accounts["Deals'"], Share(company.ada.key, Rights.WRITE, Rights.READ))
    return company, accounts


def test_a_page_holds_the_outputs_and_then_the_place_to_continue_from(database: StoreDatabase) -> None:
    with database.write() as tx:
        _world(tx)

    with database.read() as tx:
        table = tx.schema.tables["account"]
        columns = table.columns
        select = Select(
            Source(table),
            tuple(Output(name, Field("", columns[name])) for name in ("name", "revenue", "creditonhold", "ownerid")),
            order=(Order(Field("", columns["name"])),),
            page_size=2,
        )
        planned = PlannedSelect(select, {"": _plan(table, TRUE)})
        page, total = tx.select(planned), tx.count(planned, None)

    assert [row[:4] for row in page] == [
        ("Ada's", Decimal(0), True, guid(11)),
        ("Ben's", Decimal(1), False, guid(12)),
        ("Deals'", Decimal(2), True, guid(21)),
    ]
    assert [row[-1] for row in page] == [guid(100), guid(101), guid(102)]
    assert total == 3


def _names(tx: StoreTransaction, plan: Plan) -> list[object]:
    select = Select(
        Source(plan.table),
        (Output("name", Field("", plan.table.columns["name"])),),
        order=(Order(Field("", plan.table.columns["name"])),),
    )
    return [row[0] for row in tx.select(PlannedSelect(select, {"": plan}))]


def test_lists_and_checks_agree_under_every_kind_of_branch(database: StoreDatabase) -> None:
    """SM-5: a list holds exactly the rows for which a check says yes."""
    with database.write() as tx:
        company, accounts = _world(tx)
        table = tx.schema.tables["account"]
        ada = frozenset({company.ada.key})
        richer = Comparison(
            Operator.GREATER, Field("", table.columns["revenue"]), Literal(Decimal(0), ColumnType.MONEY)
        )
        plans: dict[str, tuple[Plan, list[str]]] = {
            "own": (_plan(table, OwnerIn("", ada)), ["Ada's"]),
            "unit": (_plan(table, UnitIn("", frozenset({company.harbour.key}))), ["Ben's"]),
            "shared": (_plan(table, SharedWith("", ada, Rights.READ)), ["Ben's", "Deals'"]),
            "shared directly": (_plan(table, SharedWith("", ada, Rights.READ, direct_only=True)), ["Ben's"]),
            "several": (_plan(table, OwnerIn("", ada), SharedWith("", ada, Rights.READ)), ["Ada's", "Ben's", "Deals'"]),
            "guarded": (_plan(table, TRUE, guards=[richer]), ["Ben's", "Deals'"]),
            "another": (_plan(table, OwnerIn("", ada), richer), ["Ada's", "Ben's", "Deals'"]),
            "none": (_plan(table), []),
        }

    with database.read() as tx:
        for name, (plan, expected) in plans.items():
            assert _names(tx, plan) == expected, name
            assert [title for title, row in accounts.items() if tx.allows(plan, row)] == expected, name


def test_a_plan_that_was_refused_cannot_be_used(database: StoreDatabase) -> None:
    with database.write() as tx:
        _, accounts = _world(tx)
        table = tx.schema.tables["account"]
        refused = Plan(table, Rights.READ, refusal=AccessDenied("no privilege", code="0x80040220"))

        with pytest.raises(AccessDenied):
            tx.allows(refused, accounts["Ada's"])


def test_a_row_that_is_not_stored_yet_is_judged_by_owner_and_unit(database: StoreDatabase) -> None:
    """SM-120: Create is asked about the row as it would be; shares never give it."""
    with database.write() as tx:
        company = found(tx)
        table = tx.schema.tables["account"]
        row = Row(table, Key(0), guid(1), company.ada.key, company.north.key, 0)

        assert tx.allows(_plan(table, UnitIn("", frozenset({company.north.key}))), row)
        assert not tx.allows(_plan(table, SharedWith("", frozenset({company.ada.key}), Rights.READ)), row)


def test_a_write_sees_what_it_has_written(database: StoreDatabase) -> None:
    with database.write() as tx:
        company, _ = _world(tx)
        plan = _plan(tx.schema.tables["account"], OwnerIn("", frozenset({company.ada.key})))
        add(tx, "account", 200, company.ada, name="new")

        assert _names(tx, plan) == ["Ada's", "new"]
