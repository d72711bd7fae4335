"""Units, users, teams and roles of the benchmark's data set, and the questions that picking archetypes asks of them."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from strongroom.ids import Guid, Reference
from strongroom.jobs.demo.draws import draw, guid, stream
from strongroom.jobs.demo.people import People, Row
from strongroom.jobs.demo.roles import BASIC, DEEP, GLOBAL, LOCAL, DemoRole
from strongroom.schema.model import Depth

UNITS, USERS, TEAMS, ROLES = 1_000, 2_000, 200, 20
DEEPEST = 6
MIXED = 0
"""The number of the user who manages thirty: six directly, four through each of those."""
MEMBERS_OF_MIXED = 31
_UNIT_KIND, _USER_KIND, _TEAM_KIND, _ROLE_KIND = 0x051, 0x052, 0x053, 0x054
_LOWEST_UNIT_OF_MIXED = 40


def _role(name: str, depth: Depth, tables: tuple[str, ...], *, team_only: bool = False) -> DemoRole:
    verbs = ("Create", "Read", "Write", "Delete", "Append", "AppendTo", "Assign", "Share")
    privileges = {f"prv{verb}{table}": depth for table in tables for verb in verbs}
    everyone = {"prvReadUser": GLOBAL, "prvReadTeam": GLOBAL, "prvReadBusinessUnit": GLOBAL}
    return DemoRole(name, f"{depth.wire_name} on {', '.join(tables)}", {**everyone, **privileges}, team_only)


def _roles() -> tuple[DemoRole, ...]:
    """The four that archetypes hold, one for teams, and fifteen that differ in depth and tables."""
    named = (
        _role("Bench Basic", BASIC, ("Account",)),
        _role("Bench Local", LOCAL, ("Account",)),
        _role("Bench Deep", DEEP, ("Account",)),
        _role("Bench Global", GLOBAL, ("Account",)),
        _role("Bench Team", BASIC, ("Account",), team_only=True),
    )
    sets = (("Account", "Contact"), ("Account", "Activity"), ("Account", "Contact", "Incident", "Note"))
    depths = (BASIC, LOCAL, DEEP, BASIC, LOCAL)
    others = tuple(
        _role(f"Bench {depth.wire_name} {number}", depth, tables)
        for number, (depth, tables) in enumerate((d, t) for d in depths for t in sets)
    )
    return (*named, *others)


BENCH_ROLES = _roles()
ROLES_BY_NAME = {role.name: role for role in BENCH_ROLES}


@dataclass(frozen=True)
class BenchPeople:
    """What was made, with lookups both ways."""

    people: People
    user_units: dict[Guid, Guid]
    team_units: dict[Guid, Guid]
    parents: dict[Guid, Guid]
    managers: dict[Guid, Guid]

    def user(self, number: int) -> Guid:
        return Guid(str(self.people.users[number]["systemuserid"]))

    @cached_property
    def principals(self) -> tuple[Reference, ...]:
        """Everybody who can own."""
        users = (Reference("systemuser", user) for user in self.user_units)
        return (*users, *(Reference("team", team) for team in self.team_units))

    def unit_of(self, principal: Reference) -> Guid:
        return (self.user_units if principal.table == "systemuser" else self.team_units)[principal.id]

    @cached_property
    def _teams_of(self) -> dict[Guid, frozenset[Reference]]:
        found: defaultdict[Guid, set[Reference]] = defaultdict(set)
        for team, user in self.people.members:
            found[user].add(Reference("team", team))
        return {user: frozenset(teams) for user, teams in found.items()}

    def owners_of(self, user: Guid) -> frozenset[Reference]:
        """The user and its teams."""
        return self._teams_of.get(user, frozenset()) | {Reference("systemuser", user)}

    def owners_below(self, user: Guid) -> frozenset[Reference]:
        """Everybody below the user in the hierarchy, with their teams."""
        found: set[Reference] = set()
        waiting = [user]
        while waiting:
            above = waiting.pop()
            below = [each for each, manager in self.managers.items() if manager == above]
            for each in below:
                found |= self.owners_of(each)
            waiting += below
        return frozenset(found)

    def free_users(self, teams: int | None) -> Iterator[Guid]:
        """Users whom nobody reports to, in exactly `teams` teams when that is given, else in at most two."""
        managing = set(self.managers.values())
        for user in self.user_units:
            count = len(self._teams_of.get(user, ()))
            if user not in managing and (count == teams or (teams is None and count <= 2)):
                yield user

    @cached_property
    def _below(self) -> dict[Guid, frozenset[Guid]]:
        """Each unit with all units below it. Children have higher numbers than their parents."""
        below: dict[Guid, set[Guid]] = {unit: {unit} for unit in self.parents}
        for unit in reversed(self.parents):
            above = self.parents[unit]
            if above in below:
                below[above] |= below[unit]
        return {unit: frozenset(units) for unit, units in below.items()}

    def subtree(self, unit: Guid) -> frozenset[Guid]:
        return self._below[unit]


def bench_people(seed: int, root_unit: Guid) -> BenchPeople:
    """All of it, made from `seed` below the environment's root unit."""
    units, parents = _units(seed, root_unit)
    user_units, managers = _users(seed, list(parents))
    users = [
        _user_row(number, user, unit, managers.get(user)) for number, (user, unit) in enumerate(user_units.items())
    ]
    team_units, members = _teams(seed, list(parents), list(user_units))
    start = stream(seed, 0x152)
    user_roles = tuple(
        (user, BENCH_ROLES[5 + draw(start, number * 3 + place) % 15])
        for number, user in enumerate(user_units)
        for place in range(1 + draw(start, number) % 2)
    )
    people = People(
        units=tuple(units),
        users=tuple(users),
        teams=tuple(_team_row(n, team, unit, users) for n, (team, unit) in enumerate(team_units.items())),
        roles=tuple(
            (
                {
                    "roleid": guid(_ROLE_KIND, number, draw(stream(seed, _ROLE_KIND), number)),
                    "name": role.name,
                    "businessunitid": Reference("businessunit", root_unit),
                    "isinherited": 0 if role.team_only else 1,
                },
                role,
            )
            for number, role in enumerate(BENCH_ROLES)
        ),
        members=members,
        user_roles=tuple(dict.fromkeys(user_roles)),
        team_roles=tuple((team, ROLES_BY_NAME["Bench Team"]) for team in team_units),
        personas=(),
    )
    return BenchPeople(people, user_units, team_units, parents, managers)


def _units(seed: int, root_unit: Guid) -> tuple[list[Row], dict[Guid, Guid]]:
    """A tree that grows: each new unit hangs below an older one, the oldest most often, at most `DEEPEST` deep."""
    start = stream(seed, _UNIT_KIND)
    ids = [guid(_UNIT_KIND, number, draw(start, number)) for number in range(UNITS)]
    depths = [1] * UNITS
    parents: dict[Guid, Guid] = {}
    rows: list[Row] = []
    for number, unit in enumerate(ids):
        above = root_unit
        if number >= 5:
            place = int(number * (draw(start, UNITS + number) / 2**64) ** 1.3)
            while depths[place] >= DEEPEST:
                place //= 2
            above, depths[number] = ids[place], depths[place] + 1
        parents[unit] = above
        rows.append(
            {
                "businessunitid": unit,
                "name": f"Unit {number:04d}",
                "parentbusinessunitid": Reference("businessunit", above),
            }
        )
    return rows, parents


def _users(seed: int, units: list[Guid]) -> tuple[dict[Guid, Guid], dict[Guid, Guid]]:
    """The unit and the manager of each user. The thirty of `mixed` sit in its unit; most others report to somebody of
    an earlier number outside that family."""
    start = stream(seed, _USER_KIND)
    ids = [guid(_USER_KIND, number, draw(start, number)) for number in range(USERS)]
    user_units: dict[Guid, Guid] = {}
    managers: dict[Guid, Guid] = {}
    home = units[_LOWEST_UNIT_OF_MIXED + draw(start, USERS) % (UNITS - _LOWEST_UNIT_OF_MIXED)]
    for number, user in enumerate(ids):
        if number < MEMBERS_OF_MIXED:
            user_units[user] = home
            if number:
                managers[user] = ids[0] if number <= 6 else ids[(number - 7) // 4 + 1]
            continue
        bits = draw(start, 2 * USERS + number)
        user_units[user] = units[int(UNITS * ((bits & 0xFFFFFF) / 0x1000000) ** 1.2)]
        if bits >> 24 & 15 and number > MEMBERS_OF_MIXED:
            # Managers are among the older half, so that enough users have nobody below them.
            managers[user] = ids[MEMBERS_OF_MIXED + (bits >> 28) % ((number - MEMBERS_OF_MIXED) // 2 + 1)]
    return user_units, managers


def _user_row(number: int, user: Guid, unit: Guid, manager: Guid | None) -> Row:
    row: Row = {
        "systemuserid": user,
        "firstname": "Bench",
        "lastname": f"{number:04d}",
        "fullname": f"Bench {number:04d}",
        "domainname": f"bench{number:04d}@example.com",
        "internalemailaddress": f"bench{number:04d}@example.com",
        "businessunitid": Reference("businessunit", unit),
        "accessmode": 0,
        "isdisabled": False,
    }
    if manager is not None:
        row["parentsystemuserid"] = Reference("systemuser", manager)
    return row


def _teams(seed: int, units: list[Guid], users: list[Guid]) -> tuple[dict[Guid, Guid], tuple[tuple[Guid, Guid], ...]]:
    """Owner teams with 3 to 43 members, small ones far more often; `mixed` is in the first five."""
    start = stream(seed, _TEAM_KIND)
    team_units: dict[Guid, Guid] = {}
    members: dict[tuple[Guid, Guid], None] = {}
    for number in range(TEAMS):
        bits = draw(start, TEAMS + number)
        team = guid(_TEAM_KIND, number, draw(start, number))
        team_units[team] = units[bits % UNITS]
        size = 3 + int(41 * ((bits >> 16 & 0xFFFF) / 0x10000) ** 2.5)
        chosen: dict[Guid, None] = {users[MIXED]: None} if number < 5 else {}
        place = 0
        while len(chosen) < size:
            chosen[users[1 + draw(start, 1_000 * (number + 1) + place) % (USERS - 1)]] = None
            place += 1
        members.update({(team, user): None for user in chosen})
    return team_units, tuple(members)


def _team_row(number: int, team: Guid, unit: Guid, users: list[Row]) -> Row:
    return {
        "teamid": team,
        "name": f"Team {number:03d}",
        "teamtype": 0,
        "businessunitid": Reference("businessunit", unit),
        "administratorid": Reference("systemuser", Guid(str(users[number]["systemuserid"]))),
    }
