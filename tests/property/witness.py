"""What an environment holds, seen from beside the server: the proof that a refused request changed nothing."""

from dataclasses import dataclass
from typing import Any

import psycopg

from strongroom.home import EnvironmentRecord, Home
from strongroom.store.dialect import quote
from strongroom.store.sqlcipher_file import open_file

REFUSED = 10001
"""`audit.action` of the entry that tells of a refused attempt."""

_SEALING = ("auditleaf", "audithead")
_REFUSALS = f"select count(*) from audit where action = {REFUSED}"


@dataclass(frozen=True, slots=True)
class State:
    """The stamp (security epoch, metadata version, last version number) and the number of rows of each table.

    Every insert and update of a row takes a version number, so an equal state means: nothing was written. The one
    trace that a refused request may leave, the entry in the trail that tells of it (WA-53), is not counted, nor is the
    sealing of the trail, which goes on beside the requests.
    """

    stamp: tuple[int, ...]
    rows: tuple[tuple[str, int], ...]


class Witness:
    """A connection of its own to one environment's database."""

    def __init__(self, home: Home, record: EnvironmentRecord) -> None:
        self._raw: Any
        if record.engine == "sqlcipher":
            key = home.keys.open_environment(record.id, lambda found: found.reveal())
            self._raw = open_file(home.database_file(record), key)
            self._tables = "select name from sqlite_schema where type = 'table' and name not like 'sqlite%' order by 1"
        else:
            self._raw = psycopg.connect(home.database_address(record).reveal().decode(), autocommit=True)
            self._raw.execute(f"set search_path = env_{record.name}")
            self._tables = "select tablename::text from pg_tables where schemaname = current_schema() order by 1"
        self._names: dict[int, str] = {}

    def stamp(self) -> tuple[int, ...]:
        """Security epoch, metadata version, last version number without those of refusals."""
        sql = f"select security_epoch, metadata_version, version - ({_REFUSALS}) from stamp"
        return tuple(int(number) for number in self._raw.execute(sql).fetchone())

    def state(self) -> State:
        """Everything that is counted, read in one statement."""
        stamp = self.stamp()
        sql = self._names.get(stamp[1])
        if sql is None:
            names = [name for (name,) in self._raw.execute(self._tables).fetchall()]
            counts = {name: f"select '{name}', count(*) from {quote(name)}" for name in names if name not in _SEALING}
            counts["audit"] += f" where action <> {REFUSED}"
            sql = " union all ".join(counts.values())
            self._names = {stamp[1]: sql}
        return State(stamp, tuple((str(name), int(number)) for name, number in self._raw.execute(sql).fetchall()))

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """What a statement answers."""
        return list(self._raw.execute(sql).fetchall())

    def close(self) -> None:
        self._raw.close()
