"""Tables that nobody owns: whose access their rows take (SM-10).

An intersect or child table has no privileges, no owner and no unit. Its row may be used when the row that it hangs on
may be: read when that may be read, appended when that may be appended, changed in any way when that may be written.
Where several columns are named, the rows behind all of them must be reachable; where one column may point to several
tables, the row behind it in whichever table it is.

Example: Ada reads an address when she reads the account or the contact that `parentid` points to.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from strongroom.schema.activities import POINTER
from strongroom.schema.model import Rights, Schema, Table

READABLE_BY_EVERY_USER = frozenset(
    {"privilege", "roletemplate", "sdkmessage", "sdkmessagefilter", "sdkmessagepair", "sdkmessagerequest"}
)
"""What exists in the platform itself: facts that hold nobody's data."""

AUDIT_PRIVILEGES: Mapping[Rights, str] = MappingProxyType(
    {Rights.READ: "prvReadAuditSummary", Rights.DELETE: "prvDeleteRecordChangeHistory"}
)
"""Who may list the audit trail, and delete from it (SM-173)."""


@dataclass(frozen=True, slots=True)
class ParentLink:
    """One column of a child table that leads to a row whose access counts. `tables` are its possible tables."""

    column: str
    tables: tuple[str, ...]


_PARENTS: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "activitymimeattachment": {"objectid": ()},
        "activityparty": {"activityid": (POINTER,)},
        "bulkdeletefailure": {"bulkdeleteoperationid": ("bulkdeleteoperation",)},
        "bulkdeleteoperation": {"asyncoperationid": ("asyncoperation",)},
        "customeraddress": {"parentid": ()},
        "duplicaterecord": {"asyncoperationid": ("asyncoperation",)},
        "duplicaterulecondition": {"regardingobjectid": ("duplicaterule",)},
        "fieldpermission": {"fieldsecurityprofileid": ("fieldsecurityprofile",)},
        "listmember": {"listid": ("list",)},
        "processstage": {"processid": ("workflow",)},
        "productpricelevel": {"pricelevelid": ("pricelevel",)},
        "queueitem": {"queueid": ("queue",)},
        "roleprivileges": {"roleid": ("role",)},
        "systemuserprofiles": {"systemuserid": ("systemuser",), "fieldsecurityprofileid": ("fieldsecurityprofile",)},
        "systemuserroles": {"systemuserid": ("systemuser",), "roleid": ("role",)},
        "teammembership": {"teamid": ("team",)},
        "teamprofiles": {"teamid": ("team",), "fieldsecurityprofileid": ("fieldsecurityprofile",)},
        "teamroles": {"teamid": ("team",), "roleid": ("role",)},
        "uom": {"uomscheduleid": ("uomschedule",)},
    }
)
"""Child table → column → parent tables; none named means all targets of the lookup that this schema has."""

_RIGHT_ON_PARENT: Mapping[Rights, Rights] = MappingProxyType(
    {
        Rights.READ: Rights.READ,
        Rights.APPEND: Rights.APPEND,
        Rights.APPEND_TO: Rights.APPEND_TO,
        Rights.CREATE: Rights.WRITE,
        Rights.WRITE: Rights.WRITE,
        Rights.DELETE: Rights.WRITE,
    }
)


def right_on_parent(right: Rights) -> Rights | None:
    """The right on the parent row that gives `right` on its child; None for Share and Assign, which children lack."""
    return _RIGHT_ON_PARENT.get(right)


def parent_links(table: Table, schema: Schema) -> tuple[ParentLink, ...]:
    """What the access to rows of `table` hangs on; empty when the table takes nobody's access.

    For a row that is not there yet, the caller of this function checks the parents' own plans.
    """
    named = _PARENTS.get(table.logical_name)
    if named is not None:
        return tuple(ParentLink(column, _targets(table, column, tables, schema)) for column, tables in named.items())
    for association in schema.many_to_many.values():
        if association.intersect == table.logical_name:
            return (
                ParentLink(association.column1, (association.table1,)),
                ParentLink(association.column2, (association.table2,)),
            )
    return ()


def _targets(table: Table, column: str, tables: tuple[str, ...], schema: Schema) -> tuple[str, ...]:
    return tuple(name for name in tables or table.columns[column].targets if name in schema.tables)
