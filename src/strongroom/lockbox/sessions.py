"""What an approval opens in an environment (TS-1504, TS-1505).

The row of `lockboxsession` says what was approved; `principalid` is a user that was made for it, without a role and
outside of every team. Whoever comes in as that user is bound by `bound`: by what was approved while it stands, by
nothing at all before and after. Ending a session raises the security epoch, so the next request, in every process, is
refused; one that is running is refused at its end, and undone.
"""

import re
from datetime import timedelta
from urllib.parse import unquote, unquote_plus

from strongroom.access.caller import SecurityFacts
from strongroom.access.confinement import Confinement, barred, confined
from strongroom.clock import Clock, iso
from strongroom.errors import AccessDenied
from strongroom.identity.directory import change, find, make, text
from strongroom.ids import Guid, Reference
from strongroom.lockbox.scope import Scope, scope_in
from strongroom.lockbox.tables import COMMAND, SESSION
from strongroom.records import RequestFacts, Rules, Session
from strongroom.records.create import store_new
from strongroom.records.platform_user import platform_caller
from strongroom.store.protocol import Database, Row, Transaction

_TEXTS = re.compile(r"""'(?:[^']|'')*'?|"[^"]*"?""")
_NUMBERS = re.compile(r"(?<![\w-])\d[\d.:TZ]*(?![\w-])")
_LONGEST = 2000
_MOST_KNOWN = 50_000


def begin_session(
    session: Session, *, request: Guid, name: str, requester: str, why: str, scope: Scope, minutes: int, emergency: bool
) -> Row:
    """A new session with its user. `session` writes in the platform's name in the environment itself."""
    root = session.transaction.rows_where(session.table("businessunit"), {"parentbusinessunitid": None}, limit=1)
    unit = root[0] if root else session.transaction.rows_where(session.table("businessunit"), {}, limit=1)[0]
    principal = store_new(
        session,
        session.table("systemuser"),
        {
            "domainname": f"lockbox-{request}",
            "lastname": "Support",
            "fullname": f"Support ({requester})"[:200],
            "businessunitid": unit.reference(),
            "isdisabled": False,
            "accessmode": 0,
            "userlicensetype": -1,
        },
    )
    row = make(
        session,
        SESSION,
        {
            "name": name,
            "requestid": request,
            "principalid": principal.reference(),
            "requester": requester[:320],
            "justification": why,
            "startedon": session.now,
            "accessexpireson": iso(session.clock.now() + timedelta(minutes=minutes)),
            "isemergency": emergency,
            **scope.values(),
        },
    )
    session.transaction.bump_security_epoch()
    return row


def end_session(session: Session, session_id: Guid) -> None:
    """End a session now; one that has ended stays as it is."""
    row = session.transaction.row(session.table(SESSION), session_id)
    if row is None or text(row, "endedon"):
        return
    change(session, row, {"endedon": session.now})
    principal = row.values.get("principalid")
    if isinstance(principal, Reference):
        user = session.transaction.row(session.table("systemuser"), principal.id)
        if user is not None:
            change(session, user, {"isdisabled": True})
    session.transaction.bump_security_epoch()


def bound(transaction: Transaction, facts: SecurityFacts) -> SecurityFacts:
    """The user as the lockbox lets it in: everybody else as they are."""
    row = session_of(transaction, facts.id)
    if row is None:
        return facts
    if text(row, "endedon"):
        return barred(facts)
    scope = scope_in(row)
    approved = Confinement(row.id, text(row, "name"), scope.tables, scope.rights, scope.opened)
    return confined(facts, transaction.schema, approved)


def session_of(transaction: Transaction, user: Guid) -> Row | None:
    """The session that a user was made for."""
    if SESSION not in transaction.schema.tables:
        return None
    return find(transaction, SESSION, principalid=Reference("systemuser", user))


class SupportWatch:
    """What one process watches of support in one environment: each request is written down before it is answered, and
    undone when the access has ended meanwhile (TS-1504, TS-1505). Costs others one look-up in a dictionary."""

    def __init__(self, database: Database, rules: Rules, clock: Clock) -> None:
        self._database = database
        self._rules = rules
        self._clock = clock
        self._known: dict[Guid, bool] = {}

    def concerns(self, user: Guid) -> bool:
        """Whether a user was made for a session."""
        known = self._known.get(user)
        if known is None:
            with self._database.read() as transaction:
                known = session_of(transaction, user) is not None
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[user] = known
        return known

    def note(self, user: Guid, facts: RequestFacts) -> None:
        """Write a request down. What it does besides is told by the trail under the same user."""
        self.demand(user)
        with self._database.write() as transaction:
            session = Session(transaction, platform_caller(transaction.schema), self._clock, self._rules)
            row = session_of(transaction, user)
            if row is None:
                return
            make(
                session,
                COMMAND,
                {
                    "name": without_literals(facts.asked or "a unit of work")[:_LONGEST],
                    "lockboxsessionid": row.reference(),
                    "correlationid": facts.request_id,
                    "address": facts.address,
                    "client": (facts.client or "")[:300] or None,
                },
            )

    def demand(self, user: Guid) -> None:
        """Refuse when the access has ended, by time or by somebody."""
        with self._database.read() as transaction:
            row = session_of(transaction, user)
        if row is None:
            return
        now, ends, ended = iso(self._clock.now()), text(row, "accessexpireson"), text(row, "endedon")
        if ended or now >= ends:
            raise AccessDenied(
                f"The access that was approved ended at {ended or ends}.",
                code="0x80040225",
                details={"reason": "access-ended", "rule": "TS-1504", "target": SESSION},
            )


def without_literals(asked: str) -> str:
    """A request without the values in it: texts, and numbers of the query, become `…`; ids of rows stay, since they
    name what was looked at."""
    head, mark, query = asked.partition("?")
    return _TEXTS.sub("…", unquote(head)) + mark + _NUMBERS.sub("…", _TEXTS.sub("…", unquote_plus(query)))
