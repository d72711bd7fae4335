"""A row as it was: what stands in it now, with the entries of its history undone one by one, newest first (TS-810).

Only what the caller may read takes part: columns that are closed to them, or masked, are in no version that they get.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from strongroom.access.caller import Caller
from strongroom.access.columns import is_open
from strongroom.access.plan import ColumnAccess
from strongroom.access.planning import plan_for
from strongroom.audit.entries import Operation
from strongroom.audit.history import AuditDetail, record_change_history
from strongroom.errors import InvalidRequest, NotFound
from strongroom.ids import Guid, Reference
from strongroom.schema.model import Rights, Table
from strongroom.store.layout import is_stored
from strongroom.store.protocol import Transaction, Value

_ALL = 1_000_000


@dataclass(frozen=True, slots=True)
class Version:
    """A row at some moment: its readable values by column, None when it did not exist; and as it is now."""

    then: Mapping[str, Value] | None
    now: Mapping[str, Value] | None


def version_at(transaction: Transaction, caller: Caller, target: Reference, moment: str) -> Version:
    """The row as it was at the end of the second `moment` (`2024-05-01T10:15:00Z`)."""
    history = record_change_history(transaction, caller, target, page_size=_ALL).details
    undone = [detail for detail in history if str(detail.entry.get("createdon")) > moment]
    return _undo(transaction, caller, target, undone)


def version_before(transaction: Transaction, caller: Caller, target: Reference, entry: Guid) -> Version:
    """The row as it was before the change that an entry tells; 404 when its history has no such entry."""
    history = record_change_history(transaction, caller, target, page_size=_ALL).details
    for number, detail in enumerate(history, 1):
        if detail.entry.get("auditid") == entry:
            return _undo(transaction, caller, target, history[:number])
    raise NotFound(f"The history of this row has no entry {entry}.")


def open_columns(caller: Caller, table: Table) -> frozenset[str]:
    """The columns whose values the caller reads unmasked."""
    plan = plan_for(caller, table, Rights.READ)
    return frozenset(
        name for name in table.columns if is_open(plan, name, ColumnAccess.READ) and name not in plan.masking
    )


def _undo(
    transaction: Transaction, caller: Caller, target: Reference, history: list[AuditDetail] | tuple[AuditDetail, ...]
) -> Version:
    table = transaction.schema.tables[target.table]
    shown = open_columns(caller, table)
    now = _present(transaction, table, target.id, shown)
    then: dict[str, Value] | None = None if now is None else dict(now)
    for detail in history:
        operation = detail.entry.get("operation")
        if operation == Operation.CREATE.value:
            then = None
        elif operation == Operation.DELETE.value:
            if detail.old:
                then = {name: value for name, value in detail.old.items() if name in shown}
        elif then is not None:
            changed = detail.old.keys() | detail.new.keys()
            then.update({name: detail.old.get(name) for name in changed & shown})
    return Version(then, now)


def _present(transaction: Transaction, table: Table, row_id: Guid, shown: frozenset[str]) -> dict[str, Value] | None:
    """What the row holds now of audited columns: of the others nobody knows what they held."""
    row = transaction.row(table, row_id)
    if row is None:
        return None
    held = {
        name: row.values.get(name)
        for name in shown
        if table.columns[name].is_audited and is_stored(table, table.columns[name])
    }
    if row.owner is not None and table.has_owner:
        held["ownerid"] = transaction.principal(row.owner)
    return held


def demand_columns(table: Table, shown: frozenset[str], columns: list[str]) -> None:
    """Refuse names that are no columns, or that the caller's versions do not have. 400."""
    for name in columns:
        if name not in table.columns or name not in shown or not table.columns[name].is_audited:
            raise InvalidRequest(
                f"'{name[:100]}' is no audited column of '{table.logical_name}' that you may read: no version has it."
            )
