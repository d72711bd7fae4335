"""`BulkDelete`: a system job that deletes what queries find, with the caller's rights (WA-308, WA-404)."""

from strongroom.background.bulk_delete import begin_bulk_delete
from strongroom.errors import InvalidRequest
from strongroom.messages.job_arguments import NOTICE, when_of
from strongroom.messages.operation import Arguments, Kind, Operation, Parameter, Result, action
from strongroom.records import Session


def _bulk_delete(session: Session, arguments: Arguments) -> Result:
    if arguments.values.get("SourceImportId") is not None:
        raise InvalidRequest("Which rows an import has made is not kept: leave out SourceImportId, and give a query.")
    name, queries = arguments.text("JobName"), arguments.objects("QuerySet")
    return {"JobId": begin_bulk_delete(session, name, queries, when_of(session, arguments, "StartDateTime")).id}


OPERATIONS: tuple[Operation, ...] = (
    action(
        "BulkDelete",
        _bulk_delete,
        Parameter("QuerySet", Kind.COMPLEXES, type="Collection(mscrm.QueryExpression)"),
        Parameter("JobName", Kind.STRING),
        *NOTICE,
        Parameter("RecurrencePattern", Kind.STRING, required=False),
        Parameter("StartDateTime", Kind.STRING, required=False, type="Edm.DateTimeOffset"),
        Parameter("SourceImportId", Kind.GUID, required=False),
        Parameter("RunNow", Kind.BOOLEAN, required=False),
        properties={"JobId": "Edm.Guid"},
    ),
)
