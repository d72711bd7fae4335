"""Refresh tokens (TS-713): opaque, hashed, new with each use. One that comes back after its use has been stolen, from
the client or by it: then the whole family ends, and the log says so."""

from typing import cast

import orjson

from strongroom.identity import risk
from strongroom.identity.directory import change, get, make, note, reference, text
from strongroom.identity.hashing import digest, new_token
from strongroom.identity.liveness import LiveSession
from strongroom.identity.sessions import is_live
from strongroom.ids import Guid, Reference, parse_guid
from strongroom.records import Session
from strongroom.store.protocol import Row

_SPENT_KEPT = 200


def begin(session: Session, live: LiveSession, client: Guid, name: str, environment: str, scope: str) -> str:
    """The first refresh token of a family. It lives as long as the person's session."""
    row = session.transaction.row(session.table("signinsession"), live.id)
    secret = new_token()
    family = make(
        session,
        "refreshtokenfamily",
        {
            "name": name[:200],
            "digest": digest(secret),
            "signinsessionid": Reference("signinsession", live.id),
            "clientid": client,
            "environment": environment,
            "scope": scope[:1000],
            "expireson": None if row is None else row.values.get("expireson"),
        },
    )
    return f"{family.id}.{secret}"


def family_of(session: Session, token: str, client: Guid) -> Row | None:
    """The living family of a token of this client. A token that was used already ends its family."""
    name, _, secret = token.partition(".")
    guid = parse_guid(name)
    row = None if guid is None else session.transaction.row(session.table("refreshtokenfamily"), guid)
    if row is None or row.values.get("clientid") != client or row.values.get("revokedon") is not None:
        return None
    given = digest(secret)
    if given != text(row, "digest"):
        if given in _spent(row):
            revoke(session, row)
            owner = get(session.transaction, reference(row, "signinsessionid"))
            risk.suspect(session, reference(owner, "directoryuserid"), risk.Suspicion.TOKEN_REUSED, "")
        return None
    owner = session.transaction.row(session.table("signinsession"), reference(row, "signinsessionid").id)
    return row if owner is not None and is_live(owner, session.clock.now()) else None


def rotate(session: Session, family: Row) -> str:
    """The next token of a family; the present one is spent."""
    secret = new_token()
    spent = [*_spent(family), text(family, "digest")][-_SPENT_KEPT:]
    note(session, family, {"digest": digest(secret), "spent": orjson.dumps(spent).decode()})
    return f"{family.id}.{secret}"


def revoke(session: Session, family: Row) -> None:
    """End a family."""
    change(session, family, {"revokedon": session.now, "statecode": 1, "statuscode": 2})


def revoke_of(session: Session, live_session: Guid, client: Guid) -> None:
    """End the families that a program got in a session: its code was used twice (RFC 6749, section 10.5)."""
    table = session.table("refreshtokenfamily")
    for row in session.transaction.rows_where(table, {"signinsessionid": live_session, "clientid": client}):
        if row.values.get("revokedon") is None:
            revoke(session, row)


def _spent(family: Row) -> list[str]:
    return cast("list[str]", orjson.loads(text(family, "spent") or "[]"))
