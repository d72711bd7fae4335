"""`private_key_jwt`: a program proves itself by a token that it signed with its own key (TS-717, RFC 7523).

The published clients send RS256 with `x5t` (SHA-1, padded base64url) and times with fractions; PS256, ES256, `x5t#S256`
and `kid` are taken too. What the header says chooses among the certificates of *this* program only, and the algorithm
must be one that fits the type of the registered key, so neither can be used to bring another key or algorithm in.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA1

from strongroom.identity.directory import text
from strongroom.ids import Guid
from strongroom.store.protocol import Row

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST_LIFE = timedelta(minutes=10)
CLOCK_SKEW = timedelta(minutes=2)
_LONGEST_TEXT = 16_384
_LONGEST_JTI = 200
_RSA, _EC = ("RS256", "PS256"), ("ES256",)


class AssertionRefused(Exception):
    """Why an assertion does not prove anything: for the sign-in log, never for the client."""


def verify(
    assertion: str, client: Guid, certificates: Sequence[Row], audiences: Sequence[str], now: datetime
) -> tuple[Row, str, datetime]:
    """The credential that signed an assertion, its `jti`, and until when that must be remembered.

    Raises `AssertionRefused` for whatever is wrong with it.
    """
    if len(assertion) > _LONGEST_TEXT or not assertion.isascii():
        raise AssertionRefused("malformed")
    try:
        header = jwt.get_unverified_header(assertion)
    except (jwt.PyJWTError, RecursionError):
        raise AssertionRefused("malformed") from None
    for row in certificates:
        certificate = x509.load_pem_x509_certificate(text(row, "certificate").encode())
        if _names(header, certificate, text(row, "thumbprint")):
            claims = _claims(assertion, certificate)
            return row, *_checked(claims, client, audiences, now)
    raise AssertionRefused("unknown-key")


def _names(header: Mapping[str, object], certificate: x509.Certificate, sha256: str) -> bool:
    """Whether the header means this certificate: by one of three names, and whichever it gives must fit."""
    given = [(name, header[name]) for name in ("x5t#S256", "x5t", "kid") if name in header]
    sha1 = certificate.fingerprint(SHA1())  # noqa: S303 - the name of a certificate in x5t, not a proof of anything
    names: dict[str, frozenset[bytes]] = {
        "x5t#S256": frozenset({_bytes(sha256)}),
        "x5t": frozenset({sha1}),
        "kid": frozenset({_bytes(sha256), sha1, sha1.hex().upper().encode()}),
    }
    return bool(given) and all(isinstance(value, str) and _is_among(value, names[name]) for name, value in given)


def _is_among(value: str, names: frozenset[bytes]) -> bool:
    return _bytes(value) in names or value.upper().encode() in names


def _bytes(value: str) -> bytes:
    """What a base64url text stands for, padded or not; nothing for another text."""
    try:
        return base64.urlsafe_b64decode(value.rstrip("=") + "=" * (-len(value.rstrip("=")) % 4))
    except (binascii.Error, ValueError):
        return b""


def _claims(assertion: str, certificate: x509.Certificate) -> Mapping[str, object]:
    key = certificate.public_key()
    algorithms = _RSA if isinstance(key, rsa.RSAPublicKey) else _EC
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise AssertionRefused("unknown-key")
    try:
        return jwt.decode(
            assertion,
            key,
            algorithms=algorithms,
            options={
                "require": ["iss", "sub", "aud", "exp", "jti"],
                # Times are compared with the home's clock, the audience with several.
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
                "verify_aud": False,
            },
        )
    except (jwt.PyJWTError, RecursionError):
        raise AssertionRefused("bad-signature") from None


def _checked(
    claims: Mapping[str, object], client: Guid, audiences: Sequence[str], now: datetime
) -> tuple[str, datetime]:
    if str(claims["iss"]).lower() != client or str(claims["sub"]).lower() != client:
        raise AssertionRefused("another-client")
    audience = claims["aud"]
    if not isinstance(audience, str) or audience not in audiences:
        raise AssertionRefused("wrong-audience")
    expires, issued, begins = (_seconds(claims, name) for name in ("exp", "iat", "nbf"))
    moment, skew = now.timestamp(), CLOCK_SKEW.total_seconds()
    if expires is None or expires + skew <= moment:
        raise AssertionRefused("expired")
    if any(start is not None and start - skew > moment for start in (issued, begins)):
        raise AssertionRefused("from-the-future")
    if expires - max(issued or moment, moment - skew) > LONGEST_LIFE.total_seconds() + skew:
        raise AssertionRefused("lives-too-long")
    jti = claims["jti"]
    if not isinstance(jti, str) or not 0 < len(jti) <= _LONGEST_JTI:
        raise AssertionRefused("no-jti")
    return jti, now + timedelta(seconds=max(0.0, expires - moment)) + CLOCK_SKEW


def _seconds(claims: Mapping[str, object], name: str) -> float | None:
    """A time of a token, with a fraction or without; None where there is none. A text or an endless number is
    refused."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e11:
        raise AssertionRefused("malformed")
    return float(value)
