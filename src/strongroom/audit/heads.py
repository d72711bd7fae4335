"""Signed heads: what the platform vouches for at a moment (TS-812).

    {"EnvironmentId":"…","KeyId":"…","PreviousHeadSha256":"…","RootHash":"<base64>","SignedOn":"…","TestClock":false,
     "TreeSize":1042,"Signature":"<base64, Ed25519>"}

The signature is over the RFC 8785 JSON of the object without `Signature`. `PreviousHeadSha256` is the hash of the head
before, signature included, so that the newest head vouches for all of them.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from strongroom.clock import moment_of
from strongroom.errors import InvalidRequest
from strongroom.ids import Guid, parse_guid
from strongroom.store.leaves import StoredHead

_LONGEST = 200
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


def given_head(shown: Mapping[str, object]) -> StoredHead:
    """A head as somebody gives it back. Raises `InvalidRequest` with the member that is wrong."""

    def text(name: str, *, required: bool = True) -> str:
        value = shown.get(name)
        if value is None and not required:
            return ""
        if not isinstance(value, str) or not 0 < len(value) <= _LONGEST:
            raise InvalidRequest(f"'{name}' of a head is a text.")
        return value

    size, is_test = shown.get("TreeSize"), shown.get("TestClock")
    environment = parse_guid(text("EnvironmentId"))
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        raise InvalidRequest("'TreeSize' of a head is a whole number above 0.")
    try:
        root = base64.b64decode(text("RootHash"), validate=True)
    except ValueError:
        root = b""
    if environment is None or len(root) != sha256().digest_size or moment_of(text("SignedOn")) is None:
        raise InvalidRequest("A head has EnvironmentId, RootHash (32 bytes in base64) and SignedOn.")
    return StoredHead(
        environment=environment,
        tree_size=size,
        root=root.hex(),
        signed_on=text("SignedOn"),
        key_id=text("KeyId"),
        signature=text("Signature"),
        previous=text("PreviousHeadSha256", required=False),
        is_test_clock=is_test is True,
    )


def _statement(head: StoredHead) -> bytes:
    """What is signed."""
    return rfc8785.dumps({name: value for name, value in shown_head(head).items() if name != "Signature"})
