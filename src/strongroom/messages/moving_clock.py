"""`SetTestClock`: the clock of a test home is moved ahead, and the system jobs that became due are run before it
answers (TS-006). On an ordinary home, and outside of the control environment, the action is not there."""

from strongroom.access.resolve import require_usable
from strongroom.clock import iso
from strongroom.errors import AccessDenied, ResourceNotFound
from strongroom.home import MovableClock
from strongroom.lockbox.reach import reach_of
from strongroom.messages.operation import Arguments, Kind, Operation, Parameter, Result, action
from strongroom.records import Session
from strongroom.system_jobs import run_after

_NAME = "SetTestClock"


def _set_test_clock(session: Session, arguments: Arguments) -> Result:
    clock = session.clock
    if not isinstance(clock, MovableClock) or not _is_control(session):
        raise ResourceNotFound(f"Resource not found for the segment '{_NAME}'.")
    require_usable(session.caller)
    if not session.caller.is_system_administrator:
        raise AccessDenied("Only a System Administrator of the control environment moves the clock of a test home.")
    moment = arguments.moment("Now")
    ended = run_after(reach_of(session).home, lambda: clock.move_to(moment))
    return {"Now": iso(clock.now()), "JobsRun": ended}


def _is_control(session: Session) -> bool:
    """Whether this is the home's control environment, which alone has the directory."""
    return "directoryuser" in session.schema.tables


OPERATIONS: tuple[Operation, ...] = (
    action(
        _NAME,
        _set_test_clock,
        Parameter("Now", Kind.STRING, type="Edm.DateTimeOffset"),
        properties={"Now": "Edm.DateTimeOffset", "JobsRun": "Edm.Int32"},
    ),
)
