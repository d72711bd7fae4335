"""A customer's key in the transit engine of HashiCorp Vault.

The place of a key is the associated data of Vault's AES-256-GCM. A key that must not be used any more is deleted there,
or the token's policy is taken away: either shows at the next question.
"""

import base64
import json
from collections.abc import Sequence
from typing import Any

import hvac
from hvac.exceptions import VaultError
from requests.exceptions import RequestException

from strongroom.errors import HomeError
from strongroom.keys.providers import KeyState, ProviderUnreachable, unusable
from strongroom.keys.providers.address import ProviderAddress
from strongroom.keys.providers.reach import Allows

_TIMEOUT_S = 10


class TransitKey:
    """One key of one Vault."""

    def __init__(self, address: ProviderAddress) -> None:
        address.require_only("address", "token", "mount")
        self._address = address
        self._name = address.value
        self._mount = address.options.get("mount", "transit")

    def wrap(self, key: bytes, place: Sequence[str]) -> bytes:
        transit = self._transit()
        answer = self._call(
            transit.encrypt_data,
            name=self._name,
            plaintext=base64.b64encode(key).decode(),
            associated_data=_associated(place),
            mount_point=self._mount,
        )
        return str(answer["data"]["ciphertext"]).encode()

    def unwrap(self, wrapped: bytes, place: Sequence[str]) -> bytes:
        transit = self._transit()
        answer = self._call(
            transit.decrypt_data,
            name=self._name,
            ciphertext=wrapped.decode(),
            associated_data=_associated(place),
            mount_point=self._mount,
        )
        return base64.b64decode(answer["data"]["plaintext"])

    def state(self) -> KeyState:
        try:
            found = self._call(self._transit().read_key, name=self._name, mount_point=self._mount)["data"]
            probe = self.wrap(b"probe", ("probe",))
            is_usable = self.unwrap(probe, ("probe",)) == b"probe"
        except HomeError as error:
            return unusable(error)
        is_protected = not found.get("deletion_allowed", False) and not found.get("exportable", False)
        return KeyState(is_usable, is_protected, f"Vault has version {found.get('latest_version')}")

    def rotated(self) -> str:
        self._call(self._transit().rotate_key, name=self._name, mount_point=self._mount)
        return str(self._address)

    def _transit(self) -> Any:
        token = self._address.secret("token").reveal().decode()
        client: Any = hvac.Client(
            url=self._address.option("address"), token=token, timeout=_TIMEOUT_S, allow_redirects=False
        )
        return client.secrets.transit

    def _call(self, operation: Any, **arguments: object) -> Any:
        try:
            return operation(**arguments)
        except VaultError as error:
            raise HomeError(f"Vault refuses the key '{self._name}': {type(error).__name__}.") from None
        except RequestException as error:
            raise ProviderUnreachable(f"Vault cannot be reached: {type(error).__name__}.") from None


def _associated(place: Sequence[str]) -> str:
    return base64.b64encode(json.dumps(["strongroom", *place]).encode()).decode()


def open_key(address: ProviderAddress, allows: Allows) -> TransitKey:
    """The key of an address."""
    del allows  # asked before
    return TransitKey(address)
