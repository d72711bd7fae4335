"""Where a customer's key lives. It never leaves that place: keys of environments go there to be wrapped and unwrapped.

A key is written in one line:

    file:/media/stick/customer.key                             a file outside the home
    pkcs11:/usr/lib/softhsm/libsofthsm2.so?token=T&key=K&pin=env:PIN    a token with an AES key that does not leave it
    aws-kms:KEY?region=eu-central-1&endpoint=https://…         AWS KMS, or what speaks like it
    vault-transit:KEY?address=https://vault:8200&token=env:VAULT_TOKEN     HashiCorp Vault's transit engine

PINs and tokens are named, never written: `env:NAME` or `file:PATH`. Each provider is a module that is imported when a
key of its kind is used; PKCS#11, KMS and Vault need the extra of their name (`pip install strongroom[pkcs11]`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import Protocol, cast

from strongroom.errors import HomeError
from strongroom.keys.providers.address import ProviderAddress, parse_address
from strongroom.keys.providers.reach import Allows, ProviderUnreachable, demand_allowed


@dataclass(frozen=True, slots=True)
class KeyState:
    """What a provider says of a key: whether it may be used now, and whether it is guarded against being deleted."""

    is_enabled: bool
    is_protected: bool
    detail: str
    is_reached: bool = True
    """False when the provider did not answer, which is no word about the key."""


def unusable(error: HomeError) -> KeyState:
    """The state of a key whose provider answered with an error, or not at all."""
    is_reached = not isinstance(error, ProviderUnreachable)
    return KeyState(is_enabled=False, is_protected=True, detail=error.message, is_reached=is_reached)


class KeyProvider(Protocol):
    """One key with its provider. Whatever goes wrong raises `HomeError`, without the key or what was wrapped."""

    def wrap(self, key: bytes, place: Sequence[str]) -> bytes:
        """`key` sealed for a place: it opens nowhere else."""
        ...

    def unwrap(self, wrapped: bytes, place: Sequence[str]) -> bytes:
        """What `wrap` sealed for this place."""
        ...

    def state(self) -> KeyState:
        """What the provider says, asked anew."""
        ...

    def rotated(self) -> str:
        """Make a new version of the key, or a new key beside it; the address under which it is found."""
        ...


_MODULES = {
    "file": "files",
    "pkcs11": "pkcs11",
    "aws-kms": "aws_kms",
    "vault-transit": "vault_transit",
}


@lru_cache(maxsize=64)
def provider_at(address: str, allows: Allows) -> KeyProvider:
    """The key at an address. Raises `HomeError` for an address that is none or may not be asked, and for a kind whose
    extra is missing. `allows` is one function for the life of a process: providers are kept for it."""
    parsed = parse_address(address, _MODULES)
    demand_allowed(parsed, allows)
    try:
        module = import_module(f"strongroom.keys.providers.{_MODULES[parsed.kind]}")
    except ImportError as error:
        if error.name is None or error.name.startswith("strongroom"):
            raise
        raise HomeError(
            f"Keys of the kind '{parsed.kind}' need the package '{error.name}', which is not installed: "
            f"pip install 'strongroom[{parsed.kind}]'."
        ) from None
    make = cast("Callable[[ProviderAddress, Allows], KeyProvider]", module.open_key)
    return make(parsed, allows)


__all__ = ["Allows", "KeyProvider", "KeyState", "ProviderUnreachable", "provider_at", "unusable"]
