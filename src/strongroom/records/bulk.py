"""Many rows of one table in one unit of work, on a fast path (WA-300 to WA-306)."""

from collections.abc import Mapping, Sequence

from strongroom.ids import Guid
from strongroom.records.session import Session
from strongroom.records.shapes import Address, NewRecord, Upserted
from strongroom.schema.model import Table
from strongroom.store.protocol import Value


def create_multiple(session: Session, table: Table, records: Sequence[NewRecord]) -> list[Guid]:
    """Create all `records` or none; ids in the order given. An error names the index of the target (WA-303)."""
    raise NotImplementedError


def update_multiple(session: Session, table: Table, updates: Sequence[tuple[Address, Mapping[str, Value]]]) -> None:
    """Update all rows or none (WA-301). The same row twice is 400."""
    raise NotImplementedError


def upsert_multiple(session: Session, table: Table, upserts: Sequence[tuple[Address, NewRecord]]) -> list[Upserted]:
    """Update or create each (WA-301)."""
    raise NotImplementedError


def delete_multiple(session: Session, table: Table, addresses: Sequence[Address]) -> None:
    """Delete all rows or none (WA-302)."""
    raise NotImplementedError
