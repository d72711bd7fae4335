"""Whole copies of a store, taken while clients write, and put back exactly: what back-ups are made of.

A copy is a sequence of parts, each a name and bytes. Of a SQLCipher store it is the file itself, page by page; of a
PostgreSQL store its structure and each table in PostgreSQL's own binary form. Either gives back exactly what it was
taken of, on the same engine; for the other engine there are exports.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from strongroom.clock import Clock
from strongroom.errors import HomeError
from strongroom.store import journal
from strongroom.store.dialect import quote
from strongroom.store.engine import Connection, Engine
from strongroom.store.journal import Entry

if TYPE_CHECKING:
    from strongroom.store.protocol import Transaction

CHUNK = 4 * 1024 * 1024
Tell = Callable[[str, int, int], None]
"""Progress: what, how much is done, of how much."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a copy. `chunks` is gone through once."""

    name: str
    chunks: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class StoreCopy:
    """One moment of a store: `rows` by table, the log's size and root then, and the parts that give it back."""

    engine: str
    rows: Mapping[str, int]
    tree_size: int
    root: str
    size_bytes: int
    """About how much the parts are together, for progress; 0 where it is not known."""

    parts: Iterator[Part]

    journal: str = ""
    """The newest entry of the journal then, as `journal.position` reads it; empty where there is none."""


class Receiver(Protocol):
    """Takes the parts of a copy in their order. Nothing counts before `finish`."""

    def begin(self, name: str) -> None:
        """A part begins."""
        ...

    def take(self, data: bytes) -> None:
        """Some bytes of the part."""
        ...

    def end(self) -> None:
        """The part is complete."""
        ...

    def finish(self, note: "Callable[[Transaction], None] | None" = None, entries: Iterable[Entry] = ()) -> None:
        """The copy is complete: make it durable. Before it counts, entries of the journal are done again on it and
        `note` writes to it, where the receiver has the store open; a file receiver has not, and takes none."""
        ...

    def give_up(self) -> None:
        """The copy will not be complete: leave nothing behind."""
        ...


def copy_of(engine: Engine) -> AbstractContextManager[StoreCopy]:
    """One moment of a store, for as long as the block lasts. Writers go on beside it."""
    if engine.name == "sqlcipher":
        from strongroom.store.file_copy import copy_of_file
        from strongroom.store.sqlcipher import SqlcipherEngine

        assert isinstance(engine, SqlcipherEngine)  # noqa: S101 - the one engine of this name
        return copy_of_file(engine)
    from strongroom.store.postgresql import PostgresqlEngine
    from strongroom.store.server_copy import copy_of_schema

    assert isinstance(engine, PostgresqlEngine)  # noqa: S101 - as above
    return copy_of_schema(engine)


def receiver_at(place: str | Path, name: str, engine: str, clock: Clock) -> Receiver:
    """What puts a copy taken on `engine` at a place: a path for a new file, or a URL where the environment `name` is
    replaced whole. Raises `HomeError` when the place is of the other engine."""
    is_server = "://" in str(place)
    if is_server != (engine == "postgresql"):
        raise HomeError(
            f"A back-up of a store in {'PostgreSQL' if engine == 'postgresql' else 'a file'} goes back to one like it; "
            "to change the engine, use `strongroom export --everything` and `strongroom import --everything`."
        )
    if is_server:
        from strongroom.store.server_copy import SchemaReceiver

        return SchemaReceiver(str(place), name, clock)
    from strongroom.store.file_copy import FileReceiver

    return FileReceiver(Path(place))


def copy_into(copying: Callable[[], AbstractContextManager[StoreCopy]], receiver: Receiver) -> None:
    """Give all parts of a copy that `copying` takes to a receiver, which is not finished yet."""
    with copying() as copy:
        for part in copy.parts:
            receiver.begin(part.name)
            for chunk in part.chunks:
                receiver.take(chunk)
            receiver.end()


def rows_and_tree(engine: Engine, connection: Connection) -> tuple[dict[str, int], int, str]:
    """Rows by table, and the audit log's size and newest signed root, of the connection's snapshot."""
    counted = dict(connection.query("select tablename, sum(amount) from counters group by tablename"))
    rows: dict[str, int] = {}
    for table in sorted(engine.tables(connection).keys() - {journal.TABLE}):
        known = counted.get(table)
        rows[table] = int(known) if known is not None else _number(connection, table)
    newest = connection.query("select treesize, root from audithead order by treesize desc limit 1")
    size, root = newest[0] if newest else (0, "")
    return rows, int(size), str(root)


def journal_position(engine: Engine, connection: Connection) -> str:
    """The newest entry of the journal in the connection's snapshot."""
    return str(journal.newest(connection) or "") if journal.TABLE in engine.tables(connection) else ""


def _number(connection: Connection, table: str) -> int:
    return connection.query(f"select count(*) from {quote(table)}")[0][0]
