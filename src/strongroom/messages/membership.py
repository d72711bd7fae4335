"""Members of teams and privileges of roles (WA-386, WA-391 to WA-393, SM-30, SM-58, SM-171)."""

from collections.abc import Iterable

from strongroom.access.privileges import RolePrivilege as Listed
from strongroom.access.privileges import privileges_of, privileges_of_role
from strongroom.access.resolve import resolve
from strongroom.access.rights import parse_depth
from strongroom.errors import InvalidRequest
from strongroom.ids import EMPTY_GUID, Reference
from strongroom.messages.entities import guid_of
from strongroom.messages.operation import Arguments, Json, Kind, Operation, Parameter, Result, action, function
from strongroom.records import (
    RolePrivilege,
    Session,
    add_members,
    add_privileges,
    remove_members,
    remove_privilege,
    replace_privileges,
    require,
    role_privileges,
)
from strongroom.schema.model import Rights

_MEMBERS = Parameter("Members", Kind.REFERENCES, type="Collection(mscrm.systemuser)")
_PRIVILEGES = Parameter("Privileges", Kind.COMPLEXES, type="Collection(mscrm.RolePrivilege)")
_ROLE_PRIVILEGES = {"RolePrivileges": "Collection(mscrm.RolePrivilege)"}


def _users(arguments: Arguments) -> list[Reference]:
    members = arguments.references("Members")
    for member in members:
        if member.table != "systemuser":
            raise InvalidRequest(f"Members of a team are users; '{member.table}' is not.")
    return members


def _add_members(session: Session, arguments: Arguments) -> Result:
    add_members(session, arguments.bound().id, [user.id for user in _users(arguments)])
    return None


def _remove_members(session: Session, arguments: Arguments) -> Result:
    remove_members(session, arguments.bound().id, [user.id for user in _users(arguments)])
    return None


def _privilege(body: Json) -> RolePrivilege:
    depth = body.get("Depth")
    if not isinstance(depth, str | int):
        raise InvalidRequest("Each privilege has a Depth: Basic, Local, Deep or Global.")
    return RolePrivilege(guid_of(body.get("PrivilegeId"), "PrivilegeId"), parse_depth(depth))


def listed(entries: Iterable[Listed]) -> Result:
    """Entries as `RolePrivileges` gives them."""
    return {
        "RolePrivileges": [
            {
                "Depth": entry.depth.wire_name,
                "PrivilegeId": entry.privilege_id,
                "BusinessUnitId": entry.unit_id,
                "PrivilegeName": entry.name,
                "RecordFilterId": EMPTY_GUID,
            }
            for entry in entries
        ]
    }


def _add_privileges(session: Session, arguments: Arguments) -> Result:
    add_privileges(session, arguments.bound().id, [_privilege(p) for p in arguments.objects("Privileges")])
    return None


def _replace_privileges(session: Session, arguments: Arguments) -> Result:
    replace_privileges(session, arguments.bound().id, [_privilege(p) for p in arguments.objects("Privileges")])
    return None


def _remove_privilege(session: Session, arguments: Arguments) -> Result:
    remove_privilege(session, arguments.bound().id, arguments.guid("PrivilegeId"))
    return None


def _role_privileges(session: Session, arguments: Arguments) -> Result:
    role = require(session, session.table("role"), arguments.guid("RoleId"), Rights.READ)
    unit = role.values.get("businessunitid")
    unit_id = unit.id if isinstance(unit, Reference) else EMPTY_GUID
    held = {entry.privilege: entry.depth for entry in role_privileges(session, role.id)}
    return listed(privileges_of_role(held, unit_id, session.schema))


def _principal_privileges(session: Session, arguments: Arguments) -> Result:
    principal = arguments.bound()
    if principal.id != session.caller.id:
        require(session, session.table(principal.table), principal.id, Rights.READ)
    facts = session.transaction.facts(principal)
    if facts is None:
        raise InvalidRequest(f"There is no {principal.table} with the id {principal.id}.", code="0x80040217")
    caller = resolve(facts, session.schema, session.caller.epoch)
    return listed(privileges_of(caller))


def _privilege_set(session: Session, _: Arguments) -> Result:
    return {
        "value": [
            {
                "privilegeid": privilege.id,
                "name": privilege.name,
                "canbebasic": any(d.name == "BASIC" for d in privilege.depths),
                "canbelocal": any(d.name == "LOCAL" for d in privilege.depths),
                "canbedeep": any(d.name == "DEEP" for d in privilege.depths),
                "canbeglobal": any(d.name == "GLOBAL" for d in privilege.depths),
                "accessright": int(privilege.right),
            }
            for privilege in session.schema.privileges_by_id.values()
        ]
    }


OPERATIONS: tuple[Operation, ...] = (
    action("AddMembersTeam", _add_members, _MEMBERS, bound_to=("team",)),
    action("RemoveMembersTeam", _remove_members, _MEMBERS, bound_to=("team",)),
    action("AddPrivilegesRole", _add_privileges, _PRIVILEGES, bound_to=("role",)),
    action("ReplacePrivilegesRole", _replace_privileges, _PRIVILEGES, bound_to=("role",)),
    action("RemovePrivilegeRole", _remove_privilege, Parameter("PrivilegeId", Kind.GUID), bound_to=("role",)),
    function(
        "RetrieveRolePrivilegesRole", _role_privileges, Parameter("RoleId", Kind.GUID), properties=_ROLE_PRIVILEGES
    ),
    function("RetrieveUserPrivileges", _principal_privileges, properties=_ROLE_PRIVILEGES, bound_to=("systemuser",)),
    function("RetrieveTeamPrivileges", _principal_privileges, properties=_ROLE_PRIVILEGES, bound_to=("team",)),
    Operation("RetrievePrivilegeSet", True, _privilege_set, collection_of="privilege"),
)
