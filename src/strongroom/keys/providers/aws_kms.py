"""A customer's key in AWS KMS, or in what speaks like it (`endpoint=`).

The place of a key is the encryption context, which KMS authenticates and writes to its own log. Credentials are those
of the SDK's chain: variables and profile, and an instance's or container's role where its address is allowed.

A disabled key is looked for, not inferred: simulators decrypt with disabled keys (TS-510).
"""

from collections.abc import Sequence
from typing import Any, cast

from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from strongroom.errors import HomeError
from strongroom.keys.providers import KeyState, ProviderUnreachable, unusable
from strongroom.keys.providers.address import ProviderAddress
from strongroom.keys.providers.reach import Allows

_ASKING = (
    ("iam-role", "169.254.169.254", 80),
    ("container-role", "169.254.170.2", 80),
    ("assume-role", "sts.amazonaws.com", 443),
    ("assume-role-with-web-identity", "sts.amazonaws.com", 443),
    ("sso", "oidc.amazonaws.com", 443),
    ("login", "signin.aws.amazon.com", 443),
)
"""Sources of credentials that ask a host, by the SDK's names of them."""

_TIMES = Config(connect_timeout=5, read_timeout=10, retries={"max_attempts": 2})


class KmsKey:
    """One key of one account and region."""

    def __init__(self, address: ProviderAddress, allows: Allows) -> None:
        address.require_only("region", "endpoint")
        self._address = address
        self._key = address.value
        session = cast("Any", Session())
        _quiet(session, allows)
        try:
            self._client: Any = session.client(
                "kms",
                region_name=address.options.get("region"),
                endpoint_url=address.options.get("endpoint"),
                config=_TIMES,
            )
        except (BotoCoreError, ValueError) as error:
            raise HomeError(f"KMS cannot be used: {error}.") from None

    def wrap(self, key: bytes, place: Sequence[str]) -> bytes:
        return self._call("encrypt", KeyId=self._key, Plaintext=key, EncryptionContext=_context(place))[
            "CiphertextBlob"
        ]

    def unwrap(self, wrapped: bytes, place: Sequence[str]) -> bytes:
        context = _context(place)
        return self._call("decrypt", KeyId=self._key, CiphertextBlob=wrapped, EncryptionContext=context)["Plaintext"]

    def state(self) -> KeyState:
        try:
            found = self._call("describe_key", KeyId=self._key)["KeyMetadata"]
        except HomeError as error:
            return unusable(error)
        said = str(found["KeyState"])
        return KeyState(is_enabled=said == "Enabled", is_protected=True, detail=f"KMS says {said}")

    def rotated(self) -> str:
        fresh = self._call("create_key", Description="strongroom", KeySpec="SYMMETRIC_DEFAULT")["KeyMetadata"]["KeyId"]
        return str(ProviderAddress(self._address.kind, fresh, self._address.options))

    def _call(self, operation: str, **arguments: object) -> Any:
        try:
            return getattr(self._client, operation)(**arguments)
        except ClientError as error:
            code = cast("Any", error).response.get("Error", {}).get("Code", "unknown")
            raise HomeError(f"KMS refuses to {operation.replace('_', ' ')}: {code}.") from None
        except BotoCoreError as error:
            raise ProviderUnreachable(f"KMS cannot be reached: {type(error).__name__}.") from None


def _quiet(session: Any, allows: Allows) -> None:
    """Take the sources of credentials that ask somebody out of the SDK's chain, unless they may be asked: those of an
    instance and of a container are at addresses of their own, all others at AWS itself."""
    chain = session._session.get_component("credential_provider")
    for name, host, port in _ASKING:
        if not allows(host, port):
            chain.remove(name)


def _context(place: Sequence[str]) -> dict[str, str]:
    return {"strongroom": "/".join(place)}


def open_key(address: ProviderAddress, allows: Allows) -> KmsKey:
    """The key of an address: an id, an ARN or an alias."""
    return KmsKey(address, allows)
