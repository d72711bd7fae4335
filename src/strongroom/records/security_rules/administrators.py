"""There is always an enabled System Administrator (SM-64)."""

from strongroom.access.caller import SYSTEM_ADMINISTRATOR_TEMPLATE
from strongroom.errors import InvalidRequest
from strongroom.ids import Guid, Reference
from strongroom.records.session import Session


def holds_administrator_role(session: Session, user: Guid) -> bool:
    """Whether a user holds System Administrator directly."""
    association = session.schema.many_to_many["systemuserroles_association"]
    held = session.transaction.linked(association, user, from_first=True)
    return not _administrator_roles(session).isdisjoint(held)


def demand_other_administrator(session: Session, user: Guid, *, code: str) -> None:
    """Refuse to take the role from `user`, or to disable or delete it, when nobody else enabled holds the role."""
    association = session.schema.many_to_many["systemuserroles_association"]
    others = {
        holder
        for role in _administrator_roles(session)
        for holder in session.transaction.linked(association, role, from_first=False)
    } - {user}
    users = session.transaction.rows(session.table("systemuser"), sorted(others))
    if all(row.values.get("isdisabled") for row in users.values()):
        raise InvalidRequest(
            "This is the last enabled user with the System Administrator role; give the role to somebody else first.",
            code=code,
        )


def _administrator_roles(session: Session) -> set[Guid]:
    template = Reference("roletemplate", SYSTEM_ADMINISTRATOR_TEMPLATE)
    roles = session.transaction.rows_where(session.table("role"), {"roletemplateid": template})
    return {role.id for role in roles}
