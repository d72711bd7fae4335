"""Rows as they were, and back to it: `RetrieveRecordVersion` and `RestoreRecordVersion` (TS-810)."""

from decimal import Decimal

from strongroom.audit.versions import version_at
from strongroom.clock import iso
from strongroom.ids import Reference
from strongroom.messages.operation import Arguments, Kind, Operation, Parameter, Result
from strongroom.records import Session
from strongroom.records.restoring import restore
from strongroom.store.protocol import Value


def _version(session: Session, arguments: Arguments) -> Result:
    target = arguments.reference("Target")
    then = version_at(session.transaction, session.caller, target, iso(arguments.moment("At"))).then
    columns = [{"Column": name, "Value": _text(value)} for name, value in sorted((then or {}).items())]
    return {"Existed": then is not None, "Columns": columns}


def _restore(session: Session, arguments: Arguments) -> Result:
    columns = arguments.strings("Columns") if arguments.values.get("Columns") is not None else None
    target, entry = arguments.reference("Target"), arguments.guid("AuditId")
    restored = restore(session, target, entry, columns, preview=arguments.flag("Preview"))
    changes = [{"Column": each.column, "From": _text(each.before), "To": _text(each.after)} for each in restored]
    return {"Changes": changes}


def _text(value: Value) -> str | None:
    """A value as text; a lookup as its id, money as its digits."""
    if value is None:
        return None
    if isinstance(value, Reference):
        return value.id
    if isinstance(value, bool):
        return "true" if value else "false"
    return format(value, "f") if isinstance(value, Decimal) else str(value)


_TARGET = Parameter("Target", Kind.REFERENCE)

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "RetrieveRecordVersion",
        True,
        _version,
        (_TARGET, Parameter("At", Kind.STRING, type="Edm.DateTimeOffset")),
        result="RetrieveRecordVersionResponse",
        properties={"Existed": "Edm.Boolean", "Columns": "Collection(Strongroom.VersionColumn)"},
        is_own=True,
    ),
    Operation(
        "RestoreRecordVersion",
        False,
        _restore,
        (
            _TARGET,
            Parameter("AuditId", Kind.GUID),
            Parameter("Columns", Kind.STRINGS, required=False),
            Parameter("Preview", Kind.BOOLEAN, required=False),
        ),
        result="RestoreRecordVersionResponse",
        properties={"Changes": "Collection(Strongroom.RestoredColumn)"},
        is_own=True,
    ),
)
