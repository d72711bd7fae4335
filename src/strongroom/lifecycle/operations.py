"""Every operation on environments by its name: done under the home's lock, and written down before and after (TS-413).

The command line does an operation at once. The Web API writes one down as requested, and the server's upkeep does it:
it may take longer than a request, and it goes on in another process when the first one is killed.
"""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import cast

import orjson

from strongroom.clock import iso, moment_of
from strongroom.environment import Environment
from strongroom.errors import InvalidRequest, StrongroomError
from strongroom.estate import Ledger
from strongroom.estate.ledger import add
from strongroom.estate.tables import FAILED, REQUESTED, RUNNING, SUCCEEDED
from strongroom.home import EnvironmentRecord, EnvironmentState, EnvironmentType, Home
from strongroom.home.registry import CONTROL
from strongroom.ids import Guid, new_guid
from strongroom.keys import Secret
from strongroom.keys.disk import Disk
from strongroom.lifecycle import custody, environments
from strongroom.lifecycle.backups import MANUAL, SYSTEM, Backups, Tell, silent
from strongroom.lifecycle.encryption_proof import prove_encryption
from strongroom.lifecycle.isolation_proof import prove_isolation
from strongroom.lifecycle.manifest import Manifest
from strongroom.lifecycle.mirroring import mirror, mirror_backups, note_certificate
from strongroom.lifecycle.portability import export_everything, import_everything
from strongroom.lifecycle.restoring import described, restore
from strongroom.opening import ledger_in, open_environment
from strongroom.records import Session
from strongroom.store.protocol import Value

Answer = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Asked:
    """What an operation is told: texts by name, who asks, and whom to tell how far it is. `database` is the address of
    a new environment in PostgreSQL, which is never written down."""

    arguments: Mapping[str, str]
    by: str
    database: Secret | None = None
    tell: Tell = silent

    def text(self, name: str) -> str:
        """An argument that must be there."""
        value = self.arguments.get(name, "")
        if not value:
            raise InvalidRequest(f"The operation needs '{name}'.")
        return value

    def optional(self, name: str) -> str:
        """An argument, empty when it is not there."""
        return self.arguments.get(name, "")


_Do = Callable[[Home, Ledger, Asked], Answer]


def perform(home: Home, kind: str, asked: Asked) -> Answer:
    """Do an operation now; what there is to say of it. Raises what it raises, which is written down too."""
    with _control(home) as ledger:
        row = new_guid(home.clock)
        with _marked(home, row):
            ledger.add("environmentoperation", _row(kind, asked, RUNNING, iso(home.clock.now())), row)
            return _done(home, ledger, row, kind, asked)


def request(session: Session, kind: str, arguments: Mapping[str, str], by: str) -> Guid:
    """Write an operation down, in a session on the control environment, for the server to do; its id."""
    return add(session, "environmentoperation", _row(kind, Asked(arguments, by), REQUESTED, None)).id


def perform_requested(home: Home, ledger: Ledger) -> int:
    """Do what was asked for by the Web API, oldest first; how many."""
    waiting = ledger.rows("environmentoperation", result=REQUESTED)
    for row in waiting:
        arguments = orjson.loads(str(row.values.get("arguments") or "{}"))
        asked = Asked(arguments, str(row.values.get("requestedby") or ""))
        with _marked(home, row.id), suppress(StrongroomError):  # written down; whoever asked reads it there
            ledger.change("environmentoperation", row.id, {"result": RUNNING, "startedon": iso(home.clock.now())})
            _done(home, ledger, row.id, str(row.values["kind"]), asked)
    return len(waiting)


def settle(home: Home, ledger: Ledger) -> int:
    """Say of operations that a killed process left running that they failed; how many."""
    lost = 0
    for row in ledger.rows("environmentoperation", result=RUNNING):
        with Disk().lock(_marker(home, row.id), wait=False) as is_free:
            if is_free:
                detail = "It was interrupted. The environment is as it was before it, or as it should be after it."
                ledger.change(
                    "environmentoperation", row.id, {"result": FAILED, "endedon": _now(home), "detail": detail}
                )
                lost += 1
        if is_free:
            _marker(home, row.id).unlink(missing_ok=True)
    if lost:
        mirror(home, ledger)
    return lost


def _marker(home: Home, row: Guid) -> Path:
    folder = home.path / "operations"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / row


@contextmanager
def _marked(home: Home, row: Guid) -> Generator[None]:
    """Hold a lock that ends with the process, so that others see whether the operation goes on."""
    marker = _marker(home, row)
    try:
        with Disk().lock(marker):
            yield
    finally:
        marker.unlink(missing_ok=True)


def _done(home: Home, ledger: Ledger, row: Guid, kind: str, asked: Asked) -> Answer:
    do = OPERATIONS.get(kind)
    try:
        if do is None:
            raise InvalidRequest(f"There is no operation '{kind}'.")
        answer = do(home, ledger, asked)
    except BaseException as error:
        detail = error.message if isinstance(error, StrongroomError) else type(error).__name__
        mirror(home, ledger)
        ledger.change("environmentoperation", row, {"result": FAILED, "endedon": _now(home), "detail": detail})
        raise
    text = orjson.dumps(answer, option=orjson.OPT_SORT_KEYS, default=str).decode()
    rows = answer.get("rows")
    mirror(home, ledger)
    ledger.change(
        "environmentoperation",
        row,
        {
            "result": SUCCEEDED,
            "endedon": _now(home),
            "detail": text,
            "rowsafter": rows if isinstance(rows, int) else None,
            "sha256": sha256(text.encode()).hexdigest(),
        },
    )
    return {**answer, "operation": row}


def _row(kind: str, asked: Asked, result: int, started: str | None) -> dict[str, Value]:
    told = asked.arguments
    source, target = told.get("source") or told.get("name") or "", told.get("target") or told.get("to") or ""
    return {
        "name": " ".join(part for part in (kind, source, target) if part),
        "kind": kind,
        "source": source,
        "target": target,
        "arguments": orjson.dumps(dict(told)).decode(),
        "requestedby": asked.by[:200],
        "startedon": started,
        "result": result,
    }


@contextmanager
def _control(home: Home) -> Generator[Ledger]:
    control: Environment = open_environment(home, CONTROL)
    try:
        yield ledger_in(control)
    finally:
        control.close()


def _now(home: Home) -> str:
    return iso(home.clock.now())


# --- each of them -----------------------------------------------------------------------------------------------------


def _backup(home: Home, ledger: Ledger, asked: Asked) -> Answer:
    kind = SYSTEM if asked.optional("kind") == SYSTEM else MANUAL
    manifest = Backups(home).take(asked.text("name"), kind=kind, label=asked.optional("label"), tell=asked.tell)
    mirror_backups(home, ledger)
    return _backup_said(manifest)


def _backup_said(manifest: Manifest) -> dict[str, object]:
    return {
        "backup": manifest.id,
        "environment": manifest.environment,
        "takenOn": manifest.taken_on,
        "rows": manifest.total_rows,
        "sizeBytes": manifest.size_bytes,
        "sha256": manifest.sha256,
    }


def _verify_backup(home: Home, ledger: Ledger, asked: Asked) -> Answer:
    backups = Backups(home)
    manifest = backups.find(asked.text("backup"))
    found = backups.verify(manifest)
    mirror_backups(home, ledger)
    if not found.doubts:
        ledger.change("environmentbackup", Guid(manifest.id), {"verifiedon": _now(home)})
    return {"backup": manifest.id, "rows": found.rows, "entries": found.entries, "doubts": list(found.doubts)}


def _remove_backup(home: Home, ledger: Ledger, asked: Asked) -> Answer:
    backups = Backups(home)
    manifest = backups.find(asked.text("backup"))
    held = next((each for each in home.environments() if each.id == manifest.environment_id and each.is_held), None)
    if held is not None:
        environments.require_free(held)
    backups.remove(manifest)
    mirror_backups(home, ledger)
    return {"backup": manifest.id}


def _restore(home: Home, ledger: Ledger, asked: Asked) -> Answer:
    manifest, moment = _chosen(home, asked)
    with home.operating():
        restored = restore(home, manifest, asked.text("to"), by=asked.by, database=asked.database, until=moment)
    mirror_backups(home, ledger)
    return described(restored)


def _chosen(home: Home, asked: Asked) -> tuple[Manifest, datetime | None]:
    """The back-up to begin with, and the second up to whose end what was done after it is done again."""
    backups, at = Backups(home), asked.optional("at")
    if not at:
        return backups.find(asked.text("backup")), None
    record = home.record(asked.text("name"))
    moment = moment_of(at)
    if moment is None:
        raise InvalidRequest(
            f"'{at[:60]}' is no moment: give one with its zone, such as 2026-05-01T10:15:00Z.",
            details={"reason": "outside-window", "rule": "TS-409", "target": "at"},
        )
    live = backups.journals.keep_of(record)
    windows = backups.journals.windows(backups.listed(record.id), live)
    moment = moment.astimezone(UTC).replace(microsecond=0)
    found = backups.newest_at(record.id, moment)
    if found is None or not any(each.begins <= moment <= each.ends for each in windows):
        told = " or ".join(f"between {iso(each.begins)} and {iso(each.ends)}" for each in windows[-5:])
        raise InvalidRequest(
            f"A point in time must lie {told}." if told else "There is no back-up to begin with: take one first.",
            details={"reason": "outside-window", "rule": "TS-409", "target": "at"},
        )
    return found, moment


def _export(home: Home, _: Ledger, asked: Asked) -> Answer:
    recipients = tuple(asked.optional("recipients").split())
    path = Path(asked.text("file"))
    manifest = export_everything(home, asked.text("name"), path, recipients=recipients, tell=asked.tell)
    files = cast("dict[str, dict[str, int]]", manifest["Files"])
    rows = [facts["rows"] for facts in files.values() if "rows" in facts]
    return {
        "rows": sum(rows),
        "tables": len(rows),
        "publicKey": manifest["PublicKey"],
        "signature": manifest["Signature"],
    }


def _import(home: Home, _: Ledger, asked: Asked) -> Answer:
    with home.operating():
        made = import_everything(
            home,
            Path(asked.text("file")),
            asked.text("to"),
            by=asked.by,
            database=asked.database,
            public_key=asked.optional("publickey") or None,
            tell=asked.tell,
        )
    return _said(made)


def _create(home: Home, _: Ledger, asked: Asked) -> Answer:
    kind = EnvironmentType(asked.optional("type") or "sandbox")
    with home.operating():
        made = environments.create(
            home, asked.text("name"), kind, region=asked.optional("region"), database=asked.database
        )
    return _said(made)


def _copy(home: Home, _: Ledger, asked: Asked) -> Answer:
    everything = asked.optional("kind") != "structure"
    with home.operating():
        made = environments.copy(
            home,
            asked.text("source"),
            asked.text("target"),
            everything=everything,
            by=asked.by,
            database=asked.database,
        )
    return _said(made)


def _simple(change: Callable[[Home, Asked], EnvironmentRecord]) -> _Do:
    def do(home: Home, _: Ledger, asked: Asked) -> Answer:
        with home.operating():
            return _said(change(home, asked))

    return do


def _purge(home: Home, ledger: Ledger, asked: Asked) -> Answer:
    with home.operating():
        document = environments.purge(home, asked.text("name"), by=asked.by)
    note_certificate(ledger, document)
    mirror_backups(home, ledger)
    return {"certificate": document}


def _prove_isolation(home: Home, _: Ledger, asked: Asked) -> Answer:
    return prove_isolation(home, asked.text("names").split(","), by=asked.by)


def _prove_encryption(home: Home, _: Ledger, asked: Asked) -> Answer:
    return prove_encryption(home, asked.text("name"))


def _add_key(home: Home, ledger: Ledger, asked: Asked) -> Answer:
    unprotected = asked.optional("unprotected") == "yes"
    key = custody.add_key(home, ledger, asked.text("key"), asked.text("address"), unprotected=unprotected, by=asked.by)
    return {"key": key.name, "version": key.version}


def _assign_key(home: Home, ledger: Ledger, asked: Asked) -> Answer:
    names = [name for name in asked.optional("keys").split(",") if name]
    with home.operating():
        custody.assign_key(home, ledger, asked.text("name"), names, by=asked.by)
    return {"environment": asked.text("name"), "keys": names}


def _rotate_key(home: Home, ledger: Ledger, asked: Asked) -> Answer:
    key = custody.rotate_key(home, ledger, asked.text("key"), asked.optional("address") or None, by=asked.by)
    return {"key": key.name, "version": key.version}


def _revoke_key(home: Home, ledger: Ledger, asked: Asked) -> Answer:
    names = custody.revoke_key(home, ledger, asked.text("key"), asked.optional("reason"), by=asked.by)
    return {"key": asked.text("key"), "environments": names}


def _restore_key(home: Home, ledger: Ledger, asked: Asked) -> Answer:
    return {"key": asked.text("key"), "environments": custody.restore_key(home, ledger, asked.text("key"), by=asked.by)}


def _remove_key(home: Home, ledger: Ledger, asked: Asked) -> Answer:
    custody.remove_key(home, ledger, asked.text("key"), by=asked.by)
    return {"key": asked.text("key")}


def _said(record: EnvironmentRecord) -> dict[str, object]:
    return {
        "environment": record.name,
        "id": record.id,
        "type": record.type.value,
        "state": record.state.value,
        "engine": record.engine,
        "region": record.region,
        "endsOn": iso(record.ends_on) if record.ends_on else None,
    }


def _state(state: EnvironmentState) -> _Do:
    return _simple(
        lambda home, asked: environments.set_state(home, asked.text("name"), state, asked.optional("message"))
    )


OPERATIONS: Mapping[str, _Do] = {
    "backup": _backup,
    "verify-backup": _verify_backup,
    "remove-backup": _remove_backup,
    "restore": _restore,
    "export": _export,
    "import": _import,
    "create": _create,
    "copy": _copy,
    "reset": _simple(lambda home, asked: environments.reset(home, asked.text("name"), by=asked.by)),
    "suspend": _state(EnvironmentState.SUSPENDED),
    "administer": _state(EnvironmentState.ADMINISTRATION),
    "open": _state(EnvironmentState.READY),
    "convert": _simple(
        lambda home, asked: environments.convert(home, asked.text("name"), EnvironmentType(asked.text("type")))
    ),
    "move": _simple(lambda home, asked: environments.move(home, asked.text("name"), asked.text("region"))),
    "hold": _simple(lambda home, asked: environments.hold(home, asked.text("name"), is_held=True)),
    "release": _simple(lambda home, asked: environments.hold(home, asked.text("name"), is_held=False)),
    "retain": _simple(lambda home, asked: environments.retain(home, asked.text("name"), int(asked.text("days")))),
    "delete": _simple(
        lambda home, asked: environments.delete(home, asked.text("name"), days=int(asked.optional("days") or 7))
    ),
    "add-key": _add_key,
    "assign-key": _assign_key,
    "rotate-key": _rotate_key,
    "revoke-key": _revoke_key,
    "restore-key": _restore_key,
    "remove-key": _remove_key,
    "recover": _simple(lambda home, asked: environments.recover(home, asked.text("name"))),
    "purge": _purge,
    "prove-isolation": _prove_isolation,
    "prove-encryption": _prove_encryption,
}
"""What is done, by the name under which it is asked for and written down."""
