"""The directory: the control environment's tables about people, programs and their sessions, as identity works with
them.

Everything here acts in the platform's name, because whoever signs in is nobody yet. What an administrator does goes
through a `Session` of theirs, whose rights the messages have checked.
"""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from strongroom.clock import Clock, iso
from strongroom.errors import IntegrityViolation
from strongroom.identity.tables import directory_tables
from strongroom.ids import Reference
from strongroom.records import Rules, Session
from strongroom.records.create import store_new
from strongroom.records.own_tables import ensure_tables
from strongroom.records.platform_user import platform_caller
from strongroom.records.update import write_changes
from strongroom.store.protocol import Database, Row, Transaction, Value


class Directory:
    """The directory of one home. `database` and `rules` are those of its control environment."""

    def __init__(self, database: Database, rules: Rules, clock: Clock) -> None:
        self.database = database
        self.clock = clock
        self._rules = rules

    def prepare(self) -> None:
        """Make the tables that an older program did not know. Costs one read when there is nothing to do."""
        ensure_tables(self.database, self._rules, self.clock, directory_tables())

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

    def epoch(self) -> int:
        """The security epoch of this moment: what is remembered under it still holds."""
        return self.database.stamp().security_epoch

    def now(self) -> datetime:
        """The present."""
        return self.clock.now()


# --- rows --------------------------------------------------------------------------------------------------------


def make(session: Session, table: str, values: dict[str, Value]) -> Row:
    """A new row, authored by the platform."""
    return store_new(session, session.table(table), {**values, "statecode": 0, "statuscode": 1})


def change(session: Session, row: Row, changes: dict[str, Value]) -> None:
    """Change a row in the platform's name, with its entry in the trail."""
    write_changes(session, row, changes)


def note(session: Session, row: Row, changes: dict[str, Value]) -> None:
    """Change what is counted or noted by the way (last use, failures), without an entry in the trail."""
    session.transaction.update(row, changes)


def find(transaction: Transaction, table: str, **columns: Value) -> Row | None:
    """The row with these values; the first one when there are several."""
    found = transaction.rows_where(transaction.schema.tables[table], columns, limit=1)
    return found[0] if found else None


def find_all(transaction: Transaction, table: str, **columns: Value) -> list[Row]:
    """All rows with these values."""
    return transaction.rows_where(transaction.schema.tables[table], columns)


def get(transaction: Transaction, reference: Reference) -> Row:
    """The row that a lookup of the platform's own points to."""
    row = transaction.row(transaction.schema.tables[reference.table], reference.id)
    if row is None:
        raise IntegrityViolation(f"a {reference.table} is missing")
    return row


# --- values ------------------------------------------------------------------------------------------------------


def text(row: Row, column: str) -> str:
    """A text, empty where there is none."""
    value = row.values.get(column)
    return value if isinstance(value, str) else ""


def number(row: Row, column: str) -> int:
    """A whole number, 0 where there is none."""
    value = row.values.get(column)
    return value if isinstance(value, int) else 0


def flag(row: Row, column: str) -> bool:
    """Whether a column says yes."""
    return row.values.get(column) is True


def moment(row: Row, column: str) -> datetime | None:
    """A time, None where there is none."""
    value = row.values.get(column)
    return datetime.fromisoformat(value).astimezone(UTC) if isinstance(value, str) else None


def reference(row: Row, column: str) -> Reference:
    """A lookup that is always set."""
    value = row.values.get(column)
    if not isinstance(value, Reference):
        raise IntegrityViolation(f"a {row.table.logical_name} without {column}")
    return value


def after(now: datetime, delay: timedelta) -> str:
    """A time in the future, as the store keeps it."""
    return iso(now + delay)
