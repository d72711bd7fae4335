"""Members of teams, and privileges of roles: the acts that have messages of their own (WA-391, WA-392)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from strongroom.access.privileges import Handed
from strongroom.access.resolve import require_usable
from strongroom.audit.entries import Action
from strongroom.errors import AccessDenied, InvalidRequest
from strongroom.ids import Guid, Reference
from strongroom.records.authorize import demand_existing
from strongroom.records.link import associate, disassociate
from strongroom.records.rules import Event
from strongroom.records.security_rules.handing_out import demand_held, held_by_role, places_of, store_privileges
from strongroom.records.security_rules.roles import demand_editable
from strongroom.records.security_rules.teams import MEMBERSHIP
from strongroom.records.session import Session
from strongroom.records.trail import record_act
from strongroom.schema.model import Depth, Rights, Schema
from strongroom.store.protocol import Row, Value


@dataclass(frozen=True, slots=True)
class RolePrivilege:
    """A privilege and the depth at which a role holds it."""

    privilege: Guid
    depth: Depth


def add_members(session: Session, team: Guid, users: Sequence[Guid]) -> None:
    """Put users into a team (SM-51, SM-53, SM-58). Those who are in it already stay."""
    association = session.schema.many_to_many[MEMBERSHIP]
    members = set(session.transaction.linked(association, team, from_first=True))
    for user in users:
        if user not in members:
            associate(session, association, Reference("team", team), Reference("systemuser", user))
            members.add(user)


def remove_members(session: Session, team: Guid, users: Sequence[Guid]) -> None:
    """Take users out of a team (SM-53, SM-58); 404 for one who is not in it."""
    association = session.schema.many_to_many[MEMBERSHIP]
    for user in users:
        disassociate(session, association, Reference("team", team), Reference("systemuser", user))


def add_privileges(session: Session, role: Guid, privileges: Sequence[RolePrivilege]) -> None:
    """Add, widen or narrow the listed privileges of a role (SM-30)."""
    row, held = editable_role(session, role)
    wanted = checked_privileges(session, row, privileges)
    _write(session, row, held, {**held, **wanted}, Action.ADD_PRIVILEGES)


def replace_privileges(session: Session, role: Guid, privileges: Sequence[RolePrivilege]) -> None:
    """Make `privileges` all that the role holds (SM-30)."""
    row, held = editable_role(session, role)
    _write(session, row, held, checked_privileges(session, row, privileges), Action.REPLACE_PRIVILEGES)


def remove_privilege(session: Session, role: Guid, privilege: Guid) -> None:
    """Take one privilege away (SM-30)."""
    row, held = editable_role(session, role)
    wanted = {id_: depth for id_, depth in held.items() if id_ != privilege}
    _write(session, row, held, wanted, Action.REMOVE_PRIVILEGES)


def role_privileges(session: Session, role: Guid) -> list[RolePrivilege]:
    """What a role holds (WA-393). Needs Read on the role."""
    require_usable(session.caller)
    row = demand_existing(session, session.table("role"), role, Rights.READ)
    return [RolePrivilege(privilege, depth) for privilege, depth in held_by_role(session, row).items()]


def editable_role(session: Session, role: Guid) -> tuple[Row, dict[Guid, Depth]]:
    """The role, which the caller may write and which can be edited (SM-23, SM-64), and what it holds."""
    require_usable(session.caller)
    row = demand_existing(session, session.table("role"), role, Rights.WRITE)
    demand_editable(row)
    return row, held_by_role(session, row)


def checked_privileges(session: Session, role: Row, privileges: Sequence[RolePrivilege]) -> dict[Guid, Depth]:
    """Known privileges at depths that they have (SM-30), which the caller may hand out (SM-29)."""
    wanted: dict[Guid, Depth] = {}
    for entry in privileges:
        _demand_depth(session.schema, entry)
        wanted[entry.privilege] = entry.depth
    places = places_of(session, role)
    demand_held(session, [Handed(privilege, depth, at) for at in places for privilege, depth in wanted.items()])
    return wanted


def _demand_depth(schema: Schema, entry: RolePrivilege) -> None:
    privilege = schema.privileges_by_id.get(entry.privilege)
    if privilege is None:
        raise InvalidRequest(f"There is no privilege with the id {entry.privilege}.")
    if entry.depth not in privilege.depths:
        known = ", ".join(depth.wire_name for depth in Depth if depth in privilege.depths)
        raise AccessDenied(
            f"{privilege.name} cannot be held at depth {entry.depth.wire_name}; its depths are {known}.",
            code="0x800404bb",
        )


def _write(
    session: Session, role: Row, held: Mapping[Guid, Depth], wanted: Mapping[Guid, Depth], action: Action
) -> None:
    """Change the rows behind a role's privileges from `held` to `wanted`."""
    transaction, table = session.transaction, session.table("roleprivileges")
    names = session.schema.privileges_by_id
    told: dict[str, Value] = {names[each].name: depth.wire_name for each, depth in wanted.items() if each in names}
    session.rules.run(Event.BEFORE_PRIVILEGES, session, role, told)
    rows = {row.values["privilegeid"]: row for row in transaction.rows_where(table, {"roleid": role.id})}
    transaction.delete(table, [row for privilege, row in rows.items() if privilege not in wanted])
    for privilege, depth in wanted.items():
        if privilege in held and held[privilege] is not depth:
            transaction.update(rows[privilege], {"privilegedepthmask": depth.mask})
    store_privileges(session, role.id, {p: d for p, d in wanted.items() if p not in held})
    changed = {
        names[privilege].name: (
            held[privilege].wire_name if privilege in held else None,
            wanted[privilege].wire_name if privilege in wanted else None,
        )
        for privilege in held.keys() | wanted.keys()
        if privilege in names and held.get(privilege) is not wanted.get(privilege)
    }
    record_act(session, role, action, changed)
    session.rules.run(Event.AFTER_PRIVILEGES, session, role, told)
