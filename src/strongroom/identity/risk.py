"""Risk (TS-727): what makes a sign-in or an account suspect, in three levels with the events behind them.

A sign-in is suspect by where it comes from and what was tried just before. An account is suspect by its events until an
administrator settles them: failed attempts that locked it (1, never more: strangers can cause it), a passkey whose
counter went back and a refresh token that came twice (3). Policies decide what follows from it.
"""

from enum import Enum

from strongroom.errors import NotFound
from strongroom.identity import guard
from strongroom.identity.conditional.tables import RISK
from strongroom.identity.directory import change, find, find_all, make, moment, number, text
from strongroom.ids import Guid, Reference
from strongroom.records import Session
from strongroom.store.protocol import Row

_MANY_FAILURES = 5


class Suspicion(Enum):
    """What happened, and its level."""

    FAILED_ATTEMPTS = ("failed-attempts", 1)
    PASSKEY_COPIED = ("passkey-counter-went-back", 3)
    TOKEN_REUSED = ("refresh-token-reused", 3)


class Settlement(Enum):
    """`riskevent.settlement`."""

    DISMISSED = 1
    CONFIRMED = 2


def of_sign_in(session: Session, person: Row, address: str) -> int:
    """The level of a sign-in: 1 from a network that the person has not used, 1 more right after many failures."""
    here = guard.network(address)
    known = {
        guard.network(text(row, "address"))
        for row in find_all(session.transaction, "signinsession", directoryuserid=person.reference())
    }
    level = 1 if known and here not in known else 0
    subject = guard.of_account(text(person, "userprincipalname"))
    row = find(session.transaction, "signinguard", subject=subject.digest)
    since = None if row is None else moment(row, "countedsince")
    if row is not None and since is not None and session.clock.now() - since <= guard.WINDOW:
        level += number(row, "failures") >= _MANY_FAILURES
    return level


def suspect(session: Session, person: Reference, suspicion: Suspicion, address: str) -> None:
    """Note an event, once until it is settled."""
    name, level = suspicion.value
    if find(session.transaction, RISK, directoryuserid=person, name=name, settledon=None) is None:
        values = {"name": name, "directoryuserid": person, "level": level, "address": address[:64] or None}
        make(session, RISK, {**values})
        session.transaction.bump_security_epoch()


def settle(session: Session, person: Guid, settlement: Settlement) -> int:
    """Settle the open events of an account; how many there were. Dismissed ones count no more, confirmed ones go on to
    count until they are dismissed. Raises `NotFound`."""
    account = Reference("directoryuser", person)
    if session.transaction.row(session.table("directoryuser"), person) is None:
        raise NotFound("There is no such account.")
    settled = 0
    for row in find_all(session.transaction, RISK, directoryuserid=account):
        if row.values.get("settlement") in (None, Settlement.CONFIRMED.value) and (
            row.values.get("settlement") != settlement.value
        ):
            change(session, row, {"settledon": session.now, "settlement": settlement.value})
            settled += 1
    session.transaction.bump_security_epoch()
    return settled
