"""Random worlds of secured columns, twice: as the oracle's dictionaries, and as rows of an environment."""

import random
from typing import Any

from tests.worlds import World, depths, team, user

from strongroom.ids import Guid, Reference
from strongroom.records import associate
from strongroom.schema.changes import NewColumn
from strongroom.schema.model import ColumnType, Depth
from strongroom.store.protocol import Value

COLUMNS = ("new_a", "new_b", "new_c")
PEOPLE = ("ann", "bo", "cy")
TEAMS = {"sales": 0, "guests": 1}
_TEXTS = (None, "12345", "12345678", "no 1234-56789", "Ada")


class ColumnWorld:
    """One environment whose table `new_thing` has secured columns, filled anew by `draw`."""

    def __init__(self, world: World) -> None:
        self.world = world
        columns = [NewColumn(name, ColumnType.STRING, is_secured=True) for name in COLUMNS]
        self.table = world.new_table("thing", *columns)
        role = world.role("All", {self.table: depths(Depth.GLOBAL)})
        self.ids = {name: world.user(name.capitalize(), None, role) for name in PEOPLE}
        self.ids["admin"] = world.admin
        self.told: dict[str, Any] = {}
        self.rows: dict[str, Guid] = {}
        self._made: list[tuple[str, Guid]] = []

    def draw(self, seed: int) -> None:
        """Another world: teams, rows, profiles, shares and masks."""
        for made in reversed(self._made):
            if self.world.find(*made) is not None:
                self.world.delete(*made)
        self._made = []
        chance = random.Random(seed)
        self.told = _drawn(chance)
        for name, members in self.told["members"].items():
            people = [self.ids[member] for member in members]
            self.ids[name] = self.world.team(f"{name} {seed}", None, members=people, kind=TEAMS[name])
            self._made.append(("team", self.ids[name]))
        self.rows = {name: self._make(self.table, values) for name, values in self.told["rows"].items()}
        for number, profile in enumerate(self.told["profiles"]):
            self._profile(f"{seed}.{number}", profile)
        for share in self.told["shares"]:
            self._make(
                "principalobjectattributeaccess",
                {
                    "attributeid": self.world.table(self.table).columns[share["column"]].metadata_id,
                    "objectid": Reference(self.table, self.rows[share["row"]]),
                    "principalid": self._principal(share["with"]),
                    "readaccess": share["read"],
                    "updateaccess": share["update"],
                },
            )
        for column, character in self.told["masked"].items():
            self._mask(f"{seed} {column}", column, character)

    def _make(self, table: str, values: dict[str, Value]) -> Guid:
        made = self.world.make(table, values)
        self._made.append((table, made))
        return made

    def _principal(self, name: str) -> Reference:
        return team(self.ids[name]) if name in TEAMS else user(self.ids[name])

    def _profile(self, name: str, profile: dict[str, Any]) -> None:
        made = Reference("fieldsecurityprofile", self._make("fieldsecurityprofile", {"name": name}))
        for column, access in profile["columns"].items():
            values: dict[str, Value] = {f"can{what}": 4 if access[what] else 0 for what in ("read", "create", "update")}
            values |= {"canreadunmasked": access["unmasked"], "fieldsecurityprofileid": made}
            self._make("fieldpermission", {"entityname": self.table, "attributelogicalname": column, **values})
        for holder in (*profile["users"], *profile["teams"]):
            kind = "team" if holder in TEAMS else "systemuser"
            with self.world.administrating() as session:
                link = session.schema.many_to_many[f"{kind}profiles_association"]
                ends = (self._principal(holder), made)
                associate(session, link, *(ends if link.table1 == kind else reversed(ends)))

    def _mask(self, name: str, column: str, character: str) -> None:
        rule = {"name": name, "displayname": name, "regularexpression": "[0-9](?=[0-9]{4})"}
        made = self._make("maskingrule", {**rule, "maskedcharacter": character})
        tie: dict[str, Value] = {"entityname": self.table, "attributelogicalname": column, "uniquename": name}
        self._make("attributemaskingrule", {**tie, "maskingruleid": Reference("maskingrule", made)})


def _drawn(chance: random.Random) -> dict[str, Any]:
    members = {name: [one for one in PEOPLE if chance.random() < 0.4] for name in TEAMS}
    rows = {f"row{i}": {column: chance.choice(_TEXTS) for column in COLUMNS} for i in range(4)}
    holders = [*PEOPLE, *TEAMS]
    chosen: dict[tuple[str, str, str], dict[str, Any]] = {}
    for _ in range(chance.randint(0, 8)):
        place = (chance.choice(sorted(rows)), chance.choice(COLUMNS), chance.choice(holders))
        chosen[place] = {"read": chance.random() < 0.7, "update": chance.random() < 0.5}
    return {
        "administrators": {"admin"},
        "members": members,
        "rows": rows,
        "profiles": [_drawn_profile(chance) for _ in range(chance.randint(0, 2))],
        "shares": [{"row": row, "column": column, "with": who, **may} for (row, column, who), may in chosen.items()],
        "masked": {column: chance.choice("#*") for column in COLUMNS if chance.random() < 0.5},
    }


def _drawn_profile(chance: random.Random) -> dict[str, Any]:
    return {
        "users": [one for one in PEOPLE if chance.random() < 0.4],
        "teams": [one for one, kind in TEAMS.items() if kind == 0 and chance.random() < 0.3],  # access teams hold none
        "columns": {
            column: {
                **{what: chance.random() < 0.6 for what in ("read", "create", "update")},
                "unmasked": chance.choice((0, 1, 3)),
            }
            for column in COLUMNS
            if chance.random() < 0.7
        },
    }
