"""A company of three units for tests of the security rules, and people in it.

root ─ north ─ city
     └ south
"""

from collections.abc import Mapping, Sequence

from access_schema import column, guid, schema, table
from strongroom.access.caller import (
    SYSTEM_ADMINISTRATOR_TEMPLATE,
    AccessMode,
    Caller,
    HeldRole,
    Role,
    SecurityFacts,
    SecuritySettings,
    Subordinate,
    Team,
    TeamType,
    Unit,
    UnitTree,
)
from strongroom.access.plan import ColumnAccess
from strongroom.access.resolve import resolve
from strongroom.ids import Guid, Key
from strongroom.schema.model import ColumnType, Depth, Ownership, Rights, Schema

ROOT, NORTH, CITY, SOUTH = Key(1001), Key(1002), Key(1003), Key(1004)
UNITS = UnitTree(
    {
        ROOT: Unit(ROOT, guid("root"), "root", None),
        NORTH: Unit(NORTH, guid("north"), "north", ROOT),
        CITY: Unit(CITY, guid("city"), "city", NORTH),
        SOUTH: Unit(SOUTH, guid("south"), "south", ROOT),
    }
)
ADA, BO, CY, DEALS, CLUB, CHAT = Key(1), Key(2), Key(3), Key(11), Key(12), Key(13)

SCHEMA = schema(
    [
        table("account", columns=[column("note"), column("ssn", secured=True)]),
        table("product", Ownership.ORGANIZATION),
        table("role", Ownership.BUSINESS),
        table("systemuser", Ownership.BUSINESS),
        table("team", Ownership.BUSINESS),
        table(
            "contact",
            columns=[
                column("parentaccountid", ColumnType.LOOKUP, targets=("account",)),
                column("fullname", secured=True),
            ],
            primary_name="fullname",
        ),
    ],
)
ACCOUNT = SCHEMA.tables["account"]
PRODUCT = SCHEMA.tables["product"]
CONTACT = SCHEMA.tables["contact"]

Privileges = Mapping[tuple[str, Rights], Depth]


def team(name: str, key: Key, type: TeamType = TeamType.OWNER, unit: Key = NORTH, *, default: bool = False) -> Team:
    return Team(key, guid(name), name, type, unit, default)


def role(name: str, unit: Key = NORTH, via: Team | None = None, *, inherited: bool = True) -> HeldRole:
    """A held copy of the role `name`; its privileges are given to `facts`."""
    template = SYSTEM_ADMINISTRATOR_TEMPLATE if name == "administrator" else None
    return HeldRole(Role(guid(f"{name} in {unit}"), guid(name), name, unit, inherited, template), via)


def facts(
    *roles: HeldRole,
    key: Key = ADA,
    name: str = "ada",
    unit: Key = NORTH,
    privileges: Mapping[str, Privileges] | None = None,
    teams: Sequence[Team] = (),
    mode: AccessMode = AccessMode.READ_WRITE,
    disabled: bool = False,
    settings: SecuritySettings | None = None,
    subordinates: Sequence[Subordinate] = (),
    columns: Mapping[str, Mapping[str, ColumnAccess]] | None = None,
    units: UnitTree = UNITS,
    team: Team | None = None,
    of: Schema = SCHEMA,
) -> SecurityFacts:
    """What the store would know of a user of unit north, or of `team`. `privileges` are those of each role by name."""
    return SecurityFacts(
        id=guid(name) if team is None else team.id,
        key=key if team is None else team.key,
        name=name if team is None else team.name,
        unit=unit if team is None else team.unit,
        is_team=team is not None,
        is_disabled=disabled,
        access_mode=mode,
        directory_object_id=guid(f"directory {name}"),
        teams=tuple(teams),
        roles=roles,
        role_privileges={guid(held): _by_id(given, of) for held, given in (privileges or {}).items()},
        units=units,
        settings=settings or SecuritySettings(),
        subordinates=tuple(subordinates),
        column_permissions=columns or {},
        team=team,
    )


def holding(depth: Depth, *rights: Rights, on: str = "account", of: Schema = SCHEMA) -> Caller:
    """Ada with one direct role that has `rights` at one depth."""
    return resolve(facts(role("seller"), privileges={"seller": {(on, r): depth for r in rights}}, of=of), of, 1)


def administrator(of: Schema = SCHEMA, mode: AccessMode = AccessMode.READ_WRITE) -> Caller:
    """A System Administrator."""
    return resolve(facts(role("administrator", ROOT), mode=mode, of=of), of, 1)


def _by_id(privileges: Privileges, of: Schema) -> dict[Guid, Depth]:
    return {of.tables[name].privileges[right].id: depth for (name, right), depth in privileges.items()}
