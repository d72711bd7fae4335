"""W4 and W5: creating and updating, audit entries, counters and commit included, against bare statements with commit.

Product and bare statements write to the same table through connections of their own, and a connection forgets its pages
when another one has written. So each takes its turn in blocks, and the first call of a block is not timed. Both write
rows that differ from call to call: who inserts the same row again always meets pages that are at hand, which no program
does. The rows that are made go away in the end, and so do the counts of those that went past the counters.

A commit waits for the disk, and on a machine whose disk is busy for little else: so the embedded store's single writes
are shown in processor time too.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count, cycle, islice
from time import thread_time

from strongroom.clock import iso
from strongroom.environment import Identity
from strongroom.ids import Guid, new_guids
from strongroom.jobs.bench.figures import Figure, Target
from strongroom.jobs.bench.place import SEED, Place
from strongroom.jobs.bench.rounds import Act, interleaved, ratio
from strongroom.records import NewRecord, RequestFacts, create, create_multiple, update
from strongroom.store.engine import Connection, Raw

_BULK = 1_000
_LOAD = 10_000
"""Rows of one transaction when a data set is loaded."""

_BLOCK_S = 0.05
"""How long a block of single writes lasts: a hundred commits, so that one that waits for the disk does not decide."""

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

    def update_one(self, row_id: Guid, fax: str) -> None:
        with self.place.environment.session(self._identity, RequestFacts(), write=True) as session:
            update(session, self.place.table, row_id, {"fax": fax})

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

    def bare_insert(self, names: list[str], rows: list[Raw]) -> Act:
        """An act that inserts rows like these, with keys and GUIDs of their own, in one transaction."""
        key, guid = names.index("id"), names.index("accountid")
        used = [place for place in range(len(names)) if any(row[place] is not None for row in rows)]
        columns = [names[place] for place in used]
        clock = self.place.environment.clock

        def act() -> None:
            fresh: list[list[object]] = []
            for row, identity in zip(rows, new_guids(clock, len(rows)), strict=True):
                values = list(row)
                values[key], values[guid] = next(self.keys), identity
                fresh.append([values[place] for place in used])
            self.connection.execute("begin immediate" if self.place.engine == "sqlcipher" else "begin")
            self.connection.insert("account", columns, fresh)
            self.connection.execute("commit")

        return act

    def bare_insert_of_each(self, names: list[str], rows: list[Raw]) -> Act:
        """An act that inserts one row, another one at each call."""
        acts = cycle([self.bare_insert(names, [row]) for row in rows])
        return lambda: next(acts)()

    def bare_update(self, row_id: Guid, fax: str) -> None:
        self.connection.execute("begin immediate" if self.place.engine == "sqlcipher" else "begin")
        self.connection.execute(
            "update account set fax = ?, modifiedon = ?, versionnumber = ? where accountid = ?",
            (fax, iso(self.place.environment.clock.now()), next(self.keys), row_id),
        )
        self.connection.execute("commit")

    def any_rows(self) -> list[Guid]:
        """Rows from all over the table, in no order; their fax numbers are nothing that lists go by."""
        found = self.connection.query("select accountid from account order by accountid")
        return [Guid(str(row_id)) for (row_id,) in random.Random(SEED).sample(found, min(len(found), 10 * _BULK))]  # noqa: S311

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
        writing.create_many(_LOAD)  # who the owners are is known from then on, as in a program that runs for a while
        made = writing.stored(writing.made[-_BULK:])
        one = writing.bare_insert_of_each(*made)
        yield from _single(place, "W4 create 1", {"product": writing.create_one, "bare": one}, rounds, 1.5)
        many = writing.bare_insert(*made)
        found = interleaved({"product": writing.create_many, "bare": many}, rounds, warm=True)
        yield ratio("W4 create 1,000", found["product"], found["bare"], "bare insert of 1,000", Target(most=1.6))
        writing.create_many(_LOAD)
        load = writing.bare_insert(*writing.stored(writing.made[-_LOAD:]))
        found = interleaved({"product": lambda: writing.create_many(_LOAD), "bare": load}, min(rounds, 3), warm=True)
        yield ratio("Load of 10,000", found["product"], found["bare"], "bare insert of 10,000", Target(most=1.6))
        targets, numbers = cycle(writing.any_rows()), count(1)
        acts: dict[str, Act] = {
            "product": lambda: writing.update_one(next(targets), str(next(numbers))),
            "bare": lambda: writing.bare_update(next(targets), str(next(numbers))),
        }
        yield from _single(place, "W5 update", acts, rounds, 2.0)
    finally:
        writing.tidy()


def _single(place: Place, measure: str, acts: dict[str, Act], rounds: int, most: float) -> Iterator[Figure]:
    """A write of one row, in wall time and for the embedded store in processor time."""
    found = interleaved(acts, rounds, warm=True, least_s=_BLOCK_S)
    yield ratio(measure, found["product"], found["bare"], f"bare {measure.split()[1]}", Target(most=most))
    if place.engine == "sqlcipher":
        found = interleaved(acts, rounds, warm=True, clock=thread_time, least_s=_BLOCK_S)
        yield ratio(f"{measure}, processor time", found["product"], found["bare"], f"bare {measure.split()[1]}")
