"""Restoring a back-up: in the place of the environment that it is of, of another one, or as a new one (TS-409)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from strongroom.clock import iso
from strongroom.errors import BackupDamaged, HomeError, InvalidRequest, StrongroomError
from strongroom.home import EnvironmentKind, EnvironmentRecord, EnvironmentState, EnvironmentType, Home
from strongroom.ids import Guid
from strongroom.keys import Secret
from strongroom.lifecycle.backups import SYSTEM, Backups
from strongroom.lifecycle.forks import forking, newest_head
from strongroom.lifecycle.journals import Journals, Later
from strongroom.lifecycle.manifest import Manifest
from strongroom.lifecycle.replacing import being_replaced, replace_store, require_replaceable
from strongroom.store.copying import Receiver


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored: the environment as it is now, and the back-up of what was there before, if it opened."""

    environment: EnvironmentRecord
    manifest: Manifest
    before: Manifest | None
    later: Later | None = None
    """What was done again after the back-up."""


def restore(
    home: Home,
    manifest: Manifest,
    target: str,
    *,
    by: str,
    database: Secret | None = None,
    region: str = "",
    until: datetime | None = None,
) -> Restored:
    """Put a back-up in the place of the environment `target`, or make a sandbox of that name.

    With `until` everything is done again that was done after the back-up, up to the end of that second. `database` is
    the address for a new environment in PostgreSQL. Raises `BackupDamaged` before anything is touched.
    """
    backups = Backups(home)
    backups.require_whole(manifest)
    later = Journals(home).later(manifest, until) if until is not None else None
    known = next((record for record in home.environments() if record.name == target), None)
    if known is None:
        made = _made(home, manifest, target, database, region, by, later)
        return Restored(made, manifest, None, later)
    if known.kind is EnvironmentKind.CONTROL:
        raise InvalidRequest(
            "The control environment says who may do what in the home; it is restored with the home as a whole, from a "
            "copy of its folder."
        )
    if database is not None:
        raise InvalidRequest(f"There is an environment '{target}' already; leave out its database's address.")
    require_replaceable(known)
    if known.region != manifest.region:
        raise _outside(known.region, manifest.region)
    is_own = known.id == manifest.environment_id
    before = _safety_copy(backups, known)
    note = forking(home, known, _source(manifest, later), newest_head(home, known), by=by, is_own=is_own)
    with being_replaced(home, known):
        replace_store(
            home,
            known,
            _reading(backups, manifest),
            manifest.engine,
            note,
            has_new_key=not is_own,
            of=Guid(manifest.environment_id),
            entries=later or (),
        )
    return Restored(home.record(target), manifest, before, later)


def _made(
    home: Home,
    manifest: Manifest,
    target: str,
    database: Secret | None,
    region: str,
    by: str,
    later: Later | None,
) -> EnvironmentRecord:
    """A new sandbox with the state of a back-up; nothing is left of one that could not be completed."""
    if (database is not None) != (manifest.engine == "postgresql"):
        raise InvalidRequest(
            "A back-up of a store in PostgreSQL needs --database for a new environment."
            if database is None
            else "A back-up of a file is restored to a file; leave out --database."
        )
    if region and region != manifest.region:
        raise _outside(region, manifest.region)
    record, _ = home.add_environment(
        target, EnvironmentKind.BUSINESS, database, type=EnvironmentType.SANDBOX, region=manifest.region
    )
    try:
        note = forking(home, record, _source(manifest, later), None, by=by, is_own=False)
        of, reading = Guid(manifest.environment_id), _reading(Backups(home), manifest)
        replace_store(home, record, reading, manifest.engine, note, has_new_key=True, of=of, entries=later or ())
    except BaseException:
        home.drop_environment(target)
        raise
    return home.change_environment(replace(record, state=EnvironmentState.ADMINISTRATION))


def _reading(backups: Backups, manifest: Manifest) -> Callable[[Callable[[Secret | None], Receiver]], Receiver]:
    return lambda make: backups.read(manifest, make)


def _safety_copy(backups: Backups, record: EnvironmentRecord) -> Manifest | None:
    """What is there before it is replaced, so that a restore can be undone; None when it does not open any more."""
    try:
        return backups.take(record.name, kind=SYSTEM, label="before a restore")
    except (HomeError, BackupDamaged):
        return None
    except StrongroomError as error:
        if error.status == 500:  # the file is damaged, which is what one restores for
            return None
        raise


def _source(manifest: Manifest, later: Later | None) -> dict[str, str]:
    moment = {"PointInTime": iso(later.until), "JournalSha256": later.sha256} if later is not None else {}
    return {
        **moment,
        "Backup": manifest.id,
        "TakenOn": manifest.taken_on,
        "Sha256": manifest.sha256,
        "Of": manifest.environment_id,
    }


def _outside(there: str, wanted: str) -> InvalidRequest:
    return InvalidRequest(
        f"The back-up lies in the region '{wanted or 'none'}' and does not leave it for '{there or 'none'}'.",
        details={"reason": "outside-geography", "rule": "TS-409"},
    )


def described(restored: Restored) -> dict[str, object]:
    """For programs."""
    return {
        "environment": restored.environment.name,
        "backup": restored.manifest.id,
        "takenOn": restored.manifest.taken_on,
        "pointInTime": iso(restored.later.until) if restored.later else None,
        "unitsOfWork": restored.later.number if restored.later else 0,
        "rows": restored.manifest.total_rows,
        "before": restored.before.id if restored.before else None,
        "state": restored.environment.state.value,
    }
