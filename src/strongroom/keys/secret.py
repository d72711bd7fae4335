"""A value that must not be seen: it prints as nothing, compares in constant time and does not pickle."""

import hmac
from typing import NoReturn, final


@final
class Secret:
    """Key material or a passphrase. `reveal` is the only way to the bytes, so that a search finds every use."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = value

    def reveal(self) -> bytes:
        return self._value

    def __repr__(self) -> str:
        return ""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value, other._value)

    __hash__ = None  # pyright: ignore[reportAssignmentType]  # a hash would be a fingerprint of the secret

    def __reduce__(self) -> NoReturn:
        raise TypeError("A Secret is not pickled: it would leave the process in clear.")
