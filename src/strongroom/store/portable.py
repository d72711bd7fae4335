"""Rows of a store as both engines can have them: for exports of everything, and for copies of the structure alone.

A row is a list of values in the order of its table's columns: text, whole numbers, `float`, `bool`, `Decimal`, bytes or
None, never the driver's own form. Keys, owners, units and versions are what they are inside, so that what is loaded
shows the same rows to the same people, with the same ids and ETags. Folded companions of text are made anew.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from strongroom.schema.model import Schema
from strongroom.store.dialect import quote
from strongroom.store.engine import Codec, Connection, Engine
from strongroom.store.layout import fold

FOLD = "__fold"
_BATCH = 5_000
OWN = frozenset({"metadata", "migration", "sight", "stamp"})
"""Tables that every store makes for itself: `sight` is what PostgreSQL's policies let readers by hand see."""

Row = list[object]


@dataclass(frozen=True, slots=True)
class PortableTable:
    """One table: names of its columns, and its rows, which are gone through once."""

    name: str
    columns: tuple[str, ...]
    rows: Iterator[Row]


@dataclass(frozen=True, slots=True)
class Dump:
    """One snapshot of a store, table by table."""

    engine: Engine
    connection: Connection
    schema: Schema
    epoch: int
    version: int

    def names(self) -> list[str]:
        """The tables that hold rows of the environment."""
        return sorted(self.engine.tables(self.connection).keys() - OWN)

    def table(self, name: str) -> PortableTable:
        """One of them."""
        columns = _columns(self.engine, self.connection, name)
        return PortableTable(name, columns, self._rows(name, columns))

    def _rows(self, name: str, columns: tuple[str, ...]) -> Iterator[Row]:
        decoders = _codecs(self.engine, self.schema, name, columns, reads=True)
        listed = ", ".join(map(quote, columns))
        if "id" not in columns:
            order = ", ".join(str(number) for number in range(1, len(columns) + 1))
            for raw in self.connection.query(f"select {listed} from {quote(name)} order by {order}"):
                yield _converted(raw, decoders)
            return
        place, last = columns.index("id"), -1
        sql = f"select {listed} from {quote(name)} where id > ? order by id limit {_BATCH}"
        while batch := self.connection.query(sql, (last,)):
            for raw in batch:
                yield _converted(raw, decoders)
            last = batch[-1][place]


@dataclass(frozen=True, slots=True)
class Load:
    """A store that is being filled, in one unit of work."""

    engine: Engine
    connection: Connection
    schema: Schema

    def empty(self) -> None:
        """Remove every row of every table, those that mirror the metadata too: they come with the others."""
        for name in sorted(self.engine.tables(self.connection).keys() - OWN):
            self.connection.execute(f"delete from {quote(name)}")

    def table(self, name: str, columns: Sequence[str], rows: Iterable[Row]) -> int:
        """Add rows; how many. Columns that this store does not have are left out."""
        known = self.engine.tables(self.connection).get(name, set[str]())
        kept = [column for column in columns if column in known]
        folded = [column for column in kept if f"{column}{FOLD}" in known]
        places = [columns.index(column) for column in kept]
        at = [kept.index(column) for column in folded]
        encoders = _codecs(self.engine, self.schema, name, kept, reads=False)
        names = (*kept, *(f"{column}{FOLD}" for column in folded))
        number = 0
        batch: list[tuple[object, ...]] = []
        for row in rows:
            chosen = [row[place] for place in places]
            folds = [_folded(chosen[place]) for place in at]
            batch.append((*_converted(chosen, encoders), *folds))
            if len(batch) >= _BATCH:
                self.connection.insert(name, names, batch)
                number += len(batch)
                batch.clear()
        if batch:
            self.connection.insert(name, names, batch)
        return number + len(batch)

    def stamp(self, epoch: int, version: int) -> None:
        """Go on counting where the other store was: no version is used twice."""
        self.connection.execute(
            "update stamp set security_epoch = ?, version = case when version > ? then version else ? end",
            (epoch + 1, version, version),
        )


def copy_tables(dump: Dump, load: Load, only: Collection[str] | None = None) -> None:
    """Give a store the rows of another one: of all tables, or of some with their counts."""
    load.empty()
    for name in dump.names():
        table = dump.table(name)
        if name == "counters" and only is not None:
            place = table.columns.index("tablename")
            load.table(name, table.columns, (row for row in table.rows if row[place] in only))
        elif only is None or name in only:
            load.table(name, table.columns, table.rows)
    load.stamp(dump.epoch, dump.version)


def _columns(engine: Engine, connection: Connection, name: str) -> tuple[str, ...]:
    """The columns in an order that does not hang on the engine: the key first, then by name."""
    found = engine.tables(connection)[name]
    return tuple(sorted((each for each in found if not each.endswith(FOLD)), key=lambda each: (each != "id", each)))


def _codecs(
    engine: Engine, schema: Schema, name: str, columns: Sequence[str], *, reads: bool
) -> list[tuple[int, Codec]]:
    table = schema.tables.get(name)
    if table is None:
        return []
    choose = engine.decoder if reads else engine.encoder
    found = [(place, choose(table.columns[each])) for place, each in enumerate(columns) if each in table.columns]
    return [(place, codec) for place, codec in found if codec is not None]


def _converted(raw: Sequence[object], codecs: Sequence[tuple[int, Codec]]) -> Row:
    row = list(raw)
    for place, codec in codecs:
        if row[place] is not None:
            row[place] = codec(row[place])
    return row


def _folded(value: object) -> str | None:
    return fold(value) if isinstance(value, str) else None
