"""`BulkDelete`: deleting what queries find, with the rights of whoever began the job (WA-308, WA-404).

A piece reads the next rows and deletes them together. When that is refused, the same rows are deleted one by one, and
those that cannot be are told in `bulkdeletefailure`, with the reason. `bulkdeleteoperation` counts both, and follows
the state of the job. What each row takes along, what a legal hold keeps and what the trail says is as for any delete.
Entries of `audit` are taken out of the trail instead, in good order: each piece leaves an entry and provable hashes
(TS-806).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import cast

from strongroom.access.resolve import require_privilege, require_usable
from strongroom.background.jobs import AT_ONCE, Order, State, When, begin, signed
from strongroom.background.queries import ids_only
from strongroom.background.tables import FAILURE, OPERATION
from strongroom.background.work import Piece, Running, Stopped, Work
from strongroom.errors import InvalidRequest, NotFound, StrongroomError, Unavailable
from strongroom.ids import Guid, Reference
from strongroom.records import Session, delete_multiple, retrieve_page
from strongroom.records.authorize import demand_privilege
from strongroom.records.create import refuse_direct_writes, store_new
from strongroom.records.trail_removal import delete_entries, demand_deletion_of_entries
from strongroom.records.update import write_changes
from strongroom.schema.activities import POINTER
from strongroom.schema.model import Rights, Table
from strongroom.store.protocol import Row, Value

KIND = 13  # asyncoperation.operationtype
PRIVILEGE = "prvBulkDelete"
TRAIL = "audit"
MOST_QUERIES = 100
_PIECE = 200
"""Rows of one piece: writers of the embedded store queue behind it for some tenths of a second."""

_LONGEST_REASON = 512
_REFUSED_IN_ALL = 10_000
"""Failures after which a job is given up: more say nothing new, and each is a row."""


def begin_bulk_delete(
    session: Session, name: str, queries: Sequence[Mapping[str, object]], when: When = AT_ONCE
) -> Row:
    """A new job that deletes what `queries` find; each is run once here for one row, so that what is wrong with it, or
    may not be read, is told at once."""
    require_usable(session.caller)
    require_privilege(session.caller, PRIVILEGE)
    if not queries or len(queries) > MOST_QUERIES:
        raise InvalidRequest(f"'QuerySet' needs from 1 to {MOST_QUERIES} queries; {len(queries)} were given.")
    for query in queries:
        select = ids_only(session, query)
        retrieve_page(session, replace(select, page_size=1))
        if select.source.table.logical_name == TRAIL:
            demand_deletion_of_entries(session)
        elif select.source.table.logical_name != POINTER:
            refuse_direct_writes(select.source.table)
            demand_privilege(session, select.source.table, Rights.DELETE)
    asked = {"queries": [dict(query) for query in queries]}
    job = begin(session, Order(KIND, name, asked, "BulkDelete", when))
    follow(session, job, None)
    return job


def run(running: Running) -> str:
    """Delete, piece by piece; what is to be said when it is over."""
    while (chosen := _next(running)) is not None:
        index, ids = chosen
        try:
            _delete_together(running, index, ids)
        except (Stopped, Unavailable):
            raise
        except StrongroomError:
            for row_id in ids:
                _delete_alone(running, index, row_id)
    with running.piece() as piece:
        return _said(_operation(piece.session, piece.job))


def follow(session: Session, job: Row, error: StrongroomError | None) -> None:
    """Let the row that counts say how the job is."""
    row = _operation(session, job)
    changes: dict[str, Value] = {"statecode": job.values.get("statecode"), "statuscode": job.values.get("statuscode")}
    if any(row.values.get(name) != value for name, value in changes.items()):
        write_changes(session, row, changes)


WORK = Work(run, follow)

# --- pieces ------------------------------------------------------------------------------------------------------


def _next(running: Running) -> tuple[int, list[Guid]] | None:
    """The query that is being worked on, and the ids of its next rows; None when nothing is left."""
    with running.piece() as piece:
        require_privilege(piece.session.caller, PRIVILEGE)
        queries = cast("list[Mapping[str, object]]", piece.asked["queries"])
        index, last = _place(piece)
        while index < len(queries):
            ids = _page(piece.session, queries[index], last)
            if ids:
                return index, ids
            index, last = index + 1, None
        return None


def _delete_together(running: Running, index: int, ids: Sequence[Guid]) -> None:
    with running.piece() as piece:
        table = piece.session.table(_table_of(piece, index))
        there = piece.session.transaction.rows(table, ids)
        chosen = [row_id for row_id in ids if row_id in there]
        _note(piece, index, ids[-1], successes=_delete(piece, table, chosen))


def _delete(piece: Piece, table: Table, ids: Sequence[Guid]) -> int:
    """Delete these rows, all or none; how many went. Entries of the trail that tell of removals, or are held, stay."""
    if table.logical_name == TRAIL:
        return delete_entries(piece.session, ids, f"bulk deletion: {piece.job.values.get('name')}")
    if ids:
        delete_multiple(piece.session, table, ids)
    return len(ids)


def _delete_alone(running: Running, index: int, row_id: Guid) -> None:
    """One row, in a piece of its own; what cannot be deleted is told in another."""
    try:
        with running.piece() as piece:
            table = piece.session.table(_table_of(piece, index))
            _note(piece, index, row_id, successes=_delete(piece, table, [row_id]))
    except (Stopped, Unavailable):
        raise
    except NotFound:
        with running.piece() as piece:
            _note(piece, index, row_id)  # it went with another row
    except StrongroomError as error:
        with running.piece() as piece:
            _tell_failure(piece, index, row_id, error)
            failures = _note(piece, index, row_id, failures=1)
        if failures >= _REFUSED_IN_ALL:
            raise InvalidRequest(f"{_REFUSED_IN_ALL:,} rows could not be deleted; the job is given up.") from None


def _place(piece: Piece) -> tuple[int, str | None]:
    """The query that was reached, and the id of the row that was looked at last."""
    match piece.reached.get("at"):
        case [int(index), str(last)]:
            return index, last
        case _:
            return 0, None


def _table_of(piece: Piece, index: int) -> str:
    queries = cast("list[Mapping[str, object]]", piece.asked["queries"])
    return str(queries[index].get("EntityName")).lower()


# --- reading -----------------------------------------------------------------------------------------------------


def _page(session: Session, query: Mapping[str, object], last: str | None) -> list[Guid]:
    select = replace(ids_only(session, query), page_size=_PIECE, after=None if last is None else (last,))
    return [record.id for record in retrieve_page(session, select).rows if record.id is not None]


# --- the job's own rows --------------------------------------------------------------------------------------------


def _operation(session: Session, job: Row) -> Row:
    """The row that counts; each run of a job that comes again has its own."""
    table = session.table(OPERATION)
    known = session.transaction.rows_where(table, {"asyncoperationid": job.reference()})
    if known:
        return known[0]
    values: dict[str, Value] = {
        "name": job.values.get("name"),
        "asyncoperationid": job.reference(),
        "createdby": job.values.get("createdby"),
        "createdonbehalfby": job.values.get("createdonbehalfby"),
        "successcount": 0,
        "failurecount": 0,
        "isrecurring": bool(job.values.get("recurrencepattern")),
        "nextrun": job.values.get("postponeuntil"),
        "statecode": State.READY,
    }
    return store_new(session, table, values)


def _note(piece: Piece, index: int, last: Guid, *, successes: int = 0, failures: int = 0) -> int:
    """Count, and keep how far the job is; the failures so far."""
    row = _operation(piece.session, piece.job)
    counts: dict[str, Value] = {
        "successcount": _number(row, "successcount") + successes,
        "failurecount": _number(row, "failurecount") + failures,
        "processingqeindex": index,
    }
    piece.session.transaction.update(row, counts)
    piece.note({"at": [index, last]}, _said(row))
    return _number(row, "failurecount")


def _said(row: Row) -> str:
    return f"{_number(row, 'successcount')} rows deleted, {_number(row, 'failurecount')} could not be."


def _number(row: Row, name: str) -> int:
    value = row.values.get(name)
    return value if isinstance(value, int) else 0


def _tell_failure(piece: Piece, index: int, row_id: Guid, error: StrongroomError) -> None:
    """Why a row is still there. It is named by its table where the failure's lookup takes that."""
    table, name = piece.session.table(FAILURE), _table_of(piece, index)
    values: dict[str, Value] = {
        "asyncoperationid": piece.job.reference(),
        "bulkdeleteoperationid": _operation(piece.session, piece.job).reference(),
        "errordescription": error.message[:_LONGEST_REASON],
        "errornumber": signed(error.code),
        "orderedqueryindex": index,
    }
    if name in table.columns["regardingobjectid"].targets:
        values["regardingobjectid"] = Reference(name, row_id)
    else:
        values["errordescription"] = f"{name} {row_id}: {error.message}"[:_LONGEST_REASON]
    store_new(piece.session, table, values)
