"""Sessions of people (TS-711, TS-712): a random token in a cookie, its hash in a row, and two time-outs that the server
keeps: after so many minutes without use, and after so many minutes at all.

New limits hold from the next sign-in, because a session keeps those that it began with.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from strongroom.clock import iso
from strongroom.errors import InvalidRequest
from strongroom.identity.directory import after, change, find_all, flag, make, moment, note, number, text
from strongroom.identity.hashing import digest, new_token
from strongroom.ids import Guid, Reference
from strongroom.records import Event, Rules, Session
from strongroom.store.protocol import Row, Transaction, Value

_USUAL_MINUTES, _USUAL_IDLE_MINUTES = 24 * 60, 120
_LEAST_MINUTES, _MOST_MINUTES, _LEAST_IDLE = 60, 1440, 5
TOUCHED_AFTER = timedelta(minutes=1)
"""How often the last use of a session is written at most."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long sessions live, and without use."""

    minutes: int = _USUAL_MINUTES
    idle_minutes: int = _USUAL_IDLE_MINUTES


def limits(transaction: Transaction) -> Limits:
    """The limits of the organization."""
    rows = transaction.rows_where(transaction.schema.tables["organization"], {}, limit=1)
    if not rows:
        return Limits()
    row = rows[0]
    minutes = number(row, "sessiontimeoutinmins") if flag(row, "sessiontimeoutenabled") else _USUAL_MINUTES
    idle = number(row, "inactivitytimeoutinmins") if flag(row, "inactivitytimeoutenabled") else _USUAL_IDLE_MINUTES
    return Limits(minutes or _USUAL_MINUTES, idle or _USUAL_IDLE_MINUTES)


@dataclass(frozen=True, slots=True)
class Origin:
    """What a sign-in leaves in its session beside the factors: the provider that somebody came from, what is known of
    the device, the risk (TS-727), and the minutes that a policy limits the session to."""

    provider: Reference | None = None
    provider_session: str | None = None
    device: int | None = None
    risk: int = 0
    minutes: int | None = None


HERE = Origin()


def start(
    session: Session, person: Row, *, address: str, device: str, factors: Sequence[str], origin: Origin = HERE
) -> tuple[str, Row]:
    """A new session: its token, which is shown to the browser only, and its row. Every sign-in makes a new one, so a
    token that somebody planted before is worth nothing after (fixation)."""
    token, now = new_token(), session.clock.now()
    limit = limits(session.transaction)
    minutes = limit.minutes if origin.minutes is None else min(limit.minutes, origin.minutes)
    row = make(
        session,
        "signinsession",
        {
            "name": device[:300] or "unknown device",
            "directoryuserid": person.reference(),
            "digest": digest(token),
            "address": address[:64],
            "factors": " ".join(factors),
            "lastusedon": iso(now),
            "provenon": iso(now),
            "expireson": after(now, timedelta(minutes=minutes)),
            "idleminutes": limit.idle_minutes,
            "devicestate": origin.device,
            "risk": origin.risk,
            "identityproviderid": origin.provider,
            "providersession": origin.provider_session,
        },
    )
    note(session, person, {"lastsigninon": iso(now)})
    return token, row


def is_live(row: Row, now: datetime) -> bool:
    """Whether a session is neither ended nor past one of its two limits."""
    ends, used = moment(row, "expireson"), moment(row, "lastusedon")
    if row.values.get("endedon") is not None or ends is None or used is None:
        return False
    return now < ends and now - used < timedelta(minutes=number(row, "idleminutes"))


def of_person(transaction: Transaction, person: Row) -> list[Row]:
    """All sessions of a person, the newest first."""
    found = find_all(transaction, "signinsession", directoryuserid=person.reference())
    return sorted(found, key=lambda row: text(row, "createdon"), reverse=True)


def end(session: Session, row: Row) -> None:
    """End a session: the next request of whatever hangs on it is refused, in every process."""
    if row.values.get("endedon") is None:
        change(session, row, {"endedon": session.now, "statecode": 1, "statuscode": 2})
        session.transaction.bump_security_epoch()


def end_all(session: Session, person: Row, *, but: Guid | None = None) -> int:
    """End every session of a person, one excepted; how many there were."""
    open_ones = [
        row for row in of_person(session.transaction, person) if row.values.get("endedon") is None and row.id != but
    ]
    for row in open_ones:
        end(session, row)
    return len(open_ones)


def register(rules: Rules) -> None:
    """Hang the ranges of the limits in the control environment's verbs."""
    rules.on(Event.BEFORE_UPDATE, "organization", _demand_ranges, name="sessions: time-outs in their ranges (TS-711)")


def _demand_ranges(_: Session, row: Row, changes: dict[str, Value]) -> None:
    if not changes.keys() & {
        "sessiontimeoutinmins",
        "inactivitytimeoutinmins",
        "sessiontimeoutenabled",
        "inactivitytimeoutenabled",
    }:
        return
    after_change = {**row.values, **changes}
    minutes, idle = after_change.get("sessiontimeoutinmins"), after_change.get("inactivitytimeoutinmins")
    longest = _MOST_MINUTES
    if after_change.get("sessiontimeoutenabled"):
        if not isinstance(minutes, int) or not _LEAST_MINUTES <= minutes <= _MOST_MINUTES:
            raise InvalidRequest(f"'sessiontimeoutinmins' lies between {_LEAST_MINUTES} and {_MOST_MINUTES:,}.")
        longest = minutes
    if after_change.get("inactivitytimeoutenabled") and (
        not isinstance(idle, int) or not _LEAST_IDLE <= idle < longest
    ):
        raise InvalidRequest(
            f"'inactivitytimeoutinmins' is at least {_LEAST_IDLE} and less than the length of a session, {longest:,}."
        )
