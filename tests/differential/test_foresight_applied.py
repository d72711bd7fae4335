"""Foresight against the facts: every change is previewed, then made, and the lists of all users before and after are
compared with what the preview said, row by row and user by user, on both engines."""

import random
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from tests.worlds import PARENTAL, World, team, user

from strongroom.access.caller import AccessMode
from strongroom.access.changes import Change
from strongroom.access.planned import planned
from strongroom.access.resolve import is_disabled, resolve
from strongroom.errors import AccessDenied
from strongroom.ids import Guid, Reference
from strongroom.query.ast import Field, Output, Select, Source
from strongroom.records import (
    RolePrivilege,
    Session,
    add_members,
    associate,
    disassociate,
    grant_access,
    modify_access,
    remove_members,
    replace_privileges,
    revoke_access,
)
from strongroom.records import proposals as propose
from strongroom.records.foresight import Preview, preview, preview_sharing
from strongroom.schema.model import Depth, Rights
from strongroom.store.protocol import Database, Value

TABLES = ("account", "contact", "systemuser", "team", "role", "businessunit", "product")
ROUNDS = 3
Seen = dict[Guid, dict[str, frozenset[Guid]]]
"""User → table → rows."""


@dataclass
class Step:
    """One change: how it is previewed, and how it is made."""

    name: str
    preview: Callable[[Session], Preview]
    make: Callable[[], None]

    def made(self, make: Callable[[], None]) -> "Step":
        """The same change, made otherwise."""
        return Step(self.name, self.preview, make)


class Company:
    """Units, teams, roles, rows and shares, drawn from a seed."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.random = random.Random(seed)
        settings = world.rows("organization")[0].id
        world.update("organization", settings, ishierarchicalsecuritymodelenabled=True)
        world.new_relationship("under", "account", "contact", "above", PARENTAL)
        self.units = [world.root]
        for number in range(5):
            self.units.append(world.unit(f"Unit {number}", self.random.choice(self.units)))
        self.roles = [world.role(f"Role {number}", self.privileges()) for number in range(4)]
        self.roles.append(world.role("Team role", self.privileges(), team_only=True))
        self.roles.append(world.role("Low", self.privileges(), unit=self.units[1]))
        self.users: list[Guid] = []
        for number in range(6):
            unit = self.random.choice(self.units)
            manager = user(self.random.choice(self.users)) if self.users and self.random.random() < 0.7 else None
            self.users.append(
                world.user(f"User{number}", unit, self.random.choice(self.roles[:4]), parentsystemuserid=manager)
            )
        self.teams = [
            world.team(
                f"Team {number}",
                self.random.choice(self.units),
                *([self.random.choice(self.roles[:5])] if number < 2 else []),
                members=self.random.sample(self.users, 2),
                kind=0 if number < 2 else 1,
            )
            for number in range(3)
        ]
        self.accounts = [self.row("account", number) for number in range(10)]
        self.contacts = [
            self.row("contact", number, new_above=Reference("account", self.random.choice(self.accounts)))
            for number in range(10)
        ]
        world.create("product", name="P", productnumber="1")
        for _ in range(8):
            self.try_sharing()

    def row(self, table: str, number: int, **values: Value) -> Guid:
        """A row of somebody who can own it."""
        while True:
            owner = self.random.choice([user(self.random.choice(self.users)), team(self.random.choice(self.teams[:2]))])
            name = {"name": f"A{number}"} if table == "account" else {"lastname": f"C{number}"}
            try:
                return self.world.make(table, {**name, "ownerid": owner, **values})
            except AccessDenied:
                owner = user(self.world.admin)
                return self.world.make(table, {**name, "ownerid": owner, **values})

    def privileges(self) -> dict[str, dict[Rights, Depth]]:
        """Something on everything."""
        depths = (Depth.BASIC, Depth.LOCAL, Depth.DEEP, Depth.GLOBAL)
        wide = (Depth.LOCAL, Depth.DEEP, Depth.GLOBAL)
        given = {
            name: {Rights.READ: self.random.choice(depths), Rights.WRITE: self.random.choice(depths)}
            for name in ("account", "contact")
        }
        given |= {
            name: {Rights.READ: self.random.choice(wide)}
            for name in ("systemuser", "team", "role", "businessunit")
            if self.random.random() < 0.6
        }
        if self.random.random() < 0.5:
            given["product"] = {Rights.READ: Depth.GLOBAL}
        if self.random.random() < 0.3:
            del given[self.random.choice(("account", "contact"))]
        return given

    def principal(self) -> Reference:
        """Any user or team."""
        return self.random.choice([*map(user, self.users), *map(team, self.teams)])

    def try_sharing(self) -> None:
        """Share some account with somebody, unless it is the owner."""
        target, principal = Reference("account", self.random.choice(self.accounts)), self.principal()
        if self.world.owner("account", target.id) != principal:
            self.world.share(target, principal, self.random.choice((Rights.READ, Rights.READ | Rights.WRITE)))

    # --- steps ---

    def steps(self) -> list[Step]:
        """One change of each kind, as things stand."""
        made = [
            self.role_changes(),
            self.role_given(),
            self.role_taken(),
            self.joining(),
            self.leaving(),
            self.shared(),
            self.modified(),
            self.revoked(),
            self.user_moved(),
            self.team_moved(),
            self.unit_moved(),
            self.unit_disabled(),
            self.access_mode(),
            self.manager(),
            self.disabled(),
            self.depth(),
        ]
        return [step for step in made if step is not None]

    def _of(self, name: str, change: Callable[[Session], Change], make: Callable[[Session], None]) -> Step:
        def act() -> None:
            with self.world.administrating() as session:
                make(session)

        return Step(name, lambda session: preview(session, change(session), (Rights.READ,)), act)

    def role_changes(self) -> Step:
        role, privileges = self.random.choice(self.roles), self.privileges()
        schema = self.world.schema
        given = {
            schema.tables[table].privileges[right].id: depth
            for table, rights in privileges.items()
            for right, depth in rights.items()
        }
        return self._of(
            "role",
            lambda session: propose.role_privileges(session, role, given, completely=True),
            lambda session: replace_privileges(session, role, [RolePrivilege(*each) for each in given.items()]),
        )

    def _holding(self, is_held: bool) -> Step | None:
        principal = self.random.choice([*map(user, self.users), *map(team, self.teams[:2])])
        unit = Reference("businessunit", self.world.unit_of(principal))
        name = "systemuserroles_association" if principal.table == "systemuser" else "teamroles_association"
        association = self.world.schema.many_to_many[name]
        with self.world.database.read() as transaction:
            held = transaction.linked(association, principal.id, from_first=True)
        here = [row.id for row in self.world.rows("role", businessunitid=unit) if row.id not in held]
        choices = [each for each in (here if is_held else held) if not self._is_admin_role(each)]
        if not choices:
            return None
        role = Reference("role", self.random.choice(choices))
        verb = associate if is_held else disassociate
        return self._of(
            "role given" if is_held else "role taken",
            lambda session: propose.role_held(session, principal, role.id, is_held=is_held),
            lambda session: verb(session, association, principal, role),
        )

    def _is_admin_role(self, role: Guid) -> bool:
        return self.world.row("role", role).values.get("roletemplateid") is not None

    def role_given(self) -> Step | None:
        return self._holding(True)

    def role_taken(self) -> Step | None:
        return self._holding(False)

    def joining(self) -> Step:
        group, who = self.random.choice(self.teams), self.random.choice(self.users)
        return self._of(
            "joining",
            lambda session: propose.membership(session, group, who, is_member=True),
            lambda session: add_members(session, group, [who]),
        )

    def leaving(self) -> Step | None:
        group = self.random.choice(self.teams)
        with self.world.database.read() as transaction:
            association = transaction.schema.many_to_many["teammembership_association"]
            members = transaction.linked(association, group, from_first=True)
        if not members:
            return None
        who = self.random.choice(members)
        return self._of(
            "leaving",
            lambda session: propose.membership(session, group, who, is_member=False),
            lambda session: remove_members(session, group, [who]),
        )

    def user_moved(self) -> Step:
        who, unit = self.random.choice(self.users), self.random.choice(self.units)
        return self._of(
            "user moved",
            lambda session: propose.moved(session, user(who), unit),
            lambda _: None,
        ).made(lambda: self.world.update("systemuser", who, businessunitid=Reference("businessunit", unit)))

    def team_moved(self) -> Step:
        group, unit = self.random.choice(self.teams), self.random.choice(self.units)
        return self._of("team moved", lambda session: propose.moved(session, team(group), unit), lambda _: None).made(
            lambda: self.world.update("team", group, businessunitid=Reference("businessunit", unit))
        )

    def unit_disabled(self) -> Step:
        unit = self.random.choice(self.units[1:])
        is_disabled = not self.world.row("businessunit", unit).values.get("isdisabled")
        return self._of(
            "unit disabled",
            lambda session: propose.unit_disabled(session, unit, is_disabled=is_disabled),
            lambda _: None,
        ).made(lambda: self.world.update("businessunit", unit, isdisabled=is_disabled))

    def access_mode(self) -> Step:
        who, mode = self.random.choice(self.users), self.random.choice((0, 0, 0, 1, 2, 4))
        return self._of(
            "access mode",
            lambda session: propose.access_mode_set(session, who, AccessMode(mode)),
            lambda _: None,
        ).made(lambda: self.world.update("systemuser", who, accessmode=mode))

    def unit_moved(self) -> Step | None:
        unit = self.random.choice(self.units[1:])
        with self.world.database.read() as transaction:
            tree, key = transaction.unit_tree(), transaction.unit_key(unit)
            assert key is not None
            below = {tree.units[each].id for each in tree.subtree(key)}
        targets = [each for each in self.units if each not in below]
        parent = self.random.choice(targets)
        return self._of("unit moved", lambda session: propose.unit_moved(session, unit, parent), lambda _: None).made(
            lambda: self.world.update("businessunit", unit, parentbusinessunitid=Reference("businessunit", parent))
        )

    def manager(self) -> Step:
        place = self.random.randrange(1, len(self.users))
        who, above = self.users[place], self.random.choice(self.users[:place])
        return self._of("manager", lambda session: propose.manager_set(session, who, above), lambda _: None).made(
            lambda: self.world.update("systemuser", who, parentsystemuserid=user(above))
        )

    def disabled(self) -> Step:
        who = self.random.choice(self.users)
        is_disabled = not self.world.row("systemuser", who).values.get("isdisabled")
        return self._of(
            "disabled", lambda session: propose.user_disabled(session, who, is_disabled=is_disabled), lambda _: None
        ).made(lambda: self.world.update("systemuser", who, isdisabled=is_disabled))

    def depth(self) -> Step:
        depth = self.random.choice((1, 2, 3))
        settings = self.world.rows("organization")[0].id
        return self._of("depth", lambda session: propose.hierarchy_set(session, depth=depth), lambda _: None).made(
            lambda: self.world.update("organization", settings, maxdepthforhierarchicalsecuritymodel=depth)
        )

    def _sharing(self, name: str, verb: Callable[[Session], None]) -> Step:
        def act() -> None:
            with self.world.administrating() as session:
                verb(session)

        return Step(name, lambda session: preview_sharing(session, verb, (Rights.READ,)), act)

    def shared(self) -> Step | None:
        target, principal = Reference("account", self.random.choice(self.accounts)), self.principal()
        if self.world.owner("account", target.id) == principal:
            return None
        return self._sharing("shared", lambda session: grant_access(session, target, principal, Rights.READ))

    def modified(self) -> Step | None:
        place = self._share()
        if place is None:
            return None
        return self._sharing("modified", lambda session: modify_access(session, *place, Rights.WRITE))

    def revoked(self) -> Step | None:
        place = self._share()
        return None if place is None else self._sharing("revoked", lambda session: revoke_access(session, *place))

    def _share(self) -> tuple[Reference, Reference] | None:
        """A row and somebody whom it is shared with."""
        shares = self.world.rows("principalobjectaccess", objecttypecode="account")
        found = [
            (objectid, principal)
            for row in shares
            if isinstance(objectid := row.values.get("objectid"), str)
            and isinstance(principal := row.values.get("principalid"), str)
        ]
        if not found:
            return None
        target, principal = self.random.choice(found)
        table = "team" if principal in self.teams else "systemuser"
        return Reference("account", Guid(target)), Reference(table, Guid(principal))


def everything_seen(world: World) -> Seen:
    """What every user sees of every table, by lists."""
    found: Seen = {}
    with world.database.read() as transaction:
        schema = transaction.schema
        for row in transaction.rows_where(schema.tables["systemuser"], {}):
            facts = transaction.facts(row.reference())
            assert facts is not None
            seen: dict[str, frozenset[Guid]] = dict.fromkeys(TABLES, frozenset())
            if not is_disabled(facts) and facts.roles:
                caller = resolve(facts, schema, 0)
                for name in TABLES:
                    table = schema.tables[name]
                    select = Select(Source(table), (Output("id", Field("", table.id_column)),))
                    try:
                        rows = transaction.select(planned(select, caller))
                    except AccessDenied:
                        continue
                    seen[name] = frozenset(Guid(str(each[0])) for each in rows)
            found[row.id] = seen
    return found


def told(preview: Preview) -> dict[str, dict[Guid, tuple[int, int]]]:
    """Table → user → rows gained and lost."""
    return {
        each.table.logical_name: {one.user.id: (one.gained, one.lost) for one in each.users}
        for each in preview.tables
        if each.table.logical_name in TABLES
    }


def difference(before: Seen, after: Seen) -> dict[str, dict[Guid, tuple[int, int]]]:
    """The same from the lists."""
    found: dict[str, dict[Guid, tuple[int, int]]] = {}
    for who, tables in after.items():
        for name, rows in tables.items():
            gained, lost = len(rows - before[who][name]), len(before[who][name] - rows)
            if gained or lost:
                found.setdefault(name, {})[who] = (gained, lost)
    return found


def distinct(before: Seen, after: Seen, name: str) -> tuple[set[Guid], set[Guid]]:
    """The rows that somebody gains, and those that somebody loses."""
    gained = {row for who in after for row in after[who][name] - before[who][name]}
    lost = {row for who in after for row in before[who][name] - after[who][name]}
    return gained, lost


@pytest.mark.parametrize("seed", [1, 2])
def test_what_a_preview_says_is_what_the_change_does(database: Database, seed: int) -> None:
    """Rows gained and lost, user by user and all together, and examples that are among them, for every kind of
    change: roles, assignments, memberships, shares with their cascades, moves of users and units, the hierarchy."""
    company = Company(World(database), seed)
    kinds: set[str] = set()
    before = everything_seen(company.world)
    for _ in range(ROUNDS):
        for step in company.steps():
            with company.world.administrating() as session:
                foreseen = step.preview(session)

            step.make()

            after = everything_seen(company.world)
            assert told(foreseen) == difference(before, after), step.name
            for each in foreseen.tables:
                name = each.table.logical_name
                if name in TABLES:
                    gained, lost = distinct(before, after, name)
                    assert (each.rows_gained, each.rows_lost) == (len(gained), len(lost)), (step.name, name)
                    for example in each.examples:
                        assert example.row.id in (gained if example.is_gained else lost), (step.name, name)
            if foreseen.tables:
                kinds.add(step.name)
            before = after
    assert len(kinds) >= 8, f"too little happened: {sorted(kinds)}"
