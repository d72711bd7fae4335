"""The certificate of a deletion: what was destroyed, how, and why it cannot be read any more; signed by the home.

Anybody can check it with the public key in it, which is that of the control environment's trail, and which
`strongroom audit key -e control` prints: the environment itself need not be there any more (TS-515, TS-2107).
"""

import base64
from collections.abc import Mapping
from typing import cast

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from strongroom.audit.exports import decode_key, encode_key
from strongroom.errors import InvalidRequest
from strongroom.home import EnvironmentKind, Home
from strongroom.trail import signing_key

_KIND = "strongroom certificate of deletion"


def certificate(home: Home, said: Mapping[str, object]) -> dict[str, object]:
    """The signed document about what is `said`."""
    control = next(record for record in home.environments() if record.kind is EnvironmentKind.CONTROL)
    key = signing_key(home, control.id)
    document: dict[str, object] = {
        "Kind": _KIND,
        "Home": home.id,
        "TestClock": home.is_test_home,
        **said,
        "PublicKey": encode_key(key.public_key()),
    }
    return {**document, "Signature": base64.b64encode(key.sign(_statement(document))).decode()}


def is_certificate(document: Mapping[str, object], public_key: str | None = None) -> bool:
    """Whether the document is signed: by the key that it names, which must be `public_key` where one is given."""
    named = str(document.get("PublicKey", ""))
    if document.get("Kind") != _KIND or (public_key is not None and public_key != named):
        return False
    try:
        key: Ed25519PublicKey = decode_key(named)
        unsigned = {name: value for name, value in document.items() if name != "Signature"}
        key.verify(base64.b64decode(str(document.get("Signature")), validate=True), _statement(unsigned))
    except (InvalidSignature, InvalidRequest, ValueError):
        return False
    return True


def _statement(document: Mapping[str, object]) -> bytes:
    return rfc8785.dumps(cast("dict[str, str | int | bool | None]", dict(document)))
