"""What an environment holds, seen from beside the server: the proof that a refused request changed nothing."""

from dataclasses import dataclass
from typing import Any

import psycopg

from strongroom.home import EnvironmentRecord, Home
from strongroom.store.dialect import quote
from strongroom.store.sqlcipher_file import open_file

REFUSED = 10001
"""`audit.action` of the entry that tells of a refused attempt."""

_BACKGROUND = ("auditleaf", "audithead", "alertrule", "alert", "siemdelivery", "refusedrequest", "counters")
"""What the server writes beside the requests: the seal of the trail, and what watches over it."""

_BESIDE = "(3, 4, 5)"
"""`activitylog.category` of sign-ins, of what operators do, such as making the token of a test, and of refusals."""

_UNCOUNTED = {
    "audit": f"action = {REFUSED} or objecttypecode in ('alertrule', 'alert')",
    "activitylog": f"category in {_BESIDE}",
}


@dataclass(frozen=True, slots=True)
class State:
    """The stamp (security epoch, metadata version), and of each table the number of its rows and the newest version.

    Every insert and update of a row takes a version number, so an equal state means: nothing was written. The traces
    that a refused request may leave, the entries in the trail that tell of it (WA-53), are not counted, nor is what
    goes on beside the requests.
    """

    stamp: tuple[int, ...]
    rows: tuple[tuple[str, int, int], ...]


_TABLES_OF_A_FILE = (
    "select name, exists (select 1 from pragma_table_info(t.name) c where c.name = 'versionnumber')"
    " from sqlite_schema t where type = 'table' and name not like 'sqlite%' order by 1"
)


def state_in_file(raw: Any) -> State:
    """What a file holds, by a connection to it."""
    return _state(raw, _counting(raw, _TABLES_OF_A_FILE))


class Witness:
    """A connection of its own to one environment's database."""

    def __init__(self, home: Home, record: EnvironmentRecord) -> None:
        self._raw: Any
        if record.engine == "sqlcipher":
            key = home.keys.open_environment(record.id, lambda found: found.reveal())
            self._raw = open_file(home.database_file(record), key)
            self._tables = _TABLES_OF_A_FILE
        else:
            self._raw = psycopg.connect(home.database_address(record).reveal().decode(), autocommit=True)
            self._raw.execute(f"set search_path = env_{record.name}")
            self._tables = (
                "select tablename::text, exists (select 1 from information_schema.columns where column_name ="
                " 'versionnumber' and table_schema = schemaname and table_name = tablename)"
                " from pg_tables where schemaname = current_schema() order by 1"
            )
        self._names: dict[int, str] = {}

    def stamp(self) -> tuple[int, ...]:
        """Security epoch and metadata version."""
        return _stamp(self._raw)

    def state(self) -> State:
        """Everything that is counted, read in one statement."""
        version = _stamp(self._raw)[1]
        sql = self._names.get(version)
        if sql is None:
            sql = _counting(self._raw, self._tables)
            self._names = {version: sql}
        return _state(self._raw, sql)

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """What a statement answers."""
        return list(self._raw.execute(sql).fetchall())

    def close(self) -> None:
        self._raw.close()


def _stamp(raw: Any) -> tuple[int, ...]:
    found = raw.execute("select security_epoch, metadata_version from stamp").fetchone()
    return tuple(int(number) for number in found)


def _state(raw: Any, sql: str) -> State:
    found = raw.execute(sql).fetchall()
    return State(_stamp(raw), tuple((str(name), int(number), int(newest)) for name, number, newest in found))


def _counting(raw: Any, tables: str) -> str:
    return " union all ".join(
        _counted(name, has_version=bool(has_version))
        for name, has_version in raw.execute(tables).fetchall()
        if name not in _BACKGROUND
    )


def _counted(name: str, *, has_version: bool) -> str:
    newest = "coalesce(max(versionnumber), 0)" if has_version and name not in _UNCOUNTED else "0"
    where = f" where not ({_UNCOUNTED[name]})" if name in _UNCOUNTED else ""
    return f"select '{name}', count(*), {newest} from {quote(name)}{where}"
