"""Random worlds that live twice: as the oracle's dictionaries, and as rows of an environment (R5).

People, units, teams, roles and settings are made by the verbs; business rows and shares go straight into the store,
so that rows can belong to anybody. The tables: accounts, contacts and tasks that point at each other, `new_ticket` of
an account (user-owned, without hierarchy security, with an alternate key), `new_region` (owned by the organization),
and the platform's own users, teams and business units.
"""

import random
from collections.abc import Mapping
from typing import Any

from tests.worlds import World

from oracle.decision import RIGHTS as RIGHT_NAMES
from strongroom.ids import Guid, Key, Reference
from strongroom.records import change_schema
from strongroom.records.create import store_new
from strongroom.schema.changes import NewColumn, NewKey
from strongroom.schema.changes.keys import create_key
from strongroom.schema.model import ColumnType, Depth, Ownership, Rights
from strongroom.store.protocol import Share, Value

RIGHTS: dict[str, Rights] = dict(
    zip(
        RIGHT_NAMES,
        (
            Rights.READ,
            Rights.WRITE,
            Rights.APPEND,
            Rights.APPEND_TO,
            Rights.CREATE,
            Rights.DELETE,
            Rights.SHARE,
            Rights.ASSIGN,
        ),
        strict=True,
    )
)
BUSINESS = ("account", "contact", "task", "new_ticket")
TABLES: dict[str, dict[str, Any]] = {
    **{name: {"ownership": "user", "hierarchy": name != "new_ticket", "settings": False} for name in BUSINESS},
    "new_region": {"ownership": "organization", "hierarchy": True, "settings": False},
    **{
        name: {"ownership": "business", "hierarchy": True, "settings": True}
        for name in ("systemuser", "team", "businessunit")
    },
}
NAMES = {
    "account": "name",
    "contact": "fullname",
    "task": "subject",
    "new_ticket": "new_name",
    "new_region": "new_name",
}
_WORDS = ("Abel", "berta", "Cäsar", "dora", "Emil", "Émile", "friedrich", "Zoë")
_TYPES = {"owner": 0, "access": 1, "group": 2}


def prepare(world: World) -> None:
    """The tables of these worlds; once for an environment."""
    world.new_table("ticket", NewColumn("new_code", ColumnType.STRING), hierarchy=False)
    world.new_table("region", ownership=Ownership.ORGANIZATION)
    world.new_relationship("account_ticket", "account", "new_ticket", "account")
    with world.administrating() as session:
        change_schema(session, create_key(session.schema, "new_ticket", NewKey("new_ByCode", ("new_code",))))


class Doubled:
    """One random world: `oracle` is its dictionary, `ids` has the row of each of its names. `values` are the columns
    that doors ask for, by row; lookups are names of rows."""

    def __init__(self, world: World, seed: str) -> None:
        self.world = world
        self.chance = random.Random(seed)
        self.tag = f"{self.chance.getrandbits(40):x}"
        self.ids: dict[str, Guid] = {}
        self.values: dict[str, dict[str, Any]] = {}
        self.oracle: dict[str, Any] = {
            "units": {},
            "positions": {},
            "tables": TABLES,
            "roles": {},
            "users": {},
            "teams": {},
            "rows": {},
            "settings": self._settings(),
        }
        self._people()
        self._rows()

    @property
    def users(self) -> list[str]:
        """The names of all users but SYSTEM, which nobody can be."""
        return [name for name in self.oracle["users"] if name != "system"]

    def name_of(self, row_id: str) -> str | None:
        """The name of a row, None for a row that is not of this world."""
        return next((name for name, each in self.ids.items() if each == row_id), None)

    def read_again(self) -> None:
        """Take over lookups that were changed behind this world's back."""
        for table, column in (
            ("account", "primarycontactid"),
            ("contact", "parentcustomerid"),
            ("task", "regardingobjectid"),
        ):
            for name in self.rows_of(table):
                target = self.world.row(table, self.ids[name]).values.get(column)
                self.values[name][column] = self.name_of(target.id) if isinstance(target, Reference) else None

    # --- settings and people ---

    def _settings(self) -> dict[str, Any]:
        chance = self.chance
        told = {
            "hierarchy": chance.choice(("off", "manager", "position")),
            "depth": chance.randint(1, 3),
            "write_levels": chance.randint(1, 2),
            "same_unit": chance.random() < 0.5,
            "disabled_reports": chance.random() < 0.5,
            "matrix": chance.random() < 0.4,
            "always_move": True,
        }
        switches = {
            "EnableOwnershipAcrossBusinessUnits": told["matrix"],
            "HierarchyLevelForHierarchyFeature": told["write_levels"],
            "ManagersMustBeInSameOrParentBusinessUnitAsReports": told["same_unit"],
            "AuthorizationEnableHSMForDisabledUsers": told["disabled_reports"],
        }
        inner = "".join(f"<{name}>{str(value).lower()}</{name}>" for name, value in switches.items())
        self.world.update(
            "organization",
            self.world.born.organization,
            ishierarchicalsecuritymodelenabled=told["hierarchy"] != "off",
            usepositionhierarchy=told["hierarchy"] == "position",
            maxdepthforhierarchicalsecuritymodel=told["depth"],
            orgdborgsettings=f"<OrgSettings>{inner}</OrgSettings>",
        )
        return told

    def _people(self) -> None:
        chance, world, oracle = self.chance, self.world, self.oracle
        self._born()
        for index in range(chance.randint(2, 5)):
            parent = chance.choice([*oracle["units"]])
            name = f"unit{index}"
            self.ids[name] = world.unit(f"{name} {self.tag}", self.ids[parent])
            oracle["units"][name] = {"parent": parent, "disabled": False}
        for index in range(chance.randint(0, 4)):
            parent = chance.choice([*oracle["positions"]]) if index else None
            name = f"position{index}"
            values: dict[str, Value] = {"name": f"{name} {self.tag}"}
            if parent:
                values["parentpositionid"] = Reference("position", self.ids[parent])
            self.ids[name] = world.make("position", values)
            oracle["positions"][name] = {"parent": parent, "active": True}
        for index in range(chance.randint(2, 5)):
            self._role(f"role{index}")
        for index in range(chance.randint(4, 7)):
            self._user(f"user{index}")
        self._default_teams()
        for index in range(chance.randint(1, 5)):
            self._team(f"team{index}")
        for name, unit in oracle["units"].items():
            if name != "root" and unit["parent"] is not None and chance.random() < 0.08:
                unit["disabled"] = True
                world.update("businessunit", self.ids[name], isdisabled=True)

    def _born(self) -> None:
        """What every environment begins with."""
        born, oracle = self.world.born, self.oracle
        self.ids |= {"root": born.root_unit, "admin": born.administrator, "system": born.system_user}
        oracle["units"]["root"] = {"parent": None, "disabled": False}
        oracle["roles"]["administrator"] = {"inherited": True, "sysadmin": True, "privileges": {}}
        for name in ("admin", "system"):
            oracle["users"][name] = {
                "unit": "root",
                "disabled": name == "system",
                "mode": 0,
                "roles": [("administrator", "root")] if name == "admin" else [],
                "manager": None,
                "position": None,
            }
            oracle["rows"][name] = {"table": "systemuser", "owner": name, "unit": "root", "shares": {}}

    def _role(self, name: str) -> None:
        chance = self.chance
        told: dict[tuple[str, str], str] = {}
        made: dict[str, dict[Rights, Depth]] = {}
        for table, facts in TABLES.items():
            if chance.random() < 0.2:
                continue
            depths = {
                "user": ("Basic", "Local", "Deep", "Global"),
                "organization": ("Global",),
                "business": ("Local", "Deep", "Global"),
            }[str(facts["ownership"])]
            for right in ("Read", *(("Write", "Share", "Append") if chance.random() < 0.3 else ())):
                if right == "Share" and facts["ownership"] != "user":
                    continue
                told[table, right] = chance.choice(depths[:2] if chance.random() < 0.6 else depths)
                made.setdefault(table, {})[RIGHTS[right]] = Depth[told[table, right].upper()]
        inherited = chance.random() < 0.5
        self.ids[name] = self.world.role(f"{name} {self.tag}", made, unit=self.ids["root"], team_only=not inherited)
        self.oracle["roles"][name] = {"inherited": inherited, "sysadmin": False, "privileges": told}

    def _held(self, unit: str, fewest: int) -> list[tuple[str, str]]:
        chance = self.chance
        ordinary = [name for name, role in self.oracle["roles"].items() if not role["sysadmin"]]
        roles = chance.sample(ordinary, chance.randint(fewest, 2))
        matrix = self.oracle["settings"]["matrix"]
        return [(role, chance.choice([*self.oracle["units"]]) if matrix else unit) for role in roles]

    def _give(self, held: list[tuple[str, str]], holder: Reference) -> None:
        for role, unit in held:
            self.world.give_role(self.ids[role], holder, unit=self.ids[unit])

    def _user(self, name: str) -> None:
        chance, oracle = self.chance, self.oracle
        unit = chance.choice([*oracle["units"]])
        manager = chance.choice([None, *self.users])
        position = chance.choice([None, *oracle["positions"]])
        values: dict[str, Value] = {"accessmode": chance.choice((0, 0, 0, 0, 2, 4, 1))}
        if manager:
            values["parentsystemuserid"] = Reference("systemuser", self.ids[manager])
        if position:
            values["positionid"] = Reference("position", self.ids[position])
        self.ids[name] = self.world.user(f"{name}x{self.tag}", self.ids[unit], **values)
        held = self._held(unit, 0 if chance.random() < 0.2 else 1)
        self._give(held, Reference("systemuser", self.ids[name]))
        is_disabled = chance.random() < 0.1
        if is_disabled:
            self.world.update("systemuser", self.ids[name], isdisabled=True)
        oracle["users"][name] = {
            "unit": unit,
            "disabled": is_disabled,
            "mode": values["accessmode"],
            "roles": held,
            "manager": manager,
            "position": position,
        }
        oracle["rows"][name] = {"table": "systemuser", "owner": name, "unit": unit, "shares": {}}

    def _default_teams(self) -> None:
        for unit in self.oracle["units"]:
            name = f"default of {unit}"
            self.ids[name] = self.world.default_team(self.ids[unit]).id
            self.oracle["teams"][name] = {
                "unit": unit,
                "type": "owner",
                "default": True,
                "roles": [],
                "members": [user for user, told in self.oracle["users"].items() if told["unit"] == unit],
            }
            self.oracle["rows"][name] = {"table": "team", "owner": None, "unit": unit, "shares": {}}
            self.oracle["rows"][unit] = {"table": "businessunit", "owner": None, "unit": unit, "shares": {}}

    def _team(self, name: str) -> None:
        chance, oracle = self.chance, self.oracle
        kind = chance.choice(("owner", "owner", "access", "group"))
        unit = chance.choice([*oracle["units"]])
        members = chance.sample(self.users, chance.randint(0, 3))
        self.ids[name] = self.world.team(
            f"{name} {self.tag}", self.ids[unit], members=[self.ids[each] for each in members], kind=_TYPES[kind]
        )
        held = [] if kind == "access" else self._held(unit, 0)
        if kind == "group":
            held = [each for each in held if oracle["roles"][each[0]]["inherited"]]
        self._give(held, Reference("team", self.ids[name]))
        oracle["teams"][name] = {"unit": unit, "type": kind, "default": False, "roles": held, "members": members}
        oracle["rows"][name] = {"table": "team", "owner": None, "unit": unit, "shares": {}}

    # --- rows ---

    def _rows(self) -> None:
        chance = self.chance
        for table, most in (("contact", 8), ("account", 10), ("task", 10), ("new_ticket", 8), ("new_region", 3)):
            for index in range(chance.randint(1, most)):
                self._row(table, f"{table}{index}")
        # Contacts point back at accounts, which came later.
        with self.world.administrating() as session:
            for name in self.rows_of("contact"):
                if chance.random() < 0.7:
                    self.values[name]["parentcustomerid"] = parent = chance.choice(self.rows_of("account"))
                    row = session.transaction.row(session.table("contact"), self.ids[name])
                    assert row is not None
                    session.transaction.update(row, {"parentcustomerid": Reference("account", self.ids[parent])})

    def rows_of(self, table: str) -> list[str]:
        """The names of the rows of a table."""
        return [name for name, row in self.oracle["rows"].items() if row["table"] == table]

    def _row(self, table: str, name: str) -> None:
        chance, oracle = self.chance, self.oracle
        text = f"{chance.choice(_WORDS)} {chance.randint(0, 2)}"
        told: dict[str, Any] = {NAMES[table]: text}
        stored: dict[str, Value] = {NAMES[table]: text}
        lookup = {"account": ("primarycontactid", "contact"), "task": ("regardingobjectid", "account")}
        lookup["new_ticket"] = ("new_account", "account")
        if table in lookup and chance.random() < 0.75:
            column, target = lookup[table]
            told[column] = chance.choice(self.rows_of(target))
            stored[column] = Reference(target, self.ids[told[column]])
        if table == "account":
            told["numberofemployees"] = stored["numberofemployees"] = chance.choice((None, 1, 2, 3, 30))
        if table == "new_ticket":
            told["new_code"] = stored["new_code"] = f"{name} {self.tag}"
        row: dict[str, Any] = {"table": table, "owner": None, "unit": None, "shares": {}}
        if TABLES[table]["ownership"] == "user":
            owners = [name for name, team in oracle["teams"].items() if team["type"] != "access"]
            row["owner"] = owner = chance.choice([*self.users, *self.users, *owners])
            kind = "systemuser" if owner in oracle["users"] else "team"
            row["unit"] = oracle["users" if kind == "systemuser" else "teams"][owner]["unit"]
            stored["ownerid"] = Reference(kind, self.ids[owner])
            if oracle["settings"]["matrix"] and chance.random() < 0.5:
                row["unit"] = chance.choice([*oracle["units"]])
                stored["owningbusinessunit"] = Reference("businessunit", self.ids[row["unit"]])
        with self.world.administrating() as session:
            made = store_new(session, session.table(table), stored)
            if row["owner"] is not None:
                for holder in chance.sample([*self.users, *oracle["teams"]], chance.randint(0, 2)):
                    share: dict[str, set[str]] = {
                        which: set(chance.sample(("Read", "Write", "Share"), chance.randint(0, 2)))
                        for which in ("direct", "inherited")
                    }
                    if share["direct"] | share["inherited"] and holder != row["owner"]:
                        row["shares"][holder] = share
                        kind = "systemuser" if holder in oracle["users"] else "team"
                        key = session.transaction.principal_key(Reference(kind, self.ids[holder]))
                        assert key is not None
                        session.transaction.set_share(made, _share(key, share))
        self.ids[name] = made.id
        self.values[name] = told
        oracle["rows"][name] = row


def _share(principal: Key, share: Mapping[str, set[str]]) -> Share:
    masks = dict.fromkeys(share, Rights.NONE)
    for which, rights in share.items():
        for right in rights:
            masks[which] |= RIGHTS[right]
    return Share(principal, masks["direct"], masks["inherited"])
