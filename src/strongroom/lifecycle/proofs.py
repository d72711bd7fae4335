"""Signed documents that say what was looked at and what was found: with the public key of the control environment.

Anybody can check one with `strongroom audit key -e control` and nothing else of the home.
"""

import base64
from collections.abc import Mapping
from typing import Any, cast

import rfc8785
from cryptography.exceptions import InvalidSignature

from strongroom.audit.exports import decode_key, encode_key
from strongroom.clock import iso
from strongroom.errors import InvalidRequest
from strongroom.home import EnvironmentKind, Home
from strongroom.trail import signing_key

PASSED, FAILED, NOT_MEASURABLE = "Passed", "Failed", "NotMeasurable"


def signed(home: Home, kind: str, said: Mapping[str, object]) -> dict[str, object]:
    """The document with its signature. Numbers in it are whole, texts or flags: they have one canonical form."""
    control = next(record for record in home.environments() if record.kind is EnvironmentKind.CONTROL)
    key = signing_key(home, control.id)
    document: dict[str, object] = {
        "Kind": kind,
        "Home": home.id,
        "TestClock": home.is_test_home,
        "On": iso(home.clock.now()),
        **said,
        "PublicKey": encode_key(key.public_key()),
    }
    return {**document, "Signature": base64.b64encode(key.sign(_statement(document))).decode()}


def is_signed(document: Mapping[str, object], public_key: str | None = None) -> bool:
    """Whether a document is signed by the key that it names, which must be `public_key` where one is given."""
    named = str(document.get("PublicKey", ""))
    if public_key is not None and public_key != named:
        return False
    try:
        unsigned = {name: value for name, value in document.items() if name != "Signature"}
        signature = base64.b64decode(str(document.get("Signature")), validate=True)
        decode_key(named).verify(signature, _statement(unsigned))
    except (InvalidSignature, InvalidRequest, ValueError):
        return False
    return True


def overall(results: list[str]) -> str:
    """What single results come to: one failure is one of the whole."""
    if FAILED in results:
        return FAILED
    return PASSED if PASSED in results else NOT_MEASURABLE


def _statement(document: Mapping[str, object]) -> bytes:
    return rfc8785.dumps(cast("dict[str, Any]", dict(document)))
