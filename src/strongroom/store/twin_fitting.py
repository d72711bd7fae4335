"""How twins (`store.twins`) follow a changed schema.

They lose what has become secured in the activity's own table and get what no longer is, and they go with their table.
Activities from before there were twins get theirs here, the first time that this program opens the environment.
"""

from collections.abc import Iterable, Sequence

from strongroom.ids import Key
from strongroom.schema.activities import POINTER, has_twins, twin_columns
from strongroom.schema.model import Rights, Schema, Table
from strongroom.store import shares
from strongroom.store.counters import ADD, stored_counts
from strongroom.store.dialect import quote
from strongroom.store.layout import SHARES, fold
from strongroom.store.protocol import Share
from strongroom.store.shape import VERSION
from strongroom.store.twins import twin
from strongroom.store.work import Work

_PLACE = ("id", "activityid", "owner", "unit", VERSION)


def fit_twins(work: Work, old: Schema | None) -> None:
    """Make twins fit the schema of `work`, to which the tables have been fitted already; counters are stored."""
    pointer = work.schema.tables.get(POINTER)
    if pointer is None:
        return
    before = None if old is None else old.tables.get(POINTER)
    if old is not None and before is not None:
        for table in old.tables.values():
            if has_twins(table):
                _follow(work, before, table, pointer)
    activities = [table for table in work.schema.tables.values() if has_twins(table)]
    counted = sum(sum(stored_counts(work.connection, table.logical_name).values()) for table in activities)
    if counted != sum(stored_counts(work.connection, POINTER).values()):
        for table in activities:
            _make(work, pointer, table)


def _follow(work: Work, before: Table, table: Table, pointer: Table) -> None:
    """The twins of a table that was there before, as `before` was `activitypointer`."""
    kept = work.schema.tables.get(table.logical_name)
    if kept is None:
        _remove(work, table.logical_name)
        return
    shown, wanted = set(twin_columns(before, table)), set(twin_columns(pointer, kept))
    cleared = sorted(name for name in shown - wanted if name in pointer.columns)
    if cleared or wanted - shown:
        _refill(work, table.logical_name, sorted(wanted - shown), cleared)


def _remove(work: Work, name: str) -> None:
    """The twins of a table that is no more, with their shares."""
    places = work.connection.query(
        f"select ?, owner, unit, -count(*) from {POINTER} where activitytypecode = ? group by owner, unit",
        (POINTER, name),
    )
    work.connection.execute_many(ADD, places)
    for table in (SHARES, "inheritedaccess"):
        work.connection.execute(
            f"delete from {table} where objecttypecode = ?"
            f" and object in (select id from {POINTER} where activitytypecode = ?)",
            (POINTER, name),
        )
    work.connection.execute(f"delete from {POINTER} where activitytypecode = ?", (name,))


def _refill(work: Work, name: str, filled: Sequence[str], cleared: Sequence[str]) -> None:
    """Empty some columns of the twins of a table, and take others from its rows."""
    existing = work.engine.tables(work.connection)
    settings = [f"{quote(column)} = null" for column in _stored(existing[POINTER], cleared)]
    taken = [column for column in _stored(existing[POINTER], filled) if column in existing[name]]
    settings += [f"{quote(column)} = t.{quote(column)}" for column in taken]
    if settings:
        work.connection.execute(
            f"update {POINTER} set {', '.join(settings)} from {quote(name)} t where t.id = {POINTER}.id"
        )
    _fold(work, existing, name, filled)


def _make(work: Work, pointer: Table, table: Table) -> None:
    """Twins for rows that have none, with the shares of the rows."""
    name, existing = table.logical_name, work.engine.tables(work.connection)
    lacking = f"not exists (select 1 from {POINTER} p where p.id = t.id)"
    shared = work.connection.query(
        f"select s.object, s.principal, s.accessrightsmask, s.inheritedaccessrightsmask from {SHARES} s"
        f" join {quote(name)} t on t.id = s.object where s.objecttypecode = ? and {lacking}",
        (name,),
    )
    places = work.connection.query(
        f"select ?, owner, unit, count(*) from {quote(name)} t where {lacking} group by owner, unit", (POINTER,)
    )
    taken = _stored(existing[POINTER], twin_columns(pointer, table))
    columns = ", ".join(quote(each) for each in (*_PLACE, *taken) if each in existing[name])
    work.connection.execute(f"insert into {POINTER} ({columns}) select {columns} from {quote(name)} t where {lacking}")
    work.connection.execute_many(ADD, places)
    _fold(work, existing, name, twin_columns(pointer, table))
    shape = work.shape(table)
    for key, principal, direct, inherited in shared:
        row = shape.read(work.connection.query(f"{shape.select} where id = ?", (key,))[0])
        shares.set_share(work, twin(pointer, row), Share(Key(principal), Rights(direct), Rights(inherited)))


def _stored(existing: set[str], columns: Iterable[str]) -> list[str]:
    """The columns with their companions, as far as a table has them."""
    return [each for name in columns for each in (name, f"{name}__table", f"{name}__fold") if each in existing]


def _fold(work: Work, existing: dict[str, set[str]], name: str, columns: Iterable[str]) -> None:
    """Folded texts that twins have and the rows of the table have not."""
    for column in columns:
        folded = f"{column}__fold"
        if folded not in existing[POINTER] or folded in existing[name]:
            continue
        found = work.connection.query(
            f"select id, {quote(column)} from {POINTER} where activitytypecode = ? and {quote(column)} is not null",
            (name,),
        )
        rows = [(fold(text), key) for key, text in found]
        work.connection.execute_many(f"update {POINTER} set {quote(folded)} = ? where id = ?", rows)
