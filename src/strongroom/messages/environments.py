"""The life of environments and their keys, by an administrator of the control environment (TS-406 to TS-412, TS-506).

What takes time is written down and answered with 202 and the id of its row in `environmentoperation`, whose `result`
says how it went; the server does it within a second or so. In other environments these operations are not there.

Where a customer's key is (a module to load, an address to call with a token) is said on the machine itself, by the
command line: whoever reaches the Web API must not make the server load a library or send a token somewhere.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from strongroom.errors import Conflict, InvalidRequest, NotFound, ResourceNotFound
from strongroom.ids import Guid
from strongroom.lifecycle.operations import request
from strongroom.messages.operation import Arguments, Kind, Operation, Parameter, Result, action
from strongroom.records import Session
from strongroom.records.authorize import demand_privilege
from strongroom.schema.model import Rights
from strongroom.store.protocol import Row

_ENVIRONMENT = Parameter("EnvironmentId", Kind.GUID)
_CONFIRM = Parameter("Confirm", Kind.STRING)
_KEY = Parameter("KeyReferenceId", Kind.GUID)
_TYPES = ("production", "sandbox", "developer", "trial")
_PRODUCTION, _LOCKED, _DELETED, _PURGED = 1, 4, 5, 6

_Told = Mapping[str, str]


def _asking(
    name: str,
    kind: str,
    right: tuple[str, Rights],
    tell: Callable[[Session, Arguments], _Told],
    *parameters: Parameter,
) -> Operation:
    """An action that writes an operation down, for those who hold a privilege on a table of the control environment."""

    def run(session: Session, arguments: Arguments) -> Result:
        if "environmentoperation" not in session.schema.tables:
            raise ResourceNotFound("This operation is one of the control environment.")
        demand_privilege(session, session.table(right[0]), right[1])
        by = str(session.caller.facts.name)
        return {"OperationId": request(session, kind, tell(session, arguments), by)}

    return replace(action(name, run, *parameters, properties={"OperationId": "Edm.Guid"}), is_accepted=True)


# --- what is told ----------------------------------------------------------------------------------------------------


def _create(_: Session, arguments: Arguments) -> _Told:
    told = {"name": arguments.text("Name"), "type": _type(arguments.integer("Type"))}
    region = arguments.optional_text("RegionId")
    return {**told, "region": region} if region else told


def _copy(session: Session, arguments: Arguments) -> _Told:
    source, target = _environment(session, arguments, "SourceId"), _replaceable(session, arguments, "TargetId")
    kinds = {1: "everything", 2: "structure"}
    kind = kinds.get(arguments.integer("Kind"))
    if kind is None:
        raise _refused("Kind is 1 (everything) or 2 (structure only).", "kind", "TS-407", "Kind")
    return {"source": _name(source), "target": _name(target), "kind": kind}


def _back_up(session: Session, arguments: Arguments) -> _Told:
    return {"name": _name(_environment(session, arguments)), "label": arguments.optional_text("Label") or ""}


def _restore(session: Session, arguments: Arguments) -> _Told:
    told = {"to": _name(_replaceable(session, arguments, "TargetId"))}
    backup = arguments.values.get("BackupId")
    if backup is not None:
        row = session.transaction.row(session.table("environmentbackup"), arguments.guid("BackupId"))
        if row is None or row.values.get("removedon") is not None:
            raise NotFound("There is no such back-up.")
        return {**told, "backup": row.id}
    if arguments.values.get("PointInTime") is None or arguments.values.get("EnvironmentId") is None:
        raise _refused(
            "Give a BackupId, or an EnvironmentId with a PointInTime.", "backup-or-time", "TS-409", "BackupId"
        )
    moment = arguments.moment("PointInTime")
    return {**told, "name": _name(_environment(session, arguments)), "at": moment.isoformat()}


def _several(session: Session, arguments: Arguments) -> _Told:
    names: list[str] = []
    for told in arguments.strings("EnvironmentIds"):
        row = session.transaction.row(session.table("environment"), Guid(told.lower()))
        if row is None or row.values.get("state") == _PURGED:
            raise NotFound("There is no such environment.")
        names.append(_name(row))
    if len(set(names)) < 2:
        raise _refused("Name two environments or more.", "need-two", "TS-403", "EnvironmentIds")
    return {"names": ",".join(names)}


def _confirmed(session: Session, arguments: Arguments) -> _Told:
    """The environment of a dangerous operation, whose name was repeated (TS-410)."""
    row = _environment(session, arguments)
    if arguments.text("Confirm") != _name(row):
        raise _refused(f"Confirm must repeat the unique name: {_name(row)}.", "confirm-name", "TS-410", "Confirm")
    if row.values.get("isheld") is True:
        raise _conflict(row, "legal-hold", "TS-411", "is under a legal hold")
    return {"name": _name(row)}


def _reset(session: Session, arguments: Arguments) -> _Told:
    _replaceable(session, arguments, "EnvironmentId")
    return _confirmed(session, arguments)


def _convert(session: Session, arguments: Arguments) -> _Told:
    return {"name": _name(_environment(session, arguments)), "type": _type(arguments.integer("Type"))}


def _move(session: Session, arguments: Arguments) -> _Told:
    return {"name": _name(_environment(session, arguments)), "region": arguments.text("RegionId")}


def _mode(session: Session, arguments: Arguments) -> _Told:
    return {"name": _name(_environment(session, arguments)), "message": arguments.optional_text("Message") or ""}


def _named(session: Session, arguments: Arguments) -> _Told:
    return {"name": _name(_environment(session, arguments))}


def _backup_named(session: Session, arguments: Arguments) -> _Told:
    return {"backup": arguments.guid("BackupId")}


def _assign(session: Session, arguments: Arguments) -> _Told:
    keys = [str(_key_row(session, each).values["name"]) for each in arguments.strings("KeyReferenceIds")]
    return {"name": _name(_environment(session, arguments)), "keys": ",".join(keys)}


def _key(session: Session, arguments: Arguments) -> _Told:
    row = _key_row(session, arguments.guid("KeyReferenceId"))
    return {"key": str(row.values["name"]), "reason": arguments.optional_text("Reason") or ""}


def _key_row(session: Session, told: str) -> Row:
    row = session.transaction.row(session.table("keyreference"), Guid(told.lower()))
    if row is None:
        raise NotFound("There is no such key.")
    return row


# --- rows ------------------------------------------------------------------------------------------------------------


def _environment(session: Session, arguments: Arguments, name: str = "EnvironmentId") -> Row:
    row = session.transaction.row(session.table("environment"), arguments.guid(name))
    if row is None or row.values.get("state") == _PURGED:
        raise NotFound("There is no such environment.")
    return row


def _replaceable(session: Session, arguments: Arguments, name: str) -> Row:
    row = _environment(session, arguments, name)
    if row.values.get("environmenttype") == _PRODUCTION:
        raise _conflict(row, "production-target", "TS-409", "is a production environment; convert it first")
    if row.values.get("isheld") is True:
        raise _conflict(row, "legal-hold", "TS-411", "is under a legal hold")
    if row.values.get("state") == _LOCKED:
        raise _conflict(row, "environment-locked", "TS-507", "is locked: a key of its customer is revoked")
    return row


def _name(row: Row) -> str:
    return str(row.values["uniquename"])


def _type(number: int) -> str:
    if not 1 <= number <= len(_TYPES):
        raise _refused("Type is 1 (production), 2 (sandbox), 3 (developer) or 4 (trial).", "type", "TS-406", "Type")
    return _TYPES[number - 1]


def _refused(message: str, reason: str, rule: str, target: str) -> InvalidRequest:
    return InvalidRequest(message, details={"reason": reason, "rule": rule, "target": target})


def _conflict(row: Row, reason: str, rule: str, why: str) -> Conflict:
    return Conflict(f"'{_name(row)}' {why}.", details={"reason": reason, "rule": rule})


_CHANGE, _MAKE = ("environment", Rights.WRITE), ("environment", Rights.CREATE)
_KEYS, _KEYS_READ = ("keyreference", Rights.WRITE), ("keyreference", Rights.READ)
_TYPE = Parameter("Type", Kind.INTEGER)
_MESSAGE = Parameter("Message", Kind.STRING, required=False)

OPERATIONS: tuple[Operation, ...] = (
    _asking(
        "CreateEnvironment",
        "create",
        _MAKE,
        _create,
        Parameter("Name", Kind.STRING),
        _TYPE,
        Parameter("RegionId", Kind.STRING, required=False),
    ),
    _asking(
        "CopyEnvironment",
        "copy",
        _CHANGE,
        _copy,
        Parameter("SourceId", Kind.GUID),
        Parameter("TargetId", Kind.GUID),
        Parameter("Kind", Kind.INTEGER),
    ),
    _asking(
        "BackupEnvironment",
        "backup",
        ("environmentbackup", Rights.CREATE),
        _back_up,
        _ENVIRONMENT,
        Parameter("Label", Kind.STRING, required=False),
    ),
    _asking(
        "VerifyBackup",
        "verify-backup",
        ("environmentbackup", Rights.CREATE),
        _backup_named,
        Parameter("BackupId", Kind.GUID),
    ),
    _asking(
        "RestoreEnvironment",
        "restore",
        _CHANGE,
        _restore,
        Parameter("BackupId", Kind.GUID, required=False),
        Parameter("EnvironmentId", Kind.GUID, required=False),
        Parameter("PointInTime", Kind.STRING, required=False, type="Edm.DateTimeOffset"),
        Parameter("TargetId", Kind.GUID),
    ),
    _asking("ResetEnvironment", "reset", ("environment", Rights.DELETE), _reset, _ENVIRONMENT, _CONFIRM),
    _asking("DeleteEnvironment", "delete", ("environment", Rights.DELETE), _confirmed, _ENVIRONMENT, _CONFIRM),
    _asking("RecoverEnvironment", "recover", _CHANGE, _confirmed, _ENVIRONMENT, _CONFIRM),
    _asking("PurgeEnvironment", "purge", ("environment", Rights.DELETE), _confirmed, _ENVIRONMENT, _CONFIRM),
    _asking("ConvertEnvironment", "convert", _CHANGE, _convert, _ENVIRONMENT, _TYPE),
    _asking("MoveEnvironment", "move", _CHANGE, _move, _ENVIRONMENT, Parameter("RegionId", Kind.STRING)),
    _asking("SuspendEnvironment", "suspend", _CHANGE, _mode, _ENVIRONMENT, _MESSAGE),
    _asking("StartAdministrationMode", "administer", _CHANGE, _mode, _ENVIRONMENT, _MESSAGE),
    _asking("OpenEnvironment", "open", _CHANGE, _named, _ENVIRONMENT),
    _asking("ProveIsolation", "prove-isolation", _CHANGE, _several, Parameter("EnvironmentIds", Kind.STRINGS)),
    _asking("ProveEncryption", "prove-encryption", _KEYS_READ, _named, _ENVIRONMENT),
    _asking(
        "AssignCustomerKeys", "assign-key", _KEYS, _assign, _ENVIRONMENT, Parameter("KeyReferenceIds", Kind.STRINGS)
    ),
    _asking("RotateKey", "rotate-key", _KEYS, _key, _KEY),
    _asking("RevokeKey", "revoke-key", _KEYS, _key, _KEY, Parameter("Reason", Kind.STRING, required=False)),
    _asking("RestoreKeyAccess", "restore-key", _KEYS, _key, _KEY),
)
