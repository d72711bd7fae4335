"""Accounts, programs and sessions, by an administrator of the control environment or, for one's own sessions, by
anybody (TS-704, TS-712, TS-716). In other environments these operations are not there."""

from collections.abc import Callable
from datetime import timedelta

from strongroom.clock import iso
from strongroom.errors import Conflict, NotFound, ResourceNotFound
from strongroom.identity import applications, groups, guard, people, sessions
from strongroom.identity.conditional.tables import MEMBER
from strongroom.identity.directory import reference, text
from strongroom.identity.federation import persons, providers
from strongroom.identity.provisioning import endpoint
from strongroom.keys import Secret
from strongroom.messages.operation import Arguments, Kind, Operation, Parameter, Result, action
from strongroom.records import Session
from strongroom.records.authorize import demand_privilege
from strongroom.schema.model import Rights
from strongroom.store.protocol import Row

_CLIENT = Parameter("ClientId", Kind.GUID)
_USER = Parameter("UserId", Kind.GUID)
_Act = Callable[[Session, Arguments], Result]


def in_control(table: str, right: Rights, act: _Act) -> _Act:
    """`act` where there is a directory, for those who hold a privilege on one of its tables."""

    def run(session: Session, arguments: Arguments) -> Result:
        _require_directory(session)
        demand_privilege(session, session.table(table), right)
        return act(session, arguments)

    return run


def _require_directory(session: Session) -> None:
    if "directoryuser" not in session.schema.tables:
        raise ResourceNotFound("This operation is one of the control environment.")


# --- programs ----------------------------------------------------------------------------------------------------


def _add_application(session: Session, arguments: Arguments) -> Result:
    given = arguments.values.get("RedirectUris")
    row = applications.register(
        session,
        arguments.text("Name"),
        redirects=arguments.strings("RedirectUris") if given is not None else (),
        is_public=arguments.flag("IsPublic"),
        client_id=arguments.optional_text("ClientId"),
    )
    return {"ApplicationRegistrationId": row.id, "ClientId": text(row, "clientid")}


def _add_secret(session: Session, arguments: Arguments) -> Result:
    days = arguments.values.get("Days")
    lifetime = timedelta(days=days) if isinstance(days, int) else applications.USUAL_SECRET
    made = applications.add_secret(session, _program(session, arguments), lifetime)
    return {"CredentialId": made.credential, "Secret": made.secret.reveal().decode(), "ExpiresOn": made.expires_on}


def _rotate_secret(session: Session, arguments: Arguments) -> Result:
    overlap = timedelta(days=arguments.integer("OverlapDays"))
    made = applications.rotate_secret(session, _program(session, arguments), overlap)
    return {"CredentialId": made.credential, "Secret": made.secret.reveal().decode(), "ExpiresOn": made.expires_on}


def _add_federated(session: Session, arguments: Arguments) -> Result:
    provider = session.transaction.row(session.table("identityprovider"), arguments.guid("ProviderId"))
    if provider is None:
        raise NotFound("There is no such identity provider.")
    program, audience = _program(session, arguments), arguments.optional_text("Audience") or ""
    made = applications.add_federated(session, program, provider, arguments.text("Subject"), audience)
    return {"CredentialId": made.id}


def _add_certificate(session: Session, arguments: Arguments) -> Result:
    pem = arguments.text("Certificate").encode()
    made = applications.add_certificate(session, _program(session, arguments), pem)
    return {"CredentialId": made.id, "ExpiresOn": text(made, "expireson")}


def _remove_credential(session: Session, arguments: Arguments) -> Result:
    applications.remove_credential(session, arguments.guid("CredentialId"))
    return None


def _program(session: Session, arguments: Arguments) -> Row:
    return applications.registration(session.transaction, arguments.guid("ClientId"))


def _keep_secret(session: Session, arguments: Arguments) -> Result:
    provider = session.transaction.row(session.table(providers.TABLE), arguments.guid("ProviderId"))
    if provider is None:
        raise NotFound("There is no such identity provider.")
    providers.keep_secret(session, provider, Secret(arguments.text("Secret").encode()))
    return None


# --- people ------------------------------------------------------------------------------------------------------


def _add_person(session: Session, arguments: Arguments) -> Result:
    name, mail = (arguments.optional_text(each) or "" for each in ("Name", "Mail"))
    return {"DirectoryUserId": people.add_person(session, arguments.text("SignInName"), name, mail).id}


def _password_link(session: Session, arguments: Arguments) -> Result:
    token = people.begin_reset(session, people.person_by_id(session.transaction, arguments.guid("UserId")))
    return {"Path": f"/sign-in/new-password?token={token}"}


def _unlock(session: Session, arguments: Arguments) -> Result:
    person = people.person_by_id(session.transaction, arguments.guid("UserId"))
    return {"Lifted": guard.unlock(session, text(person, "userprincipalname"))}


def _join(session: Session, arguments: Arguments) -> Result:
    group = groups.group_named(session.transaction, arguments.guid("GroupId"))
    person = people.person_by_id(session.transaction, arguments.guid("UserId"))
    return {"Changed": groups.add_member(session, group, person.reference())}


def _leave(session: Session, arguments: Arguments) -> Result:
    group = groups.group_named(session.transaction, arguments.guid("GroupId"))
    person = people.person_by_id(session.transaction, arguments.guid("UserId"))
    return {"Changed": groups.remove_member(session, group, person.reference())}


def _link(session: Session, arguments: Arguments) -> Result:
    person = people.person_by_id(session.transaction, arguments.guid("UserId"))
    provider = providers.by_id(session.transaction, arguments.guid("ProviderId"))
    if provider is None:
        raise NotFound("There is no such identity provider.")
    subject = arguments.text("Subject")
    if persons.person_of(session.transaction, provider, subject) is not None:
        raise Conflict("Somebody has this subject at the provider already.")
    persons.link(session, person, provider, subject)
    return None


def _invite(session: Session, arguments: Arguments) -> Result:
    sponsor = arguments.guid("SponsorId") if arguments.values.get("SponsorId") else None
    ends = iso(arguments.moment("ExpiresOn")) if arguments.values.get("ExpiresOn") else None
    person, token = people.invite_guest(session, arguments.text("Mail"), arguments.text("DisplayName"), sponsor, ends)
    return {"DirectoryUserId": person.id, "RedeemPath": f"/sign-in/invitation?token={token}"}


def _add_scim(session: Session, arguments: Arguments) -> Result:
    days = arguments.values.get("Days")
    provider = arguments.guid("ProviderId") if arguments.values.get("ProviderId") else None
    lifetime = timedelta(days=days) if isinstance(days, int) else applications.USUAL_SECRET
    made = endpoint.add(session, arguments.text("Name"), lifetime, provider)
    return {"ScimEndpointId": made.endpoint, "Token": made.token.reveal().decode(), "ExpiresOn": made.expires_on}


# --- sessions ----------------------------------------------------------------------------------------------------


def _end_session(session: Session, arguments: Arguments) -> Result:
    _require_directory(session)
    row = session.transaction.row(session.table("signinsession"), arguments.guid("SessionId"))
    if row is None or session.caller.facts.directory_object_id != reference(row, "directoryuserid").id:
        demand_privilege(session, session.table("signinsession"), Rights.WRITE)
    if row is None:
        raise NotFound("There is no such session.")
    sessions.end(session, row)
    return {"Ended": 1}


def _end_all_sessions(session: Session, arguments: Arguments) -> Result:
    _require_directory(session)
    wanted = arguments.guid("UserId")
    if session.caller.facts.directory_object_id != wanted:
        demand_privilege(session, session.table("signinsession"), Rights.WRITE)
    return {"Ended": sessions.end_all(session, people.person_by_id(session.transaction, wanted))}


_CREDENTIAL, _PROGRAM, _PERSON = "applicationcredential", "applicationregistration", "directoryuser"

OPERATIONS: tuple[Operation, ...] = (
    action(
        "AddApplication",
        in_control(_PROGRAM, Rights.CREATE, _add_application),
        Parameter("Name", Kind.STRING),
        Parameter("ClientId", Kind.STRING, required=False),
        Parameter("RedirectUris", Kind.STRINGS, required=False),
        Parameter("IsPublic", Kind.BOOLEAN, required=False),
        properties={"ApplicationRegistrationId": "Edm.Guid", "ClientId": "Edm.Guid"},
    ),
    action(
        "AddApplicationSecret",
        in_control(_CREDENTIAL, Rights.CREATE, _add_secret),
        _CLIENT,
        Parameter("Days", Kind.INTEGER, required=False),
        properties={"CredentialId": "Edm.Guid", "Secret": "Edm.String", "ExpiresOn": "Edm.DateTimeOffset"},
    ),
    action(
        "RotateApplicationSecret",
        in_control(_CREDENTIAL, Rights.CREATE, _rotate_secret),
        _CLIENT,
        Parameter("OverlapDays", Kind.INTEGER),
        properties={"CredentialId": "Edm.Guid", "Secret": "Edm.String", "ExpiresOn": "Edm.DateTimeOffset"},
    ),
    action(
        "AddFederatedCredential",
        in_control(_CREDENTIAL, Rights.CREATE, _add_federated),
        _CLIENT,
        Parameter("ProviderId", Kind.GUID),
        Parameter("Subject", Kind.STRING),
        Parameter("Audience", Kind.STRING, required=False),
        properties={"CredentialId": "Edm.Guid"},
    ),
    action(
        "AddApplicationCertificate",
        in_control(_CREDENTIAL, Rights.CREATE, _add_certificate),
        _CLIENT,
        Parameter("Certificate", Kind.STRING),
        properties={"CredentialId": "Edm.Guid", "ExpiresOn": "Edm.DateTimeOffset"},
    ),
    action(
        "RemoveApplicationCredential",
        in_control(_CREDENTIAL, Rights.WRITE, _remove_credential),
        Parameter("CredentialId", Kind.GUID),
    ),
    action(
        "AddDirectoryUser",
        in_control(_PERSON, Rights.CREATE, _add_person),
        Parameter("SignInName", Kind.STRING),
        Parameter("Name", Kind.STRING, required=False),
        Parameter("Mail", Kind.STRING, required=False),
        properties={"DirectoryUserId": "Edm.Guid"},
    ),
    action(
        "CreatePasswordLink",
        in_control("authenticationmethod", Rights.CREATE, _password_link),
        _USER,
        properties={"Path": "Edm.String"},
    ),
    action(
        "UnlockDirectoryUser",
        in_control("signinguard", Rights.WRITE, _unlock),
        _USER,
        properties={"Lifted": "Edm.Int32"},
    ),
    action(
        "AddToDirectoryGroup",
        in_control(MEMBER, Rights.CREATE, _join),
        Parameter("GroupId", Kind.GUID),
        _USER,
        properties={"Changed": "Edm.Boolean"},
    ),
    action(
        "RemoveFromDirectoryGroup",
        in_control(MEMBER, Rights.DELETE, _leave),
        Parameter("GroupId", Kind.GUID),
        _USER,
        properties={"Changed": "Edm.Boolean"},
    ),
    action(
        "LinkDirectoryUser",
        in_control(_PERSON, Rights.WRITE, _link),
        _USER,
        Parameter("ProviderId", Kind.GUID),
        Parameter("Subject", Kind.STRING),
    ),
    action(
        "InviteGuest",
        in_control(_PERSON, Rights.CREATE, _invite),
        Parameter("Mail", Kind.STRING),
        Parameter("DisplayName", Kind.STRING),
        Parameter("SponsorId", Kind.GUID, required=False),
        Parameter("ExpiresOn", Kind.STRING, required=False, type="Edm.DateTimeOffset"),
        properties={"DirectoryUserId": "Edm.Guid", "RedeemPath": "Edm.String"},
    ),
    action(
        "CreateScimToken",
        in_control(endpoint.TABLE, Rights.CREATE, _add_scim),
        Parameter("Name", Kind.STRING),
        Parameter("Days", Kind.INTEGER, required=False),
        Parameter("ProviderId", Kind.GUID, required=False),
        properties={"ScimEndpointId": "Edm.Guid", "Token": "Edm.String", "ExpiresOn": "Edm.DateTimeOffset"},
    ),
    action(
        "SetProviderSecret",
        in_control(providers.TABLE, Rights.WRITE, _keep_secret),
        Parameter("ProviderId", Kind.GUID),
        Parameter("Secret", Kind.STRING),
    ),
    action("EndSession", _end_session, Parameter("SessionId", Kind.GUID), properties={"Ended": "Edm.Int32"}),
    action("EndAllSessions", _end_all_sessions, _USER, properties={"Ended": "Edm.Int32"}),
)
