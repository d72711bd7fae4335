"""The errors of the security model with their published codes and texts (section 14)."""

from strongroom.access.caller import AccessMode, Caller
from strongroom.access.rights import RIGHT_NAMES
from strongroom.errors import AccessDenied, NotFound
from strongroom.ids import Guid
from strongroom.schema.model import Depth, Privilege, Rights, Table

_MODE_NAMES = {
    AccessMode.READ_WRITE: "Read-Write",
    AccessMode.ADMINISTRATIVE: "Administrative",
    AccessMode.READ: "Read",
    AccessMode.SUPPORT: "Support User",
    AccessMode.NON_INTERACTIVE: "Non-interactive",
    AccessMode.DELEGATED_ADMIN: "Delegated Admin",
}

_USER_TYPE_CODE = 8
_TEAM_TYPE_CODE = 9


def missing_privilege(caller: Caller, privilege: Privilege, table: Table | None) -> AccessDenied:
    """403 `0x80040220`: the privilege check failed (SM-150). Under impersonation it names who of the two lacks it."""
    lacking = caller
    if caller.initiated_by is not None and privilege.id not in caller.initiated_by.grants:
        lacking = caller.initiated_by
    on = (
        ""
        if table is None
        else f" on OTC={table.object_type_code} for entity '{table.logical_name}' (LocalizedName='{table.label}')"
    )
    return AccessDenied(
        f"{_describe(lacking)}, is missing {privilege.name} privilege (Id={privilege.id}){on}. "
        f"context.Caller={caller.id}. "
        "Consider adding missed privilege to one of the principal (user/team) roles.",
        code="0x80040220",
        details={"privilege": privilege.name},
    )


def no_such_privilege(caller: Caller, right: Rights, table: Table) -> AccessDenied:
    """403 `0x80040220`: nobody can hold `right` on `table`, for example Share on an organization-owned one."""
    return AccessDenied(
        f"{_describe(caller)}, cannot have {RIGHT_NAMES[right]} on entity '{table.logical_name}' "
        f"(LocalizedName='{table.label}'): no privilege gives it on {table.ownership.value} tables of this kind.",
        code="0x80040220",
    )


def administrators_only(caller: Caller, table: Table) -> AccessDenied:
    """403 `0x80040220`: the rows of `table` are for System Administrators (SM-79)."""
    return AccessDenied(
        f"{_describe(caller)}, does not hold the System Administrator role, which is needed for entity "
        f"'{table.logical_name}' (LocalizedName='{table.label}').",
        code="0x80040220",
    )


def no_access(caller: Caller, right: Rights, table: Table, row_id: Guid, level: Depth) -> AccessDenied:
    """403 `0x80048306`: the access check failed (SM-151). `level` is the least depth that would reach the row."""
    return AccessDenied(
        f"Principal with id {caller.id} does not have {RIGHT_NAMES[right]} right(s) for record with id {row_id} of "
        f"entity {table.logical_name}. Consider assigning a role with the level {level.wire_name} to the user or team.",
        code="0x80048306",
        details={
            "right": RIGHT_NAMES[right],
            "table": table.logical_name,
            "entity_set": table.entity_set_name,
            "id": row_id,
            "caller": caller.id,
        },
    )


def does_not_exist(table: Table, row_id: Guid) -> NotFound:
    """404 `0x80040217`: there is no such row (SM-152)."""
    return NotFound(f"{table.logical_name} With Id = {row_id} Does Not Exist")


def user_disabled(caller: Caller) -> AccessDenied:
    """403 `0x80040225`: the user, its business unit or a unit above is disabled (SM-60, SM-61)."""
    return AccessDenied(
        f"The specified user(Id={caller.id}) is disabled. Consider enabling this user.", code="0x80040225"
    )


def not_in_group(caller: Caller) -> AccessDenied:
    """403 `0x80072560`: the environment names a security group, and the user is not in it (SM-69)."""
    return AccessDenied(
        f"The user (Id={caller.id}) is not a member of the organization: the environment has a security group, and the "
        "user is not in it.",
        code="0x80072560",
    )


def no_roles(caller: Caller) -> AccessDenied:
    """403 `0x80042f09`: no role, neither direct nor through a team (SM-62)."""
    return AccessDenied(
        f"The user with SystemUserId={caller.id} in OrganizationContext has not been assigned any roles. "
        "Assign a security role to the user or to one of its teams.",
        code="0x80042f09",
    )


def _describe(caller: Caller) -> str:
    facts = caller.facts
    kind, code = ("team", _TEAM_TYPE_CODE) if facts.is_team else ("user", _USER_TYPE_CODE)
    return (
        f"Principal {kind} (Id={facts.id}, type={code}, roleCount={len(facts.roles)}, "
        f"privilegeCount={len(caller.grants)}, "
        f"accessMode='{facts.access_mode.value} {_MODE_NAMES[facts.access_mode]}', "
        f"AADObjectId='{facts.directory_object_id or ''}', "
        f"MetadataCachePrivilegesCount={len(caller.schema.privileges_by_id)}, businessUnitId={caller.unit_id})"
    )
