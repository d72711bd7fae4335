"""What becomes of roles when their holder changes business unit (SM-26)."""

from strongroom.audit.entries import Action
from strongroom.records.session import Session
from strongroom.records.trail import record_act
from strongroom.store.protocol import Row

_ASSOCIATIONS = {
    "systemuser": ("systemuserroles_association", Action.REMOVE_ROLE_FROM_USER),
    "team": ("teamroles_association", Action.REMOVE_ROLE_FROM_TEAM),
}


def remove_direct_roles(session: Session, principal: Row) -> None:
    """Take all roles that a user or team holds itself."""
    name, action = _ASSOCIATIONS[principal.table.logical_name]
    association = session.schema.many_to_many[name]
    roles = session.table("role")
    for role_id in session.transaction.linked(association, principal.id, from_first=True):
        session.transaction.unlink(association, principal.id, role_id)
        role = session.transaction.row(roles, role_id)
        record_act(session, principal, action, {name: (role and role.reference(), None)})
