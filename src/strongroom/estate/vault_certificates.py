"""Certificates in vaults: brought along (PFX, PEM), made here, or asked for at an authority (TS-607).

A version holds the private key, sealed like every value, and beside it in clear the chain, its thumbprint (SHA-256) and
its times. The key signs inside the vault (`VaultSign`) and leaves it only as a PFX, where that was allowed when it
came. A request (CSR) is a version that is not enabled until its certificate comes.

Accepted are RSA keys of 2,048 bits and more, and EC keys on P-256, P-384 and P-521. A chain is checked link by link;
whether its root is trusted is for whoever meets it to say.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509.oid import NameOID

from strongroom.clock import iso
from strongroom.errors import AccessDenied, Conflict, InvalidRequest
from strongroom.estate.ledger import change
from strongroom.estate.vault import (
    MOST_BYTES,
    Asker,
    ItemKind,
    VaultRight,
    add_version,
    demand_right,
    item_of_kind,
    note,
    open_version,
    version_of,
    versions_of,
)
from strongroom.estate.vault_keys import TYPES, new_private_key
from strongroom.ids import Reference
from strongroom.keys import Secret
from strongroom.records import Session
from strongroom.store.protocol import Value

DAYS = 365
MOST_DAYS = 825
NOTIFY_DAYS = 30
"""How long before its end a certificate is told of, where `notifydays` says nothing."""

_CURVES = ("secp256r1", "secp384r1", "secp521r1")
_MOST_NAMES, _MOST_CHAIN = 100, 10
_RSA_BITS = 2048
_Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class Subject:
    """What a certificate is to name: a common name, and the hosts that it is for."""

    common_name: str
    hosts: tuple[str, ...] = ()


def import_certificate(
    session: Session, vault: str, name: str, data: bytes, password: Secret | None, asker: Asker, *, exportable: bool
) -> int:
    """A new version of a PFX, or of PEM with the key and the chain; its number. Raises `InvalidRequest` for what cannot
    be read, a key that does not fit, a key that is too weak, or a chain that does not hold."""
    if len(data) > MOST_BYTES:
        raise _wrong(f"A certificate with its chain has at most {MOST_BYTES} bytes.")
    holder = demand_right(session, vault, name, VaultRight.SET, asker)
    private, chain = _read(data, password)
    _require_fitting(private, chain)
    item = item_of_kind(session, holder, name, ItemKind.CERTIFICATE)
    version = add_version(session, item, _der(private), {**_facts(chain), "isexportable": exportable})
    note(session, vault, name, version, "import certificate", asker)
    return version


def make_self_signed(
    session: Session, vault: str, name: str, subject: Subject, asker: Asker, *, kind: str, days: int, exportable: bool
) -> int:
    """A new version that is signed by its own key; its number."""
    if not 1 <= days <= MOST_DAYS:
        raise _wrong(f"A certificate made here lasts 1 to {MOST_DAYS} days.")
    holder = demand_right(session, vault, name, VaultRight.SET, asker)
    private, now = new_private_key(_type(kind)), datetime.fromisoformat(session.now)
    named = _name(subject)
    made = (
        x509.CertificateBuilder()
        .subject_name(named)
        .issuer_name(named)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    )
    if subject.hosts:
        made = made.add_extension(_hosts(subject), critical=False)
    item = item_of_kind(session, holder, name, ItemKind.CERTIFICATE)
    facts = {**_facts([made.sign(private, hashes.SHA256())]), "isexportable": exportable}
    version = add_version(session, item, _der(private), facts)
    note(session, vault, name, version, "make certificate", asker)
    return version


def request_certificate(
    session: Session, vault: str, name: str, subject: Subject, asker: Asker, *, kind: str, exportable: bool
) -> tuple[int, str]:
    """A new key whose certificate an authority is to make: the version, and the request (CSR) as PEM."""
    holder = demand_right(session, vault, name, VaultRight.SET, asker)
    private = new_private_key(_type(kind))
    builder = x509.CertificateSigningRequestBuilder().subject_name(_name(subject))
    if subject.hosts:
        builder = builder.add_extension(_hosts(subject), critical=False)
    asked = builder.sign(private, hashes.SHA256()).public_bytes(Encoding.PEM).decode()
    item = item_of_kind(session, holder, name, ItemKind.CERTIFICATE)
    facts: dict[str, Value] = {"publicpart": asked, "isexportable": exportable, "enabled": False}
    version = add_version(session, item, _der(private), facts, is_current=False)
    note(session, vault, name, version, "request certificate", asker)
    return version, asked


def complete_request(session: Session, vault: str, name: str, chain: bytes, asker: Asker) -> int:
    """Take the certificate that an authority made for a request, with its chain; the version, which is the current one
    from now on. Raises `Conflict` when no request of the item has its key."""
    holder = demand_right(session, vault, name, VaultRight.SET, asker)
    item = item_of_kind(session, holder, name, ItemKind.CERTIFICATE)
    certificates = _certificates(chain)
    for row in versions_of(session, item):
        if row.values.get("enabled") is True or row.values.get("thumbprint"):
            continue
        private = _loaded(open_version(session, row))
        if _public(private) == _public_of(certificates[0]):
            _require_fitting(private, certificates)
            facts, version = _facts(certificates), int(str(row.values["version"]))
            change(session, row, {**facts, "enabled": True})
            change(session, item, {"currentversion": version, "expireson": facts["expireson"]})
            note(session, vault, name, version, "complete certificate", asker)
            return version
    raise Conflict(f"No open request of '{name}' has the key of this certificate.")


def chain_of(session: Session, vault: str, name: str, asker: Asker, version: int | None = None) -> tuple[int, str]:
    """The certificate and its chain as PEM, which is nothing secret, and the version."""
    holder = demand_right(session, vault, name, VaultRight.LIST, asker)
    found = version_of(session, item_of_kind(session, holder, name, ItemKind.CERTIFICATE, make=False), version)
    return int(str(found.values["version"])), str(found.values["publicpart"])


def export_pfx(session: Session, vault: str, name: str, password: Secret, asker: Asker, version: int | None) -> bytes:
    """Key and chain as PFX under a password. Raises `AccessDenied` where the key may not leave the vault."""
    holder = demand_right(session, vault, name, VaultRight.GET, asker)
    found = version_of(session, item_of_kind(session, holder, name, ItemKind.CERTIFICATE, make=False), version)
    if found.values.get("isexportable") is not True:
        raise AccessDenied(
            f"The key of '{name}' may not leave the vault: that was not allowed when it came. Sign by VaultSign.",
            details={"reason": "not-exportable", "rule": "TS-607"},
        )
    if len(password.reveal()) < 12:
        raise _wrong("The password of an exported key has at least 12 bytes.")
    first, *others = _certificates(str(found.values["publicpart"]).encode())
    private = _loaded(open_version(session, found))
    note(session, vault, name, int(str(found.values["version"])), "export", asker)
    sealed = BestAvailableEncryption(password.reveal())
    return pkcs12.serialize_key_and_certificates(name.encode(), private, first, others, sealed)


def tell_of_ends(session: Session) -> int:
    """Write one row of `vaultaccess` for each item whose current version ends soon (`notifydays`), once for a version:
    what alert rules watch; how many (TS-606)."""
    table, told = session.table("vaultaccess"), 0
    for item in session.transaction.rows_where(session.table("vaultsecret"), {"deletedon": None}):
        ends, days = item.values.get("expireson"), item.values.get("notifydays")
        ahead = timedelta(days=days if isinstance(days, int) else NOTIFY_DAYS)
        if not isinstance(ends, str) or ends > iso(session.clock.now() + ahead):
            continue
        vault = item.values["keyvaultid"]
        holder = session.transaction.row(session.table("keyvault"), vault.id) if isinstance(vault, Reference) else None
        version, name = int(str(item.values["currentversion"])), str(item.values["name"])
        named: dict[str, Value] = {"name": name, "operation": "ends soon", "version": version}
        vault_name = str(holder.values["name"]) if holder else ""
        known = session.transaction.rows_where(table, {**named, "vault": vault_name}, limit=1)
        if not known:
            note(session, vault_name, name, version, "ends soon", Asker("the server"))
            told += 1
    return told


# --- reading --------------------------------------------------------------------------------------------------------


def _read(data: bytes, password: Secret | None) -> tuple[_Private, list[x509.Certificate]]:
    given = password.reveal() if password else None
    try:
        if b"-----BEGIN" in data:
            return _supported(load_pem_private_key(data, given)), _certificates(data)
        private, first, others = pkcs12.load_key_and_certificates(data, given)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise _wrong(
            "The certificate cannot be read: it is no PFX and no PEM with a key, or the password is wrong."
        ) from None
    if private is None or first is None:
        raise _wrong("The PFX holds no certificate with its private key.")
    return _supported(private), _ordered([first, *others])


def _certificates(data: bytes) -> list[x509.Certificate]:
    try:
        return _ordered(x509.load_pem_x509_certificates(data))
    except ValueError:
        raise _wrong("There is no certificate in this PEM.") from None


def _ordered(found: Sequence[x509.Certificate]) -> list[x509.Certificate]:
    """The first one, and behind it who issued it, and so on; what belongs to no link is refused."""
    if len(found) > _MOST_CHAIN:
        raise _wrong(f"A chain has at most {_MOST_CHAIN} certificates.")
    chain, rest = [found[0]], list(found[1:])
    while rest:
        issuer = next((each for each in rest if each.subject == chain[-1].issuer), None)
        if issuer is None:
            raise _wrong("The chain does not hold: a certificate in it issued none of the others.")
        try:
            chain[-1].verify_directly_issued_by(issuer)
        except (InvalidSignature, ValueError, TypeError):
            raise _wrong("The chain does not hold: a signature in it is not the issuer's.") from None
        chain.append(issuer)
        rest.remove(issuer)
    return chain


def _supported(private: object) -> _Private:
    if isinstance(private, rsa.RSAPrivateKey) and private.key_size >= _RSA_BITS:
        return private
    if isinstance(private, ec.EllipticCurvePrivateKey) and private.curve.name in _CURVES:
        return private
    raise _wrong("The key must be RSA of 2,048 bits or more, or EC on P-256, P-384 or P-521.")


def _require_fitting(private: _Private, chain: Sequence[x509.Certificate]) -> None:
    if _public(private) != _public_of(chain[0]):
        raise _wrong("The private key is not the one of the certificate.")


def _public(private: _Private) -> bytes:
    return private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _public_of(certificate: x509.Certificate) -> bytes:
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _facts(chain: Sequence[x509.Certificate]) -> dict[str, Value]:
    first = chain[0]
    return {
        "publicpart": "".join(each.public_bytes(Encoding.PEM).decode() for each in chain),
        "thumbprint": first.fingerprint(hashes.SHA256()).hex().upper(),
        "notbefore": iso(first.not_valid_before_utc),
        "expireson": iso(first.not_valid_after_utc),
    }


def _der(private: _Private) -> Secret:
    return Secret(private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))


def _loaded(der: Secret) -> _Private:
    return cast("_Private", load_der_private_key(der.reveal(), None))


# --- naming ---------------------------------------------------------------------------------------------------------


def _name(subject: Subject) -> x509.Name:
    try:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject.common_name)])
    except ValueError:
        raise _wrong("The common name has 1 to 64 characters.") from None


def _hosts(subject: Subject) -> x509.SubjectAlternativeName:
    if len(subject.hosts) > _MOST_NAMES:
        raise _wrong(f"A certificate is for at most {_MOST_NAMES} hosts.")
    try:
        return x509.SubjectAlternativeName([x509.DNSName(host) for host in subject.hosts])
    except ValueError:
        raise _wrong("Hosts are names such as crm.example.com; write others as punycode.") from None


def _type(kind: str) -> str:
    known = [each for each in TYPES if each != "AES-256"]
    if kind not in known:
        raise _wrong(f"'{kind[:40]}' is no type of key for a certificate; there are: {', '.join(known)}.")
    return kind


def _wrong(message: str) -> InvalidRequest:
    return InvalidRequest(message, details={"reason": "certificate-invalid", "rule": "TS-607"})
