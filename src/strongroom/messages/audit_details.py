"""The kinds of details that entries of the trail have, in Dataverse's shapes (TS-805).

| entry | kind | besides the old and new values of columns |
| --- | --- | --- |
| shared, share changed, unshared | `ShareAuditDetail` | `Principal`, `OldPrivileges`, `NewPrivileges` |
| tied and untied, roles and members | `RelationshipAuditDetail` | `RelationshipName`, `TargetRecords` |
| privileges of a role | `RolePrivilegeAuditDetail` | `OldRolePrivileges`, `NewRolePrivileges` |
| a user entered | `UserAccessAuditDetail` | `AccessTime`, `Interval` |
| everything else | `AttributeAuditDetail` | |

What the caller may not see of an entry is not in its `old` and `new` either (SM-132), and so in none of these.
"""

from collections.abc import Mapping

from strongroom.access.rights import format_rights
from strongroom.audit.entries import Action
from strongroom.audit.history import AuditDetail
from strongroom.ids import Reference
from strongroom.messages.operation import Json
from strongroom.schema.model import Depth, Rights, Schema
from strongroom.store.protocol import Value

_SHARES = frozenset({Action.SHARE.value, Action.MODIFY_SHARE.value, Action.UNSHARE.value})
_TIES = frozenset(
    action.value
    for action in (
        Action.ASSOCIATE,
        Action.DISASSOCIATE,
        Action.ADD_MEMBERS,
        Action.REMOVE_MEMBERS,
        Action.ASSIGN_ROLE_TO_TEAM,
        Action.REMOVE_ROLE_FROM_TEAM,
        Action.ASSIGN_ROLE_TO_USER,
        Action.REMOVE_ROLE_FROM_USER,
    )
)
_PRIVILEGES = frozenset({Action.ADD_PRIVILEGES.value, Action.REMOVE_PRIVILEGES.value, Action.REPLACE_PRIVILEGES.value})
_ENTRIES = frozenset({Action.USER_ACCESS_VIA_WEB.value, Action.USER_ACCESS_VIA_SERVICE.value})
_DEPTHS = {depth.wire_name: depth for depth in Depth}


def kind_of(schema: Schema, detail: AuditDetail) -> tuple[str, Json]:
    """The name of the type of a detail, and what it says besides the values of columns."""
    action = detail.entry.get("action")
    if action in _SHARES:
        return "ShareAuditDetail", {
            "Principal": _named(detail.new.get("principalid") or detail.old.get("principalid")),
            "OldPrivileges": _rights(detail.old),
            "NewPrivileges": _rights(detail.new),
        }
    if action in _TIES:
        names = detail.old.keys() | detail.new.keys()
        targets = (_named(value) for value in (*detail.old.values(), *detail.new.values()))
        return "RelationshipAuditDetail", {
            "RelationshipName": min(names, default=None),
            "TargetRecords": [target for target in targets if target is not None],
        }
    if action in _PRIVILEGES:
        return "RolePrivilegeAuditDetail", {
            "OldRolePrivileges": _held(schema, detail.old),
            "NewRolePrivileges": _held(schema, detail.new),
            "InvalidNewPrivileges": [],
        }
    if action in _ENTRIES:
        hours = detail.new.get("interval")
        return "UserAccessAuditDetail", {
            "AccessTime": detail.entry.get("createdon"),
            "Interval": hours if isinstance(hours, int) else 0,
        }
    return "AttributeAuditDetail", {}


def _rights(values: Mapping[str, Value]) -> str:
    mask = values.get("accessrightsmask")
    return format_rights(Rights(mask)) if isinstance(mask, int) else "None"


def _held(schema: Schema, values: Mapping[str, Value]) -> list[Json]:
    known = schema.privileges_by_name
    return [
        {
            "PrivilegeId": known[name].id if name in known else None,
            "PrivilegeName": name,
            "Depth": str(depth) if depth in _DEPTHS else None,
        }
        for name, depth in sorted(values.items())
    ]


def _named(value: Value) -> Json | None:
    """A row that an entry names: as a reference, or as the text that the trail keeps of one."""
    if isinstance(value, str) and "," in value:
        table, _, row = value.partition(",")
    elif isinstance(value, Reference):
        table, row = value.table, str(value.id)
    else:
        return None
    return {"@odata.type": f"#Microsoft.Dynamics.CRM.{table}", f"{table}id": row}
