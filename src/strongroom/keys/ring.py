"""The key ring of a home: data keys of environments, signing keys of tokens, and a few sealed secrets.

Everything in it is wrapped by one root key; each change is one atomic replacement of `keys.json` (`keys.ringfile`).

A change of an environment's data key (`rekey`) has two phases: the new key is stored as *pending*, then the store
re-encrypts itself, then the new key is confirmed and the old one dropped. In between both are in the ring, and
`open_environment` finds the right one by trying. A lock that lasts as long as the re-encryption keeps others from
settling the matter too early.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from strongroom.clock import Clock
from strongroom.errors import Conflict, HomeError
from strongroom.ids import Guid
from strongroom.keys import custody
from strongroom.keys.customer import CustomerKeys
from strongroom.keys.disk import Disk
from strongroom.keys.document import EnvironmentKeys, RingDocument, RootDescription, StoredKey, StoredSigningKey
from strongroom.keys.providers import Allows
from strongroom.keys.providers.reach import nowhere
from strongroom.keys.ringfile import RingFile
from strongroom.keys.root import KeySource
from strongroom.keys.secret import Secret
from strongroom.keys.wrapping import RootKey, new_key, unwrap, wrap

LONGEST_TOKEN = timedelta(days=30)
"""No token lives longer, so a signing key that was retired longer ago verifies nothing any more and is dropped."""

_REKEY_LOCK = "rekey.lock"
_T = TypeVar("_T")


class KeyRing:
    """An open key ring. Make it with `create_ring` or `open_ring`; every process has its own."""

    def __init__(self, file: RingFile) -> None:
        self._file = file
        self._public: dict[str, Ed25519PublicKey] = {}

    @property
    def home(self) -> Guid:
        """The id of the home: the issuer of its tokens."""
        return self._file.document.home

    @property
    def is_test_home(self) -> bool:
        """Whether the home is marked for ever as one whose clock can be moved (TS-006)."""
        return self._file.document.is_test_home

    @property
    def source(self) -> KeySource:
        """Where the root key is found."""
        return self._file.source

    @property
    def document(self) -> RingDocument:
        """The ring as stored, nothing secret in clear: for listings."""
        return self._file.document

    def refresh(self) -> None:
        """Take over what other processes changed; costs one `stat` when nothing did. Raises `HomeError` when the ring
        cannot be read any more."""
        self._file.refresh()

    @property
    def customer(self) -> CustomerKeys:
        """The keys that the customer holds."""
        return CustomerKeys(self._file)

    # --- data keys ---

    def add_environment(self, environment: Guid, clock: Clock) -> Secret:
        """A new random data key for a new environment, stored before it is returned. Raises `Conflict`."""
        key = new_key()

        def step(root: RootKey, document: RingDocument) -> RingDocument:
            if environment in document.environments:
                raise Conflict(f"The environment {environment} has a data key already.")
            stored = _wrap_data_key(root, document, environment, (), key, 1, clock.now(), self._file.allows)
            return _with_keys(document, environment, EnvironmentKeys(stored))

        self._file.change(step)
        return key

    def environment_key(self, environment: Guid, purpose: str, clock: Clock) -> Secret:
        """The environment's key for one purpose beside its data; made when it is first asked for.

        It is under the same custody as the data key, and is forgotten with it: what only it opens is then gone too.
        """
        self.refresh()
        if purpose not in _keys_of(self.document, environment).others:
            fresh = new_key()

            def step(root: RootKey, document: RingDocument) -> RingDocument:
                keys = _keys_of(document, environment)
                if purpose in keys.others:
                    return document
                key_id = _new_id()
                place = custody.place_of(document, environment, purpose, key_id)
                wrapped = custody.sealed(root, document, keys.custody, fresh, place, self._file.allows)
                stored = StoredKey(key_id, 1, wrapped, clock.now())
                return _with_keys(document, environment, replace(keys, others={**keys.others, purpose: stored}))

            self._file.change(step)
        keys = _keys_of(self.document, environment)
        stored = keys.others[purpose]
        place = custody.place_of(self.document, environment, purpose, stored.id)
        return custody.opened(self._file.root, self.document, keys.custody, stored.wrapped, place, self._file.allows)

    def remove_environment(self, environment: Guid) -> None:
        """Forget the data keys of an environment: from now on nobody can read its store."""

        def step(_: RootKey, document: RingDocument) -> RingDocument:
            kept = {known: keys for known, keys in document.environments.items() if known != environment}
            return replace(document, environments=MappingProxyType(kept))

        self._file.change(step)

    def data_key(self, environment: Guid) -> Secret:
        """The data key of an environment whose store is open: no change of it is under way."""
        return self._data_key(environment, _keys_of(self.document, environment).active)

    def open_environment(self, environment: Guid, attempt: Callable[[Secret], _T]) -> _T:
        """What `attempt` returns for the data key that opens the environment's store.

        `attempt` raises `HomeError` for a key that does not fit. After an interrupted `rekey` there are two candidates;
        the one that fits is confirmed and the other dropped, unless another process is re-encrypting right now.
        """
        self.refresh()
        if _keys_of(self.document, environment).pending is None:
            return attempt(self._data_key(environment, _keys_of(self.document, environment).active))
        with self._file.disk.lock(self._file.folder / _REKEY_LOCK, wait=False) as is_settled:
            self.refresh()
            keys = _keys_of(self.document, environment)
            fitting = keys.pending or keys.active
            try:
                opened = attempt(self._data_key(environment, fitting))
            except HomeError:
                fitting = keys.active
                opened = attempt(self._data_key(environment, fitting))
            if is_settled:
                self._confirm(environment, fitting)
        return opened

    def rekey(
        self, environment: Guid, apply: Callable[[Secret], None], clock: Clock, *, key: Secret | None = None
    ) -> None:
        """Give the environment a new data key. `apply` re-encrypts the store and returns when that is durable. A `key`
        is given where the store that comes has one already: a back-up that is put back.

        When `apply` raises or power is lost, both keys stay in the ring until the next `open_environment`. Raises
        `Conflict` while another change is under way or not settled.
        """
        with self._file.disk.lock(self._file.folder / _REKEY_LOCK, wait=False) as is_free:
            if not is_free:
                raise Conflict("Another process is changing a data key of this home; try again when it has ended.")
            key = key or new_key()

            def begin(root: RootKey, document: RingDocument) -> RingDocument:
                keys = _keys_of(document, environment)
                if keys.pending is not None:
                    raise Conflict(
                        "An earlier change of this data key was interrupted. Open the environment once, which settles "
                        "it (`strongroom check` does), then try again."
                    )
                version = keys.active.version + 1
                pending = _wrap_data_key(
                    root, document, environment, keys.custody, key, version, clock.now(), self._file.allows
                )
                return _with_keys(document, environment, replace(keys, pending=pending))

            keys = _keys_of(self._file.change(begin), environment)
            apply(key)
            self._confirm(environment, keys.pending or keys.active)

    # --- signing keys ---

    def signing_key(self) -> tuple[str, Ed25519PrivateKey]:
        """The id and the private half of the key that signs new tokens."""
        self.refresh()
        stored = self.document.signing[-1]
        private = unwrap(self._file.root, stored.wrapped, self.home, "signing key", stored.id)
        return stored.id, Ed25519PrivateKey.from_private_bytes(private.reveal())

    def verifying_key(self, key_id: str, now: datetime) -> Ed25519PublicKey | None:
        """The public key with this id; None when there is none or it was retired too long ago. `refresh` first."""
        stored = next((key for key in self.document.signing if key.id == key_id), None)
        if stored is None or _is_spent(stored, now):
            return None
        if key_id not in self._public:
            self._public[key_id] = Ed25519PublicKey.from_public_bytes(stored.public)
        return self._public[key_id]

    def rotate_signing_key(self, clock: Clock, *, revoke: bool = False) -> str:
        """Sign new tokens with a new key, whose id is returned. Tokens of older keys stay valid until they expire,
        unless `revoke`, which ends all of them at once."""
        now = clock.now()
        key_id = _new_id()

        def step(root: RootKey, document: RingDocument) -> RingDocument:
            retired = (replace(key, retired_on=key.retired_on or now) for key in document.signing)
            kept = () if revoke else tuple(key for key in retired if not _is_spent(key, now))
            return replace(document, signing=(*kept, _new_signing_key(root, document.home, key_id, now)))

        self._file.change(step)
        return key_id

    # --- sealed secrets ---

    def seal(self, name: str, value: Secret) -> None:
        """Keep a secret of the home (a connection string) under `name`."""

        def step(root: RootKey, document: RingDocument) -> RingDocument:
            wrapped = wrap(root, value, document.home, "sealed", name)
            return replace(document, sealed=MappingProxyType({**document.sealed, name: wrapped}))

        self._file.change(step)

    def seal_once(self, name: str, make: Callable[[], Secret]) -> Secret:
        """The secret kept under `name`; made and kept now when there is none, by one of several processes."""

        def step(root: RootKey, document: RingDocument) -> RingDocument:
            if name in document.sealed:
                return document
            wrapped = wrap(root, make(), document.home, "sealed", name)
            return replace(document, sealed=MappingProxyType({**document.sealed, name: wrapped}))

        found = self.unseal(name)
        if found is None:
            self._file.change(step)
            found = self.unseal(name)
        if found is None:
            raise HomeError(f"The key ring did not keep '{name}'.")
        return found

    def unseal(self, name: str) -> Secret | None:
        """The secret kept under `name`."""
        self.refresh()
        wrapped = self.document.sealed.get(name)
        return None if wrapped is None else unwrap(self._file.root, wrapped, self.home, "sealed", name)

    # --- the root key ---

    def rotate(self, source: KeySource | None = None) -> str:
        """Wrap everything under a new root key and return its id. `source` says where the new key lives or its
        passphrase is read; without it the present key file is replaced."""
        self._file.rotate(source, _rewrapped)
        return self.document.root.id

    def _data_key(self, environment: Guid, stored: StoredKey) -> Secret:
        keys = _keys_of(self.document, environment)
        place = custody.place_of(self.document, environment, None, stored.id)
        return custody.opened(self._file.root, self.document, keys.custody, stored.wrapped, place, self._file.allows)

    def _confirm(self, environment: Guid, fitting: StoredKey) -> None:
        def step(_: RootKey, document: RingDocument) -> RingDocument:
            keys = _keys_of(document, environment)
            return _with_keys(document, environment, replace(keys, active=fitting, pending=None))

        self._file.change(step)


def create_ring(
    folder: Path,
    home: Guid,
    source: KeySource,
    clock: Clock,
    *,
    is_test_home: bool = False,
    disk: Disk | None = None,
    allows: Allows = nowhere,
) -> KeyRing:
    """A new ring in the folder of a new home, with its root key and a first signing key."""
    file = RingFile(folder, disk=disk, allows=allows)

    def build(root: RootKey, description: RootDescription) -> RingDocument:
        signing = _new_signing_key(root, home, _new_id(), clock.now())
        return RingDocument(home, is_test_home, description, signing=(signing,))

    file.create(source, build)
    return KeyRing(file)


def open_ring(
    folder: Path, *, source: KeySource | None = None, disk: Disk | None = None, allows: Allows = nowhere
) -> KeyRing:
    """The ring of the home at `folder`; `allows` says which providers of keys may be asked. Raises `HomeError` when it
    is missing, damaged or the root key does not fit."""
    file = RingFile(folder, source=source, disk=disk, allows=allows)
    file.refresh()
    return KeyRing(file)


def _rewrapped(old: RootKey, new: RootKey, document: RingDocument) -> RingDocument:
    """`document` with every wrapped key moved from one root key to the other."""
    home = document.home

    def moved(wrapped: bytes, *place: str) -> bytes:
        return wrap(new, unwrap(old, wrapped, home, *place), home, *place)

    def moved_key(environment: Guid, key: StoredKey, purpose: str | None = None) -> StoredKey:
        return replace(key, wrapped=moved(key.wrapped, *custody.place_of(document, environment, purpose, key.id)[1:]))

    environments = {
        environment: replace(
            keys,
            active=moved_key(environment, keys.active),
            pending=keys.pending and moved_key(environment, keys.pending),
            others={purpose: moved_key(environment, key, purpose) for purpose, key in keys.others.items()},
        )
        for environment, keys in document.environments.items()
    }
    return replace(
        document,
        environments=MappingProxyType(environments),
        signing=tuple(replace(key, wrapped=moved(key.wrapped, "signing key", key.id)) for key in document.signing),
        sealed=MappingProxyType({name: moved(value, "sealed", name) for name, value in document.sealed.items()}),
    )


def _new_id() -> str:
    return secrets.token_hex(8)


def _wrap_data_key(
    root: RootKey,
    document: RingDocument,
    environment: Guid,
    under: tuple[str, ...],
    key: Secret,
    version: int,
    now: datetime,
    allows: Allows,
) -> StoredKey:
    key_id = _new_id()
    place = custody.place_of(document, environment, None, key_id)
    return StoredKey(key_id, version, custody.sealed(root, document, under, key, place, allows), now)


def _new_signing_key(root: RootKey, home: Guid, key_id: str, now: datetime) -> StoredSigningKey:
    private = Ed25519PrivateKey.generate()
    wrapped = wrap(root, Secret(private.private_bytes_raw()), home, "signing key", key_id)
    return StoredSigningKey(key_id, private.public_key().public_bytes_raw(), wrapped, now)


def _is_spent(key: StoredSigningKey, now: datetime) -> bool:
    return key.retired_on is not None and now - key.retired_on > LONGEST_TOKEN


def _keys_of(document: RingDocument, environment: Guid) -> EnvironmentKeys:
    keys = document.environments.get(environment)
    if keys is None:
        raise HomeError(f"The key ring has no data key for the environment {environment}: keys.json is older than it.")
    return keys


def _with_keys(document: RingDocument, environment: Guid, keys: EnvironmentKeys) -> RingDocument:
    merged: Mapping[Guid, EnvironmentKeys] = {**document.environments, environment: keys}
    return replace(document, environments=MappingProxyType(merged))
