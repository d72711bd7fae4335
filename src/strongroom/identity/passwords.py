"""What a password must be (TS-702): long, not common, not made of the person's own names, hard to guess, not used
lately.

There are no rules of composition. The list of common passwords and the estimate of guesses are those that ship with
`zxcvbn`; nothing is asked outside.
"""

from collections.abc import Sequence
from functools import cache

from strongroom.errors import InvalidRequest
from strongroom.identity.hashing import matches
from strongroom.keys import Secret
from strongroom.store.layout import fold

LEAST_LENGTH = 12
MOST_LENGTH = 256
LEAST_GUESSES = 10**10
REMEMBERED = 10
_ESTIMATED = 72
"""Characters that the estimate looks at: it takes long over more, and more is only harder to guess."""

_LEAST_PART = 4


def demand_good_password(password: str, own: Sequence[str], previous: Sequence[str] = ()) -> None:
    """Raise `InvalidRequest` with every point in which a new password falls short.

    `own` are the person's sign-in name, display name and mail; `previous` the hashes of the last passwords, of which
    the slow comparison is made only when all else is well.
    """
    broken = _broken_points(password, own)
    if not broken and any(matches(kept, Secret(password.encode())) for kept in previous[-REMEMBERED:]):
        broken.append(f"it is one of your last {REMEMBERED} passwords")
    if broken:
        raise InvalidRequest(
            f"This password cannot be taken: {'; '.join(broken)}. Several unrelated words make a good one.",
            details={"reason": "password-policy", "rule": "TS-702", "points": broken},
        )


def _broken_points(password: str, own: Sequence[str]) -> list[str]:
    broken: list[str] = []
    if len(password) < LEAST_LENGTH:
        broken.append(f"it has fewer than {LEAST_LENGTH} characters")
    if len(password) > MOST_LENGTH:
        return [f"it has more than {MOST_LENGTH} characters"]
    folded = fold(password)
    if folded in _common_passwords():
        broken.append("it is on the list of common passwords")
    if any(part in folded for part in _parts(own)):
        broken.append("it contains a part of your name or address")
    if not broken and _guesses(password, own) < LEAST_GUESSES:
        broken.append("it is too easy to guess")
    return broken


@cache
def _common_passwords() -> frozenset[str]:
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # large, and no server needs them before a password is chosen

    return frozenset(FREQUENCY_LISTS["passwords"])


def _parts(own: Sequence[str]) -> set[str]:
    """The pieces of names and addresses that are long enough to mean somebody."""
    pieces = "".join(letter if letter.isalnum() else " " for letter in fold(" ".join(own))).split()
    return {piece for piece in pieces if len(piece) >= _LEAST_PART}


def _guesses(password: str, own: Sequence[str]) -> float:
    from zxcvbn import zxcvbn  # as above

    words = [*own, *_parts(own), "strongroom"]
    return float(zxcvbn(password[:_ESTIMATED], user_inputs=words)["guesses"])
