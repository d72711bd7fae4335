"""What shares know of their rows stays exact, and counts that rest on it are those of the rows themselves (SM-70).

Performance page, section 2: a share carries the owner, the unit and the name of its row, and whether the row has no
other share; numbers that a process keeps hold in the snapshot that they are asked in, and in no other.
"""

import random
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.engines import Stores
from tests.profiles import examples
from tests.unit.store.people import Company, add, below, found, guid

from strongroom.access.plan import Branch, Plan
from strongroom.access.planned import PlannedSelect
from strongroom.ids import Key
from strongroom.query import ast
from strongroom.schema.model import Rights
from strongroom.store.database import StoreDatabase
from strongroom.store.protocol import Row, Share
from strongroom.store.transaction import StoreTransaction

_KNOWN = 'select object, principal, owner, unit, "sort", alone from principalobjectaccess order by object, principal'


def _known(tx: StoreTransaction) -> list[tuple[object, ...]]:
    return below(tx).connection.query(_KNOWN)


def test_a_share_knows_owner_and_unit_and_follows_them(database: StoreDatabase) -> None:
    with database.write() as tx:
        company = found(tx)
        account = add(tx, "account", 101, company.ada, name="Zeta")
        tx.set_share(account, Share(company.ben.key, Rights.READ, Rights.NONE))
        place = (account.key, company.ben.key)
        assert _known(tx) == [(*place, company.ada.key, company.north.key, "zeta", 1)]

        tx.update(account, {}, owner=company.deals.key)
        assert _known(tx) == [(*place, company.deals.key, company.north.key, "zeta", 1)]

        tx.update(account, {"name": "Eta"}, unit=company.harbour.key)
        assert _known(tx) == [(*place, company.deals.key, company.harbour.key, "eta", 1)]


def test_shares_go_with_their_rows_when_a_whole_table_goes_home(database: StoreDatabase) -> None:
    """SM-27."""
    with database.write() as tx:
        company = found(tx)
        rows = [add(tx, "account", 101 + number, company.ada, name=str(number)) for number in range(3)]
        elsewhere = add(tx, "account", 110, company.ben, name="B")
        for row in (*rows[:2], elsewhere):
            tx.set_share(row, Share(company.deals.key, Rights.READ, Rights.NONE))
            tx.update(row, {}, unit=company.root.key)

        tx.settle_units(elsewhere.table, [company.ada.key])

        assert [row[3] for row in _known(tx)] == [company.north.key, company.north.key, company.root.key]
        tx.settle_units(elsewhere.table)
        assert [row[3] for row in _known(tx)] == [company.north.key, company.north.key, company.harbour.key]
    assert database.check() == []


def test_a_share_knows_whether_its_row_has_others(database: StoreDatabase) -> None:
    with database.write() as tx:
        company = found(tx)
        account = add(tx, "account", 101, company.ada, name="Zeta")

        def shared(*principals: Row) -> list[object]:
            for principal in (company.ben, company.deals):
                rights = Rights.READ if principal in principals else Rights.NONE
                tx.set_share(account, Share(principal.key, rights, Rights.NONE))
            return [row[-1] for row in _known(tx)]

        assert shared(company.ben) == [1]
        assert shared(company.ben, company.deals) == [0, 0]
        assert shared(company.deals) == [1]
        assert shared() == []
        assert shared(company.ben, company.deals) == [0, 0]
        tx.delete(company.deals.table, [company.deals])
        assert [row[-1] for row in _known(tx)] == [1]
    assert database.check() == []


def test_an_older_environment_learns_what_its_shares_should_know(stores: Stores, engine: str) -> None:
    """The migration: owner, unit and loneliness of shares that were made before they were kept."""
    place = stores.place(engine)
    database = stores.open(place)
    with database.write() as tx:
        company = found(tx)
        for number, principals in ((101, [company.ben]), (102, [company.ben, company.deals])):
            account = add(tx, "account", number, company.ada, name="Zeta")
            for principal in principals:
                tx.set_share(account, Share(principal.key, Rights.READ, Rights.NONE))
        known = _known(tx)
        work = below(tx)
        for name in sorted(work.engine.indexes(work.connection)):
            if name.startswith("ix_principalobjectaccess_principal_"):
                work.connection.execute(f"drop index {name}")
        for column in ("owner", "unit", "alone"):
            work.connection.execute(f"alter table principalobjectaccess drop column {column}")
        work.connection.execute("delete from migration where number = 3")
    database.close()

    database = stores.open(place)

    with database.read() as tx:
        assert _known(tx) == known
    assert database.check() == []
    database.close()


# --- random histories ----------------------------------------------------------------------------------------------


class _Stop(Exception):
    pass


class _History:
    """Random writes, and the numbers of rows that random callers see after each of them."""

    def __init__(self, database: StoreDatabase, company: Company, chance: random.Random) -> None:
        self._database = database
        self._chance = chance
        self._company = company
        self._alive: list[Row] = []

    def run(self, steps: int) -> None:
        plans = [self._plan() for _ in range(6)]
        for _ in range(steps):
            before = list(self._alive)
            try:
                with self._database.write() as tx:
                    for _ in range(self._chance.randrange(1, 5)):
                        self._change(tx)
                    self._compare(tx, self._chance.choice(plans))
                    if self._chance.random() < 0.2:
                        raise _Stop
            except _Stop:
                self._alive = before
            with self._database.read() as tx:
                rows = tx.rows(tx.schema.tables["account"], [row.id for row in self._alive])
                self._alive = [rows[row.id] for row in self._alive]
                for plan in plans:
                    self._compare(tx, plan)

    def end(self) -> None:
        with self._database.write() as tx:
            tx.delete(tx.schema.tables["account"], self._alive)

    def _principals(self) -> list[Row]:
        return [self._company.ada, self._company.ben, self._company.deals]

    def _plan(self) -> Plan:
        def some(rows: list[Row]) -> frozenset[int]:
            return frozenset(row.key for row in rows if self._chance.random() < 0.4)

        predicates: list[ast.OwnerIn | ast.UnitIn | ast.SharedWith] = [
            ast.OwnerIn("", some(self._principals())),
            ast.UnitIn("", some([self._company.root, self._company.north, self._company.harbour])),
        ]
        predicates = [each for each in predicates if not isinstance(each, ast.SharedWith) and each.keys]
        for direct_only in (False, True):
            sharers = some(self._principals())
            if sharers:
                predicates.append(ast.SharedWith("", sharers, Rights.READ, direct_only=direct_only))
        table = self._company.ada.table
        return Plan(table, Rights.READ, tuple(Branch(each, ()) for each in predicates))

    def _change(self, tx: StoreTransaction) -> None:
        table = tx.schema.tables["account"]
        chance, principals = self._chance, self._principals()
        kind = chance.choice(["insert", "share", "share", "share", "end", "assign", "move", "settle", "delete"])
        if kind == "insert" or not self._alive:
            owner = chance.choice(principals)
            new = [
                Row(
                    table, Key(0), guid(chance.getrandbits(40)), owner.key, owner.unit, 0, {"name": chance.choice("AB")}
                )
                for _ in range(chance.choice([1, 5]))
            ]
            tx.insert(table, new)
            self._alive += new
            return
        row = chance.choice(self._alive)
        match kind:
            case "share" | "end":
                masks = [Rights.NONE] if kind == "end" else [Rights.READ, Rights.WRITE, Rights.NONE]
                share = Share(chance.choice(principals).key, chance.choice(masks), chance.choice(masks))
                tx.set_share(row, share)
            case "assign":
                owner = chance.choice(principals)
                tx.update(row, {}, owner=owner.key, unit=owner.unit)
            case "move":
                tx.update(row, {"name": "C"}, unit=chance.choice([self._company.root, self._company.harbour]).key)
            case "settle":
                tx.settle_units(table, chance.choice([None, [chance.choice(principals).key]]))
                again = tx.rows(table, [each.id for each in self._alive])
                self._alive = [again[each.id] for each in self._alive]
            case _:
                tx.delete(table, [row])
                self._alive.remove(row)

    def _compare(self, tx: StoreTransaction, plan: Plan) -> None:
        table = tx.schema.tables["account"]
        plan = replace(plan, table=table)
        select = ast.Select(ast.Source(table), (ast.Output("n", ast.Field("", table.id_column)),))
        query = PlannedSelect(select, {"": plan})
        shares = tx.shares(table, [row.key for row in self._alive])
        expected = sum(_sees(plan, row, shares.get(row.key, [])) for row in self._alive)

        limit = self._chance.choice([None, 1, 3])
        assert tx.count(query, limit) == (expected if limit is None else min(limit, expected))
        assert tx.count(query, None) == expected
        ordered = replace(select, order=(ast.Order(ast.Field("", table.columns["name"])),), page_size=10_000)
        found_rows = tx.select(PlannedSelect(ordered, {"": plan}))
        assert len(found_rows) == len(set(found_rows)) == expected


def _sees(plan: Plan, row: Row, shares: list[Share]) -> bool:
    reach = plan.reach
    either = {share.principal for share in shares if (share.direct | share.inherited) & Rights.READ}
    direct = {share.principal for share in shares if share.direct & Rights.READ}
    return bool(
        row.owner in reach.owners
        or row.unit in reach.units
        or either & reach.shared_with
        or direct & reach.shared_directly_with
    )


@settings(max_examples=examples(8), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_counts_and_lists_are_those_of_the_rows_after_any_history(database: StoreDatabase, seed: int) -> None:
    """In the write itself, after its commit, after a rollback, and after writes that do not touch shares."""
    with database.write() as tx:
        known = {n: tx.row(tx.schema.tables[table], guid(n)) for n, table in _PLACES.items()}
        rows = [row for row in known.values() if row is not None]
        company = Company(*rows) if rows else found(tx)
    history = _History(database, company, random.Random(seed))

    history.run(6)

    assert database.check() == []
    history.end()


_PLACES = {1: "businessunit", 2: "businessunit", 3: "businessunit", 11: "systemuser", 12: "systemuser", 21: "team"}
"""The rows of `people.found`."""


def test_a_second_process_never_answers_from_numbers_of_before(stores: Stores, engine: str) -> None:
    """What one process has counted is void for it as soon as another one has written."""
    place = stores.place(engine)
    first, second = stores.open(place), stores.open(place)
    with first.write() as tx:
        company = found(tx)
        accounts = [add(tx, "account", 101 + number, company.ada, name="A") for number in range(4)]
    plan = Plan(
        accounts[0].table,
        Rights.READ,
        (Branch(ast.SharedWith("", frozenset({company.ben.key}), Rights.READ), ()),),
    )

    def counted(database: StoreDatabase) -> int:
        with database.read() as tx:
            table = tx.schema.tables["account"]
            select = ast.Select(ast.Source(table), (ast.Output("n", ast.Field("", table.id_column)),))
            return tx.count(PlannedSelect(select, {"": replace(plan, table=table)}), None)

    for number, account in enumerate(accounts, 1):
        writer = (first, second)[number % 2]
        with writer.write() as tx:
            tx.set_share(account, Share(company.ben.key, Rights.READ, Rights.NONE))
        assert (counted(first), counted(second)) == (number, number)
    with second.write() as tx:
        tx.set_share(accounts[0], Share(company.ben.key, Rights.NONE, Rights.NONE))
    assert (counted(first), counted(second)) == (3, 3)
    with first.write() as tx:
        tx.delete(accounts[1].table, [accounts[1]])
    assert (counted(first), counted(second)) == (2, 2)
    first.close()
    second.close()
