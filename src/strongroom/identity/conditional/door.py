"""The decision when somebody signs in. What only an environment can tell (its name, roles in it) is judged when one is
entered (`gate`)."""

from collections.abc import Collection
from datetime import datetime

from strongroom.identity.conditional.model import ClientKind, Decision, Device, Signals, decide
from strongroom.identity.conditional.people import known_of
from strongroom.identity.conditional.policies import load
from strongroom.ids import Guid
from strongroom.store.protocol import Transaction


def at_door(
    transaction: Transaction,
    person: Guid,
    *,
    address: str,
    factors: Collection[str],
    now: datetime,
    device: Device | None = None,
    risk: int = 0,
) -> Decision:
    """What policies say of a sign-in on the pages, with what was shown so far. The transaction is the directory's."""
    known = known_of(transaction, person)
    signals = Signals(
        now=now,
        person=person,
        is_guest=known.is_guest,
        is_emergency=known.is_emergency,
        groups=known.groups,
        address=address,
        kind=ClientKind.BROWSER,
        device=device,
        factors=frozenset(factors),
        sign_in_risk=risk,
        user_risk=known.risk,
    )
    return decide(load(transaction), signals)
