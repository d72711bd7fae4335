"""Legal holds: what must not be deleted while a matter is open, neither rows nor what the trail says of them (TS-909).

A row of `legalhold` covers one row (`tablename` and `objectid`), a table (`tablename`), or the whole environment
(neither). It is made by whoever may create it and cannot be changed or deleted; another person than its maker ends it
(`ReleaseLegalHold`). Who is refused does not learn which matter it is: that takes Read on `legalhold`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from strongroom.errors import AccessDenied, Conflict, InvalidRequest
from strongroom.ids import Guid, Reference
from strongroom.records.read import require
from strongroom.records.rules import Event, Rules
from strongroom.records.session import Session
from strongroom.records.update import write_changes
from strongroom.schema.model import Rights
from strongroom.schema.trail_tables import HOLD
from strongroom.store.protocol import Row, Transaction, Value

_WRITTEN_ONCE = ("tablename", "objectid", "matter")


@dataclass(frozen=True, slots=True)
class Holds:
    """The holds in force: what they cover."""

    everything: bool
    tables: frozenset[str]
    rows: frozenset[Reference]

    @property
    def any(self) -> bool:
        """Whether there is a hold at all."""
        return self.everything or bool(self.tables) or bool(self.rows)

    def cover(self, row: Reference) -> bool:
        """Whether a row is held, or what the trail says of it."""
        return self.everything or row.table in self.tables or row in self.rows

    def cover_entry(self, entry: Row) -> bool:
        """Whether an entry of the trail is held: it is about a row that is."""
        about = entry.values.get("objectid")
        table = str(entry.values.get("objecttypecode"))
        return self.everything or table in self.tables or (isinstance(about, Reference) and about in self.rows)


def holds_in(transaction: Transaction) -> Holds:
    """The holds in force."""
    table = transaction.schema.tables.get(HOLD)
    found: Sequence[Row] = () if table is None else transaction.rows_where(table, {"statecode": 0})
    tables: set[str] = set()
    rows: set[Reference] = set()
    is_everything = False
    for hold in found:
        name, row = hold.values.get("tablename"), hold.values.get("objectid")
        if not isinstance(name, str):
            is_everything = True
        elif isinstance(row, str):
            rows.add(Reference(name, Guid(row)))
        else:
            tables.add(name)
    return Holds(is_everything, frozenset(tables), frozenset(rows))


def demand_free(session: Session, row: Reference) -> None:
    """409 `legal-hold` when a row is held."""
    if holds_in(session.transaction).cover(row):
        raise _held(row)


def release_hold(session: Session, hold: Guid, reason: str) -> None:
    """End a hold. It takes Write on it, a reason, and another person than the one who made it."""
    row = require(session, session.table(HOLD), hold, Rights.WRITE)
    if row.values.get("statecode") != 0:
        raise Conflict("This hold has been released already.")
    if not reason.strip():
        raise InvalidRequest("Say why the hold ends: Reason.")
    maker = row.values.get("createdby")
    if isinstance(maker, Reference) and maker.id in (session.caller.id, session.caller.initiating_id):
        raise AccessDenied(
            "A hold is released by another person than the one who made it.",
            details={"reason": "second-person", "rule": "TS-909", "target": "LegalHoldId"},
        )
    changes: dict[str, Value] = {
        "statecode": 1,
        "statuscode": 2,
        "releasedon": session.now,
        "releasedby": session.user,
        "releasereason": reason.strip()[:2000],
    }
    write_changes(session, row, changes)


def register(rules: Rules) -> None:
    """Hang the rules of holds in the verbs."""
    rules.on(Event.BEFORE_CREATE, HOLD, _demand_scope, name="holds: a scope that exists (TS-909)")
    rules.on(Event.BEFORE_UPDATE, HOLD, _refuse_change, name="holds: made once, released by another (TS-909)")
    rules.on(Event.BEFORE_DELETE, None, _refuse_delete, name="holds: what is held is not deleted (TS-909)")


def _demand_scope(session: Session, _: Row, values: dict[str, Value]) -> None:
    session.holds = None  # what comes after it in this unit of work is held
    name, held = values.get("tablename"), values.get("objectid")
    if name is None and held is not None:
        raise InvalidRequest("A hold on one row names its table too: tablename.")
    if name is not None and name not in session.schema.tables:
        raise InvalidRequest(f"There is no table '{str(name)[:100]}' to hold; name it by its logical name.")
    if isinstance(name, str) and isinstance(held, str):
        about = Guid(held)
        if session.transaction.row(session.table(name), about) is None:
            raise InvalidRequest(f"There is no {name} with the id {about} to hold.")


def _refuse_change(_: Session, row: Row, changes: dict[str, Value]) -> None:
    touched = [name for name in (*_WRITTEN_ONCE, "statecode", "statuscode") if name in changes]
    if touched and any(changes[name] != row.values.get(name) for name in touched):
        raise Conflict(
            "A hold keeps the scope that it was made with, and ends by ReleaseLegalHold alone.",
            code="legal-hold",
            details={"reason": "legal-hold", "rule": "TS-909", "target": touched[0]},
        )


def _refuse_delete(session: Session, row: Row, _: dict[str, Value]) -> None:
    if session.holds is None:
        session.holds = holds_in(session.transaction)
    if row.table.logical_name == HOLD or (session.holds.any and session.holds.cover(row.reference())):
        raise _held(row.reference())


def _held(row: Reference) -> Conflict:
    return Conflict(
        f"This {row.table} is under a legal hold: neither it nor what the trail says of it is deleted.",
        code="legal-hold",
        details={"reason": "legal-hold", "rule": "TS-909", "target": row.table},
    )
