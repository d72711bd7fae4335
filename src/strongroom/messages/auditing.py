"""Reading the trail through messages (WA-395 to WA-397, SM-173)."""

from collections.abc import Mapping

from strongroom.audit.history import (
    AuditDetail,
    History,
    attribute_change_history,
    audit_detail,
    record_change_history,
)
from strongroom.errors import InvalidRequest
from strongroom.ids import Reference
from strongroom.messages.audit_details import kind_of
from strongroom.messages.operation import Arguments, Json, Kind, Operation, Parameter, Result, function
from strongroom.records import Session
from strongroom.schema.model import Schema, Table

_TARGET = Parameter("Target", Kind.REFERENCE)
_PAGING = Parameter("PagingInfo", Kind.COMPLEX, required=False, type="mscrm.PagingInfo")
_COLLECTION = {"AuditDetailCollection": "mscrm.AuditDetailCollection"}


def _page(arguments: Arguments) -> tuple[int, int]:
    info = arguments.optional_object("PagingInfo") or {}
    page, size = info.get("PageNumber", 1), info.get("Count", 5000)
    if not isinstance(page, int) or not isinstance(size, int) or page < 1 or not 0 <= size <= 5000:
        raise InvalidRequest("PagingInfo holds PageNumber (1 or more) and Count (at most 5000).")
    return page, size or 5000


def _record_history(session: Session, arguments: Arguments) -> Result:
    page, size = _page(arguments)
    target = arguments.reference("Target")
    history = record_change_history(session.transaction, session.caller, target, page=page, page_size=size)
    return _collection(session.schema, history)


def _attribute_history(session: Session, arguments: Arguments) -> Result:
    page, size = _page(arguments)
    history = attribute_change_history(
        session.transaction,
        session.caller,
        arguments.reference("Target"),
        arguments.text("AttributeLogicalName"),
        page=page,
        page_size=size,
    )
    return _collection(session.schema, history)


def _details(session: Session, arguments: Arguments) -> Result:
    detail = audit_detail(session.transaction, session.caller, arguments.bound().id)
    return {"AuditDetail": _detail(session.schema, detail, with_record=False)}


def _collection(schema: Schema, history: History) -> Result:
    return {
        "AuditDetailCollection": {
            "MoreRecords": history.more,
            "PagingCookie": "",
            "TotalRecordCount": history.total,
            "Count": len(history.details),
            "AuditDetails": [_detail(schema, detail, with_record=True) for detail in history.details],
        }
    }


def _detail(schema: Schema, detail: AuditDetail, *, with_record: bool) -> Json:
    table = schema.tables.get(str(detail.entry.get("objecttypecode")))
    kind, told = kind_of(schema, detail)
    shown: dict[str, object] = {
        "@odata.type": f"#Microsoft.Dynamics.CRM.{kind}",
        **told,
        "InvalidNewValueAttributes": [],
        "LocLabelLanguageCode": 0,
        "DeletedAttributes": {
            "Count": len(detail.deleted),
            "IsReadOnly": False,
            "Keys": [],
            "Values": list(detail.deleted),
        },
        "OldValue": _entity(table, detail.old),
        "NewValue": _entity(table, detail.new),
    }
    if with_record:
        audit = schema.tables["audit"]
        shown["AuditRecord"] = _entity(audit, detail.entry)
    return shown


def _entity(table: Table | None, values: Mapping[str, object]) -> Json:
    type_name = table.logical_name if table is not None else "crmbaseentity"
    shown: dict[str, object] = {"@odata.type": f"#Microsoft.Dynamics.CRM.{type_name}"}
    for name, value in values.items():
        if isinstance(value, Reference):
            shown[f"_{name}_value"] = value.id
        else:
            column = table.columns.get(name) if table is not None else None
            shown[column.property_name if column is not None and value is None else name] = value
    return shown


OPERATIONS: tuple[Operation, ...] = (
    function("RetrieveRecordChangeHistory", _record_history, _TARGET, _PAGING, properties=_COLLECTION),
    function(
        "RetrieveAttributeChangeHistory",
        _attribute_history,
        _TARGET,
        Parameter("AttributeLogicalName", Kind.STRING),
        _PAGING,
        properties=_COLLECTION,
    ),
    function("RetrieveAuditDetails", _details, properties={"AuditDetail": "mscrm.AuditDetail"}, bound_to=("audit",)),
)
