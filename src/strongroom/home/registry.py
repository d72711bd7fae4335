"""`environments.json`: which environments a home has, and where their stores are.

A record says `creating` until the environment is complete, so that one that was interrupted is never mistaken for a
finished one. Nothing in the file is secret: a connection string with its password is sealed in the key ring.
"""

import json
import re
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any, cast

from strongroom.clock import iso
from strongroom.errors import HomeError, InvalidRequest
from strongroom.ids import Guid, parse_guid
from strongroom.keys.disk import Disk, replace_file

REGISTRY_FILE = "environments.json"
CONTROL = "control"
_FORMAT = 1
_NAME = re.compile(r"[a-z][a-z0-9-]{0,61}[a-z0-9]|[a-z]")


class EnvironmentKind(Enum):
    """The control environment of the home, or one of business data."""

    CONTROL = "control"
    BUSINESS = "business"


class EnvironmentState(Enum):
    """Who gets in (TS-410, TS-412): everybody, System Administrators, or nobody.

    `creating` was not made to its end, `preparing` is being replaced (restore, copy, reset), `deleted` can be had back
    for a time.
    """

    CREATING = "creating"
    READY = "ready"
    ADMINISTRATION = "administration"
    SUSPENDED = "suspended"
    PREPARING = "preparing"
    DELETED = "deleted"


class EnvironmentType(Enum):
    """What an environment is for. Nothing overwrites a production environment; a trial ends by itself."""

    PRODUCTION = "production"
    SANDBOX = "sandbox"
    DEVELOPER = "developer"
    TRIAL = "trial"


@dataclass(frozen=True, slots=True)
class EnvironmentRecord:
    """One environment. `location` is a path relative to the home, or a PostgreSQL address without its password."""

    name: str
    id: Guid
    kind: EnvironmentKind
    engine: str
    location: str
    state: EnvironmentState
    created_on: datetime
    type: EnvironmentType = EnvironmentType.PRODUCTION
    region: str = ""
    """Where its data may lie: one of the home's regions, or nothing where the home has none."""

    generation: int = 0
    """How often all rows were replaced: page and delta tokens from before are void."""

    message: str = ""
    """What people are told while they are kept out."""

    deleted_on: datetime | None = None
    ends_on: datetime | None = None
    """When a trial ends, and when a deleted environment cannot be had back any more."""

    retention_days: int = 0
    """How long system back-ups are kept; 0 is what its type has."""

    is_held: bool = False
    """A legal hold: nothing of it is overwritten or destroyed (TS-411)."""


def require_name(name: str) -> None:
    """Raise `InvalidRequest` unless `name` can stand in a URL and before a host name."""
    if not _NAME.fullmatch(name):
        raise InvalidRequest(
            f"'{name}' is no name for an environment: it needs lower-case letters, digits and hyphens, begins with a "
            "letter, ends with a letter or digit, and has at most 63 characters."
        )


def read_registry(folder: Path, disk: Disk) -> tuple[EnvironmentRecord, ...]:
    """All records, in the order in which the environments were made. Raises `HomeError`."""
    data = disk.read(folder / REGISTRY_FILE)
    if data is None:
        raise HomeError(f"{folder / REGISTRY_FILE} is missing; restore it from a backup of the home.")
    try:
        document = json.loads(data)
        if document["format"] != _FORMAT:
            raise HomeError(
                f"{REGISTRY_FILE} has format {document['format']}; this version of Strongroom reads format {_FORMAT}."
            )
        return tuple(_record(entry) for entry in cast("list[dict[str, Any]]", document["environments"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise HomeError(
            f"{folder / REGISTRY_FILE} is damaged ({type(error).__name__}); restore it from a backup."
        ) from None


def write_registry(folder: Path, disk: Disk, records: tuple[EnvironmentRecord, ...]) -> None:
    """Replace the file durably."""
    entries = [
        {
            "name": record.name,
            "id": record.id,
            "kind": record.kind.value,
            "engine": record.engine,
            "location": record.location,
            "state": record.state.value,
            "created_on": iso(record.created_on),
            "type": record.type.value,
            "region": record.region,
            "generation": record.generation,
            "message": record.message,
            "deleted_on": record.deleted_on and iso(record.deleted_on),
            "ends_on": record.ends_on and iso(record.ends_on),
            "retention_days": record.retention_days,
            "is_held": record.is_held,
        }
        for record in records
    ]
    document = {"format": _FORMAT, "environments": entries}
    replace_file(disk, folder / REGISTRY_FILE, json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n")


def with_record(records: tuple[EnvironmentRecord, ...], changed: EnvironmentRecord) -> tuple[EnvironmentRecord, ...]:
    """`records` with one changed, by its id."""
    return tuple(changed if record.id == changed.id else record for record in records)


def with_state(
    records: tuple[EnvironmentRecord, ...], name: str, state: EnvironmentState
) -> tuple[EnvironmentRecord, ...]:
    """`records` with the state of one changed."""
    return tuple(replace(record, state=state) if record.name == name else record for record in records)


def _record(entry: "dict[str, Any]") -> EnvironmentRecord:
    guid = parse_guid(entry["id"])
    if guid is None:
        raise ValueError("not a GUID")
    return EnvironmentRecord(
        name=entry["name"],
        id=guid,
        kind=EnvironmentKind(entry["kind"]),
        engine=entry["engine"],
        location=entry["location"],
        state=EnvironmentState(entry["state"]),
        created_on=datetime.fromisoformat(entry["created_on"]),
        type=EnvironmentType(entry.get("type", "production")),
        region=str(entry.get("region", "")),
        generation=int(entry.get("generation", 0)),
        message=str(entry.get("message", "")),
        deleted_on=_moment(entry.get("deleted_on")),
        ends_on=_moment(entry.get("ends_on")),
        retention_days=int(entry.get("retention_days", 0)),
        is_held=entry.get("is_held") is True,
    )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
