"""What looks at the trails of a server's environments beside the requests, and tells people and other systems.

The alert rules are judged every few seconds, in one thread; each environment by one process at a time, which a lock
decides. Nothing here holds a request up: a rule that cannot be judged, or somebody who cannot be told, is a line in the
server's own log, and is tried again.
"""

import logging
import secrets
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from strongroom.clock import iso
from strongroom.environment import Environment
from strongroom.environments import Environments
from strongroom.errors import IntegrityViolation, StrongroomError
from strongroom.home import EnvironmentKind, Home
from strongroom.home.registry import CONTROL
from strongroom.ids import Guid
from strongroom.incidents.deadlines import CODE as DEADLINE
from strongroom.incidents.deadlines import reminders, responsible_mail
from strongroom.incidents.opening import GRAVE, AlertFacts, facts_of, open_from_alert
from strongroom.keys import Secret
from strongroom.keys.disk import Disk
from strongroom.lockbox.requests import expire, is_due
from strongroom.monitoring.alerts import raise_directly
from strongroom.monitoring.evaluation import AlertWatch
from strongroom.monitoring.outbound import Outbound
from strongroom.monitoring.rules import Severity
from strongroom.monitoring.shipped import ship
from strongroom.monitoring.telling import (
    Mail,
    Teller,
    due,
    note_escalated,
    note_failure,
    note_told,
    rule_of_alert,
    unanswered,
)
from strongroom.opening import open_environment
from strongroom.records import Session
from strongroom.records.platform_user import platform_caller
from strongroom.rounds import Rounds
from strongroom.store.protocol import Row, Transaction

WATCH_FOLDER = "watch"
MAIL_PASSWORD = "mail-password"  # noqa: S105 - the name under which the key ring holds it
_PERIOD_S = 2.0
_BEHIND_S = 60
"""Seconds without a signed head, while entries wait for one, that are worth an alert (TS-823)."""

_logger = logging.getLogger("strongroom.watch")


@dataclass(slots=True)
class EnvironmentWatch:
    """The alerts of one environment: found, told and escalated."""

    home: Home
    environment: Environment
    _alerts: AlertWatch = field(init=False)
    _has_shipped: bool = False
    _reminded: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])

    def __post_init__(self) -> None:
        found = self.environment
        by_default = bool(self.home.settings.alerts.recipients)
        self._alerts = AlertWatch(found.database, found.rules, found.clock, by_default)

    def look(self) -> int:
        """Judge what is new, and tell whom it concerns; how many findings there were."""
        if not self._has_shipped:
            self.ship()
        self._end_what_is_over()
        found = self._alerts.look()
        self._check_sealer()
        self._remind_of_deadlines()
        self.tell()
        return found

    def ship(self) -> int:
        """Give the environment the rules that come along and that it has never had; how many."""
        with self.environment.database.write() as transaction:
            made = ship(self._session(transaction))
        self._has_shipped = True
        return made

    def tell(self) -> None:
        """Tell people of alerts that they are to be told of, and of those that nobody has acknowledged in time."""
        now = iso(self.environment.clock.now())
        with self.environment.database.read() as transaction:
            fresh, late = due(transaction, now), unanswered(transaction, now)
            if not fresh and not late:
                return
            waiting = [
                (row, rule_of_alert(transaction, row), is_late, _responsible(transaction, row))
                for rows, is_late in ((fresh, False), (late, True))
                for row in rows
            ]
        teller = self._teller()
        outcomes = [
            (row, is_late, _told(teller, row, rule, escalated=is_late, besides=mail))
            for row, rule, is_late, mail in waiting
        ]
        with self.environment.database.write() as transaction:
            session = self._session(transaction)
            for row, is_escalation, problem in outcomes:
                if problem is not None:
                    _logger.error("the alert %s could not be told: %s", row.id, problem)
                    note_failure(session, row, problem)
                elif is_escalation:
                    note_escalated(session, row)
                else:
                    note_told(session, row)

    def _end_what_is_over(self) -> None:
        """Say of requests for access that nobody answered them, and of accesses that they have ended (TS-1503)."""
        if self.environment.record.kind is not EnvironmentKind.CONTROL:
            return
        now = iso(self.environment.clock.now())
        with self.environment.database.read() as transaction:
            if not is_due(transaction, now):
                return
        with self.environment.database.write() as transaction:
            expire(self._session(transaction))

    def _check_sealer(self) -> None:
        """Whether entries have waited too long for a signed head."""
        with self.environment.database.read() as transaction:
            waiting = transaction.log.unsealed(1)
        if not waiting:
            return
        since = str(waiting[0].values["createdon"])
        age = (self.environment.clock.now() - _moment(since)).total_seconds()
        if age > _BEHIND_S:
            self.raise_directly("sealer-behind", "The trail is not being sealed", Severity.CRITICAL, f"since {since}")

    def _remind_of_deadlines(self) -> None:
        """Whether the time to notify an authority of a breach runs out (TS-1601)."""
        if self.environment.record.kind is not EnvironmentKind.CONTROL:
            return
        with self.environment.database.read() as transaction:
            found = list(reminders(transaction, self.environment.clock.now()))
        for each in found:
            if (each.about, each.words) in self._reminded:
                continue
            severity = Severity.CRITICAL if each.is_grave else Severity.HIGH
            self.raise_directly(DEADLINE, each.name, severity, each.about, words=each.words, once=True)
            self._reminded.add((each.about, each.words))

    def raise_directly(
        self, code: str, name: str, severity: Severity, about: str, *, words: str = "", once: bool = False
    ) -> None:
        """Raise an alert about what no entry of the trail tells. What shakes the proof opens an incident (TS-1608)."""
        with self.environment.database.write() as transaction:
            session = self._session(transaction)
            raised = raise_directly(session, code, name, severity, about, words=words, once=once)
            transaction.append_activity(session.activities)
        if raised is not None and code in GRAVE:
            self._open_incident(facts_of(self.environment.name, raised))

    def _open_incident(self, facts: AlertFacts) -> None:
        """Where the register cannot take it, the alert stands all the same, and the server's log says so."""
        try:
            control = open_environment(self.home, CONTROL)
            try:
                with control.database.write() as transaction:
                    caller = platform_caller(transaction.schema)
                    session = Session(transaction, caller, control.clock, control.rules)
                    open_from_alert(session, facts, by_platform=True)
                    transaction.append_activity(session.activities)
            finally:
                control.close()
        except (StrongroomError, OSError) as error:
            _logger.critical("no incident could be opened about the alert %s: %s", facts.alert, error)

    def _teller(self) -> Teller:
        settings = self.home.settings
        return Teller(
            self.environment.name,
            mail_of(self.home),
            settings.alerts.recipients,
            Outbound(settings.outbound.allow),
            lambda: outbound_secret(self.home, self.environment.id, "alerts"),
            self.environment.clock,
        )

    def _session(self, transaction: Transaction) -> Session:
        return Session(transaction, platform_caller(transaction.schema), self.environment.clock, self.environment.rules)


class Watching(Rounds):
    """What watches all open environments of a server."""

    def __init__(self, environments: Environments) -> None:
        super().__init__("alerts", _PERIOD_S, _logger)
        self._environments = environments
        self._watches: dict[Guid, EnvironmentWatch] = {}

    def look(self) -> None:
        """Look at each open environment."""
        self.in_each(self._environments, self._judge, "judging the alerts of")

    def _judge(self, environment: Environment) -> None:
        watch = self._watches.get(environment.id)
        if watch is None or watch.environment is not environment:
            watch = self._watches[environment.id] = EnvironmentWatch(self._environments.home, environment)
        with lock_of(self._environments.home, environment, "alerts") as is_ours:
            if not is_ours:
                return
            try:
                watch.look()
            except IntegrityViolation as error:
                _logger.critical("the trail of %s is damaged: %s", environment.name, error.message)


def tell_of_tampering(home: Home, environment: Environment) -> None:
    """Raise the alert for a log that does not fit its newest head (TS-823). Where not even that can be stored, the
    server's own log says so."""
    try:
        EnvironmentWatch(home, environment).raise_directly(
            "trail-tampered", "The log does not fit its newest signed head", Severity.CRITICAL, environment.name
        )
    except (StrongroomError, OSError) as error:
        _logger.critical("the trail of %s was tampered with, and no alert could be raised: %s", environment.name, error)


def mail_of(home: Home) -> Mail | None:
    """The mail server of a home, None where none is set."""
    told = home.settings.mail
    if not told.host:
        return None
    password = home.keys.unseal(MAIL_PASSWORD) if told.user else None
    return Mail(told.host, told.port, told.security, told.sender, told.user, password, told.certificates)


def outbound_secret(home: Home, environment: Guid, purpose: str) -> Secret:
    """What a receiver checks our signatures by: derived for each purpose from one secret of the environment that lies
    in the key ring, so no table holds one."""

    def make() -> Secret:
        return Secret(secrets.token_bytes(32))

    root = home.keys.seal_once(f"outbound:{environment}", make)
    derived = HKDF(SHA256(), 32, salt=environment.encode(), info=purpose.encode()).derive(root.reveal())
    return Secret(derived.hex().encode())


def lock_of(home: Home, environment: Environment, purpose: str) -> AbstractContextManager[bool]:
    """The only lock for this purpose on the machine; the block is told whether it holds it."""
    folder = home.path / WATCH_FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    return Disk().lock(folder / f"{environment.name}.{purpose}.lock", wait=False)


def _responsible(transaction: Transaction, alert: Row) -> str | None:
    """The address of whoever is responsible for what an alert is about."""
    if alert.values.get("code") != DEADLINE:
        return None
    return responsible_mail(transaction, str(alert.values.get("groupvalue")))


def _told(teller: Teller, row: Row, rule: Row | None, *, escalated: bool, besides: str | None) -> str | None:
    """None when it was told, else why not."""
    try:
        teller.tell(row, rule, escalated=escalated, besides=besides)
    except (OSError, StrongroomError) as error:
        return str(error) or type(error).__name__
    return None


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
