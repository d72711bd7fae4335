"""Reading the trail: the history of a row or a column, and the detail of one entry (WA-395 to WA-398, SM-173).

Lists of entries are ordinary reads of the `audit` table, under `prvReadAuditSummary`. What is here opens the entries:
it shows old and new values, without the columns that the caller may not read (SM-132).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypedDict, cast

import orjson

from strongroom.access.caller import Caller
from strongroom.access.check import SecuredRow, least_depth
from strongroom.access.columns import is_open, opens_trail
from strongroom.access.messages import does_not_exist, no_access
from strongroom.access.plan import ColumnAccess, Plan
from strongroom.access.planning import plan_for
from strongroom.access.resolve import require_privilege, require_usable
from strongroom.audit.entries import Operation, parse_value
from strongroom.audit.leaf import is_erased
from strongroom.errors import IntegrityViolation, InvalidRequest
from strongroom.ids import Guid, Reference
from strongroom.schema.model import Column, Depth, Rights, Table
from strongroom.store.protocol import Row, Transaction, Value

_OF_COLUMNS = frozenset({Operation.CREATE.value, Operation.DELETE.value})


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


class _Changed(TypedDict):
    """One member of `changedAttributes` (see `audit.entries`)."""

    logicalName: str
    oldValue: Value
    newValue: Value


def record_change_history(
    transaction: Transaction, caller: Caller, target: Reference, *, page: int = 1, page_size: int = 5000
) -> History:
    """What happened to a row; needs `prvReadRecordAuditHistory` and Read on the row while it exists."""
    _demand_history(transaction, caller, target)
    return _history(transaction, caller, _entries(transaction, target), page, page_size)


def attribute_change_history(
    transaction: Transaction, caller: Caller, target: Reference, column: str, *, page: int = 1, page_size: int = 5000
) -> History:
    """What happened to one column of a row; 400 for an unknown column."""
    table = _demand_history(transaction, caller, target)
    if column not in table.columns:
        raise InvalidRequest(f"'{target.table}' entity doesn't contain attribute with Name = '{column}'.")
    readable = is_open(plan_for(caller, table, Rights.READ), column, ColumnAccess.READ)
    touching = [
        row
        for row in _entries(transaction, target)
        if readable and any(change["logicalName"] == column for change in _changes(row))
    ]
    return _history(transaction, caller, touching, page, page_size, only=column)


def audit_detail(transaction: Transaction, caller: Caller, entry: Guid) -> AuditDetail:
    """One entry; needs `prvReadAuditSummary`; 404 when there is none. Its values only when the caller may read the row
    that it is about: the privilege opens the trail, not the data (SM-132, SM-173)."""
    require_usable(caller)
    require_privilege(caller, "prvReadAuditSummary")
    table = transaction.schema.tables["audit"]
    row = transaction.row(table, entry)
    if row is None:
        raise does_not_exist(table, entry)
    detail = _detail(transaction, caller, row, None)
    return detail if _may_see_values(transaction, caller, row) else replace(detail, old={}, new={}, deleted=())


# --- pieces --------------------------------------------------------------------------------------------------------


def _demand_history(transaction: Transaction, caller: Caller, target: Reference) -> Table:
    """The privilege, and Read on the row behind it. Of a deleted row nobody can say any more who reached it: that takes
    Read on every row of its table (SM-7)."""
    require_usable(caller)
    require_privilege(caller, "prvReadRecordAuditHistory")
    table = transaction.schema.tables[target.table]
    plan = plan_for(caller, table, Rights.READ).required()
    row = transaction.row(table, target.id)
    if row is None and not plan.is_everything:
        raise no_access(caller, Rights.READ, table, target.id, Depth.GLOBAL)
    if row is not None and not transaction.allows(plan, row):
        level = least_depth(caller, table, SecuredRow(row.owner, row.unit))
        raise no_access(caller, Rights.READ, table, target.id, level)
    return table


def _may_see_values(transaction: Transaction, caller: Caller, entry: Row) -> bool:
    """Whether the caller may read the row that an entry is about, or every row of its table when it is gone."""
    target = entry.values.get("objectid")
    table = transaction.schema.tables.get(str(entry.values.get("objecttypecode")))
    if table is None or not isinstance(target, Reference):
        return caller.administers
    plan = plan_for(caller, table, Rights.READ)
    if plan.refusal is not None:
        return False
    row = transaction.row(table, target.id)
    return plan.is_everything if row is None else transaction.allows(plan, row)


def _entries(transaction: Transaction, target: Reference) -> list[Row]:
    """The entries of one row, newest first."""
    found = transaction.rows_where(transaction.schema.tables["audit"], {"objectid": target})
    return [row for row in reversed(found) if row.values.get("objecttypecode") == target.table]


def _history(
    transaction: Transaction, caller: Caller, rows: Sequence[Row], page: int, page_size: int, *, only: str | None = None
) -> History:
    start = (page - 1) * page_size
    shown = rows[start : start + page_size]
    details = tuple(_detail(transaction, caller, row, only) for row in shown)
    return History(details, len(rows), len(rows) > start + page_size)


def _detail(transaction: Transaction, caller: Caller, row: Row, only: str | None) -> AuditDetail:
    table = caller.schema.tables.get(str(row.values.get("objecttypecode")))
    plan = None if table is None else plan_for(caller, table, Rights.READ)
    old: dict[str, Value] = {}
    new: dict[str, Value] = {}
    deleted: list[str] = []
    for change in _changes(row):
        name = change["logicalName"]
        if only is not None and name != only:
            continue
        column = None if table is None else table.columns.get(name)
        if column is None and row.values.get("operation") in _OF_COLUMNS:
            deleted.append(name)
        elif _is_shown(caller, plan, column):
            for values, value in ((old, change["oldValue"]), (new, change["newValue"])):
                if value is not None:
                    values[name] = _shown(plan, column, _opened(transaction, row, name, value))
    entry = row.values if opens_trail(caller) else {**row.values, "changedata": None}  # it holds closed columns too
    return AuditDetail(entry, old, new, tuple(deleted))


def _opened(transaction: Transaction, entry: Row, column: str, value: Value) -> Value:
    """A value of the trail in plain: that of an encrypted column is sealed there (TS-504)."""
    about = entry.values.get("objectid")
    if not isinstance(value, str) or not isinstance(about, Reference):
        return value
    return transaction.column_encryption.told(about.table, about.id, column, value)


def _shown(plan: Plan | None, column: Column | None, value: Value) -> Value:
    """A value of the trail, masked as its column is (SM-137). That the row's value is shared opens no older ones."""
    if plan is None or column is None:
        return value
    mask = plan.masking.get(column.logical_name)
    return parse_value(column, value) if mask is None else mask(value)


def _is_shown(caller: Caller, plan: Plan | None, column: Column | None) -> bool:
    """Whether the values of a column are for the caller. Of a column that is gone nobody knows if it was secured."""
    if plan is None or column is None:
        return caller.administers
    return plan.refusal is None and is_open(plan, column.logical_name, ColumnAccess.READ)


def _changes(row: Row) -> Iterator[_Changed]:
    text = row.values.get("changedata")
    if not isinstance(text, str) or is_erased(text):
        return
    try:
        changed = orjson.loads(text)["changedAttributes"]
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise IntegrityViolation(f"The audit entry {row.id} cannot be read.") from error
    yield from cast("list[_Changed]", changed)
