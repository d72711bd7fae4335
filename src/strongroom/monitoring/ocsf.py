"""Events in the Open Cybersecurity Schema Framework (TS-818).

| event | class | activity |
| --- | --- | --- |
| a new alert | Detection Finding 2004 | Create |
| a user or an account is changed | Account Change 3001 | Create, Delete, Other |
| a sign-in, a token, the end of a session | Authentication 3002 | Logon, Authentication Ticket, Logoff |
| a role is given or taken | User Access Management 3005 | Assign, Revoke Privileges |
| a member joins or leaves a team | Group Management 3006 | Add, Remove User |
| everything else | API Activity 6003 | Create, Read, Update, Delete, Other |

`metadata.version` says which version of the schema; `type_uid` is `class_uid` × 100 + `activity_id`. What the schema
has no place for is in `unmapped`.
"""

from dataclasses import dataclass
from datetime import datetime

from strongroom import __version__
from strongroom.audit.activities import Activity, Category
from strongroom.audit.entries import Action, Operation
from strongroom.monitoring.events import Event

VERSION = "1.5.0"

_OTHER = 99
_SUCCESS, _FAILURE = 1, 2
_INFORMATIONAL = 1
_CATEGORIES = {2: "Findings", 3: "Identity & Access Management", 6: "Application Activity"}
_ACCOUNTS = ("systemuser", "directoryuser")
_BY_OPERATION = {Operation.CREATE: 1, Operation.ACCESS: 2, Operation.UPDATE: 3, Operation.DELETE: 4}
_BY_CATEGORY = {Category.READ: 2, Category.EXPORT: 2}
_LOGONS = {Activity.SIGN_IN.value: 1, Activity.SESSION_ENDED.value: 2, Activity.TOKEN_ISSUED.value: 3}
_PRIVILEGES = {
    _word: number
    for number, words in (
        (1, (Action.ASSIGN_ROLE_TO_USER, Action.ASSIGN_ROLE_TO_TEAM)),
        (2, (Action.REMOVE_ROLE_FROM_USER, Action.REMOVE_ROLE_FROM_TEAM)),
    )
    for _word in (each.name.lower().replace("_", "-") for each in words)
}
_MEMBERS = {"add-members": 3, "remove-members": 4}


@dataclass(frozen=True, slots=True)
class _Class:
    number: int
    name: str
    activity: int


def written(event: Event) -> dict[str, object]:
    """The event in the class that fits it."""
    chosen = _class_of(event)
    found: dict[str, object] = {
        "activity_id": chosen.activity,
        "category_uid": chosen.number // 1000,
        "category_name": _CATEGORIES[chosen.number // 1000],
        "class_uid": chosen.number,
        "class_name": chosen.name,
        "type_uid": chosen.number * 100 + chosen.activity,
        "time": _milliseconds(event.at),
        "severity_id": _INFORMATIONAL,
        "status_id": _FAILURE if event.is_failure else _SUCCESS,
        "message": event.what,
        "metadata": _metadata(event),
        "unmapped": _unmapped(event),
    }
    if event.address is not None:
        found["src_endpoint"] = {"ip": event.address}
    match chosen.number:
        case 2004:
            _add_finding(found, event)
        case 3001 | 3002 | 3005:
            found["actor"] = {"user": _user(event.user)}
            found["user"] = _user(event.row if chosen.number != 3002 else event.user)
            if chosen.number == 3005:
                found["privileges"] = [name.partition(",")[2] for name in event.named]
        case 3006:
            found["actor"] = {"user": _user(event.user)}
            found["group"] = {"uid": event.row or "unknown", "type": "team"}
            found["user"] = _user(next((name.partition(",")[2] for name in event.named), None))
        case _:
            found["actor"] = {"user": _user(event.user)}
            found["api"] = {"operation": event.what, "service": {"name": event.origin.environment}}
            found.setdefault("src_endpoint", {"name": "unknown"})
            if event.row is not None or event.table is not None:
                found["resources"] = [{"uid": event.row or event.table, "type": event.table}]
    return found


def _class_of(event: Event) -> _Class:
    if event.kind == "change":
        if event.what in _PRIVILEGES:
            return _Class(3005, "User Access Management", _PRIVILEGES[event.what])
        if event.what in _MEMBERS:
            return _Class(3006, "Group Management", _MEMBERS[event.what])
        if event.table in _ACCOUNTS and event.row is not None:
            activity = {Operation.CREATE: 1, Operation.DELETE: 6}.get(event.operation or Operation.UPDATE, _OTHER)
            return _Class(3001, "Account Change", activity)
        return _Class(6003, "API Activity", _BY_OPERATION.get(event.operation or Operation.UPDATE, _OTHER))
    if event.what == Activity.ALERT_RAISED.value:
        return _Class(2004, "Detection Finding", 1)
    if event.what in _LOGONS:
        return _Class(3002, "Authentication", _LOGONS[event.what])
    activity = _OTHER if event.category is None else _BY_CATEGORY.get(event.category, _OTHER)
    return _Class(6003, "API Activity", activity)


def _add_finding(found: dict[str, object], event: Event) -> None:
    """`severity` of an alert is 1 to 4, Low to Critical; OCSF counts 2 to 5. A finding is New."""
    severity = event.details.get("severity")
    count = event.details.get("entries")
    found["severity_id"] = 1 + severity if isinstance(severity, int) else _INFORMATIONAL
    found["status_id"] = 1
    found["count"] = count if isinstance(count, int) and count > 0 else 1
    found["finding_info"] = {
        "uid": event.row or event.id,
        "title": str(event.details.get("name") or "Alert"),
        "types": [str(event.details.get("code") or "own-rule")],
        "created_time": found["time"],
    }
    found["message"] = str(event.details.get("name") or "Alert")


def _metadata(event: Event) -> dict[str, object]:
    found: dict[str, object] = {
        "version": VERSION,
        "product": {"name": "Strongroom", "vendor_name": "Strongroom", "version": __version__, "lang": "en"},
        "uid": event.id,
        "sequence": event.sequence,
        "log_name": event.origin.environment,
        "tenant_uid": event.origin.environment_id,
        "event_code": event.what,
    }
    if event.correlation is not None:
        found["correlation_uid"] = event.correlation
    return found


def _unmapped(event: Event) -> dict[str, object]:
    plain = event.plain()
    names = ("kind", "callinguserid", "table", "rowid", "rows", "columns", "named", "client", "query", "details")
    return {name: plain[name] for name in names if name in plain}


def _user(identity: str | None) -> dict[str, object]:
    """A user by id alone; the platform itself, and nobody, are `unknown`."""
    return {"uid": identity or "unknown"}


def _milliseconds(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp() * 1000) if moment else 0
