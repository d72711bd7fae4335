"""Changes as an administrator would make them, told to foresight: names become keys, and what the verbs would refuse
is refused here with the same errors, so that nobody looks at the effects of what cannot be saved."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from strongroom.access.caller import AccessMode, Role, TeamType
from strongroom.access.changes import (
    HierarchyChanged,
    Membership,
    PrincipalMoved,
    ProfileColumns,
    ProfileHeld,
    RoleHeld,
    RolePrivileges,
    UnitDisabled,
    UnitMoved,
    UserChanged,
)
from strongroom.access.directory import User
from strongroom.access.messages import does_not_exist
from strongroom.access.plan import ColumnAccess
from strongroom.errors import InvalidRequest
from strongroom.ids import Guid, Key, Reference
from strongroom.records.membership import RolePrivilege, checked_privileges, editable_role
from strongroom.records.owners import facts_of, unit_key
from strongroom.records.security_rules.roles import original_of
from strongroom.records.session import Session
from strongroom.schema.model import Depth, Table
from strongroom.store.protocol import Row


def role_privileges(
    session: Session, role: Guid, given: Mapping[Guid, Depth], removed: Iterable[Guid] = (), *, completely: bool = False
) -> RolePrivileges:
    """Privileges added to a role at these depths, and taken from it; `completely` makes `given` all that it holds
    (SM-30)."""
    row, held = editable_role(session, role)
    wanted = checked_privileges(session, row, [RolePrivilege(each, depth) for each, depth in given.items()])
    gone = set(removed)
    kept = {} if completely else {each: depth for each, depth in held.items() if each not in gone}
    return RolePrivileges(row.id, {**kept, **wanted})


def role_held(session: Session, principal: Reference, role: Guid, *, is_held: bool) -> RoleHeld:
    """A role given to a user or team, or taken from it. The role may be named by any of its copies: without matrix
    access the one of the principal's unit counts (SM-24)."""
    facts = facts_of(session, principal)
    if facts.team is not None and facts.team.type is TeamType.ACCESS:
        raise InvalidRequest("An access team cannot hold roles.", code="0x80048331")
    row = _existing(session, "role", role)
    original = original_of(session, row)
    if row.unit != facts.unit and not session.transaction.settings().matrix_access:
        row = _copy_in(session, original, facts.unit)
    inherits, template = original.values.get("isinherited"), original.values.get("roletemplateid")
    return RoleHeld(
        facts.key,
        Role(
            row.id,
            original.id,
            str(row.values.get("name") or ""),
            row.unit if row.unit is not None else facts.unit,
            inherits is None or inherits == 1,
            template.id if isinstance(template, Reference) else None,
        ),
        is_held,
    )


def membership(session: Session, team: Guid, user: Guid, *, is_member: bool) -> Membership:
    """A user put into a team, or taken out of it (SM-53)."""
    facts = facts_of(session, Reference("team", team))
    if facts.team is not None and facts.team.is_default:
        raise InvalidRequest(
            "The members of a default team are the users of its business unit.",
            code="0x8004830b" if is_member else "0x8004830c",
        )
    return Membership(facts.key, facts_of(session, Reference("systemuser", user)).key, is_member)


def moved(session: Session, principal: Reference, unit: Guid) -> PrincipalMoved:
    """A user or team put into another business unit (SM-26, SM-27)."""
    facts = facts_of(session, principal)
    if facts.team is not None and facts.team.is_default:
        raise InvalidRequest("The default team cannot move to another business unit.", code="0x80048308")
    return PrincipalMoved(facts.key, unit_key(session, Reference("businessunit", unit)))


def unit_moved(session: Session, unit: Guid, parent: Guid) -> UnitMoved:
    """A business unit put under another one (SM-13)."""
    key, above = (unit_key(session, Reference("businessunit", each)) for each in (unit, parent))
    tree = session.transaction.unit_tree()
    if tree.units[key].parent is None:
        raise InvalidRequest("The root business unit cannot be moved.")
    if above in tree.subtree(key):
        raise InvalidRequest("A business unit cannot come under itself or a unit below it: that would make a loop.")
    return UnitMoved(key, above)


def unit_disabled(session: Session, unit: Guid, *, is_disabled: bool) -> UnitDisabled:
    """A business unit disabled or enabled (SM-61)."""
    key = unit_key(session, Reference("businessunit", unit))
    if is_disabled and session.transaction.unit_tree().units[key].parent is None:
        raise InvalidRequest("The root business unit cannot be disabled.")
    return UnitDisabled(key, is_disabled)


def manager_set(session: Session, user: Guid, manager: Guid | None) -> UserChanged:
    """A user given another manager, or none. A loop is 400 `0x80041d25` (SM-149)."""
    directory = session.transaction.directory()
    changed = _user(session, user)
    above = None if manager is None else _user(session, manager).key
    seen = {changed.key}
    step = above
    while step is not None:
        if step in seen:
            raise InvalidRequest("The manager is the user, or somebody below the user.", code="0x80041d25")
        seen.add(step)
        step = directory.users[step].manager
    return UserChanged(replace(changed, manager=above))


def position_set(session: Session, user: Guid, position: Guid | None) -> UserChanged:
    """A user given another position, or none (SM-144)."""
    if position is not None:
        _existing(session, "position", position)
    return UserChanged(replace(_user(session, user), position=position))


def user_disabled(session: Session, user: Guid, *, is_disabled: bool) -> UserChanged:
    """A user disabled or enabled (SM-60)."""
    return UserChanged(replace(_user(session, user), is_disabled=is_disabled))


def access_mode_set(session: Session, user: Guid, mode: AccessMode) -> UserChanged:
    """A user given another access mode (SM-63)."""
    return UserChanged(replace(_user(session, user), access_mode=mode))


def hierarchy_set(
    session: Session, *, enabled: bool | None = None, by_position: bool | None = None, depth: int | None = None
) -> HierarchyChanged:
    """Hierarchy security switched or set otherwise; what is not named stays (section 13)."""
    settings = session.transaction.settings()
    return HierarchyChanged(
        replace(
            settings,
            hierarchy_enabled=settings.hierarchy_enabled if enabled is None else enabled,
            hierarchy_by_position=settings.hierarchy_by_position if by_position is None else by_position,
            hierarchy_depth=settings.hierarchy_depth if depth is None else depth,
        )
    )


@dataclass(frozen=True, slots=True)
class ColumnPermission:
    """What a profile shall open of one column."""

    table: str
    column: str
    access: ColumnAccess


def profile_columns(session: Session, profile: Guid, permissions: Iterable[ColumnPermission]) -> ProfileColumns:
    """A column security profile with these permissions in place of what it had for the same columns (SM-131). A
    permission on an unsecured column is 400 `0x8004f508`."""
    known = session.transaction.directory().profiles.get(profile)
    if known is None:
        raise does_not_exist(session.table("fieldsecurityprofile"), profile)
    columns = {table: dict(opened) for table, opened in known.columns.items()}
    for permission in permissions:
        table = session.schema.tables.get(permission.table)
        column = None if table is None else table.columns.get(permission.column)
        if column is None:
            raise InvalidRequest(f"There is no column '{permission.column}' in a table '{permission.table}'.")
        if not column.is_secured:
            raise InvalidRequest(
                f"'{permission.column}' of '{permission.table}' is not secured: a profile cannot open it.",
                code="0x8004f508",
            )
        columns.setdefault(permission.table, {})[permission.column] = permission.access
    return ProfileColumns(profile, columns)


def profile_held(session: Session, principal: Reference, profile: Guid, *, is_held: bool) -> ProfileHeld:
    """A column security profile given to a user or team, or taken from it."""
    facts = facts_of(session, principal)
    if facts.team is not None and facts.team.type is TeamType.ACCESS:
        raise InvalidRequest("An access team cannot hold column profiles.", code="0x80048331")
    return ProfileHeld(facts.key, _existing(session, "fieldsecurityprofile", profile).id, is_held)


# --- pieces --------------------------------------------------------------------------------------------------------


def _user(session: Session, user: Guid) -> User:
    key = facts_of(session, Reference("systemuser", user)).key
    return session.transaction.directory().users[key]


def _existing(session: Session, name: str, row_id: Guid) -> Row:
    table: Table = session.table(name)
    row = session.transaction.row(table, row_id)
    if row is None:
        raise does_not_exist(table, row_id)
    return row


def _copy_in(session: Session, original: Row, unit: Key) -> Row:
    """The copy of a role in a business unit; 400 `0x80041409` when the unit has none."""
    place = Reference("businessunit", session.transaction.unit_tree().units[unit].id)
    wanted = {"parentrootroleid": original.reference(), "businessunitid": place}
    found = session.transaction.rows_where(original.table, wanted, limit=1)
    if not found:
        raise InvalidRequest(
            "The role belongs to another business unit than the user or team, and has no copy there.",
            code="0x80041409",
        )
    return found[0]
