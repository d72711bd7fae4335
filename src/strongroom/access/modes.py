"""Access modes: what a user's `accessmode` takes away, from everybody alike (SM-63).

0 read-write and 4 non-interactive take nothing. 2 read leaves the Read privileges. 1 administrative, and 3 and 5 that
are treated as 1, leave settings and administration: the tables named here and the privileges without a table.
"""

from strongroom.access.caller import AccessMode
from strongroom.schema.model import Privilege, Rights

ADMINISTRATION_TABLES = frozenset(
    {
        "activitylog",
        "appmodule",
        "asyncoperation",
        "audit",
        "bulkdeletefailure",
        "bulkdeleteoperation",
        "businessunit",
        "connectionreference",
        "connectionrole",
        "dependency",
        "duplicaterecord",
        "duplicaterule",
        "duplicaterulecondition",
        "environmentvariabledefinition",
        "environmentvariablevalue",
        "fieldpermission",
        "fieldsecurityprofile",
        "mailbox",
        "organization",
        "pluginassembly",
        "plugintype",
        "position",
        "principalobjectaccess",
        "principalobjectattributeaccess",
        "privilege",
        "processstage",
        "publisher",
        "role",
        "roleprivileges",
        "roletemplate",
        "savedquery",
        "savedqueryvisualization",
        "sdkmessage",
        "sdkmessageprocessingstep",
        "sitemap",
        "solution",
        "systemform",
        "systemuser",
        "systemuserprofiles",
        "systemuserroles",
        "team",
        "teammembership",
        "teamprofiles",
        "teamroles",
        "teamtemplate",
        "territory",
        "transactioncurrency",
        "webresource",
        "workflow",
    }
)

_UNRESTRICTED = frozenset({AccessMode.READ_WRITE, AccessMode.NON_INTERACTIVE})


def restricts(mode: AccessMode) -> bool:
    """Whether `mode` takes anything away."""
    return mode not in _UNRESTRICTED


def counts_in(mode: AccessMode, privilege: Privilege) -> bool:
    """Whether a user in `mode` can use `privilege`, however it is held (SM-63)."""
    if privilege.table is not None:
        return table_counts_in(mode, privilege.table, privilege.right)
    return mode is not AccessMode.READ or privilege.name.startswith("prvRead")


def table_counts_in(mode: AccessMode, table: str, right: Rights) -> bool:
    """Whether a user in `mode` can use `right` on `table` at all (SM-63)."""
    if mode in _UNRESTRICTED:
        return True
    return right is Rights.READ if mode is AccessMode.READ else table in ADMINISTRATION_TABLES
