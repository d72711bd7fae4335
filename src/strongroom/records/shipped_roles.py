"""Roles that a service of the platform brings: ordinary security roles of the root unit, given as any other.

Each is told by the tables that it is about and the rights on them, at Global.
"""

from collections.abc import Mapping

from strongroom.ids import Guid, Reference, new_guid
from strongroom.records.create import store_new
from strongroom.records.rules import Event
from strongroom.records.security_rules.handing_out import store_privileges
from strongroom.records.session import Session
from strongroom.schema.model import Depth, Rights
from strongroom.store.protocol import Transaction

RoleRights = Mapping[str, tuple[Rights, ...]]
"""Rights by table."""


def lacks(transaction: Transaction, roles: Mapping[str, RoleRights]) -> list[str]:
    """The names of those roles that the environment has none of."""
    table = transaction.schema.tables["role"]
    return [name for name in roles if not transaction.rows_where(table, {"name": name}, limit=1)]


def make_shipped_roles(session: Session, roles: Mapping[str, RoleRights]) -> None:
    """Make those that the environment lacks. `session` writes in the platform's name."""
    units = session.transaction.rows_where(session.table("businessunit"), {"parentbusinessunitid": None}, limit=1)
    for name in lacks(session.transaction, roles) if units else ():
        _make(session, name, units[0].reference(), roles[name])


def _make(session: Session, name: str, unit: Reference, tables: RoleRights) -> None:
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
