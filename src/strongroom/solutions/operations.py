"""Operations on solutions that a client does not wait for: system jobs of one piece each, with their file (WA-405)."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import cast

from strongroom.background import jobs
from strongroom.background import work as background
from strongroom.background.jobs import JOB, State, Status, asked_of, begin, digest_of
from strongroom.background.work import Running
from strongroom.errors import InvalidRequest, NotFound, StrongroomError
from strongroom.ids import Guid, new_guid, parse_guid
from strongroom.records import Session, delete, require
from strongroom.schema.model import Rights
from strongroom.solutions.archive import open_archive
from strongroom.solutions.contents import find_solution
from strongroom.solutions.exporting import export_solution
from strongroom.solutions.import_jobs import JOBS, complete_job, fail_job, show_progress
from strongroom.solutions.importing import ImportOptions, import_solution
from strongroom.solutions.reading import read_solution
from strongroom.solutions.upgrading import promote, stage_and_upgrade
from strongroom.store.protocol import Row, StoredFile, Transaction

_FILE = "datablobid"


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
    """Keep an order until somebody runs it; with `waits` it is never run, and only its file is kept."""
    job = begin(
        session,
        jobs.Order(
            order.work.value,
            f"{_TITLES[order.work]} {order.solution}",
            {"solution": order.solution, "is_staged": waits, **order.arguments},
            order.work.name.capitalize(),
            waits=waits,
            digest=_digest(order.file),
        ),
    )
    if order.file is not None:
        _keep(session, job, f"{order.solution}.zip", order.file)
    return job.id


def staged_file(session: Session, upload: Guid) -> bytes:
    """The file that `queue` keeps for somebody who staged it."""
    row = _own(session, upload)
    body = _body(session.transaction, row)
    is_upload = row.values.get("operationtype") == Work.IMPORT and row.values.get("statecode") == State.SUSPENDED
    if body is None or not is_upload:
        raise NotFound(f"There is no staged solution with the id {upload}.")
    return body


def exported_file(session: Session, job: Guid) -> bytes:
    """What an export has made. Raises while it has not."""
    row = _own(session, job)
    if row.values.get("operationtype") != Work.EXPORT:
        raise NotFound(f"There is no export with the id {job}.")
    body = _body(session.transaction, row)
    if body is None or row.values.get("statecode") != State.COMPLETED:
        state = {Status.FAILED: "failed", Status.CANCELED: "was cancelled"}
        told = state.get(cast(Status, row.values.get("statuscode")), "is not done yet")
        raise InvalidRequest(f"The export {job} {told}: {row.values.get('friendlymessage') or 'ask again later'}.")
    return body


# --- running -------------------------------------------------------------------------------------------------------


def run(running: Running) -> str:
    """Do what was asked for, in one piece: nothing of an operation that fails is there, and one that was interrupted
    with its process is simply run again."""
    with running.piece() as piece:
        _perform(piece.session, piece.job)
    return "Completed"


def follow(session: Session, operation: Row, error: StrongroomError | None) -> None:
    """Let the import job of an import say how it is."""
    job = _job(session, operation)
    if job is None:
        return
    if error is not None:
        fail_job(session, job, error)
    elif operation.values.get("statecode") == State.LOCKED:
        show_progress(session, job, 10.0)


WORKS: Mapping[int, background.Work] = {work.value: background.Work(run, follow) for work in Work}
"""What runs operations on solutions, by `operationtype`."""


def _perform(session: Session, row: Row) -> None:
    body, arguments = _body(session.transaction, row), asked_of(row)
    if digest_of(row) != _digest(body) or arguments.get("is_staged") is True:
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
        case _:
            installed = known_solution(session, name)
            delete(session, installed.table, installed.id)


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
    try:
        ident = parse_guid(str(asked_of(row).get("job") or ""))
    except InvalidRequest:
        return None  # the row was changed since: what it names now is nothing to write to
    return None if ident is None else session.transaction.row(session.table(JOBS), ident)


def _own(session: Session, operation: Guid) -> Row:
    table = session.table(JOB)
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


def _digest(file: bytes | None) -> str:
    return "" if file is None else hashlib.sha256(file).hexdigest()


def known_solution(session: Session, name: str) -> Row:
    """The row of a solution. Raises when there is none: nobody waits for what cannot come."""
    row = find_solution(session, name)
    if row is None:
        raise NotFound(f"There is no solution '{name[:100]}'.", code="0x8004f010")
    return row
