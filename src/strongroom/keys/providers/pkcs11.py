"""A customer's key in a hardware security module: an AES key that is not extractable, reached through PKCS#11.

Keys are wrapped with AES-GCM inside the token; the place of the key is the associated data, so that a wrapped key that
was copied to another place does not open there.
"""

import json
import secrets
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, cast

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism, MechanismFlag, ObjectClass
from pkcs11.exceptions import NoSuchKey, NoSuchToken, PKCS11Error, SlotIDInvalid, TokenNotPresent

from strongroom.errors import HomeError
from strongroom.keys.providers import KeyState, ProviderUnreachable, unusable
from strongroom.keys.providers.address import ProviderAddress
from strongroom.keys.providers.reach import Allows

_NONCE_BYTES = 12
_lib = cast("Callable[[str], Any]", lru_cache(maxsize=8)(pkcs11.lib))


class TokenKey:
    """One key of one token. Every use opens a session of its own, so that a token that is pulled out takes effect."""

    def __init__(self, address: ProviderAddress) -> None:
        address.require_only("token", "key", "pin")
        self._address = address
        self._module, self._token, self._label = address.value, address.option("token"), address.option("key")

    def wrap(self, key: bytes, place: Sequence[str]) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        with self._session() as session:
            sealed = self._key(session).encrypt(key, mechanism=Mechanism.AES_GCM, mechanism_param=_gcm(nonce, place))
        return nonce + bytes(sealed)

    def unwrap(self, wrapped: bytes, place: Sequence[str]) -> bytes:
        nonce, sealed = wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:]
        with self._session() as session:
            key = self._key(session)
            return bytes(key.decrypt(sealed, mechanism=Mechanism.AES_GCM, mechanism_param=_gcm(nonce, place)))

    def state(self) -> KeyState:
        try:
            with self._session() as session:
                key = self._key(session)
                is_protected = not key[Attribute.EXTRACTABLE] and bool(key[Attribute.SENSITIVE])
        except HomeError as error:
            return unusable(error)
        kind = "stays in the token" if is_protected else "can be read out of the token"
        return KeyState(is_enabled=True, is_protected=is_protected, detail=f"{self._label} {kind}")

    def rotated(self) -> str:
        stem, _, number = self._label.rpartition("-v")
        label = f"{stem}-v{int(number) + 1}" if number.isdigit() else f"{self._label}-v2"
        options = {**self._address.options, "key": label}
        fresh = ProviderAddress(self._address.kind, self._address.value, options)
        make(fresh)
        return str(fresh)

    def _key(self, session: Any) -> Any:
        try:
            return session.get_key(object_class=ObjectClass.SECRET_KEY, key_type=KeyType.AES, label=self._label)
        except NoSuchKey:
            raise HomeError(f"The token '{self._token}' holds no AES key '{self._label}'.") from None

    @contextmanager
    def _session(self, *, writes: bool = False) -> Generator[Any]:
        pin = self._address.secret("pin").reveal().decode()
        try:
            token = _lib(self._module).get_token(token_label=self._token)
            with token.open(user_pin=pin, rw=writes) as session:
                yield session
        except (NoSuchToken, TokenNotPresent, SlotIDInvalid):
            raise ProviderUnreachable(f"There is no token '{self._token}' in the module's slots.") from None
        except PKCS11Error as error:
            raise HomeError(f"The token '{self._token}' refuses: {type(error).__name__}.") from None

    def make(self) -> None:
        """Let the token make the key: it is made inside, and cannot be read out of it."""
        with self._session(writes=True) as session:
            if any(True for _ in session.get_objects({Attribute.LABEL: self._label})):
                raise HomeError(f"The token '{self._token}' holds a key '{self._label}' already.")
            session.generate_key(
                KeyType.AES,
                256,
                label=self._label,
                store=True,
                capabilities=MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT,
                template={Attribute.EXTRACTABLE: False, Attribute.SENSITIVE: True},
            )


def _gcm(nonce: bytes, place: Sequence[str]) -> Any:
    associated = json.dumps(["strongroom", "customer", *place]).encode()
    return pkcs11.GCMParams(nonce=nonce, aad=associated, tag_bits=128)


def reload_module(path: str) -> None:
    """Let a module look for its tokens anew: most look once, when they are loaded."""
    _lib(path).reinitialize()


def make(address: ProviderAddress) -> None:
    """A new key under the label of an address."""
    TokenKey(address).make()


def open_key(address: ProviderAddress, allows: Allows) -> TokenKey:
    """The key of an address."""
    del allows  # it is on this machine
    return TokenKey(address)
