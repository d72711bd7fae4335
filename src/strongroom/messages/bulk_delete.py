"""`BulkDelete`: a job that deletes what a query finds, with the caller's rights (WA-308).

The query runs and the rows are deleted in the transaction of the request, so that the job is whole or not at all; its
record tells what was done.
"""

from typing import cast

from strongroom.access.resolve import require_privilege, require_usable
from strongroom.errors import InvalidRequest
from strongroom.ids import Reference
from strongroom.messages.operation import Arguments, Json, Kind, Operation, Parameter, Result, action
from strongroom.messages.reading import read_context
from strongroom.query.ast import Field, Output, Select, Source
from strongroom.query.query_expression import read_query_expression
from strongroom.records import Session, delete_multiple, retrieve_page
from strongroom.records.create import store_new

MAX_ROWS = 5000
_BULK_DELETE = 13  # asyncoperation.operationtype
_COMPLETED, _SUCCEEDED = 3, 30


def _bulk_delete(session: Session, arguments: Arguments) -> Result:
    if arguments.optional_text("RecurrencePattern"):
        raise InvalidRequest("A recurring BulkDelete is not offered; leave RecurrencePattern empty.")
    require_usable(session.caller)
    require_privilege(session.caller, "prvBulkDelete")
    queries = [_query(session, body) for body in arguments.objects("QuerySet")]
    if not queries:
        raise InvalidRequest("'QuerySet' needs at least one query.")
    deleted = sum(_delete(session, select) for select in queries)
    job = store_new(
        session,
        session.table("asyncoperation"),
        {
            "name": arguments.text("JobName")[:256],
            "operationtype": _BULK_DELETE,
            "statecode": _COMPLETED,
            "statuscode": _SUCCEEDED,
            "startedon": session.now,
            "completedon": session.now,
            "message": f"{deleted} rows deleted",
        },
    )
    operation = session.table("bulkdeleteoperation")
    values = {"name": arguments.text("JobName")[:256], "successcount": deleted, "failurecount": 0}
    known = {name: value for name, value in values.items() if name in operation.columns}
    if "asyncoperationid" in operation.columns:
        known["asyncoperationid"] = Reference("asyncoperation", job.id)  # pyright: ignore[reportArgumentType]
    store_new(session, operation, cast("dict[str, object]", known))
    return {"JobId": job.id}


def _query(session: Session, body: Json) -> Select:
    return read_query_expression(session.schema, body, read_context(session))


def _delete(session: Session, select: Select) -> int:
    table = select.source.table
    ids_only = Select(
        Source(table),
        (Output(table.primary_id, Field("", table.id_column)),),
        joins=select.joins,
        where=select.where,
        top=MAX_ROWS,
    )
    number = 0
    while True:
        page = retrieve_page(session, ids_only)
        ids = [record.id for record in page.rows if record.id is not None]
        if not ids:
            return number
        delete_multiple(session, table, ids)
        number += len(ids)


OPERATIONS: tuple[Operation, ...] = (
    action(
        "BulkDelete",
        _bulk_delete,
        Parameter("QuerySet", Kind.COMPLEXES, type="Collection(mscrm.QueryExpression)"),
        Parameter("JobName", Kind.STRING),
        Parameter("SendEmailNotification", Kind.BOOLEAN, required=False),
        Parameter("ToRecipients", Kind.COMPLEXES, required=False, type="Collection(mscrm.activityparty)"),
        Parameter("CCRecipients", Kind.COMPLEXES, required=False, type="Collection(mscrm.activityparty)"),
        Parameter("RecurrencePattern", Kind.STRING, required=False),
        Parameter("StartDateTime", Kind.STRING, required=False, type="Edm.DateTimeOffset"),
        Parameter("SourceImportId", Kind.GUID, required=False),
        Parameter("RunNow", Kind.BOOLEAN, required=False),
        properties={"JobId": "Edm.Guid"},
    ),
)
