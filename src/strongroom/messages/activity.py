"""What people did: who saw a row, and what a user saw (`RetrieveAccessHistory`, TS-809), searches (TS-821),
and who may see sensitive columns and did (TS-827)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from strongroom.audit.activities import Category
from strongroom.errors import InvalidRequest
from strongroom.ids import Guid
from strongroom.messages.operation import Arguments, Kind, Operation, Parameter, Result
from strongroom.records import Session
from strongroom.records.activity_search import ActivitySearch, Found, search_activity
from strongroom.records.kept_searches import named_search
from strongroom.records.user_log import user_log
from strongroom.store.protocol import Value

_SEEN = (Category.READ, Category.EXPORT)
_DEFAULT_SIZE = 500


def page_of(arguments: Arguments) -> tuple[int, int]:
    """Number and size of the page that `PagingInfo` asks for."""
    info = arguments.optional_object("PagingInfo") or {}
    page, size = info.get("PageNumber", 1), info.get("Count", _DEFAULT_SIZE)
    if not isinstance(page, int) or not isinstance(size, int):
        raise InvalidRequest("PagingInfo holds PageNumber and Count, both whole numbers.")
    return page, size or _DEFAULT_SIZE


def time_of(arguments: Arguments) -> tuple[datetime, datetime]:
    """`From` and `To`."""
    return arguments.moment("From"), arguments.moment("To")


def shown_activities(found: Found) -> Result:
    """A page of activities as an answer shows it."""
    return {"MoreRecords": found.more, "Accesses": [_shown(row) for row in found.rows]}


def _access_history(session: Session, arguments: Arguments) -> Result:
    target, user = arguments.optional_reference("Target"), arguments.values.get("UserId")
    if (target is None) == (user is None):
        raise InvalidRequest("Ask about one row with Target, or about one user with UserId: one of them.")
    since, until = time_of(arguments)
    page, size = page_of(arguments)
    about = None if user is None else Guid(str(user))
    search = ActivitySearch(since, until, user=about, target=target, categories=_SEEN, page=page, size=size)
    return shown_activities(search_activity(session, search))


def _search(session: Session, arguments: Arguments) -> Result:
    since, until = time_of(arguments)
    page, size = page_of(arguments)
    search = named_search(session, arguments.text("Name"), since, until)
    user, text = arguments.values.get("UserId"), arguments.optional_text("Text")
    about = None if user is None else Guid(str(user))
    search = replace(search, user=about, text=text or search.text, page=page, size=size)
    return shown_activities(search_activity(session, search))


def _user_log(session: Session, arguments: Arguments) -> Result:
    since, until = time_of(arguments)
    lines = user_log(session, since, until, arguments.optional_text("Role"))
    return {
        "Users": [
            {
                "UserId": line.user,
                "Name": line.name,
                "Roles": list(line.roles),
                "MaySee": list(line.may_see),
                "Seen": [{"Column": name, "Readings": number} for name, number in line.seen.most_common()],
                "Readings": line.readings,
                "LastOn": line.last,
            }
            for line in lines
        ]
    }


def _shown(row: Mapping[str, Value]) -> dict[str, Value]:
    return {shown: row[name] for name, shown in _NAMES.items()}


_NAMES = {
    "activitylogid": "ActivityLogId",
    "createdon": "When",
    "activity": "Activity",
    "outcome": "Outcome",
    "userid": "UserId",
    "callinguserid": "RealUserId",
    "objecttypecode": "Table",
    "objectid": "RowId",
    "objectids": "RowIds",
    "objectcount": "Rows",
    "objectdigest": "RowsDigest",
    "sensitivecolumns": "SensitiveColumns",
    "query": "Query",
    "details": "Details",
    "address": "Address",
    "client": "Client",
    "correlationid": "RequestId",
}

TIME = (
    Parameter("From", Kind.STRING, type="Edm.DateTimeOffset"),
    Parameter("To", Kind.STRING, type="Edm.DateTimeOffset"),
)
PAGING = Parameter("PagingInfo", Kind.COMPLEX, required=False, type="mscrm.PagingInfo")
FOUND = {"MoreRecords": "Edm.Boolean", "Accesses": "Collection(Strongroom.RecordedActivity)"}

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "RetrieveAccessHistory",
        True,
        _access_history,
        (
            Parameter("Target", Kind.REFERENCE, required=False),
            Parameter("UserId", Kind.GUID, required=False),
            *TIME,
            PAGING,
        ),
        result="RetrieveAccessHistoryResponse",
        properties=FOUND,
        is_own=True,
    ),
    Operation(
        "SearchActivity",
        True,
        _search,
        (
            Parameter("Name", Kind.STRING),
            *TIME,
            Parameter("UserId", Kind.GUID, required=False),
            Parameter("Text", Kind.STRING, required=False),
            PAGING,
        ),
        result="SearchActivityResponse",
        properties=FOUND,
        is_own=True,
    ),
    Operation(
        "RetrieveUserLog",
        True,
        _user_log,
        (*TIME, Parameter("Role", Kind.STRING, required=False)),
        result="RetrieveUserLogResponse",
        properties={"Users": "Collection(Strongroom.UserLogLine)"},
        is_own=True,
    ),
)
