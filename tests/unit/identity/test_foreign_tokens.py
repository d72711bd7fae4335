"""Tokens that other authorities signed, each claim wrong in turn (TS-708): nonce, issuer, audience, times, types."""

import base64
import hashlib
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from strongroom.identity.federation.tokens import (
    LOGOUT_EVENT,
    Expected,
    TokenRefused,
    UnknownKey,
    id_token,
    key_set,
    logout_token,
)

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
EXPECTED = Expected("https://login.example", "strongroom", NOW)
KEY: ECKey = cast(Any, ECKey).generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)
OTHER: ECKey = cast(Any, ECKey).generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)
ACCESS = "an access token"
HASH = base64.urlsafe_b64encode(hashlib.sha256(ACCESS.encode()).digest()[:16]).rstrip(b"=").decode()
SECONDS = int(NOW.timestamp())
ID: dict[str, Any] = {
    "iss": EXPECTED.issuer,
    "sub": "cleo",
    "aud": EXPECTED.audience,
    "exp": SECONDS + 300,
    "iat": SECONDS,
    "nonce": "n-1",
    "at_hash": HASH,
}
LOGOUT: dict[str, Any] = {
    "iss": EXPECTED.issuer,
    "aud": EXPECTED.audience,
    "iat": SECONDS,
    "exp": SECONDS + 120,
    "jti": "one",
    "sid": "session",
    "events": {LOGOUT_EVENT: {}},
}


def keys(*chosen: ECKey) -> KeySet:
    """A JWKS as a provider shows it."""
    return key_set({"keys": [cast(Any, key).as_dict(private=False) for key in chosen or (KEY,)]})


def signed(claims: dict[str, Any], changes: dict[str, Any], *, key: ECKey = KEY, **header: Any) -> str:
    """A token; None leaves a claim out."""
    body = {name: value for name, value in {**claims, **changes}.items() if value is not None}
    return jwt.encode(cast(Any, {"alg": "ES256", "kid": key.kid, **header}), body, key)


def read_id(token: str) -> object:
    return id_token(token, keys(), EXPECTED, nonce="n-1", access_token=ACCESS)


def test_a_good_id_token_says_who_it_is() -> None:
    assert cast(Any, read_id(signed(ID, {})))["sub"] == "cleo"
    assert read_id(signed(ID, {"aud": ["strongroom", "other"], "azp": "strongroom"}))
    assert read_id(signed(ID, {"at_hash": None}))


@pytest.mark.parametrize(
    "changes",
    [
        {"nonce": "n-2"},
        {"nonce": None},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"iss": EXPECTED.issuer + "/"},
        {"aud": "another"},
        {"aud": None},
        {"aud": ["strongroom", "other"]},
        {"aud": ["strongroom", "other"], "azp": "other"},
        {"azp": "other"},
        {"exp": SECONDS - 121},
        {"exp": None},
        {"iat": SECONDS + 121},
        {"iat": None},
        {"nbf": SECONDS + 121},
        {"sub": None},
        {"sub": ""},
        {"sub": "x" * 501},
        {"sub": 7},
        {"at_hash": "another"},
        {"events": {LOGOUT_EVENT: {}}},
    ],
    ids=str,
)
def test_an_id_token_that_says_something_else_is_refused(changes: dict[str, Any]) -> None:
    """TS-708: each check by itself, with the skew at its edge."""
    with pytest.raises(TokenRefused):
        read_id(signed(ID, changes))


def test_the_skew_of_clocks_is_two_minutes() -> None:
    """TS-708."""
    assert read_id(signed(ID, {"exp": SECONDS - 119}))
    assert read_id(signed(ID, {"iat": SECONDS + 119}))


def test_keys_are_those_of_the_provider_alone() -> None:
    """Unknown, missing and injected key ids; a signature of another key; a token of another type."""
    with pytest.raises(UnknownKey):
        read_id(signed(ID, {}, key=OTHER))
    with pytest.raises(TokenRefused):
        read_id(signed(ID, {}, key=OTHER, kid=KEY.kid))
    with pytest.raises(TokenRefused):
        read_id(signed(ID, {}, typ="logout+jwt"))
    nameless = jwt.encode({"alg": "ES256"}, ID, KEY)
    assert id_token(nameless, keys(), EXPECTED, nonce="n-1", access_token=ACCESS)
    with pytest.raises(TokenRefused):
        id_token(nameless, keys(KEY, OTHER), EXPECTED, nonce="n-1", access_token=ACCESS)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"keys": []},
        {"keys": "x"},
        {"keys": [{"kty": "oct", "k": "AAAA"}]},
        {"keys": [{"kty": "EC", "crv": "P-256"}]},
    ],
    ids=str,
)
def test_a_document_without_keys_that_sign_is_none(document: dict[str, object]) -> None:
    """No symmetric key becomes one that verifies."""
    with pytest.raises(TokenRefused):
        key_set(document)


@pytest.mark.parametrize(
    ("changes", "header"),
    [
        ({"nonce": "n-1"}, {}),
        ({"events": None}, {}),
        ({"events": {"another": {}}}, {}),
        ({"events": [LOGOUT_EVENT]}, {}),
        ({"sid": None}, {}),
        ({"jti": None}, {}),
        ({"iss": "https://evil.example"}, {}),
        ({"aud": "another"}, {}),
        ({"iat": SECONDS - 121}, {}),
        ({"iat": None}, {}),
        ({"exp": SECONDS - 121}, {}),
        ({}, {"typ": "JWT"}),
    ],
    ids=str,
)
def test_a_logout_token_that_is_none_ends_nothing(changes: dict[str, Any], header: dict[str, Any]) -> None:
    """OpenID Connect Back-Channel Logout, section 2.6; ASVS 10.5.5."""
    assert logout_token(signed(LOGOUT, {}, typ="logout+jwt"), keys(), EXPECTED)
    with pytest.raises(TokenRefused):
        logout_token(signed(LOGOUT, changes, typ=header.get("typ", "logout+jwt")), keys(), EXPECTED)
