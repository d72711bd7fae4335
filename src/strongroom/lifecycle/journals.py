"""The journals of a home: what was changed after each back-up, kept beside it, so that every second comes back.

Entries wait in the store that they tell of (`strongroom.store.journal`). From there they go to segments in the folder
of back-ups, `<environment>/journal/<line>/<first>-<last>-<from>-<to>.segment`: sealed with a key that the environment
has for its journal, for exactly this place and this name. So a segment that was altered, renamed, cut, or comes from
another place does not open, and one that is missing leaves a gap in the numbers. A segment is whole on disk before its
entries leave the store; what a killed process leaves is at most in both, and counts once.
"""

import hashlib
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from strongroom.clock import iso
from strongroom.errors import BackupDamaged, HomeError, InvalidRequest, StrongroomError
from strongroom.home import EnvironmentRecord, Home
from strongroom.ids import Guid
from strongroom.keys import Secret
from strongroom.keys.disk import Disk, replace_file
from strongroom.keys.wrapping import RootKey, expand, unwrap, wrap
from strongroom.lifecycle.manifest import Manifest
from strongroom.opening import open_environment
from strongroom.store.journal import Entry, Position, position
from strongroom.store.protocol import Database

FOLDER = "journal"
_PURPOSE = "journal"
_SUFFIX = ".segment"
_SEGMENT_BYTES = 8 * 1024 * 1024
_SMALL, _LONGEST = 1024 * 1024, timedelta(hours=1)
"""Up to which size and for how long a segment is still added to."""

_STAMP = "%Y%m%dT%H%M%SZ"
_FRAME = struct.Struct(">QII")


@dataclass(frozen=True, slots=True)
class Segment:
    """A file of entries that follow each other: numbers of the first and the last one, and their times."""

    path: Path
    first: int
    last: int
    begins: datetime
    ends: datetime


class Later:
    """What was done after a back-up, up to the end of the second `until`. Goes through the entries as often as asked;
    a first time at once, so that a damaged one is found before anything is touched."""

    def __init__(self, read: Callable[[], Iterator[Entry]], until: datetime) -> None:
        self._read = read
        self.until = until
        self.number = 0
        digest = hashlib.sha256()
        for entry in read():
            digest.update(entry.body)
            self.number += 1
        self.sha256 = digest.hexdigest()

    def __iter__(self) -> Iterator[Entry]:
        return self._read()


@dataclass(frozen=True, slots=True)
class Window:
    """Every second from `begins` to `ends` can be had back."""

    begins: datetime
    ends: datetime


class Journals:
    """The journals of one home. `folder` is where its back-ups are."""

    def __init__(self, home: Home, folder: Path | None = None) -> None:
        self._home = home
        self._folder = folder or folder_of(home)

    # --- keeping ---

    def keep(self, record: EnvironmentRecord, database: Database) -> Position | None:
        """Move what waits in the store of an environment to segments; the newest entry, None without a journal."""
        newest = database.journal_position()
        if newest is None:
            return None
        folder = self._line(record.id, newest.line)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with Disk().lock(folder.parent / "lock"):
            kept = self._last(record.id, newest.line)
            reached = kept.last if kept else 0
            if reached >= newest.number:
                return newest
            while entries := database.journal_after(reached, _SEGMENT_BYTES):
                kept = self._write(record.id, newest.line, entries, kept)
                reached = kept.last
            database.forget_journal(reached)
        return newest

    def keep_of(self, record: EnvironmentRecord) -> Position | None:
        """The same of an environment that is not open here; one that does not open keeps what it has."""
        with suppress(StrongroomError):
            environment = open_environment(self._home, record.name)
            try:
                return self.keep(record, environment.database)
            finally:
                environment.close()
        return None

    def forget(self, environment: Guid, before: datetime) -> int:
        """Remove the segments that end before a moment; how many."""
        gone = 0
        for path in self._all(environment):
            if self._read_name(path).ends < before:
                path.unlink(missing_ok=True)
                gone += 1
        for folder in (self._folder / environment / FOLDER).glob("*"):
            with suppress(OSError):  # it is no folder, or it still holds segments
                folder.rmdir()
        return gone

    def remove_all(self, environment: Guid) -> None:
        """Remove all segments of an environment."""
        self.forget(environment, datetime.max.replace(tzinfo=UTC))

    # --- asking ---

    def windows(self, manifests: Iterable[Manifest], live: Position | None) -> list[Window]:
        """What can be had back of an environment with these back-ups, oldest first. `live` is the newest entry of its
        store: while all of that is kept, nothing was done since, and the last window reaches up to now."""
        found: list[Window] = []
        for manifest in manifests:
            start = position(manifest.journal)
            begins = _moment(manifest.taken_on)
            segments = self._after(manifest)
            ends = max(begins, segments[-1].ends) if segments else begins
            reached = segments[-1].last if segments else start.number if start else 0
            if live is not None and start is not None and (live.line, live.number) == (start.line, reached):
                ends = self._home.clock.now()
            if found and begins <= found[-1].ends:
                found[-1] = Window(found[-1].begins, max(found[-1].ends, ends))
            else:
                found.append(Window(begins, ends))
        return found

    def goes_on(self, manifest: Manifest) -> bool:
        """Whether something is kept of what was done after a back-up."""
        return bool(self._after(manifest))

    def later(self, manifest: Manifest, until: datetime) -> Later:
        """What was done after a back-up up to the end of a second. Raises `BackupDamaged` where a segment does not
        open, `InvalidRequest` where the journal does not reach that far."""
        limit = until.astimezone(UTC).replace(microsecond=0)
        start = position(manifest.journal)
        if start is None:
            if iso(limit) == manifest.taken_on:
                return Later(lambda: iter(()), limit)
            raise InvalidRequest(
                f"The back-up of {manifest.taken_on} was taken without a journal: name it by its id, or a later time.",
                details={"reason": "outside-window", "rule": "TS-409", "target": "at"},
            )
        self._require_reach(manifest, start, limit)
        environment, last = Guid(manifest.environment_id), iso(limit)

        def read() -> Iterator[Entry]:
            reached = start.number
            with Disk().lock(self._line(environment, start.line).parent / "lock"):  # nobody joins segments meanwhile
                for segment in self._after(manifest):
                    for entry in self._opened(environment, start.line, segment):
                        if entry.number <= reached:
                            continue
                        if entry.committed_on > last:
                            return
                        reached = entry.number
                        yield entry

        return Later(read, limit)

    def _require_reach(self, manifest: Manifest, start: Position, limit: datetime) -> None:
        """Refuse a second that lies behind a gap. The end of the last segment is no gap: nothing was done after it."""
        segments = self._after(manifest)
        reached = segments[-1].last if segments else start.number
        lost = [each for each in self._of_line(Guid(manifest.environment_id), start.line) if each.first > reached + 1]
        if lost and limit >= lost[0].begins:
            last = iso(segments[-1].ends) if segments else manifest.taken_on
            raise InvalidRequest(
                f"A part of the journal after {last} is missing: a point in time must lie between "
                f"{manifest.taken_on} and {last}.",
                details={"reason": "outside-window", "rule": "TS-409", "target": "at"},
            )

    def _after(self, manifest: Manifest) -> list[Segment]:
        """The segments after a back-up, up to the first gap."""
        start = position(manifest.journal)
        if start is None:
            return []
        reached, found = start.number, list[Segment]()
        for segment in self._of_line(Guid(manifest.environment_id), start.line):
            if segment.last <= reached:
                continue
            if segment.first > reached + 1:
                break
            found.append(segment)
            reached = segment.last
        return found

    # --- files ---

    def _write(self, environment: Guid, line: str, entries: list[Entry], before: Segment | None) -> Segment:
        """A segment of these entries, and of those of the one before it while that is small and of the same hour."""
        joined = self._joinable(environment, line, before, _moment(entries[0].committed_on))
        entries = [*joined, *entries]
        first, last = entries[0], entries[-1]
        times = sorted(_moment(each.committed_on) for each in entries)
        name = f"{first.number:012}-{last.number:012}-{times[0]:{_STAMP}}-{times[-1]:{_STAMP}}{_SUFFIX}"
        data = Secret(zlib.compress(_framed(entries)))
        sealed = wrap(self._key(environment), data, *self._place(environment, line, name))
        path = self._line(environment, line) / name
        replace_file(Disk(), path, sealed)
        if joined and before is not None:
            before.path.unlink(missing_ok=True)  # whoever reads meanwhile finds its entries twice, and counts them once
        return self._read_name(path)

    def _joinable(self, environment: Guid, line: str, before: Segment | None, moment: datetime) -> list[Entry]:
        """The entries of the newest segment, where they go into the next one too: there would be a file for every ten
        seconds otherwise. One that does not open stays as it is, for a restore to find."""
        if before is None or before.path.stat().st_size > _SMALL or before.begins < moment - _LONGEST:
            return []
        with suppress(BackupDamaged):
            return list(self._opened(environment, line, before))
        return []

    def _opened(self, environment: Guid, line: str, segment: Segment) -> Iterator[Entry]:
        place = self._place(environment, line, segment.path.name)
        try:
            data = unwrap(self._key(environment), segment.path.read_bytes(), *place).reveal()
        except (HomeError, OSError):
            raise BackupDamaged(
                f"A part of the journal, {segment.path.name}, does not open: it was altered, or its key is another one."
            ) from None
        return _unframed(zlib.decompress(data))

    def _last(self, environment: Guid, line: str) -> Segment | None:
        """The newest segment of a line. What an interrupted writing left is removed."""
        for path in self._line(environment, line).glob("*.new"):
            path.unlink(missing_ok=True)
        return max(self._of_line(environment, line), key=lambda each: each.last, default=None)

    def _of_line(self, environment: Guid, line: str) -> list[Segment]:
        found = [self._read_name(path) for path in self._line(environment, line).glob(f"*{_SUFFIX}")]
        return sorted(found, key=lambda each: (each.first, each.last))

    def _all(self, environment: Guid) -> Iterable[Path]:
        return (self._folder / environment / FOLDER).glob(f"*/*{_SUFFIX}")

    def _read_name(self, path: Path) -> Segment:
        parts = path.name.removesuffix(_SUFFIX).split("-")
        try:
            first, last, begins, ends = parts
            times = [datetime.strptime(each, _STAMP).replace(tzinfo=UTC) for each in (begins, ends)]
            return Segment(path, int(first), int(last), times[0], times[1])
        except ValueError:
            raise BackupDamaged(f"{path.name} is no part of a journal: it was renamed.") from None

    def _line(self, environment: Guid, line: str) -> Path:
        return self._folder / environment / FOLDER / line

    def _key(self, environment: Guid) -> RootKey:
        return expand(self._home.keys.environment_key(environment, _PURPOSE, self._home.clock))

    def _place(self, environment: Guid, line: str, name: str) -> tuple[str, ...]:
        return self._home.id, "journal", environment, line, name


def folder_of(home: Home) -> Path:
    """Where the back-ups of a home are."""
    folder = Path(home.settings.backup.folder or home.path / "backups")
    return folder if folder.is_absolute() else home.path / folder


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _framed(entries: Iterable[Entry]) -> bytes:
    data = bytearray()
    for entry in entries:
        told = entry.committed_on.encode()
        data += _FRAME.pack(entry.number, len(told), len(entry.body)) + told + entry.body
    return bytes(data)


def _unframed(data: bytes) -> Iterator[Entry]:
    at = 0
    while at < len(data):
        number, told, size = _FRAME.unpack_from(data, at)
        at += _FRAME.size
        yield Entry(number, data[at : at + told].decode(), data[at + told : at + told + size])
        at += told + size
