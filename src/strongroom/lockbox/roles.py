"""The roles of the lockbox, which the control environment begins with: for support, for operators of the machine, and
for those who decide for the customer. They are ordinary roles, given as any other."""

from collections.abc import Mapping

from strongroom.lockbox.tables import EXCLUSION, POLICY, REQUEST
from strongroom.records.shipped_roles import RoleRights
from strongroom.schema.model import Rights

SUPPORT, OPERATOR, APPROVER = "Support", "Operator", "Lockbox Approver"

_ASKS, _LOOKS = (Rights.CREATE, Rights.READ), (Rights.READ,)
ROLES: Mapping[str, RoleRights] = {
    SUPPORT: {REQUEST: _ASKS, "systemuser": _LOOKS},
    OPERATOR: {EXCLUSION: _ASKS, "systemuser": _LOOKS},
    APPROVER: {
        REQUEST: (Rights.READ, Rights.WRITE),
        EXCLUSION: _LOOKS,
        POLICY: (Rights.CREATE, Rights.READ, Rights.WRITE),
        "systemuser": _LOOKS,
    },
}
"""Rights by table, of each."""
