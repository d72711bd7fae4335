"""Merging two rows into one (SM-114, WA-401).

The *target* stays. It takes the values that the caller names, and the children of the *subordinate* whose
relationships cascade by Merge; then the subordinate is deactivated and points to the target by `masterid`. The caller
needs Read and Write on both rows and AppendTo on the target; and Write and Append on each child that moves, because a
move is a change of the child's lookup (SM-110, SM-111) and may open it to whom the target is shared with (SM-83).
"""

from collections.abc import Mapping, Sequence

from strongroom.access.resolve import require_usable
from strongroom.audit.entries import Action
from strongroom.errors import InvalidRequest
from strongroom.ids import Guid, Reference
from strongroom.records.authorize import demand, demand_existing
from strongroom.records.inheritance import NO_CASCADE, moved
from strongroom.records.lookups import Targets
from strongroom.records.session import Session
from strongroom.records.states import complete_change
from strongroom.records.system_columns import of_changed_row
from strongroom.records.trail import record_update
from strongroom.records.update import update_row
from strongroom.schema.activities import cascading_children
from strongroom.schema.model import Relationship, Rights, Table
from strongroom.store.protocol import Row, Value

MERGEABLE: Mapping[str, Mapping[str, Value]] = {
    "account": {"statecode": 1},
    "contact": {"statecode": 1},
    "incident": {"statecode": 2, "statuscode": 2000},
    "lead": {"statecode": 2, "statuscode": 7},
}
"""The tables whose rows can be merged, and the state of a row that has been."""

_PARENTS = {"account": ("parentaccountid",), "contact": ("parentcustomerid",), "incident": ("customerid",), "lead": ()}


def merge(
    session: Session,
    target: Reference,
    subordinate: Reference,
    content: Mapping[str, Value],
    *,
    same_parents: bool = False,
) -> None:
    """Merge `subordinate` into `target`. `same_parents`: 400 unless both have the same parent."""
    require_usable(session.caller)
    if target.table not in MERGEABLE or subordinate.table != target.table:
        raise InvalidRequest(f"Two rows of one table can be merged, of {', '.join(MERGEABLE)}.")
    if target.id == subordinate.id:
        raise InvalidRequest("A row cannot be merged into itself.")
    table = session.table(target.table)
    stays = _demand_all(session, table, target.id, (Rights.WRITE, Rights.READ, Rights.APPEND_TO))
    goes = _demand_all(session, table, subordinate.id, (Rights.WRITE, Rights.READ))
    for row, name in ((stays, "target"), (goes, "subordinate")):
        if row.values.get("merged"):
            raise InvalidRequest(f"The {name} {row.id} has been merged into another row already.")
    if same_parents and any(stays.values.get(name) != goes.values.get(name) for name in _PARENTS[target.table]):
        raise InvalidRequest("The rows have different parents; merge them without PerformParentingChecks.")
    if content:
        stays = update_row(session, table, target.id, content)
    for relationship, child_table in _merging(session, table):
        _move_children(session, relationship, child_table, goes, stays)
    _retire(session, table, goes.id, stays)


def _demand_all(session: Session, table: Table, row_id: Guid, rights: Sequence[Rights]) -> Row:
    row = demand_existing(session, table, row_id, rights[0])
    for right in rights[1:]:
        demand(session, right, row)
    return row


def _merging(session: Session, table: Table) -> list[tuple[Relationship, Table]]:
    tables = session.schema.tables
    return [
        (relationship, child)
        for relationship in cascading_children(session.schema, table.logical_name)
        if relationship.cascade.merge != NO_CASCADE
        and (child := tables.get(relationship.referencing_table)) is not None
    ]


def _move_children(session: Session, relationship: Relationship, table: Table, goes: Row, stays: Row) -> None:
    """Children of the subordinate become children of the target; the target itself loses the subordinate as parent."""
    column = relationship.referencing_column
    for child in session.transaction.children(relationship, [goes.id]):
        is_target = child.id == stays.id and table is stays.table
        if not is_target:
            demand(session, Rights.WRITE, child)
            demand(session, Rights.APPEND, child)
        new = None if is_target else stays.reference()
        before = {column: child.values.get(column)}
        session.transaction.update(child, {column: new, **of_changed_row(session, table)})
        record_update(session, child, {column: (before[column], new)}, Action.CASCADE)
        moved(session, child, before, Targets(session))


def _retire(session: Session, table: Table, goes: Guid, stays: Row) -> None:
    """Deactivate the subordinate, read again: it may have been a child of itself."""
    row = session.transaction.rows(table, [goes])[goes]
    changes: dict[str, Value] = {**MERGEABLE[table.logical_name], "merged": True, "masterid": stays.reference()}
    complete_change(table, row.values, changes)
    before = {name: row.values.get(name) for name in changes}
    session.transaction.update(row, {**changes, **of_changed_row(session, table)})
    different = {name: (old, row.values.get(name)) for name, old in before.items() if old != row.values.get(name)}
    record_update(session, row, different, Action.MERGE)
