"""Keys that the customer holds: added to a home, assigned to environments, rotated, revoked and given back.

Each step is one atomic change of `keys.json`, which every process of the home follows: whoever opens an environment
after it meets the new state. What a revocation means for open environments is `strongroom.environments`' matter.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType

from strongroom.clock import Clock
from strongroom.errors import Conflict, HomeError, InvalidRequest, NotFound
from strongroom.ids import Guid
from strongroom.keys import custody
from strongroom.keys.document import CustomerKey, EnvironmentKeys, RingDocument
from strongroom.keys.providers import Allows, KeyProvider, KeyState, provider_at, unusable
from strongroom.keys.ringfile import RingFile
from strongroom.keys.wrapping import RootKey

MOST_CUSTODIANS = 2
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_PROBE = b"strongroom probe of a customer key"


class CustomerKeys:
    """The customer's keys of one ring."""

    def __init__(self, file: RingFile) -> None:
        self._file = file

    def listed(self) -> tuple[CustomerKey, ...]:
        """All of them, by name."""
        self._file.refresh()
        return tuple(key for _, key in sorted(self._file.document.customer.items()))

    def find(self, name: str) -> CustomerKey:
        """The key of this name. Raises `NotFound`."""
        key = self._file.document.customer.get(name)
        if key is None:
            raise NotFound(f"There is no customer key '{name}'.")
        return key

    def environments(self, name: str) -> tuple[Guid, ...]:
        """The environments that the key guards."""
        held = self._file.document.environments.items()
        return tuple(environment for environment, keys in held if name in keys.custody)

    def custody_of(self, environment: Guid) -> tuple[str, ...]:
        """The names of the keys that guard an environment; none where only the home's own key does."""
        keys = self._file.document.environments.get(environment)
        return keys.custody if keys else ()

    def lock_of(self, environment: Guid) -> CustomerKey | None:
        """The revoked key that locks an environment, if one does."""
        known = self._file.document.customer
        return next((known[name] for name in self.custody_of(environment) if known[name].revoked_on), None)

    def state(self, name: str) -> KeyState:
        """What the provider says of the key, and whether it opens what it sealed: both must hold (TS-510)."""
        key = self.find(name)
        try:
            provider = self._at(key.provider)
            state = provider.state()
            if not state.is_enabled:
                return state
            opens = provider.unwrap(key.probe, _probe_place(self._file.document, name)) == _PROBE
        except HomeError as error:
            return unusable(error)
        return state if opens else replace(state, is_enabled=False, detail="it is not the original key")

    def add(self, name: str, address: str, clock: Clock, *, unprotected: bool = False) -> CustomerKey:
        """Make a key known. Raises `Conflict` when the name is taken or, unless `unprotected` says that this is known,
        when the provider does not guard the key against being read out or deleted (TS-506)."""
        if not _NAME.fullmatch(name):
            raise InvalidRequest(f"'{name}' is no name for a key: lower-case letters, digits and hyphens, at most 63.")
        state = self._at(address).state()
        if not state.is_enabled:
            raise HomeError(f"The key cannot be used: {state.detail}")
        if not state.is_protected and not unprotected:
            raise _conflict("key-not-protected", "TS-506", f"The provider does not protect the key: {state.detail}.")

        def step(_: RootKey, document: RingDocument) -> RingDocument:
            if name in document.customer:
                raise Conflict(f"There is a customer key '{name}' already.")
            probe = self._at(address).wrap(_PROBE, _probe_place(document, name))
            return _with(document, CustomerKey(name, address, 1, clock.now(), probe))

        return self._file.change(step).customer[name]

    def remove(self, name: str) -> None:
        """Forget a key that guards nothing."""

        def step(_: RootKey, document: RingDocument) -> RingDocument:
            if name not in document.customer:
                raise NotFound(f"There is no customer key '{name}'.")
            if any(name in keys.custody for keys in document.environments.values()):
                raise Conflict(f"The key '{name}' guards environments; assign them another one first.")
            kept = {known: key for known, key in document.customer.items() if known != name}
            return replace(document, customer=MappingProxyType(kept))

        self._file.change(step)

    def assign(self, environment: Guid, names: tuple[str, ...]) -> None:
        """Put an environment under these keys: none, one, or two of which both are needed (TS-511)."""
        if len(names) > MOST_CUSTODIANS or len(set(names)) != len(names):
            raise InvalidRequest(f"An environment is under at most {MOST_CUSTODIANS} different keys.")

        def step(root: RootKey, document: RingDocument) -> RingDocument:
            for name in names:
                if name not in document.customer:
                    raise NotFound(f"There is no customer key '{name}'.")
            return _moved(root, document, document, {environment: names}, self._file.allows)

        self._file.change(step)

    def rotate(self, name: str, clock: Clock, address: str | None = None) -> CustomerKey:
        """Put all that a key guards under its next version, or under the key at `address`; in one atomic change.

        Takes one question to the provider for each key to open and one to close, and no work on any store.
        """
        key = custody.usable(self._file.document, name)
        fresh = address or self._at(key.provider).rotated()

        def step(root: RootKey, document: RingDocument) -> RingDocument:
            before = custody.usable(document, name)
            probe = self._at(fresh).wrap(_PROBE, _probe_place(document, name))
            after = replace(before, provider=fresh, version=before.version + 1, created_on=clock.now(), probe=probe)
            held = {each: keys.custody for each, keys in document.environments.items() if name in keys.custody}
            return _moved(root, document, _with(document, after), held, self._file.allows)

        return self._file.change(step).customer[name]

    def revoke(self, name: str, reason: str, clock: Clock) -> tuple[Guid, ...]:
        """Lock every environment under the key; which. To revoke what is revoked changes nothing."""
        self._change(
            name, lambda key: key if key.revoked_on else replace(key, revoked_on=clock.now(), reason=reason[:300])
        )
        return self.environments(name)

    def restore(self, name: str) -> tuple[Guid, ...]:
        """Give access back, if the provider has the original key; which environments it opens. Raises `Conflict`."""
        key = self.find(name)
        provider = self._at(key.provider)
        state = provider.state()
        if not state.is_enabled:
            raise _conflict("key-unavailable", "TS-509", f"The key '{name}' cannot be used: {state.detail}")
        try:
            is_original = provider.unwrap(key.probe, _probe_place(self._file.document, name)) == _PROBE
        except HomeError:
            is_original = False
        if not is_original:
            raise _conflict(
                "not-the-original-key", "TS-509", f"The key under '{name}' is not the one that was revoked."
            )
        self._change(name, lambda found: replace(found, revoked_on=None, reason=""))
        return self.environments(name)

    def _at(self, address: str) -> KeyProvider:
        return provider_at(address, self._file.allows)

    def _change(self, name: str, change: Callable[[CustomerKey], CustomerKey]) -> None:
        def step(_: RootKey, document: RingDocument) -> RingDocument:
            if name not in document.customer:
                raise NotFound(f"There is no customer key '{name}'.")
            return _with(document, change(document.customer[name]))

        self._file.change(step)


def _moved(
    root: RootKey,
    before: RingDocument,
    after: RingDocument,
    custodies: dict[Guid, tuple[str, ...]],
    allows: Allows,
) -> RingDocument:
    """`after` with the keys of some environments under these custodians."""
    moved = dict[Guid, EnvironmentKeys](after.environments)
    for environment, names in custodies.items():
        if environment not in moved:
            raise HomeError(f"The key ring has no keys for the environment {environment}.")
        moved[environment] = custody.rewrapped(root, before, after, environment, names, allows)
    return replace(after, environments=MappingProxyType(moved))


def _with(document: RingDocument, key: CustomerKey) -> RingDocument:
    return replace(document, customer=MappingProxyType({**document.customer, key.name: key}))


def _probe_place(document: RingDocument, name: str) -> tuple[str, ...]:
    return document.home, "probe", name


def _conflict(reason: str, rule: str, message: str) -> Conflict:
    return Conflict(message, details={"reason": reason, "rule": rule})
