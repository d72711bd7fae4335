"""How many rows failures may leave in the log of sign-ins: whoever has shown nothing must not be able to fill a store.

Of each network, and of all together, so many failures in ten minutes are told one by one; of further ones a row tells
when their number has doubled, with how many attempts it stands for. So the log grows with the logarithm of a flood.
"""

from dataclasses import dataclass

from strongroom.identity import guard
from strongroom.identity.directory import find, make, moment, note, number
from strongroom.records import Session

_OF_ONE_NETWORK, _OF_ALL = 20, 1000


@dataclass(frozen=True, slots=True)
class _Counted:
    name: str
    told_singly: int


def attempts_to_tell(session: Session, address: str) -> int:
    """Count a failure from an address: how many attempts a row about it stands for, 0 when none is to be written."""
    told = [
        _count(session, each)
        for each in (
            _Counted(f"log of {guard.network(address)}", _OF_ONE_NETWORK),
            _Counted("log of all networks", _OF_ALL),
        )
    ]
    return max(told) if all(told) else 0


def _count(session: Session, counted: _Counted) -> int:
    subject = guard.Subject(counted.name, counted.told_singly)
    row = find(session.transaction, "signinguard", subject=subject.digest)
    if row is None:
        values = {
            "name": counted.name,
            "subject": subject.digest,
            "failures": 1,
            "locks": 0,
            "countedsince": session.now,
        }
        make(session, "signinguard", {**values})
        return 1
    since = moment(row, "countedsince")
    if since is None or session.clock.now() - since > guard.WINDOW:
        note(session, row, {"failures": 1, "countedsince": session.now})
        return 1
    failures = number(row, "failures") + 1
    note(session, row, {"failures": failures})
    if failures <= counted.told_singly:
        return 1
    times, rest = divmod(failures, counted.told_singly)
    is_doubled = rest == 0 and times & (times - 1) == 0
    return failures // 2 if is_doubled else 0
