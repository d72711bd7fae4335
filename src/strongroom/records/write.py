"""The verbs that change rows one at a time. Each is whole or not at all (SM-6) and writes its audit entries."""

from collections.abc import Mapping

from strongroom.ids import Guid, Reference
from strongroom.records.session import Session
from strongroom.records.shapes import Address, NewRecord, Upserted
from strongroom.schema.model import ManyToMany, Relationship, Table
from strongroom.store.protocol import Value


def create(session: Session, table: Table, record: NewRecord) -> Guid:
    """Create a row with its related rows (deep insert) and return its id (WA-105 to WA-122, SM-120 to SM-124)."""
    raise NotImplementedError


def update(
    session: Session,
    table: Table,
    address: Address,
    changes: Mapping[str, Value],
    *,
    expected_version: int | None = None,
) -> Guid:
    """Change the columns in `changes` of an existing row (404 otherwise) and return its id.

    `ownerid` assigns (section 8). `expected_version` is the number of an `If-Match` tag: 412 when it differs.
    """
    raise NotImplementedError


def upsert(
    session: Session,
    table: Table,
    address: Address,
    record: NewRecord,
    *,
    must_not_exist: bool = False,
) -> Upserted:
    """Update the row at `address`, or create it there (WA-141 to WA-147). `must_not_exist`: 412 when it exists."""
    raise NotImplementedError


def delete(session: Session, table: Table, address: Address, *, expected_version: int | None = None) -> None:
    """Delete a row with its cascades (SM-100 to SM-104)."""
    raise NotImplementedError


def associate(session: Session, link: Relationship | ManyToMany, first: Reference, second: Reference) -> None:
    """Tie two rows. 1:N: `first` is the parent, `second` the child. N:N: `first` is of `table1` (WA-160, WA-161)."""
    raise NotImplementedError


def disassociate(session: Session, link: Relationship | ManyToMany, first: Reference, second: Reference) -> None:
    """Untie two rows; 404 when they are not tied (WA-163)."""
    raise NotImplementedError


def set_null(session: Session, table: Table, address: Address, column: str) -> None:
    """Empty one column (WA-149), or one lookup whatever it points to (WA-164)."""
    raise NotImplementedError
