"""W4 and W5: creating and updating, audit entries, counters and commit included, against bare statements with commit.

Product and bare statements write to the same table through connections of their own, and a connection forgets its pages
when another one has written. So each takes its turn in blocks, and the first call of a block is not timed. The rows
that are made go away in the end, and so do the counts of those that went past the counters.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count, islice

from strongroom.clock import iso
from strongroom.environment import Identity
from strongroom.ids import Guid, new_guid
from strongroom.jobs.bench.figures import Figure, Target
from strongroom.jobs.bench.place import Place
from strongroom.jobs.bench.rounds import interleaved, ratio
from strongroom.records import NewRecord, RequestFacts, create, create_multiple, update
from strongroom.store.engine import Connection, Raw

_BULK = 1_000
_LOAD = 10_000
"""Rows of one transaction when a data set is loaded."""

_FIRST_BARE_KEY = 1 << 60
"""Keys of rows that the bare statements make: far behind those of the product."""


@dataclass(slots=True)
class _Writing:
    """What the acts of this page share."""

    place: Place
    connection: Connection
    records: Iterator[NewRecord]
    made: list[Guid] = field(default_factory=list[Guid])
    keys: "count[int]" = field(default_factory=lambda: count(_FIRST_BARE_KEY))

    @property
    def _identity(self) -> Identity:
        return self.place.identity(next(each for each in self.place.archetypes if each.name == "global"))

    def create_one(self) -> None:
        with self.place.environment.session(self._identity, RequestFacts(), write=True) as session:
            self.made.append(create(session, self.place.table, next(self.records)))

    def create_many(self, number: int = _BULK) -> None:
        records = list(islice(self.records, number))
        with self.place.environment.session(self._identity, RequestFacts(), write=True) as session:
            self.made += create_multiple(session, self.place.table, records)

    def update_one(self, row_id: Guid, employees: int) -> None:
        with self.place.environment.session(self._identity, RequestFacts(), write=True) as session:
            update(session, self.place.table, row_id, {"numberofemployees": employees})

    def stored(self, row_ids: list[Guid]) -> tuple[list[str], list[Raw]]:
        """Columns and values of rows as they lie in the table."""
        shown = self.connection.query("select * from account where accountid = ?", (row_ids[0],))
        names = self._columns()
        rows = [*shown]
        for row_id in row_ids[1:]:
            rows += self.connection.query("select * from account where accountid = ?", (row_id,))
        return names, rows

    def _columns(self) -> list[str]:
        if self.place.engine == "sqlcipher":
            return [name for (name,) in self.connection.query("select name from pragma_table_info('account')")]
        found = self.connection.query(
            "select column_name from information_schema.columns where table_name = 'account'"
            " and table_schema = current_schema() order by ordinal_position"
        )
        return [name for (name,) in found]

    def bare_insert(self, names: list[str], rows: list[Raw]) -> Callable[[], None]:
        """An act that inserts rows like these, with keys and GUIDs of their own, in one transaction."""
        key, guid = names.index("id"), names.index("accountid")
        used = [place for place in range(len(names)) if any(row[place] is not None for row in rows)]
        columns = [names[place] for place in used]
        clock = self.place.environment.clock

        def act() -> None:
            fresh: list[list[object]] = []
            for row in rows:
                values = list(row)
                values[key], values[guid] = next(self.keys), new_guid(clock)
                fresh.append([values[place] for place in used])
            self.connection.execute("begin immediate" if self.place.engine == "sqlcipher" else "begin")
            self.connection.insert("account", columns, fresh)
            self.connection.execute("commit")

        return act

    def bare_update(self, row_id: Guid, employees: int) -> None:
        self.connection.execute("begin immediate" if self.place.engine == "sqlcipher" else "begin")
        self.connection.execute(
            "update account set numberofemployees = ?, modifiedon = ?, versionnumber = ? where accountid = ?",
            (employees, iso(self.place.environment.clock.now()), next(self.keys), row_id),
        )
        self.connection.execute("commit")

    def tidy(self) -> None:
        """Take away what was made."""
        self.connection.execute("begin")
        self.connection.execute("delete from account where id >= ?", (_FIRST_BARE_KEY,))
        self.connection.execute("commit")
        table = self.place.table
        with self.place.environment.database.write() as transaction:
            transaction.delete(table, list(transaction.rows(table, self.made).values()))


def writes(place: Place, connection: Connection, rounds: int) -> Iterator[Figure]:
    """W4 and W5."""
    writing = _Writing(place, connection, (NewRecord(row) for row in place.new_rows()))
    try:
        writing.create_one()
        one = writing.bare_insert(*writing.stored(writing.made[-1:]))
        found = interleaved({"product": writing.create_one, "bare": one}, rounds, warm=True)
        yield ratio("W4 create 1", found["product"], found["bare"], "bare insert", Target(most=1.5))
        writing.create_many()
        many = writing.bare_insert(*writing.stored(writing.made[-_BULK:]))
        found = interleaved({"product": writing.create_many, "bare": many}, rounds, warm=True)
        yield ratio("W4 create 1,000", found["product"], found["bare"], "bare insert of 1,000", Target(most=1.6))
        writing.create_many(_LOAD)
        load = writing.bare_insert(*writing.stored(writing.made[-_LOAD:]))
        found = interleaved({"product": lambda: writing.create_many(_LOAD), "bare": load}, min(rounds, 3), warm=True)
        yield ratio("Load of 10,000", found["product"], found["bare"], "bare insert of 10,000", Target(most=1.6))
        targets, numbers = writing.made[:_BULK], count(1)
        found = interleaved(
            {
                "product": lambda: writing.update_one(targets[next(numbers) % _BULK], next(numbers)),
                "bare": lambda: writing.bare_update(targets[next(numbers) % _BULK], next(numbers)),
            },
            rounds,
            warm=True,
        )
        yield ratio("W5 update", found["product"], found["bare"], "bare update", Target(most=2.0))
    finally:
        writing.tidy()
