"""One destination's way through the log (TS-818): in order, at least once, from the place where it stopped.

The place is a row of `siemdelivery`, moved on once the receiver has a batch. While a receiver is away, entries simply
stay where they are, in the trail; nothing is kept in memory, and no writer waits. What can be lost all the same is told
by an event: entries that retention removed before they were sent, and a log that was put back to an earlier state.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from strongroom.audit.activities import Activity, Outcome
from strongroom.clock import Clock
from strongroom.errors import StrongroomError
from strongroom.identity.directory import find, note, number, text
from strongroom.ids import Reference, new_guid
from strongroom.monitoring.destinations import Destination
from strongroom.monitoring.events import Event, Origin, event_of, head_event, trial_event
from strongroom.monitoring.outbound import Outbound
from strongroom.monitoring.reading import Place, begin, place_at, places
from strongroom.monitoring.sending import Sender
from strongroom.monitoring.tables import DELIVERY, DESTINATION
from strongroom.records import Rules, Session
from strongroom.records.activity import tell
from strongroom.records.platform_user import platform_caller
from strongroom.store.leaves import StoredHead
from strongroom.store.protocol import Database, Row, Transaction, Value

BATCH = 200
_TOLD_AFTER = 3
"""Failures in a row that are worth an event."""

_LONGEST_WAIT_S = 300.0
_MOST = 9_007_199_254_740_991

WAITING, DELIVERING, FAILING, REFUSED = 1, 2, 3, 4
"""`siemdelivery.state`."""


@dataclass(slots=True)
class Stream:
    """A destination with what sends to it. Make a new one when the destination changes."""

    database: Database
    rules: Rules
    clock: Clock
    origin: Origin
    destination: Destination
    sender: Sender
    outbound: Outbound
    since: datetime
    """From when on a destination that is new gets events."""

    _not_before: float = field(default=0.0)

    @property
    def reader(self) -> str:
        """The name under which its place is kept."""
        return f"stream:{self.destination.name}"

    def deliver(self) -> int:
        """Send what is waiting; how many events. Nothing is sent before the time to try again."""
        if time.monotonic() < self._not_before:
            return 0
        sent = 0
        while (number_sent := self.step()) is not None:
            sent += number_sent
        return sent

    def step(self) -> int | None:
        """Send one batch; None when nothing is waiting, or it could not be sent."""
        with self.database.read() as transaction:
            row, end = find(transaction, DELIVERY, name=self.reader), transaction.log.size()
            at = None if row is None else number(row, "position")
            batch = [] if at is None else places(transaction, at, BATCH)
            newest = transaction.log.heads(newest=1)
        if row is None or at is None:
            return self._begin()
        if bool(row.values.get("testwanted")):
            self.test()
        if at > end:
            return self._follow_back(at, end)
        if not batch:
            return None
        following = batch[-1].sequence + 1
        events = self._events(batch, newest[-1] if newest and following >= end else None)
        try:
            self._demand_allowed()
            if events:
                self.sender.send(events)
        except (OSError, StrongroomError) as error:
            self._fail(at, error)
            return None
        self._move(following, events, [each for each in batch if each.row is None])
        return len(events)

    def test(self) -> str | None:
        """Send an event of its own, outside of the order; why it could not be sent, or None."""
        with self.database.read() as transaction:
            now = _session(self, transaction).now
        problem: str | None = None
        try:
            self._demand_allowed()
            self.sender.send([trial_event(self.origin, now, new_guid(self.clock))])
        except (OSError, StrongroomError) as error:
            problem = _said(error)
        with self.database.write() as transaction:
            session = _session(self, transaction)
            self._tell(session, Activity.STREAM_TESTED, problem=problem)
            transaction.append_activity(session.activities)
            row = find(transaction, DELIVERY, name=self.reader)
            if row is not None:
                note(
                    session,
                    row,
                    {"testwanted": False, "testedon": session.now, "testresult": (problem or "delivered")[:500]},
                )
        return problem

    # --- parts ---

    def _begin(self) -> int:
        with self.database.write() as transaction:
            if find(transaction, DELIVERY, name=self.reader) is None:
                where = Reference(DESTINATION, self.destination.id)
                begin(_session(self, transaction), self.reader, place_at(transaction, self.since), where)
        return 0

    def _follow_back(self, at: int, end: int) -> int:
        """The log is shorter than what was sent: the store was put back. What is sent next is what comes next."""
        with self.database.write() as transaction:
            session = _session(self, transaction)
            row = find(transaction, DELIVERY, name=self.reader)
            if row is not None:
                note(session, row, {"position": end})
            self._tell(session, Activity.STREAM_GAP, reason="the log was put back", sent=at, size=end)
            transaction.append_activity(session.activities)
        return 0

    def _events(self, batch: Sequence[Place], head: StoredHead | None) -> list[Event]:
        """The events of a batch. A batch that reaches the log's end is followed by the newest signed head."""
        found = [event for place in batch if (event := event_of(self.origin, place)) is not None]
        if head is not None:
            found.append(head_event(self.origin, head))
        return [event.without_personal() for event in found] if self.destination.drops_personal else found

    def _demand_allowed(self) -> None:
        """The list may have become shorter since the destination was made."""
        if self.destination.endpoint is not None:
            self.outbound.demand(self.destination.endpoint, "address")

    def _move(self, to: int, events: Sequence[Event], missing: Sequence[Place]) -> None:
        self._not_before = 0.0
        with self.database.write() as transaction:
            session = _session(self, transaction)
            row = find(transaction, DELIVERY, name=self.reader)
            if row is None:
                return
            if number(row, "failures") >= _TOLD_AFTER:
                self._tell(session, Activity.STREAM_RESTORED, since=text(row, "failingsince"))
            if missing:
                first, last = missing[0].sequence, missing[-1].sequence
                self._tell(session, Activity.STREAM_GAP, reason="removed before they were sent", first=first, last=last)
            changes: dict[str, Value] = {
                "position": to,
                "state": DELIVERING,
                "delivered": min(number(row, "delivered") + len(events), _MOST),
                "deliveredon": session.now,
                "failures": 0,
                "failingsince": None,
                "lasterror": None,
            }
            if events:
                changes["lastevent"] = events[-1].at or None
            note(session, row, changes)
            transaction.append_activity(session.activities)

    def _fail(self, at: int, error: OSError | StrongroomError) -> None:
        """Note a failure, go back over what may have been lost with the connection, and wait before the next try."""
        with self.database.write() as transaction:
            session = _session(self, transaction)
            row = find(transaction, DELIVERY, name=self.reader)
            if row is None:
                return
            failures = number(row, "failures") + 1
            back = self.sender.replays if failures == 1 else 0
            changes: dict[str, Value] = {
                "position": max(at - back, 0),
                "failures": failures,
                "state": REFUSED if isinstance(error, StrongroomError) else FAILING,
                "lasterror": _said(error)[:500],
            }
            if failures == 1:
                changes["failingsince"] = session.now
            if failures == _TOLD_AFTER:
                self._tell(session, Activity.STREAM_FAILING, error=_said(error)[:200])
            note(session, row, changes)
            transaction.append_activity(session.activities)
        self._not_before = time.monotonic() + min(0.5 * 2 ** min(failures, 12), _LONGEST_WAIT_S)

    def _tell(self, session: Session, what: Activity, **details: str | int | None) -> None:
        is_failure = what in (Activity.STREAM_FAILING, Activity.STREAM_GAP) or bool(details.get("problem"))
        tell(
            session,
            what,
            outcome=Outcome.FAILURE if is_failure else Outcome.SUCCESS,
            table=DESTINATION,
            row=self.destination.id,
            details={"destination": self.destination.name, **details},
        )


@dataclass(frozen=True, slots=True)
class Lag:
    """How far a destination is behind: entries that wait, and since when."""

    name: str
    state: int
    position: int
    waiting: int
    delivered: int
    delivered_on: str
    failures: int
    error: str


def lags(transaction: Transaction) -> list[Lag]:
    """Every destination that has begun, with what waits for it."""
    end = transaction.log.size()
    rows: list[Row] = transaction.rows_where(transaction.schema.tables[DELIVERY], {})
    return [
        Lag(
            text(row, "name").partition(":")[2],
            number(row, "state"),
            number(row, "position"),
            max(end - number(row, "position"), 0),
            number(row, "delivered"),
            text(row, "deliveredon"),
            number(row, "failures"),
            text(row, "lasterror"),
        )
        for row in rows
        if text(row, "name").startswith("stream:")
    ]


def _session(stream: Stream, transaction: Transaction) -> Session:
    return Session(transaction, platform_caller(transaction.schema), stream.clock, stream.rules)


def _said(error: OSError | StrongroomError) -> str:
    return error.message if isinstance(error, StrongroomError) else (str(error) or type(error).__name__)
