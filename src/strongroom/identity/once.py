"""What may be used once: authorization codes, links, steps of a sign-in, ids of assertions.

A token is found by its hash and used by being marked; the write transaction makes that atomic among all processes.
Ended ones are removed in passing.
"""

from datetime import timedelta
from enum import Enum
from typing import cast

import orjson

from strongroom.clock import iso
from strongroom.identity.directory import after, find, make, note, text
from strongroom.identity.hashing import digest, new_token
from strongroom.records import Session
from strongroom.store.protocol import Row, Transaction

Content = dict[str, object]
_SWEPT = 50


class Purpose(Enum):
    """What a token is for; one for another purpose is none."""

    CODE = "authorization code"
    STEP = "second step of a sign-in"
    RESET = "password reset"
    ASSERTION = "client assertion"
    PASSKEY = "passkey challenge"
    FEDERATION = "sign-in at a provider"
    LOGOUT = "logout token"
    INVITATION = "invitation of a guest"
    DEVICE = "device code"
    USER_CODE = "user code of a device"


def issue(session: Session, purpose: Purpose, content: Content, lifetime: timedelta, token: str | None = None) -> str:
    """A new token, which holds `content` until it is used or ends."""
    _sweep(session)
    token = token or new_token()
    make(
        session,
        "onetimetoken",
        {
            "name": purpose.value,
            "digest": _digest(purpose, token),
            "content": orjson.dumps(content).decode(),
            "expireson": after(session.clock.now(), lifetime),
        },
    )
    return token


def redeem(session: Session, purpose: Purpose, token: str) -> Content | None:
    """Use a token: what it holds, or None when it is unknown, ended or used already."""
    row = _find(session, purpose, token)
    if row is None or row.values.get("usedon") is not None:
        return None
    note(session, row, {"usedon": session.now})
    return _content(row)


def peek(session: Session, purpose: Purpose, token: str) -> Content | None:
    """What an unused token holds, without using it."""
    return look(session.transaction, purpose, token, session.now)


def look(transaction: Transaction, purpose: Purpose, token: str, now: str) -> Content | None:
    """The same, where nothing is written."""
    row = _of(transaction, purpose, token, now)
    return None if row is None or row.values.get("usedon") is not None else _content(row)


def rewrite(session: Session, purpose: Purpose, token: str, content: Content) -> None:
    """Let an unused token hold something else: how many wrong codes a step has seen."""
    row = _find(session, purpose, token)
    if row is not None:
        note(session, row, {"content": orjson.dumps(content).decode()})


def used_content(session: Session, purpose: Purpose, token: str) -> Content | None:
    """What a token held that is used already: whoever brings it again replays it."""
    row = _find(session, purpose, token)
    return None if row is None or row.values.get("usedon") is None else _content(row)


def is_first_use(session: Session, purpose: Purpose, name: str, lifetime: timedelta) -> bool:
    """Whether nobody has used the name yet; from now on somebody has."""
    if _find(session, purpose, name) is not None:
        return False
    issue(session, purpose, {}, lifetime, name)
    return True


def _find(session: Session, purpose: Purpose, token: str) -> Row | None:
    return _of(session.transaction, purpose, token, session.now)


def _of(transaction: Transaction, purpose: Purpose, token: str, now: str) -> Row | None:
    row = find(transaction, "onetimetoken", digest=_digest(purpose, token))
    return None if row is None or text(row, "expireson") <= now else row


def _content(row: Row) -> Content:
    return cast("Content", orjson.loads(text(row, "content")))


def _digest(purpose: Purpose, token: str) -> str:
    return digest(f"{purpose.value}:{token}")


def _sweep(session: Session) -> None:
    """Remove some of the tokens that ended: the oldest rows come first."""
    table = session.table("onetimetoken")
    oldest = session.transaction.rows_where(table, {}, limit=_SWEPT)
    limit = iso(session.clock.now() - timedelta(hours=1))
    session.transaction.delete(table, [row for row in oldest if text(row, "expireson") < limit])
