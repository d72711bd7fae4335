"""Acts on `activitypointer`: they are done to the activity itself, in its own table (`schema.activities`).

Whoever changes, assigns, shares or deletes a row of `activitypointer` means the email, the task, the call. The rights
are the same (all activity tables share their privileges), the rules and the audit entries are those of its own table.
Rows are created in their own tables only.
"""

from collections.abc import Mapping
from functools import lru_cache

from strongroom.access.messages import does_not_exist
from strongroom.errors import InvalidRequest
from strongroom.ids import Guid, Reference
from strongroom.records.authorize import demand_privilege
from strongroom.records.session import Session
from strongroom.schema.activities import POINTER, has_twins
from strongroom.schema.model import Rights, Table
from strongroom.store.protocol import Value


def table_of_row(session: Session, table: Table, row_id: Guid, right: Rights) -> Table:
    """The table in which a row of `table` is changed: for `activitypointer` that of the activity, else `table` itself.
    The refusals for a row that is not there are in the order of SM-152."""
    if table.logical_name != POINTER:
        return table
    found = _own_table(session, row_id)
    if found is None:
        demand_privilege(session, table, right)
        raise does_not_exist(table, row_id)
    return found


def itself(session: Session, target: Reference, right: Rights) -> Reference:
    """The row that `target` means."""
    table = session.table(target.table)
    return Reference(table_of_row(session, table, target.id, right).logical_name, target.id)


def settled(session: Session, table: Table, values: dict[str, Value]) -> dict[str, Value]:
    """`values` with lookups to `activitypointer` leading to the activity in its own table, where the lookup takes that
    table: a note about an email is about that email, by whichever name it was told."""
    for name in _pointing(table):
        value = values.get(name)
        if isinstance(value, Reference) and value.table == POINTER:
            own = _own_table(session, value.id)
            if own is not None and own.logical_name in table.columns[name].targets:
                values[name] = Reference(own.logical_name, value.id)
    return values


def refuse_unknown_to(table: Table, changes: Mapping[str, Value], addressed: Table) -> None:
    """400 for columns that `activitypointer` has and this activity's table has not."""
    for name in changes if addressed is not table else ():
        if name not in table.columns:
            raise InvalidRequest(f"'{table.logical_name}' has no column '{name}', although '{POINTER}' has one.")


def _own_table(session: Session, row_id: Guid) -> Table | None:
    twin = session.transaction.row(session.table(POINTER), row_id)
    found = None if twin is None else session.schema.tables.get(str(twin.values.get("activitytypecode")))
    return found if found is not None and has_twins(found) else None


@lru_cache(maxsize=1024)
def _pointing(table: Table) -> tuple[str, ...]:
    return tuple(name for name, column in table.columns.items() if POINTER in column.targets)
