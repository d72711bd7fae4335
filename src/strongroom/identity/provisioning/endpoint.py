"""Tokens of systems that provision (TS-731): shown once, kept as a hash, for nothing but `/scim/v2`."""

from dataclasses import dataclass
from datetime import timedelta

from strongroom.errors import InvalidRequest
from strongroom.identity.directory import after, change, find, flag, make, note, text
from strongroom.identity.federation.providers import Provider, by_id
from strongroom.identity.hashing import digest, new_token
from strongroom.ids import Guid, Reference
from strongroom.keys import Secret
from strongroom.records import Session
from strongroom.store.protocol import Row, Transaction

TABLE = "scimendpoint"
LONGEST = timedelta(days=730)


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token, in clear for the only time."""

    endpoint: Guid
    token: Secret
    expires_on: str


@dataclass(frozen=True, slots=True)
class Caller:
    """Who provisions. People that it brings come to sign in from `provider`, where one is named."""

    endpoint: Guid
    name: str
    provider: Provider | None


def add(session: Session, name: str, lifetime: timedelta, provider: Guid | None = None) -> NewToken:
    """A new token. Raises `InvalidRequest` for a name or a life that cannot be."""
    if not name.strip() or len(name) > 200:
        raise InvalidRequest("A system that provisions needs a name of at most 200 characters.")
    if not timedelta(0) < lifetime <= LONGEST:
        raise InvalidRequest(f"A token for provisioning lives at most {LONGEST.days} days.")
    if provider is not None and by_id(session.transaction, provider) is None:
        raise InvalidRequest("There is no such identity provider.")
    token, expires_on = new_token(), after(session.clock.now(), lifetime)
    row = make(
        session,
        TABLE,
        {
            "name": name.strip(),
            "digest": digest(token),
            "expireson": expires_on,
            "identityproviderid": None if provider is None else Reference("identityprovider", provider),
        },
    )
    return NewToken(row.id, Secret(token.encode()), expires_on)


def end(session: Session, row: Row) -> None:
    """End a token, from the next request on."""
    change(session, row, {"expireson": session.now, "statecode": 1, "statuscode": 2})


def caller_of(transaction: Transaction, token: str, now: str) -> Caller | None:
    """Whose token it is, None for any other text."""
    if not 0 < len(token) < 200:
        return None
    row = find(transaction, TABLE, digest=digest(token))
    if row is None or row.values.get("statecode") != 0 or flag(row, "isdisabled") or text(row, "expireson") <= now:
        return None
    reference = row.values.get("identityproviderid")
    provider = by_id(transaction, reference.id) if isinstance(reference, Reference) else None
    return Caller(row.id, text(row, "name"), provider)


def note_use(session: Session, endpoint: Guid) -> None:
    """Note that a token was used."""
    row = session.transaction.row(session.table(TABLE), endpoint)
    if row is not None and text(row, "lastusedon")[:13] != session.now[:13]:
        note(session, row, {"lastusedon": session.now})
