"""Rows of these tables, written in the platform's name.

The verbs refuse to touch ledgers, so what the platform itself notes goes past them, with its entry in the trail.
"""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime

from strongroom.clock import Clock, iso
from strongroom.errors import NotFound
from strongroom.ids import Guid
from strongroom.records import Rules, Session
from strongroom.records.create import store_new
from strongroom.records.platform_user import platform_caller
from strongroom.records.update import write_changes
from strongroom.store.protocol import Database, Row, Transaction, Value


class Ledger:
    """The tables of one home. `database` and `rules` are those of its control environment."""

    def __init__(self, database: Database, rules: Rules, clock: Clock) -> None:
        self.database = database
        self.clock = clock
        self._rules = rules

    @contextmanager
    def writing(self) -> Generator[Session]:
        """A unit of work in the platform's name."""
        with self.database.write() as transaction:
            yield Session(transaction, platform_caller(transaction.schema), self.clock, self._rules)

    @contextmanager
    def reading(self) -> Generator[Transaction]:
        """One snapshot."""
        with self.database.read() as transaction:
            yield transaction

    def add(self, table: str, values: dict[str, Value], row_id: Guid | None = None) -> Guid:
        """A new row; its id."""
        with self.writing() as session:
            return add(session, table, values, row_id).id

    def change(self, table: str, row_id: Guid, changes: dict[str, Value]) -> None:
        """Change columns of a row."""
        with self.writing() as session:
            row = session.transaction.row(session.table(table), row_id)
            if row is None:
                raise NotFound(f"There is no such {table}.")
            change(session, row, changes)

    def put(self, table: str, row_id: Guid, values: dict[str, Value]) -> None:
        """Make the row with this id have these values; nothing is written when it has them."""
        with self.writing() as session:
            found = session.transaction.row(session.table(table), row_id)
            if found is None:
                add(session, table, values, row_id)
            else:
                change(session, found, values)

    def rows(self, table: str, **columns: Value) -> list[Row]:
        """Rows with these values, in the order in which they were made."""
        with self.reading() as transaction:
            return transaction.rows_where(transaction.schema.tables[table], columns)


def add(session: Session, table: str, values: dict[str, Value], row_id: Guid | None = None) -> Row:
    """A new row, authored by the platform."""
    return store_new(session, session.table(table), {**values, "statecode": 0, "statuscode": 1}, row_id)


def change(session: Session, row: Row, changes: dict[str, Value]) -> None:
    """Change what differs, with its entry in the trail."""
    differing = {name: value for name, value in changes.items() if row.values.get(name) != value}
    if differing:
        write_changes(session, row, differing)


def when(moment: datetime | None) -> str | None:
    """A time as rows have it."""
    return iso(moment) if moment else None
