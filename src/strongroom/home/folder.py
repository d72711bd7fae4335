"""Creating and opening a home.

`create_home` writes `keys.json` last: a folder without it is no home, so one whose creation was interrupted is told
apart from a complete one. `open_home` opens nothing but the ring; stores are opened by `strongroom.opening`.
"""

import os
import shutil
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from strongroom.clock import Clock, SystemClock, iso
from strongroom.errors import Conflict, EnvironmentClosed, HomeError, InvalidRequest
from strongroom.home.registry import (
    REGISTRY_FILE,
    EnvironmentKind,
    EnvironmentRecord,
    EnvironmentState,
    EnvironmentType,
    read_registry,
    require_name,
    with_record,
    with_state,
    write_registry,
)
from strongroom.home.testclock import MovableClock
from strongroom.ids import Guid, new_guid
from strongroom.keys import DEFAULT_SOURCE, KeyRing, KeySource, Secret, create_ring, open_ring, parse_source
from strongroom.keys.disk import Disk, Signature, replace_file
from strongroom.keys.ringfile import LOCK_FILE, RING_FILE
from strongroom.settings import SETTINGS_FILE, Settings, default_file, load_settings

ENVIRONMENTS_FOLDER = "environments"
TLS_FOLDER = "tls"
OPERATIONS_LOCK = "operations.lock"
_USABLE = frozenset({EnvironmentState.READY, EnvironmentState.ADMINISTRATION, EnvironmentState.SUSPENDED})


class Home:
    """An open home. Make it with `create_home` or `open_home`."""

    def __init__(self, path: Path, keys: KeyRing, settings: Settings, clock: Clock, disk: Disk) -> None:
        self.path = path
        self.keys = keys
        self.settings = settings
        self.clock = clock
        self._disk = disk
        self._records: tuple[EnvironmentRecord, ...] = ()
        self._signature: Signature | None = None
        self._registry = str(path / REGISTRY_FILE)

    @property
    def id(self) -> Guid:
        """The id of the home: the issuer of its tokens."""
        return self.keys.home

    @property
    def is_test_home(self) -> bool:
        """Whether the clock of this home can be moved (TS-006). Decided at creation, for ever."""
        return self.keys.is_test_home

    @property
    def tls_folder(self) -> Path:
        return self.path / TLS_FOLDER

    # --- environments ---

    def environments(self) -> tuple[EnvironmentRecord, ...]:
        """All environments, complete or not, in order of creation; follows what other processes add."""
        signature = self._disk.signature(self._registry)
        if signature is None or signature != self._signature:
            self._records, self._signature = read_registry(self.path, self._disk), signature
        return self._records

    def environment(self, name: str) -> EnvironmentRecord:
        """The complete environment of this name. Raises `HomeError` for an unknown or unfinished one."""
        return self._complete(self._find(name))

    def _complete(self, record: EnvironmentRecord) -> EnvironmentRecord:
        if record.state in _USABLE:
            return record
        if record.state is EnvironmentState.PREPARING:
            with self._disk.lock(self.path / OPERATIONS_LOCK, wait=False) as is_free:
                if is_free:  # whoever was replacing it is gone, and the one state or the other is in place
                    return self._settled(record)
            raise EnvironmentClosed(
                f"The environment '{record.name}' is being prepared; try again in a moment.",
                reason="environment-preparing",
                rule="TS-413",
            )
        if record.state is EnvironmentState.DELETED:
            raise HomeError(
                f"The environment '{record.name}' was deleted; `strongroom environment recover {record.name}` brings "
                f"it back until {iso(record.ends_on) if record.ends_on else 'it is purged'}."
            )
        raise HomeError(
            f"The environment '{record.name}' was not created to its end. `strongroom environment purge {record.name}` "
            "removes what there is; a home that has nothing else is removed and made again."
        )

    @contextmanager
    def operating(self) -> Generator[None]:
        """One operation on environments at a time, whoever does it. Raises `Conflict` while another one runs."""
        with self._disk.lock(self.path / OPERATIONS_LOCK, wait=False) as is_free:
            if not is_free:
                raise Conflict("Another operation on the environments of this home is running; wait for its end.")
            for record in self.environments():
                if record.state is EnvironmentState.PREPARING:
                    self._settled(record)
            yield

    def _settled(self, record: EnvironmentRecord) -> EnvironmentRecord:
        """What an interrupted operation left, in administration mode."""
        return self.change_environment(
            replace(
                record,
                state=EnvironmentState.ADMINISTRATION,
                generation=record.generation + 1,
                message="An operation was interrupted; an administrator looks whether all is as it should be.",
            )
        )

    def default_environment(self) -> EnvironmentRecord:
        """The environment behind `/api/data`: the one that the settings name, else the first one of business data.
        Raises as `environment` does when it cannot be used."""
        return self._complete(self.default_record())

    def default_record(self) -> EnvironmentRecord:
        """The same in whatever state it is."""
        if self.settings.default_environment:
            return self._find(self.settings.default_environment)
        found = [record for record in self.environments() if record.kind is EnvironmentKind.BUSINESS]
        for record in found:
            if record.state is not EnvironmentState.DELETED:
                return record
        if found:
            return found[0]
        raise HomeError(f"{self.path} has no environment with business data. `strongroom init` makes one.")

    def add_environment(
        self,
        name: str,
        kind: EnvironmentKind,
        database: Secret | None = None,
        *,
        type: EnvironmentType = EnvironmentType.PRODUCTION,
        region: str = "",
    ) -> tuple[EnvironmentRecord, Secret]:
        """A new record in the state `creating`, and the new data key of its store.

        `database` is the address of a PostgreSQL database; without it the store is a file in the home. Call
        `finish_environment` when the store is complete, `drop_environment` when it failed. Raises `InvalidRequest` for
        a bad name or address, `Conflict` when there is one of that name.
        """
        require_name(name)
        engine, location = ("sqlcipher", f"{ENVIRONMENTS_FOLDER}/{name}.db")
        if database is not None:
            engine, location = "postgresql", _without_password(database)
        if any(record.name == name for record in self.environments()):
            raise Conflict(f"The home has an environment '{name}' already.")
        created_on = self.clock.now()
        record = EnvironmentRecord(
            name, new_guid(self.clock), kind, engine, location, EnvironmentState.CREATING, created_on, type, region
        )
        key = self.keys.add_environment(record.id, self.clock)
        if database is not None:
            self.keys.seal(_address_name(record), database)
        self._change(lambda records: (*records, record))
        return record, key

    def change_environment(self, changed: EnvironmentRecord) -> EnvironmentRecord:
        """Store what has changed about an environment, known by its id: every process of the home follows."""
        self._change(lambda records: with_record(records, changed))
        return changed

    def record(self, name: str) -> EnvironmentRecord:
        """The environment of this name in whatever state it is. Raises `HomeError` for an unknown one."""
        return self._find(name)

    @contextmanager
    def used(self, record: EnvironmentRecord, *, alone: bool = False, wait_s: float = 0.0) -> Generator[None]:
        """Hold an environment for the block: together with others that use it, or alone to replace it whole.

        Raises `Conflict` when that cannot be had within `wait_s`.
        """
        with self._disk.share(
            self.path / ENVIRONMENTS_FOLDER / f"{record.name}.use", alone=alone, wait_s=wait_s
        ) as own:
            if not own:
                raise Conflict(
                    f"The environment '{record.name}' is in use by another process; stop what uses it, and try again.",
                    details={"reason": "environment-in-use", "rule": "TS-413"},
                )
            yield

    def finish_environment(self, name: str) -> EnvironmentRecord:
        """Mark the environment as complete."""
        self._change(lambda records: with_state(records, name, EnvironmentState.READY))
        return self.environment(name)

    def drop_environment(self, name: str) -> None:
        """Remove the record, the data key and the file of an environment. What lies in PostgreSQL stays there."""
        record = self._find(name)
        self._change(lambda records: tuple(found for found in records if found.name != name))
        self.keys.remove_environment(record.id)
        if record.engine == "sqlcipher":
            for suffix in ("", "-wal", "-shm", "-journal", "-lock", "-turn"):
                self._disk.remove(self.path / (record.location + suffix))
        self._disk.remove(self.path / ENVIRONMENTS_FOLDER / f"{record.name}.use")

    def database_file(self, record: EnvironmentRecord) -> Path:
        """The store of an environment that lies in the home."""
        return self.path / record.location

    def database_address(self, record: EnvironmentRecord) -> Secret:
        """The full address of a PostgreSQL store, with its password. Raises `HomeError` when it is not in the ring."""
        address = self.keys.unseal(_address_name(record))
        if address is None:
            raise HomeError(f"The key ring does not hold the database address of '{record.name}': it is older than it.")
        return address

    def _find(self, name: str) -> EnvironmentRecord:
        for record in self.environments():
            if record.name == name:
                return record
        known = ", ".join(record.name for record in self.environments()) or "none"
        raise HomeError(f"The home has no environment '{name}'; it has: {known}.")

    def _change(self, step: Callable[[tuple[EnvironmentRecord, ...]], tuple[EnvironmentRecord, ...]]) -> None:
        with self._disk.lock(self.path / LOCK_FILE):
            write_registry(self.path, self._disk, step(read_registry(self.path, self._disk)))
        self._signature = None


def create_home(
    path: Path,
    *,
    source: KeySource | None = None,
    is_test_home: bool = False,
    clock: Clock | None = None,
    environ: Mapping[str, str] = os.environ,
    disk: Disk | None = None,
) -> Home:
    """A new home without any environment in a new or empty folder, readable by its owner only.

    Raises `HomeError` when the folder is not empty or cannot be made, or the root key cannot be had.
    """
    _require_empty(path)
    settings = load_settings(path, environ)
    source = source or parse_source(settings.key_provider or DEFAULT_SOURCE)
    was_there, disk, base = path.exists(), disk or Disk(), clock or SystemClock()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.chmod(0o700)
        (path / ENVIRONMENTS_FOLDER).mkdir(mode=0o700)
        (path / TLS_FOLDER).mkdir(mode=0o700)
        replace_file(disk, path / SETTINGS_FILE, default_file().encode())
        write_registry(path, disk, ())
        allows = settings.outbound.allows
        keys = create_ring(path, new_guid(base), source, base, is_test_home=is_test_home, disk=disk, allows=allows)
    except OSError as error:
        _clear(path, was_there)
        raise HomeError(f"{error.filename or path} cannot be made: {error.strerror}.") from None
    except HomeError:
        _clear(path, was_there)
        raise
    return _opened(path, keys, settings, clock, disk)


def open_home(
    path: Path,
    *,
    source: KeySource | None = None,
    clock: Clock | None = None,
    environ: Mapping[str, str] = os.environ,
    disk: Disk | None = None,
) -> Home:
    """The home at `path`. `source` overrides where its root key is found. Raises `HomeError` when it is missing, was
    not created to its end, is damaged, has wrong settings, or is locked with another key."""
    if not path.is_dir():
        raise HomeError(f"There is no home at {path}. `strongroom init --home {path}` makes one.")
    if not (path / RING_FILE).exists():
        raise HomeError(_why_no_home(path))
    settings = load_settings(path, environ)
    if source is None and settings.key_provider:
        source = parse_source(settings.key_provider)
    disk = disk or Disk()
    keys = open_ring(path, source=source, disk=disk, allows=settings.outbound.allows)
    return _opened(path, keys, settings, clock, disk)


def _opened(path: Path, keys: KeyRing, settings: Settings, clock: Clock | None, disk: Disk) -> Home:
    running: Clock = MovableClock(path, clock) if keys.is_test_home else clock or SystemClock()
    home = Home(path, keys, settings, running, disk)
    home.environments()
    return home


def _require_empty(path: Path) -> None:
    if not path.exists():
        return
    if not path.is_dir():
        raise HomeError(f"{path} is a file; a home is made in a new or empty folder.")
    if (path / RING_FILE).exists():
        raise HomeError(f"{path} holds a home already. `strongroom serve --home {path}` opens it; nothing was changed.")
    if any(path.iterdir()):
        raise HomeError(f"{path} is not empty; a home is made in a new or empty folder. Nothing was changed.")


def _clear(path: Path, was_there: bool) -> None:
    """Take back a creation that failed; the folder was empty before."""
    for entry in path.iterdir() if path.is_dir() else ():
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    if not was_there and path.is_dir():
        path.rmdir()


def _why_no_home(path: Path) -> str:
    if (path / REGISTRY_FILE).exists() or (path / SETTINGS_FILE).exists():
        return (
            f"{path} is an incomplete home: {RING_FILE} is missing. If its creation was interrupted, remove the folder "
            f"and run `strongroom init` again; if it was complete once, restore {RING_FILE} from a backup."
        )
    return f"{path} is no home of Strongroom: it has no {RING_FILE}. `strongroom init` makes a home in an empty folder."


def _address_name(record: EnvironmentRecord) -> str:
    return f"database:{record.id}"


def _without_password(database: Secret) -> str:
    """The address for people. Raises `InvalidRequest` when it is none of PostgreSQL."""
    parts = urlsplit(database.reveal().decode())
    if parts.scheme not in ("postgresql", "postgres") or not parts.path.strip("/"):
        raise InvalidRequest("The database address must have the form postgresql://user:password@host:port/database.")
    user = f"{parts.username}@" if parts.username else ""
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, user + host, parts.path, "", ""))
