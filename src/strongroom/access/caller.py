"""Who asks, frozen for one request: the user, its teams, its roles, and what hangs on them.

`store` reads `SecurityFacts` from the tables; `resolve` (in `access.resolve`) makes a `Caller` of them. A caller is
valid for one security epoch: the integer that every change to roles, memberships, units, managers, teams or column
security bumps in its own transaction.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType

from strongroom.access.masking import Mask
from strongroom.access.plan import ColumnAccess, Plan
from strongroom.ids import Guid, Key
from strongroom.schema.model import Depth, Rights, Schema

SYSTEM_ADMINISTRATOR_TEMPLATE = Guid("627090ff-40a3-4053-8790-584edc5be201")
SYSTEM_CUSTOMIZER_TEMPLATE = Guid("119f245c-3cc8-4b62-b31c-d1a046ced15d")


class TeamType(Enum):
    """`team.teamtype` (section 5 of the security model)."""

    OWNER = 0
    ACCESS = 1
    SECURITY_GROUP = 2
    OFFICE_GROUP = 3


class AccessMode(Enum):
    """`systemuser.accessmode` (SM-63)."""

    READ_WRITE = 0
    ADMINISTRATIVE = 1
    READ = 2
    SUPPORT = 3
    NON_INTERACTIVE = 4
    DELEGATED_ADMIN = 5


@dataclass(frozen=True, slots=True)
class Unit:
    """One business unit. `parent` is None for the root."""

    key: Key
    id: Guid
    name: str
    parent: Key | None
    is_disabled: bool = False


@dataclass(frozen=True)
class UnitTree:
    """All business units of the environment, with the questions that security asks of them."""

    units: Mapping[Key, Unit]
    _below: dict[Key, frozenset[Key]] = field(default_factory=dict[Key, frozenset[Key]], compare=False, repr=False)
    _disabled: dict[Key, bool] = field(default_factory=dict[Key, bool], compare=False, repr=False)

    def subtree(self, key: Key) -> frozenset[Key]:
        """`key` and every unit below it."""
        found = self._below.get(key)
        if found is None:
            children: dict[Key | None, list[Key]] = {}
            for unit in self.units.values():
                children.setdefault(unit.parent, []).append(unit.key)
            reached: set[Key] = set()
            waiting = [key]
            while waiting:
                current = waiting.pop()
                if current not in reached:
                    reached.add(current)
                    waiting += children.get(current, ())
            found = frozenset(reached)
            self._below[key] = found
        return found

    def path_to_root(self, key: Key) -> tuple[Unit, ...]:
        """The unit `key`, its parent, and so on up to the root."""
        path: list[Unit] = []
        current: Key | None = key
        while current is not None and len(path) <= len(self.units):
            unit = self.units[current]
            path.append(unit)
            current = unit.parent
        return tuple(path)

    def is_disabled(self, key: Key) -> bool:
        """Whether the unit or any unit above it is disabled (SM-61)."""
        found = self._disabled.get(key)
        if found is None:  # every request asks it of its caller
            found = self._disabled[key] = any(unit.is_disabled for unit in self.path_to_root(key))
        return found


@dataclass(frozen=True, slots=True)
class Team:
    key: Key
    id: Guid
    name: str
    type: TeamType
    unit: Key
    is_default: bool = False

    @property
    def owns_rows(self) -> bool:
        """Owner and group teams own rows and hold roles; access teams carry shares only (SM-50 to SM-55)."""
        return self.type is not TeamType.ACCESS


@dataclass(frozen=True, slots=True)
class Role:
    """A role as its holder has it: the copy in one business unit (SM-23). `id` is the copy's, `root_id` the original's.

    `is_inherited` is *Direct User (Basic) access level and Team privileges* (SM-43).
    """

    id: Guid
    root_id: Guid
    name: str
    unit: Key
    is_inherited: bool = True
    template_id: Guid | None = None


@dataclass(frozen=True, slots=True)
class HeldRole:
    """A role and how it was reached: directly, or through a team."""

    role: Role
    via_team: Team | None = None


@dataclass(frozen=True, slots=True)
class Subordinate:
    """Somebody below the caller in the hierarchy, `level` steps away, with the principals that act for them."""

    key: Key
    id: Guid
    name: str
    level: int
    owning_principals: frozenset[int]
    """The user and every owner or group team of the user."""
    sharing_principals: frozenset[int]
    """The user and every team of the user, access teams included."""


@dataclass(frozen=True, slots=True)
class AuditRetention:
    """How long the trail is kept, in days: entries of `audit` by table, those of other tables, activities. None is for
    ever."""

    days: int | None = None
    by_table: tuple[tuple[str, int | None], ...] = ()
    activity_days: int = 365
    restamps: bool = False
    """`ApplyRetentionToExistingLogs`: entries from before are to be kept as long as new ones."""

    def of(self, table: str) -> int | None:
        """How long entries about a table are kept."""
        return next((days for name, days in self.by_table if name == table), self.days)


@dataclass(frozen=True, slots=True)
class SecuritySettings:
    """The organisation's switches (SM-25 to SM-27, section 13 of the security model), and its calendar (WA-205)."""

    matrix_access: bool = False
    always_move_record: bool = True
    keep_roles_on_unit_change: bool = False
    share_to_previous_owner: bool = False
    hierarchy_enabled: bool = False
    hierarchy_by_position: bool = False
    hierarchy_depth: int = 3
    hierarchy_write_levels: int = 1
    hierarchy_same_unit: bool = True
    hierarchy_disabled_users: bool = True
    audit_enabled: bool = True
    """`isauditenabled`: whether changes leave entries at all."""
    audit_of_access: bool = True
    """`isuseraccessauditenabled`: whether attempts that were refused leave entries."""
    access_interval_h: int = 0
    """`useraccessauditinginterval`: hours after which a user's request is told anew (TS-801), 0 when none is."""
    audit_of_reads: bool = False
    """`isreadauditenabled`: whether reading is told, of tables and columns that say so (TS-808)."""
    blocks_credentials: bool = False
    """`blockcredentials`: whether credentials in ordinary columns are refused (TS-611)."""
    retention: AuditRetention = AuditRetention()
    """How long the trail is kept (TS-807)."""
    entry_team: Key | None = None
    """The group team whose members may enter (SM-69); None when everybody may, 0 when there is no such team."""
    week_starts_on: int = 0
    """0 Sunday … 6 Saturday."""
    fiscal_start: tuple[int, int] = (1, 1)
    """Month and day on which the fiscal year begins."""
    fiscal_period_months: int = 3

    @property
    def audits_refusals(self) -> bool:
        """Whether refused attempts leave entries: both switches of the trail are on."""
        return self.audit_enabled and self.audit_of_access


_NOTHING: Mapping[str, Mapping[str, ColumnAccess]] = MappingProxyType({})
_NO_MASKS: Mapping[str, Mapping[str, Mask]] = MappingProxyType({})


@dataclass(frozen=True)
class SecurityFacts:
    """Everything the store knows about one principal (a user, or a team asked about as a principal, SM-47)."""

    id: Guid
    key: Key
    name: str
    unit: Key
    is_team: bool
    is_disabled: bool
    access_mode: AccessMode
    directory_object_id: Guid | None
    teams: tuple[Team, ...]
    roles: tuple[HeldRole, ...]
    role_privileges: Mapping[Guid, Mapping[Guid, Depth]]
    """Root role id → privilege id → depth."""
    units: UnitTree
    settings: SecuritySettings
    subordinates: tuple[Subordinate, ...] = ()
    column_permissions: Mapping[str, Mapping[str, ColumnAccess]] = field(default_factory=lambda: _NOTHING)
    """Table → column → what the profiles of the user and its teams open (SM-131)."""
    masking: Mapping[str, Mapping[str, Mask]] = field(default_factory=lambda: _NO_MASKS)
    """Table → column → its masking rule (SM-137); the same for everybody."""
    shared_columns: frozenset[Guid] = frozenset()
    """Metadata ids of the columns of which some row's value is shared with the principal or a team of it (SM-134)."""
    time_zone: str = "UTC"
    language: int = 1033
    team: Team | None = None
    """The team itself, when these are the facts of a team."""


@dataclass(frozen=True, slots=True)
class Grant:
    """One privilege at one depth from one held role. Its anchor is the unit of the role copy (SM-42)."""

    depth: Depth
    held: HeldRole

    @property
    def anchor(self) -> Key:
        return self.held.role.unit


@dataclass(frozen=True)
class Caller:
    """A user for one request, as `access.resolve` makes it for one security epoch and one metadata version.

    `grants` is keyed by privilege id and final: what the access mode (SM-63) or the real caller behind an impersonation
    (SM-68) takes away is not in it, and a System Administrator has every privilege of the schema at Global (SM-64).
    """

    facts: SecurityFacts
    epoch: int
    grants: Mapping[Guid, tuple[Grant, ...]]
    is_system_administrator: bool
    schema: Schema = field(compare=False, repr=False)
    initiated_by: "Caller | None" = None
    """The real caller behind an impersonation (SM-68): a privilege counts only when both hold it."""
    plans: dict[tuple[str, Rights], Plan] = field(
        default_factory=dict[tuple[str, Rights], Plan], compare=False, repr=False
    )
    """Plans made so far, by table and right; `access.planning` alone fills it."""

    @property
    def id(self) -> Guid:
        return self.facts.id

    @property
    def key(self) -> Key:
        return self.facts.key

    @property
    def unit(self) -> Key:
        return self.facts.unit

    @property
    def unit_id(self) -> Guid:
        return self.facts.units.units[self.facts.unit].id

    @property
    def administers(self) -> bool:
        """Whether the caller is a System Administrator, and the real caller behind an impersonation too (SM-68)."""
        real = self.initiated_by
        return self.is_system_administrator and (real is None or real.is_system_administrator)

    @property
    def initiating_id(self) -> Guid:
        """The id of the user whose credentials were used (`callinguserid` in the audit)."""
        return self.initiated_by.id if self.initiated_by else self.id
