"""Access of somebody who comes for one task: certain rights on certain tables, until a moment (TS-1504).

Such a user has no role, no team and nobody below in the hierarchy; whatever somebody gives to the user besides does not
count. What was approved becomes one role of its own, held at Global, and what it says of secured columns; from there on
everything is as for anybody else: the same plans, the same masks, the same explanations.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from strongroom.access.caller import AccessMode, HeldRole, Role, SecurityFacts
from strongroom.access.plan import ColumnAccess
from strongroom.ids import Guid
from strongroom.schema.model import Depth, Rights, Schema


@dataclass(frozen=True, slots=True)
class Confinement:
    """What was approved. `columns` are secured columns that may be read."""

    id: Guid
    name: str
    tables: frozenset[str]
    rights: Rights
    columns: Mapping[str, frozenset[str]]


def confined(facts: SecurityFacts, schema: Schema, confinement: Confinement) -> SecurityFacts:
    """The user with what was approved and nothing else. The approval stands for membership in the environment's
    security group (SM-69)."""
    role = Role(confinement.id, confinement.id, confinement.name, facts.unit)
    privileges = {
        privilege.id: Depth.GLOBAL
        for name in sorted(confinement.tables)
        if (table := schema.tables.get(name)) is not None
        for right, privilege in table.privileges.items()
        if right in confinement.rights and Depth.GLOBAL in privilege.depths
    }
    opened = {table: dict.fromkeys(names, ColumnAccess.READ) for table, names in confinement.columns.items() if names}
    return replace(
        barred(facts),
        roles=(HeldRole(role),),
        role_privileges={role.root_id: privileges},
        column_permissions=opened,
        settings=replace(facts.settings, entry_team=None),
    )


def barred(facts: SecurityFacts) -> SecurityFacts:
    """The user without any access: before anything was approved, and once it has ended."""
    return replace(
        facts,
        access_mode=AccessMode.READ_WRITE,
        teams=(),
        roles=(),
        role_privileges={},
        subordinates=(),
        column_permissions={},
        shared_columns=frozenset(),
    )
