"""The tables of the directory, which only the control environment has.

| table | a row is |
| --- | --- |
| `directoryuser` | a person who can sign in; `azureactivedirectoryobjectid` of `systemuser` names it (TS-720) |
| `authenticationmethod` | a password, an authenticator app, a passkey or the recovery codes of a person |
| `signinsession` | one signed-in browser or program of a person (TS-712) |
| `refreshtokenfamily` | the refresh tokens that came from one another (TS-713) |
| `onetimetoken` | what may be used once: codes, links, assertions that were seen |
| `signinguard` | failures that are counted, and how long they lock (TS-703) |
| `signinlog` | who tried to come in, when, from where, with what outcome (TS-733); never changed |
| `applicationregistration` | a program that may ask for tokens (TS-716) |
| `applicationcredential` | a secret or a certificate of a program |
| `identityprovider` | an OpenID provider whose people may sign in here (TS-708) |
| `scimendpoint` | a system that provisions people and groups, with its token (TS-731) |
| `tenantaccessrule` | from which other tenants people may come (TS-729) |

Policies, locations, groups and risk are in `conditional.tables`.

Nothing that lets somebody in can be read through any door: secrets are kept as hashes in columns that are not valid for
reading. Clients write few columns (`written`); all else goes through actions.
"""

from functools import cache

from strongroom.identity.conditional.tables import conditional_tables
from strongroom.schema.model import ColumnType, Table
from strongroom.schema.platform_tables import Given, platform_table

_TEXT, _MEMO, _WHEN = ColumnType.STRING, ColumnType.MEMO, ColumnType.DATETIME
_GUID, _FLAG, _NUMBER = ColumnType.UNIQUEIDENTIFIER, ColumnType.BOOLEAN, ColumnType.INTEGER
_CHOICE, _LOOKUP = ColumnType.PICKLIST, ColumnType.LOOKUP

PASSWORD, TOTP, PASSKEY, RECOVERY_CODES = 1, 2, 3, 4
"""`authenticationmethod.kind`."""

SECRET, CERTIFICATE, FEDERATED = 1, 2, 3
"""`applicationcredential.kind`."""


def _user(*, name: str = "directoryuserid") -> Given:
    return Given(name, _LOOKUP, "User", target="directoryuser")


@cache
def directory_tables() -> tuple[Table, ...]:
    """All tables of the directory."""
    return (*_people(), *_tokens(), *_programs(), *_providers(), *conditional_tables())


def _people() -> tuple[Table, ...]:
    return (
        platform_table(
            "directoryuser",
            "Directory User",
            10701,
            (
                Given("name", _TEXT, "Display Name", written=True),
                Given("userprincipalname", _TEXT, "Sign-in Name", length=320, indexed=True),
                Given("mail", _TEXT, "Mail", length=320, written=True),
                Given("accountenabled", _FLAG, "Account Enabled", written=True),
                Given("usertype", _CHOICE, "User Type", options=("Member", "Guest")),
                Given("homeissuer", _TEXT, "Home Issuer", length=500),
                Given("externalid", _TEXT, "External Id", length=500, indexed=True),
                Given("department", _TEXT, "Department", written=True),
                Given("requiresmfa", _FLAG, "Second Factor Required", written=True),
                Given("emergencyaccess", _FLAG, "Emergency Account", written=True),
                Given("expireson", _WHEN, "Expires", written=True),
                Given("sponsorid", _LOOKUP, "Sponsor", target="directoryuser", written=True),
                Given("provisioned", _MEMO, "Provisioned Attributes"),
                Given("lastsigninon", _WHEN, "Last Sign-in"),
            ),
            description="A person who can sign in.",
            keys=(("userprincipalname",),),
        ),
        platform_table(
            "authenticationmethod",
            "Authentication Method",
            10702,
            (
                Given("name", _TEXT, "Name"),
                _user(),
                Given("kind", _CHOICE, "Kind", options=("Password", "Authenticator App", "Passkey", "Recovery Codes")),
                Given("secret", _MEMO, "Secret", hidden=True),
                Given("previous", _MEMO, "Previous Secrets", hidden=True),
                Given("laststep", _NUMBER, "Last Accepted Step", hidden=True),
                Given("remaining", _NUMBER, "Remaining Codes"),
                Given("credentialid", _TEXT, "Credential Id", length=1400, indexed=True),
                Given("publickey", _MEMO, "Public Key"),
                Given("signcount", ColumnType.BIGINT, "Signature Counter"),
                Given("host", _TEXT, "Host", length=253),
                Given("lastusedon", _WHEN, "Last Used"),
            ),
            description="How a person proves who they are; public parts only.",
        ),
        platform_table(
            "signinguard",
            "Sign-in Guard",
            10703,
            (
                Given("name", _TEXT, "Counted For", length=500),
                Given("subject", _TEXT, "Subject Hash", length=64, hidden=True, indexed=True),
                Given("failures", _NUMBER, "Failures"),
                Given("countedsince", _WHEN, "Counted Since"),
                Given("locks", _NUMBER, "Locks in a Row"),
                Given("lockeduntil", _WHEN, "Locked Until"),
            ),
            description="Failed attempts that are counted, and how long they lock.",
            keys=(("subject",),),
        ),
        platform_table(
            "signinlog",
            "Sign-in",
            10704,
            (
                Given("name", _TEXT, "Sign-in Name", length=320),
                _user(),
                Given("application", _TEXT, "Application", indexed=True),
                Given("environment", _TEXT, "Environment"),
                Given("address", _TEXT, "Address", length=64),
                Given("device", _TEXT, "Device", length=300),
                Given("factors", _TEXT, "Factors"),
                Given("result", _CHOICE, "Result", options=("Success", "Failure", "Interrupted")),
                Given("reason", _TEXT, "Reason"),
                Given("policies", _MEMO, "Policies"),
                Given("attempts", _NUMBER, "Attempts"),
            ),
            description="Who tried to come in, when, from where and with what outcome.",
        ),
    )


def _tokens() -> tuple[Table, ...]:
    return (
        platform_table(
            "signinsession",
            "Sign-in Session",
            10705,
            (
                Given("name", _TEXT, "Device", length=300),
                _user(),
                Given("digest", _TEXT, "Token Hash", length=64, hidden=True, indexed=True),
                Given("address", _TEXT, "Address", length=64),
                Given("factors", _TEXT, "Factors"),
                Given("lastusedon", _WHEN, "Last Used"),
                Given("expireson", _WHEN, "Ends At The Latest"),
                Given("idleminutes", _NUMBER, "Idle Minutes"),
                Given("provenon", _WHEN, "Last Proof of Identity"),
                Given("endedon", _WHEN, "Ended"),
                Given("devicestate", _CHOICE, "Device State", options=("Unregistered", "Registered", "Compliant")),
                Given("risk", _NUMBER, "Sign-in Risk"),
                Given("identityproviderid", _LOOKUP, "Identity Provider", target="identityprovider"),
                Given("providersession", _TEXT, "Session at the Provider", length=500, indexed=True),
            ),
            description="One signed-in browser or program of a person.",
            keys=(("digest",),),
        ),
        platform_table(
            "refreshtokenfamily",
            "Refresh Token Family",
            10706,
            (
                Given("name", _TEXT, "Application"),
                Given("digest", _TEXT, "Token Hash", length=64, hidden=True, indexed=True),
                Given("spent", _MEMO, "Spent Hashes", hidden=True),
                Given("signinsessionid", _LOOKUP, "Session", target="signinsession"),
                Given("clientid", _GUID, "Client Id"),
                Given("environment", _TEXT, "Environment"),
                Given("scope", _TEXT, "Scope", length=1000),
                Given("expireson", _WHEN, "Ends"),
                Given("revokedon", _WHEN, "Revoked"),
            ),
            description="Refresh tokens that came from one another.",
            plural="refreshtokenfamilies",
            is_audited=False,
        ),
        platform_table(
            "onetimetoken",
            "One-time Token",
            10707,
            (
                Given("name", _TEXT, "Purpose"),
                Given("digest", _TEXT, "Hash", length=64, hidden=True, indexed=True),
                Given("content", _MEMO, "Content", hidden=True),
                Given("expireson", _WHEN, "Ends", indexed=True),
                Given("usedon", _WHEN, "Used"),
            ),
            description="What may be used once: codes, links, and assertions that were seen.",
            keys=(("digest",),),
            is_audited=False,
        ),
    )


def _programs() -> tuple[Table, ...]:
    return (
        platform_table(
            "applicationregistration",
            "Application Registration",
            10708,
            (
                Given("name", _TEXT, "Name", written=True),
                Given("clientid", _GUID, "Client Id", indexed=True),
                Given("ispublic", _FLAG, "Is Public Client"),
                Given("redirecturis", _MEMO, "Redirect Addresses"),
                Given("isenabled", _FLAG, "Enabled", written=True),
            ),
            description="A program that may ask for tokens.",
            keys=(("clientid",),),
        ),
        platform_table(
            "applicationcredential",
            "Application Credential",
            10709,
            (
                Given("name", _TEXT, "Name"),
                Given("applicationregistrationid", _LOOKUP, "Application", target="applicationregistration"),
                Given("kind", _CHOICE, "Kind", options=("Secret", "Certificate", "Federated")),
                Given("secret", _TEXT, "Secret Hash", length=400, hidden=True),
                Given("certificate", _MEMO, "Certificate"),
                Given("thumbprint", _TEXT, "Thumbprint (SHA-256)", length=100, indexed=True),
                Given("identityproviderid", _LOOKUP, "Identity Provider", target="identityprovider"),
                Given("subject", _TEXT, "Subject There", length=500),
                Given("audience", _TEXT, "Audience There", length=500),
                Given("expireson", _WHEN, "Expires"),
                Given("lastusedon", _WHEN, "Last Used"),
            ),
            description="A secret or a certificate of a program; the secret itself is kept nowhere.",
        ),
    )


def _providers() -> tuple[Table, ...]:
    return (
        platform_table(
            "identityprovider",
            "Identity Provider",
            10715,
            (
                Given("name", _TEXT, "Name", written=True),
                Given("issuer", _TEXT, "Issuer", length=500, written=True, indexed=True),
                Given("clientid", _TEXT, "Client Id", length=500, written=True),
                Given("hassecret", _FLAG, "Has a Secret"),
                Given("scopes", _TEXT, "Scopes", written=True),
                Given("isdisabled", _FLAG, "Disabled", written=True),
                Given("createsusers", _FLAG, "Creates Users", written=True),
                Given("makesguests", _FLAG, "People Are Guests", written=True),
                Given("trustmfa", _FLAG, "Trusts Second Factors", written=True),
                Given("trustdevice", _FLAG, "Trusts Device Claims", written=True),
                Given("groupclaim", _TEXT, "Claim with Groups", written=True),
                Given("endsat", _FLAG, "Signs Out There Too", written=True),
            ),
            description="An OpenID provider whose people may sign in here.",
            keys=(("issuer",),),
        ),
        platform_table(
            "scimendpoint",
            "SCIM Endpoint",
            10717,
            (
                Given("name", _TEXT, "System", written=True),
                Given("digest", _TEXT, "Token Hash", length=64, hidden=True, indexed=True),
                Given("expireson", _WHEN, "Expires"),
                Given("lastusedon", _WHEN, "Last Used"),
                Given("isdisabled", _FLAG, "Disabled", written=True),
                Given("identityproviderid", _LOOKUP, "Identity Provider", target="identityprovider"),
            ),
            description="A system that keeps people and groups here.",
        ),
        platform_table(
            "tenantaccessrule",
            "Tenant Access Rule",
            10716,
            (
                Given("name", _TEXT, "Issuer or *", length=500, written=True),
                Given("direction", _CHOICE, "Direction", written=True, options=("Inbound", "Outbound", "Both")),
                Given("isallowed", _FLAG, "Allowed", written=True),
                Given("trustmfa", _FLAG, "Trusts Second Factors", written=True),
                Given("trustdevice", _FLAG, "Trusts Device Claims", written=True),
            ),
            description="From which other tenants people may come.",
            keys=(("name",),),
        ),
    )
