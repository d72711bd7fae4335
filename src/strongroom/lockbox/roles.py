"""The roles of the lockbox, which the control environment begins with: for support, for operators of the machine, and
for those who decide for the customer. They are ordinary roles, given as any other."""

from collections.abc import Mapping

from strongroom.identity.directory import find
from strongroom.ids import Guid, Reference, new_guid
from strongroom.lockbox.tables import EXCLUSION, POLICY, REQUEST
from strongroom.records import Event, Session
from strongroom.records.create import store_new
from strongroom.records.security_rules.handing_out import store_privileges
from strongroom.schema.model import Depth, Rights

SUPPORT, OPERATOR, APPROVER = "Support", "Operator", "Lockbox Approver"

_ASKS, _LOOKS = (Rights.CREATE, Rights.READ), (Rights.READ,)
_ROLES: Mapping[str, Mapping[str, tuple[Rights, ...]]] = {
    SUPPORT: {REQUEST: _ASKS, "systemuser": _LOOKS},
    OPERATOR: {EXCLUSION: _ASKS, "systemuser": _LOOKS},
    APPROVER: {
        REQUEST: (Rights.READ, Rights.WRITE),
        EXCLUSION: _LOOKS,
        POLICY: (Rights.CREATE, Rights.READ, Rights.WRITE),
        "systemuser": _LOOKS,
    },
}


def make_roles(session: Session) -> None:
    """Make those that the environment lacks. `session` writes in the platform's name."""
    units = session.transaction.rows_where(session.table("businessunit"), {"parentbusinessunitid": None}, limit=1)
    for name, tables in _ROLES.items():
        if units and find(session.transaction, "role", name=name) is None:
            _make(session, name, units[0].reference(), tables)


def _make(session: Session, name: str, unit: Reference, tables: Mapping[str, tuple[Rights, ...]]) -> None:
    role_id: Guid = new_guid(session.clock)
    row = store_new(
        session,
        session.table("role"),
        {
            "name": name,
            "businessunitid": unit,
            "isinherited": 1,
            "parentrootroleid": Reference("role", role_id),
            "roleidunique": new_guid(session.clock),
        },
        role_id,
    )
    held = {
        session.table(table).privileges[right].id: Depth.GLOBAL for table, rights in tables.items() for right in rights
    }
    store_privileges(session, role_id, held)
    session.rules.run(Event.AFTER_CREATE, session, row, row.values)  # its copies in units below
    session.transaction.bump_security_epoch()
