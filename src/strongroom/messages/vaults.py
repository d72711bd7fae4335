"""Vaults of the control environment: secrets and keys of programs (TS-601 to TS-610), and what gives a program of any
environment the value behind an environment variable that is a secret."""

import base64
import binascii
from collections.abc import Callable

from strongroom.errors import Conflict, InvalidRequest, NotFound, ResourceNotFound
from strongroom.estate import vault as vaults
from strongroom.estate import vault_keys
from strongroom.estate.vault import Asker
from strongroom.keys import Secret
from strongroom.messages.operation import Arguments, Kind, Operation, Parameter, Result, action, function
from strongroom.records import Session
from strongroom.records.authorize import demand_privilege
from strongroom.schema.model import Rights
from strongroom.store.protocol import Row

_SECRET_TYPE = 100000005
"""`environmentvariabledefinition.type`: a secret."""

_Act = Callable[[Session, Arguments, Asker], Result]


def in_vaults(act: _Act, *, needs: Rights | None = None) -> Callable[[Session, Arguments], Result]:
    """`act` where there are vaults. What the asker may do is for the policies of the vault to say (TS-603)."""

    def run(session: Session, arguments: Arguments) -> Result:
        if session.rules.vault_key is None:
            raise ResourceNotFound("This operation is one of the control environment.")
        if needs is not None:
            demand_privilege(session, session.table("keyvault"), needs)
        return act(session, arguments, _asker(session))

    return run


def _asker(session: Session) -> Asker:
    row = session.transaction.row(session.table("systemuser"), session.caller.id)
    return Asker(str(row.values.get("domainname")) if row else str(session.caller.id))


def _create(session: Session, arguments: Arguments, asker: Asker) -> Result:
    protected = arguments.flag("PurgeProtection")
    return {"KeyVaultId": vaults.create_vault(session, arguments.text("Name"), asker, is_purge_protected=protected).id}


def _set(session: Session, arguments: Arguments, asker: Asker) -> Result:
    times = {
        name: arguments.moment(argument).strftime("%Y-%m-%dT%H:%M:%SZ") if arguments.values.get(argument) else None
        for name, argument in (("not_before", "NotBefore"), ("expires_on", "ExpiresOn"))
    }
    version = vaults.set_secret(
        session,
        arguments.text("Vault"),
        arguments.text("Name"),
        Secret(arguments.text("Value").encode()),
        asker,
        content_type=arguments.optional_text("ContentType"),
        **times,
    )
    return {"Version": version}


def _get(session: Session, arguments: Arguments, asker: Asker) -> Result:
    found = vaults.get_secret(session, arguments.text("Vault"), arguments.text("Name"), asker, version_asked(arguments))
    return {"Value": found.value.reveal().decode(), "Version": found.version}


def _rotate(session: Session, arguments: Arguments, asker: Asker) -> Result:
    return {"Version": vaults.rotate_secret(session, arguments.text("Vault"), arguments.text("Name"), asker)}


def _disable(session: Session, arguments: Arguments, asker: Asker) -> Result:
    version = arguments.integer("Version")
    vaults.disable_version(session, arguments.text("Vault"), arguments.text("Name"), version, asker)
    return None


def _with_item(act: Callable[[Session, str, str, Asker], None]) -> _Act:
    def run(session: Session, arguments: Arguments, asker: Asker) -> Result:
        act(session, arguments.text("Vault"), arguments.text("Name"), asker)
        return None

    return run


def _create_key(session: Session, arguments: Arguments, asker: Asker) -> Result:
    vault, name, kind = (arguments.text(each) for each in ("Vault", "Name", "Type"))
    return {"Version": vault_keys.create_key(session, vault, name, kind, asker)}


def _with_key(act: Callable[[Session, str, str, bytes, Asker, int | None], bytes]) -> _Act:
    def run(session: Session, arguments: Arguments, asker: Asker) -> Result:
        data = _bytes(arguments, "Data")
        done = act(session, arguments.text("Vault"), arguments.text("Key"), data, asker, version_asked(arguments))
        return {"Data": base64.b64encode(done).decode()}

    return run


def _verify(session: Session, arguments: Arguments, asker: Asker) -> Result:
    data, signature = _bytes(arguments, "Data"), _bytes(arguments, "Signature")
    vault, key = arguments.text("Vault"), arguments.text("Key")
    return {"Valid": vault_keys.verify(session, vault, key, data, signature, asker, version_asked(arguments))}


def _exposure(session: Session, arguments: Arguments, _: Asker) -> Result:
    can, did = vaults.exposure(session, arguments.text("Vault"), arguments.text("Name"))
    return {"CanRead": can, "DidRead": did}


def _of_variable(session: Session, arguments: Arguments) -> Result:
    """The value behind an environment variable that is a secret, for a caller whom a policy lets read it."""
    table = session.table("environmentvariabledefinition")
    demand_privilege(session, table, Rights.READ)
    name = arguments.text("EnvironmentVariableName")
    row = session.transaction.row_by_key(table, {"schemaname": name})
    if row is None:
        raise NotFound(f"There is no environment variable '{name[:100]}'.")
    if row.values.get("type") != _SECRET_TYPE:
        raise InvalidRequest(f"The environment variable '{name}' is no secret.")
    reference, secret_of = _reference(session, row), session.rules.secret_of
    if not reference or secret_of is None:
        raise Conflict(
            f"The environment variable '{name}' is mapped to no secret of a vault.",
            details={"reason": "secret-not-mapped", "rule": "TS-609"},
        )
    return {"EnvironmentVariableSecretValue": secret_of(_asker(session).principal, reference)}


def _reference(session: Session, definition: Row) -> str:
    values = session.transaction.rows_where(
        session.table("environmentvariablevalue"), {"environmentvariabledefinitionid": definition.reference()}, limit=1
    )
    found = values[0].values.get("value") if values else definition.values.get("defaultvalue")
    return found if isinstance(found, str) else ""


def version_asked(arguments: Arguments) -> int | None:
    """The version that is named; None for the current one."""
    found = arguments.values.get("Version")
    return found if isinstance(found, int) else None


def _bytes(arguments: Arguments, name: str) -> bytes:
    try:
        return base64.b64decode(arguments.text(name), validate=True)
    except binascii.Error:
        raise InvalidRequest(f"{name} must be base64.") from None


_VAULT, _NAME = Parameter("Vault", Kind.STRING), Parameter("Name", Kind.STRING)
_KEY, _ONE = Parameter("Key", Kind.STRING), Parameter("Version", Kind.INTEGER, required=False)
_DATA = Parameter("Data", Kind.STRING, type="Edm.Binary")
_MADE = {"Version": "Edm.Int32"}
_GIVEN = {"Data": "Edm.Binary"}

OPERATIONS: tuple[Operation, ...] = (
    action(
        "CreateVault",
        in_vaults(_create, needs=Rights.CREATE),
        _NAME,
        Parameter("PurgeProtection", Kind.BOOLEAN, required=False),
        properties={"KeyVaultId": "Edm.Guid"},
    ),
    action(
        "SetSecret",
        in_vaults(_set),
        _VAULT,
        _NAME,
        Parameter("Value", Kind.STRING),
        Parameter("NotBefore", Kind.STRING, required=False, type="Edm.DateTimeOffset"),
        Parameter("ExpiresOn", Kind.STRING, required=False, type="Edm.DateTimeOffset"),
        Parameter("ContentType", Kind.STRING, required=False),
        properties=_MADE,
    ),
    action(
        "GetSecret",
        in_vaults(_get),
        _VAULT,
        _NAME,
        _ONE,
        properties={"Value": "Edm.String", "Version": "Edm.Int32"},
    ),
    action("RotateSecret", in_vaults(_rotate), _VAULT, _NAME, properties=_MADE),
    action("DisableSecretVersion", in_vaults(_disable), _VAULT, _NAME, Parameter("Version", Kind.INTEGER)),
    action("DeleteVaultItem", in_vaults(_with_item(vaults.delete_item)), _VAULT, _NAME),
    action("RecoverVaultItem", in_vaults(_with_item(vaults.recover_item)), _VAULT, _NAME),
    action("PurgeVaultItem", in_vaults(_with_item(vaults.purge_item)), _VAULT, _NAME),
    action("CreateVaultKey", in_vaults(_create_key), _VAULT, _NAME, Parameter("Type", Kind.STRING), properties=_MADE),
    action("VaultSign", in_vaults(_with_key(vault_keys.sign)), _VAULT, _KEY, _DATA, _ONE, properties=_GIVEN),
    action(
        "VaultVerify",
        in_vaults(_verify),
        _VAULT,
        _KEY,
        _DATA,
        Parameter("Signature", Kind.STRING, type="Edm.Binary"),
        _ONE,
        properties={"Valid": "Edm.Boolean"},
    ),
    action("VaultWrapKey", in_vaults(_with_key(vault_keys.wrap_key)), _VAULT, _KEY, _DATA, _ONE, properties=_GIVEN),
    action("VaultUnwrapKey", in_vaults(_with_key(vault_keys.unwrap_key)), _VAULT, _KEY, _DATA, _ONE, properties=_GIVEN),
    function(
        "RetrieveSecretExposure",
        in_vaults(_exposure, needs=Rights.READ),
        _VAULT,
        _NAME,
        properties={"CanRead": "Collection(Edm.String)", "DidRead": "Collection(Edm.Untyped)"},
        is_own=True,
    ),
    action(
        "RetrieveEnvironmentVariableSecretValue",
        _of_variable,
        Parameter("EnvironmentVariableName", Kind.STRING),
        properties={"EnvironmentVariableSecretValue": "Edm.String"},
    ),
)
