"""Where a principal's access to a row comes from, in the two forms that clients know (section 15 of the security
model): rights by kind of source, and one sentence. Both explain decisions, so both are told to the trail (SM-165).
"""

import json

from strongroom.access.plan import Reason
from strongroom.access.reasons import Code
from strongroom.access.rights import format_rights
from strongroom.errors import InvalidRequest
from strongroom.ids import Reference
from strongroom.messages.operation import Arguments, Kind, Operation, Parameter, Result, function
from strongroom.records import Session, access_of
from strongroom.records.trail import note_question
from strongroom.schema.model import Rights

_SHARED = {Code.SHARE_DIRECT, Code.SHARE_TEAM, Code.ACCESS_TEAM, Code.SHARE_INHERITED}
_HIERARCHY = {Code.HIERARCHY_MANAGER, Code.HIERARCHY_POSITION}


def _info(session: Session, arguments: Arguments) -> Result:
    """`AccessInfo`: a JSON text with the rights granted, and those by roles, by shares and by the hierarchy."""
    target, principal = _target(session, arguments, "EntityName"), arguments.bound()
    found = access_of(session, target, principal)
    note_question(session, target, "RetrievePrincipalAccessInfo", f"{principal.table},{principal.id}")
    shared, above, roles = Rights.NONE, Rights.NONE, Rights.NONE
    for right, reasons in found.items():
        for reason in reasons:
            if reason.code in _SHARED:
                shared |= right
            elif reason.code in _HIERARCHY:
                above |= right
            else:
                roles |= right
    info = {
        "RoleAccessRights": format_rights(roles),
        "PoaAccessRights": format_rights(shared),
        "HsmAccessRights": format_rights(above),
        "GrantedAccessRights": format_rights(shared | above | roles),
    }
    return {"AccessInfo": json.dumps(info)}


def _origin(session: Session, arguments: Arguments) -> Result:
    """The first source that explains Read, in the words of the documentation."""
    principal = _principal(session, arguments)
    target = _target(session, arguments, "LogicalName")
    reasons = access_of(session, target, principal).get(Rights.READ, ())
    note_question(session, target, "RetrieveAccessOrigin", f"{principal.table},{principal.id}")
    codes = {reason.code: reason for reason in reasons}
    owned = next((codes[code] for code in (Code.ROLE_BASIC_OWN, Code.TEAM_ROLE_BASIC_OWN) if code in codes), None)
    if owned is not None:
        said = f"PrincipalId is owner of object ({target.id})"
    elif Code.OWNER_TEAM in codes:
        team = _team(codes[Code.OWNER_TEAM])
        said = f"PrincipalId is member of team ({team}) who is owner of object ({target.id})"
    elif Code.SHARE_DIRECT in codes:
        said = f"PrincipalId has direct access to object ({target.id}) through a share"
    elif Code.SHARE_TEAM in codes or Code.ACCESS_TEAM in codes:
        team = _sharer(codes.get(Code.SHARE_TEAM) or codes[Code.ACCESS_TEAM])
        said = f"PrincipalId is member of team ({team}) who has access to object ({target.id}) through a share"
    elif Code.SHARE_INHERITED in codes:
        said = f"PrincipalId has access to object ({target.id}) through access to a parent entity of it"
    elif codes.keys() & _HIERARCHY:
        said = f"PrincipalId has access to ({target.id}) through hierarchy security"
    elif codes:
        said = f"PrincipalId has access to object ({target.id}) through a security role"
    else:
        said = f"PrincipalId does not have access to object ({target.id})"
    return {"Response": said}


def _team(reason: Reason) -> str:
    """The team through which a role was reached."""
    return next((row_id for table, row_id, _ in reason.sources if table == "team"), "")


def _sharer(reason: Reason) -> str:
    """The principal that has a share."""
    return next((row_id for table, row_id, _ in reason.sources if table == "principalobjectaccess"), "")


def _target(session: Session, arguments: Arguments, name: str) -> Reference:
    table = arguments.text(name)
    if table not in session.schema.tables:
        raise InvalidRequest(f"There is no table '{table[:100]}'.", code="0x80041102")
    return Reference(table, arguments.guid("ObjectId"))


def _principal(session: Session, arguments: Arguments) -> Reference:
    """A user or team by its id alone."""
    identity = arguments.guid("PrincipalId")
    for name in ("systemuser", "team"):
        if session.transaction.row(session.table(name), identity) is not None:
            return Reference(name, identity)
    raise InvalidRequest(f"There is no systemuser or team with the id {identity}.", code="0x80040217")


OPERATIONS: tuple[Operation, ...] = (
    function(
        "RetrievePrincipalAccessInfo",
        _info,
        Parameter("ObjectId", Kind.GUID),
        Parameter("EntityName", Kind.STRING),
        properties={"AccessInfo": "Edm.String"},
        bound_to=("systemuser", "team"),
    ),
    function(
        "RetrieveAccessOrigin",
        _origin,
        Parameter("ObjectId", Kind.GUID),
        Parameter("LogicalName", Kind.STRING),
        Parameter("PrincipalId", Kind.GUID),
        properties={"Response": "Edm.String"},
    ),
)
