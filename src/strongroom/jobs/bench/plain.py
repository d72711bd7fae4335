"""What encryption costs: the same statements on the SQLCipher file and on a plain copy of it, by the same driver."""

import sqlite3
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from time import thread_time

from strongroom.access.planned import planned
from strongroom.ids import Guid
from strongroom.jobs.bench.figures import Figure, Target
from strongroom.jobs.bench.instructions import Compiler
from strongroom.jobs.bench.place import Place
from strongroom.jobs.bench.rounds import Act, interleaved, ratio
from strongroom.records import NewRecord, RequestFacts, create, delete
from strongroom.store import sqlcipher_driver as dbapi2
from strongroom.store.sqlcipher import SqlcipherConnection

_INSERTED = 10_000
_FIRST = 4611686018427387904
"""Keys of rows that are made here begin with this one: far behind all others."""


def against_plain(place: Place, rounds: int) -> Iterator[Figure]:
    """Hot lists and bulk inserts, encrypted over plain."""
    connection = place.connect()
    compiler = Compiler(connection)
    if not isinstance(connection, SqlcipherConnection):
        return
    with TemporaryDirectory(prefix="strongroom-plain-") as folder:
        file = Path(folder) / "plain.db"
        connection.execute("attach database ? as plain key ''", (str(file),))
        connection.query("select sqlcipher_export('plain')")
        connection.execute("detach database plain")
        plain = dbapi2.connect(str(file), isolation_level=None, cached_statements=512)
        for pragma in ("journal_mode = wal", "synchronous = full", "cache_size = -65536", "temp_store = memory"):
            plain.execute(f"pragma {pragma}")
        for archetype in place.archetypes:
            with place.environment.session(place.identity(archetype), RequestFacts(), write=False) as session:
                found = compiler.compiled(place, planned(place.list_by(), session.caller))
            times = interleaved(
                {
                    "sqlcipher": lambda found=found: connection.query(found.sql, found.parameters),
                    "plain": lambda found=found: plain.execute(found.sql, found.parameters).fetchall(),
                },
                rounds,
                clock=thread_time,
            )
            measure = f"SQLCipher, list {archetype.name}"
            yield ratio(measure, times["sqlcipher"], times["plain"], "plain SQLite", Target(most=1.1))
        yield _bulk(connection, plain, rounds)
        yield from _single(place, connection, plain, rounds)
        plain.close()


def _bulk(connection: SqlcipherConnection, plain: sqlite3.Connection, rounds: int) -> Figure:
    """10,000 accounts in one transaction, taken back again: what is written until the commit."""
    copy = (
        "create temp table copied as select * from account limit 10000;"
        f" update copied set id = id + {_FIRST}, accountid = 'x' || substr(accountid, 2)"
    )
    for raw in (connection.driver, plain):
        for statement in copy.split(";"):
            raw.execute(statement)

    def insert(raw: sqlite3.Connection) -> None:
        raw.execute("begin immediate")
        raw.execute("insert into account select * from copied")
        raw.execute("commit")
        raw.execute(f"delete from account where id >= {_FIRST}")

    times = interleaved(
        {"sqlcipher": lambda: insert(connection.driver), "plain": lambda: insert(plain)}, min(rounds, 7)
    )
    return ratio(
        f"SQLCipher, {_INSERTED:,} rows inserted and deleted",
        times["sqlcipher"],
        times["plain"],
        "plain SQLite",
        Target(most=1.8),
    )


def _single(place: Place, connection: SqlcipherConnection, plain: sqlite3.Connection, rounds: int) -> Iterator[Figure]:
    """What one create stores, committed: the row, its entry in the trail, a counter and the stamp; and what a whole
    create takes against what it would take on a plain file, which is less by the difference of the two. In processor
    time, since all of them wait for the same disk."""
    entries = (
        "create temp table entries as select * from audit limit 10000;"
        f" update entries set id = id + {_FIRST}, auditid = 'x' || substr(auditid, 2)"
    )
    for raw in (connection.driver, plain):
        for statement in entries.split(";"):
            raw.execute(statement)
    most = "select min((select count(*) from copied), (select count(*) from entries))"
    (held,) = connection.query(most)[0]

    def creating(raw: sqlite3.Connection) -> Act:
        numbers = count()

        def store() -> None:
            number = next(numbers) % int(held)
            if number == 0:
                _take_back(raw)
            raw.execute("begin immediate")
            raw.execute("insert into account select * from copied where rowid = ?", (number + 1,))
            raw.execute("insert into audit select * from entries where rowid = ?", (number + 1,))
            raw.execute("update counters set amount = amount where tablename = 'account'")
            raw.execute("update stamp set version = version")
            raw.execute("commit")

        return store

    identity = place.identity(next(each for each in place.archetypes if each.name == "global"))
    records = (NewRecord(row) for row in place.new_rows())
    made: list[Guid] = []

    def environment() -> None:
        with place.environment.session(identity, RequestFacts(), write=True) as session:
            made.append(create(session, place.table, next(records)))

    contestants: dict[str, Act] = {
        "environment": environment,
        "sqlcipher": creating(connection.driver),
        "plain": creating(plain),
    }
    try:
        times = interleaved(contestants, rounds, warm=True, clock=thread_time, least_s=0.05)
    finally:
        _take_back(connection.driver)
        with place.environment.session(identity, RequestFacts(), write=True) as session:
            for row_id in made:
                delete(session, place.table, row_id)
    encrypted, bare, whole = times["sqlcipher"], times["plain"], times["environment"]
    yield ratio("SQLCipher, statements of one create, processor time", encrypted, bare, "plain SQLite")
    unencrypted = [all_of_it - mine + theirs for all_of_it, mine, theirs in zip(whole, encrypted, bare, strict=True)]
    named = "the same without what encryption adds"
    yield ratio("Encrypted environment, create 1, processor time", whole, unencrypted, named, Target(most=1.3))


def _take_back(raw: sqlite3.Connection) -> None:
    """Remove the rows that were made here."""
    for table in ("account", "audit"):
        raw.execute(f"delete from {table} where id >= {_FIRST}")
