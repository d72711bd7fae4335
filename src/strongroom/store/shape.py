"""How rows of one table travel between `Row` and the driver: which columns, in which order, with which codecs.

A `Shape` is made once per table and schema version. Reading makes a `Row` of one driver row. Writing goes by column,
not by row, because that is what makes bulk inserts fast: one list per column that any row uses, zipped into tuples.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from strongroom.errors import IntegrityViolation, InvalidRequest
from strongroom.ids import Guid, Key, Reference
from strongroom.schema.model import Column, ColumnType, Table
from strongroom.store.column_keys import MARK, ColumnKeys
from strongroom.store.dialect import quote
from strongroom.store.engine import Codec, Engine, Raw
from strongroom.store.layout import fold, has_owner_key, has_table_column, has_unit, is_folded, is_stored
from strongroom.store.protocol import Row, Value

VERSION = "versionnumber"


@dataclass(frozen=True, slots=True)
class _Stored:
    """One stored column and how its values change on the way."""

    column: Column
    encode: Codec | None
    decode: Codec | None
    target: str | None
    """The one table that a lookup points to."""
    is_lookup: bool
    has_table: bool
    is_folded: bool


class Shape:
    """The stored form of one table."""

    def __init__(self, table: Table, engine: Engine, keys: ColumnKeys) -> None:
        self.table = table
        self._keys = keys
        self._encrypted = [column for column in table.columns.values() if column.is_encrypted]
        self.name = quote(table.logical_name)
        self.stored = {c.logical_name: _stored(table, c, engine) for c in table.columns.values() if is_stored(table, c)}
        self.has_owner = has_owner_key(table)
        self.has_unit = has_unit(table)
        self.has_version = VERSION in self.stored
        self._keyed = [name for name in self.stored if name not in (table.primary_id, VERSION)]
        self._writers = [(name, _plain_encoder(self.stored[name]), self.stored[name]) for name in self._keyed]
        self._decoders = [(n, s.decode) for n, s in self.stored.items() if s.decode is not None]
        self._single = [(n, s.target) for n, s in self.stored.items() if s.target is not None]
        self._multiple = [n for n, s in self.stored.items() if s.has_table]
        self._names = [*self.stored, *(f"{name}__table" for name in self._multiple)]
        self._id_at = 3 + self._names.index(table.primary_id)
        self._version_at = 3 + self._names.index(VERSION) if self.has_version else 0
        selected = ["id", "owner" if self.has_owner else "null", "unit" if self.has_unit else "null"]
        self.select = f"select {', '.join([*selected, *map(quote, self._names)])} from {self.name}"
        """The beginning of every statement that reads whole rows."""

    def read(self, raw: Raw) -> Row:
        """A driver row of `select` as a `Row`."""
        values: dict[str, Value] = dict(zip(self._names, raw[3:], strict=True))
        for name, decode in self._decoders:
            value = values[name]
            if value is not None:
                values[name] = decode(value)
        for column in self._encrypted:
            value = values[column.logical_name]
            if isinstance(value, str):
                row = str(raw[self._id_at])
                values[column.logical_name] = self._keys.open(self.table.logical_name, column.logical_name, row, value)
        for name, target in self._single:
            value = values[name]
            if value is not None:
                values[name] = Reference(target or "", Guid(str(value)))
        for name in self._multiple:
            target_table = values.pop(f"{name}__table")
            value = values[name]
            if value is not None:
                values[name] = Reference(str(target_table), Guid(str(value)))
        key = Key(raw[0])
        return Row(self.table, key, Guid(raw[self._id_at]), raw[1], raw[2], raw[self._version_at] or key, values)

    def told(self, names: Sequence[str]) -> tuple[list[str], list[tuple[str, Codec]]]:
        """Expressions that read these columns as they are told in the log: lookups as `table,id`; and the codecs that
        some of the values go through then. It spares a `Row` for each of a million entries."""
        expressions: list[str] = []
        for name in names:
            stored, quoted = self.stored[name], quote(name)
            if stored.target is not None:
                quoted = f"'{stored.target},' || {quoted}"
            elif stored.has_table:
                quoted = f"{quote(f'{name}__table')} || ',' || {quoted}"
            expressions.append(quoted)
        decoded = [(name, self.stored[name].decode) for name in names if not self.stored[name].is_lookup]
        return expressions, [(name, decode) for name, decode in decoded if decode is not None]

    def write(self, rows: Sequence[Row]) -> tuple[list[str], list[tuple[object, ...]]]:
        """`rows` as (column names, tuples) for an insert; columns that are null in all rows are left out."""
        if len(rows) == 1:
            single = self._single_row(rows[0])
            return list(single), [tuple(single.values())]
        names: list[str] = ["id", self.table.primary_id]
        columns: list[Iterable[object]] = [[row.key for row in rows], [row.id for row in rows]]
        if self.has_owner:
            names.append("owner")
            columns.append([row.owner for row in rows])
        if self.has_unit:
            names.append("unit")
            columns.append([row.unit for row in rows])
        if self.has_version:
            names.append(VERSION)
            columns.append([row.version for row in rows])
        given = [self._sealed(row.id, row.values) for row in rows]
        used = set[str]().union(*given)
        for name in self._keyed:
            if name in used:
                for stored_name, stored_values in _columns(self.stored[name], [each.get(name) for each in given]):
                    names.append(stored_name)
                    columns.append(stored_values)
        self._require_known(used)
        return names, list(zip(*columns, strict=True))

    def changes(self, changes: Mapping[str, Value], row: Guid) -> dict[str, object]:
        """`changes` of a row by stored column. Columns that are not stored are left out."""
        self._require_known(changes.keys())
        changes = self._sealed(row, changes)
        found: dict[str, object] = {}
        for name, value in changes.items():
            stored = self.stored.get(name)
            if stored is not None and name not in (self.table.primary_id, VERSION):
                _store(stored, value, found)
        return found

    def _single_row(self, row: Row) -> dict[str, object]:
        """One new row by stored column, without nulls: bulk's way would cost a single row three times as much."""
        found: dict[str, object] = {"id": row.key, self.table.primary_id: row.id}
        if self.has_owner:
            found["owner"] = row.owner
        if self.has_unit:
            found["unit"] = row.unit
        if self.has_version:
            found[VERSION] = row.version
        self._require_known(row.values.keys())
        given = self._sealed(row.id, row.values).get
        for name, encode, stored in self._writers:
            value = given(name)
            if value is None:
                continue
            if encode is not None:
                found[name] = encode(value)
            else:
                _store(stored, value, found)
        return found

    def _sealed(self, row: Guid, values: Mapping[str, Value]) -> Mapping[str, Value]:
        """`values` as they are stored: those of encrypted columns sealed for this row (TS-504)."""
        if not self._encrypted:
            return values
        stored = dict(values)
        for column in self._encrypted:
            name, table = column.logical_name, self.table.logical_name
            value = values.get(name)
            if not isinstance(value, str):
                continue
            if column.key_version is not None and not column.is_opening:
                stored[name] = self._keys.seal(table, name, column.key_version, row, value)
            elif value.startswith(MARK):
                raise InvalidRequest(f"A value of '{name}' of '{table}' cannot begin with '{MARK}' yet.")
        return stored

    def _require_known(self, names: Set[str]) -> None:
        if not names <= self.table.columns.keys():
            unknown = min(names - self.table.columns.keys())
            raise IntegrityViolation(f"{self.table.logical_name} has no column {unknown}.")


def _plain_encoder(stored: _Stored) -> Codec | None:
    """How values of a column without companions are written; None when it takes `_store`."""
    if stored.is_lookup or stored.is_folded:
        return None
    return stored.encode or _as_it_is


def _as_it_is(value: object) -> object:
    return value


def _columns(stored: _Stored, values: list[Value]) -> Iterator[tuple[str, list[Any]]]:
    """The stored columns of many values of one column: itself, and its companion; nothing when all are null.

    Most columns of a bulk insert have one value in all rows, a default or null: it is encoded once.
    """
    first = values[0]
    if values.count(first) == len(values):
        if first is not None:
            single: dict[str, object] = {}
            _store(stored, first, single)
            yield from ((name, [value] * len(values)) for name, value in single.items())
        return
    name = stored.column.logical_name
    if stored.is_lookup:
        yield name, [value.id if type(value) is Reference else _guid(value) for value in values]
        if stored.has_table:
            yield f"{name}__table", [value.table if isinstance(value, Reference) else None for value in values]
        return
    encode = stored.encode
    if encode is None:
        yield name, values
    else:
        yield name, [None if value is None else encode(value) for value in values]
    if stored.is_folded:
        yield f"{name}__fold", [fold(value) if isinstance(value, str) else None for value in values]


def _store(stored: _Stored, value: Value, found: dict[str, object]) -> None:
    """Put one value, and its companion when it has one, into `found`."""
    name = stored.column.logical_name
    if stored.is_lookup:
        found[name] = _guid(value)
        if stored.has_table:
            found[f"{name}__table"] = value.table if isinstance(value, Reference) else None
        return
    found[name] = value if value is None or stored.encode is None else stored.encode(value)
    if stored.is_folded:
        found[f"{name}__fold"] = fold(value) if isinstance(value, str) else None


def _stored(table: Table, column: Column, engine: Engine) -> _Stored:
    multiple = has_table_column(column)
    return _Stored(
        column,
        engine.encoder(column),
        engine.decoder(column),
        column.targets[0] if column.type.is_lookup and not multiple else None,
        column.type.is_lookup,
        multiple,
        is_folded(table, column),
    )


def _guid(value: Value) -> str | None:
    match value:
        case None:
            return None
        case Reference(_, identity):
            return identity
        case str():
            return value
        case _:
            raise IntegrityViolation(f"A lookup holds {type(value).__name__}, not a reference.")


def not_searchable(table: Table, column: Column) -> InvalidRequest:
    """400: the database cannot compare what is sealed under random nonces (TS-504)."""
    return InvalidRequest(
        f"The column '{column.logical_name}' of '{table.logical_name}' is encrypted, so it cannot be used to filter,"
        " sort, group, aggregate or join; only whether it is empty can be asked.",
        details={"reason": "encrypted-column-not-searchable", "rule": "TS-504", "column": column.logical_name},
    )


def key_condition(shape: Shape, columns: Mapping[str, Value], folded: Callable[[str], str]) -> tuple[str, list[object]]:
    """A condition that the columns have these values, text without regard to case, and its parameters."""
    parts: list[str] = []
    parameters: list[object] = []
    for name, value in columns.items():
        stored = shape.stored[name]
        expression = quote(name)
        if value is None:
            parts.append(f"{expression} is null")
            continue
        if stored.column.is_encrypted:
            raise not_searchable(shape.table, stored.column)
        if stored.is_lookup:
            parameters.append(_guid(value))
        elif stored.column.type in (ColumnType.STRING, ColumnType.MEMO):
            expression = quote(f"{name}__fold") if stored.is_folded else folded(expression)
            parameters.append(fold(str(value)))
        else:
            parameters.append(value if stored.encode is None else stored.encode(value))
        parts.append(f"{expression} = ?")
    return " and ".join(parts), parameters
