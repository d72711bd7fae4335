"""Tokens: what opens, and that everything else is one and the same refusal (WA-21)."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from strongroom.clock import TestClock
from strongroom.errors import HomeError, InvalidRequest, Unauthenticated
from strongroom.identity import TokenVerifier, issue
from strongroom.ids import Guid
from strongroom.keys import LONGEST_TOKEN, KeyRing, create_ring, open_ring, parse_source

HOME = Guid("00000000-0000-7000-8000-000000000001")
MAIN = Guid("00000000-0000-7000-8000-000000000002")
OTHER = Guid("00000000-0000-7000-8000-000000000003")
USER = Guid("00000000-0000-7000-8000-000000000004")
HOUR = timedelta(hours=1)


@pytest.fixture
def clock() -> TestClock:
    return TestClock(datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def ring(tmp_path: Path, clock: TestClock) -> KeyRing:
    return create_ring(tmp_path, HOME, parse_source("file"), clock)


@pytest.fixture
def verifier(ring: KeyRing, clock: TestClock) -> TokenVerifier:
    return TokenVerifier(ring, clock)


def test_token_says_who_where_and_how_long(ring: KeyRing, verifier: TokenVerifier, clock: TestClock) -> None:
    claims = verifier.verify(issue(ring, MAIN, USER, clock, HOUR), MAIN)

    assert (claims.user, claims.environment) == (USER, MAIN)
    assert (claims.issued_at, claims.expires_at) == (clock.now(), clock.now() + HOUR)
    assert claims.key_id == ring.signing_key()[0]


def test_token_ends_with_its_last_second_even_when_it_was_verified_before(
    ring: KeyRing, verifier: TokenVerifier, clock: TestClock
) -> None:
    token = issue(ring, MAIN, USER, clock, HOUR)
    clock.move_to(clock.now() + HOUR - timedelta(seconds=1))
    verifier.verify(token, MAIN)

    clock.move_to(clock.now() + timedelta(seconds=1))
    with pytest.raises(Unauthenticated):
        verifier.verify(token, MAIN)


def test_token_opens_no_other_environment_also_after_it_was_verified(
    ring: KeyRing, verifier: TokenVerifier, clock: TestClock
) -> None:
    token = issue(ring, MAIN, USER, clock, HOUR)
    verifier.verify(token, MAIN)

    with pytest.raises(Unauthenticated):
        verifier.verify(token, OTHER)


def test_running_server_takes_tokens_of_a_key_that_was_made_later(
    ring: KeyRing, verifier: TokenVerifier, clock: TestClock, tmp_path: Path
) -> None:
    old = issue(ring, MAIN, USER, clock, HOUR)
    verifier.verify(old, MAIN)
    other_process = open_ring(tmp_path)
    other_process.rotate_signing_key(clock)

    assert verifier.verify(issue(other_process, MAIN, USER, clock, HOUR), MAIN).user == USER
    assert verifier.verify(old, MAIN).user == USER


def test_running_server_refuses_revoked_keys_at_once(
    ring: KeyRing, verifier: TokenVerifier, clock: TestClock, tmp_path: Path
) -> None:
    token = issue(ring, MAIN, USER, clock, HOUR)
    verifier.verify(token, MAIN)

    open_ring(tmp_path).rotate_signing_key(clock, revoke=True)

    with pytest.raises(Unauthenticated):
        verifier.verify(token, MAIN)


def test_tokens_survive_a_rotation_of_the_root_key(
    ring: KeyRing, verifier: TokenVerifier, clock: TestClock, tmp_path: Path
) -> None:
    token = issue(ring, MAIN, USER, clock, HOUR)
    open_ring(tmp_path).rotate()

    assert verifier.verify(token, MAIN).user == USER


def test_ring_that_cannot_be_read_any_more_is_no_matter_of_the_caller(
    ring: KeyRing, verifier: TokenVerifier, clock: TestClock, tmp_path: Path
) -> None:
    token = issue(ring, MAIN, USER, clock, HOUR)
    verifier.verify(token, MAIN)
    (tmp_path / "keys.json").unlink()

    with pytest.raises(HomeError):
        verifier.verify(token, MAIN)


def forged(ring: KeyRing, **changes: object) -> str:
    """A token signed by the home's own key, with some claims changed (None removes one)."""
    key_id, private = ring.signing_key()
    claims: dict[str, object] = {
        "iss": HOME, "aud": MAIN, "sub": USER, "iat": 1767225600, "exp": 1767229200, "jti": OTHER,
    }  # fmt: skip
    claims = {name: value for name, value in (claims | changes).items() if value is not None}
    return jwt.encode(claims, private, algorithm="EdDSA", headers={"kid": key_id})


def test_forged_token_without_changes_opens(ring: KeyRing, verifier: TokenVerifier) -> None:
    assert verifier.verify(forged(ring), MAIN).user == USER


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": OTHER},
        {"aud": [MAIN, OTHER]},
        {"sub": "admin"},
        {"exp": "tomorrow"},
        {"exp": 10**30},
        {"exp": -(10**30)},
        {"iat": 1.5},
        {"jti": "x"},
        {"sub": None},
        {"exp": None},
        {"jti": None},
        {"aud": None},
    ],
    ids=str,
)
def test_token_with_other_claims_is_refused(ring: KeyRing, verifier: TokenVerifier, changes: dict[str, object]) -> None:
    with pytest.raises(Unauthenticated):
        verifier.verify(forged(ring, **changes), MAIN)


def test_tokens_of_foreign_keys_and_algorithms_are_refused(ring: KeyRing, verifier: TokenVerifier) -> None:
    key_id, private = ring.signing_key()
    claims = jwt.decode(forged(ring), options={"verify_signature": False})
    public = private.public_key().public_bytes_raw()
    foreign = jwt.encode(claims, Ed25519PrivateKey.generate(), algorithm="EdDSA", headers={"kid": key_id})
    unsigned = jwt.encode(claims, "", algorithm="none", headers={"kid": key_id})
    with_public_key = jwt.encode(claims, public, algorithm="HS256", headers={"kid": key_id})
    nameless = jwt.encode(claims, private, algorithm="EdDSA")

    for token in (foreign, unsigned, with_public_key, nameless):
        with pytest.raises(Unauthenticated):
            verifier.verify(token, MAIN)


@given(text=st.one_of(st.text(max_size=60), st.from_regex(r"[\w-]{0,30}\.[\w-]{0,30}\.[\w-]{0,30}", fullmatch=True)))
def test_any_other_text_is_refused(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    clock = TestClock(datetime(2026, 1, 1, tzinfo=UTC))
    ring = create_ring(tmp_path_factory.mktemp("home"), HOME, parse_source("file"), clock)

    with pytest.raises(Unauthenticated):
        TokenVerifier(ring, clock).verify(text, MAIN)


def test_every_refusal_reads_the_same(ring: KeyRing, verifier: TokenVerifier, clock: TestClock) -> None:
    """WA-21: the answer never says which of the causes applied."""
    header = base64.urlsafe_b64encode(json.dumps({"alg": "EdDSA", "kid": "x"}).encode()).decode().rstrip("=")
    brackets = base64.urlsafe_b64encode(b"[" * 2000).decode().rstrip("=") + ".e30.AA"
    expired = issue(ring, MAIN, USER, clock, HOUR)
    clock.move_to(clock.now() + 2 * HOUR)
    messages: set[tuple[str, str]] = set()
    for token in (
        "",
        "x",
        f"{header}.e30.AA",
        expired,
        "é" * 10,
        "a" * 10_000,
        brackets,
        issue(ring, OTHER, USER, clock, HOUR),
    ):
        with pytest.raises(Unauthenticated) as caught:
            verifier.verify(token, MAIN)
        messages.add((caught.value.message, caught.value.code))

    assert len(messages) == 1


@pytest.mark.parametrize("lifetime", [timedelta(0), -HOUR, LONGEST_TOKEN + timedelta(seconds=1)])
def test_lifetime_that_has_no_meaning_is_refused(ring: KeyRing, clock: TestClock, lifetime: timedelta) -> None:
    with pytest.raises(InvalidRequest, match="at most 30 days"):
        issue(ring, MAIN, USER, clock, lifetime)


def test_memory_of_verified_tokens_is_bounded(ring: KeyRing, clock: TestClock) -> None:
    verifier = TokenVerifier(ring, clock, remembered=3)
    tokens = [issue(ring, MAIN, USER, clock, HOUR) for _ in range(5)]
    for token in tokens * 2:
        verifier.verify(token, MAIN)

    assert len(verifier._cache) == 3  # pyright: ignore[reportPrivateUsage]  # the bound is the promise
