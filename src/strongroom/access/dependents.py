"""Plans for tables that nobody owns (SM-10): by their parents, by one privilege, for every user, or for administrators.

The plan of a child table is made of its parents' plans: the row is reached when an `Exists` over each parent holds.
Whatever no rule opens is for System Administrators alone (SM-7).
"""

from collections.abc import Callable

from strongroom.access.caller import Caller, Grant
from strongroom.access.columns import mask_of, without_old_values
from strongroom.access.messages import administrators_only, missing_privilege, no_such_privilege
from strongroom.access.modes import table_counts_in
from strongroom.access.parents import (
    AUDIT_PRIVILEGES,
    READABLE_BY_EVERY_USER,
    ParentLink,
    parent_links,
    right_on_parent,
)
from strongroom.access.plan import Branch, Plan, Reason
from strongroom.access.predicates import disjunction, row_predicate
from strongroom.access.reasons import Code, role_sources
from strongroom.access.resolve import grants_of
from strongroom.query.ast import TRUE, And, Exists, Link, Predicate, Source
from strongroom.schema.model import Privilege, Rights, Table

Planner = Callable[[Caller, Table, Rights], Plan]


def plan_of_unowned(caller: Caller, table: Table, right: Rights, planner: Planner) -> Plan:
    """The plan for a table without an owner. `planner` makes the plans of the parents."""
    name = table.logical_name
    if right is Rights.READ and name in READABLE_BY_EVERY_USER:
        return _everything(caller, table, right, Reason(Code.EVERYONE))
    if name == "audit":
        needed = AUDIT_PRIVILEGES.get(right)
        privilege = None if needed is None else caller.schema.extra_privileges.get(needed)
        return without_old_values(_by_privilege(caller, table, right, privilege), caller)
    links = parent_links(table, caller.schema)
    if links:
        return _by_parents(caller, table, right, links, planner)
    if table.privileges:
        return _by_privilege(caller, table, right, table.privileges.get(right))
    if caller.administers and table_counts_in(caller.facts.access_mode, name, right):
        return _everything(caller, table, right, Reason(Code.BYPASS_SYSADMIN))
    return Plan(table, right, refusal=administrators_only(caller, table))


def _by_parents(caller: Caller, table: Table, right: Rights, links: tuple[ParentLink, ...], planner: Planner) -> Plan:
    wanted = right_on_parent(right)
    if wanted is None:
        return Plan(table, right, refusal=no_such_privilege(caller, right, table))
    ways: list[Predicate] = []
    for link in links:
        plans = [planner(caller, caller.schema.tables[parent], wanted) for parent in link.tables]
        usable = [plan for plan in plans if plan.refusal is None]
        if not usable:
            refusal = plans[0].refusal if plans else administrators_only(caller, table)
            return Plan(table, right, refusal=refusal)
        ways.append(disjunction(*(_through(link.column, plan) for plan in usable)))
    if caller.is_system_administrator:
        return _everything(caller, table, right, Reason(Code.BYPASS_SYSADMIN))
    predicate = ways[0] if len(ways) == 1 else And(tuple(ways))
    return Plan(table, right, (Branch(predicate, (Reason(Code.PARENT),)),), mask=mask_of(caller, table))


def _through(column: str, parent: Plan) -> Predicate:
    """The row that `column` points to is in the parent's table and reached by the parent's plan."""
    alias = f"~{column}"
    reached = row_predicate(parent, alias)
    return Exists(
        Link("", column, parent.table.primary_id),
        Source(parent.table, alias),
        None if reached == TRUE else reached,
    )


def _by_privilege(caller: Caller, table: Table, right: Rights, privilege: Privilege | None) -> Plan:
    """All rows, behind one privilege that has no depth but Global."""
    if privilege is None:
        return Plan(table, right, refusal=no_such_privilege(caller, right, table))
    grants = grants_of(caller, privilege)
    if not grants:
        return Plan(table, right, refusal=missing_privilege(caller, privilege, table))
    return _everything(caller, table, right, *(Reason(_code(caller, grant), role_sources(grant)) for grant in grants))


def _code(caller: Caller, grant: Grant) -> Code:
    if caller.is_system_administrator:
        return Code.BYPASS_SYSADMIN
    by_team = caller.facts.is_team or grant.held.via_team is not None
    return Code.TEAM_ROLE_GLOBAL if by_team else Code.ROLE_GLOBAL


def _everything(caller: Caller, table: Table, right: Rights, *reasons: Reason) -> Plan:
    return Plan(table, right, (Branch(TRUE, reasons),), mask=mask_of(caller, table))
