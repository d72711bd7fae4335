"""Tokens that other authorities signed, verified: ID tokens, logout tokens, tokens of workloads (TS-708, TS-717).

Keys come from the JWKS of the provider that is expected, never from the token; the algorithm must be one of ours, and
one that fits the type of the key. Times are compared with the home's clock, with two minutes of skew.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import jwt as plain
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

SKEW = timedelta(seconds=120)
ALGORITHMS = ("RS256", "PS256", "ES256", "ES384", "EdDSA", "Ed25519")
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
_LONGEST = 16_384
_LONGEST_NAME = 500

Claims = Mapping[str, Any]


class TokenRefused(Exception):
    """Why a token proves nothing: a word for the sign-in log, never for the client."""


class UnknownKey(TokenRefused):
    """The token names a key that is not among those that we have: the provider may have new ones."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a token must say."""

    issuer: str
    audience: str
    now: datetime


def key_set(document: Mapping[str, object]) -> KeySet:
    """The keys of a JWKS that may sign; keys of kinds that nobody knows are left out."""
    keys = document.get("keys")
    given = cast("list[object]", keys) if isinstance(keys, list) else []
    read = [cast("dict[str, object]", key) for key in given if isinstance(key, dict)]
    kept = [key for key in read if key.get("kty") in ("RSA", "EC", "OKP") and key.get("use", "sig") == "sig"]
    if not kept:
        raise TokenRefused("no-keys")
    try:
        return KeySet.import_key_set(cast(Any, {"keys": kept}))
    except (JoseError, ValueError, KeyError, TypeError):
        raise TokenRefused("broken-keys") from None


def id_token(token: str, keys: KeySet, expected: Expected, *, nonce: str, access_token: str) -> Claims:
    """The claims of an ID token. Raises `TokenRefused`."""
    header, claims = _decoded(token, keys)
    if str(header.get("typ", "JWT")).upper() != "JWT" or "events" in claims:
        raise TokenRefused("no-id-token")
    checked = cast(Any, CodeIDToken)(  # the library has no types
        claims,
        header,
        {
            "iss": {"essential": True, "value": expected.issuer},
            "aud": {"essential": True, "value": expected.audience},
        },
        {"nonce": nonce, "client_id": expected.audience, "access_token": access_token},
    )
    try:
        checked.validate(now=int(expected.now.timestamp()), leeway=int(SKEW.total_seconds()))
    except JoseError as error:
        raise TokenRefused(f"id-token-{getattr(error, 'claim', None) or error.error}"[:60]) from None
    _demand_subject(claims)
    return claims


def logout_token(token: str, keys: KeySet, expected: Expected) -> Claims:
    """The claims of a logout token (OpenID Connect Back-Channel Logout). Raises `TokenRefused`."""
    header, claims = _decoded(token, keys)
    _demand_common(claims, expected)
    if str(header.get("typ", "")).lower() != "logout+jwt":
        raise TokenRefused("no-logout-token")
    events = claims.get("events")
    if "nonce" in claims or not isinstance(events, dict) or LOGOUT_EVENT not in events:
        raise TokenRefused("no-logout-token")
    if not isinstance(claims.get("jti"), str) or not (claims.get("sub") or claims.get("sid")):
        raise TokenRefused("logout-token-claims")
    _demand_fresh(claims, expected.now)
    return claims


def workload_token(token: str, keys: KeySet, expected: Expected) -> Claims:
    """The claims of a token that another authority gave to a program (federated credentials). Raises `TokenRefused`."""
    _, claims = _decoded(token, keys)
    _demand_common(claims, expected)
    if "exp" not in claims:
        raise TokenRefused("no-expiry")
    _demand_subject(claims)
    return claims


def issuer_of(token: str) -> str:
    """Whom a token claims to be of, unverified: to find the provider that is to prove it. Raises `TokenRefused`."""
    try:
        claims = cast("dict[str, object]", plain.decode(token[:_LONGEST], options={"verify_signature": False}))
    except (plain.PyJWTError, RecursionError):
        raise TokenRefused("malformed") from None
    issuer = claims.get("iss")
    if not isinstance(issuer, str):
        raise TokenRefused("no-issuer")
    return issuer


def _decoded(token: str, keys: KeySet) -> tuple[dict[str, Any], dict[str, Any]]:
    if len(token) > _LONGEST or not token.isascii():
        raise TokenRefused("malformed")
    kids = {str(key.kid) for key in keys.keys if key.kid is not None}
    try:
        named: object = plain.get_unverified_header(token).get("kid")
    except (plain.PyJWTError, RecursionError):
        raise TokenRefused("malformed") from None
    if named is not None and named not in kids:
        raise UnknownKey("unknown-key")
    if named is None and len(keys.keys) != 1:
        raise TokenRefused("no-key-named")
    try:
        decoded = jwt.decode(token, keys, algorithms=list(ALGORITHMS))
    except (JoseError, ValueError, RecursionError):
        raise TokenRefused("bad-signature") from None
    return dict(decoded.header), dict(decoded.claims)


def _demand_common(claims: Claims, expected: Expected) -> None:
    if claims.get("iss") != expected.issuer:
        raise TokenRefused("wrong-issuer")
    audience = claims.get("aud")
    if expected.audience not in (audience if isinstance(audience, list) else [audience]):
        raise TokenRefused("wrong-audience")
    now, skew = expected.now.timestamp(), SKEW.total_seconds()
    for name in ("exp", "iat", "nbf"):
        value = claims.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise TokenRefused(f"wrong-{name}")
    if "exp" in claims and now >= claims["exp"] + skew:
        raise TokenRefused("expired")
    if claims.get("iat", now) > now + skew or claims.get("nbf", now) > now + skew:
        raise TokenRefused("not-yet-valid")


def _demand_fresh(claims: Claims, now: datetime) -> None:
    if "iat" not in claims or now.timestamp() - claims["iat"] > SKEW.total_seconds():
        raise TokenRefused("too-old")


def _demand_subject(claims: Claims) -> None:
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_NAME:
        raise TokenRefused("no-subject")
