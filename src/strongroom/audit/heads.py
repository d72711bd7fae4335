"""Signed heads: what the platform vouches for at a moment (TS-812).

    {"EnvironmentId":"…","KeyId":"…","PreviousHeadSha256":"…","RootHash":"<base64>","SignedOn":"…","TestClock":false,
     "TreeSize":1042,"Signature":"<base64, Ed25519>"}

The signature is over the RFC 8785 JSON of the object without `Signature`. `PreviousHeadSha256` is the hash of the head
before, signature included, so that the newest head vouches for all of them.
"""

import base64
from dataclasses import dataclass, replace
from hashlib import sha256

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from strongroom.ids import Guid
from strongroom.store.leaves import StoredHead

NO_HEAD = ""
"""What the first head names as the one before it."""


@dataclass(frozen=True, slots=True)
class Signer:
    """What signs the heads of one environment."""

    environment: Guid
    key: Ed25519PrivateKey
    is_test_home: bool

    @property
    def public(self) -> Ed25519PublicKey:
        """The key that verifies what this one signs."""
        return self.key.public_key()


def key_id(public: Ed25519PublicKey) -> str:
    """The name of a key: the beginning of its SHA-256."""
    return sha256(public.public_bytes_raw()).hexdigest()[:16]


def signed_head(signer: Signer, size: int, root: str, signed_on: str, before: StoredHead | None) -> StoredHead:
    """The head over the first `size` leaves, whose root is `root` in hexadecimal. Its time is never before that of the
    head before it: a clock that goes backwards does not make heads that contradict each other."""
    unsigned = StoredHead(
        environment=signer.environment,
        tree_size=size,
        root=root,
        signed_on=signed_on if before is None else max(signed_on, before.signed_on),
        key_id=key_id(signer.public),
        signature="",
        previous=NO_HEAD if before is None else head_hash(before),
        is_test_clock=signer.is_test_home,
    )
    return replace(unsigned, signature=base64.b64encode(signer.key.sign(_statement(unsigned))).decode())


def head_hash(head: StoredHead) -> str:
    """SHA-256 of a whole head, in hexadecimal."""
    return sha256(rfc8785.dumps(shown_head(head))).hexdigest()


def is_signed(head: StoredHead, public: Ed25519PublicKey) -> bool:
    """Whether the head is signed by the private half of `public`."""
    try:
        public.verify(base64.b64decode(head.signature, validate=True), _statement(head))
    except (InvalidSignature, ValueError):
        return False
    return True


def shown_head(head: StoredHead) -> dict[str, str | int | bool | None]:
    """A head as it is given away."""
    return {
        "EnvironmentId": head.environment,
        "TreeSize": head.tree_size,
        "RootHash": base64.b64encode(bytes.fromhex(head.root)).decode(),
        "SignedOn": head.signed_on,
        "KeyId": head.key_id,
        "PreviousHeadSha256": head.previous or None,
        "TestClock": head.is_test_clock,
        "Signature": head.signature,
    }


def _statement(head: StoredHead) -> bytes:
    """What is signed."""
    return rfc8785.dumps({name: value for name, value in shown_head(head).items() if name != "Signature"})
