"""The log of sign-ins (TS-733): every attempt is a new row, which is an event in the trail like any other row, and none
is ever changed; of a flood of failures only some rows are written (`flood`). It is told in the activity log too, with
everything else that people do (TS-818)."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from strongroom.audit.activities import Activity, Actor, Outcome, activity
from strongroom.errors import AccessDenied
from strongroom.identity.directory import make
from strongroom.identity.flood import attempts_to_tell
from strongroom.ids import Reference
from strongroom.records import Event, Rules, Session
from strongroom.store.protocol import Row, Value

_TABLE = "signinlog"
_TOLD = ("name", "application", "environment", "factors", "reason")
"""Columns of an attempt that the activity log tells in `details`."""


class Result(Enum):
    """`signinlog.result`."""

    SUCCESS = 1
    FAILURE = 2
    INTERRUPTED = 3
    """A password was right and a second factor is asked for."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an attempt came from, and what it was for."""

    address: str
    device: str = ""
    application: str = ""
    environment: str = ""


def record(
    session: Session,
    place: Place,
    result: Result,
    *,
    login: str,
    person: Reference | None = None,
    factors: Sequence[str] = (),
    reason: str = "",
    policies: str = "",
) -> None:
    """Write one attempt, unless it is one of a flood. `reason` is a word of ours, never what was typed: people type
    passwords in the wrong field, so the sign-in name is kept only where it is somebody's. `policies` are those that
    decided, and what those that only report would have done (TS-725)."""
    is_proven = result is Result.SUCCESS or bool(factors)
    attempts = 1 if is_proven else attempts_to_tell(session, place.address)
    if not attempts:
        return
    values: dict[str, Value] = {
        "name": login[:320] if person is not None or place.application == login else "(unknown)",
        "directoryuserid": person,
        "application": place.application[:200] or None,
        "environment": place.environment[:200] or None,
        "address": place.address[:64] or None,
        "device": place.device[:300] or None,
        "factors": " ".join(factors) or None,
        "result": result.value,
        "reason": reason or None,
        "policies": policies or None,
        "attempts": attempts,
    }
    row = make(session, _TABLE, values)
    is_step = result is Result.INTERRUPTED
    told = activity(
        Actor(session.now, address=place.address or None, client=place.device or None),
        Activity.SIGN_IN_STEP if is_step else Activity.SIGN_IN,
        outcome=Outcome.FAILURE if result is Result.FAILURE else Outcome.SUCCESS,
        table=None if person is None else person.table,
        row=None if person is None else person.id,
        details={name: str(values[name]) for name in _TOLD if values[name] is not None} | {"signinlog": row.id},
    )
    session.transaction.append_activity((told,))


def register(rules: Rules) -> None:
    """Hang the ledger's rule in the verbs (TS-003)."""
    for event in (Event.BEFORE_CREATE, Event.BEFORE_UPDATE, Event.BEFORE_DELETE):
        rules.on(event, _TABLE, _refuse, name="sign-ins: a log that nobody edits (TS-003)")


def _refuse(_: Session, row: Row, __: dict[str, Value]) -> None:
    raise AccessDenied(
        "Sign-ins are a ledger: rows are written by the platform and never changed or deleted.",
        code="0x80048306",
        details={"reason": "ledger-table", "rule": "TS-003", "target": row.table.logical_name},
    )
