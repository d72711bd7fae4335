"""Counters: how many rows of a table have this owner and owning unit.

They make exact counts, the choice between walking and merging, and previews of a role's reach independent of the size
of the table (performance, section 2). Changes are gathered during a write and added to the table once, at the latest
when it commits; queries in the same write see them, because `flush` runs before each.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from strongroom.schema.model import Schema, Table
from strongroom.store.dialect import quote
from strongroom.store.engine import Connection, CounterChange, Engine
from strongroom.store.layout import has_owner_key, has_unit, is_counted
from strongroom.store.protocol import Row

Place = tuple[str, int, int]
"""Table, owner, unit. Tables without an owner or unit have 0 there."""

ADD = (
    "insert into counters (tablename, owner, unit, amount) values (?, ?, ?, ?)"
    " on conflict (tablename, owner, unit) do update set amount = counters.amount + excluded.amount"
)


class Counters:
    """What a write has added to the counters and not yet stored."""

    def __init__(self) -> None:
        self._added: Counter[Place] = Counter()
        self.taken: list[CounterChange] = []
        """All that has been stored so far, or given away to be stored."""

    def add(self, table: Table, rows: Iterable[Row], amount: int) -> None:
        """Count `rows` in (`amount` 1) or out (-1)."""
        if is_counted(table):
            name = table.logical_name
            for (owner, unit), number in Counter((row.owner, row.unit) for row in rows).items():
                self._added[name, owner or 0, unit or 0] += amount * number

    def move(self, table: Table, old: tuple[int, int], new: tuple[int, int], number: int) -> None:
        """Count `number` rows of a table out of one (owner, unit) and into another."""
        if is_counted(table):
            self._added[table.logical_name, *old] -= number
            self._added[table.logical_name, *new] += number

    def flush(self, connection: Connection) -> None:
        """Store what was added."""
        if not self._added:
            return
        changed = self.take()
        if len(changed) == 1:
            connection.execute(ADD, changed[0])
        elif changed:
            connection.execute_many(ADD, changed)

    def take(self) -> list[CounterChange]:
        """What was added, for whoever stores it: the commit itself, at the end of a write."""
        changed = [(*place, amount) for place, amount in sorted(self._added.items()) if amount]
        self._added.clear()
        self.taken += changed
        return changed


def stored_counts(connection: Connection, table: str) -> dict[tuple[int, int], int]:
    """The counters of one table by (owner, unit), without empty ones."""
    found = connection.query("select owner, unit, amount from counters where tablename = ?", (table,))
    return {(owner, unit): amount for owner, unit, amount in found if amount}


def recount(connection: Connection, table: Table) -> dict[tuple[int, int], int]:
    """The same from the rows themselves."""
    owner = "coalesce(owner, 0)" if has_owner_key(table) else "0"
    unit = "coalesce(unit, 0)" if has_unit(table) else "0"
    found = connection.query(
        f"select {owner}, {unit}, count(*) from {quote(table.logical_name)} group by 1, 2 having count(*) > 0"
    )
    return {(owner, unit): number for owner, unit, number in found}


def doubts(connection: Connection, engine: Engine, schema: Schema) -> list[str]:
    """Tables whose counters differ from a recount."""
    existing = engine.tables(connection)
    wrong: list[str] = []
    for name, table in schema.tables.items():
        if is_counted(table) and name in existing:
            counted, real = stored_counts(connection, name), recount(connection, table)
            if counted != real:
                wrong.append(f"{name}: the counters say {_total(counted)} rows, there are {_total(real)}")
    return wrong


def _total(counts: Mapping[tuple[int, int], int]) -> str:
    return f"{sum(counts.values())} in {len(counts)} places"
