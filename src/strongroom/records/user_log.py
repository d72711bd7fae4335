"""Who may see sensitive columns, and who did (TS-827): by user, with their roles, in a time.

A user may see a secured column by a column security profile, or as an administrator; who did is told by the activity
log. Needs `prvReadActivityLog`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from strongroom.access.plan import ColumnAccess
from strongroom.audit.activities import Category
from strongroom.errors import InvalidRequest
from strongroom.ids import Guid, Reference
from strongroom.records.activity_search import MOST, ActivitySearch, search_activity
from strongroom.records.session import Session

_DEEPEST = 10


@dataclass(slots=True)
class UserLogLine:
    """One user: which sensitive columns they may see, and how often they saw which."""

    user: Guid
    name: str
    roles: tuple[str, ...]
    may_see: tuple[str, ...]
    seen: Counter[str] = field(default_factory=Counter[str])
    readings: int = 0
    last: str | None = None


def user_log(session: Session, since: datetime, until: datetime, role: str | None = None) -> list[UserLogLine]:
    """A line for each user who may see a sensitive column or did, those who saw most first; only holders of `role`
    when one is named."""
    lines: dict[Guid, UserLogLine] = {}
    secured = [
        f"{table.logical_name}.{name}"
        for table in session.schema.tables.values()
        for name, column in table.columns.items()
        if column.is_secured
    ]
    for page in range(1, _DEEPEST + 1):
        seen = (Category.READ, Category.EXPORT)
        search = ActivitySearch(since, until, categories=seen, sensitive=True, page=page, size=MOST)
        found = search_activity(session, search)
        for row in found.rows:
            user = row["userid"]
            line = None if user is None else _line(session, secured, lines, Guid(str(user)))
            if line is None:
                continue
            line.readings += 1
            line.last = line.last or str(row["createdon"])
            line.seen.update(f"{row['objecttypecode']}.{name}" for name in str(row["sensitivecolumns"]).split(","))
        if not found.more:
            break
    else:
        raise InvalidRequest("There were too many readings in this time to add up; choose a shorter one.")
    users = session.table("systemuser")
    for row in session.transaction.rows_where(users, {"isdisabled": False}):
        line = _line(session, secured, lines, row.id)
        if line is not None and not line.may_see and not line.readings:
            del lines[row.id]
    chosen = [line for line in lines.values() if role is None or role in line.roles]
    return sorted(chosen, key=lambda line: (-line.readings, line.name))


def _line(session: Session, secured: Sequence[str], lines: dict[Guid, UserLogLine], user: Guid) -> UserLogLine | None:
    if user not in lines:
        facts = session.transaction.facts(Reference("systemuser", user))
        if facts is None:
            return None
        roles = tuple(sorted({held.role.name for held in facts.roles}))
        is_administrator = "System Administrator" in roles
        opened = tuple(
            name
            for name in secured
            if is_administrator or ColumnAccess.READ in _permission(facts.column_permissions, name)
        )
        lines[user] = UserLogLine(user, facts.name, roles, opened)
    return lines[user]


def _permission(permissions: Mapping[str, Mapping[str, ColumnAccess]], name: str) -> ColumnAccess:
    table, _, column = name.partition(".")
    return permissions.get(table, {}).get(column, ColumnAccess.NONE)
