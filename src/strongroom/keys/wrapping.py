"""Wrapping: a key is stored only sealed under another key, together with the place that it belongs to.

AES-256-GCM. The associated data is the list of words that say where the sealed key lives (home, purpose,
environment, key id), so that a wrapped key that was copied to another place does not open there (TS-501).

The root key itself encrypts nothing: one key for wrapping, one for authenticating the ring file, and the public id
are derived from it.
"""

import hmac
import json
import secrets
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from strongroom.errors import HomeError
from strongroom.keys.secret import Secret

KEY_BYTES = 32
_NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class RootKey:
    """A root key, expanded. `id` is safe to show: it says which root key this is and nothing else about it."""

    id: str
    wrapping: Secret
    authenticating: Secret


def expand(material: Secret) -> RootKey:
    """The root key made of 32 secret bytes."""
    return RootKey(
        id=_derive(material, b"strongroom root id", 8).reveal().hex(),
        wrapping=_derive(material, b"strongroom root wrapping", KEY_BYTES),
        authenticating=_derive(material, b"strongroom root authenticating", KEY_BYTES),
    )


def new_key() -> Secret:
    """32 random bytes."""
    return Secret(secrets.token_bytes(KEY_BYTES))


def wrap(root: RootKey, key: Secret, *place: str) -> bytes:
    """`key` sealed for `place`."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(root.wrapping.reveal()).encrypt(nonce, key.reveal(), _associated(place))


def unwrap(root: RootKey, wrapped: bytes, *place: str) -> Secret:
    """The key that was sealed for `place`. Raises `HomeError` when it was altered or belongs elsewhere."""
    nonce, sealed = wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:]
    try:
        return Secret(AESGCM(root.wrapping.reveal()).decrypt(nonce, sealed, _associated(place)))
    except (InvalidTag, ValueError):
        raise HomeError(
            f"The wrapped key for {' '.join(place[1:])} does not open: it was altered or moved here from elsewhere. "
            "Restore keys.json from a backup."
        ) from None


def authenticate(root: RootKey, data: bytes) -> bytes:
    """The code that proves that `data` was written by a holder of the root key."""
    return hmac.digest(root.authenticating.reveal(), data, "sha256")


def _associated(place: tuple[str, ...]) -> bytes:
    return json.dumps(["strongroom", *place]).encode()


def _derive(material: Secret, purpose: bytes, length: int) -> Secret:
    return Secret(HKDF(algorithm=SHA256(), length=length, salt=None, info=purpose).derive(material.reveal()))
