"""What a share knows of its row, and how it is kept true: `owner`, `unit`, the name to `sort` by, and `alone`.

A list or a number of shared rows leaves out those that owners and units bring in already, and a row that several
principals of one caller share counts once. With these four columns the shares say so themselves, from one index, and
no row is read (performance, section 2, points 2, 5 and 6). Whatever makes, moves, renames or ends a shared row keeps
them exact in its own transaction; `strongroom check` compares them with the rows.
"""

from collections.abc import Iterable, Sequence

from strongroom.ids import Key
from strongroom.schema.model import Table
from strongroom.store.dialect import quote
from strongroom.store.engine import Connection, Engine
from strongroom.store.layout import SHARES, fold, sort_column
from strongroom.store.protocol import Row
from strongroom.store.work import BATCH, Work

HAS_NO_OTHER = (
    f"(select count(*) from {SHARES} e where e.objecttypecode = {SHARES}.objecttypecode and e.object = {SHARES}.object)"
    " = 1"
)
"""The row of a share has no second one."""

HOMES = "(select id, unit from systemuser union all select id, unit from team)"
"""The business unit of each user and team."""


def sort_key(row: Row) -> str | None:
    """What lists order the row by: its folded primary name."""
    if sort_column(row.table) is None:
        return None
    name = row.values.get(row.table.primary_name or "")
    return fold(name) if isinstance(name, str) else None


def follow_name(work: Work, row: Row) -> None:
    """Give the shares of a row its new primary name."""
    work.connection.execute(
        f'update {SHARES} set "sort" = ? where objecttypecode = ? and object = ?',
        (sort_key(row), row.table.logical_name, row.key),
    )


def follow_owner(work: Work, row: Row) -> None:
    """Give the shares of a row its new owner and unit."""
    changed = work.connection.execute(
        f"update {SHARES} set owner = ?, unit = ? where objecttypecode = ? and object = ?",
        (row.owner, row.unit, row.table.logical_name, row.key),
    )
    if changed:
        work.shares_changed.add(row.table.logical_name)


def follow_homes(work: Work, table: Table, owners: Sequence[Key]) -> None:
    """Put the shares of all rows of `owners` into the units of these, where the rows have just gone."""
    changed = work.connection.execute(
        f"update {SHARES} as s set unit = p.unit from {HOMES} p where p.id = s.owner and s.objecttypecode = ?"
        f" and {work.engine.keys_in('s.owner')} and s.unit <> p.unit",
        (table.logical_name, work.engine.as_list(owners)),
    )
    if changed:
        work.shares_changed.add(table.logical_name)


def another_came(work: Work, row: Row) -> None:
    """A row has a further share: none of them is alone."""
    work.connection.execute(
        f"update {SHARES} set alone = 0 where objecttypecode = ? and object = ? and alone = 1",
        (row.table.logical_name, row.key),
    )


def some_left(work: Work, table: str, rows: Sequence[int]) -> None:
    """Rows have lost shares: one that is left over is alone."""
    for start in range(0, len(rows), BATCH):
        work.connection.execute(
            f"update {SHARES} set alone = 1 where objecttypecode = ? and {work.engine.keys_in('object')}"
            f" and alone = 0 and {HAS_NO_OTHER}",
            (table, work.engine.as_list(rows[start : start + BATCH])),
        )


def add_columns(engine: Engine, connection: Connection) -> None:
    """The migration of environments whose shares did not know owner, unit and whether they are alone."""
    tables = engine.tables(connection)
    if SHARES not in tables or "alone" in tables[SHARES]:
        return  # a new environment: its tables are made later, and whole
    for name in ("owner", "unit", "alone"):
        connection.execute(f"alter table {SHARES} add column {name} {engine.key_type} not null default 0")
    for table in _shared_tables(connection):
        if table in tables:
            connection.execute(
                f"update {SHARES} as s set owner = r.owner, unit = r.unit from {quote(table)} r"
                " where r.id = s.object and s.objecttypecode = ?",
                (table,),
            )
    connection.execute(f"update {SHARES} set alone = 1 where {HAS_NO_OTHER}")


def _shared_tables(connection: Connection) -> Iterable[str]:
    return [name for (name,) in connection.query(f"select distinct objecttypecode from {SHARES}")]
