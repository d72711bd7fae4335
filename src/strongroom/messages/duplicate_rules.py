"""Duplicates: from when on, and until when, a rule finds them (WA-422), those of one row (WA-403), and a job that looks
for those of many.

A rule is published in the request that asks for it; the job that documentation describes is the record of that.
"""

from itertools import islice

from strongroom.background.duplicate_search import begin_duplicate_search
from strongroom.errors import InvalidRequest
from strongroom.ids import EMPTY_GUID, Guid, Key, Reference
from strongroom.messages.entities import entity, guid_of, type_of, values_in
from strongroom.messages.job_arguments import NOTICE, when_of
from strongroom.messages.operation import ANY_TABLE, Arguments, Json, Kind, Operation, Parameter, Result, action
from strongroom.query.ast import Field, Output, Select, Source
from strongroom.records import Session, require, retrieve, update
from strongroom.records.create import store_new
from strongroom.records.duplicate_rules import PUBLISHED, RULE, UNPUBLISHED, published_rules
from strongroom.records.duplicates import duplicates_of
from strongroom.records.table_form import form_of
from strongroom.schema.model import Rights, Table
from strongroom.store.protocol import Row, Value

_PUBLISHING = 7  # asyncoperation.operationtype
_COMPLETED, _SUCCEEDED = 3, 30
_MOST_AT_ONCE, _MOST_PAGES = 500, 10


def _publish(session: Session, arguments: Arguments) -> Result:
    rule = arguments.bound()
    update(session, session.table(RULE), rule.id, {"statecode": PUBLISHED})
    values: dict[str, Value] = {
        "name": "Publish duplicate rule",
        "operationtype": _PUBLISHING,
        "statecode": _COMPLETED,
        "statuscode": _SUCCEEDED,
        "startedon": session.now,
        "completedon": session.now,
    }
    job = store_new(session, session.table("asyncoperation"), values)
    return {
        "@odata.type": "#Microsoft.Dynamics.CRM.asyncoperation",
        "asyncoperationid": job.id,
        **{name: job.values[name] for name in values},
    }


def _unpublish(session: Session, arguments: Arguments) -> Result:
    update(session, session.table(RULE), arguments.guid("DuplicateRuleId"), {"statecode": UNPUBLISHED})
    return None


def _duplicates(session: Session, arguments: Arguments) -> Result:
    """The duplicates of a row, stored or not, in one table; a page of them."""
    body, name = arguments.object("BusinessEntity"), arguments.text("MatchingEntityName")
    table, matching = type_of(session.schema, body.get("@odata.type")), session.schema.tables.get(name)
    if table is None or matching is None:
        raise InvalidRequest(
            "'BusinessEntity' needs \"@odata.type\", and 'MatchingEntityName' the logical name of a table."
        )
    page, size = _page(arguments.optional_object("PagingInfo") or {})
    row = _row_in(session, table, body)
    found: set[Guid] = set()
    for rule in published_rules(session, table):
        if rule.matching.logical_name == matching.logical_name:
            found.update(islice(duplicates_of(session, rule, row), page * size))
    ids = sorted(found)[(page - 1) * size : page * size]
    return {"value": [_shown(session, matching, row_id) for row_id in ids]}


def _page(info: Json) -> tuple[int, int]:
    page, size = info.get("PageNumber", 1), info.get("Count", _MOST_AT_ONCE)
    if not (
        isinstance(page, int) and isinstance(size, int) and 1 <= page <= _MOST_PAGES and 1 <= size <= _MOST_AT_ONCE
    ):
        raise InvalidRequest(
            f"'PagingInfo' has a PageNumber from 1 to {_MOST_PAGES} and a Count from 1 to {_MOST_AT_ONCE}."
        )
    return page, size


def _row_in(session: Session, table: Table, body: Json) -> Row:
    """The row that is asked about: the given values, on top of those that are stored when it names a stored row."""
    stored = body.get(table.primary_id)
    row_id = EMPTY_GUID if stored is None else guid_of(stored, table.primary_id)
    values: dict[str, Value] = {}
    if stored is not None:
        values = dict(require(session, table, row_id, Rights.READ).values)
    form = form_of(table)
    given = values_in(session, table, body, "BusinessEntity")
    return Row(table, Key(0), row_id, None, None, 0, {**values, **form.checked(given, form.on_create)})


def _shown(session: Session, table: Table, row_id: Guid) -> Json:
    """A duplicate as the caller may see it: its id and its name."""
    columns = [table.id_column] if table.primary_name is None else [table.id_column, table.columns[table.primary_name]]
    outputs = tuple(Output(column.property_name, Field("", column)) for column in columns)
    record = retrieve(session, Select(Source(table), outputs), row_id)
    values = dict(zip((each.name for each in outputs), record.values, strict=False))
    return {**entity(session.schema, Reference(table.logical_name, row_id)), **values}


def _detect(session: Session, arguments: Arguments) -> Result:
    when = when_of(session, arguments, "RecurrenceStartTime")
    query = arguments.object("Query")
    return {"JobId": begin_duplicate_search(session, arguments.text("JobName"), query, when).id}


OPERATIONS: tuple[Operation, ...] = (
    Operation("PublishDuplicateRule", False, _publish, bound_to=(RULE,), result="asyncoperation"),
    action("UnpublishDuplicateRule", _unpublish, Parameter("DuplicateRuleId", Kind.GUID)),
    Operation(
        "RetrieveDuplicates",
        True,
        _duplicates,
        (
            Parameter("BusinessEntity", Kind.COMPLEX, type="mscrm.crmbaseentity"),
            Parameter("MatchingEntityName", Kind.STRING),
            Parameter("PagingInfo", Kind.COMPLEX, required=False, type="mscrm.PagingInfo"),
        ),
        collection_of=ANY_TABLE,
    ),
    action(
        "BulkDetectDuplicates",
        _detect,
        Parameter("Query", Kind.COMPLEX, type="mscrm.QueryExpression"),
        Parameter("JobName", Kind.STRING),
        *NOTICE,
        Parameter("TemplateId", Kind.GUID, required=False),
        Parameter("RecurrencePattern", Kind.STRING, required=False),
        Parameter("RecurrenceStartTime", Kind.STRING, required=False, type="Edm.DateTimeOffset"),
        properties={"JobId": "Edm.Guid"},
    ),
)
