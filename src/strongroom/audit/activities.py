"""What people and programs did besides changing rows: rows of `activitylog` (TS-808, TS-818, TS-822).

`activity` makes one. Whoever has a session calls `records.activity.tell`, which knows who asks and from where; whoever
has only a transaction calls `transaction.append_activity((activity(…),))`. A row says

- what: `category`, `activity` (a stable word, `Activity`), `outcome`;
- who: `userid`, `callinguserid` behind an impersonation, `address`, `client`, `correlationid` (the request);
- about what: `objecttypecode`, `objectid` for one row, `objectids` for several (JSON, at most `MOST_IDS`; of more their
  number and the SHA-256 of all ids, each with a line feed), `sensitivecolumns` (comma-separated), `query` (without
  literals);
- `details`: a JSON object of texts, numbers and booleans, whose names depend on the activity.

No secrets and no values of columns are in it. `address`, `client`, `query` and `details` stand in the proof as salted
digests, so that they can be erased (TS-816).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from hashlib import sha256

import orjson

from strongroom.ids import Guid, Reference
from strongroom.store.protocol import Value

MOST_IDS = 1000
"""Ids of rows that one activity names (TS-808)."""


class Category(Enum):
    """`activitylog.category`."""

    READ = 1
    EXPORT = 2
    SIGN_IN = 3
    ADMINISTRATION = 4
    DENIED = 5


class Outcome(Enum):
    """`activitylog.outcome`."""

    SUCCESS = 1
    FAILURE = 2


class Activity(Enum):
    """`activitylog.activity`, and the category of each."""

    RETRIEVE = "retrieve"
    RETRIEVE_MULTIPLE = "retrieve-multiple"
    SEARCH = "search"
    FILE_DOWNLOAD = "file-download"
    SQL = "sql"
    EXPORT = "export"
    SIGN_IN = "sign-in"
    SIGN_IN_STEP = "sign-in-step"
    TOKEN_ISSUED = "token-issued"  # noqa: S105 - no password
    SESSION_ENDED = "session-ended"
    KEY_ACTION = "key-action"
    ENVIRONMENT_ACTION = "environment-action"
    EXPLAIN = "explain"
    TRAIL_EXPORT = "trail-export"
    TRAIL_VERIFIED = "trail-verified"
    RETENTION = "retention"
    ERASURE = "erasure"
    COMMAND = "command"
    ALERT_RAISED = "alert-raised"
    ALERT_RULE_OFF = "alert-rule-off"
    STREAM_FAILING = "stream-failing"
    STREAM_RESTORED = "stream-restored"
    STREAM_GAP = "stream-gap"
    STREAM_TESTED = "stream-tested"
    SUPPORT_ACCESS = "support-access"
    BREAK_GLASS = "break-glass"
    DENIED = "denied"

    @property
    def category(self) -> Category:
        """What kind of act it is."""
        return _CATEGORIES.get(self, Category.ADMINISTRATION)


_CATEGORIES: Mapping[Activity, Category] = {
    Activity.RETRIEVE: Category.READ,
    Activity.RETRIEVE_MULTIPLE: Category.READ,
    Activity.SEARCH: Category.READ,
    Activity.FILE_DOWNLOAD: Category.READ,
    Activity.SQL: Category.READ,
    Activity.EXPORT: Category.EXPORT,
    Activity.TRAIL_EXPORT: Category.EXPORT,
    Activity.SIGN_IN: Category.SIGN_IN,
    Activity.SIGN_IN_STEP: Category.SIGN_IN,
    Activity.TOKEN_ISSUED: Category.SIGN_IN,
    Activity.SESSION_ENDED: Category.SIGN_IN,
    Activity.DENIED: Category.DENIED,
}


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does it, when and from where. `user` is None where nobody is known: a sign-in under a name that is
    nobody's, the platform itself, an operator at the machine (whose account then stands in `details`)."""

    now: str
    user: Reference | None = None
    calling: Reference | None = None
    address: str | None = None
    client: str | None = None
    request_id: str | None = None


Details = Mapping[str, str | int | bool | None]


class Tally:
    """Rows that are counted one by one, such as those of an export: their number, a digest of all ids in their order,
    and the ids themselves while they are few."""

    def __init__(self, rows: Iterable[Guid] = ()) -> None:
        self.number = 0
        self._ids: list[Guid] = []
        self._digest = sha256()
        for row in rows:
            self.add(row)

    def add(self, row: Guid) -> None:
        """One more row."""
        self._digest.update(f"{row}\n".encode())
        if self.number < MOST_IDS:
            self._ids.append(row)
        self.number += 1

    @property
    def ids(self) -> list[Guid] | None:
        """All ids; None when there are too many to be named."""
        return self._ids if self.number <= MOST_IDS else None

    @property
    def digest(self) -> str:
        """SHA-256 of all ids, each on a line, in hexadecimal."""
        return self._digest.hexdigest()


def activity(
    actor: Actor,
    what: Activity,
    *,
    outcome: Outcome = Outcome.SUCCESS,
    table: str | None = None,
    row: Guid | None = None,
    rows: Sequence[Guid] | Tally | None = None,
    sensitive: Sequence[str] = (),
    query: str | None = None,
    details: Details | None = None,
) -> dict[str, Value]:
    """The row of `activitylog`. `row` is the one row that it is about, `rows` are several; either needs `table`."""
    made: dict[str, Value] = {
        "createdon": actor.now,
        "category": what.category.value,
        "activity": what.value,
        "outcome": outcome.value,
        "userid": actor.user,
        "callinguserid": actor.calling,
        "objecttypecode": table,
        "sensitivecolumns": ",".join(sensitive) or None,
        "query": query,
        "details": orjson.dumps(details, option=orjson.OPT_SORT_KEYS).decode() if details else None,
        "address": actor.address[:64] if actor.address else None,
        "client": actor.client[:300] if actor.client else None,
        "correlationid": actor.request_id[:100] if actor.request_id else None,
    }
    if row is not None and table is not None:
        made["objectid"], made["objectcount"] = Reference(table, row), 1
    elif isinstance(rows, Tally):
        made["objectcount"] = rows.number
        if rows.ids is None:
            made["objectdigest"] = rows.digest
        elif rows.ids:
            made["objectids"] = orjson.dumps(rows.ids).decode()
    elif rows is not None:
        if len(rows) > MOST_IDS:
            return {**made, "objectcount": len(rows), "objectdigest": Tally(rows).digest}
        made["objectcount"] = len(rows)
        made["objectids"] = orjson.dumps(rows).decode() if rows else None
    return made
