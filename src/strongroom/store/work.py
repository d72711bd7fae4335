"""One transaction's state, shared by the modules that read and write rows, shares and facts."""

from collections.abc import Mapping

from strongroom.clock import Clock, iso
from strongroom.errors import IntegrityViolation
from strongroom.schema.model import Schema, Table
from strongroom.store.column_keys import ColumnKeys
from strongroom.store.counters import Counters
from strongroom.store.engine import Connection, Engine
from strongroom.store.protocol import Stamp
from strongroom.store.shape import Shape

EVERYTHING = "*"
"""Stands for all tables among the reasons of a new security epoch."""

BATCH = 500
"""Ids per statement where a list is bound."""


class Shapes:
    """The stored forms of the tables of one schema, made when first used."""

    def __init__(self, schema: Schema, engine: Engine, keys: ColumnKeys) -> None:
        self.schema = schema
        self.keys = keys
        self._engine = engine
        self._shapes: dict[str, Shape] = {}

    def __getitem__(self, table: Table) -> Shape:
        shape = self._shapes.get(table.logical_name)
        if shape is None or shape.table is not table:
            shape = self._shapes[table.logical_name] = Shape(table, self._engine, self.keys)
        return shape


class Work:
    """What a transaction has read and changed so far.

    `version` counts every row ever written in the environment. It gives new rows their key and every change its
    `versionnumber`, strictly rising and never used twice, also across users and teams, who share one key space.
    """

    def __init__(
        self,
        engine: Engine,
        connection: Connection,
        clock: Clock,
        shapes: Shapes,
        stamp: Stamp,
        version: int,
        *,
        writes: bool,
    ) -> None:
        self.engine = engine
        self.connection = connection
        self.clock = clock
        self.shapes = shapes
        self.stamp = stamp
        self.version = version
        self.writes = writes
        self.counters = Counters()
        self.security_changes: set[str] = set()
        self.shares_changed: set[str] = set()
        """Tables whose shares, or owners and units of shared rows, are no longer what they were."""
        self.has_failed = False

    @property
    def schema(self) -> Schema:
        return self.shapes.schema

    @property
    def column_keys(self) -> ColumnKeys:
        """The keys of encrypted columns."""
        return self.shapes.keys

    def shape(self, table: Table) -> Shape:
        """How rows of `table` are stored."""
        return self.shapes[table]

    def table(self, name: str) -> Table:
        """A table that the platform itself relies on."""
        found: Mapping[str, Table] = self.schema.tables
        if name not in found:
            raise IntegrityViolation(f"The schema has no table {name}.")
        return found[name]

    def take_versions(self, number: int) -> int:
        """Reserve `number` consecutive version numbers and return the first."""
        self.must_write()
        first = self.version + 1
        self.version += number
        return first

    def must_write(self) -> None:
        """Raise unless this is a write transaction in good order."""
        if not self.writes:
            raise IntegrityViolation("A read transaction cannot change anything.")
        if self.has_failed:
            raise IntegrityViolation("The transaction has failed and can only be rolled back.")

    def bump_security_epoch(self, table: str = EVERYTHING) -> None:
        """Make every cached decision void, from this transaction's commit on, in every process (SM-4).

        `table` is the one whose change is the reason: caches keep what they know from other tables.
        """
        self.must_write()
        self.security_changes.add(table)
        self.stamp = Stamp(self.stamp.security_epoch + 1, self.stamp.metadata_version)

    def flush(self) -> None:
        """Store what is gathered until the end: counters, and which tables the new security epoch is due to."""
        self.counters.flush(self.connection)
        if self.security_changes:
            rows = [(table, self.stamp.security_epoch) for table in sorted(self.security_changes)]
            self.security_changes.clear()
            self.connection.execute_many(
                "insert into security_change (tablename, epoch) values (?, ?)"
                " on conflict (tablename) do update set epoch = excluded.epoch",
                rows,
            )

    def now(self) -> str:
        """The present as the store keeps it."""
        return iso(self.clock.now())
