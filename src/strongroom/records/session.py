"""What a verb works with: one transaction, one caller, one moment, and the rules that are registered.

A `Session` lives as long as its transaction. Everything that is decided in it is decided for `caller` at `now`, from
the metadata snapshot of the transaction.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from strongroom.access.caller import Caller
from strongroom.access.resolve import resolve
from strongroom.clock import Clock, iso
from strongroom.ids import Guid, Reference, new_guid
from strongroom.records.rules import Rules
from strongroom.schema.model import Schema, Table
from strongroom.store.protocol import Transaction, Value

if TYPE_CHECKING:
    from strongroom.records.holds import Holds


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """What the audit notes of the request: its id, the client's own `tag` (WA-425), the address and the program that it
    comes from; whether it asks for unmasked values (SM-138), which takes a transaction that writes; and whether rows
    that it writes must not be duplicates of others (WA-422)."""

    request_id: str | None = None
    tag: str | None = None
    unmasked: bool = False
    detects_duplicates: bool = False
    address: str | None = None
    client: str | None = None
    lacks_proof: bool = False
    """Whether the caller acts in a session without a fresh proof of identity: dangerous acts ask for it (TS-723)."""

    confirmed: str | None = None
    """What the client says that it knows (`x-sr-confirm`), for acts that could harm itself."""

    solution: str | None = None
    """The unmanaged solution that what is made belongs to (WA-351)."""

    asked: str | None = None
    """The request as it was sent: method, path and query. Nothing but the commands of support keeps it (TS-1505)."""


@dataclass(slots=True)
class Session:
    """One unit of work of one caller. Make it inside `database.read()` or `database.write()`."""

    transaction: Transaction
    caller: Caller
    clock: Clock
    rules: Rules
    request: RequestFacts = RequestFacts()
    doomed: frozenset[Reference] = frozenset()
    """What the delete under way takes along, so that a rule can tell a part from the whole."""

    installing: bool = False
    """Whether a solution is being imported or removed: rules about what belongs to managed ones do not stop it."""

    noted: list[dict[str, Value]] = field(default_factory=list[dict[str, Value]])
    """Entries of the trail for what was only read. Whoever opens a session stores them at its end: a reading session
    holds up no writer, so they get a short transaction of their own, before the answer is given (SM-165)."""

    holds: "Holds | None" = None
    """The legal holds in force, once a delete has asked for them."""

    tells_reading: bool = True
    """Whether reading is told row by row; an export tells itself as a whole."""

    activities: list[dict[str, Value]] = field(default_factory=list[dict[str, Value]])
    """Rows of the activity log for what was done here besides changes; stored with `noted`."""

    now: str = field(init=False)
    """The present as `2024-05-01T10:15:00Z`: one moment for the whole unit of work."""

    _transaction_id: Guid | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.now = iso(self.clock.now())

    @property
    def transaction_id(self) -> Guid:
        """Ties together the audit entries of one unit of work. Made for the first of them: most reading has none."""
        if self._transaction_id is None:
            self._transaction_id = new_guid(self.clock)
        return self._transaction_id

    @property
    def schema(self) -> Schema:
        return self.transaction.schema

    @property
    def user(self) -> Reference:
        """The caller as a lookup holds it."""
        return Reference("systemuser", self.caller.id)

    @property
    def initiating_user(self) -> Reference | None:
        """The real user behind an impersonation (WA-421), None without one."""
        return None if self.caller.initiated_by is None else Reference("systemuser", self.caller.initiating_id)

    def renew_caller(self) -> None:
        """Look at the caller's rights anew, after this unit of work has changed the metadata that they are about."""
        facts = self.transaction.facts(self.user)
        if facts is not None:
            self.caller = resolve(facts, self.schema, self.caller.epoch, self.caller.initiated_by)

    def table(self, name: str) -> Table:
        """The table `name`, which must exist."""
        return self.transaction.schema.tables[name]
