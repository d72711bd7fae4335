"""The alert rules of one environment, at their work: live, and as a trial over the past (TS-824).

`AlertWatch.look` reads what the log has got since it last looked, lets every rule see it, and writes what they found
together with the place that it has come to: an entry is judged once, also when the process dies in between. What the
windows hold is not stored; a watch that begins, or that finds another process has gone on, reads the last day again
without judging it.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from strongroom.clock import Clock
from strongroom.errors import InvalidRequest, StrongroomError
from strongroom.identity.directory import find_all, text
from strongroom.ids import EMPTY_GUID
from strongroom.monitoring import conditions
from strongroom.monitoring.alerts import add_entries, raise_alert, suppressed
from strongroom.monitoring.reading import RULES, Place, begin, move, place_at, places, position
from strongroom.monitoring.rules import AlertRule, is_on, rule_of
from strongroom.monitoring.tables import ALERT, RULE
from strongroom.monitoring.watching import Added, Entry, Finding, Raised, Watcher
from strongroom.records import Rules, Session
from strongroom.records.platform_user import SYSTEM_USER, platform_caller
from strongroom.store.protocol import Database, Row, Transaction

BATCH = 1000
LOOKED_BACK = timedelta(days=1)
"""How much of the trail a first look judges, and the longest window."""

MOST_REMEMBERED = 100_000
"""Places that are read again to fill the windows."""

MOST_TRIED = 200_000
"""Places that a trial over the past reads."""

_logger = logging.getLogger("strongroom.monitoring")


@dataclass(slots=True)
class AlertWatch:
    """The rules of one environment and what they have seen."""

    database: Database
    rules: Rules
    clock: Clock
    tells_by_default: bool = False
    """Whether somebody is told of alerts whose rule names nobody (`alerts.recipients`)."""

    _watchers: list[Watcher] = field(default_factory=list[Watcher])
    _signature: tuple[tuple[str, int], ...] = ()
    _at: int | None = None

    def look(self) -> int:
        """Judge what is new in the log; how many findings there were."""
        found = 0
        while (number := self._step()) is not None:
            found += number
        return found

    def _step(self) -> int | None:
        """Judge one batch; None when nothing is new."""
        with self.database.read() as transaction:
            at, end = position(transaction, RULES), transaction.log.size()
            if at == end and at is not None:
                return None
        if at is None:
            self._begin()
            return 0
        if at > end:
            self._follow_back(end)
            return 0
        with self.database.read() as transaction:
            self._know(transaction, at)
            self._at = None  # what the windows hold from here on is true only once it is stored
            batch = _until_change(places(transaction, at, min(BATCH, end - at)))
            findings = self._judge(transaction, batch)
        following = batch[-1].sequence + 1 if batch else end
        with self.database.write() as transaction:
            session = Session(transaction, platform_caller(transaction.schema), self.clock, self.rules)
            if position(transaction, RULES) != at:  # another process was faster: what it found is written
                self._at = None
                return 0
            self._store(session, findings)
            move(session, RULES, following)
            transaction.append_activity(session.activities)
        self._at = None if batch and _changes_rules(batch[-1]) else following
        return len(findings)

    def _judge(self, transaction: Transaction, batch: Sequence[Place]) -> list[Finding]:
        def further(rule: AlertRule, entry: Entry) -> bool:
            return conditions.holds(transaction, rule, entry)

        for watcher in self._watchers:
            watcher.further = further
        return [
            finding
            for entry in _judged(batch)
            for watcher in self._watchers
            if (finding := watcher.see(entry)) is not None
        ]

    def _store(self, session: Session, findings: Sequence[Finding]) -> None:
        added: list[Added] = []
        for finding in findings:
            if isinstance(finding, Added):
                added.append(finding)
                continue
            add_entries(session, added)  # before a newer alert of the same group takes their place
            added = []
            raise_alert(session, finding, is_told=not (self.tells_by_default or self._names_somebody(session, finding)))
        add_entries(session, added)

    def _names_somebody(self, session: Session, finding: Raised) -> bool:
        row = session.transaction.row(session.table(RULE), finding.rule.id)
        return row is not None and bool(text(row, "recipients") or text(row, "webhook"))

    def _begin(self) -> None:
        with self.database.write() as transaction:
            session = Session(transaction, platform_caller(transaction.schema), self.clock, self.rules)
            if position(transaction, RULES) is None:
                begin(session, RULES, place_at(transaction, self.clock.now() - LOOKED_BACK))

    def _follow_back(self, end: int) -> None:
        """The log is shorter than what was judged: the store was put back to an earlier state. What comes next is
        judged; windows begin anew."""
        with self.database.write() as transaction:
            session = Session(transaction, platform_caller(transaction.schema), self.clock, self.rules)
            move(session, RULES, end)
        self._at = None

    def _know(self, transaction: Transaction, at: int) -> None:
        """Have the watchers of the rules as they are, with windows as they are at the place `at`."""
        rows = [row for row in find_all(transaction, RULE) if is_on(row)]
        signature = tuple((str(row.id), row.version) for row in rows)
        if self._at == at and self._signature == signature:
            return
        now = self.clock.now()
        self._watchers = [
            Watcher(rule, _nothing) for row in rows if (rule := _readable(transaction, row, now)) is not None
        ]
        self._signature = signature
        start = max(place_at(transaction, now - LOOKED_BACK), at - MOST_REMEMBERED)
        _fill(transaction, self._watchers, start, at)
        for watcher in self._watchers:
            for alert in suppressed(transaction, watcher.rule.id, now.strftime("%Y-%m-%dT%H:%M:%SZ")):
                ends = (_seconds(text(alert, "lasthiton")), _seconds(text(alert, "suppresseduntil")))
                watcher.know(text(alert, "groupvalue"), *ends)


def trial_in(transaction: Transaction, rule: AlertRule, begun: datetime, ended: datetime) -> list[Raised]:
    """What a rule would have raised in a time of the past. Raises `InvalidRequest` for a time with more than
    `MOST_TRIED` entries."""
    start, end = place_at(transaction, begun), place_at(transaction, ended)
    if end - start > MOST_TRIED:
        raise InvalidRequest(
            f"There are {end - start:,} entries in that time; a trial looks at {MOST_TRIED:,} at most.",
            details={"reason": "range-too-long", "rule": "TS-824", "target": "From"},
        )
    watcher = Watcher(rule, lambda asked, entry: conditions.holds(transaction, asked, entry))
    found = (watcher.see(entry) for entry in _entries(transaction, start, end))
    return [each for each in found if isinstance(each, Raised)]


def _fill(transaction: Transaction, watchers: Sequence[Watcher], start: int, end: int) -> None:
    """Let the watchers remember what others have judged."""
    for entry in _entries(transaction, start, end):
        for watcher in watchers:
            watcher.further = lambda rule, entry: conditions.holds(transaction, rule, entry)
            watcher.see(entry, only_remember=True)


def _entries(transaction: Transaction, start: int, end: int) -> Iterator[Entry]:
    """What rules look at, between two places of the log."""
    while start < end:
        found = places(transaction, start, min(BATCH, end - start))
        if not found:
            return
        yield from _judged(found)
        start = found[-1].sequence + 1


def _judged(found: Sequence[Place]) -> Iterator[Entry]:
    """Entries that are still there and are not about alerts themselves: a rule that counted those would feed itself."""
    for each in found:
        if each.row is not None and each.row.values.get("objecttypecode") != ALERT:
            yield Entry(each.sequence, each.row)


def _readable(transaction: Transaction, row: Row, now: datetime) -> AlertRule | None:
    """A rule that cannot be read any more (a column of its filter is gone) watches nothing, and the log says so."""
    try:
        return rule_of(transaction.schema, row, now.strftime("%Y-%m-%dT%H:%M:%SZ"))
    except StrongroomError as error:
        _logger.error("the alert rule %s cannot be read: %s", row.id, error.message)
        return None


def _until_change(found: Sequence[Place]) -> Sequence[Place]:
    """The places up to the first change of rules or alerts by somebody: what comes behind it is judged by it."""
    return found[: next((number for number, each in enumerate(found, 1) if _changes_rules(each)), len(found))]


def _changes_rules(place: Place) -> bool:
    row = place.row
    return (
        row is not None
        and row.values.get("objecttypecode") in (RULE, ALERT)
        and getattr(row.values.get("userid"), "id", EMPTY_GUID) != SYSTEM_USER
    )


def _nothing(_: AlertRule, __: Entry) -> bool:
    return False


def _seconds(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp()) if moment else 0
