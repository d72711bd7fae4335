"""Refused attempts in the trail (SM-6): a refused write leaves nothing behind but its entry.

The attempt itself has been rolled back, so its entry gets a short write transaction of its own, after the refusal is
certain and before it is answered; requests that succeed pay nothing. An entry is of operation *Access* and of an action
of our own, about the row that was asked for, or about the user where a privilege is missing and no row came into it.
`changedata` tells the request, the code and the message, and how many refusals before it were not written.

A program that is refused in a loop must not fill the trail or hold up writers: each process writes at most
`MOST_A_MINUTE` entries a minute for a user, and counts the rest into the next entry.
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from strongroom.audit.activities import Activity, Actor, Outcome, activity
from strongroom.audit.entries import Action, Author, Operation, told
from strongroom.errors import AccessDenied
from strongroom.ids import Guid, Reference
from strongroom.store.protocol import Value

MOST_A_MINUTE = 60
_REMEMBERED_USERS = 5000
_PRIVILEGE_CODES = frozenset({"0x80040220", "0x80042f09", "0x8004a110"})
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class Refusal:
    """What was asked for, such as `PATCH accounts(…)`, and the error that answered it."""

    request: str
    error: AccessDenied


def is_told(error: AccessDenied, *, is_write: bool) -> bool:
    """Whether a refusal belongs into the trail: every refused write, and every privilege that a reader lacks. A row
    that a reader may not see is no attempt worth an entry: lists leave such rows out all the time."""
    return is_write or error.code in _PRIVILEGE_CODES


def refusal_entry(author: Author, refusal: Refusal, unwritten: int) -> dict[str, Value]:
    """The `audit` row of a refused attempt."""
    error = refusal.error
    facts: dict[str, Value] = {
        "request": refusal.request[:_LONGEST],
        "code": error.code,
        "message": error.message[:_LONGEST],
    }
    if unwritten:
        facts["unwritten"] = unwritten
    changed = {name: (None, value) for name, value in facts.items()}
    return told(author, _target(error) or author.user, Operation.ACCESS, Action.REFUSED, changed)


def refusal_activity(actor: Actor, refusal: Refusal, unwritten: int) -> dict[str, Value]:
    """The row of the activity log for the same attempt."""
    target = _target(refusal.error)
    return activity(
        actor,
        Activity.DENIED,
        outcome=Outcome.FAILURE,
        table=None if target is None else target.table,
        row=None if target is None else target.id,
        details={"request": refusal.request[:_LONGEST], "code": refusal.error.code, "unwritten": unwritten or None},
    )


def _target(error: AccessDenied) -> Reference | None:
    table, row = error.details.get("table"), error.details.get("id")
    return Reference(table, Guid(row)) if isinstance(table, str) and isinstance(row, str) else None


@dataclass(slots=True)
class _Minute:
    begun: datetime
    written: int = 0
    unwritten: int = 0


class RefusalLimit:
    """How many entries a user has caused in the present minute, for this process."""

    def __init__(self) -> None:
        self._minutes: OrderedDict[Guid, _Minute] = OrderedDict()
        self._lock = Lock()

    def admit(self, user: Guid, now: datetime) -> int | None:
        """Whether one more entry may be written: the number of those before it that were not, or None."""
        with self._lock:
            minute = self._minutes.pop(user, None) or _Minute(now)
            self._minutes[user] = minute
            if len(self._minutes) > _REMEMBERED_USERS:
                self._minutes.popitem(last=False)
            if now - minute.begun >= timedelta(minutes=1):
                minute.begun, minute.written = now, 0
            if minute.written >= MOST_A_MINUTE:
                minute.unwritten += 1
                return None
            minute.written += 1
            unwritten, minute.unwritten = minute.unwritten, 0
            return unwritten
