"""May the caller? One question asked in three ways: of a table, of a row that exists, of a row that will.

Each right passes the privilege check first and the reach of the row second (SM-2); the two refuse differently.
Plans come from `access`, which makes each of them once per caller.
"""

from collections.abc import Iterable

from strongroom.access.check import SecuredRow, least_depth
from strongroom.access.check import reaches as has_reach
from strongroom.access.columns import is_open, open_to_shares, require_columns
from strongroom.access.messages import does_not_exist, no_access
from strongroom.access.parents import parent_links, right_on_parent
from strongroom.access.plan import ColumnAccess, Plan
from strongroom.access.planning import plan_for
from strongroom.errors import AccessDenied
from strongroom.ids import Guid, Reference
from strongroom.records.session import Session
from strongroom.schema.activities import tables_behind
from strongroom.schema.model import Depth, Ownership, Rights, Table
from strongroom.store.protocol import Row


def demand_privilege(session: Session, table: Table, right: Rights) -> Plan:
    """The plan for `right`, or the refusal of SM-150."""
    return plan_for(session.caller, table, right).required()


def reaches(session: Session, right: Rights, row: Row) -> bool:
    """Whether the caller has `right` on `row`; without the privilege too the answer is no."""
    plan = plan_for(session.caller, row.table, right)
    return plan.refusal is None and session.transaction.allows(plan, row)


def demand(session: Session, right: Rights, row: Row) -> None:
    """Refuse unless the caller has `right` on `row` (SM-150, SM-151)."""
    plan = demand_privilege(session, row.table, right)
    if not plan.is_everything and not session.transaction.allows(plan, row):
        raise no_access(
            session.caller,
            right,
            row.table,
            row.id,
            least_depth(session.caller, row.table, SecuredRow(row.owner, row.unit)),
        )


def refusal_of(session: Session, right: Rights, row: Row) -> AccessDenied:
    """SM-151, with the least depth that would reach the row as advice."""
    level = least_depth(session.caller, row.table, SecuredRow(row.owner, row.unit))
    return no_access(session.caller, right, row.table, row.id, level)


def demand_existing(session: Session, table: Table, row_id: Guid, right: Rights) -> Row:
    """The row `row_id`, on which the caller has `right`; refusals in the order of SM-152."""
    demand_privilege(session, table, right)
    row = session.transaction.row(table, row_id)
    if row is None:
        raise does_not_exist(table, row_id)
    demand(session, right, row)
    return row


def demand_columns(session: Session, row: Row, columns: Iterable[str]) -> None:
    """Refuse unless the caller may update each of these columns of the row: by a profile, or because the row's value is
    shared (SM-133, SM-134)."""
    plan = plan_for(session.caller, row.table, Rights.WRITE)
    closed = [name for name in columns if not is_open(plan, name, ColumnAccess.UPDATE)]
    if closed and plan.shared_values:
        held = open_to_shares(plan, closed, lambda principals: session.transaction.value_access(row, principals))
        closed = [name for name in closed if name not in held]
    require_columns(plan, closed, ColumnAccess.UPDATE)


def demand_new(session: Session, right: Rights, row: Row) -> None:
    """Refuse unless a grant of `right` reaches `row`, which is not there yet (SM-120, SM-121).

    Only owner and unit can speak for a new row: it has no shares. A row of a child table takes the access of the
    rows that it will hang on (SM-10).
    """
    plan = demand_privilege(session, row.table, right)
    secured = SecuredRow(row.owner, row.unit)
    if plan.is_everything or has_reach(plan, secured):
        return
    if row.table.logical_name == "businessunit" and _is_below_deep(session, right, row):
        return
    if row.table.ownership is Ownership.NONE:
        _demand_parents(session, right, row)
        return
    raise refusal_of(session, right, row)


def _demand_parents(session: Session, right: Rights, row: Row) -> None:
    """The right on each row that a new row of a child table will hang on; without such a row there is none."""
    on_parent = right_on_parent(right)
    for link in parent_links(row.table, session.schema):
        target = row.values.get(link.column)
        tables = [name for table in link.tables for name in tables_behind(session.schema, table)]
        if not isinstance(target, Reference) or on_parent is None or target.table not in tables:
            raise refusal_of(session, right, row)
        demand_existing(session, session.table(target.table), target.id, on_parent)


def _is_below_deep(session: Session, right: Rights, row: Row) -> bool:
    """Whether a new business unit comes under a Deep grant: the unit that counts is its own, below its parent's."""
    parent = row.values.get("parentbusinessunitid")
    key = session.transaction.unit_key(parent.id) if isinstance(parent, Reference) else None
    grants = session.caller.grants.get(row.table.privileges[right].id, ())
    units = session.caller.facts.units
    return key is not None and any(g.depth is Depth.DEEP and key in units.subtree(g.anchor) for g in grants)
