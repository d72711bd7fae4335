"""Roles: their copies in the business units below, who may change them, and whom they may be given to.

A role is an original in one unit and a read-only copy in every unit below (SM-23). The original points at itself by
`parentrootroleid`; a copy points at the copy above by `parentroleid` and at the original by `parentrootroleid`.
Privileges are kept for the original alone and hold for all copies.
"""

from strongroom.access.caller import SYSTEM_ADMINISTRATOR_TEMPLATE, TeamType
from strongroom.errors import InvalidRequest
from strongroom.ids import Guid, Key, Reference, new_guid
from strongroom.records.authorize import demand, demand_existing
from strongroom.records.create import store_new
from strongroom.records.owners import facts_of
from strongroom.records.rules import Event, Rules
from strongroom.records.security_rules.administrators import demand_other_administrator
from strongroom.records.security_rules.handing_out import demand_coverage, places_of
from strongroom.records.session import Session
from strongroom.records.update import write_changes
from strongroom.schema.model import ManyToMany, Rights
from strongroom.store.protocol import Row, Value

TEAM_PRIVILEGES_ONLY = 0
_GROUP_TEAMS = (TeamType.SECURITY_GROUP, TeamType.OFFICE_GROUP)
_INHERITS = "isinherited"
_SHARED_BY_COPIES = ("name", _INHERITS)
_KEPT_BY_MESSAGES = ("roleprivileges_association", "roletemplateprivileges_association")


def register(rules: Rules) -> None:
    """Hang the rules of roles in the verbs."""
    rules.on(Event.BEFORE_CREATE, "role", _begin, name="roles: an original points at itself")
    rules.on(Event.AFTER_CREATE, "role", _copy_down, name="roles: copies in the units below")
    rules.on(Event.BEFORE_UPDATE, "role", _demand_editable, name="roles: copies and System Administrator are fixed")
    rules.on(Event.AFTER_UPDATE, "role", _change_copies, name="roles: copies follow the original")
    rules.on(Event.BEFORE_DELETE, "role", _demand_deletable, name="roles: copies and System Administrator stay")
    for association in ("systemuserroles_association", "teamroles_association"):
        rules.on_link(
            Event.BEFORE_LINK, association, _demand_assignable, name="roles: who gets which", replaces_append=True
        )
        rules.on_link(Event.BEFORE_UNLINK, association, _demand_removable, name="roles: the last administrator")
    for association in _KEPT_BY_MESSAGES:
        for event in (Event.BEFORE_LINK, Event.BEFORE_UNLINK):
            rules.on_link(event, association, _refuse_plain_link, name="roles: privileges come with a depth")


def is_copy(role: Row) -> bool:
    """Whether a role is a copy of one in a unit above."""
    return role.values.get("parentrootroleid") not in (None, role.reference())


def is_system_administrator(role: Row) -> bool:
    """Whether a role is System Administrator, original or copy (SM-64)."""
    return role.values.get("roletemplateid") == Reference("roletemplate", SYSTEM_ADMINISTRATOR_TEMPLATE)


def original_of(session: Session, role: Row) -> Row:
    """The original of a role."""
    root = role.values.get("parentrootroleid")
    if not isinstance(root, Reference) or root.id == role.id:
        return role
    found = session.transaction.row(role.table, root.id)
    return role if found is None else found


def demand_editable(role: Row) -> None:
    """Refuse changes of copies (SM-23) and of System Administrator (SM-64)."""
    if is_copy(role):
        raise InvalidRequest(
            "An inherited role cannot be modified: change the original in the business unit where it was made.",
            code="0x80044152",
        )
    if is_system_administrator(role):
        raise InvalidRequest("The System Administrator role cannot be modified.", code="0x80041d31")


def copy_into(session: Session, role: Row, unit: Row) -> Row:
    """The copy of `role`, which is in the unit above, in `unit`."""
    values: dict[str, Value] = {
        name: role.values.get(name) for name in (*_SHARED_BY_COPIES, "roletemplateid", "parentrootroleid")
    }
    values |= {
        "businessunitid": unit.reference(),
        "parentroleid": role.reference(),
        "roleidunique": new_guid(session.clock),
    }
    return store_new(session, role.table, values)


def roles_in(session: Session, unit: Guid) -> list[Row]:
    """All roles of a business unit, originals and copies."""
    return session.transaction.rows_where(session.table("role"), {"businessunitid": Reference("businessunit", unit)})


# --- registered ----------------------------------------------------------------------------------------------------


def _begin(session: Session, row: Row, values: dict[str, Value]) -> None:
    values["parentrootroleid"] = row.reference()
    values["roleidunique"] = new_guid(session.clock)


def _copy_down(session: Session, row: Row, _: dict[str, Value]) -> None:
    """A copy in every unit below the role's own, each pointing at the copy above it."""
    units = session.transaction.rows_where(session.table("businessunit"), {})
    below: dict[Guid, list[Row]] = {}
    for unit in units:
        parent = unit.values.get("parentbusinessunitid")
        if isinstance(parent, Reference):
            below.setdefault(parent.id, []).append(unit)
    waiting = [row]
    while waiting:
        role = waiting.pop()
        place = role.values.get("businessunitid")
        if isinstance(place, Reference):
            waiting += [copy_into(session, role, unit) for unit in below.get(place.id, ())]


def _demand_editable(session: Session, row: Row, changes: dict[str, Value]) -> None:
    """Whether Basic privileges of a role reach its members' own rows (SM-43) is part of what it gives (SM-29)."""
    demand_editable(row)
    inherits = changes.get(_INHERITS, row.values.get(_INHERITS))
    if inherits != row.values.get(_INHERITS) and inherits != TEAM_PRIVILEGES_ONLY:
        demand_coverage(session, [(row, place) for place in places_of(session, row)])


def _refuse_plain_link(_session: Session, association: ManyToMany, _first: Guid, _second: Guid) -> None:
    raise InvalidRequest(
        f"'{association.schema_name}' is not written by $ref: AddPrivilegesRole, ReplacePrivilegesRole and "
        "RemovePrivilegeRole change what a role holds, each privilege with its depth."
    )


def _change_copies(session: Session, row: Row, before: dict[str, Value]) -> None:
    changed = [name for name in _SHARED_BY_COPIES if name in before]
    if not changed:
        return
    for copy in session.transaction.rows_where(row.table, {"parentrootroleid": row.reference()}):
        if copy.id != row.id:
            write_changes(session, copy, {name: row.values.get(name) for name in changed})


def _demand_deletable(session: Session, row: Row, _: dict[str, Value]) -> None:
    """A copy goes with its original or with its business unit only; System Administrator never (SM-64)."""
    root, unit = row.values.get("parentrootroleid"), row.values.get("businessunitid")
    if is_copy(row) and root not in session.doomed and unit not in session.doomed:
        demand_editable(row)
    if is_system_administrator(row) and not is_copy(row):
        raise InvalidRequest("The System Administrator role cannot be deleted.", code="0x80041d2e")


def _demand_assignable(session: Session, association: ManyToMany, principal: Guid, role_id: Guid) -> None:
    """Read and Assign on the role, and what the caller hands out it must hold itself (SM-29); the role of the right
    unit (SM-24), and a kind of team that can hold it (SM-51, SM-55)."""
    role = _role_to_hand_out(session, role_id)
    holder = Reference(association.table1, principal)
    demand_existing(session, session.table(holder.table), principal, Rights.READ)
    facts = facts_of(session, holder)
    if facts.team is not None:
        if facts.team.type is TeamType.ACCESS:
            raise InvalidRequest("An access team cannot hold roles.", code="0x80048331")
        inherits = original_of(session, role).values.get(_INHERITS)
        if facts.team.type in _GROUP_TEAMS and inherits == TEAM_PRIVILEGES_ONLY:
            raise InvalidRequest(
                "A group team takes only roles with Direct User access level and Team privileges.", code="0x80048350"
            )
    if role.unit != facts.unit and not session.transaction.settings().matrix_access:
        raise InvalidRequest(
            "The role belongs to another business unit than the user or team; give the role's copy of that unit.",
            code="0x80041409",
        )
    demand_coverage(session, [(role, role.unit or Key(0))])


def _demand_removable(session: Session, association: ManyToMany, principal: Guid, role_id: Guid) -> None:
    role = _role_to_hand_out(session, role_id)
    if is_system_administrator(role) and association.table1 == "systemuser":
        demand_other_administrator(session, principal, code="0x80041d30")


def _role_to_hand_out(session: Session, role_id: Guid) -> Row:
    table = session.table("role")
    role = demand_existing(session, table, role_id, Rights.READ)
    if Rights.ASSIGN in table.privileges:
        demand(session, Rights.ASSIGN, role)
    return role
