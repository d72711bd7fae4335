"""Changes as `sr_PreviewChange` takes them: a JSON object with a `Kind`, and rows named as everywhere (WA-381).

| kind | the rest |
| --- | --- |
| `RolePrivileges` | `Role`, `Set` [{`Privilege`, `Depth`}], `Remove` [names], `Completely` |
| `GiveRole`, `TakeRole` | `Principal`, `Role` |
| `JoinTeam`, `LeaveTeam` | `Team`, `User` |
| `MovePrincipal` | `Principal`, `BusinessUnit` |
| `MoveBusinessUnit` | `BusinessUnit`, `Parent` |
| `DisableBusinessUnit`, `EnableBusinessUnit` | `BusinessUnit` |
| `SetManager`, `SetPosition` | `User`, and `Manager` or `Position`, which may be null |
| `DisableUser`, `EnableUser` | `User` |
| `SetAccessMode` | `User`, `AccessMode` (0 to 5) |
| `SetHierarchy` | any of `Enabled`, `ByPosition`, `Depth` |
| `ProfileColumns` | `Profile`, `Columns` [{`Table`, `Column`, `Read`, `Create`, `Update`}] |
| `GiveProfile`, `TakeProfile` | `Principal`, `Profile` |
| `Share`, `ModifyShare` | `Target`, `Principal`, `Rights` (`'ReadAccess, WriteAccess'`) |
| `Unshare` | `Target`, `Principal` |

Privileges are named by name or id. What is unknown or of another type is 400 and says what would be right.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from strongroom.access.caller import AccessMode
from strongroom.access.changes import Change
from strongroom.access.plan import ColumnAccess
from strongroom.access.rights import parse_depth, parse_rights
from strongroom.errors import InvalidRequest
from strongroom.ids import Guid, Reference, parse_guid
from strongroom.messages.entities import reference_in
from strongroom.messages.operation import Json
from strongroom.query.names import hint
from strongroom.records import Session, grant_access, modify_access, proposals, revoke_access
from strongroom.schema.model import Depth, Rights, Schema
from strongroom.store.layout import PRINCIPAL_TABLES

Verb = Callable[[Session], None]


@dataclass(frozen=True, slots=True)
class Proposed:
    """A change that was read: of configuration, or a verb of sharing; and the row that it is about, for the trail."""

    kind: str
    about: Reference
    change: Change | Verb


def read_change(session: Session, body: Json) -> Proposed:
    """The change that `body` tells, checked as the verbs would check it."""
    reading = _Reading(session, body)
    kind = reading.text("Kind")
    read = _KINDS.get(kind)
    if read is None:
        raise InvalidRequest(f"'{kind[:60]}' is no kind of change.{hint(kind, list(_KINDS))}")
    about, change = read(reading)
    reading.demand_nothing_else()
    return Proposed(kind, about, change)


class _Reading:
    """The members of a change, each taken once by its type."""

    def __init__(self, session: Session, body: Json) -> None:
        self.session = session
        self._body = body
        self._taken: set[str] = set()

    def value(self, name: str) -> object:
        """A member, None when it is null or not there."""
        self._taken.add(name)
        return self._body.get(name)

    def text(self, name: str) -> str:
        value = self.value(name)
        if not isinstance(value, str):
            raise InvalidRequest(f"A change needs '{name}', a text.")
        return value

    def row(self, name: str, *tables: str) -> Reference:
        """A row of one of `tables`; of any table when none is named."""
        found = self.optional_row(name, *tables)
        if found is None:
            raise InvalidRequest(f"A change of this kind needs '{name}'.")
        return found

    def optional_row(self, name: str, *tables: str) -> Reference | None:
        value = self.value(name)
        if value is None:
            return None
        reference = reference_in(self.session, value, name)
        if tables and reference.table not in tables:
            raise InvalidRequest(f"'{name}' is a row of {' or '.join(tables)}, not of {reference.table}.")
        return reference

    def boolean(self, name: str) -> bool | None:
        value = self.value(name)
        if value is not None and not isinstance(value, bool):
            raise InvalidRequest(f"'{name}' is true or false.")
        return value

    def integer(self, name: str, least: int, most: int) -> int | None:
        value = self.value(name)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise InvalidRequest(f"'{name}' is a whole number from {least} to {most}.")
        return value

    def items(self, name: str) -> list[object]:
        value = self.value(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise InvalidRequest(f"'{name}' is a list.")
        return cast("list[object]", value)

    def rights(self) -> Rights:
        return parse_rights(self.text("Rights"))

    def demand_nothing_else(self) -> None:
        """Refuse members that this kind of change does not have: they would silently do nothing."""
        for name in self._body:
            if name not in self._taken and "@" not in name:
                raise InvalidRequest(f"This kind of change has no '{name[:60]}'.{hint(name, sorted(self._taken))}")


_Read = Callable[[_Reading], tuple[Reference, Change | Verb]]


def _role_privileges(reading: _Reading) -> tuple[Reference, Change]:
    role = reading.row("Role", "role")
    schema = reading.session.schema
    given: dict[Guid, Depth] = {}
    for item in reading.items("Set"):
        entry = _object(item, "Set")
        depth = entry.get("Depth")
        if not isinstance(depth, str | int):
            raise InvalidRequest("Each privilege in 'Set' has a Depth: Basic, Local, Deep or Global.")
        given[_privilege(schema, entry.get("Privilege"))] = parse_depth(depth)
    removed = [_privilege(schema, item) for item in reading.items("Remove")]
    completely = reading.boolean("Completely") is True
    return role, proposals.role_privileges(reading.session, role.id, given, removed, completely=completely)


def _role_held(is_held: bool) -> _Read:
    def read(reading: _Reading) -> tuple[Reference, Change]:
        principal, role = reading.row("Principal", *PRINCIPAL_TABLES), reading.row("Role", "role")
        return principal, proposals.role_held(reading.session, principal, role.id, is_held=is_held)

    return read


def _membership(is_member: bool) -> _Read:
    def read(reading: _Reading) -> tuple[Reference, Change]:
        team, user = reading.row("Team", "team"), reading.row("User", "systemuser")
        return team, proposals.membership(reading.session, team.id, user.id, is_member=is_member)

    return read


def _principal_moved(reading: _Reading) -> tuple[Reference, Change]:
    principal, unit = reading.row("Principal", *PRINCIPAL_TABLES), reading.row("BusinessUnit", "businessunit")
    return principal, proposals.moved(reading.session, principal, unit.id)


def _unit_moved(reading: _Reading) -> tuple[Reference, Change]:
    unit, parent = reading.row("BusinessUnit", "businessunit"), reading.row("Parent", "businessunit")
    return unit, proposals.unit_moved(reading.session, unit.id, parent.id)


def _unit_disabled(is_disabled: bool) -> _Read:
    def read(reading: _Reading) -> tuple[Reference, Change]:
        unit = reading.row("BusinessUnit", "businessunit")
        return unit, proposals.unit_disabled(reading.session, unit.id, is_disabled=is_disabled)

    return read


def _manager(reading: _Reading) -> tuple[Reference, Change]:
    user, manager = reading.row("User", "systemuser"), reading.optional_row("Manager", "systemuser")
    return user, proposals.manager_set(reading.session, user.id, None if manager is None else manager.id)


def _position(reading: _Reading) -> tuple[Reference, Change]:
    user, position = reading.row("User", "systemuser"), reading.optional_row("Position", "position")
    return user, proposals.position_set(reading.session, user.id, None if position is None else position.id)


def _user_disabled(is_disabled: bool) -> _Read:
    def read(reading: _Reading) -> tuple[Reference, Change]:
        user = reading.row("User", "systemuser")
        return user, proposals.user_disabled(reading.session, user.id, is_disabled=is_disabled)

    return read


def _access_mode(reading: _Reading) -> tuple[Reference, Change]:
    user = reading.row("User", "systemuser")
    mode = reading.integer("AccessMode", 0, 5)
    if mode is None:
        raise InvalidRequest("A change of this kind needs 'AccessMode'.")
    return user, proposals.access_mode_set(reading.session, user.id, AccessMode(mode))


def _hierarchy(reading: _Reading) -> tuple[Reference, Change]:
    session = reading.session
    organization = session.transaction.rows_where(session.table("organization"), {}, limit=1)[0]
    change = proposals.hierarchy_set(
        session,
        enabled=reading.boolean("Enabled"),
        by_position=reading.boolean("ByPosition"),
        depth=reading.integer("Depth", 1, 100),
    )
    return organization.reference(), change


def _profile_columns(reading: _Reading) -> tuple[Reference, Change]:
    profile = reading.row("Profile", "fieldsecurityprofile")
    permissions: list[proposals.ColumnPermission] = []
    for item in reading.items("Columns"):
        entry = _object(item, "Columns")
        access = ColumnAccess.NONE
        for name, each in (
            ("Read", ColumnAccess.READ),
            ("Create", ColumnAccess.CREATE),
            ("Update", ColumnAccess.UPDATE),
        ):
            if entry.get(name) is True:
                access |= each
        permissions.append(proposals.ColumnPermission(str(entry.get("Table")), str(entry.get("Column")), access))
    return profile, proposals.profile_columns(reading.session, profile.id, permissions)


def _profile_held(is_held: bool) -> _Read:
    def read(reading: _Reading) -> tuple[Reference, Change]:
        principal = reading.row("Principal", *PRINCIPAL_TABLES)
        profile = reading.row("Profile", "fieldsecurityprofile")
        return principal, proposals.profile_held(reading.session, principal, profile.id, is_held=is_held)

    return read


def _share(verb: Callable[[Session, Reference, Reference, Rights], None]) -> _Read:
    def read(reading: _Reading) -> tuple[Reference, Verb]:
        target, principal = reading.row("Target"), reading.row("Principal", *PRINCIPAL_TABLES)
        rights = reading.rights()
        return target, lambda session: verb(session, target, principal, rights)

    return read


def _unshare(reading: _Reading) -> tuple[Reference, Verb]:
    target, principal = reading.row("Target"), reading.row("Principal", *PRINCIPAL_TABLES)
    return target, lambda session: revoke_access(session, target, principal)


_KINDS: Mapping[str, _Read] = {
    "RolePrivileges": _role_privileges,
    "GiveRole": _role_held(True),
    "TakeRole": _role_held(False),
    "JoinTeam": _membership(True),
    "LeaveTeam": _membership(False),
    "MovePrincipal": _principal_moved,
    "MoveBusinessUnit": _unit_moved,
    "DisableBusinessUnit": _unit_disabled(True),
    "EnableBusinessUnit": _unit_disabled(False),
    "SetManager": _manager,
    "SetPosition": _position,
    "DisableUser": _user_disabled(True),
    "EnableUser": _user_disabled(False),
    "SetAccessMode": _access_mode,
    "SetHierarchy": _hierarchy,
    "ProfileColumns": _profile_columns,
    "GiveProfile": _profile_held(True),
    "TakeProfile": _profile_held(False),
    "Share": _share(grant_access),
    "ModifyShare": _share(modify_access),
    "Unshare": _unshare,
}


def _object(value: object, where: str) -> Json:
    if not isinstance(value, Mapping):
        raise InvalidRequest(f"Each member of '{where}' is an object.")
    return cast(Json, value)


def _privilege(schema: Schema, value: object) -> Guid:
    """A privilege by name or id."""
    text = value if isinstance(value, str) else ""
    named = schema.privileges_by_name.get(text)
    found = named.id if named is not None else parse_guid(text)
    if found is None or found not in schema.privileges_by_id:
        raise InvalidRequest(f"There is no privilege '{text[:60]}'.{hint(text, list(schema.privileges_by_name))}")
    return found
