"""Sharing, and asking who has which rights on a row (WA-387 to WA-390, SM-70 to SM-79, SM-170)."""

from strongroom.access.rights import format_rights, parse_rights
from strongroom.errors import InvalidRequest
from strongroom.ids import Reference
from strongroom.messages.entities import entity, reference_in
from strongroom.messages.operation import Arguments, Json, Kind, Operation, Parameter, Result, action, function
from strongroom.records import (
    Session,
    grant_access,
    modify_access,
    principal_access,
    revoke_access,
    shared_principals,
)
from strongroom.schema.model import Rights

_TARGET = Parameter("Target", Kind.REFERENCE)
_PRINCIPAL_ACCESS = Parameter("PrincipalAccess", Kind.COMPLEX, type="mscrm.PrincipalAccess")


def _principal_and_mask(session: Session, access: Json) -> tuple[Reference, Rights]:
    unknown = [name for name in access if name not in ("Principal", "AccessMask") and "@" not in name]
    if unknown:
        raise InvalidRequest(f"PrincipalAccess has no property '{unknown[0][:60]}'; it has Principal and AccessMask.")
    principal = reference_in(session, access.get("Principal"), "PrincipalAccess.Principal")
    mask = access.get("AccessMask")
    if not isinstance(mask, str):
        raise InvalidRequest("PrincipalAccess.AccessMask is a text such as 'ReadAccess, WriteAccess'.")
    return principal, parse_rights(mask)


def _grant(session: Session, arguments: Arguments) -> Result:
    principal, rights = _principal_and_mask(session, arguments.object("PrincipalAccess"))
    grant_access(session, arguments.reference("Target"), principal, rights)
    return None


def _modify(session: Session, arguments: Arguments) -> Result:
    principal, rights = _principal_and_mask(session, arguments.object("PrincipalAccess"))
    modify_access(session, arguments.reference("Target"), principal, rights)
    return None


def _revoke(session: Session, arguments: Arguments) -> Result:
    revoke_access(session, arguments.reference("Target"), arguments.reference("Revokee"))
    return None


def _principal_access(session: Session, arguments: Arguments) -> Result:
    rights = principal_access(session, arguments.reference("Target"), arguments.bound())
    return {"AccessRights": format_rights(rights)}


def _shared_principals(session: Session, arguments: Arguments) -> Result:
    found = shared_principals(session, arguments.reference("Target"))
    return {
        "PrincipalAccesses": [
            {"AccessMask": format_rights(share.rights), "Principal": entity(session.schema, share.principal)}
            for share in found
        ]
    }


OPERATIONS: tuple[Operation, ...] = (
    action("GrantAccess", _grant, _TARGET, _PRINCIPAL_ACCESS),
    action("ModifyAccess", _modify, _TARGET, _PRINCIPAL_ACCESS),
    action("RevokeAccess", _revoke, _TARGET, Parameter("Revokee", Kind.REFERENCE)),
    function(
        "RetrievePrincipalAccess",
        _principal_access,
        _TARGET,
        properties={"AccessRights": "mscrm.AccessRights"},
        bound_to=("systemuser", "team"),
    ),
    function(
        "RetrieveSharedPrincipalsAndAccess",
        _shared_principals,
        _TARGET,
        properties={"PrincipalAccesses": "Collection(mscrm.PrincipalAccess)"},
    ),
)
