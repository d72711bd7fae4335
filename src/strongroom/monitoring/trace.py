"""What clients asked for that was refused or is not there: a developer sees at once why a program behaves differently.

Off unless `server.trace` is set. Requests that fail are counted by client and shape: the program's name and version,
the method, the path without keys, the names of the query's options, the status and the code; of the last one the
message is kept, which may hold what the client sent. Nothing says who asked. The server gathers them in memory and
stores them once a second in `refusedrequest`, which keeps the `MOST_ROWS` newest.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from threading import Lock

from strongroom.identity.directory import find, make, note, number
from strongroom.records import Session
from strongroom.schema.model import ColumnType, Table
from strongroom.schema.platform_tables import Given, platform_table
from strongroom.store.protocol import Row, Transaction

REFUSED = "refusedrequest"
MOST_ROWS = 1000
MOST_WAITING = 500
"""Shapes that wait in memory; what is beyond is left out, until they are stored."""

_LONGEST = 500
_PROGRAM = re.compile(r"[\w.+-]{1,60}(?:/[\w.+-]{1,30})?")
_OPTION = re.compile(r"[$@]?[A-Za-z][A-Za-z0-9.]{0,30}")


@dataclass(frozen=True, slots=True)
class Asked:
    """The shape of a request, and how it was answered."""

    client: str
    method: str
    shape: str
    status: int
    code: str

    @property
    def mark(self) -> str:
        """What rows of the same shape have in common."""
        told = (self.client, self.method, self.shape, str(self.status), self.code)
        return hashlib.sha256("\0".join(told).encode()).hexdigest()


@dataclass(slots=True)
class Times:
    """How often, when, and what was said the last time."""

    count: int
    first: str
    last: str
    message: str


class Trace:
    """What one process has refused and not stored yet. Safe to use from several threads."""

    def __init__(self) -> None:
        self._waiting: dict[Asked, Times] = {}
        self._lock = Lock()

    def note(self, asked: Asked, message: str, now: str) -> None:
        """One more of them."""
        with self._lock:
            times = self._waiting.get(asked)
            if times is not None:
                times.count, times.last, times.message = times.count + 1, now, message[:_LONGEST]
            elif len(self._waiting) < MOST_WAITING:
                self._waiting[asked] = Times(1, now, now, message[:_LONGEST])

    def take(self) -> dict[Asked, Times]:
        """All that wait; they wait no longer."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        return waiting


def program(user_agent: str | None) -> str:
    """The first product of a `User-Agent`: a program and its version."""
    found = _PROGRAM.match(user_agent or "")
    return found[0] if found else "unknown"


def option_names(query: str) -> str:
    """The names of a query's options, as they stand behind the path of a shape."""
    names = {part.partition("=")[0].replace("%24", "$") for part in query.split("&") if part}
    known = sorted(name for name in names if _OPTION.fullmatch(name))
    return f"?{'&'.join(known)}" if known else ""


def keep(session: Session, taken: dict[Asked, Times]) -> None:
    """Store what a process has gathered, and remove the oldest rows where there are too many."""
    for asked, times in taken.items():
        row = find(session.transaction, REFUSED, mark=asked.mark)
        if row is not None:
            count = number(row, "requests") + times.count
            note(session, row, {"requests": count, "lastrequeston": times.last, "message": times.message})
            continue
        make(
            session,
            REFUSED,
            {
                "name": f"{asked.method} {asked.shape}"[:_LONGEST],
                "client": asked.client,
                "method": asked.method,
                "status": asked.status,
                "code": asked.code,
                "message": times.message,
                "requests": times.count,
                "firstrequeston": times.first,
                "lastrequeston": times.last,
                "mark": asked.mark,
            },
        )
    rows = session.transaction.rows_where(session.table(REFUSED), {})
    if len(rows) > MOST_ROWS:
        rows.sort(key=lambda row: str(row.values["lastrequeston"]))
        session.transaction.delete(session.table(REFUSED), rows[: len(rows) - MOST_ROWS])


def kept(transaction: Transaction) -> Sequence[Row]:
    """What is stored, the newest last."""
    rows = transaction.rows_where(transaction.schema.tables[REFUSED], {})
    return sorted(rows, key=lambda row: str(row.values["lastrequeston"]))


def forget(session: Session) -> int:
    """Remove everything; how many rows."""
    rows = session.transaction.rows_where(session.table(REFUSED), {})
    session.transaction.delete(session.table(REFUSED), rows)
    return len(rows)


@cache
def trace_table() -> Table:
    """The table of what was refused."""
    text, when, whole = ColumnType.STRING, ColumnType.DATETIME, ColumnType.INTEGER
    return platform_table(
        REFUSED,
        "Refused Request",
        10775,
        (
            Given("name", text, "Request", length=_LONGEST),
            Given("client", text, "Program", length=100),
            Given("method", text, "Method", length=20),
            Given("status", whole, "Status"),
            Given("code", text, "Code", length=40),
            Given("message", text, "Message", length=_LONGEST),
            Given("requests", whole, "Requests"),
            Given("firstrequeston", when, "First Request"),
            Given("lastrequeston", when, "Last Request"),
            Given("mark", text, "Mark", length=64, indexed=True),
        ),
        description="What clients asked for that was refused or is not there, while the server keeps a trace.",
        is_audited=False,
    )
