"""Operations on solutions that a client does not wait for: rows of `asyncoperation` with what they need, and doing one.

An operation waits as *Ready*, with its arguments and its file. Whoever runs it (`solution_jobs` in a server) claims it,
runs it in one transaction as the user who asked, and writes how it ended. Nothing of a failed one is there; an import
that was interrupted with its process is simply run again.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import cast

from strongroom.errors import InvalidRequest, NotFound, StrongroomError
from strongroom.ids import Guid, Reference, new_guid, parse_guid
from strongroom.records import Session, delete, require
from strongroom.records.create import store_new
from strongroom.schema.model import Rights
from strongroom.solutions.archive import open_archive
from strongroom.solutions.contents import find_solution
from strongroom.solutions.exporting import export_solution
from strongroom.solutions.import_jobs import JOBS, complete_job, fail_job, show_progress
from strongroom.solutions.importing import ImportOptions, import_solution
from strongroom.solutions.reading import read_solution
from strongroom.solutions.upgrading import promote, stage_and_upgrade
from strongroom.store.protocol import Row, StoredFile, Transaction

OPERATIONS = "asyncoperation"
_FILE = "datablobid"
_SEAL = "dependencytoken"
"""A column that is set when the row is made and never again."""

_READY, _SUSPENDED, _LOCKED, _COMPLETED = 0, 1, 2, 3
_WAITING, _STAGED, _IN_PROGRESS, _SUCCEEDED, _FAILED = 0, 10, 20, 30, 31
_MOST_TRIES = 3


class Work(IntEnum):
    """What is done, by `operationtype`."""

    EXPORT = 202
    IMPORT = 203
    PROMOTE = 207
    UNINSTALL = 208
    UPGRADE = 211


_TITLES = {
    Work.EXPORT: "Export of the solution",
    Work.IMPORT: "Import of the solution",
    Work.PROMOTE: "Upgrade in place of the solution",
    Work.UNINSTALL: "Removal of the solution",
    Work.UPGRADE: "Upgrade of the solution",
}


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody asks for: which work, on which solution, with which arguments and file."""

    work: Work
    solution: str
    arguments: Mapping[str, object]
    file: bytes | None = None


def queue(session: Session, order: Order, *, waits: bool = False) -> Guid:
    """Keep an order until somebody runs it; with `waits` it is never run, and only its file is kept.

    Who may write the row could let others do what they did not ask for: a digest in a column that nobody can change
    tells."""
    table = session.table(OPERATIONS)
    data = json.dumps({"solution": order.solution, "is_staged": waits, **order.arguments})
    values: dict[str, object] = {
        "name": f"{_TITLES[order.work]} {order.solution}"[:256],
        "operationtype": order.work.value,
        "messagename": order.work.name.capitalize(),
        "statecode": _SUSPENDED if waits else _READY,
        "statuscode": _STAGED if waits else _WAITING,
        "retrycount": 0,
        "data": data,
        _SEAL: _sealed(data, order.file),
    }
    row = store_new(session, table, values)
    if order.file is not None:
        _keep(session, row, f"{order.solution}.zip", order.file)
    return row.id


def staged_file(session: Session, upload: Guid) -> bytes:
    """The file that `queue` keeps for somebody who staged it."""
    row = _own(session, upload)
    if row.values.get("operationtype") != Work.IMPORT or row.values.get("statecode") != _SUSPENDED:
        raise NotFound(f"There is no staged solution with the id {upload}.")
    body = _body(session.transaction, row)
    if body is None:
        raise NotFound(f"There is no staged solution with the id {upload}.")
    return body


def exported_file(session: Session, job: Guid) -> bytes:
    """What an export has made. Raises while it has not."""
    row = _own(session, job)
    if row.values.get("operationtype") != Work.EXPORT:
        raise NotFound(f"There is no export with the id {job}.")
    body = _body(session.transaction, row)
    if body is None or row.values.get("statuscode") != _SUCCEEDED:
        state = {_FAILED: "failed"}.get(cast(int, row.values.get("statuscode")), "is not done yet")
        raise InvalidRequest(f"The export {job} {state}: {row.values.get('friendlymessage') or 'ask again later'}.")
    return body


# --- running -------------------------------------------------------------------------------------------------------


def waiting(transaction: Transaction) -> list[Guid]:
    """The operations that wait, or were interrupted, oldest first. Call it while nobody else runs one."""
    table = transaction.schema.tables[OPERATIONS]
    found = [
        row
        for state in (_READY, _LOCKED)
        for row in transaction.rows_where(table, {"statecode": state})
        if row.values.get("operationtype") in _TITLES
    ]
    return [row.id for row in sorted(found, key=lambda row: row.key)]


def claim(session: Session, operation: Guid) -> Row | None:
    """Take an operation on: it is in progress from here. None when it was interrupted too often, which fails it."""
    row = session.transaction.row(session.table(OPERATIONS), operation)
    if row is None or row.values.get("statecode") not in (_READY, _LOCKED) or row.values.get("completedon") is not None:
        return None
    tries = cast(int, row.values.get("retrycount") or 0)
    if tries >= _MOST_TRIES:
        fail(session, row, InvalidRequest(f"The operation was interrupted {tries} times and is given up."))
        return None
    started = {"statecode": _LOCKED, "statuscode": _IN_PROGRESS, "startedon": session.now, "retrycount": tries + 1}
    session.transaction.update(row, started)
    job = _job(session, row)
    if job is not None:
        show_progress(session, job, 10.0)
    return row


def who_asked(transaction: Transaction, operation: Guid) -> tuple[Guid, Guid | None]:
    """The user who asked for an operation, and whom they acted for."""
    row = transaction.row(transaction.schema.tables[OPERATIONS], operation)
    if row is None:
        raise NotFound(f"There is no operation {operation}.")
    user, behalf = row.values.get("createdby"), row.values.get("createdonbehalfby")
    if not isinstance(user, Reference):
        raise NotFound(f"Nobody asked for the operation {operation}.")
    return (behalf.id, user.id) if isinstance(behalf, Reference) else (user.id, None)


def run(session: Session, operation: Guid) -> None:
    """Do what was asked for, and say so. Raises what refuses it; the transaction is then to be undone."""
    row = session.transaction.row(session.table(OPERATIONS), operation)
    if row is None:
        return
    data, body = str(row.values.get("data") or "{}"), _body(session.transaction, row)
    arguments = cast("dict[str, object]", json.loads(data))
    if row.values.get(_SEAL) != _sealed(data, body) or arguments.get("is_staged") is True:
        raise InvalidRequest("The operation is not what was asked for: it was changed since, or was only staged.")
    name = str(arguments.get("solution"))
    match row.values.get("operationtype"):
        case Work.IMPORT | Work.UPGRADE:
            _import(session, row, arguments, body)
        case Work.EXPORT:
            made = export_solution(session, name, as_managed=arguments.get("managed") is True)
            _keep(session, row, f"{name}.zip", made)
        case Work.PROMOTE:
            promote(session, name)
        case Work.UNINSTALL:
            installed = known_solution(session, name)
            delete(session, installed.table, installed.id)
        case _:
            raise InvalidRequest(f"Nobody knows how to do the operation {operation}.")
    done = {"statecode": _COMPLETED, "statuscode": _SUCCEEDED, "completedon": session.now}
    session.transaction.update(row, {**done, "friendlymessage": "Completed"})


def fail(session: Session, row: Row, error: StrongroomError) -> None:
    """Say that an operation was refused, and why."""
    session.transaction.update(
        row,
        {
            "statecode": _COMPLETED,
            "statuscode": _FAILED,
            "completedon": session.now,
            "errorcode": _signed(error.code),
            "friendlymessage": error.message,
            "message": error.message,
        },
    )
    job = _job(session, row)
    if job is not None:
        fail_job(session, job, error)


def _import(session: Session, row: Row, arguments: Mapping[str, object], body: bytes | None) -> None:
    if body is None:
        raise InvalidRequest("The file of the solution is gone.")
    archive = open_archive("CustomizationFile", body)
    solution = read_solution(archive)
    overwrites = arguments.get("overwrites") is True
    if row.values.get("operationtype") == Work.UPGRADE:
        imported, _ = stage_and_upgrade(session, solution, archive, overwrites=overwrites)
    else:
        options = ImportOptions(overwrites, is_holding=arguments.get("holding") is True)
        imported = import_solution(session, solution, archive, options)
    session.transaction.remove_file(row, _FILE)  # the solution keeps it
    session.transaction.update(row, {_FILE: None})
    job = _job(session, row)
    if job is not None:
        complete_job(session, job, solution, imported.solution, imported.steps)


def _job(session: Session, row: Row) -> Row | None:
    arguments = cast("dict[str, object]", json.loads(str(row.values.get("data") or "{}")))
    ident = parse_guid(str(arguments.get("job") or ""))
    return None if ident is None else session.transaction.row(session.table(JOBS), ident)


def _own(session: Session, operation: Guid) -> Row:
    table = session.table(OPERATIONS)
    require(session, table, operation, Rights.READ)
    row = session.transaction.row(table, operation)
    if row is None:
        raise NotFound(f"There is no operation {operation}.")
    return row


def _keep(session: Session, row: Row, name: str, body: bytes) -> None:
    file = StoredFile(new_guid(session.clock), name[:200], "application/zip", len(body))
    session.transaction.set_file(row, _FILE, file, (body,))
    session.transaction.update(row, {_FILE: file.id})


def _body(transaction: Transaction, row: Row) -> bytes | None:
    file = transaction.file(row, _FILE)
    return None if file is None else transaction.file_bytes(file.id, 0, file.size)


def _sealed(data: str, file: bytes | None) -> str:
    """The digest of what was asked for."""
    return hashlib.sha256(data.encode() + b"\0" + hashlib.sha256(file or b"").digest()).hexdigest()


def _signed(code: str) -> int:
    """An error code such as `0x80048031` as the whole number that a column holds."""
    try:
        number = int(code, 16)
    except ValueError:
        return -1
    return number - (1 << 32) if number >= 1 << 31 else number


def known_solution(session: Session, name: str) -> Row:
    """The row of a solution. Raises when there is none: nobody waits for what cannot come."""
    row = find_solution(session, name)
    if row is None:
        raise NotFound(f"There is no solution '{name[:100]}'.", code="0x8004f010")
    return row
