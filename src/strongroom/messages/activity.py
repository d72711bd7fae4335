"""What people did: who saw a row, and what a user saw (`RetrieveAccessHistory`, TS-809); `SearchActivity` (TS-821)."""

from collections.abc import Mapping
from datetime import datetime

from strongroom.audit.activities import Category
from strongroom.errors import InvalidRequest
from strongroom.ids import Guid
from strongroom.messages.operation import Arguments, Kind, Operation, Parameter, Result
from strongroom.records import Session
from strongroom.records.activity_search import ActivitySearch, Found, search_activity
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
)
