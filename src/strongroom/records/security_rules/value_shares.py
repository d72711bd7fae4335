"""Shares of single values: one secured column of one row, with one user or team (SM-134, SM-135).

A share of a value is a row of `principalobjectattributeaccess`. Like a share of a row it is given by whoever may share
the row, of what they have themselves; what it is about cannot be changed afterwards. It goes when its row goes, and
needs no right of its own then.
"""

from strongroom.access.columns import is_open, open_to_shares
from strongroom.access.plan import ColumnAccess
from strongroom.access.planning import plan_for
from strongroom.errors import AccessDenied, InvalidRequest
from strongroom.ids import Reference
from strongroom.records.authorize import demand
from strongroom.records.rules import Event, Rules
from strongroom.records.session import Session
from strongroom.schema.model import Column, Rights, Table
from strongroom.store.layout import VALUE_SHARES
from strongroom.store.protocol import Row, Value

_IDENTITY = ("attributeid", "objectid", "principalid")


def register(rules: Rules) -> None:
    """Hang the rules of value shares in the verbs."""
    rules.on(Event.BEFORE_CREATE, VALUE_SHARES, _check_new, name="value shares: by who may share, of what they have")
    rules.on(Event.BEFORE_UPDATE, VALUE_SHARES, _check_change, name="value shares: by who may share, of what they have")
    rules.on(Event.BEFORE_DELETE, VALUE_SHARES, _check_end, name="value shares: ended by who may share")


def _check_new(session: Session, share: Row, values: dict[str, Value]) -> None:
    row, column = _shared(session, values)
    principal = values.get("principalid")
    if not isinstance(principal, Reference):
        raise InvalidRequest("A shared value needs a user or team: 'principalid_systemuser' or 'principalid_team'.")
    _demand(session, row, column, values)
    same = {"objectid": row.reference(), "attributeid": column.metadata_id, "principalid": principal}
    if session.transaction.rows_where(share.table, same, limit=1):
        raise InvalidRequest(
            f"The value of '{column.logical_name}' of this row is shared with this {principal.table} already: change "
            "that share.",
            code="0x8004f50b",
        )
    values["objecttypecode"] = row.table.logical_name
    values["principalidtype"] = principal.table


def _check_change(session: Session, share: Row, changes: dict[str, Value]) -> None:
    for name in (*_IDENTITY, "objecttypecode", "principalidtype"):
        if name in changes and changes[name] != share.values.get(name):
            raise InvalidRequest(f"'{name}' of a shared value cannot be changed: delete the share and make another.")
    row, column = _shared(session, share.values)
    _demand(session, row, column, {**share.values, **changes})


def _check_end(session: Session, share: Row, _: dict[str, Value]) -> None:
    """Whoever may share the row. What goes with its row or its principal has been decided there; shares of rows,
    columns or tables that are no more are nobody's."""
    target = share.values.get("objectid")
    if not isinstance(target, Reference) or {target, share.values.get("principalid")} & session.doomed:
        return
    table = session.schema.tables.get(target.table)
    row = None if table is None else session.transaction.row(table, target.id)
    if row is not None:
        _demand_share(session, row)


def _shared(session: Session, values: dict[str, Value]) -> tuple[Row, Column]:
    """The row and the column that a share is about."""
    target = values.get("objectid")
    table = session.schema.tables.get(target.table) if isinstance(target, Reference) else None
    row = None if table is None or not isinstance(target, Reference) else session.transaction.row(table, target.id)
    if row is None:
        raise InvalidRequest("A shared value needs the row that it is of: 'objectid_<table>'.")
    return row, _column(row.table, values.get("attributeid"))


def _column(table: Table, metadata_id: Value) -> Column:
    column = next((each for each in table.columns.values() if each.metadata_id == metadata_id), None)
    if column is None:
        raise InvalidRequest(f"'attributeid' takes the MetadataId of a column of '{table.logical_name}'.")
    if not column.is_secured:
        raise InvalidRequest(
            f"The column '{column.logical_name}' of '{table.logical_name}' is not secured: its values need no share.",
            code="0x8004f508",
        )
    return column


def _demand(session: Session, row: Row, column: Column, values: dict[str, Value]) -> None:
    """Share on the row, and each permission that the share gives (SM-134)."""
    _demand_share(session, row)
    for name, right, access in (
        ("readaccess", Rights.READ, ColumnAccess.READ),
        ("updateaccess", Rights.WRITE, ColumnAccess.UPDATE),
    ):
        if values.get(name) and not _holds(session, row, column, right, access):
            verb = "read" if access is ColumnAccess.READ else "update"
            raise AccessDenied(
                f"The caller cannot share what it lacks: it may not {verb} the secured column "
                f"'{column.logical_name}' of '{row.table.logical_name}'.",
                details={"column": column.logical_name},
            )


def _demand_share(session: Session, row: Row) -> None:
    """Share on the row; of tables that know no Share, administrators share values."""
    if Rights.SHARE in row.table.privileges or not session.caller.administers:
        demand(session, Rights.SHARE, row)


def _holds(session: Session, row: Row, column: Column, right: Rights, access: ColumnAccess) -> bool:
    plan, name = plan_for(session.caller, row.table, right), column.logical_name
    if plan.refusal is not None:
        return False
    held = open_to_shares(plan, (name,), lambda principals: session.transaction.value_access(row, principals))
    return is_open(plan, name, access) or name in held
