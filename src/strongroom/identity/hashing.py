"""How secrets lie in tables: slow hashes for what people choose, quick ones for what is random anyway.

Passwords, and secrets of applications, are argon2id with 64 MiB, 3 passes and 4 lanes (about 100 ms by choice, TS-702);
the parameters are part of the hash. Session ids, codes and refresh tokens are 256 random bits, which nobody guesses,
and are found again by their SHA-256.
"""

import hashlib
import secrets
from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from strongroom.keys import Secret

_RANDOM_BYTES = 32
_AT_ONCE = BoundedSemaphore(4)
"""Each hash takes 64 MiB while it is made: a flood of sign-ins waits instead of taking all memory."""

_LONGEST = 1024
"""Characters of a password or secret; longer ones are refused unhashed."""


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=4)


def slow_hash(secret: Secret) -> str:
    """The argon2id hash of a password, with its parameters and salt."""
    with _AT_ONCE:
        return _hasher().hash(secret.reveal())


def matches(kept: str, secret: Secret) -> bool:
    """Whether `secret` is the one that `kept` was made of. Takes its time whatever the answer."""
    if len(secret.reveal()) > _LONGEST:
        return False
    try:
        with _AT_ONCE:
            return _hasher().verify(kept, secret.reveal())
    except (VerifyMismatchError, VerificationError, InvalidHashError):
        return False


def is_outdated(kept: str) -> bool:
    """Whether the hash was made with weaker parameters than today's: hash anew at the next sign-in (TS-702)."""
    return _hasher().check_needs_rehash(kept)


@cache
def no_ones_hash() -> str:
    """A hash that nothing matches, to compare with where there is no account: the answer takes as long (TS-702)."""
    return slow_hash(Secret(secrets.token_bytes(_RANDOM_BYTES)))


def new_token() -> str:
    """A new random token of 256 bits, as text for URLs, cookies and forms."""
    return secrets.token_urlsafe(_RANDOM_BYTES)


def digest(token: str) -> str:
    """How a random token is found again: its SHA-256, 64 hexadecimal digits."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
