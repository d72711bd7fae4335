"""A secret in shares, *needed* of *total* (TS-516): SLIP-39, by the library of those who wrote the standard.

A share is a line of words that its holder can write down. Fewer than needed tell nothing of the secret; and what is
wrong with shares that do not fit is not told either.
"""

from collections.abc import Sequence
from typing import Any, cast

import shamir_mnemonic

from strongroom.errors import HomeError, InvalidRequest
from strongroom.keys.secret import Secret

MOST = 16
"""Shares at most: what the standard allows."""

_library = cast("Any", shamir_mnemonic)  # it has no types
_NO_PASSPHRASE = b""


def split(secret: Secret, *, needed: int, total: int) -> list[Secret]:
    """The shares of a secret of 16 bytes or more, an even number of them."""
    if not 2 <= needed <= total <= MOST:
        raise InvalidRequest(f"Of 2 to {MOST} shares at least 2 are needed, and not more than there are.")
    groups = _library.generate_mnemonics(1, [(needed, total)], secret.reveal(), _NO_PASSPHRASE)
    return [Secret(share.encode()) for share in groups[0]]


def combine(shares: Sequence[Secret]) -> Secret:
    """The secret again. Raises `HomeError` for shares that are too few, wrong, or of different secrets."""
    try:
        words = [" ".join(share.reveal().decode("ascii").lower().split()) for share in shares]
        return Secret(bytes(_library.combine_mnemonics(words, _NO_PASSPHRASE)))
    except (_library.MnemonicError, UnicodeDecodeError, ValueError):
        raise HomeError(
            "The shares do not give the secret: they are too few, or not all of them are its shares."
        ) from None
