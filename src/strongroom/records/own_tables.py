"""Tables that a service of the platform brings along, made in environments that lack them.

An environment from before the service gets them when it is first opened by a program that knows them; the same goes
for columns that a newer program added. Costs one read when there is nothing to do.
"""

from collections.abc import Sequence

from strongroom.clock import Clock
from strongroom.records.metadata_changes import change_schema
from strongroom.records.platform_user import platform_caller
from strongroom.records.rules import Rules
from strongroom.records.session import Session
from strongroom.schema.model import Schema, Table
from strongroom.schema.platform_tables import with_platform_tables
from strongroom.store.protocol import Database


def ensure_tables(database: Database, rules: Rules, clock: Clock, tables: Sequence[Table]) -> bool:
    """Make those of `tables` that the environment lacks, and missing columns; whether there was anything to do."""
    with database.read() as transaction:
        if _is_complete(transaction.schema, tables):
            return False
    with database.write() as transaction:
        session = Session(transaction, platform_caller(transaction.schema), clock, rules)
        wanted = with_platform_tables(session.schema, tables)
        if wanted is not session.schema:  # another process may have been faster
            change_schema(session, wanted)
    return True


def _is_complete(schema: Schema, tables: Sequence[Table]) -> bool:
    known = schema.tables
    return all(
        table.logical_name in known and table.columns.keys() <= known[table.logical_name].columns.keys()
        for table in tables
    )
