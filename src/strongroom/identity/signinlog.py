"""The log of sign-ins (TS-733): every attempt is a new row, which is an event in the trail like any other row, and none
is ever changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from strongroom.errors import AccessDenied
from strongroom.identity.directory import make
from strongroom.ids import Reference
from strongroom.records import Event, Rules, Session
from strongroom.store.protocol import Row, Value

_TABLE = "signinlog"


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
) -> None:
    """Write one attempt. `reason` is a word of ours, never what was typed: people type passwords in the wrong field, so
    the sign-in name is kept only where it is somebody's."""
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
    }
    make(session, _TABLE, values)


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
