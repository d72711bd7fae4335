"""Access of support, as actions of the control environment (section 15 of the trust services)."""

from dataclasses import replace

from strongroom.errors import ResourceNotFound
from strongroom.identity.directory import number, text
from strongroom.lockbox import emergencies, requests
from strongroom.lockbox.scope import Scope, read_scope, scope_in
from strongroom.lockbox.tables import REQUEST
from strongroom.messages.operation import Arguments, Kind, Operation, Parameter, Result, action
from strongroom.records import Session
from strongroom.records.authorize import demand_existing
from strongroom.schema.model import Rights
from strongroom.store.protocol import Row

_REQUEST = Parameter("LockboxRequestId", Kind.GUID)
_EXCLUSION = Parameter("ExclusionId", Kind.GUID)
_NARROWED = (
    Parameter("Minutes", Kind.INTEGER, required=False),
    Parameter("Tables", Kind.STRINGS, required=False),
    Parameter("Verbs", Kind.STRINGS, required=False),
    Parameter("Columns", Kind.STRINGS, required=False),
)
_STATUS = {"Status": "Edm.Int32", "AccessExpiresOn": "Edm.DateTimeOffset"}
_TOKEN = {"Token": "Edm.String", "Environment": "Edm.String", "AccessExpiresOn": "Edm.DateTimeOffset"}
_EMERGENCY = {"ExclusionId": "Edm.Guid", "State": "Edm.Int32", "AccessExpiresOn": "Edm.DateTimeOffset"}


def _ask(session: Session, arguments: Arguments) -> Result:
    _require_control(session)
    columns = arguments.strings("Columns") if arguments.values.get("Columns") is not None else ()
    row = requests.ask(
        session,
        arguments.text("EnvironmentId"),
        read_scope(arguments.strings("Tables"), arguments.strings("Verbs"), columns),
        arguments.integer("Minutes"),
        arguments.text("Justification"),
        arguments.optional_text("SupportCaseId"),
    )
    return {"LockboxRequestId": row.id, "ExpiresOn": text(row, "expireson")}


def _approve_internally(session: Session, arguments: Arguments) -> Result:
    _require_control(session)
    return _status(requests.approve_internally(session, arguments.guid("LockboxRequestId")))


def _approve(session: Session, arguments: Arguments) -> Result:
    _require_control(session)
    request = arguments.guid("LockboxRequestId")
    minutes = arguments.values.get("Minutes")
    narrowed = _narrowed(session, arguments)
    return _status(requests.approve(session, request, minutes if isinstance(minutes, int) else None, narrowed))


def _narrowed(session: Session, arguments: Arguments) -> Scope | None:
    """The scope that an approval names: what it leaves out is as it was asked for."""
    given = {name: arguments.values.get(name) for name in ("Tables", "Verbs", "Columns")}
    if all(value is None for value in given.values()):
        return None
    row = demand_existing(session, session.table(REQUEST), arguments.guid("LockboxRequestId"), Rights.READ)
    asked = scope_in(row)
    before = {"Tables": asked.tables, "Verbs": asked.verbs, "Columns": asked.columns}
    chosen = {name: before[name] if given[name] is None else arguments.strings(name) for name in given}
    return read_scope(chosen["Tables"], chosen["Verbs"], chosen["Columns"])


def _deny(session: Session, arguments: Arguments) -> Result:
    _require_control(session)
    return _status(requests.deny(session, arguments.guid("LockboxRequestId"), arguments.text("Reason")))


def _revoke(session: Session, arguments: Arguments) -> Result:
    _require_control(session)
    return _status(requests.revoke(session, arguments.guid("LockboxRequestId"), arguments.text("Reason")))


def _open(session: Session, arguments: Arguments) -> Result:
    _require_control(session)
    request = arguments.guid("LockboxRequestId")
    token, ends = requests.open_access(session, request)
    row = demand_existing(session, session.table(REQUEST), request, Rights.READ)
    return {"Token": token, "Environment": text(row, "environmentname"), "AccessExpiresOn": ends}


def _break_glass(session: Session, arguments: Arguments) -> Result:
    _require_control(session)
    row = emergencies.break_glass(
        session, arguments.text("EnvironmentId"), arguments.text("Reason"), arguments.guid("SecondOperatorId")
    )
    return _emergency(row)


def _confirm(session: Session, arguments: Arguments) -> Result:
    _require_control(session)
    return _emergency(emergencies.confirm_break_glass(session, arguments.guid("ExclusionId")))


def _open_emergency(session: Session, arguments: Arguments) -> Result:
    _require_control(session)
    exclusion = arguments.guid("ExclusionId")
    token, ends = emergencies.open_emergency(session, exclusion)
    row = demand_existing(session, session.table("lockboxexclusion"), exclusion, Rights.READ)
    return {"Token": token, "Environment": text(row, "environmentname"), "AccessExpiresOn": ends}


def _end_emergency(session: Session, arguments: Arguments) -> Result:
    _require_control(session)
    return _emergency(emergencies.end_emergency(session, arguments.guid("ExclusionId")))


def _review(session: Session, arguments: Arguments) -> Result:
    _require_control(session)
    return _emergency(emergencies.review(session, arguments.guid("ExclusionId"), arguments.text("Note")))


def _require_control(session: Session) -> None:
    if REQUEST not in session.schema.tables:
        raise ResourceNotFound("This operation is one of the control environment.")


def _status(row: Row) -> Result:
    return {"Status": number(row, "requeststatus"), "AccessExpiresOn": text(row, "accessexpireson") or None}


def _emergency(row: Row) -> Result:
    return {
        "ExclusionId": row.id,
        "State": number(row, "exclusionstate"),
        "AccessExpiresOn": text(row, "accessexpireson") or None,
    }


_ACTIONS = (
    action(
        "RequestSupportAccess",
        _ask,
        Parameter("EnvironmentId", Kind.STRING),
        Parameter("Tables", Kind.STRINGS),
        Parameter("Verbs", Kind.STRINGS),
        Parameter("Columns", Kind.STRINGS, required=False),
        Parameter("Minutes", Kind.INTEGER),
        Parameter("Justification", Kind.STRING),
        Parameter("SupportCaseId", Kind.STRING, required=False),
        properties={"LockboxRequestId": "Edm.Guid", "ExpiresOn": "Edm.DateTimeOffset"},
    ),
    action("ApproveInternally", _approve_internally, _REQUEST, properties=_STATUS),
    action("ApproveLockboxRequest", _approve, _REQUEST, *_NARROWED, properties=_STATUS),
    action("DenyLockboxRequest", _deny, _REQUEST, Parameter("Reason", Kind.STRING), properties=_STATUS),
    action("RevokeLockboxAccess", _revoke, _REQUEST, Parameter("Reason", Kind.STRING), properties=_STATUS),
    action("OpenLockboxAccess", _open, _REQUEST, properties=_TOKEN),
    action(
        "BreakGlass",
        _break_glass,
        Parameter("EnvironmentId", Kind.STRING),
        Parameter("Reason", Kind.STRING),
        Parameter("SecondOperatorId", Kind.GUID),
        properties=_EMERGENCY,
    ),
    action("ConfirmBreakGlass", _confirm, _EXCLUSION, properties=_EMERGENCY),
    action("OpenBreakGlass", _open_emergency, _EXCLUSION, properties=_TOKEN),
    action("EndBreakGlass", _end_emergency, _EXCLUSION, properties=_EMERGENCY),
    action("ReviewBreakGlass", _review, _EXCLUSION, Parameter("Note", Kind.STRING), properties=_EMERGENCY),
)
OPERATIONS: tuple[Operation, ...] = tuple(replace(each, is_own=True) for each in _ACTIONS)
