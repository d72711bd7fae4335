"""`keys.json` on disk: opened with the right root key, changed atomically, followed while others change it.

All processes of a home share one lock for changes. Reading needs none: the file is only ever replaced whole.

The root key lies in a file of its own, so its rotation touches two files. The replacement of `keys.json` is the moment
that counts: before it, the old root key; after it, the new one, which then still has its temporary name
(`root.key.new`) and is renamed by whoever opens the home next, should power be lost just there.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from strongroom.errors import HomeError
from strongroom.keys.disk import Disk, Signature, replace_file
from strongroom.keys.document import RingDocument, RootDescription, from_bytes, to_bytes
from strongroom.keys.providers.reach import Allows, nowhere
from strongroom.keys.root import (
    KeySource,
    ScryptParameters,
    key_file_content,
    new_scrypt,
    read_key_file,
    read_passphrase,
    require_strong,
    stretch,
)
from strongroom.keys.secret import Secret
from strongroom.keys.wrapping import RootKey, expand, new_key

RING_FILE = "keys.json"
LOCK_FILE = "keys.lock"

Change = Callable[[RootKey, RingDocument], RingDocument]
"""A pure step from one ring to the next; it runs under the lock, on the newest document."""


class RingFile:
    """The open file. `source` overrides where the ring says that its root key is found; `allows` says which providers
    of the customer's keys may be asked."""

    def __init__(
        self,
        folder: Path,
        *,
        source: KeySource | None = None,
        disk: Disk | None = None,
        allows: Allows = nowhere,
    ) -> None:
        self.allows = allows
        self.folder = folder
        self.path = folder / RING_FILE
        self.disk = disk or Disk()
        self._source = source
        self._signature: Signature | None = None
        self._opened: tuple[RootKey, RingDocument] | None = None

    @property
    def source(self) -> KeySource:
        """Where the root key is found."""
        return self._source or self.document.root.source

    @property
    def root(self) -> RootKey:
        return self._current()[0]

    @property
    def document(self) -> RingDocument:
        return self._current()[1]

    def refresh(self) -> None:
        """Take over what other processes changed. Raises `HomeError` when the file is gone, damaged, or wrapped with
        a root key that this process cannot read: the old content is not used on (a revocation may be among the news).
        """
        if self._opened is None or self.disk.signature(self.path) != self._signature:
            self._load(is_locked=False)

    def change(self, step: Change) -> RingDocument:
        """Replace the ring by what `step` makes of it, durably."""
        with self._lock():
            root, document = self._load(is_locked=True)
            return self._store(root, step(root, document))

    def create(self, source: KeySource, build: Callable[[RootKey, RootDescription], RingDocument]) -> None:
        """Write a first ring. A key file that is there already is used, so that one can be provided from outside."""
        with self._lock():
            if self.disk.read(self.path) is not None:
                raise HomeError(f"{self.folder} has a key ring already.")
            path = source.path(self.folder)
            found = read_key_file(self.disk, path) if source.is_file else None
            if found is None:
                material, scrypt = _new_material(source)
                if source.is_file:
                    replace_file(self.disk, path, key_file_content(material))
            else:
                material, scrypt = found, None
            root = expand(material)
            self._store(root, build(root, RootDescription(root.id, source, scrypt)))

    def rotate(
        self, source: KeySource | None, rewrap: Callable[[RootKey, RootKey, RingDocument], RingDocument]
    ) -> None:
        """Put the ring under a new root key. `rewrap` gets the old and the new one."""
        with self._lock():
            old_root, document = self._load(is_locked=True)
            old = self._source or document.root.source
            target = self._rotation_target(source, old)
            material, scrypt = _new_material(target)
            root = expand(material)
            if target.is_file:
                staged = _staged(target.path(self.folder))
                self.disk.write(staged, key_file_content(material))
                self.disk.sync(staged)
                self.disk.sync_folder(staged.parent)
            rewrapped = rewrap(old_root, root, document)
            self._store(root, replace(rewrapped, root=RootDescription(root.id, target, scrypt)))
            self._source = None
            if target.is_file:
                self._promote(target.path(self.folder))
            if old.is_file and old != target and self._is_inside(old):
                self.disk.remove(old.path(self.folder))
                self.disk.sync_folder(old.path(self.folder).parent)

    # --- inside ---

    def _rotation_target(self, source: KeySource | None, old: KeySource) -> KeySource:
        """Where the new root key shall be. A key file outside the home may serve other homes, so it is never replaced
        or removed."""
        if source is None and not old.is_file:
            raise HomeError(
                "The new passphrase must come from somewhere: name it with --new-key-provider "
                "env:NAME, fd:NUMBER or credential:NAME."
            )
        if source is None and not self._is_inside(old):
            raise HomeError(
                f"The root key {old.value} lies outside the home, so other homes may need it. Name a new file with "
                "--new-key-provider file:PATH."
            )
        target = source or old
        if target.is_file and target != old and self.disk.read(target.path(self.folder)) is not None:
            raise HomeError(f"{target.path(self.folder)} holds something already; name a file that does not exist.")
        return target

    def _is_inside(self, source: KeySource) -> bool:
        return source.path(self.folder).resolve().is_relative_to(self.folder.resolve())

    def _lock(self) -> AbstractContextManager[bool]:
        return self.disk.lock(self.folder / LOCK_FILE)

    def _current(self) -> tuple[RootKey, RingDocument]:
        return self._opened or self._load(is_locked=False)

    def _load(self, *, is_locked: bool) -> tuple[RootKey, RingDocument]:
        signature = self.disk.signature(self.path)
        data = self.disk.read(self.path)
        if data is None:
            raise HomeError(
                f"{self.folder} is no home of Strongroom: {RING_FILE} is missing. `strongroom init` makes one."
            )
        unverified = from_bytes(data)
        root = self._opened[0] if self._opened and self._opened[0].id == unverified.root.id else None
        if root is None:
            root, is_staged = self._find_root(unverified.root)
            if is_staged and not is_locked:
                with self._lock():
                    return self._load(is_locked=True)
            if is_staged:
                self._promote((self._source or unverified.root.source).path(self.folder))
        self._opened = root, unverified.verified(root)
        self._signature = signature
        return self._opened

    def _store(self, root: RootKey, document: RingDocument) -> RingDocument:
        replace_file(self.disk, self.path, to_bytes(document, root))
        self._opened = root, document
        self._signature = self.disk.signature(self.path)
        return document

    def _find_root(self, description: RootDescription) -> tuple[RootKey, bool]:
        """The root key that `description` asks for, and whether it still has its temporary name."""
        source = self._source or description.source
        if description.scrypt is not None:
            root = expand(stretch(read_passphrase(source), description.scrypt))
            if root.id == description.id:
                return root, False
            raise HomeError(f"The passphrase from '{source}' is not the one of this home.")
        if not source.is_file:
            raise HomeError(
                f"This home is locked by a key file ('{description.source}'), but the key provider is '{source}'."
            )
        path = source.path(self.folder)
        material = read_key_file(self.disk, path)
        if material is not None and (root := expand(material)).id == description.id:
            return root, False
        staged = self._staged_root(path)
        if staged is not None and staged.id == description.id:
            return staged, True
        if material is None:
            raise HomeError(
                f"The root key {path} is missing. Put it back: without it nothing in this home can be read."
            )
        raise HomeError(f"{path} is the root key of another home or an older one: {RING_FILE} needs {description.id}.")

    def _staged_root(self, path: Path) -> RootKey | None:
        """The new root key of an interrupted rotation. A file that power loss tore never counted: the ring is
        replaced only after it was written durably."""
        try:
            material = read_key_file(self.disk, _staged(path))
        except HomeError:
            return None
        return None if material is None else expand(material)

    def _promote(self, path: Path) -> None:
        self.disk.rename(_staged(path), path)
        self.disk.sync_folder(path.parent)


def _staged(path: Path) -> Path:
    return path.with_name(path.name + ".new")


def _new_material(source: KeySource) -> tuple[Secret, ScryptParameters | None]:
    if source.is_file:
        return new_key(), None
    passphrase = read_passphrase(source)
    require_strong(passphrase)
    scrypt = new_scrypt()
    return stretch(passphrase, scrypt), scrypt
