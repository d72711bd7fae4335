"""Whether what a token hangs on still stands: asked for each request, in every process (TS-712).

A token of a person hangs on a session and the person's account, one of a program on a credential and its registration.
What is known of them is remembered under the security epoch of the control environment, which every change of them
raises; so a request costs one look at that number, and the first request after a change looks anew.
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

from strongroom.clock import iso
from strongroom.errors import StrongroomError, Unauthenticated
from strongroom.identity.applications import is_usable, is_valid
from strongroom.identity.conditional.model import Device
from strongroom.identity.directory import Directory, find, flag, get, moment, note, number, reference, text
from strongroom.identity.hashing import digest
from strongroom.identity.people import GUEST, may_enter
from strongroom.identity.sessions import TOUCHED_AFTER, is_live
from strongroom.identity.tokens import TokenClaims
from strongroom.ids import Guid, Reference
from strongroom.store.protocol import Row, Transaction

_REMEMBERED = 10_000
_NEVER = datetime.min.replace(tzinfo=UTC)
K = TypeVar("K")
V = TypeVar("V")


@dataclass(slots=True)
class LiveSession:
    """A session as requests see it. `person` is the person's id in the directory."""

    id: Guid
    person: Guid
    name: str
    address: str
    factors: tuple[str, ...]
    proven_on: datetime
    expires_on: datetime
    idle: timedelta
    used_on: datetime
    device: Device | None = None
    risk: int = 0
    provider: Guid | None = None
    is_guest: bool = False


class Recent(Generic[K, V]):
    """What was found lately, each with the epoch that it was found under: under another one it is not known. So a
    thread that looked before a change cannot leave what it saw to one that looks after it."""

    def __init__(self) -> None:
        self._found: OrderedDict[K, tuple[int, V]] = OrderedDict()

    def get(self, key: K, epoch: int) -> V | None:
        found = self._found.get(key)
        return None if found is None or found[0] != epoch else found[1]

    def keep(self, key: K, epoch: int, value: V) -> None:
        self._found[key] = epoch, value
        while len(self._found) > _REMEMBERED:
            self._found.popitem(last=False)


class Liveness:
    """What one process knows of sessions and credentials. Safe to use from several threads."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._bindings: Recent[None, bool] = Recent()
        self._sessions: Recent[Guid, LiveSession] = Recent()
        self._ids: Recent[str, Guid] = Recent()
        self._credentials: Recent[Guid, str] = Recent()

    def demand(self, claims: TokenClaims) -> None:
        """Raise `Unauthenticated` when the session or the credential behind a token has ended."""
        if claims.session is None and claims.credential is None:
            return
        now, epoch = self._directory.now(), self._directory.epoch()
        live = None if claims.session is None else self._known(claims.session, epoch, now)
        ends = None if claims.credential is None else self._credentials.get(claims.credential, epoch)
        if (live is None) != (claims.session is None) or (ends is None) != (claims.credential is None):
            with self._directory.reading() as transaction:
                if claims.session is not None:
                    live = self._session(transaction, claims.session, now)
                if claims.credential is not None:
                    ends = self._end_of_credential(transaction, claims.credential, iso(now))
        has_ended = claims.session is not None and live is None
        if has_ended or (claims.credential is not None and (ends is None or iso(now) >= ends)):
            raise Unauthenticated("The requested resource requires authentication.")
        if live is not None:
            self._touch(live, now)

    def session(self, token: str, address: str) -> LiveSession | None:
        """The live session behind a cookie, with its use noted; None for any other text, and from another address than
        that of the sign-in where the organization binds cookies to it (TS-715)."""
        if not 0 < len(token) < 200:
            return None
        now, key = self._directory.now(), digest(token)
        with self._directory.reading() as transaction:
            epoch = transaction.stamp.security_epoch
            known = self._ids.get(key, epoch)
            if known is None:
                row = find(transaction, "signinsession", digest=key)
                if row is None:
                    return None
                known = row.id
                self._ids.keep(key, epoch, known)
            found = self._session(transaction, known, now)
            if found is None or (self._binds_address(transaction) and found.address != address):
                return None
        self._touch(found, now)
        return found

    def session_by_id(self, session_id: Guid) -> LiveSession | None:
        """The live session with this id."""
        now = self._directory.now()
        with self._directory.reading() as transaction:
            return self._session(transaction, session_id, now)

    def live(self, transaction: Transaction, session_id: Guid) -> LiveSession | None:
        """The live session with this id, in a transaction of the directory."""
        return self._session(transaction, session_id, self._directory.now())

    def known(self, session_id: Guid, epoch: int) -> LiveSession | None:
        """The session, where it is known under this epoch of the directory to be live."""
        return self._known(session_id, epoch, self._directory.now())

    def _known(self, session_id: Guid, epoch: int, now: datetime) -> LiveSession | None:
        known = self._sessions.get(session_id, epoch)
        return known if known is not None and now < known.expires_on and now - known.used_on < known.idle else None

    def _binds_address(self, transaction: Transaction) -> bool:
        """Whether the organization ties sessions to the address of their sign-in."""
        epoch = transaction.stamp.security_epoch
        known = self._bindings.get(None, epoch)
        if known is None:
            organizations = transaction.rows_where(transaction.schema.tables["organization"], {}, limit=1)
            known = any(flag(row, "enableipbasedcookiebinding") for row in organizations)
            self._bindings.keep(None, epoch, known)
        return known

    def _session(self, transaction: Transaction, session_id: Guid, now: datetime) -> LiveSession | None:
        epoch = transaction.stamp.security_epoch
        known = self._known(session_id, epoch, now)
        if known is not None:
            return known
        # Another process may have seen the session used since: what the row says decides.
        row = transaction.row(transaction.schema.tables["signinsession"], session_id)
        if row is None or not is_live(row, now):
            return None
        person = get(transaction, reference(row, "directoryuserid"))
        if not may_enter(transaction, person, iso(now)):
            return None
        found = _live(row, person)
        self._sessions.keep(session_id, epoch, found)
        return found

    def _end_of_credential(self, transaction: Transaction, credential: Guid, now: str) -> str | None:
        """When a credential that may be used now expires; None for one that may not."""
        epoch = transaction.stamp.security_epoch
        ends = self._credentials.get(credential, epoch)
        if ends is None:
            row = transaction.row(transaction.schema.tables["applicationcredential"], credential)
            if row is None or not is_valid(row, now):
                return None
            program = get(transaction, reference(row, "applicationregistrationid"))
            if not is_usable(program):
                return None
            ends = text(row, "expireson")
            self._credentials.keep(credential, epoch, ends)
        return ends

    def _touch(self, live: LiveSession, now: datetime) -> None:
        """Note the use of a session, about once a minute: the idle time-out counts from there in every process."""
        if now - live.used_on < TOUCHED_AFTER:
            return
        live.used_on = now
        try:
            with self._directory.writing() as session:
                row = get(session.transaction, Reference("signinsession", live.id))
                note(session, row, {"lastusedon": iso(now)})
        except StrongroomError:
            return  # a busy store costs a session its note of one minute, not the request its answer


def _live(row: Row, person: Row) -> LiveSession:
    moments = [moment(row, name) for name in ("provenon", "expireson", "lastusedon")]
    proven, expires, used = (each or _NEVER for each in moments)
    ends = moment(person, "expireson")
    device, provider = number(row, "devicestate"), row.values.get("identityproviderid")
    return LiveSession(
        row.id,
        person.id,
        text(person, "name"),
        text(row, "address"),
        tuple(text(row, "factors").split()),
        proven,
        expires if ends is None else min(expires, ends),
        timedelta(minutes=number(row, "idleminutes")),
        used,
        Device(device) if device else None,
        number(row, "risk"),
        provider.id if isinstance(provider, Reference) else None,
        number(person, "usertype") == GUEST,
    )
