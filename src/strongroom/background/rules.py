"""What clients may do to system jobs: pause, resume, cancel and remove them, give them to another owner, and no more.

Everything else of a job is set by the message that begins it and by whoever runs it: a job acts as the user who began
it, so nobody else may write what it does. The rows that jobs write beside (`bulkdeleteoperation`, `bulkdeletefailure`,
`duplicaterecord`) are not written by clients at all.
"""

from collections.abc import Mapping

from strongroom.background.jobs import JOB, State, Status
from strongroom.background.recalculation import follow_formulas
from strongroom.background.tables import DUPLICATE, FAILURE, OPERATION
from strongroom.background.work import Work
from strongroom.errors import InvalidRequest
from strongroom.records.rules import Event, Rules
from strongroom.records.session import Session
from strongroom.store.protocol import Row, Value

_CHANGEABLE = frozenset({"statecode", "statuscode"})
_STATUS = {
    State.READY: Status.WAITING_FOR_RESOURCES,
    State.SUSPENDED: Status.WAITING,
    State.COMPLETED: Status.CANCELED,
}
_FOLLOWING = {
    State.READY: {State.SUSPENDED, State.COMPLETED},
    State.SUSPENDED: {State.READY, State.COMPLETED},
    State.LOCKED: {State.SUSPENDED, State.COMPLETED},
    State.COMPLETED: set[State](),
}


def register(rules: Rules, works: Mapping[int, Work]) -> None:
    """Hang the rules about jobs in the verbs. `works` are the kinds of job that are run."""

    def demand_transition(session: Session, row: Row, values: dict[str, Value]) -> None:
        _demand_transition(session, row, values, works)

    def follow(session: Session, row: Row, before: dict[str, Value]) -> None:
        work = works.get(_kind(row))
        if work is not None and "statecode" in before:
            error = InvalidRequest("The job was cancelled.") if _state(row.values) is State.COMPLETED else None
            work.follow(session, row, error)

    rules.on(Event.BEFORE_CREATE, JOB, _refuse_write, name="jobs: begun by messages")
    rules.on(Event.BEFORE_UPDATE, JOB, demand_transition, name="jobs: pause, resume, cancel")
    rules.on(Event.AFTER_UPDATE, JOB, follow, name="jobs: what tells of them follows")
    rules.on(Event.BEFORE_DELETE, JOB, _demand_idle, name="jobs: not removed while they run")
    rules.on_schema(follow_formulas, name="formulas: they make sense, and are worked out")
    for table in (OPERATION, FAILURE, DUPLICATE):
        for event in (Event.BEFORE_CREATE, Event.BEFORE_UPDATE):
            rules.on(event, table, _refuse_write, name=f"jobs: {table} is written by jobs")


def _refuse_write(session: Session, row: Row, values: dict[str, Value]) -> None:
    raise InvalidRequest(
        f"Rows of '{row.table.logical_name}' are written by system jobs and the messages that begin them."
    )


def _demand_transition(session: Session, row: Row, values: dict[str, Value], works: Mapping[int, Work]) -> None:
    """SM-6: what is over stays so, and only whoever runs a job says that it has succeeded."""
    others = values.keys() - _CHANGEABLE
    if others:
        raise InvalidRequest(f"Of a system job only its state can be changed, not '{min(others)}'.")
    before, after = _state(row.values), _state({**row.values, **values})
    if before is None or after is None or _kind(row) not in works:
        raise InvalidRequest("This job is done in the request that asks for it: there is nothing to pause or cancel.")
    if after not in _FOLLOWING[before]:
        raise InvalidRequest(
            f"A system job cannot go from state {before.value} to {after.value}: pause it with statecode 1, resume it "
            "with 0, cancel it with statecode 3 and statuscode 32; one that is over stays so."
        )
    if after is State.COMPLETED and values.get("statuscode", Status.CANCELED) not in (Status.CANCELED, _default(row)):
        raise InvalidRequest("A client can only cancel a job: statecode 3 goes with statuscode 32.")
    # Completed without a status comes with Succeeded, its default: that cancels too.
    values["statuscode"] = _STATUS[after]
    values["postponeuntil"] = None
    if after is State.COMPLETED:
        values["completedon"] = session.now
        values["message"] = values["friendlymessage"] = f"Cancelled. {row.values.get('message') or ''}".strip()


def _default(row: Row) -> int | None:
    """The status that a change to Completed has when the caller names none."""
    column = row.table.columns["statecode"]
    return next((option.default_status for option in column.options if option.value == State.COMPLETED), None)


def _state(values: Mapping[str, Value]) -> State | None:
    value = values.get("statecode")
    return State(value) if isinstance(value, int) and value in set(State) else None


def _kind(row: Row) -> int:
    kind = row.values.get("operationtype")
    return kind if isinstance(kind, int) else 0


def _demand_idle(session: Session, row: Row, values: dict[str, Value]) -> None:
    if _state(row.values) is State.LOCKED:
        raise InvalidRequest("The job is running; cancel it with statecode 3 and statuscode 32, then delete it.")
