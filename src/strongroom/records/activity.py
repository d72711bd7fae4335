"""Telling the activity log what a session does that is no change of rows (TS-808).

A session that writes stores it with its changes, one that reads stores it when it ends, before the answer is given:
see `Session.activities`.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager

from strongroom.audit.activities import Activity, Actor, Details, Outcome, Tally, activity
from strongroom.ids import Guid
from strongroom.records.session import Session


def actor_of(session: Session) -> Actor:
    """Who acts in a session, and from where."""
    request = session.request
    return Actor(
        session.now, session.user, session.initiating_user, request.address, request.client, request.request_id
    )


@contextmanager
def untold(session: Session) -> Generator[None]:
    """A block whose readings are not told row by row, because it is told as a whole."""
    before, session.tells_reading = session.tells_reading, False
    try:
        yield
    finally:
        session.tells_reading = before


def tell(
    session: Session,
    what: Activity,
    *,
    outcome: Outcome = Outcome.SUCCESS,
    table: str | None = None,
    row: Guid | None = None,
    rows: Sequence[Guid] | Tally | None = None,
    sensitive: Sequence[str] = (),
    query: str | None = None,
    details: Details | None = None,
) -> None:
    """Note an activity of the session's caller; the arguments are those of `audit.activities.activity`."""
    session.activities.append(
        activity(
            actor_of(session),
            what,
            outcome=outcome,
            table=table,
            row=row,
            rows=rows,
            sensitive=sensitive,
            query=query,
            details=details,
        )
    )
