"""The rows of the control environment that follow what is on disk: environments, back-ups, certificates.

The home's registry and the manifests are what counts; a killed process leaves rows behind that are put right here.
"""

from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from typing import cast

import orjson

from strongroom.clock import iso
from strongroom.errors import NotFound
from strongroom.estate import Ledger
from strongroom.estate.ledger import when
from strongroom.home import EnvironmentRecord, EnvironmentState, EnvironmentType, Home
from strongroom.ids import Guid
from strongroom.lifecycle.backups import SYSTEM, Backups
from strongroom.store.protocol import Value

_TYPES = (EnvironmentType.PRODUCTION, EnvironmentType.SANDBOX, EnvironmentType.DEVELOPER, EnvironmentType.TRIAL)
_LOCKED, _PURGED = 4, 6
_STATES = {
    EnvironmentState.READY: 1,
    EnvironmentState.PREPARING: 2,
    EnvironmentState.CREATING: 7,
    EnvironmentState.ADMINISTRATION: 3,
    EnvironmentState.DELETED: 5,
    EnvironmentState.SUSPENDED: 8,
}


def mirror(home: Home, ledger: Ledger) -> None:
    """Make the rows of `environment` say what the registry says."""
    records = {record.id: record for record in home.environments()}
    for record in records.values():
        ledger.put("environment", record.id, _row(home, record))
    for row in ledger.rows("environment"):
        if row.id not in records and row.values.get("state") != _PURGED:
            gone = f"{row.values['uniquename']}~{row.id}"  # its name may be given again
            ledger.change("environment", row.id, {"state": _PURGED, "sizebytes": 0, "uniquename": gone})


def mirror_backups(home: Home, ledger: Ledger) -> None:
    """Make the rows of `environmentbackup` follow the manifests; removed back-ups stay as rows."""
    manifests = {manifest.id: manifest for manifest in Backups(home).listed()}
    known = {row.id: row for row in ledger.rows("environmentbackup")}
    for manifest in manifests.values():
        if Guid(manifest.id) in known:
            continue
        values: dict[str, Value] = {
            "name": f"{manifest.environment} {manifest.taken_on}",
            "environmentuid": manifest.environment_id,
            "environmentname": manifest.environment,
            "kind": 1 if manifest.kind == SYSTEM else 2,
            "label": manifest.label or None,
            "takenon": manifest.taken_on,
            "expireson": manifest.expires_on or None,
            "sizebytes": manifest.size_bytes,
            "rows": manifest.total_rows,
            "sha256": manifest.sha256,
            "keyversion": manifest.key_version,
            "treesize": manifest.tree_size,
        }
        ledger.add("environmentbackup", values, Guid(manifest.id))
        with suppress(NotFound):
            ledger.change("environment", Guid(manifest.environment_id), {"lastbackupon": manifest.taken_on})
    for row_id, row in known.items():
        if row_id not in manifests and row.values.get("removedon") is None:
            ledger.change("environmentbackup", row_id, {"removedon": iso(home.clock.now())})


def note_certificate(ledger: Ledger, document: Mapping[str, object]) -> None:
    """Keep a certificate of deletion."""
    about = cast("Mapping[str, str]", document["Environment"])
    text = orjson.dumps(document, option=orjson.OPT_SORT_KEYS).decode()
    digest = sha256(text.encode()).hexdigest()
    values: dict[str, Value] = {
        "name": about["Name"],
        "environmentuid": about["Id"],
        "document": text,
        "sha256": digest,
    }
    ledger.add("deletioncertificate", values)


def _row(home: Home, record: EnvironmentRecord) -> dict[str, Value]:
    keys = home.keys.document.environments.get(record.id)
    lock = home.keys.customer.lock_of(record.id)
    size = None
    if record.engine == "sqlcipher":
        with suppress(OSError):
            size = home.database_file(record).stat().st_size
    return {
        "name": record.name,
        "uniquename": record.name,
        "environmenttype": 1 + _TYPES.index(record.type),
        "state": _LOCKED if lock else _STATES[record.state],
        "isheld": record.is_held,
        "region": record.region or None,
        "engine": 1 if record.engine == "sqlcipher" else 2,
        "sizebytes": size,
        "message": record.message or None,
        "deletedon": when(record.deleted_on),
        "recoverableuntil": when(record.ends_on) if record.state is EnvironmentState.DELETED else None,
        "backupretentiondays": Backups(home).retention(record).days,
        "keyversion": keys.active.version if keys else None,
        "lockedby": lock.name if lock else None,
    }
