"""Instructions of SQLite's virtual machine behind a list: the measure that does not depend on the machine."""

from collections.abc import Iterator

from strongroom.access.plan import Reach
from strongroom.access.planned import PlannedSelect, planned
from strongroom.jobs.bench.figures import Figure, Spread, Target
from strongroom.jobs.bench.place import Place
from strongroom.records import RequestFacts
from strongroom.schema.model import Table
from strongroom.store.compile import Compiled, Statements, Visible
from strongroom.store.counters import stored_counts
from strongroom.store.dialect import SQLITE
from strongroom.store.engine import Connection
from strongroom.store.sqlcipher import SqlcipherConnection


class Compiler:
    """Compiles a place's queries as its store does, for a connection of one's own."""

    def __init__(self, connection: Connection) -> None:
        self._counts = stored_counts(connection, "account")
        self._statements = Statements(SQLITE)

    def compiled(self, place: Place, query: PlannedSelect) -> Compiled:
        """The statement that the product runs for `query`."""
        return self._statements.select(query, place.schema, self._visible)

    def _visible(self, _: Table, reach: Reach) -> Visible:
        total = sum(self._counts.values())
        if reach.everything:
            return Visible(total, total)
        found = self._counts.items()
        return Visible(sum(n for (owner, unit), n in found if owner in reach.owners or unit in reach.units), total)


def of_lists(place: Place, small: Place) -> Iterator[Figure]:
    """The first page of each archetype here, and how much more it is than in the small data set: in all, and for each
    row of the page, because a caller who sees half a page there has half of its work."""
    if place.engine != "sqlcipher":
        return
    here, there = _lists(place), _lists(small)
    for name, (number, _) in here.items():
        yield Figure(f"VM instructions, list {name}", Spread.of([float(number)]), "")
    for name, (number, rows) in here.items():
        before, rows_before = there[name]
        measure = f"VM instructions, list {name}, growth from {small.company.accounts:,}"
        yield Figure(measure, Spread.of([number / before]), target=Target(most=1.6))
        if rows != rows_before:
            each = (number / max(rows, 1)) / (before / max(rows_before, 1))
            yield Figure(f"{measure}, per row", Spread.of([each]), target=Target(most=1.6))


def _lists(place: Place) -> dict[str, tuple[int, int]]:
    """Instructions and rows of each archetype's first page."""
    connection = place.connect()
    compiler = Compiler(connection)
    found: dict[str, tuple[int, int]] = {}
    for archetype in place.archetypes:
        with place.environment.session(place.identity(archetype), RequestFacts(), write=False) as session:
            compiled = compiler.compiled(place, planned(place.list_by(), session.caller))
        rows = len(connection.query(compiled.sql, compiled.parameters))
        found[archetype.name] = (_instructions(connection, compiled), rows)
    connection.close()
    return found


def _instructions(connection: Connection, compiled: Compiled) -> int:
    if not isinstance(connection, SqlcipherConnection):
        return 0
    count = 0

    def tick() -> int:
        nonlocal count
        count += 1
        return 0

    connection.driver.set_progress_handler(tick, 1)
    try:
        connection.query(compiled.sql, compiled.parameters)
    finally:
        connection.driver.set_progress_handler(None, 1)
    return count
