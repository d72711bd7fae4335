"""Taking out of the trail what somebody asks for (TS-806), and erasing what it says of somebody (TS-816).

All of it is told by an entry that stays, and nothing that a legal hold covers is touched. `audit.taking_out` says how
an entry goes without breaking a proof.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from strongroom.access.resolve import require_privilege, require_usable
from strongroom.audit.erasure import erase_entries
from strongroom.audit.partitions import ended_before
from strongroom.audit.taking_out import PIECE, older_than, removal_entry, take_out
from strongroom.clock import iso
from strongroom.errors import Conflict, InvalidRequest
from strongroom.ids import Guid, Reference
from strongroom.records.holds import demand_free, holds_in
from strongroom.records.session import Session
from strongroom.records.trail import author
from strongroom.store.protocol import Row


def delete_record_history(session: Session, target: Reference) -> int:
    """Take out the entries of one row; how many. Needs `prvDeleteRecordChangeHistory`; 409 `legal-hold`."""
    require_usable(session.caller)
    require_privilege(session.caller, "prvDeleteRecordChangeHistory")
    demand_free(session, target)
    entries = entries_about(session, target)
    gone = take_out(session.transaction, author(session), target, entries, "one row", lambda _: False)
    if not gone.number:
        empty = removal_entry(author(session), target, 0, (), "one row")
        session.transaction.append_audit((empty,))
    return gone.number


def delete_partitions(session: Session, moment: datetime) -> int:
    """Take out the quarters that had ended at `moment`; how many quarters. Needs `prvDeleteAuditPartitions`; 400 when
    there is none, 409 while something is held: a partition goes whole."""
    require_usable(session.caller)
    require_privilege(session.caller, "prvDeleteAuditPartitions")
    ended = ended_before(session.transaction, session.clock.now(), moment)
    if not ended:
        raise InvalidRequest("There are no partitions ending before the given date.", code="0x80040203")
    if holds_in(session.transaction).any:
        raise Conflict(
            "Something is under a legal hold, so no partition is deleted as a whole; retention goes on beside holds.",
            code="legal-hold",
            details={"reason": "legal-hold", "rule": "TS-909", "target": "EndDate"},
        )
    last = ended[-1].end
    after = iso(last or moment)
    organization = organization_of_trail(session)
    seen: str | None = None
    while rows := older_than(session.transaction, "audit", "createdon", after, after=seen):
        gone = take_out(session.transaction, author(session), organization, rows, f"before {after}", lambda _: False)
        if len(rows) < PIECE:
            break
        seen = str(rows[-1].values["createdon"])
        if not gone.number:  # a piece of entries that tell of removals: on behind them
            seen = iso(datetime.fromisoformat(seen) + timedelta(seconds=1))
    return len(ended)


def delete_entries(session: Session, ids: Sequence[Guid], why: str) -> int:
    """Take out these entries, as a bulk deletion found them; how many. Those that tell of removals and those that are
    held stay. Needs `prvDeleteAuditPartitions`; `why` says what was asked for."""
    demand_deletion_of_entries(session)
    rows = session.transaction.rows(session.table("audit"), ids).values()
    holds, about = holds_in(session.transaction), organization_of_trail(session)
    return take_out(session.transaction, author(session), about, rows, why, holds.cover_entry).number


def demand_deletion_of_entries(session: Session) -> None:
    """Whether the caller may take entries of all kinds out of the trail."""
    require_usable(session.caller)
    require_privilege(session.caller, "prvDeleteAuditPartitions")


def erase_record_values(session: Session, target: Reference) -> int:
    """Erase what the trail says of one row: old and new values, notes, addresses. Who did what to it when stays, and so
    do all proofs (TS-816). How many entries; needs `prvDeleteRecordChangeHistory`; 409 `legal-hold`."""
    require_usable(session.caller)
    require_privilege(session.caller, "prvDeleteRecordChangeHistory")
    demand_free(session, target)
    return erase_entries(session.transaction, author(session), target, entries_about(session, target))


def entries_about(session: Session, target: Reference) -> list[Row]:
    """The entries of `audit` about one row, oldest first."""
    found = session.transaction.rows_where(session.table("audit"), {"objectid": target})
    return [row for row in found if row.values.get("objecttypecode") == target.table]


def organization_of_trail(session: Session) -> Reference:
    """The organization, which removals of many rows are told under."""
    return session.transaction.rows_where(session.table("organization"), {}, limit=1)[0].reference()
