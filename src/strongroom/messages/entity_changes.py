"""`RetrieveEntityChanges`: what has changed in a table since a data token (WA-403, WA-310 to WA-314).

The same difference as that of `Prefer: odata.track-changes`, in the shape of the SDK's message: without a `DataVersion`
every row is new. It takes Read of the whole table, at each call.
"""

import re
from typing import cast

from strongroom.errors import InvalidRequest
from strongroom.ids import Reference
from strongroom.messages.operation import Arguments, Json, Kind, Operation, Parameter, Result, function
from strongroom.query.ast import Field, LookupTable, Output, Select, Source
from strongroom.query.delta_tokens import UnknownDeltaToken
from strongroom.query.odata.select import all_columns, outputs
from strongroom.records import Session
from strongroom.records.shapes import Record
from strongroom.records.tracking import (
    Difference,
    Place,
    Removed,
    Span,
    difference,
    require_known,
    require_tracked,
    start_tracking,
)
from strongroom.schema.model import Column, Table

_TOKEN = re.compile(r"(\d{1,18})!(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)")
_COOKIE = re.compile(r"(\d{1,18}),([012]),(\d{1,18})")
_MOST = 5000


def _changes(session: Session, arguments: Arguments) -> Result:
    table = session.schema.tables.get(arguments.text("EntityName"))
    if table is None:
        raise InvalidRequest(f"There is no table '{arguments.text('EntityName')[:100]}'.", code="0x80041102")
    require_tracked(table)
    version = start_tracking(session, table)
    span = Span(_since(session, arguments.optional_text("DataVersion")), version)
    size, cookie = _paging(arguments.optional_object("PageInfo") or {})
    place = None
    if cookie is not None:
        until, part, after = (int(text) for text in cookie.groups())
        span, place = Span(span.since, min(until, version)), Place(part, after)
    columns = _columns(table, arguments.optional_object("Columns"))
    select = Select(Source(table), _outputs(table, columns))
    return _shown(session, select, span, difference(session, select, span, size, place, goes_on=True))


def _shown(session: Session, select: Select, span: Span, found: Difference) -> Json:
    table, cookie = select.source.table, ""
    if found.next is not None:
        cookie = f"{span.until},{found.next.part},{found.next.after}"
    changes = [_updated(select, record) for record in found.rows] + [_removed(table, each) for each in found.removed]
    return {
        "EntityChanges": {
            "Changes": changes,
            "MoreRecords": found.next is not None,
            "PagingCookie": cookie,
            "DataToken": f"{span.until}!{session.now}",
            "GlobalMetadataVersion": str(session.schema.version),
        }
    }


def _updated(select: Select, record: Record) -> Json:
    row: dict[str, object] = {"@odata.type": f"#Microsoft.Dynamics.CRM.{select.source.table.logical_name}"}
    row |= zip((output.name for output in select.outputs), record.values, strict=False)
    return {"Type": "NewOrUpdated", "NewOrUpdatedEntity": row}


def _removed(table: Table, row: Removed) -> Json:
    gone = Reference(table.logical_name, row.id)
    return {"Type": "RemoveOrDeleted", "RemovedItem": {"LogicalName": gone.table, "Id": gone.id}}


def _outputs(table: Table, columns: list[Column]) -> tuple[Output, ...]:
    """The columns, and beside a lookup to several tables which one it points to, as the SDK's references say."""
    named = outputs(table, columns)
    lookups = [column for column in columns if column.type.is_lookup and len(column.targets) != 1]
    kinds = (Output(f"{c.property_name}@Microsoft.Dynamics.CRM.lookuplogicalname", LookupTable("", c)) for c in lookups)
    id_output = Output(table.primary_id, Field("", table.id_column))
    return tuple({output.name: output for output in (id_output, *named, *kinds)}.values())


def _columns(table: Table, given: Json | None) -> list[Column]:
    if given is None or given.get("AllColumns") is True:
        return all_columns(table)
    names = given.get("Columns")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in cast("list[object]", names)):
        raise InvalidRequest('Columns is a ColumnSet: {"Columns":["name"]} or {"AllColumns":true}.')
    found: list[Column] = []
    for name in cast("list[str]", names):
        column = table.columns.get(name)
        if column is None:
            raise InvalidRequest(
                f"'{table.logical_name}' entity doesn't contain attribute with Name = '{name[:100]}'",
                code="0x80041103",
            )
        found.append(column)
    return found


def _since(session: Session, token: str | None) -> int:
    if not token:
        return 0
    found = _TOKEN.fullmatch(token)
    if found is None:
        raise UnknownDeltaToken("is not one of this service")
    require_known(session, int(found[1]), found[2])
    return int(found[1])


def _paging(info: Json) -> tuple[int, re.Match[str] | None]:
    size, text = info.get("Count") or _MOST, info.get("PagingCookie") or ""
    if not isinstance(size, int) or not 1 <= size <= _MOST or not isinstance(text, str):
        raise InvalidRequest(f"PageInfo holds Count (at most {_MOST}) and the PagingCookie of the page before.")
    cookie = _COOKIE.fullmatch(text)
    if text and cookie is None:
        raise InvalidRequest("The PagingCookie is not one that RetrieveEntityChanges gave.")
    return size, cookie


OPERATIONS: tuple[Operation, ...] = (
    function(
        "RetrieveEntityChanges",
        _changes,
        Parameter("EntityName", Kind.STRING),
        Parameter("Columns", Kind.COMPLEX, required=False, type="mscrm.ColumnSet"),
        Parameter("DataVersion", Kind.STRING, required=False),
        Parameter("PageInfo", Kind.COMPLEX, required=False, type="mscrm.PagingInfo"),
        properties={"EntityChanges": "mscrm.BusinessEntityChanges"},
    ),
)
