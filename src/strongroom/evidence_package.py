"""The evidence of an incident in one file: what the register says, and what the trails of its scope prove (TS-1607).

A zip of JSON: `incident.json` with the timeline, scope, tasks and notifications; for each environment and user of the
scope `evidence-N.json` with entries, activities, the paths to a signed head and the public key; `manifest.json` with
the SHA-256 of each, signed with the key of the control environment's log. The same incident gives the same texts.
"""

import base64
import zipfile
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import orjson

from strongroom.audit.activities import Activity
from strongroom.audit.exports import encode_key
from strongroom.errors import InvalidRequest, NotFound
from strongroom.home import Home
from strongroom.home.registry import CONTROL
from strongroom.ids import Guid, Reference
from strongroom.incidents import tables
from strongroom.incidents.evidence import evidence_of
from strongroom.opening import open_environment
from strongroom.records.activity import tell
from strongroom.store.protocol import Row, Transaction
from strongroom.trail import Trail, signing_key

_PARTS = (tables.STEP, tables.SCOPE, tables.TASK, tables.NOTIFICATION)


def write_package(home: Home, incident: Guid, out: Path) -> int:
    """Write the package to a new file; how many entries and activities are in it. The control environment's activity
    log tells of it."""
    if out.exists():
        raise InvalidRequest(f"'{out}' is there already; remove it, or name another file.")
    register, scopes = _register(home, incident)
    texts = {"incident.json": _json(register)}
    number = 0
    for place, (name, user, since, until) in enumerate(scopes, 1):
        found, items = _evidence(home, name, user, since, until)
        texts[f"evidence-{place}.json"] = found
        number += items
    control = home.environment(CONTROL)
    key = signing_key(home, control.id)
    listed = {name: sha256(text).hexdigest() for name, text in texts.items()}
    said = {"Incident": incident, "Files": listed, "PublicKey": encode_key(key.public_key())}
    signature = base64.b64encode(key.sign(_json(said))).decode()
    with zipfile.ZipFile(out, "x", zipfile.ZIP_DEFLATED) as package:
        for name, text in {**texts, "manifest.json": _json({**said, "Signature": signature})}.items():
            package.writestr(name, text)
    return number


def _register(home: Home, incident: Guid) -> tuple[dict[str, object], list[tuple[str, Guid, str, str]]]:
    control = open_environment(home, CONTROL)
    try:
        with control.session_of("admin", write=True) as session:
            transaction = session.transaction
            about = transaction.row(session.table(tables.INCIDENT), incident)
            if about is None:
                raise NotFound(f"There is no incident {incident}.")
            parts = {name: _rows(transaction, name, about) for name in _PARTS}
            tell(
                session, Activity.EXPORT, table=tables.INCIDENT, row=incident, details={"command": "incidents evidence"}
            )
    finally:
        control.close()
    shown: dict[str, object] = {
        "incident": _shown(about),
        **{name: [_shown(row) for row in found] for name, found in parts.items()},
    }
    scopes = {
        (
            str(row.values["environment"]),
            Guid(str(row.values["principalid"])),
            str(row.values["fromtime"]),
            str(row.values["totime"]),
        )
        for row in parts[tables.SCOPE]
    }
    return shown, sorted(scopes)


def _rows(transaction: Transaction, name: str, incident: Row) -> list[Row]:
    return transaction.rows_where(transaction.schema.tables[name], {"securityincidentid": incident.reference()})


def _evidence(home: Home, name: str, user: Guid, since: str, until: str) -> tuple[bytes, int]:
    environment = open_environment(home, name)
    try:
        trail = Trail(home, environment)
        trail.seal()
        with environment.session_of("admin", write=False) as session:
            found = evidence_of(session, user, datetime.fromisoformat(since), datetime.fromisoformat(until))
        said = {
            "Environment": name,
            "UserId": user,
            "From": since,
            "To": until,
            "PublicKey": encode_key(trail.public_key),
        }
    finally:
        environment.close()
    items = found["Items"]
    return _json({**said, **found}), len(items) if isinstance(items, list) else 0  # pyright: ignore[reportUnknownArgumentType]  # a list of JSON objects


def _json(value: object) -> bytes:
    """JSON with sorted names: the same values give the same bytes."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _shown(row: Row) -> dict[str, object]:
    """A row as JSON: lookups as their ids."""
    return {
        name: value.id if isinstance(value, Reference) else value
        for name, value in sorted(row.values.items())
        if value is not None
    }
