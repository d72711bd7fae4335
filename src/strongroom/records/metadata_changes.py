"""Changing what tables exist, as a verb: one transaction, with its audit entry (WA-352)."""

from strongroom.records.session import Session
from strongroom.records.trail import record_metadata_change
from strongroom.schema.model import Schema


def change_schema(session: Session, schema: Schema) -> None:
    """Make `schema` the environment's metadata: database tables, privileges and messages follow at once (WA-68)."""
    before = session.schema
    session.transaction.change_schema(schema)
    record_metadata_change(session, before, schema)
