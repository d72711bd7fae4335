"""What change tracking needs of the store (WA-310 to WA-313): the present version, rows by version, and what is gone.

A row that changes gets a new version, so the rows that have changed since a version are a range of the index on
`versionnumber`. A row that is deleted leaves a line in `deletedrow(version, tablename, object, objectid, deletedon)`,
with a version of its own. Lines are kept for as many days as the organization wants (`expirechangetrackingindays`, 7 by
default); `deletionfloor(version)` is the newest version of a line that has been forgotten, so that nobody is told of
some deletions since a version where there have been more.
"""

from collections.abc import Sequence
from datetime import timedelta

from strongroom.clock import iso
from strongroom.ids import Guid, Key
from strongroom.schema.model import Table
from strongroom.store.dialect import quote
from strongroom.store.engine import Connection, Engine
from strongroom.store.protocol import Row
from strongroom.store.work import Work

DEFAULT_DAYS = 7
_MOST_FORGOTTEN = 2_000
"""Lines that one delete forgets at most: it pays for others, and should not pay much."""


def make_tables(engine: Engine, connection: Connection) -> None:
    """The migration that makes the two tables."""
    key, text, guid, suffix = engine.key_type, engine.text_type, engine.guid_type, engine.table_suffix
    for statement in (
        f"create table deletedrow (version {key} primary key, tablename {text} not null, object {key} not null,"
        f" objectid {guid} not null, deletedon {text} not null){suffix}",
        "create index pf_deletedrow_table on deletedrow (tablename, version)",
        f"create table deletionfloor (id {key} primary key check (id = 1), version {key} not null){suffix}",
        "insert into deletionfloor (id, version) select 1, version from stamp",
    ):
        connection.execute(statement)


def note_deleted(work: Work, table: Table, rows: Sequence[Row], first: int) -> None:
    """Write that these rows are gone: their lines have the versions from `first` on."""
    now = work.now()
    lines = [(version, table.logical_name, row.key, row.id, now) for version, row in enumerate(rows, first)]
    work.connection.insert("deletedrow", ("version", "tablename", "object", "objectid", "deletedon"), lines)
    oldest = work.connection.query("select deletedon from deletedrow order by version limit 1")
    if oldest[0][0] < _days_ago(work, 1):
        _forget(work)


def _forget(work: Work) -> None:
    until = _days_ago(work, Tracking(work).days)
    found = work.connection.query(
        "select version, deletedon from deletedrow order by version limit ?", (_MOST_FORGOTTEN,)
    )
    old = [version for version, deleted_on in found if deleted_on < until]
    if old:
        work.connection.execute("delete from deletedrow where version <= ?", (old[-1],))
        work.connection.execute("update deletionfloor set version = ? where version < ?", (old[-1], old[-1]))


def _days_ago(work: Work, days: int) -> str:
    return iso(work.clock.now() - timedelta(days=days))


class Tracking:
    """Versions and deletions of one environment, inside one transaction."""

    def __init__(self, work: Work) -> None:
        self._work = work

    @property
    def version(self) -> int:
        """The newest version in this snapshot: every row of it has this one or one before."""
        return self._work.version

    @property
    def floor(self) -> int:
        """Deletions up to this version may have been forgotten."""
        return int(self._work.connection.query("select version from deletionfloor")[0][0])

    @property
    def days(self) -> int:
        """For how many days changes can be asked for."""
        found = self._work.connection.query("select expirechangetrackingindays from organization limit 1")
        days = found[0][0] if found else None
        return DEFAULT_DAYS if days is None else int(days)

    def gone(self, table: Table, after: int, until: int, known: int, limit: int) -> list[tuple[int, Guid]]:
        """Deletions with versions above `after` and up to `until`, in their order: version and id. Left out are rows
        that came after the version `known`, and ids that a row has again."""
        found = self._work.connection.query(
            f"select d.version, d.objectid {_GONE.format(quote(table.logical_name), quote(table.primary_id))}"
            " order by d.version limit ?",
            (table.logical_name, after, until, known, limit),
        )
        return [(version, Guid(str(row_id))) for version, row_id in found]

    def count_gone(self, table: Table, after: int, until: int, known: int) -> int:
        """How many `gone` gives without a limit."""
        found = self._work.connection.query(
            f"select count(*) {_GONE.format(quote(table.logical_name), quote(table.primary_id))}",
            (table.logical_name, after, until, known),
        )
        return int(found[0][0])

    def rows_from(self, table: Table, after: int, until: int, limit: int) -> list[tuple[Key, Guid]]:
        """Rows in the order in which they came, with keys above `after` and up to `until`: key and id."""
        found = self._work.connection.query(
            f"select id, {quote(table.primary_id)} from {quote(table.logical_name)}"
            " where id > ? and id <= ? order by id limit ?",
            (after, until, limit),
        )
        return [(Key(key), Guid(str(row_id))) for key, row_id in found]


_GONE = (
    "from deletedrow d where d.tablename = ? and d.version > ? and d.version <= ? and d.object <= ?"
    " and not exists (select 1 from {0} t where t.{1} = d.objectid)"
)
