"""What a verb works with: one transaction, one caller, one moment, and the rules that higher rooms registered.

A `Session` lives as long as its transaction. Everything that is decided in it is decided for `caller` at `now`, from
the metadata snapshot of the transaction; plans are made once per (table, right) and kept until the session ends or
until the session itself changes grants.
"""

from dataclasses import dataclass, field

from strongroom.access.caller import Caller
from strongroom.clock import Clock, iso
from strongroom.records.rules import Rules
from strongroom.schema.model import Schema, Table
from strongroom.store.protocol import Transaction


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """What the audit notes of the request: its id, and the client's own `tag` (WA-425)."""

    request_id: str | None = None
    tag: str | None = None


@dataclass(slots=True)
class Session:
    """One unit of work of one caller. Make it inside `database.read()` or `database.write()`."""

    transaction: Transaction
    caller: Caller
    clock: Clock
    rules: Rules
    request: RequestFacts = RequestFacts()
    now: str = field(init=False)
    """The present as `2024-05-01T10:15:00Z`: one moment for the whole unit of work."""

    def __post_init__(self) -> None:
        self.now = iso(self.clock.now())

    @property
    def schema(self) -> Schema:
        return self.transaction.schema

    def table(self, name: str) -> Table:
        """The table `name`, which must exist."""
        return self.transaction.schema.tables[name]
