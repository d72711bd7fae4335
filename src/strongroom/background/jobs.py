"""A system job: a row of `asyncoperation`, with the work that it does as JSON in `data`.

| state | status | |
| --- | --- | --- |
| Ready 0 | Waiting For Resources 0 | begins as soon as somebody runs jobs |
| Suspended 1 | Waiting 10 | begins at `postponeuntil`; without it, it was paused, or is never run |
| Locked 2 | In Progress 20 | is being run, or was when its process ended |
| Completed 3 | Succeeded 30, Failed 31, Canceled 32 | is over |

`message` says how far a job is, and in the end what came of it; `friendlymessage` the latter alone.
"""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import cast

from strongroom.background.recurrence import read_recurrence
from strongroom.clock import Clock, iso
from strongroom.errors import InvalidRequest, NotFound, StrongroomError
from strongroom.ids import Guid, Reference
from strongroom.records import Session
from strongroom.records.create import store_new
from strongroom.records.platform_user import SYSTEM_USER
from strongroom.records.update import write_changes
from strongroom.store.protocol import Row, Transaction, Value

JOB = "asyncoperation"
LONGEST_NAME = 256
LONGEST_MESSAGE = 2000
MOST_TRIES = 3
"""How often a job is begun again after its process was gone, without having come any further in between."""

_FARTHEST = timedelta(days=3653)
_SEAL = "dependencytoken"
"""A digest of what was asked for: whoever changes the row in the store lets nobody do anything."""


class State(IntEnum):
    """`statecode` of a job."""

    READY = 0
    SUSPENDED = 1
    LOCKED = 2
    COMPLETED = 3


class Status(IntEnum):
    """`statuscode` of a job."""

    WAITING_FOR_RESOURCES = 0
    WAITING = 10
    IN_PROGRESS = 20
    SUCCEEDED = 30
    FAILED = 31
    CANCELED = 32


@dataclass(frozen=True, slots=True)
class When:
    """When a job begins, None for at once, and the pattern by which it comes again, empty for never."""

    start: str | None = None
    recurrence: str = ""


AT_ONCE = When()


def when(clock: Clock, start: datetime | None, recurrence: str) -> When:
    """When a job begins, and by which pattern it comes again. Raises for what is none, or too far away."""
    if recurrence:
        read_recurrence(recurrence)
    if start is not None and start - clock.now() > _FARTHEST:
        raise InvalidRequest("The start is more than ten years ahead; a job begins sooner.")
    return When(None if start is None else iso(start), recurrence)


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody asks for. `kind` is an `operationtype`, `arguments` all that its work needs to know, but for the
    digest of a file that comes along. With `waits` it is never run."""

    kind: int
    name: str
    arguments: Mapping[str, object]
    message: str
    when: When = AT_ONCE
    waits: bool = False
    digest: str = ""
    of_platform: bool = False
    """Whether it acts in the platform's own name: nobody's rights bound what it works out."""

    again_of: Row | None = None
    """The job that this one follows as the next of a series: it belongs to the same user."""


def begin(session: Session, order: Order) -> Row:
    """A new job of the session's caller."""
    start, recurrence = order.when.start, order.when.recurrence
    is_later = order.waits or (start is not None and start > session.now)
    asked = json.dumps(dict(order.arguments))
    values: dict[str, Value] = {
        "name": order.name[:LONGEST_NAME],
        "operationtype": order.kind,
        "messagename": order.message,
        "statecode": State.SUSPENDED if is_later else State.READY,
        "statuscode": Status.WAITING if is_later else Status.WAITING_FOR_RESOURCES,
        "retrycount": 0,
        "data": json.dumps({"asked": asked, "digest": order.digest}),
        "postponeuntil": start if is_later and not order.waits else None,
        "recurrencepattern": recurrence or None,
        "recurrencestarttime": (start or session.now) if recurrence else None,
        _SEAL: _sealed(asked, order.digest),
    }
    if order.of_platform:
        values |= {"createdby": Reference("systemuser", SYSTEM_USER), "createdonbehalfby": None}
    if order.again_of is not None:
        values |= _same_author(session, order.again_of)
    return store_new(session, session.table(JOB), values)


def _same_author(session: Session, job: Row) -> dict[str, Value]:
    values = {name: job.values.get(name) for name in ("createdby", "createdonbehalfby", "recurrencestarttime")}
    return values if job.owner is None else {**values, "ownerid": session.transaction.principal(job.owner)}


def asked_of(job: Row) -> dict[str, object]:
    """What a job was asked to do. Raises when that was changed since."""
    data = _data(job)
    asked = str(data.get("asked"))
    if job.values.get(_SEAL) != _sealed(asked, str(data.get("digest", ""))):
        raise InvalidRequest("The job is not what was asked for: it was changed since.")
    return cast("dict[str, object]", json.loads(asked))


def digest_of(job: Row) -> str:
    """The digest of the file that came with the job; empty without one."""
    return str(_data(job).get("digest", ""))


def reached_by(job: Row) -> dict[str, object]:
    """How far a job is, as its work has noted it; empty at the beginning."""
    return cast("dict[str, object]", _data(job).get("reached") or {})


def note_reached(job: Row, reached: Mapping[str, object]) -> str:
    """The `data` of a job that has come so far."""
    return json.dumps({**_data(job), "reached": dict(reached)})


def due(transaction: Transaction, now: str, kinds: Collection[int]) -> list[Guid]:
    """The jobs to be run now, oldest first: those that are ready, those whose time has come, and those that a process
    began and left. Call it while nobody else runs any."""
    table = transaction.schema.tables[JOB]
    found: list[Row] = []
    for state in (State.READY, State.SUSPENDED, State.LOCKED):
        for row in transaction.rows_where(table, {"statecode": state}):
            begins = row.values.get("postponeuntil")
            waits = state == State.SUSPENDED and (not isinstance(begins, str) or begins > now)
            if row.values.get("operationtype") in kinds and not waits:
                found.append(row)
    return [row.id for row in sorted(found, key=lambda row: row.key)]


def who_began(job: Row) -> tuple[Guid, Guid | None]:
    """The user whose credentials a job has, and whom they acted for (SM-68)."""
    user, behalf = job.values.get("createdby"), job.values.get("createdonbehalfby")
    if not isinstance(user, Reference):
        raise NotFound(f"Nobody asked for the job {job.id}.")
    return (behalf.id, user.id) if isinstance(behalf, Reference) else (user.id, None)


def claim(session: Session, job: Row, *, is_own: bool) -> bool:
    """Take a job on: it is in progress from here. False when it is over, or has been paused since.

    `is_own`: this process has it in progress already. Otherwise one in progress was interrupted, and after too many
    times this raises what fails it."""
    state = job.values.get("statecode")
    if state == State.COMPLETED:
        return False
    if state == State.LOCKED and is_own:
        return True
    tries = 1 + (cast(int, job.values.get("retrycount") or 0) if state == State.LOCKED else 0)
    if tries > MOST_TRIES:
        raise InvalidRequest(f"The job was interrupted {tries - 1} times and is given up.")
    changes: dict[str, Value] = {
        "statecode": State.LOCKED,
        "statuscode": Status.IN_PROGRESS,
        "startedon": job.values.get("startedon") or session.now,
        "postponeuntil": None,
        "retrycount": tries,
    }
    write_changes(session, job, changes)
    return True


def release(session: Session, job: Row) -> None:
    """Let a job in progress wait for whoever runs jobs next."""
    if job.values.get("statecode") == State.LOCKED:
        write_changes(session, job, {"statecode": State.READY, "statuscode": Status.WAITING_FOR_RESOURCES})


def wait_again(session: Session, job: Row, following: str) -> None:
    """Let a job of the platform that has just ended begin anew at `following`: it keeps its row and what it said."""
    changes: dict[str, Value] = {
        "statecode": State.SUSPENDED,
        "statuscode": Status.WAITING,
        "postponeuntil": following,
        "data": note_reached(job, {}),
        "retrycount": 0,
    }
    write_changes(session, job, changes)


def finish(session: Session, job: Row, said: str, error: StrongroomError | None = None) -> None:
    """Write how a job ended."""
    changes: dict[str, Value] = {
        "statecode": State.COMPLETED,
        "statuscode": Status.SUCCEEDED if error is None else Status.FAILED,
        "completedon": session.now,
        "message": said[:LONGEST_MESSAGE],
        "friendlymessage": said[:LONGEST_MESSAGE],
        "errorcode": None if error is None else signed(error.code),
    }
    write_changes(session, job, changes)


def signed(code: str) -> int:
    """An error code such as `0x80048031` as the whole number that a column holds (WA-58)."""
    try:
        number = int(code, 16)
    except ValueError:
        return -1
    return number - (1 << 32) if number >= 1 << 31 else number


def _data(job: Row) -> dict[str, object]:
    try:
        found: object = json.loads(str(job.values.get("data")))
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise InvalidRequest("The job does not say what is to be done.")
    return cast("dict[str, object]", found)


def _sealed(asked: str, digest: str) -> str:
    return hashlib.sha256(asked.encode() + b"\0" + digest.encode()).hexdigest()
