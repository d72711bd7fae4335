"""Telling people of alerts: by mail, and by webhook (TS-825).

Neither holds values of the trail, nor a link to sign in by: what happened, how often, when, and the id of the alert.
What cannot be told is tried again, later each time, and the alert says why.
"""

import smtplib
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

import orjson

from strongroom.access.plan import plan_of_all
from strongroom.access.planned import PlannedSelect
from strongroom.clock import Clock, iso
from strongroom.identity.directory import find, note, number, text
from strongroom.ids import Guid, Reference
from strongroom.keys import Secret
from strongroom.monitoring.outbound import TIMEOUT_S, Outbound, endpoint_of, post, signature
from strongroom.monitoring.rules import addresses
from strongroom.monitoring.tables import ALERT, RULE, SEVERITIES
from strongroom.query.ast import (
    And,
    Comparison,
    Field,
    IsNull,
    Literal,
    Operator,
    Or,
    Output,
    Predicate,
    Select,
    Source,
)
from strongroom.records import Session
from strongroom.store.protocol import Row, Transaction

_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=15), timedelta(hours=1)
_AT_ONCE = 50
"""Alerts that are told of in one go."""


@dataclass(frozen=True, slots=True)
class Mail:
    """The server that takes our mail. `security` is `starttls`, `tls` or `none`."""

    host: str
    port: int
    security: str
    sender: str
    user: str = ""
    password: Secret | None = None
    certificates: str = ""
    """A file of trusted certificates, where the machine's do not do."""


@dataclass(frozen=True, slots=True)
class Teller:
    """Whoever tells people of one environment's alerts."""

    environment: str
    mail: Mail | None
    recipients: tuple[str, ...]
    """Whom rules without recipients of their own tell."""

    outbound: Outbound
    secret: Callable[[], Secret]
    """What webhooks are signed by."""

    clock: Clock

    def tell(self, alert: Row, rule: Row | None, *, escalated: bool = False, besides: str | None = None) -> None:
        """Tell of one alert of a rule, and the address `besides` where somebody is responsible for what it is about.
        Raises `OSError` when somebody could not be told. It takes as long as others take to answer, so no transaction
        is held meanwhile."""
        named = addresses(rule.values.get("escalationrecipients" if escalated else "recipients")) if rule else []
        recipients = named or list(self.recipients)
        if besides and besides not in recipients:
            recipients.append(besides)
        if recipients:
            if self.mail is None:
                raise OSError("no mail server is set: mail.host")
            send(self.mail, recipients, self._message(alert, escalated=escalated))
        webhook = "" if rule is None or escalated else text(rule, "webhook")
        if webhook:
            self._call(webhook, alert)

    def _call(self, webhook: str, alert: Row) -> None:
        endpoint = endpoint_of(webhook, ("http", "https"), "webhook")
        if not self.outbound.allows(endpoint):
            raise OSError(f"{endpoint.host}:{endpoint.port} is not allowed any more (outbound.allow)")
        body, now = orjson.dumps(self._facts(alert)), iso(self.clock.now())
        headers = {
            "X-Strongroom-Timestamp": now,
            "X-Strongroom-Signature": signature(self.secret(), now, body),
            "X-Strongroom-Event": "alert",
        }
        post(endpoint, body, headers, None)

    def _facts(self, alert: Row) -> dict[str, object]:
        return {
            "id": alert.id,
            "environment": self.environment,
            "code": text(alert, "code") or None,
            "name": text(alert, "name"),
            "severity": SEVERITIES[number(alert, "severity") - 1],
            "entries": number(alert, "hits"),
            "count": number(alert, "total"),
            "first": text(alert, "firsthiton"),
            "last": text(alert, "lasthiton"),
        }

    def _message(self, alert: Row, *, escalated: bool) -> EmailMessage:
        facts = self._facts(alert)
        message = EmailMessage()
        mark = "NOT ACKNOWLEDGED: " if escalated else ""
        message["Subject"] = _one_line(f"[Strongroom] {mark}{facts['severity']}: {facts['name']}")[:200]
        message["Date"] = format_datetime(self.clock.now())
        message["Message-ID"] = make_msgid(idstring=str(alert.id)[:8], domain="strongroom.local")
        lines = [
            f"Alert:        {_one_line(str(facts['name']))}",
            f"Severity:     {facts['severity']}",
            f"Environment:  {self.environment}",
            f"Entries:      {facts['entries']} (count {facts['count']})",
            f"First, last:  {facts['first']}, {facts['last']}",
            f"Id:           {alert.id}",
            "",
            "Who looks after it acknowledges it: strongroom alerts ack ID",
            *(["", text(alert, "note")] if not facts["entries"] and text(alert, "note") else []),
        ]
        message.set_content("\n".join(lines))
        return message


def send(mail: Mail, recipients: Sequence[str], message: EmailMessage) -> None:
    """Hand a message to the mail server. Raises `OSError`."""
    message["From"], message["To"] = mail.sender, ", ".join(recipients)
    context = ssl.create_default_context(cafile=mail.certificates or None)
    try:
        with _connected(mail, context) as server:
            if mail.user and mail.password is not None:
                server.login(mail.user, mail.password.reveal().decode())
            refused = server.send_message(message)
    except smtplib.SMTPException as error:
        raise OSError(f"the mail server refused: {type(error).__name__}") from None
    if refused:
        raise OSError(f"the mail server refused {len(refused)} of {len(recipients)} recipients")


def due(transaction: Transaction, now: str) -> list[Row]:
    """Alerts that somebody is to be told of now."""
    table = transaction.schema.tables[ALERT]
    told, following = (Field("", table.columns[name]) for name in ("toldon", "tellnexton"))
    later = Or((IsNull(following), Comparison(Operator.LESS_OR_EQUAL, following, Literal(now, following.column.type))))
    return _found(transaction, And((IsNull(told), later)))


def unanswered(transaction: Transaction, now: str) -> list[Row]:
    """Alerts whose rule wants them acknowledged by now, and which nobody has acknowledged (TS-825)."""
    table = transaction.schema.tables[ALERT]
    state, escalated = (Field("", table.columns[name]) for name in ("state", "escalatedon"))
    is_new = Comparison(Operator.EQUAL, state, Literal(1, state.column.type))
    return [
        alert
        for alert in _found(transaction, And((is_new, IsNull(escalated))))
        if (rule := rule_of_alert(transaction, alert)) is not None
        and (minutes := number(rule, "escalateminutes"))
        and _after(text(alert, "createdon"), minutes) <= now
    ]


def note_told(session: Session, alert: Row) -> None:
    """Everybody who is to know, knows."""
    note(session, alert, {"toldon": session.now, "tellerror": None})


def note_escalated(session: Session, alert: Row) -> None:
    """Those above know."""
    note(session, alert, {"escalatedon": session.now})


def note_failure(session: Session, alert: Row, why: str) -> None:
    """It could not be told; when to try again."""
    attempts = number(alert, "tellattempts") + 1
    wait = min(_FIRST_WAIT * 2 ** min(attempts - 1, 10), _LONGEST_WAIT)
    following = iso(session.clock.now() + wait)
    note(session, alert, {"tellattempts": attempts, "tellnexton": following, "tellerror": why[:500]})


def _connected(mail: Mail, context: ssl.SSLContext) -> smtplib.SMTP:
    if mail.security == "tls":
        return smtplib.SMTP_SSL(mail.host, mail.port, timeout=TIMEOUT_S, context=context)
    server = smtplib.SMTP(mail.host, mail.port, timeout=TIMEOUT_S)
    if mail.security == "starttls":
        server.starttls(context=context)
    return server


def _found(transaction: Transaction, where: Predicate) -> list[Row]:
    table = transaction.schema.tables[ALERT]
    select = Select(Source(table), (Output(table.primary_id, Field("", table.id_column)),), where=where, top=_AT_ONCE)
    ids = [Guid(str(each[0])) for each in transaction.select(PlannedSelect(select, {"": plan_of_all(table)}))]
    rows = transaction.rows(table, ids)
    return [rows[each] for each in ids[:_AT_ONCE] if each in rows]


def rule_of_alert(transaction: Transaction, alert: Row) -> Row | None:
    """The rule that raised an alert; None for one about what no entry tells."""
    named = alert.values.get("alertruleid")
    return find(transaction, RULE, alertruleid=named.id) if isinstance(named, Reference) else None


def _after(moment: str, minutes: int) -> str:
    return iso(datetime.fromisoformat(moment) + timedelta(minutes=minutes))


def _one_line(text_: str) -> str:
    return " ".join(text_.split())
