"""Worlds of the oracle as rows of an environment, written plainly: no verb, no audit entry, no cascade.

Storing a world takes some ten milliseconds, so that thousands can be compared on a real engine. It happens inside of
one write transaction, which is rolled back when the world has been looked at. `unit0` is the environment's root unit;
what else the environment was born with is no part of the world.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from access_world import CASCADES, RELATIONSHIPS, RIGHTS
from tests.worlds import World as Birthplace

from oracle.decision import subtree
from strongroom.access.caller import SYSTEM_ADMINISTRATOR_TEMPLATE, SecurityFacts
from strongroom.ids import Guid, Key, Reference, new_guid
from strongroom.schema.changes import NewColumn
from strongroom.schema.model import Cascade, ColumnType, Depth, Rights, Table
from strongroom.store.protocol import InheritedPart, Row, Share, Transaction, Value

TABLES = {"account": "account", "ticket": "new_ticket", "product": "product", "territory": "territory"}
COLUMNS = {"ssn": "new_ssn", "iban": "new_iban", "note": "new_note"}
TYPES = {"owner": 0, "access": 1, "group": 2}


def prepare(birthplace: Birthplace) -> None:
    """The tables and columns that these worlds have beyond the standard ones; once for an environment."""
    birthplace.new_table("ticket", hierarchy=False)
    for name, stored in COLUMNS.items():
        birthplace.new_column("account", NewColumn(stored, ColumnType.STRING, is_secured=name != "note"))
    for name, told in RELATIONSHIPS.items():
        cascade = Cascade(**{event: told[event] for event in CASCADES})
        birthplace.new_relationship(name, TABLES[told["parent"]], TABLES[told["child"]], name, cascade)


class StoredWorld:
    """One world in a transaction. `ids` has the row of each of its names; role copies are in `copies`."""

    def __init__(self, birthplace: Birthplace, transaction: Transaction, world: dict[str, Any]) -> None:
        self.birthplace = birthplace
        self.transaction = transaction
        self.world = world
        self.schema = transaction.schema
        self.ids: dict[str, Guid] = {}
        self.copies: dict[tuple[str, str], Guid] = {}
        self.rows: dict[str, Row] = {}
        self._settings()
        self._units_and_roles()
        self._people()
        self._profiles()
        self._business_rows()

    @property
    def names(self) -> list[str]:
        """Every row that there is or was."""
        return [name for name in self.rows if name.startswith("row")]

    def table(self, name: str) -> Table:
        """The table that stands for one of the oracle's."""
        return self.schema.tables[TABLES.get(name, name)]

    def principal(self, name: str) -> Reference:
        """A user or team."""
        return Reference("team" if name in self.world["teams"] else "systemuser", self.ids[name])

    def facts(self, name: str) -> SecurityFacts:
        """What the store knows of a user or team."""
        found = self.transaction.facts(self.principal(name))
        assert found is not None
        return found

    def row(self, name: str) -> Row:
        """A row as it is stored now."""
        known = self.rows[name]
        found = self.transaction.row(known.table, known.id)
        assert found is not None, f"{name} is not there"
        return found

    def secured_values(self, name: str, table: Table) -> dict[str, Value]:
        """What an account has in the columns that profiles open, told by its name."""
        has_them = table.logical_name == "account"
        return {stored: f"{column} of {name}" for column, stored in COLUMNS.items()} if has_them else {}

    def part(self, holder: str, relationship: str, parent: str, rights: Iterable[str]) -> InheritedPart:
        """Where something inherited came from; a parent that is no row of the world has an id of its own."""
        above = self.ids.setdefault(parent, new_guid(self.birthplace.clock))
        return InheritedPart(self.rows[holder].key, schema_name(relationship), above, mask_of(rights))

    def switches(self, told: Mapping[str, Any]) -> str:
        """The settings of a world that are kept as XML."""
        switches = {
            "EnableOwnershipAcrossBusinessUnits": told["matrix"],
            "AlwaysMoveRecordToOwnerBusinessUnit": told["always_move"],
            "HierarchyLevelForHierarchyFeature": told["write_levels"],
            "ManagersMustBeInSameOrParentBusinessUnitAsReports": told["same_unit"],
            "AuthorizationEnableHSMForDisabledUsers": told["disabled_reports"],
        }
        inner = "".join(f"<{name}>{str(value).lower()}</{name}>" for name, value in switches.items())
        return f"<OrgSettings>{inner}</OrgSettings>"

    # --- what is stored ---

    def _settings(self) -> None:
        told = self.world["settings"]
        organization = self.transaction.row(self.schema.tables["organization"], self.birthplace.born.organization)
        assert organization is not None
        self.transaction.update(
            organization,
            {
                "ishierarchicalsecuritymodelenabled": told["hierarchy"] != "off",
                "usepositionhierarchy": told["hierarchy"] == "position",
                "maxdepthforhierarchicalsecuritymodel": told["depth"],
                "sharetopreviousowneronassign": told["share_previous"],
                "orgdborgsettings": self.switches(told),
            },
        )

    def _units_and_roles(self) -> None:
        world = self.world
        self.ids["unit0"] = self.birthplace.root
        for name, unit in world["units"].items():
            if name != "unit0":
                above = Reference("businessunit", self.ids[unit["parent"]])
                values: dict[str, Value] = {"name": name, "parentbusinessunitid": above, "isdisabled": unit["disabled"]}
                self._insert("businessunit", {name: values})
        self._insert(
            "position",
            {
                name: {
                    "name": name,
                    "parentpositionid": self._reference("position", told["parent"], early=True),
                    "statecode": 0 if told["active"] else 1,
                }
                for name, told in world["positions"].items()
            },
        )
        for name, role in world["roles"].items():
            if role["sysadmin"]:
                self._find_administrator(name)
            else:
                self._role(name, role)

    def _find_administrator(self, name: str) -> None:
        template = Reference("roletemplate", SYSTEM_ADMINISTRATOR_TEMPLATE)
        known = self.transaction.rows_where(self.schema.tables["role"], {"roletemplateid": template})
        (original,) = (row for row in known if row.values["parentrootroleid"] == row.reference())
        self.copies[name, "unit0"] = original.id

    def _role(self, name: str, role: dict[str, Any]) -> None:
        units = sorted(subtree(self.world, role["unit"]), key=lambda unit: unit != role["unit"])
        for unit in units:
            self.copies[name, unit] = new_guid(self.birthplace.clock)
        root = Reference("role", self.copies[name, role["unit"]])
        table = self.schema.tables["role"]
        rows: list[Row] = []
        for unit in units:
            values: dict[str, Value] = {
                "name": name,
                "businessunitid": Reference("businessunit", self.ids[unit]),
                "parentrootroleid": root,
                "isinherited": 1 if role["inherited"] else 0,
            }
            if unit != role["unit"]:
                values["parentroleid"] = Reference("role", self.copies[name, self.world["units"][unit]["parent"]])
            rows.append(Row(table, Key(0), self.copies[name, unit], None, None, 0, values))
        self.transaction.insert(table, rows)
        held = {
            self.table(where).privileges[RIGHTS[right]].id: Depth[depth.upper()]
            for (where, right), depth in role["privileges"].items()
        }
        self._insert_nameless(
            "roleprivileges",
            [
                {"roleid": root.id, "privilegeid": each, "privilegedepthmask": depth.mask}
                for each, depth in held.items()
            ],
        )

    def _people(self) -> None:
        world = self.world
        self._insert(
            "systemuser",
            {
                name: {
                    "fullname": name,
                    "domainname": f"{name}@world",
                    "businessunitid": Reference("businessunit", self.ids[user["unit"]]),
                    "isdisabled": user["disabled"],
                    "accessmode": user["mode"],
                    "parentsystemuserid": self._reference("systemuser", user["manager"], early=True),
                    "positionid": self._reference("position", user["position"]),
                }
                for name, user in world["users"].items()
            },
        )
        self._default_of_root()
        self._insert(
            "team",
            {
                name: {
                    "name": name,
                    "teamtype": TYPES[team["type"]],
                    "isdefault": team["default"],
                    "businessunitid": Reference("businessunit", self.ids[team["unit"]]),
                    "administratorid": Reference("systemuser", self.birthplace.admin),
                }
                for name, team in world["teams"].items()
                if name not in self.ids
            },
        )
        self._link(
            "teammembership_association",
            [(self.ids[name], self.ids[user]) for name, team in world["teams"].items() for user in team["members"]],
        )
        for kind, holders in (("systemuser", world["users"]), ("team", world["teams"])):
            self._link(
                f"{kind}roles_association",
                [(self.ids[name], self.copies[held]) for name, told in holders.items() for held in told["roles"]],
            )

    def _default_of_root(self) -> None:
        """The environment was born with it."""
        known = {"isdefault": True, "businessunitid": Reference("businessunit", self.birthplace.root)}
        (row,) = self.transaction.rows_where(self.schema.tables["team"], known)
        self.ids["default of unit0"] = row.id
        self.rows["default of unit0"] = row

    def _profiles(self) -> None:
        holders: dict[str, list[tuple[Guid, Guid]]] = {"systemuser": [], "team": []}
        for number, profile in enumerate(self.world["profiles"]):
            name = f"profile{number}"
            self._insert("fieldsecurityprofile", {name: {"name": name}})
            made = Reference("fieldsecurityprofile", self.ids[name])
            permissions: list[Mapping[str, Value]] = [
                {
                    "fieldsecurityprofileid": made,
                    "entityname": table,
                    "attributelogicalname": COLUMNS[column],
                    **{f"can{what}": 4 if what in allowed else 0 for what in ("read", "create", "update")},
                }
                for (table, column), allowed in profile["columns"].items()
            ]
            self._insert_nameless("fieldpermission", permissions)
            holders["systemuser"] += [(self.ids[user], made.id) for user in profile["users"]]
            holders["team"] += [(self.ids[team], made.id) for team in profile["teams"]]
        for kind, pairs in holders.items():
            self._link(f"{kind}profiles_association", pairs)

    def _business_rows(self) -> None:
        units = {name: self.transaction.unit_key(self.ids[name]) for name in self.world["units"]}
        for name, told in self.world["rows"].items():
            if "is" in told:
                self.rows[name] = self.rows[told["is"]]
                self.ids[name] = self.ids[told["is"]]
                continue
            table = self.table(told["table"])
            values: dict[str, Value] = {table.primary_name or "": name}
            values |= self.secured_values(name, table)
            if "active" in told:
                values |= {"statecode": 0 if told["active"] else 1, "statuscode": 1 if told["active"] else 2}
                for relationship, parent in told["parents"].items():
                    values[lookup_of(relationship)] = self.rows[parent].reference()
            owner = None if told["owner"] is None else self.rows[told["owner"]].key
            unit = None if told["unit"] is None else units[told["unit"]]
            row = Row(table, Key(0), new_guid(self.birthplace.clock), owner, unit, 0, values)
            self.transaction.insert(table, [row])
            self.rows[name], self.ids[name] = row, row.id
            for holder, share in told["shares"].items():
                if share["direct"]:
                    self.transaction.set_share(row, Share(self.rows[holder].key, mask_of(share["direct"]), Rights.NONE))
            for (holder, relationship, parent), rights in told.get("parts", {}).items():
                self.transaction.set_inherited_part(row, self.part(holder, relationship, parent, rights))

    # --- pieces ---

    def _reference(self, table: str, name: str | None, *, early: bool = False) -> Reference | None:
        """A lookup; `early` gives ids to rows that are about to be stored."""
        if name is None:
            return None
        if early and name not in self.ids:
            self.ids[name] = new_guid(self.birthplace.clock)
        return Reference(table, self.ids[name])

    def _insert(self, table: str, rows: Mapping[str, Mapping[str, Value]]) -> None:
        """Rows by their names."""
        where = self.schema.tables[table]
        for name, values in rows.items():
            row_id = self.ids.setdefault(name, new_guid(self.birthplace.clock))
            self.rows[name] = Row(where, Key(0), row_id, None, None, 0, dict(values))
        self.transaction.insert(where, [self.rows[name] for name in rows])

    def _insert_nameless(self, table: str, rows: Iterable[Mapping[str, Value]]) -> None:
        """Rows that nobody asks for again."""
        where, clock = self.schema.tables[table], self.birthplace.clock
        made = [Row(where, Key(0), new_guid(clock), None, None, 0, dict(values)) for values in rows]
        self.transaction.insert(where, made)

    def _link(self, name: str, pairs: Iterable[tuple[Guid, Guid]]) -> None:
        """Rows of an intersect table, all at once."""
        association = self.schema.many_to_many[name]
        intersect = self.schema.tables[association.intersect]
        ends = (association.column1, association.column2)
        self._insert_nameless(
            intersect.logical_name, [dict(zip(ends, pair, strict=True)) for pair in dict.fromkeys(pairs)]
        )


def schema_name(relationship: str) -> str:
    """The relationship that stands for one of the oracle's."""
    return f"new_{relationship}"


def lookup_of(relationship: str) -> str:
    """The lookup column that holds the parent."""
    return f"new_{relationship}"


def mask_of(rights: Iterable[str]) -> Rights:
    """Names of rights as a mask."""
    mask = Rights.NONE
    for right in rights:
        mask |= RIGHTS[right]
    return mask
