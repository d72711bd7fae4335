"""A company for the tests of plans: 1,000 units, 2,000 users, 200 teams and any number of accounts (performance page,
section 1), in an encrypted database, with the archetypes chosen from the actual counts."""

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, cast

from tests.differential.query_world import ACCOUNT, create_tables, guid

from strongroom.access.plan import Branch, Plan, Reach
from strongroom.query import ast
from strongroom.schema.model import Rights, Table
from strongroom.store.compile import Compiled, Visible
from strongroom.store.engine import Connection, Engine
from strongroom.store.layout import fold

UNITS = range(1, 1001)
USERS = range(2001, 4001)
TEAMS = range(5001, 5201)
COLUMNS = (
    "id",
    "accountid",
    "owner",
    "unit",
    "name",
    "name__fold",
    "city",
    "numberofemployees",
    "revenue",
    "donotemail",
)
WORDS = ("north", "Süd", "river", "stone", "Ярко", "light", "Glas", "field", "harbour", "paper", "cloud", "Ölmühle")


@dataclass
class Company:
    """The database, and what its counters would say."""

    engine: Engine
    connection: Connection
    total: int
    counters: Counter[tuple[int, int]]
    reaches: dict[str, Plan] = field(default_factory=dict[str, Plan])

    def plan(self, archetype: str) -> Plan:
        return self.reaches[archetype]

    def estimate(self, table: Table, reach: Reach) -> Visible:
        if reach.everything:
            return Visible(self.total, self.total)
        visible = sum(n for (owner, unit), n in self.counters.items() if owner in reach.owners or unit in reach.units)
        return Visible(visible, self.total)

    def explain(self, compiled: Compiled) -> list[str]:
        """The lines of EXPLAIN QUERY PLAN, indented by their depth."""
        depths: dict[int, int] = {0: -1}
        lines: list[str] = []
        for number, parent, _, text in self.connection.query(f"explain query plan {compiled.sql}", compiled.parameters):
            depths[number] = depths[parent] + 1
            lines.append("  " * depths[number] + text)
        return lines

    def instructions(self, compiled: Compiled) -> int:
        """Instructions of the virtual machine that the statement takes."""
        driver: Any = cast(Any, self.connection).driver
        count = 0

        def tick() -> int:
            nonlocal count
            count += 1
            return 0

        driver.set_progress_handler(tick, 10)
        try:
            self.connection.query(compiled.sql, compiled.parameters)
        finally:
            driver.set_progress_handler(None, 10)
        return count * 10


def company(engine: Engine, connection: Connection, accounts: int) -> Company:
    """Fill `connection` with `accounts` accounts and a share for every twentieth, the same for every run."""
    chance = random.Random(accounts)
    create_tables(engine, connection)
    unit_of = {key: int(1 + 999 * chance.random() ** 2) for key in (*USERS, *TEAMS)}
    principals = list(unit_of)
    chance.shuffle(principals)
    weights = [1 / (10 + rank) for rank in range(len(principals))]
    counters: Counter[tuple[int, int]] = Counter()
    rows: list[tuple[object, ...]] = []
    owners = chance.choices(principals, weights, k=accounts)
    for key, owner in enumerate(owners, 1):
        name = f"{chance.choice(WORDS)} {chance.choice(WORDS)} {chance.randrange(16**6):06x}"
        counters[owner, unit_of[owner]] += 1
        rows.append(
            (
                key,
                guid("account", key),
                owner,
                unit_of[owner],
                name,
                fold(name),
                name[:5],
                key % 500,
                key * 10_000,
                key % 2,
            )
        )
    connection.execute("begin")
    connection.insert("account", COLUMNS, rows)
    busy = principals[7]
    pairs = {
        (chance.randint(1, accounts), busy if chance.random() < 0.06 else chance.choice(principals))
        for _ in range(accounts // 20)
    }
    sharers = Counter(row for row, _ in pairs)
    shares = [
        (
            number,
            guid("principalobjectaccess", number),
            "account",
            row,
            guid("account", row),
            principal,
            1,
            0,
            rows[row - 1][5],
            rows[row - 1][2],
            rows[row - 1][3],
            int(sharers[row] == 1),
        )
        for number, (row, principal) in enumerate(pairs, 1)
    ]
    names = ("id", "principalobjectaccessid", "objecttypecode", "object", "objectid", "principal")
    of_row = ("accessrightsmask", "inheritedaccessrightsmask", "sort", "owner", "unit", "alone")
    connection.insert("principalobjectaccess", (*names, *of_row), shares)
    connection.execute("commit")
    made = Company(engine, connection, accounts, counters)
    made.reaches = _archetypes(made, principals, busy, chance)
    return made


def _archetypes(made: Company, principals: list[int], busy: int, chance: random.Random) -> dict[str, Plan]:
    def plan(owners: set[int], units: set[int], sharers: set[int]) -> Plan:
        branches = [ast.OwnerIn("", frozenset(owners)), ast.UnitIn("", frozenset(units))]
        predicates = [each for each in branches if each.keys]
        every = (*predicates, ast.SharedWith("", frozenset(sharers), Rights.READ))
        return Plan(ACCOUNT, Rights.READ, tuple(Branch(each, ()) for each in every))

    me, team, other = principals[900], principals[901], principals[902]
    units = list(UNITS)
    chance.shuffle(units)
    subtree = {"deep_s": 11, "deep_m": 33, "deep_l": 181}
    return {
        "own": plan({me, team, other}, set(), {me, team, other}),
        "bu": plan({me}, {units[0]}, {me}),
        **{name: plan({me, team}, set(units[:count]), {me, team, other}) for name, count in subtree.items()},
        "global": Plan(ACCOUNT, Rights.READ, (Branch(ast.TRUE, ()),)),
        "mixed": plan({me, *principals[300:364]}, set(), {me, busy, *principals[300:304]}),
    }
