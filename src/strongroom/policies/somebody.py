"""Somebody who has one role and nothing else: whom statements about roles are about."""

from dataclasses import replace

from strongroom.access.caller import AccessMode, HeldRole, Role, SecurityFacts
from strongroom.errors import InvalidRequest
from strongroom.ids import EMPTY_GUID, Key, Reference
from strongroom.records import Session, role_privileges
from strongroom.records.owners import facts_of
from strongroom.store.protocol import Row

_NOBODY = Key(-1)
"""The key of no principal: nothing is owned by or shared with it."""


def somebody_with(session: Session, role: Row) -> SecurityFacts:
    """The facts of an imagined user in the business unit of `role`, who has it directly, owns nothing, and is in no
    team, no profile and no hierarchy."""
    unit = role.values.get("businessunitid")
    key = session.transaction.unit_key(unit.id) if isinstance(unit, Reference) else None
    if key is None:
        raise InvalidRequest(f"The role '{role.values.get('name')}' has no business unit.")
    template = role.values.get("roletemplateid")
    held = Role(
        id=role.id,
        root_id=role.id,
        name=str(role.values.get("name")),
        unit=key,
        is_inherited=role.values.get("isinherited") != 0,
        template_id=template.id if isinstance(template, Reference) else None,
    )
    privileges = {each.privilege: each.depth for each in role_privileges(session, role.id)}
    return replace(
        facts_of(session, session.user),
        id=EMPTY_GUID,
        key=_NOBODY,
        name=held.name,
        unit=key,
        is_disabled=False,
        access_mode=AccessMode.READ_WRITE,
        directory_object_id=None,
        teams=(),
        roles=(HeldRole(held),),
        role_privileges={role.id: privileges},
        subordinates=(),
        column_permissions={},
        shared_columns=frozenset(),
    )
