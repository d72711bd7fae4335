"""Back-ups of a home: taken while clients write, encrypted, listed, verified by putting them back aside, and let go.

Each lies in a folder of its environment as `<id>.backup` with its manifest `<id>.json`, which is written last: what has
no manifest is what a killed process left, and goes with the next back-up. The key of a back-up is wrapped by the key
that the environment has for back-ups, so that forgetting the environment's keys makes its back-ups unreadable too.
"""

import base64
import hashlib
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from strongroom.audit.verification import logged_entries, verify
from strongroom.clock import iso
from strongroom.errors import BackupDamaged, Conflict, HomeError, NotFound
from strongroom.home import EnvironmentKind, EnvironmentRecord, EnvironmentType, Home
from strongroom.ids import Guid, new_guid
from strongroom.keys import Secret, age
from strongroom.keys.disk import Disk
from strongroom.keys.wrapping import expand, unwrap, wrap
from strongroom.lifecycle.backup_file import read_backup, write_backup
from strongroom.lifecycle.journals import Journals, folder_of
from strongroom.lifecycle.manifest import SUFFIX, Manifest, read_manifest, write_manifest
from strongroom.opening import open_environment
from strongroom.store.copying import Receiver, receiver_at
from strongroom.store.database import StoreDatabase, open_database, remove_database
from strongroom.store.sqlcipher_file import sync_path
from strongroom.trail import signing_key

MANUAL, SYSTEM = "manual", "system"
_PURPOSE = "backup"
_PRODUCTION_DAYS, _OTHER_DAYS = 28, 7
Tell = Callable[[str, int, int], None]


def silent(_: str, __: int, ___: int) -> None:
    """Progress that nobody listens to."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a verification found: doubts, and what it looked at."""

    rows: int
    entries: int
    doubts: tuple[str, ...]


class Backups:
    """The back-ups of one home."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self.folder = folder_of(home)
        self.journals = Journals(home)

    # --- taking ---

    def take(self, name: str, *, kind: str = MANUAL, label: str = "", tell: Tell = silent) -> Manifest:
        """Back an environment up as it is now. Raises `EnvironmentLocked` while it is locked (TS-507)."""
        record = self._home.environment(name)
        folder = self._folder_of(record.id)
        with self._alone(folder):
            self._clear(folder)
            backup_id = new_guid(self._home.clock)
            partial = folder / f"{backup_id}.partial"
            try:
                manifest = self._written(record, backup_id, partial, kind, label, tell)
                sync_path(partial)
                partial.rename(folder / f"{backup_id}{SUFFIX}")
                sync_path(folder)
                write_manifest(folder, manifest)
            except BaseException:
                partial.unlink(missing_ok=True)
                raise
        return manifest

    def _written(
        self, record: EnvironmentRecord, backup_id: Guid, path: Path, kind: str, label: str, tell: Tell
    ) -> Manifest:
        home, clock = self._home, self._home.clock
        environment = open_environment(home, record.name)
        try:
            if record.kind is EnvironmentKind.BUSINESS:
                environment.database.begin_journal()
            with environment.database.copy() as copy:
                taken = clock.now()
                identity = age.new_identity()
                wrapped = wrap(expand(self._wrapping_key(record.id)), identity, *self._place(record.id, backup_id))
                data_key = home.keys.data_key(record.id) if copy.engine == "sqlcipher" else None
                written = write_backup(
                    path, copy, identity, data_key, lambda done: tell(record.name, done, copy.size_bytes)
                )
            self.journals.keep(record, environment.database)
        finally:
            environment.close()
        return Manifest(
            id=backup_id,
            home=home.id,
            environment_id=record.id,
            environment=record.name,
            type=record.type.value,
            region=record.region,
            engine=copy.engine,
            kind=kind,
            label=label[:200],
            taken_on=iso(taken),
            expires_on=iso(taken + self.retention(record)) if kind == SYSTEM else "",
            rows=dict(copy.rows),
            tree_size=copy.tree_size,
            root_hash=copy.root,
            size_bytes=written.size,
            sha256=written.sha256,
            parts=written.parts,
            key_version=home.keys.document.environments[record.id].active.version,
            wrapped_key=base64.b64encode(wrapped).decode(),
            is_test_home=home.is_test_home,
            journal=copy.journal,
        ).signed(signing_key(home, record.id))

    def retention(self, record: EnvironmentRecord) -> timedelta:
        """How long the system back-ups of an environment are kept (TS-408)."""
        usual = _PRODUCTION_DAYS if record.type is EnvironmentType.PRODUCTION else _OTHER_DAYS
        return timedelta(days=record.retention_days or usual)

    # --- finding ---

    def listed(self, environment: Guid | None = None) -> list[Manifest]:
        """All back-ups, of one environment when named, oldest first. Damaged manifests are told by `find` alone."""
        found: list[Manifest] = []
        pattern = f"{environment or '*'}/*.json"
        for path in self.folder.glob(pattern):
            try:
                found.append(read_manifest(path))
            except BackupDamaged:
                continue
        return sorted(found, key=lambda each: (each.taken_on, each.id))

    def find(self, told: str, environment: Guid | None = None) -> Manifest:
        """The back-up with this id, or the beginning of one, or the `newest`. Raises `NotFound`, `Conflict`."""
        known = self.listed(environment)
        if told == "newest" and known:
            return known[-1]
        found = [each for each in known if each.id.startswith(told.lower())] if len(told) >= 4 else []
        if len(found) > 1:
            raise Conflict(f"Several back-ups begin with '{told}'; give more of the id.")
        if not found:
            raise NotFound(f"There is no back-up '{told[:60]}'. `strongroom backup list` shows those that there are.")
        return found[0]

    def newest_at(self, environment: Guid, moment: datetime) -> Manifest | None:
        """The newest back-up that is not younger than a moment."""
        wanted = iso(moment)
        return next((each for each in reversed(self.listed(environment)) if each.taken_on <= wanted), None)

    def path_of(self, manifest: Manifest) -> Path:
        """Where the file of a back-up is."""
        return self._folder_of(Guid(manifest.environment_id)) / f"{manifest.id}{SUFFIX}"

    # --- using ---

    def require_whole(self, manifest: Manifest) -> None:
        """Raise `BackupDamaged` unless the manifest is signed and the file is what it says."""
        manifest.require_signed(signing_key(self._home, Guid(manifest.environment_id)).public_key())
        path = self.path_of(manifest)
        if not path.is_file():
            raise BackupDamaged(f"The file of the back-up {manifest.id} is not there.")
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while data := file.read(4 * 1024 * 1024):
                digest.update(data)
        if digest.hexdigest() != manifest.sha256:
            raise BackupDamaged(f"The file of the back-up {manifest.id} is not what it was: its SHA-256 differs.")

    def read(self, manifest: Manifest, make: Callable[[Secret | None], Receiver]) -> Receiver:
        """Give the parts of a back-up to what `make` makes; not finished yet. Raises `BackupDamaged`."""
        environment, backup = Guid(manifest.environment_id), Guid(manifest.id)
        try:
            sealed = base64.b64decode(manifest.wrapped_key, validate=True)
            identity = unwrap(expand(self._wrapping_key(environment)), sealed, *self._place(environment, backup))
        except ValueError:
            raise BackupDamaged(f"The manifest of the back-up {manifest.id} is damaged.") from None
        return read_backup(self.path_of(manifest), identity, make)

    def opens_with(self, manifest: Manifest, environment: Guid) -> bool:
        """Whether the key that an environment has for back-ups gives the identity of this one."""
        place = self._place(Guid(manifest.environment_id), Guid(manifest.id))
        try:
            unwrap(expand(self._wrapping_key(environment)), base64.b64decode(manifest.wrapped_key), *place)
        except HomeError:
            return False
        return True

    def verify(self, manifest: Manifest) -> Found:
        """Put a back-up back aside, look at all that can be looked at, and remove that again (TS-408, TS-414)."""
        self.require_whole(manifest)
        with self._aside(manifest) as database:
            doubts = list(database.check())
            environment = Guid(manifest.environment_id)
            with database.read() as transaction:
                heads = transaction.log.heads()
            public = signing_key(self._home, environment).public_key()
            verdict = verify(environment, public, logged_entries(database), heads)
            doubts += verdict.doubts
            if heads and (heads[-1].tree_size, heads[-1].root) != (manifest.tree_size, manifest.root_hash):
                doubts.append("The newest head of the trail is not the one that the manifest names.")
            with database.copy() as copy:
                rows = dict(copy.rows)
            doubts += [
                f"{table}: {rows.get(table, 0):,} rows, and {number:,} were there when it was taken"
                for table, number in manifest.rows.items()
                if rows.get(table, 0) != number
            ]
        return Found(sum(rows.values()), verdict.size, tuple(doubts))

    def remove(self, manifest: Manifest) -> None:
        """Remove a back-up for good: its manifest first, so that half of one never counts."""
        path = self.path_of(manifest)
        path.with_suffix(".json").unlink(missing_ok=True)
        path.unlink(missing_ok=True)

    def remove_all(self, environment: Guid) -> int:
        """Remove every back-up of an environment; how many."""
        found = self.listed(environment)
        for manifest in found:
            self.remove(manifest)
        self.journals.remove_all(environment)
        return len(found)

    def expired(self, now: datetime) -> list[Manifest]:
        """System back-ups whose time is over, of environments that are not held. The newest one of an environment that
        is still there stays, and so does the one that the oldest seconds which can be had back begin with."""
        moment = iso(now)
        held = {record.id for record in self._home.environments() if record.is_held}
        newest = {each.environment_id: each.id for each in self.listed()}
        known = {record.id for record in self._home.environments()}
        bases = {first.id for record in self._home.environments() if (first := self.base_of(record, now)) is not None}
        return [
            each
            for each in self.listed()
            if each.expires_on
            and each.expires_on <= moment
            and each.environment_id not in held
            and each.id not in bases
            and (newest[each.environment_id] != each.id or each.environment_id not in known)
        ]

    def base_of(self, record: EnvironmentRecord, now: datetime) -> Manifest | None:
        """The back-up that the oldest seconds which must come back begin with, where a journal goes on after it."""
        found = self.newest_at(record.id, now - self.retention(record))
        return found if found is not None and self.journals.goes_on(found) else None

    def forget_journal(self, record: EnvironmentRecord) -> int:
        """Remove the parts of an environment's journal that no back-up needs any more; how many."""
        manifests = self.listed(record.id)
        if record.is_held or not manifests:
            return 0
        first = self.base_of(record, self._home.clock.now()) or manifests[0]
        return self.journals.forget(record.id, datetime.fromisoformat(first.taken_on).astimezone(UTC))

    # --- inside ---

    @contextmanager
    def _aside(self, manifest: Manifest) -> Generator[StoreDatabase]:
        """The store of a back-up, put back where nobody uses it."""
        scratch = f"verify-{manifest.id[:8]}"
        keys: list[Secret | None] = []
        if manifest.engine == "sqlcipher":
            place: str | Path = self._folder_of(Guid(manifest.environment_id)) / f"{manifest.id}.verify"
        else:
            record = next((each for each in self._home.environments() if each.id == manifest.environment_id), None)
            if record is None:
                raise HomeError("The database server of the environment is not known any more.")
            place = self._home.database_address(record).reveal().decode()

        def make(key: Secret | None) -> Receiver:
            keys.append(key)
            return receiver_at(place, scratch, manifest.engine, self._home.clock)

        remove_database(place, scratch)
        try:
            self.read(manifest, make).finish()
            key = keys[0].reveal() if keys and keys[0] else None
            database = open_database(place, data_key=key, create=False, name=scratch, clock=self._home.clock)
            try:
                yield database
            finally:
                database.close()
        finally:
            remove_database(place, scratch)

    @contextmanager
    def _alone(self, folder: Path) -> Generator[None]:
        with Disk().lock(folder / "lock", wait=False) as is_ours:
            if not is_ours:
                raise Conflict("A back-up of this environment is being taken already; wait for its end.")
            yield

    def _clear(self, folder: Path) -> None:
        """Remove what interrupted back-ups and verifications left."""
        for path in folder.iterdir():
            is_orphan = path.suffix == SUFFIX and not path.with_suffix(".json").exists()
            if is_orphan or path.suffix in (".partial", ".new") or ".verify" in path.name:
                path.unlink()

    def _folder_of(self, environment: Guid) -> Path:
        folder = self.folder / environment
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    def _wrapping_key(self, environment: Guid) -> Secret:
        return self._home.keys.environment_key(environment, _PURPOSE, self._home.clock)

    def _place(self, environment: Guid, backup: Guid) -> tuple[str, ...]:
        return self._home.id, "backup", environment, backup
