"""The tables of the control environment about environments, their back-ups, keys and vaults.

| table | a row is |
| --- | --- |
| `environment` | an environment of the home; follows the home's registry |
| `environmentoperation` | something that was done to one, or is asked for (TS-413) |
| `environmentbackup` | a back-up (TS-408) |
| `keyreference` | a key that the customer holds, and where (TS-506) |
| `keyoperation` | something that was done with a key; never key material |
| `deletioncertificate` | proof that an environment was destroyed (TS-515, TS-2107) |
| `keyvault` | a vault for programs' secrets (TS-601) |
| `vaultsecret` | a secret, key or certificate in it, without its value |
| `vaultitemversion` | one version of it; the value can be read through no column |
| `vaultaccesspolicy` | who may do what with a vault or one item (TS-603) |
| `vaultaccess` | each use of an item (TS-610) |

Clients write policies and labels; all else is written by the platform, through actions.
"""

from functools import cache

from strongroom.schema.model import ColumnType, Table
from strongroom.schema.platform_tables import Given, platform_table

_TEXT, _MEMO, _WHEN = ColumnType.STRING, ColumnType.MEMO, ColumnType.DATETIME
_GUID, _FLAG, _NUMBER, _CHOICE = (
    ColumnType.UNIQUEIDENTIFIER,
    ColumnType.BOOLEAN,
    ColumnType.INTEGER,
    ColumnType.PICKLIST,
)
_BIG = ColumnType.BIGINT

LEDGERS = ("environmentoperation", "environmentbackup", "keyoperation", "deletioncertificate", "vaultaccess")
"""Tables whose rows nobody changes or removes through any door (TS-003)."""

REQUESTED, RUNNING, SUCCEEDED, FAILED = 1, 2, 3, 4
"""`environmentoperation.result`."""

MANUAL, SYSTEM = 2, 1
"""`environmentbackup.kind`."""

_TYPES = ("Production", "Sandbox", "Developer", "Trial")
_STATES = ("Ready", "Preparing", "Administration Mode", "Locked", "Deleted", "Purged", "Failed", "Suspended")
_ENGINES = ("SQLCipher", "PostgreSQL")


@cache
def estate_tables() -> tuple[Table, ...]:
    """All of them."""
    return (*_environments(), *_keys(), *_vault())


def _environments() -> tuple[Table, ...]:
    return (
        platform_table(
            "environment",
            "Environment",
            10780,
            (
                Given("name", _TEXT, "Name"),
                Given("uniquename", _TEXT, "Unique Name", indexed=True),
                Given("isheld", _FLAG, "Legal Hold"),
                Given("environmenttype", _CHOICE, "Type", options=_TYPES),
                Given("state", _CHOICE, "State", options=_STATES),
                Given("region", _TEXT, "Region"),
                Given("engine", _CHOICE, "Engine", options=_ENGINES),
                Given("sizebytes", _BIG, "Size"),
                Given("message", _TEXT, "Message", length=500),
                Given("deletedon", _WHEN, "Deleted On"),
                Given("recoverableuntil", _WHEN, "Recoverable Until"),
                Given("backupretentiondays", _NUMBER, "Days that Back-ups Are Kept"),
                Given("keyversion", _NUMBER, "Key Version"),
                Given("lockedby", _TEXT, "Locked By Key"),
                Given("lastbackupon", _WHEN, "Last Back-up"),
                Given("lastverifiedon", _WHEN, "Last Verified Restore"),
            ),
            description="An environment of this home.",
            keys=(("uniquename",),),
        ),
        platform_table(
            "environmentoperation",
            "Environment Operation",
            10781,
            (
                Given("name", _TEXT, "Operation", length=400),
                Given("kind", _TEXT, "Kind", indexed=True),
                Given("source", _TEXT, "Source"),
                Given("target", _TEXT, "Target"),
                Given("arguments", _MEMO, "Arguments"),
                Given("requestedby", _TEXT, "Requested By"),
                Given("startedon", _WHEN, "Started"),
                Given("endedon", _WHEN, "Ended"),
                Given(
                    "result", _CHOICE, "Result", options=("Requested", "Running", "Succeeded", "Failed"), indexed=True
                ),
                Given("detail", _MEMO, "Detail"),
                Given("rowsbefore", _BIG, "Rows Before"),
                Given("rowsafter", _BIG, "Rows After"),
                Given("sha256", _TEXT, "SHA-256", length=64),
            ),
            description="Something that was done to an environment, or is asked for.",
        ),
        platform_table(
            "environmentbackup",
            "Environment Back-up",
            10782,
            (
                Given("name", _TEXT, "Name"),
                Given("environmentuid", _GUID, "Environment Id", indexed=True),
                Given("environmentname", _TEXT, "Environment"),
                Given("kind", _CHOICE, "Kind", options=("System", "Manual")),
                Given("label", _TEXT, "Label"),
                Given("takenon", _WHEN, "Taken On"),
                Given("expireson", _WHEN, "Expires On"),
                Given("sizebytes", _BIG, "Size"),
                Given("rows", _BIG, "Rows"),
                Given("sha256", _TEXT, "SHA-256", length=64),
                Given("keyversion", _NUMBER, "Key Version"),
                Given("treesize", _BIG, "Leaves of the Trail"),
                Given("verifiedon", _WHEN, "Verified On"),
                Given("removedon", _WHEN, "Removed On"),
            ),
            description="A back-up of an environment.",
        ),
        platform_table(
            "deletioncertificate",
            "Deletion Certificate",
            10783,
            (
                Given("name", _TEXT, "Environment"),
                Given("environmentuid", _GUID, "Environment Id", indexed=True),
                Given("document", _MEMO, "Certificate"),
                Given("sha256", _TEXT, "SHA-256", length=64),
            ),
            description="A signed statement that an environment was destroyed, and how.",
        ),
    )


def _keys() -> tuple[Table, ...]:
    return (
        platform_table(
            "keyreference",
            "Key Reference",
            10784,
            (
                Given("name", _TEXT, "Name", indexed=True),
                Given("provider", _TEXT, "Provider"),
                Given("externalid", _TEXT, "Address", length=1000),
                Given("state", _CHOICE, "State", options=("Active", "Rotating", "Revoked", "Destroyed")),
                Given("version", _NUMBER, "Version"),
                Given("activatedon", _WHEN, "Activated"),
                Given("revokedon", _WHEN, "Revoked"),
                Given("reason", _TEXT, "Reason", length=300),
                Given("environments", _MEMO, "Environments"),
                Given("health", _TEXT, "What the Provider Says", length=400),
                Given("checkedon", _WHEN, "Checked"),
            ),
            description="A key that the customer holds with a provider.",
            keys=(("name",),),
        ),
        platform_table(
            "keyoperation",
            "Key Operation",
            10785,
            (
                Given("name", _TEXT, "Operation"),
                Given("keyname", _TEXT, "Key", indexed=True),
                Given("keyversion", _NUMBER, "Version"),
                Given("environments", _MEMO, "Environments"),
                Given("requestedby", _TEXT, "Requested By"),
                Given("detail", _TEXT, "Detail", length=1000),
            ),
            description="Something that was done with a key.",
        ),
    )


def _vault() -> tuple[Table, ...]:
    return (
        platform_table(
            "keyvault",
            "Key Vault",
            10786,
            (
                Given("name", _TEXT, "Name", indexed=True),
                Given("purgeprotected", _FLAG, "Purge Protection"),
            ),
            description="A vault for secrets, keys and certificates of programs.",
            keys=(("name",),),
        ),
        platform_table(
            "vaultsecret",
            "Vault Item",
            10787,
            (
                Given("name", _TEXT, "Name", indexed=True),
                Given("keyvaultid", ColumnType.LOOKUP, "Vault", target="keyvault"),
                Given("kind", _CHOICE, "Kind", options=("Secret", "Key", "Certificate")),
                Given("contenttype", _TEXT, "Content Type"),
                Given("currentversion", _NUMBER, "Current Version"),
                Given("rotateeverydays", _NUMBER, "Rotate Every (Days)", written=True),
                Given("notifydays", _NUMBER, "Tell Before (Days)", written=True),
                Given("expireson", _WHEN, "Expires On"),
                Given("deletedon", _WHEN, "Deleted On"),
                Given("recoverableuntil", _WHEN, "Recoverable Until"),
            ),
            description="A secret, a key or a certificate, without its value.",
        ),
        platform_table(
            "vaultitemversion",
            "Vault Item Version",
            10788,
            (
                Given("name", _TEXT, "Name"),
                Given("vaultsecretid", ColumnType.LOOKUP, "Item", target="vaultsecret"),
                Given("version", _NUMBER, "Version"),
                Given("sealed", _MEMO, "Sealed Value", hidden=True),
                Given("publicpart", _MEMO, "Public Part"),
                Given("thumbprint", _TEXT, "Thumbprint", length=100),
                Given("isexportable", _FLAG, "Private Key May Leave"),
                Given("enabled", _FLAG, "Enabled"),
                Given("notbefore", _WHEN, "Not Before"),
                Given("expireson", _WHEN, "Expires On"),
            ),
            description="One version of an item of a vault.",
        ),
        platform_table(
            "vaultaccesspolicy",
            "Vault Access Policy",
            10789,
            (
                Given("name", _TEXT, "Name", written=True),
                Given("keyvaultid", ColumnType.LOOKUP, "Vault", target="keyvault", written=True),
                Given("item", _TEXT, "Item (empty: all)", written=True),
                Given("principal", _TEXT, "User or Extension", length=300, written=True),
                Given("rights", _TEXT, "Rights", length=300, written=True),
            ),
            description="Who may do what with a vault or an item of it.",
            plural="vaultaccesspolicies",
        ),
        platform_table(
            "vaultaccess",
            "Vault Access",
            10790,
            (
                Given("name", _TEXT, "Item", indexed=True),
                Given("vault", _TEXT, "Vault"),
                Given("version", _NUMBER, "Version"),
                Given("operation", _TEXT, "Operation"),
                Given("principal", _TEXT, "User", length=300),
                Given("extension", _TEXT, "Extension", length=300),
                Given("outcome", _TEXT, "Outcome"),
            ),
            description="One use of an item of a vault.",
            plural="vaultaccesses",
        ),
    )
