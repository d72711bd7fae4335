"""age (https://age-encryption.org/v1) with types: what leaves the home in files is encrypted in this format."""

from collections.abc import Sequence
from typing import Any, Protocol, cast

import pyrage

from strongroom.errors import InvalidRequest
from strongroom.keys.secret import Secret

_age = cast("Any", pyrage)


class DecryptError(Exception):
    """What should be decrypted was altered or cut, or is encrypted to others."""


class Readable(Protocol):
    """What gives bytes."""

    def read(self, size: int = -1, /) -> bytes: ...


class Writable(Protocol):
    """What takes bytes."""

    def write(self, data: bytes, /) -> int: ...

    def flush(self) -> None: ...


def new_identity() -> Secret:
    """A fresh identity: `AGE-SECRET-KEY-1…`."""
    return Secret(str(_age.x25519.Identity.generate()).encode())


def recipient_of(identity: Secret) -> str:
    """Whom to encrypt to, so that this identity decrypts: `age1…`."""
    return str(_age.x25519.Identity.from_str(identity.reveal().decode()).to_public())


def encrypt(source: Readable, target: Writable, recipients: Sequence[str]) -> None:
    """Encrypt all of `source` to all recipients. Raises `InvalidRequest` for one that is none."""
    try:
        parsed = [_age.x25519.Recipient.from_str(each) for each in recipients]
    except _age.RecipientError:
        raise InvalidRequest("A recipient is a public key of age: age1… .") from None
    _age.encrypt_io(source, target, parsed)


def decrypt(source: Readable, target: Writable, identity: Secret) -> None:
    """Decrypt all of `source`. Raises `DecryptError` when it was altered, cut, or encrypted to others; what was
    written until then must not be used."""
    try:
        parsed = _age.x25519.Identity.from_str(identity.reveal().decode().strip())
    except _age.IdentityError:
        raise InvalidRequest("An identity of age has the form AGE-SECRET-KEY-1….") from None
    try:
        _age.decrypt_io(source, target, [parsed])
    except _age.DecryptError:
        raise DecryptError from None
    except OSError as error:
        if error.errno is not None:  # the disk's own trouble
            raise
        raise DecryptError from None
