"""Turning the encryption of a column on, changing its key, and turning it off, while others read and write (TS-504).

A change says at once how new values are stored, by the column's metadata; the rows that are there follow in steps of
bounded size. Each step is a transaction of its own that goes on where the last one ended (`columnkey.place`), so it may
be interrupted at any moment. Reading never waits for it: every stored value says by which key it is sealed, if by any.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from strongroom.errors import Conflict, IntegrityViolation
from strongroom.ids import Guid
from strongroom.schema.model import Column, Table
from strongroom.store.column_keys import (
    MARK,
    TABLE,
    KeyState,
    Place,
    RootSource,
    StoredColumnKey,
    fresh,
    rewrap,
    stored_keys,
)
from strongroom.store.dialect import quote
from strongroom.store.work import Work

STEP = 2_000
"""Rows that one step converts: well under a tenth of a second of the writer's turn."""

_WORKING = (KeyState.SEALING, KeyState.OPENING)
_BATCH = 5_000


@dataclass(frozen=True, slots=True)
class Held:
    """What is stored in an encrypted column: values in plain, sealed, and those that do not open."""

    plain: int
    sealed: int
    broken: int


class ColumnEncryption:
    """The encryption of columns in one transaction."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._connection = work.connection

    def stored(self) -> list[StoredColumnKey]:
        """All keys of columns there are, wrapped: for listings."""
        return stored_keys(self._connection)

    def add_key(self, table: Table, column: Column) -> int:
        """A new version of the column's key, with which every row is to be sealed; its number.

        Raises `Conflict` for a column that holds what looks sealed and is not.
        """
        self._work.must_write()
        if not column.is_encrypted:
            self._refuse_marked(table, column)
        self._retire(table, column)
        known = [key.version for key in self.stored() if (key.table, key.column) == _name(table, column)]
        version = max(known, default=0) + 1
        name = (*_name(table, column), version)
        wrapped = self._work.column_keys.wrapped(*name, fresh())
        self._connection.execute(
            f"insert into {TABLE} (tablename, columnname, version, state, place, createdon, wrapped)"
            " values (?, ?, ?, ?, 0, ?, ?)",
            (*name, KeyState.SEALING.value, self._work.now(), wrapped),
        )
        self._work.column_keys.load(self._connection)
        return version

    def begin_opening(self, table: Table, column: Column) -> None:
        """Every row is to be given back in plain."""
        self._work.must_write()
        self._connection.execute(
            f"update {TABLE} set state = ?, place = 0 where tablename = ? and columnname = ? and version = ?",
            (KeyState.OPENING.value, *_name(table, column), column.key_version),
        )

    def pending(self) -> list[StoredColumnKey]:
        """The keys for which rows are still to be converted."""
        return [key for key in self.stored() if key.state in _WORKING]

    def step(self, limit: int = STEP) -> tuple[int, list[StoredColumnKey]]:
        """Convert the next rows, at most `limit`: how many, and the columns that are in plain now. The caller takes the
        encryption of these off their metadata."""
        self._work.must_write()
        done, opened = 0, list[StoredColumnKey]()
        for key in self.pending():
            if done >= limit:
                break
            table = self._work.schema.tables.get(key.table)
            column = table.columns.get(key.column) if table is not None else None
            if table is None or column is None:
                self._settle(key, KeyState.RETIRED, key.place)
                continue
            number, place, is_last = self._convert(table, key, limit - done)
            done += number
            if not is_last:
                self._settle(key, key.state, place)
            elif key.state is KeyState.SEALING:
                self._settle(key, KeyState.ACTIVE, place)
            else:
                self._settle(key, KeyState.RETIRED, place)
                opened.append(key)
        return done, opened

    def held(self, table: Table, column: Column) -> Held:
        """What the stored bytes of the column are: each sealed value is opened (`VerifyEncryption`)."""
        plain, sealed, broken, place = 0, 0, 0, 0
        while found := self._page(table, column.logical_name, place, _BATCH):
            for _, row, stored in found:
                if not stored.startswith(MARK):
                    plain += 1
                    continue
                try:
                    self._open(table, column.logical_name, row, stored)
                    sealed += 1
                except IntegrityViolation:
                    broken += 1
            place = found[-1][0]
        return Held(plain, sealed, broken)

    def told(self, table: str, row: str, column: str, value: str) -> str:
        """A value of the trail as the one who may see it reads it. What does not open is shown as it is stored: whether
        the trail was altered is for its proof to say."""
        if not value.startswith(MARK):
            return value
        if not self._work.column_keys.knows(table, column):
            self._work.column_keys.load(self._connection)
            if not self._work.column_keys.knows(table, column):
                return value
        try:
            return self._work.column_keys.open(table, column, row, value, Place.TRAIL)
        except IntegrityViolation:
            return value

    def rewrap(self, old: RootSource, new: RootSource) -> int:
        """Take the keys of a store that was copied here from another environment over; how many."""
        self._work.must_write()
        return rewrap(self._connection, old, new)

    def _convert(self, table: Table, key: StoredColumnKey, limit: int) -> tuple[int, int, bool]:
        """Rows looked at, the last one's key, and whether it was the last of all."""
        found = self._page(table, key.column, key.place, limit)
        current = f"{MARK}{key.version}."
        changed: list[tuple[str, int]] = []
        for number, row, stored in found:
            is_done = stored.startswith(current) if key.state is KeyState.SEALING else not stored.startswith(MARK)
            if is_done:
                continue
            text = self._open(table, key.column, row, stored)
            if key.state is KeyState.SEALING:
                text = self._work.column_keys.seal(key.table, key.column, key.version, Guid(row), text)
            changed.append((text, number))
        if changed:
            name = quote(key.column)
            self._connection.execute_many(f"update {quote(key.table)} set {name} = ? where id = ?", changed)
        return len(found), found[-1][0] if found else key.place, len(found) < limit

    def _page(self, table: Table, column: str, after: int, limit: int) -> Sequence[tuple[int, str, str]]:
        name, guid = quote(column), quote(table.primary_id)
        found = self._connection.query(
            f"select id, {guid}, {name} from {quote(table.logical_name)} where {name} is not null and id > ?"
            f" order by id limit {int(limit)}",
            (after,),
        )
        return [(int(number), str(row), str(stored)) for number, row, stored in found]

    def _open(self, table: Table, column: str, row: str, stored: str) -> str:
        return self._work.column_keys.open(table.logical_name, column, row, stored)

    def _settle(self, key: StoredColumnKey, state: KeyState, place: int) -> None:
        self._connection.execute(
            f"update {TABLE} set state = ?, place = ? where tablename = ? and columnname = ? and version = ?",
            (state.value, place, key.table, key.column, key.version),
        )

    def _retire(self, table: Table, column: Column) -> None:
        self._connection.execute(
            f"update {TABLE} set state = ? where tablename = ? and columnname = ?",
            (KeyState.RETIRED.value, *_name(table, column)),
        )

    def _refuse_marked(self, table: Table, column: Column) -> None:
        name = quote(column.logical_name)
        found = self._connection.query(
            f"select {quote(table.primary_id)} from {quote(table.logical_name)} where {name} like ? limit 1",
            (f"{MARK}%",),
        )
        if found:
            raise Conflict(
                f"The row {found[0][0]} of '{table.logical_name}' has a value in '{column.logical_name}' that begins"
                f" with '{MARK}', which would be taken for a sealed one: change it first."
            )


def _name(table: Table, column: Column) -> tuple[str, str]:
    return table.logical_name, column.logical_name
