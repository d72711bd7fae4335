"""Reading the trail: the history of a row or a column, and the detail of one entry (WA-395 to WA-398, SM-173)."""

from collections.abc import Mapping
from dataclasses import dataclass

from strongroom.access.caller import Caller
from strongroom.ids import Guid, Reference
from strongroom.store.protocol import Transaction, Value


@dataclass(frozen=True, slots=True)
class AuditDetail:
    """One entry of the trail: its `audit` row, and what the change did to the columns.

    `old` and `new` hold the columns that changed, by logical name (a lookup as `Reference`); columns that the caller
    may not read are left out as if they had not changed (SM-132). `deleted` names columns that are gone since.
    """

    entry: Mapping[str, Value]
    old: Mapping[str, Value]
    new: Mapping[str, Value]
    deleted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class History:
    """Part of a history, newest first. `total` counts all entries."""

    details: tuple[AuditDetail, ...]
    total: int
    more: bool


def record_change_history(
    transaction: Transaction, caller: Caller, target: Reference, *, page: int = 1, page_size: int = 5000
) -> History:
    """What happened to a row; needs `prvReadRecordAuditHistory` and Read on the row while it exists."""
    raise NotImplementedError


def attribute_change_history(
    transaction: Transaction, caller: Caller, target: Reference, column: str, *, page: int = 1, page_size: int = 5000
) -> History:
    """What happened to one column of a row; 400 for an unknown column."""
    raise NotImplementedError


def audit_detail(transaction: Transaction, caller: Caller, entry: Guid) -> AuditDetail:
    """One entry in full; needs `prvReadAuditSummary`; 404 when there is none."""
    raise NotImplementedError


def delete_record_change_history(transaction: Transaction, caller: Caller, target: Reference, now: str) -> int:
    """Remove the entries of one row and say how many; needs `prvDeleteRecordChangeHistory`."""
    raise NotImplementedError


def delete_audit_data(transaction: Transaction, caller: Caller, end: str, now: str) -> int:
    """Remove the entries written before `end`; needs `prvDeleteAuditPartitions`."""
    raise NotImplementedError
