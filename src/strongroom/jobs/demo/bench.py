"""The data set that speed is measured on: 1,000 business units, 2,000 users, 200 teams, 20 roles, N accounts.

Nothing in it is even: units hang in a skewed tree of depth 6, owners own by a long-tailed distribution, shares pile up
on a few principals. Names are random words with a random suffix, so that their order has nothing to do with owners.

*Archetypes* are users whose reach spans what a list has to cope with. They are picked from the made distributions, so
that their visible share is known before a row exists:

    own      Basic, with two teams                                about 0.14 % of the accounts
    bu       Local                                                about 0.20 %
    deep_s   Deep over about 11 units                             about 1 %
    deep_m   Deep over about 33 units                             about 5 %
    deep_l   Deep over about 181 units                            about 20 %
    global   Global                                               all
    mixed    Basic, five teams, manager of 30, 6 % of the shares  about 6 %
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import log

from strongroom.ids import Guid, Reference
from strongroom.jobs.demo.bench_people import (
    MEMBERS_OF_MIXED,
    MIXED,
    ROLES_BY_NAME,
    BenchPeople,
    bench_people,
)
from strongroom.jobs.demo.company import Batch, DemoShare
from strongroom.jobs.demo.customers import CREDIT_LIMITS, REVENUES
from strongroom.jobs.demo.draws import draw, guid, moments, slots, stream
from strongroom.jobs.demo.people import People, Row
from strongroom.jobs.demo.roles import DemoRole
from strongroom.schema.model import Rights

ACCOUNT_KIND = 0x050
_OWNER_SLOTS, _SHARE_SLOTS = 65_536, 16_384
_WORDS = (
    *("amber", "anchor", "basalt", "beacon", "birch", "boulder", "bridge", "canyon", "cedar", "cinder", "cobalt"),
    *("copper", "coral", "cove", "crystal", "delta", "drift", "ember", "falcon", "fern", "flint", "forge", "garnet"),
    *("glade", "granite", "harbor", "hazel", "heron", "indigo", "iris", "ivory", "jasper", "juniper", "kelp", "kite"),
    *("lagoon", "lantern", "larch", "ledge", "linden", "lunar", "maple", "marble", "meadow", "mesa", "mica", "moss"),
    *(
        "north",
        "oak",
        "ochre",
        "olive",
        "onyx",
        "opal",
        "orchid",
        "osprey",
        "pearl",
        "pine",
        "plume",
        "quartz",
        "quill",
    ),
    *("raven", "reef", "ridge", "river", "sable"),
)


@dataclass(frozen=True, slots=True)
class Archetype:
    """A user to measure as. `visible` is the expected share of all accounts, shares left out."""

    name: str
    user: Guid
    role: DemoRole
    visible: float
    units: int
    owners: int


@dataclass(frozen=True)
class BenchCompany:
    """The data set; loaded like a `DemoCompany`. `settings` are values for the organization row."""

    seed: int
    accounts: int
    root_unit: Guid
    until: str

    @cached_property
    def _made(self) -> BenchPeople:
        return bench_people(self.seed, self.root_unit)

    @cached_property
    def people(self) -> People:
        """Units, users, teams, roles, memberships; archetypes hold the one role that makes them what they are."""
        roles = {archetype.user: archetype.role for archetype in self.archetypes}
        made = self._made.people
        user_roles = tuple((user, role) for user, role in made.user_roles if user not in roles)
        return People(
            units=made.units,
            users=made.users,
            teams=made.teams,
            roles=made.roles,
            members=made.members,
            user_roles=(*user_roles, *roles.items()),
            team_roles=made.team_roles,
            personas=(),
        )

    @property
    def settings(self) -> Mapping[str, object]:
        """The manager hierarchy is on: one archetype reads through it."""
        return {"ishierarchicalsecuritymodelenabled": True, "maxdepthforhierarchicalsecuritymodel": 3}

    @cached_property
    def _owners(self) -> tuple[Reference, ...]:
        made = self._made
        weights = [(place + 12) ** -0.75 for place in range(len(made.principals))]
        return slots(_mixed_up(made.principals, 11), weights, _OWNER_SLOTS)

    @cached_property
    def _shared_with(self) -> tuple[Reference, ...]:
        others = [each for each in self._made.principals if each.id != self._made.user(MIXED)]
        weights = [(place + 30) ** -0.8 for place in range(len(others))]
        return slots(_mixed_up(others, 12), weights, _SHARE_SLOTS)

    def batches(self) -> Iterator[Batch]:
        """The accounts."""
        yield Batch("account", self.accounts, self.account_rows)

    def account_rows(self, start: int = 0, stop: int | None = None) -> Iterator[Row]:
        """Accounts with 21 columns, from `start` to `stop`."""
        ids, details = stream(self.seed, ACCOUNT_KIND), stream(self.seed, 0x150)
        owners, created = self._owners, moments(self.until, 900, 2048)
        words, revenues, limits = _WORDS, REVENUES, CREDIT_LIMITS
        for index in range(start, self.accounts if stop is None else min(stop, self.accounts)):
            key, bits = draw(ids, index), draw(details, index)
            first, second = words[bits & 63], words[bits >> 6 & 63]
            moment = created[bits >> 12 & 2047]
            yield {
                "accountid": guid(ACCOUNT_KIND, index, key),
                "name": f"{first} {second} {bits >> 40:06x}",
                "accountnumber": f"A{index:09d}",
                "telephone1": f"+1 555 {bits >> 23 & 8191:04d}",
                "emailaddress1": f"{first}{index}@example.com",
                "websiteurl": f"https://{second}{index}.example",
                "address1_line1": f"{bits >> 30 & 511} {second} street",
                "address1_city": words[bits >> 34 & 63],
                "address1_postalcode": f"{bits >> 20 & 65535:05d}",
                "address1_country": words[bits >> 52 & 15],
                "industrycode": (bits >> 46) % 33 + 1,
                "customertypecode": (bits >> 51) % 12 + 1,
                "accountcategorycode": 1 + (bits >> 55 & 1),
                "numberofemployees": bits >> 26 & 32767,
                "revenue": revenues[bits >> 18 & 2047],
                "creditlimit": limits[bits >> 57 & 15],
                "creditonhold": bits >> 61 == 0,
                "donotemail": bits >> 60 & 1 == 1,
                "ownerid": owners[key >> 16 & 65535],
                "createdon": moment,
                "modifiedon": moment,
            }

    def shares(self) -> Iterator[DemoShare]:
        """One share for twenty accounts; six in a hundred are with `mixed`."""
        ids, start = stream(self.seed, ACCOUNT_KIND), stream(self.seed, 0x151)
        mixed = Reference("systemuser", self._made.user(MIXED))
        read, more = Rights.READ, Rights.READ | Rights.WRITE | Rights.APPEND_TO
        for number in range(self.accounts // 20):
            bits = draw(start, number)
            index = number * 20 + bits % 20
            principal = mixed if number % 50 in (7, 23, 41) else self._shared_with[bits >> 8 & _SHARE_SLOTS - 1]
            row = Reference("account", guid(ACCOUNT_KIND, index, draw(ids, index)))
            yield DemoShare(row, principal, more if bits >> 40 & 3 == 0 else read)

    @cached_property
    def archetypes(self) -> tuple[Archetype, ...]:
        """The users to measure as, picked by how near their reach is to what the archetype stands for."""
        made = self._made
        owned = _parts(self._owners)
        in_unit: defaultdict[Guid, float] = defaultdict(float)
        for principal, part in owned.items():
            in_unit[made.unit_of(principal)] += part
        reach = _Reach(made, owned, in_unit)
        taken: set[Guid] = {made.user(number) for number in range(MEMBERS_OF_MIXED)}
        found: list[Archetype] = []
        for name, role, units, visible, teams in (
            ("own", "Bench Basic", 0, 0.0014, 2),
            ("bu", "Bench Local", 1, 0.002, 0),
            ("deep_s", "Bench Deep", 11, 0.011, None),
            ("deep_m", "Bench Deep", 33, 0.052, None),
            ("deep_l", "Bench Deep", 181, 0.20, None),
            ("global", "Bench Global", len(made.people.units), 1.0, None),
        ):
            best = min(
                (user for user in made.free_users(teams) if user not in taken),
                key=lambda user: reach.distance(user, units, visible),
            )
            taken.add(best)
            found.append(reach.archetype(name, best, ROLES_BY_NAME[role], units))
        mixed = made.user(MIXED)
        found.append(reach.archetype("mixed", mixed, ROLES_BY_NAME["Bench Basic"], 0, made.owners_below(mixed)))
        return tuple(found)


class _Reach:
    """How much of the accounts a user would see with a depth that covers a number of units."""

    def __init__(self, made: BenchPeople, owned: Mapping[Reference, float], in_unit: Mapping[Guid, float]) -> None:
        self._made = made
        self._owned = owned
        self._in_unit = in_unit

    def units(self, user: Guid, wanted: int) -> frozenset[Guid]:
        unit = self._made.unit_of(Reference("systemuser", user))
        if wanted == 0:
            return frozenset()
        return frozenset({unit}) if wanted == 1 else self._made.subtree(unit)

    def visible(self, user: Guid, wanted: int) -> float:
        units = self.units(user, wanted)
        own = (each for each in self._made.owners_of(user) if self._made.unit_of(each) not in units)
        return sum(self._in_unit.get(unit, 0.0) for unit in units) + sum(self._owned.get(each, 0.0) for each in own)

    def distance(self, user: Guid, wanted: int, visible: float) -> float:
        """How far the user is from the wanted number of units and visible share, in powers of e."""
        if visible == 1.0:
            return 0.0
        off = abs(log(max(self.visible(user, wanted), 1e-9) / visible))
        return off + (abs(log(len(self.units(user, wanted)) / wanted)) if wanted > 1 else 0.0)

    def archetype(
        self, name: str, user: Guid, role: DemoRole, wanted: int, below: frozenset[Reference] = frozenset()
    ) -> Archetype:
        owners = self._made.owners_of(user) | below
        if name == "global":
            return Archetype(name, user, role, 1.0, 0, len(owners))
        visible = self.visible(user, wanted) + sum(self._owned.get(each, 0.0) for each in below - owners)
        if below:
            visible = sum(self._owned.get(each, 0.0) for each in owners)
        return Archetype(name, user, role, visible, len(self.units(user, wanted)), len(owners))


def _parts(places: Iterable[Reference]) -> dict[Reference, float]:
    """The part of all places that each principal has."""
    counts = Counter(places)
    total = counts.total()
    return {principal: count / total for principal, count in counts.items()}


def _mixed_up(principals: Iterable[Reference], salt: int) -> list[Reference]:
    """The principals in an order that has nothing to do with their own."""
    place: Callable[[Reference], int] = lambda each: draw(salt, int(each.id[-12:], 16))  # noqa: E731
    return sorted(principals, key=place)


def bench_company(seed: int, accounts: int, *, root_unit: Guid, until: str = "2026-06-30T00:00:00Z") -> BenchCompany:
    """The benchmark's data set with `accounts` accounts below the environment's root business unit."""
    return BenchCompany(seed, accounts, root_unit, until)
