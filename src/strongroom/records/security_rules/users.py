"""Users: in the default team of their unit, disabled rather than deleted, never their own manager (section 6)."""

from collections.abc import Iterable

from strongroom.access.resolve import require_privilege
from strongroom.errors import InvalidRequest, PreconditionFailed
from strongroom.ids import Guid, Reference
from strongroom.records.possessions import owns_rows
from strongroom.records.rules import Event, Rules
from strongroom.records.security_rules.administrators import demand_other_administrator, holds_administrator_role
from strongroom.records.security_rules.teams import demand_joining_unit, leave_unit, move_to_default_team
from strongroom.records.session import Session
from strongroom.store.protocol import Row, Value

_UNIT = "businessunitid"
_MANAGER = "parentsystemuserid"
_POSITION = "positionid"
_HIERARCHY = (_MANAGER, _POSITION)
_UNLICENSED = -1

_PRIVILEGES = {
    _UNIT: "prvReparentUser",
    _MANAGER: "prvAssignManager",
    _POSITION: "prvAssignManager",
    "isdisabled": "prvDisableUser",
}
"""What a change of these columns takes besides Write on the user."""


def register(rules: Rules) -> None:
    """Hang the rules of users in the verbs."""
    rules.on(Event.BEFORE_CREATE, "systemuser", _begin, name="users: enabled, with a sign-in name of their own")
    rules.on(Event.AFTER_CREATE, "systemuser", _join, name="users: join the default team")
    rules.on(Event.BEFORE_UPDATE, "systemuser", _demand_changeable, name="users: managers, the last administrator")
    rules.on(Event.AFTER_UPDATE, "systemuser", _follow_unit, name="users: team, roles and rows follow the unit")
    rules.on(Event.BEFORE_DELETE, "systemuser", _demand_deletable, name="users: owners and administrators stay")


def _begin(session: Session, row: Row, values: dict[str, Value]) -> None:
    values["isdisabled"] = False
    values.setdefault("userlicensetype", _UNLICENSED)
    _demand_own_name(session, row, values)
    _demand_privileges(session, [name for name in _HIERARCHY if values.get(name) is not None])
    _demand_no_loop(session, row.id, values.get(_MANAGER))
    demand_joining_unit(session, values.get(_UNIT))


def _join(session: Session, row: Row, _: dict[str, Value]) -> None:
    unit = row.values.get(_UNIT)
    move_to_default_team(session, row.id, None, unit if isinstance(unit, Reference) else None)


def _demand_changeable(session: Session, row: Row, changes: dict[str, Value]) -> None:
    _demand_own_name(session, row, changes)
    _demand_privileges(session, [name for name, value in changes.items() if value != row.values.get(name)])
    if _UNIT in changes and changes[_UNIT] != row.values.get(_UNIT):
        demand_joining_unit(session, changes[_UNIT])
    if changes.get(_MANAGER) is not None:
        _demand_no_loop(session, row.id, changes[_MANAGER])
    if changes.get("isdisabled") and not row.values.get("isdisabled") and holds_administrator_role(session, row.id):
        demand_other_administrator(session, row.id, code="0x80041d2f")


def _follow_unit(session: Session, row: Row, before: dict[str, Value]) -> None:
    old, new = before.get(_UNIT), row.values.get(_UNIT)
    if _UNIT not in before or old == new:
        return
    move_to_default_team(
        session, row.id, old if isinstance(old, Reference) else None, new if isinstance(new, Reference) else None
    )
    leave_unit(session, row)


def _demand_deletable(session: Session, row: Row, _: dict[str, Value]) -> None:
    if holds_administrator_role(session, row.id):
        demand_other_administrator(session, row.id, code="0x80041d30")
    if owns_rows(session, row.key):
        raise InvalidRequest("A user that owns rows cannot be deleted; disable the user, or assign the rows first.")


def _demand_privileges(session: Session, changed: Iterable[str]) -> None:
    """Write on a user is not enough for what decides who sees whose rows, or who gets in at all."""
    for column in changed:
        privilege = _PRIVILEGES.get(column)
        if privilege is not None:
            require_privilege(session.caller, privilege)


def _demand_own_name(session: Session, row: Row, values: dict[str, Value]) -> None:
    """No two users share a sign-in name or a directory id: either would make it unclear who is calling."""
    for name in ("domainname", "azureactivedirectoryobjectid"):
        value = values.get(name)
        if value is None:
            continue
        if any(found.id != row.id for found in session.transaction.rows_where(row.table, {name: value}, limit=2)):
            raise PreconditionFailed(f"A user with this '{name}' exists already.", code="0x80040237")


def _demand_no_loop(session: Session, user: Guid, manager: Value) -> None:
    """The chain of managers must not come back to the user."""
    seen = {user}
    table = session.table("systemuser")
    while isinstance(manager, Reference):
        if manager.id in seen:
            raise InvalidRequest("The manager is the user, or somebody below the user.", code="0x80041d25")
        seen.add(manager.id)
        row = session.transaction.row(table, manager.id)
        manager = None if row is None else row.values.get(_MANAGER)
