"""Keys of an environment under keys that the customer holds (TS-506 to TS-511).

Such a key is wrapped from the inside out: first by each of the customer's keys in turn, then by the root key of the
home like every other. So nothing of the environment opens without the home *and* each of its custodians. A custodian
that is revoked is not even asked.
"""

from collections.abc import Sequence
from dataclasses import replace

from strongroom.errors import EnvironmentLocked, HomeError
from strongroom.ids import Guid
from strongroom.keys.document import CustomerKey, EnvironmentKeys, RingDocument, StoredKey
from strongroom.keys.providers import Allows, provider_at
from strongroom.keys.secret import Secret
from strongroom.keys.wrapping import RootKey, unwrap, wrap


def place_of(document: RingDocument, environment: Guid, purpose: str | None, key_id: str) -> tuple[str, ...]:
    """Where a key of an environment belongs; the data key is the one without a purpose."""
    if purpose is None:
        return document.home, "data key", environment, key_id
    return document.home, "environment key", environment, purpose, key_id


def sealed(
    root: RootKey,
    document: RingDocument,
    custodians: Sequence[str],
    key: Secret,
    place: Sequence[str],
    allows: Allows,
) -> bytes:
    """`key` wrapped for `place` by the custodians and the root key."""
    inner = key.reveal()
    for name in custodians:
        inner = provider_at(usable(document, name).provider, allows).wrap(inner, place)
    return wrap(root, Secret(inner), *place)


def opened(
    root: RootKey,
    document: RingDocument,
    custodians: Sequence[str],
    wrapped: bytes,
    place: Sequence[str],
    allows: Allows,
) -> Secret:
    """The key that `sealed` wrapped. Raises `EnvironmentLocked` while a custodian is revoked or gives nothing."""
    for name in custodians:
        usable(document, name)
    inner = unwrap(root, wrapped, *place).reveal()
    for name in reversed(custodians):
        inner = provider_at(document.customer[name].provider, allows).unwrap(inner, place)
    return Secret(inner)


def usable(document: RingDocument, name: str) -> CustomerKey:
    """The customer's key of this name, unless it is revoked."""
    key = document.customer.get(name)
    if key is None:
        raise HomeError(f"The key ring knows no customer key '{name}': keys.json is older than the environment.")
    if key.revoked_on is not None:
        raise EnvironmentLocked(name)
    return key


def rewrapped(
    root: RootKey,
    before: RingDocument,
    after: RingDocument,
    environment: Guid,
    custodians: tuple[str, ...],
    allows: Allows,
) -> EnvironmentKeys:
    """The keys of an environment as `before` has them, under other custodians or other versions of them."""
    keys = before.environments[environment]

    def moved(key: StoredKey, purpose: str | None) -> StoredKey:
        place = place_of(before, environment, purpose, key.id)
        opens = opened(root, before, keys.custody, key.wrapped, place, allows)
        return replace(key, wrapped=sealed(root, after, custodians, opens, place, allows))

    return EnvironmentKeys(
        moved(keys.active, None),
        keys.pending and moved(keys.pending, None),
        {purpose: moved(key, purpose) for purpose, key in keys.others.items()},
        custodians,
    )
