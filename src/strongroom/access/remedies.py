"""What would help against denials that are not about the right on the row: a closed column, an unfit owner.

As everywhere, a change is proposed only when planning again with it gives what was denied (SM-162). Besides the codes
of SM-162 there are two for columns: `profile:<name>`, giving the principal this existing column profile, and
`value-share`, sharing this one value with it (SM-134).
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from strongroom.access.caller import SecurityFacts
from strongroom.access.columns import added, is_open, open_to_shares
from strongroom.access.directory import Profile
from strongroom.access.explain import joined, with_new_role
from strongroom.access.ownership import unfit_owner
from strongroom.access.plan import ColumnAccess, Plan
from strongroom.access.planning import plan_for
from strongroom.access.reasons import DenialCode
from strongroom.access.resolve import resolve
from strongroom.schema.model import Depth, Rights, Schema, Table

ACCESS_BY_RIGHT = {
    Rights.READ: ColumnAccess.READ,
    Rights.WRITE: ColumnAccess.UPDATE,
    Rights.CREATE: ColumnAccess.CREATE,
}
"""What a right on a row asks of a secured column besides (SM-130)."""


def opens_column(
    facts: SecurityFacts,
    schema: Schema,
    plan: Plan,
    column: str,
    *,
    profiles: Iterable[Profile],
    teams: Sequence[SecurityFacts],
) -> tuple[str, ...]:
    """The changes that would open `column` to the principal, whose `plan` leaves it closed. `profiles` and `teams` are
    those that may be proposed."""
    access = ACCESS_BY_RIGHT[plan.right]

    def opens(changed: SecurityFacts) -> bool:
        return is_open(plan_for(resolve(changed, schema, 0), plan.table, plan.right), column, access)

    found: list[str] = []
    if facts.team is None or facts.team.owns_rows:  # an access team holds no profiles (SM-55)
        for profile in profiles:
            if opens(replace(facts, column_permissions=added(facts.column_permissions, profile.columns))):
                found.append(f"profile:{profile.name}")
    if plan.right is not Rights.CREATE and _opens_by_value(facts, schema, plan, column, access):
        found.append("value-share")
    found += (f"team:{team.name}" for team, member in joined(facts, teams) if opens(member))
    return tuple(found)


def _opens_by_value(facts: SecurityFacts, schema: Schema, plan: Plan, column: str, access: ColumnAccess) -> bool:
    """Whether one more value share, with the principal itself, is enough."""
    value = plan.table.columns[column].metadata_id
    changed = replace(facts, shared_columns=facts.shared_columns | {value})
    shared = plan_for(resolve(changed, schema, 0), plan.table, plan.right)
    held = {value: access}
    return column in open_to_shares(shared, [column], lambda principals: held if facts.key in principals else {})


def makes_owner(
    facts: SecurityFacts, table: Table, problem: DenialCode, teams: Sequence[SecurityFacts]
) -> tuple[str, ...]:
    """The changes of an unfit owner that would make it fit to own rows of `table`."""
    if problem is DenialCode.OWNER_DISABLED:
        return ("enable-user",) if unfit_owner(replace(facts, is_disabled=False), table) is None else ()
    if problem is not DenialCode.OWNER_CANNOT_READ:
        return ()
    found = [f"privilege:{depth.wire_name}" for depth in _least_depth_to_own(facts, table)]
    found += (f"team:{team.name}" for team, member in joined(facts, teams) if unfit_owner(member, table) is None)
    return tuple(found)


def _least_depth_to_own(facts: SecurityFacts, table: Table) -> list[Depth]:
    """The least depth of Read, in a new role in the owner's unit; none when that does not help."""
    privilege = table.privileges.get(Rights.READ)
    if privilege is None:
        return []
    depth = min(privilege.depths, key=lambda each: each.value)
    return [depth] if unfit_owner(with_new_role(facts, privilege, depth), table) is None else []
