"""Lock-out that stops guessing without letting others lock somebody out (TS-703).

Failures are counted three ways: for an account from one network (10 lock), for one network whatever the account (50),
and for an account from everywhere (100). A lock lasts a minute and doubles, up to an hour, when failures go on. The
third one does not hold for networks from which the account has signed in before, so an attacker elsewhere cannot keep
the owner out. A network is a /24 of IPv4 and a /64 of IPv6.

While a lock lasts, a correct password is refused like a wrong one, and nothing tells the two apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address, ip_network

from strongroom.clock import iso
from strongroom.identity.directory import after, change, find, make, moment, note, number, text
from strongroom.identity.hashing import digest
from strongroom.records import Session
from strongroom.store.layout import fold
from strongroom.store.protocol import Row, Transaction

WINDOW = timedelta(minutes=10)
_FIRST_LOCK, _LONGEST_LOCK = timedelta(minutes=1), timedelta(minutes=60)
_SWEPT = 20
_FROM_ONE_PLACE, _OF_ONE_PLACE, _FROM_EVERYWHERE, _OF_PROGRAMS = 10, 50, 100, 300


@dataclass(frozen=True, slots=True)
class Subject:
    """What failures are counted for, in words, and how many of them lock."""

    name: str
    limit: int

    @property
    def digest(self) -> str:
        """How its row is found."""
        return digest(self.name)


def network(address: str) -> str:
    """The network that an address belongs to; the text itself where it is no address (a socket)."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address[:64]
    mapped = getattr(parsed, "ipv4_mapped", None)
    parsed = mapped or parsed
    return str(ip_network(f"{parsed}/{24 if parsed.version == 4 else 64}", strict=False))


def subjects(account: str, address: str, *, is_known_place: bool) -> tuple[Subject, ...]:
    """What an attempt on `account` from `address` counts for."""
    place, name = network(address), fold(account.strip())[:320]
    found = (Subject(f"account {name} from {place}", _FROM_ONE_PLACE), Subject(f"network {place}", _OF_ONE_PLACE))
    return found if is_known_place else (*found, of_account(account))


def of_account(account: str) -> Subject:
    """What failures of an account count for, wherever they come from."""
    return Subject(f"account {fold(account.strip())[:320]}", _FROM_EVERYWHERE)


def of_strangers(address: str) -> tuple[Subject, ...]:
    """What an attempt on a name that is nobody's counts for: its network only, so that made-up names leave no rows. The
    answer is the same as for an account that is locked, so nothing is told by it."""
    return (Subject(f"network {network(address)}", _OF_ONE_PLACE),)


def of_programs(address: str) -> tuple[Subject, ...]:
    """What a program's failure counts for: its network only. A secret of 256 random bits needs no lock against
    guessing, and a lock of one program would be a way to keep it out; this one keeps a flood from costing us slow
    hashes."""
    return (Subject(f"programs from {network(address)}", _OF_PROGRAMS),)


def is_locked(transaction: Transaction, counted: Sequence[Subject], now: str) -> bool:
    """Whether any of them is locked now."""
    return any(
        row is not None and text(row, "lockeduntil") > now for row in (_row(transaction, each) for each in counted)
    )


def count_failure(session: Session, counted: Sequence[Subject]) -> bool:
    """Count one failure for each, and lock what has too many; whether anything was locked by it."""
    _sweep(session)
    is_locked = False
    for subject in counted:
        row = _row(session.transaction, subject)
        if row is None:
            row = make(
                session,
                "signinguard",
                {
                    "name": subject.name[:500],
                    "subject": subject.digest,
                    "failures": 0,
                    "locks": 0,
                    "countedsince": session.now,
                },
            )
        is_locked = _count(session, row, subject) or is_locked
    return is_locked


def clear(session: Session, subject: Subject) -> None:
    """Forget the failures of one subject, after a success."""
    row = _row(session.transaction, subject)
    if row is not None and number(row, "failures") + number(row, "locks"):
        note(session, row, {"failures": 0, "locks": 0, "lockeduntil": None})


def unlock(session: Session, account: str) -> int:
    """Lift every lock of an account; how many there were. An entry in the trail tells of each."""
    prefix = f"account {fold(account.strip())}"
    found = [
        row
        for row in session.transaction.rows_where(session.table("signinguard"), {})
        if text(row, "name") == prefix or text(row, "name").startswith(f"{prefix} from ")
    ]
    for row in found:
        change(session, row, {"failures": 0, "locks": 0, "lockeduntil": None})
    return len(found)


def _count(session: Session, row: Row, subject: Subject) -> bool:
    now = session.clock.now()
    since = moment(row, "countedsince")
    is_stale = since is None or now - since > WINDOW
    failures = 1 if is_stale else number(row, "failures") + 1
    changes: dict[str, object] = {"failures": failures}
    if is_stale:
        changes["countedsince"] = iso(now)
        quiet = since is None or now - since > _LONGEST_LOCK
        changes["locks"] = 0 if quiet else number(row, "locks")
    if failures >= subject.limit:
        locks = number(row, "locks")
        changes.update(
            failures=0,
            countedsince=iso(now),
            locks=locks + 1,
            lockeduntil=after(now, min(_FIRST_LOCK * 2 ** min(locks, 10), _LONGEST_LOCK)),
        )
        change(session, row, changes)
        return True
    note(session, row, changes)
    return False


def _sweep(session: Session) -> None:
    """Remove some of the rows that say nothing any more: whoever fails from ever new networks fills no table."""
    table = session.table("signinguard")
    limit = iso(session.clock.now() - _LONGEST_LOCK * 2)
    oldest = session.transaction.rows_where(table, {}, limit=_SWEPT)
    stale = [row for row in oldest if text(row, "countedsince") < limit and text(row, "lockeduntil") < limit]
    session.transaction.delete(table, stale)


def _row(transaction: Transaction, subject: Subject) -> Row | None:
    return find(transaction, "signinguard", subject=subject.digest)
