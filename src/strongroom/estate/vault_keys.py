"""Keys in vaults: made inside, used inside, and never given away (TS-607)."""

from collections.abc import Callable
from typing import cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, keywrap
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

from strongroom.errors import InvalidRequest
from strongroom.estate.vault import (
    Asker,
    ItemKind,
    VaultRight,
    add_version,
    demand_right,
    item_named,
    item_of_kind,
    note,
    open_version,
    version_of,
)
from strongroom.keys import Secret
from strongroom.keys.wrapping import new_key
from strongroom.records import Session
from strongroom.store.protocol import Row

_Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
_CURVES: dict[str, Callable[[], ec.EllipticCurve]] = {
    "EC-P256": ec.SECP256R1,
    "EC-P384": ec.SECP384R1,
    "EC-P521": ec.SECP521R1,
}
_RSA_BITS = {"RSA-2048": 2048, "RSA-3072": 3072, "RSA-4096": 4096}
TYPES = ("AES-256", *_RSA_BITS, *_CURVES)


def create_key(session: Session, vault: str, name: str, kind: str, asker: Asker) -> int:
    """A new key, or a new version of one; the number. `kind` is one of `TYPES`."""
    if kind not in TYPES:
        raise InvalidRequest(f"'{kind[:40]}' is no type of key; there are: {', '.join(TYPES)}.")
    holder = demand_right(session, vault, name, VaultRight.SET, asker)
    item = item_of_kind(session, holder, name, ItemKind.KEY)
    if kind == "AES-256":
        version = add_version(session, item, new_key(), {})
    else:
        private = new_private_key(kind)
        der = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        version = add_version(session, item, Secret(der), {"publicpart": public})
    note(session, vault, name, version, "create key", asker)
    return version


def new_private_key(kind: str) -> _Private:
    """A fresh key of one of the `TYPES` that have a public half."""
    if kind in _RSA_BITS:
        return rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS[kind])
    return ec.generate_private_key(_CURVES[kind]())


def sign(session: Session, vault: str, name: str, data: bytes, asker: Asker, version: int | None = None) -> bytes:
    """A signature: PSS with SHA-256 by an RSA key, ECDSA with SHA-256 by an EC key."""
    found = _used(session, vault, name, VaultRight.SIGN, asker, version)
    private = _private(open_version(session, found))
    note(session, vault, name, int(str(found.values["version"])), "sign", asker)
    if isinstance(private, rsa.RSAPrivateKey):
        return private.sign(data, _pss(), hashes.SHA256())
    return private.sign(data, ec.ECDSA(hashes.SHA256()))


def verify(
    session: Session, vault: str, name: str, data: bytes, signature: bytes, asker: Asker, version: int | None = None
) -> bool:
    """Whether a signature is one of the key's."""
    found = _used(session, vault, name, VaultRight.VERIFY, asker, version)
    public = _private(open_version(session, found)).public_key()
    try:
        if isinstance(public, rsa.RSAPublicKey):
            public.verify(signature, data, _pss(), hashes.SHA256())
        else:
            public.verify(signature, data, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def wrap_key(session: Session, vault: str, name: str, key: bytes, asker: Asker, version: int | None = None) -> bytes:
    """A key of somebody's, wrapped: AES-KWP by an AES key, RSA-OAEP with SHA-256 by an RSA key."""
    found = _used(session, vault, name, VaultRight.WRAP, asker, version)
    own = open_version(session, found).reveal()
    note(session, vault, name, int(str(found.values["version"])), "wrap", asker)
    if len(own) == 32:
        return keywrap.aes_key_wrap_with_padding(own, key)
    private = _private(Secret(own))
    if not isinstance(private, rsa.RSAPrivateKey):
        raise InvalidRequest(
            "An EC key does not wrap; take AES-256 or RSA.", details={"reason": "algorithm", "rule": "TS-607"}
        )
    return private.public_key().encrypt(key, _oaep())


def unwrap_key(session: Session, vault: str, name: str, key: bytes, asker: Asker, version: int | None = None) -> bytes:
    """What `wrap_key` wrapped."""
    found = _used(session, vault, name, VaultRight.UNWRAP, asker, version)
    own = open_version(session, found).reveal()
    note(session, vault, name, int(str(found.values["version"])), "unwrap", asker)
    try:
        if len(own) == 32:
            return keywrap.aes_key_unwrap_with_padding(own, key)
        private = _private(Secret(own))
        if isinstance(private, rsa.RSAPrivateKey):
            return private.decrypt(key, _oaep())
    except (keywrap.InvalidUnwrap, ValueError):
        raise InvalidRequest("This was not wrapped with that key.") from None
    raise InvalidRequest(
        "An EC key does not wrap; take AES-256 or RSA.", details={"reason": "algorithm", "rule": "TS-607"}
    )


def _used(session: Session, vault: str, name: str, right: VaultRight, asker: Asker, version: int | None) -> Row:
    holder = demand_right(session, vault, name, right, asker)
    item = item_named(session, holder, name)
    if item.values.get("kind") == ItemKind.SECRET.value:
        raise InvalidRequest(f"'{name}' is no key, and no certificate with one.")
    return version_of(session, item, version)


def _private(der: Secret) -> _Private:
    if len(der.reveal()) == 32:
        raise InvalidRequest(
            "An AES key does not sign; take RSA or EC.", details={"reason": "algorithm", "rule": "TS-607"}
        )
    return cast("_Private", load_der_private_key(der.reveal(), None))


def _pss() -> padding.PSS:
    return padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)


def _oaep() -> padding.OAEP:
    return padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
