"""Rows of a store as both engines can have them: for exports of everything, and for copies of the structure alone.

A row is a list of values in the order of its table's columns: text, whole numbers, `float`, `bool`, `Decimal`, bytes or
None, never the driver's own form. Keys, owners, units and versions are what they are inside, so that what is loaded
shows the same rows to the same people, with the same ids and ETags. Folded companions of text are made anew. Values of
encrypted columns are in plain, and the keys of such columns come along unwrapped, because the trail holds what only
they open, and its proof is about what it holds.
"""

import base64
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from strongroom.errors import InvalidRequest
from strongroom.ids import Guid
from strongroom.keys import Secret
from strongroom.keys.wrapping import KEY_BYTES
from strongroom.schema.model import Column, Schema, Table
from strongroom.store import column_keys
from strongroom.store.column_keys import ColumnKeys
from strongroom.store.dialect import quote
from strongroom.store.engine import Codec, Connection, Engine
from strongroom.store.layout import fold

FOLD = "__fold"
_BATCH = 5_000
OWN = frozenset({"journal", "metadata", "migration", "sight", "stamp"})
"""Tables that every store makes for itself: `sight` is what PostgreSQL's policies let readers by hand see, `journal`
how this very store came to be what it is."""

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
    keys: ColumnKeys

    def names(self) -> list[str]:
        """The tables that hold rows of the environment; first the keys of encrypted columns, which others need."""
        found = self.engine.tables(self.connection).keys() - OWN
        return sorted(found, key=lambda name: (name != column_keys.TABLE, name))

    def table(self, name: str) -> PortableTable:
        """One of them."""
        columns = _columns(self.engine, self.connection, name)
        return PortableTable(name, columns, self._rows(name, columns))

    def _rows(self, name: str, columns: tuple[str, ...]) -> Iterator[Row]:
        decoders = _codecs(self.engine, self.schema, name, columns, reads=True)
        opened = _opener(self.schema.tables.get(name), columns, self.keys)
        listed = ", ".join(map(quote, columns))
        if name == column_keys.TABLE:
            for key in column_keys.stored_keys(self.connection):
                yield _revealed(self.keys, key, columns)
            return
        if "id" not in columns:
            order = ", ".join(str(number) for number in range(1, len(columns) + 1))
            for raw in self.connection.query(f"select {listed} from {quote(name)} order by {order}"):
                yield _converted(raw, decoders)
            return
        place, last = columns.index("id"), -1
        sql = f"select {listed} from {quote(name)} where id > ? order by id limit {_BATCH}"
        while batch := self.connection.query(sql, (last,)):
            for raw in batch:
                yield opened(_converted(raw, decoders))
            last = batch[-1][place]


@dataclass(frozen=True, slots=True)
class Load:
    """A store that is being filled, in one unit of work."""

    engine: Engine
    connection: Connection
    schema: Schema
    keys: ColumnKeys

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
        sealed = _sealer(self.schema.tables.get(name), kept, self.keys)
        if name == column_keys.TABLE:
            rows = [_wrapped(self.keys, row, columns) for row in rows]
        names = (*kept, *(f"{column}{FOLD}" for column in folded))
        number = 0
        batch: list[tuple[object, ...]] = []
        for row in rows:
            chosen = [row[place] for place in places]
            folds = [_folded(chosen[place]) for place in at]
            batch.append((*sealed(_converted(chosen, encoders)), *folds))
            if len(batch) >= _BATCH:
                self.connection.insert(name, names, batch)
                number += len(batch)
                batch.clear()
        if batch:
            self.connection.insert(name, names, batch)
        if name == column_keys.TABLE:
            self.keys.load(self.connection)
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


_Change = Callable[[Row], Row]


def _opener(table: Table | None, columns: Sequence[str], keys: ColumnKeys) -> _Change:
    """What makes the sealed values of a row plain: an export is in an open format."""

    def opened(row: Row, place: int, column: str, row_id: str) -> None:
        row[place] = keys.open(table.logical_name if table else "", column, row_id, str(row[place]))

    return _on_encrypted(table, columns, opened)


def _sealer(table: Table | None, columns: Sequence[str], keys: ColumnKeys) -> _Change:
    """What seals them again, with the key that the column has here."""

    def sealed(row: Row, place: int, column: str, row_id: str) -> None:
        found = None if table is None else table.columns[column]
        if table is not None and found is not None and found.key_version is not None and not found.is_opening:
            row[place] = keys.seal(table.logical_name, column, found.key_version, Guid(row_id), str(row[place]))

    return _on_encrypted(table, columns, sealed)


def _on_encrypted(table: Table | None, columns: Sequence[str], act: Callable[[Row, int, str, str], None]) -> _Change:
    if table is None or table.primary_id not in columns:
        return lambda row: row
    places = [(columns.index(each.logical_name), each.logical_name) for each in _encrypted(table, columns)]
    id_place = columns.index(table.primary_id)

    def changed(row: Row) -> Row:
        for place, column in places:
            if row[place] is not None:
                act(row, place, column, str(row[id_place]))
        return row

    return changed if places else lambda row: row


def _encrypted(table: Table, columns: Sequence[str]) -> list[Column]:
    return [each for each in table.columns.values() if each.is_encrypted and each.logical_name in columns]


def _revealed(keys: ColumnKeys, key: column_keys.StoredColumnKey, columns: Sequence[str]) -> Row:
    """A key of a column, unwrapped: what it opens beside the rows, which are in plain already, is the trail."""
    secret = keys.revealed(key.table, key.column, key.version, key.wrapped).reveal()
    told: dict[str, object] = {
        "tablename": key.table,
        "columnname": key.column,
        "version": key.version,
        "state": key.state.value,
        "place": key.place,
        "createdon": key.created_on,
        "wrapped": base64.b64encode(secret).decode(),
    }
    return [told[column] for column in columns]


def _wrapped(keys: ColumnKeys, row: Row, columns: Sequence[str]) -> Row:
    told = dict(zip(columns, row, strict=True))
    try:
        secret = Secret(base64.b64decode(str(told["wrapped"]), validate=True))
        if len(secret.reveal()) != KEY_BYTES:
            raise ValueError
        name = (str(told["tablename"]), str(told["columnname"]), int(str(told["version"])))
    except (KeyError, ValueError):
        raise InvalidRequest("The export holds a key of a column that cannot be read.") from None
    told["wrapped"] = keys.wrapped(*name, secret)
    return [told[column] for column in columns]


def _folded(value: object) -> str | None:
    return fold(value) if isinstance(value, str) else None
