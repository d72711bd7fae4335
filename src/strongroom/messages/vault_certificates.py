"""Certificates of vaults, over the Web API of the control environment (TS-607)."""

import base64
import binascii

from strongroom.errors import InvalidRequest
from strongroom.estate import vault_certificates as certificates
from strongroom.estate.vault import Asker
from strongroom.estate.vault_certificates import DAYS, Subject
from strongroom.keys import Secret
from strongroom.messages.operation import Arguments, Kind, Operation, Parameter, Result, action
from strongroom.messages.vaults import in_vaults, version_asked
from strongroom.records import Session

_USUAL_KEY = "EC-P256"


def _import(session: Session, arguments: Arguments, asker: Asker) -> Result:
    given = arguments.optional_text("Password")
    version = certificates.import_certificate(
        session,
        *_item(arguments),
        _bytes(arguments, "Data"),
        Secret(given.encode()) if given else None,
        asker,
        exportable=arguments.flag("Exportable"),
    )
    return {"Version": version}


def _make(session: Session, arguments: Arguments, asker: Asker) -> Result:
    days = arguments.values.get("Days")
    version = certificates.make_self_signed(
        session,
        *_item(arguments),
        _subject(arguments),
        asker,
        kind=arguments.optional_text("Type") or _USUAL_KEY,
        days=days if isinstance(days, int) else DAYS,
        exportable=arguments.flag("Exportable"),
    )
    return {"Version": version}


def _request(session: Session, arguments: Arguments, asker: Asker) -> Result:
    kind, exportable = arguments.optional_text("Type") or _USUAL_KEY, arguments.flag("Exportable")
    version, asked = certificates.request_certificate(
        session, *_item(arguments), _subject(arguments), asker, kind=kind, exportable=exportable
    )
    return {"Version": version, "Request": asked}


def _complete(session: Session, arguments: Arguments, asker: Asker) -> Result:
    chain = arguments.text("Certificate").encode()
    return {"Version": certificates.complete_request(session, *_item(arguments), chain, asker)}


def _chain(session: Session, arguments: Arguments, asker: Asker) -> Result:
    version, chain = certificates.chain_of(session, *_item(arguments), asker, version_asked(arguments))
    return {"Version": version, "Certificate": chain}


def _export(session: Session, arguments: Arguments, asker: Asker) -> Result:
    password = Secret(arguments.text("Password").encode())
    pfx = certificates.export_pfx(session, *_item(arguments), password, asker, version_asked(arguments))
    return {"Data": base64.b64encode(pfx).decode()}


def _item(arguments: Arguments) -> tuple[str, str]:
    return arguments.text("Vault"), arguments.text("Name")


def _subject(arguments: Arguments) -> Subject:
    hosts = arguments.values.get("Hosts")
    return Subject(arguments.text("CommonName"), tuple(arguments.strings("Hosts")) if hosts is not None else ())


def _bytes(arguments: Arguments, name: str) -> bytes:
    try:
        return base64.b64decode(arguments.text(name), validate=True)
    except binascii.Error:
        raise InvalidRequest(f"{name} must be base64.") from None


_ITEM = (Parameter("Vault", Kind.STRING), Parameter("Name", Kind.STRING))
_NAMED = (Parameter("CommonName", Kind.STRING), Parameter("Hosts", Kind.STRINGS, required=False))
_TYPE, _MAY_LEAVE = (
    Parameter("Type", Kind.STRING, required=False),
    Parameter("Exportable", Kind.BOOLEAN, required=False),
)
_ONE = Parameter("Version", Kind.INTEGER, required=False)
_MADE = {"Version": "Edm.Int32"}

OPERATIONS: tuple[Operation, ...] = (
    action(
        "ImportCertificate",
        in_vaults(_import),
        *_ITEM,
        Parameter("Data", Kind.STRING, type="Edm.Binary"),
        Parameter("Password", Kind.STRING, required=False),
        _MAY_LEAVE,
        properties=_MADE,
    ),
    action(
        "CreateCertificate",
        in_vaults(_make),
        *_ITEM,
        *_NAMED,
        _TYPE,
        Parameter("Days", Kind.INTEGER, required=False),
        _MAY_LEAVE,
        properties=_MADE,
    ),
    action(
        "RequestCertificate",
        in_vaults(_request),
        *_ITEM,
        *_NAMED,
        _TYPE,
        _MAY_LEAVE,
        properties={"Version": "Edm.Int32", "Request": "Edm.String"},
    ),
    action(
        "CompleteCertificate",
        in_vaults(_complete),
        *_ITEM,
        Parameter("Certificate", Kind.STRING),
        properties=_MADE,
    ),
    action(
        "GetCertificate",
        in_vaults(_chain),
        *_ITEM,
        _ONE,
        properties={"Version": "Edm.Int32", "Certificate": "Edm.String"},
    ),
    action(
        "ExportCertificate",
        in_vaults(_export),
        *_ITEM,
        Parameter("Password", Kind.STRING),
        _ONE,
        properties={"Data": "Edm.Binary"},
    ),
)
