"""What the directory knows of a person that policies ask about: groups, guest or member, risk, emergency account."""

from dataclasses import dataclass

from strongroom.identity.conditional.tables import MEMBER, RISK
from strongroom.ids import Guid, Reference
from strongroom.store.protocol import Transaction

_GUEST, _DISMISSED = 2, 1


@dataclass(frozen=True, slots=True)
class Known:
    """One person. `risk` is the highest level of events that nobody has settled, or that were confirmed."""

    is_guest: bool = False
    is_emergency: bool = False
    groups: frozenset[Guid] = frozenset()
    risk: int = 0


STRANGER = Known()


def known_of(transaction: Transaction, person: Guid | None) -> Known:
    """What is known of the person with this id in the directory; nothing of somebody who is not in it."""
    tables = transaction.schema.tables
    row = None if person is None else transaction.row(tables["directoryuser"], person)
    if row is None:
        return STRANGER
    return Known(
        row.values.get("usertype") == _GUEST,
        row.values.get("emergencyaccess") is True,
        groups_of(transaction, row.reference()),
        risk_of(transaction, row.reference()),
    )


def groups_of(transaction: Transaction, person: Reference) -> frozenset[Guid]:
    """The directory groups that a person is in."""
    rows = transaction.rows_where(transaction.schema.tables[MEMBER], {"directoryuserid": person})
    return frozenset(found.id for row in rows if isinstance(found := row.values.get("directorygroupid"), Reference))


def risk_of(transaction: Transaction, person: Reference) -> int:
    """The risk of an account: the highest level of its events, those that were dismissed left out."""
    rows = transaction.rows_where(transaction.schema.tables[RISK], {"directoryuserid": person})
    counted = [row.values.get("level") for row in rows if row.values.get("settlement") != _DISMISSED]
    return max((level for level in counted if isinstance(level, int)), default=0)
