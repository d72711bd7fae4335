"""The two roles that keep apart who has the environments and who has their keys (TS-506).

Whoever holds one of them reaches nothing of the other: who makes, copies, restores and deletes environments cannot
assign, revoke or restore a key, and who holds the keys can lock an environment and not touch it otherwise. Neither
reads rows of business data. What was asked for and how it went is in `environmentoperation`, which both read.
"""

from collections.abc import Mapping

from strongroom.records.shipped_roles import RoleRights
from strongroom.schema.model import Rights

ENVIRONMENT_ADMINISTRATOR, KEY_ADMINISTRATOR = "Environment Administrator", "Key Administrator"

_LOOKS = (Rights.READ,)
ROLES: Mapping[str, RoleRights] = {
    ENVIRONMENT_ADMINISTRATOR: {
        "environment": (Rights.CREATE, Rights.READ, Rights.WRITE, Rights.DELETE),
        "environmentbackup": (Rights.CREATE, Rights.READ),
        "environmentoperation": _LOOKS,
        "deletioncertificate": _LOOKS,
    },
    KEY_ADMINISTRATOR: {
        "keyreference": (Rights.CREATE, Rights.READ, Rights.WRITE),
        "keyoperation": _LOOKS,
        "environmentoperation": _LOOKS,
    },
}
"""Rights by table, of each."""
