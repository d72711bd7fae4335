"""A row or some of its columns as they were before a change: an ordinary update, or a create with the old id, with all
rights, rules and entries in the trail that those have (TS-810)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from strongroom.audit.versions import demand_columns, open_columns, version_before
from strongroom.errors import Conflict, InvalidRequest
from strongroom.ids import Guid, Reference
from strongroom.records.session import Session
from strongroom.records.shapes import NewRecord
from strongroom.records.write import create, update
from strongroom.schema.model import Column, ColumnType, RequiredLevel, Table
from strongroom.store.protocol import Value

_REQUIRED = (RequiredLevel.SYSTEM_REQUIRED, RequiredLevel.APPLICATION_REQUIRED)


@dataclass(frozen=True, slots=True)
class Restored:
    """One column that a restore changes, or would change."""

    column: str
    before: Value
    after: Value


def restore(
    session: Session, target: Reference, entry: Guid, columns: Sequence[str] | None = None, *, preview: bool = False
) -> list[Restored]:
    """Bring a row back to what it was before the change that `entry` of its history tells: all of its audited columns,
    or `columns` only. What is done comes back, by column; with `preview` nothing is.

    A deleted row is made again with its old id. 409 `not-fully-audited` when the trail does not hold every column that
    such a row needs; 404 for an entry of another row.
    """
    table = session.table(target.table)
    version = version_before(session.transaction, session.caller, target, entry)
    if columns is not None:
        demand_columns(table, open_columns(session.caller, table), list(columns))
    if version.then is None:
        raise InvalidRequest("The row did not exist before this change, so there is nothing to restore: delete it.")
    is_new = version.now is None
    now: Mapping[str, Value] = version.now or {}
    changes = {
        name: value
        for name, value in version.then.items()
        if (columns is None or is_new or name in columns)
        and value != now.get(name)
        and _is_writable(table, name, is_new=is_new)
    }
    if is_new:
        _demand_whole(table, version.then)
    if changes and not preview:
        if is_new:
            create(session, table, NewRecord({**changes, table.primary_id: target.id}))
        else:
            update(session, table, target.id, changes)
    return [Restored(name, now.get(name), value) for name, value in sorted(changes.items())]


def _is_writable(table: Table, name: str, *, is_new: bool) -> bool:
    column = table.columns[name]
    if name == table.primary_id:
        return False
    valid = column.valid_for_create if is_new else column.valid_for_update
    return valid or column.type in (ColumnType.STATE, ColumnType.OWNER)


def _demand_whole(table: Table, then: Mapping[str, Value]) -> None:
    """Refuse to make a row again of which required columns are not in the trail."""
    missing = [name for name, column in table.columns.items() if _is_needed(column) and then.get(name) is None]
    missing = [name for name in missing if name != table.primary_id]
    if missing:
        raise Conflict(
            f"The trail does not hold {', '.join(missing)} of this row, which it needs: it cannot be made again.",
            code="not-fully-audited",
        )


def _is_needed(column: Column) -> bool:
    return column.required in _REQUIRED and column.valid_for_create and column.default is None
