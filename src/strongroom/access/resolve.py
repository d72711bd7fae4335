"""From what the store knows of a user to a `Caller`: roles become grants, once per security epoch.

Order of things: the roles of the user and of its owner and group teams are the roles that count (SM-21); each gives a
grant for each of its privileges, anchored at the unit of the role copy (SM-42); the System Administrator role gives
every privilege there is at Global (SM-64); then the access mode (SM-63) and the real caller behind an impersonation
(SM-68) take away what they do not let through.

Example: Ada of unit North holds *Seller* directly (read account: Local) and is in the team Deals of unit South, which
holds *Helper* (read account: Basic). `grants[prvReadAccount]` = (Local anchored at North, Basic anchored at South via
Deals).
"""

from strongroom.access.caller import SYSTEM_ADMINISTRATOR_TEMPLATE, Caller, Grant, SecurityFacts
from strongroom.access.messages import missing_privilege, no_roles, not_in_group, user_disabled
from strongroom.access.modes import counts_in, restricts
from strongroom.ids import Guid
from strongroom.schema.model import Depth, Privilege, Schema


def resolve(facts: SecurityFacts, schema: Schema, epoch: int, initiated_by: Caller | None = None) -> Caller:
    """The caller that `facts` describe. `initiated_by` is the real caller when `facts` are those of an impersonated
    user. A caller may be kept as long as the security epoch and the metadata version stay the same."""
    everything = tuple(
        Grant(Depth.GLOBAL, held) for held in facts.roles if held.role.template_id == SYSTEM_ADMINISTRATOR_TEMPLATE
    )
    grants = dict.fromkeys(schema.privileges_by_id, everything) if everything else _grants_of_roles(facts)
    if restricts(facts.access_mode) or initiated_by is not None:
        grants = {
            id: held
            for id, held in grants.items()
            if (privilege := schema.privileges_by_id.get(id)) is not None
            and counts_in(facts.access_mode, privilege)
            and (initiated_by is None or id in initiated_by.grants)
        }
    return Caller(facts, epoch, grants, bool(everything), schema, initiated_by)


def require_usable(caller: Caller) -> None:
    """Raise `AccessDenied` when the caller can do nothing at all: disabled (SM-60), in a disabled unit or below one
    (SM-61), or without any role (SM-62). `WhoAmI` asks for less: see `require_enabled`."""
    require_enabled(caller)
    if not caller.facts.roles:
        raise no_roles(caller)


def require_enabled(caller: Caller) -> None:
    """The first half of `require_usable`: all that `WhoAmI` needs (SM-172)."""
    if is_disabled(caller.facts):
        raise user_disabled(caller)


def require_entry(caller: Caller) -> None:
    """Refuse users outside of the environment's security group (SM-69). Administrators always enter: the group cannot
    lock out those who can change it."""
    group = caller.facts.settings.entry_team
    if group is None or caller.is_system_administrator:
        return
    if all(team.key != group for team in caller.facts.teams):
        raise not_in_group(caller)


def is_disabled(facts: SecurityFacts) -> bool:
    """Whether the principal is disabled itself or through a business unit (SM-60, SM-61). Teams never are."""
    return not facts.is_team and (facts.is_disabled or facts.units.is_disabled(facts.unit))


def holds_privilege(facts: SecurityFacts, privilege: Privilege) -> bool:
    """Whether the privilege check passes for a principal that nobody impersonates (SM-21): what `resolve` would say of
    it, without the work of saying what else the principal holds."""
    return counts_in(facts.access_mode, privilege) and any(
        held.role.template_id == SYSTEM_ADMINISTRATOR_TEMPLATE
        or privilege.id in facts.role_privileges.get(held.role.root_id, ())
        for held in facts.roles
    )


def grants_of(caller: Caller, privilege: Privilege) -> tuple[Grant, ...]:
    """The grants by which the caller holds `privilege`; empty when the privilege check fails (SM-21)."""
    return caller.grants.get(privilege.id, ())


def holds(caller: Caller, name: str) -> bool:
    """Whether the caller holds the privilege called `name` (`prvReadAuditSummary`) at any depth."""
    privilege = caller.schema.privileges_by_name.get(name)
    return privilege is not None and privilege.id in caller.grants


def require_privilege(caller: Caller, name: str) -> None:
    """Raise the error of SM-150 unless the caller holds the privilege called `name`, which the schema must have."""
    privilege = caller.schema.privileges_by_name[name]
    if privilege.id not in caller.grants:
        table = caller.schema.tables[privilege.table] if privilege.table is not None else None
        raise missing_privilege(caller, privilege, table)


def _grants_of_roles(facts: SecurityFacts) -> dict[Guid, tuple[Grant, ...]]:
    found: dict[Guid, tuple[Grant, ...]] = {}
    for held in facts.roles:
        single = {depth: (Grant(depth, held),) for depth in Depth}  # shared by all privileges of the role
        for privilege, depth in facts.role_privileges.get(held.role.root_id, {}).items():
            before = found.get(privilege)
            found[privilege] = single[depth] if before is None else before + single[depth]
    return found
