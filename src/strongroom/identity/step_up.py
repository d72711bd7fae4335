"""Dangerous acts ask people to show again who they are (step-up): what gives rights, keys or everything away.

It holds for whoever acts in a session: at a browser, or by a program that got its token there. A program with
credentials of its own and the command line have nobody to ask.
"""

from strongroom.errors import StepUpRequired
from strongroom.identity.conditional.model import Control
from strongroom.ids import Guid
from strongroom.records import Event, Rules, Session
from strongroom.schema.model import ManyToMany
from strongroom.store.protocol import Row, Value

_GIVES_RIGHTS = ("systemuserroles_association", "teamroles_association", "systemuserprofiles_association")
_TABLES = (
    "role",
    "fieldsecurityprofile",
    "fieldpermission",
    "conditionalaccesspolicy",
    "namedlocation",
    "identityprovider",
    "tenantaccessrule",
    "directoryuser",
    "applicationregistration",
)
DANGEROUS = frozenset(
    {
        "AddPrivilegesRole",
        "ReplacePrivilegesRole",
        "RemovePrivilegeRole",
        "AddApplicationSecret",
        "AddApplicationCertificate",
        "AddFederatedCredential",
        "RotateApplicationSecret",
        "CreatePasswordLink",
        "AddDirectoryUser",
        "AddToDirectoryGroup",
        "LinkDirectoryUser",
        "InviteGuest",
        "CreateScimToken",
        "SetProviderSecret",
        "ActivateRole",
        "DecideRoleActivation",
        "DismissRisk",
        "RotateKey",
        "RevokeKey",
        "RestoreKeyAccess",
        "AssignCustomerKeys",
        "CopyEnvironment",
        "RestoreEnvironment",
        "ResetEnvironment",
        "DeleteEnvironment",
        "PurgeEnvironment",
        "GetSecret",
        "ExportCertificate",
        "PurgeVaultItem",
        "DeleteAuditData",
        "EraseRecordChangeHistory",
        "ReleaseLegalHold",
        "ApproveLockboxRequest",
        "BreakGlass",
        "ConfirmBreakGlass",
    }
)
"""Operations that ask for it, by name."""


def demand_proof(session: Session) -> None:
    """Raise `StepUpRequired` when the caller acts in a session and has not shown lately who they are."""
    if session.request.lacks_proof:
        raise StepUpRequired((Control.RECENT_SIGN_IN,))


def register(rules: Rules) -> None:
    """Hang the question in the verbs that give rights away."""
    name = "step-up: dangerous acts ask who it is (TS-723)"
    for association in _GIVES_RIGHTS:
        for event in (Event.BEFORE_LINK, Event.BEFORE_UNLINK):
            rules.on_link(event, association, _on_link, name=name)
    for table in _TABLES:
        for event in (Event.BEFORE_CREATE, Event.BEFORE_UPDATE, Event.BEFORE_DELETE):
            rules.on(event, table, _on_row, name=name)


def _on_link(session: Session, _: ManyToMany, __: Guid, ___: Guid) -> None:
    demand_proof(session)


def _on_row(session: Session, _: Row, __: dict[str, Value]) -> None:
    demand_proof(session)
