"""The proven trail of one environment: who signs its log, where its heads are witnessed, and whether it holds.

The signing key lies in the home's key ring, not in the store: who has the store and its data key can change entries and
compute hashes anew, and cannot sign. Heads are witnessed in `witness/<environment>.jsonl` of the home; a copy of that
file elsewhere proves more, because it is out of reach of whoever has the home.
"""

import logging
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import BinaryIO

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from strongroom.audit.exports import read_witness, witness_line, write_export
from strongroom.audit.heads import Signer, head_hash, key_id
from strongroom.audit.proofs import root_of
from strongroom.audit.sealing import Sealer
from strongroom.audit.verification import MOST, Verdict, logged_entries, verify
from strongroom.environment import Environment
from strongroom.environments import Environments
from strongroom.errors import IntegrityViolation
from strongroom.home import Home
from strongroom.ids import Guid
from strongroom.keys import Secret
from strongroom.keys.disk import Disk
from strongroom.rounds import Rounds
from strongroom.store.leaves import StoredHead

WITNESS_FOLDER = "witness"
_PERIOD_S = 0.5
_REST_S = 60.0
_logger = logging.getLogger("strongroom.trail")


class Trail:
    """The log of an environment, with its signer and its witness."""

    def __init__(self, home: Home, environment: Environment) -> None:
        self.environment = environment
        self._signer = Signer(environment.id, signing_key(home, environment.id), home.is_test_home)
        folder = home.path / WITNESS_FOLDER
        folder.mkdir(mode=0o700, exist_ok=True)
        self.witness_file = folder / f"{environment.name}.jsonl"
        self.lock_file = folder / f"{environment.name}.lock"
        vouched = home.keys.unseal(_vouched_name(environment.id))
        self._sealer = Sealer(
            environment.database,
            self._signer,
            environment.clock,
            self._keep,
            vouched="" if vouched is None else vouched.reveal().decode(),
        )

    def is_of(self, environment: Environment) -> bool:
        """Whether this is the trail of that very open environment."""
        return self.environment is environment

    @property
    def public_key(self) -> Ed25519PublicKey:
        """The key that verifies this log's heads."""
        return self._signer.public

    def seal(self) -> int:
        """Seal what has been committed; how many entries."""
        return self._sealer.seal()

    def heads(self, newest: int | None = None) -> list[StoredHead]:
        """The signed heads, oldest first."""
        with self.environment.database.read() as transaction:
            return transaction.log.heads(newest=newest)

    def verify(self, progress: Callable[[int], None] = lambda _: None, elsewhere: Sequence[StoredHead] = ()) -> Verdict:
        """Whether the trail is what it was, also against what the witness in the home kept, and those `elsewhere`. It
        is sealed first. A doubt must show twice: the trail goes on while it is looked at."""
        found = self._verified(progress, elsewhere)
        return self._verified(progress, elsewhere) if found.doubts else found

    def _verified(self, progress: Callable[[int], None], elsewhere: Sequence[StoredHead]) -> Verdict:
        with suppress(IntegrityViolation):  # a damaged log is not sealed on; what is wrong with it is said below
            self.seal()
        database = self.environment.database
        with database.read() as transaction:
            heads, strangers = transaction.log.heads(), transaction.log.strangers()
        witnessed = [*read_witness(self.witness_file), *elsewhere]
        entries = logged_entries(database)
        found = verify(self.environment.id, self.public_key, entries, heads, witnessed, progress)
        doubts = tuple(f"The entry {each} was put in between: it has no leaf." for each in strangers)
        return replace(found, doubts=(*doubts, *found.doubts)[:MOST])

    def export(self, target: BinaryIO) -> int:
        """Write the whole trail with its proof; how many entries. It is sealed first."""
        self.seal()
        entries = logged_entries(self.environment.database)
        return write_export(target, self.environment.id, self.public_key, entries, self.heads())

    def _keep(self, head: StoredHead) -> None:
        """Append a head to the witness file, durably."""
        descriptor = os.open(self.witness_file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, witness_line(head))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class Sealing(Rounds):
    """What seals the trails of a server's open environments, beside the requests, in a thread of its own.

    Several processes may serve one home: each looks twice a second, and of those that look at the same time one seals.
    """

    def __init__(self, environments: Environments, tell: Callable[[Environment], None] = lambda _: None) -> None:
        super().__init__("sealer", _PERIOD_S, _logger)
        self._environments = environments
        self._tell = tell
        """Told of an environment whose log does not fit its newest head, each time that this is found."""

        self._trails: dict[Guid, Trail] = {}
        self._resting: dict[Guid, float] = {}

    def look(self) -> None:
        """Seal each open environment."""
        for gone in self._trails.keys() - {environment.id for environment in self._environments.opened()}:
            del self._trails[gone]  # nothing of a closed environment stays in memory
        self.in_each(self._environments, self._seal_or_rest, "sealing the trail of")

    def stop(self) -> None:
        """End, and seal what is left."""
        super().stop()
        self.look()

    def _seal_or_rest(self, environment: Environment) -> None:
        """An environment whose log was tampered with rests for a while: to find that out again reads the whole log,
        and what the server's own log says of it once is enough."""
        if time.monotonic() < self._resting.get(environment.id, 0):
            return
        try:
            self._seal_as_of_now(environment)
        except IntegrityViolation:
            self._resting[environment.id] = time.monotonic() + _REST_S
            self._tell(environment)
            raise

    def _seal_as_of_now(self, environment: Environment) -> None:
        """A log that does not fit may fit another key that was made meanwhile, by a command."""
        try:
            self._seal(environment)
        except IntegrityViolation:
            self._trails.pop(environment.id, None)
            self._environments.home.keys.refresh()
            self._seal(environment)

    def _seal(self, environment: Environment) -> None:
        trail = self._trails.get(environment.id)
        if trail is None or not trail.is_of(environment):  # it was closed meanwhile, and opened again
            trail = self._trails[environment.id] = Trail(self._environments.home, environment)
        with Disk().lock(trail.lock_file, wait=False) as is_ours:
            if is_ours:
                trail.seal()


def renew_signing_key(home: Home, environment: Environment, tell: Callable[[], None]) -> tuple[str, str]:
    """Make another key for the log of an environment, because the old one is lost or may be in wrong hands; the names
    of the keys before and from now on (TS-812).

    The log must be what its newest head says: that head is the last one of the old key, and the new key's first one
    follows on it. Whoever verifies from then on needs the new public key; witnesses are told by somebody there. Raises
    `IntegrityViolation` when the log is another one, and changes nothing then. What `tell` writes to the trail is the
    first that the new key seals; no other process seals in between.
    """
    with Disk().lock(Trail(home, environment).lock_file, wait=True):
        names = _renewed(home, environment)
        tell()
        Trail(home, environment).seal()
        return names


def _renewed(home: Home, environment: Environment) -> tuple[str, str]:
    with environment.database.read() as transaction:
        newest = next(iter(transaction.log.heads(newest=1)), None)
        if newest is not None and root_of(transaction.log, newest.tree_size) != newest.root:
            raise IntegrityViolation("The trail's log is not what its newest head signs: `strongroom audit verify`.")
    key = Ed25519PrivateKey.generate()
    if newest is not None:
        home.keys.seal(_vouched_name(environment.id), Secret(head_hash(newest).encode()))
    private = key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    home.keys.seal(_key_name(environment.id), Secret(private))
    return ("" if newest is None else newest.key_id), key_id(key.public_key())


def _key_name(environment: Guid) -> str:
    return f"audit-log:{environment}"


def _vouched_name(environment: Guid) -> str:
    return f"audit-log-vouched:{environment}"


def signing_key(home: Home, environment: Guid) -> Ed25519PrivateKey:
    """The key that signs what is said of an environment: heads of its trail, manifests of its back-ups."""

    def make() -> Secret:
        key = Ed25519PrivateKey.generate()
        return Secret(key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption()))

    found = home.keys.seal_once(_key_name(environment), make)
    return Ed25519PrivateKey.from_private_bytes(found.reveal())
