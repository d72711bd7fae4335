"""Random worlds for the oracle: small, crowded, and with every feature of the security model in them.

A world is drawn from a `Chance`: Hypothesis for properties that want the smallest counterexample, or a seed where many
worlds are wanted quickly and a number is enough to have one again.
"""

import random
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from access_world import RELATIONSHIPS, TABLES
from hypothesis import strategies as st

from oracle.changes import depths_of
from oracle.decision import RIGHTS, SHAREABLE_RIGHTS, subtree

World = dict[str, Any]

_OWNERLESS_RIGHTS = tuple(right for right in RIGHTS if right not in ("Share", "Assign"))
_SECURED = [("account", "ssn"), ("account", "iban")]
BEFORE = ("before", "elsewhere")
"""A relationship and a parent that are no more, through which something was inherited."""

_PLACES = [*["account", "ticket"] * 4, *sorted(TABLES)]

_T = TypeVar("_T")


class Chance(Protocol):
    """Where the accidents of a world come from."""

    def number(self, low: int, high: int) -> int:
        """From `low` to `high`, both included."""
        ...

    def one(self, items: Sequence[_T]) -> _T: ...

    def some(self, items: Sequence[_T], most: int) -> list[_T]:
        """Up to `most` different items."""
        ...


class Drawn:
    """Accidents of Hypothesis."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw

    def number(self, low: int, high: int) -> int:
        return self._draw(st.integers(low, high))

    def one(self, items: Sequence[_T]) -> _T:
        return self._draw(st.sampled_from(items))

    def some(self, items: Sequence[_T], most: int) -> list[_T]:
        return self._draw(st.lists(st.sampled_from(items), max_size=most, unique=True)) if items else []


class Seeded:
    """Accidents of a seed."""

    def __init__(self, seed: object) -> None:
        self._random = random.Random(str(seed))

    def number(self, low: int, high: int) -> int:
        return self._random.randint(low, high)

    def one(self, items: Sequence[_T]) -> _T:
        return self._random.choice(items)

    def some(self, items: Sequence[_T], most: int) -> list[_T]:
        return self._random.sample(items, self._random.randint(0, min(most, len(items))))


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Worlds for properties."""
    return world_of(Drawn(draw))


def world_of(chance: Chance) -> World:
    """A world of up to 5 units with their default teams, 5 users, 4 other teams, 4 roles and 8 rows."""
    units = _tree(chance, "unit", 5, lambda: {"disabled": chance.number(0, 11) == 11})
    units["unit0"]["disabled"] = False
    positions = _tree(chance, "position", 4, lambda: {"active": chance.number(0, 5) > 0})
    roles = {f"role{i}": _role(chance, units) for i in range(chance.number(1, 4))}
    roles["administrator"] = {"inherited": True, "sysadmin": True, "privileges": {}, "unit": "unit0"}
    users = _users(chance, units, positions, roles)
    teams = {f"team{i}": _team(chance, units, roles, users) for i in range(chance.number(0, 4))}
    teams |= {f"default of {unit}": _default_team(chance, unit, units, roles, users) for unit in units}
    world: World = {
        "units": units,
        "positions": positions,
        "tables": TABLES,
        "relationships": RELATIONSHIPS,
        "roles": roles,
        "users": users,
        "teams": teams,
        "rows": {},
        "secured": set(_SECURED),
        "profiles": [_profile(chance, users, teams) for _ in range(chance.number(0, 2))],
        "settings": {
            "hierarchy": chance.one(["off", "manager", "position"]),
            "depth": chance.number(1, 3),
            "write_levels": chance.number(1, 3),
            "same_unit": _is(chance),
            "disabled_reports": _is(chance),
            "matrix": _is(chance),
            "always_move": _is(chance),
            "share_previous": _is(chance),
        },
    }
    for number in range(chance.number(1, 8)):
        row = _row(chance, world)
        if row is not None:
            if TABLES[row["table"]]["ownership"] == "user":
                _hang(chance, world, row)
            world["rows"][f"row{number}"] = row
    return world


def _hang(chance: Chance, world: World, row: dict[str, Any]) -> None:
    """Parents among the rows that are there, and where what is inherited came from: a parent, or before all this."""
    row |= {"active": chance.number(0, 3) > 0, "parents": {}, "parts": {}}
    for name, facts in world["relationships"].items():
        above = sorted(each for each, told in world["rows"].items() if told["table"] == facts["parent"])
        if facts["child"] == row["table"] and above and _is(chance):
            row["parents"][name] = chance.one(above)
    carrying = [place for place in sorted(row["parents"].items()) if _carries(world, place[0])]
    for holder, share in row["shares"].items():
        if share["inherited"]:
            row["parts"][holder, *chance.one([BEFORE, *carrying])] = set(share["inherited"])
    for place in carrying:
        for holder, share in world["rows"][place[1]]["shares"].items():
            given = set(chance.some(sorted(share["direct"] | share["inherited"]), 3))
            if given:
                row["parts"][holder, *place] = row["parts"].get((holder, *place), set()) | given
                row["shares"].setdefault(holder, {"direct": set(), "inherited": set()})["inherited"] |= given


def _carries(world: World, relationship: str) -> bool:
    """Whether anything is ever inherited through a relationship; what came before it was changed is SM-89's matter."""
    facts = world["relationships"][relationship]
    return facts["share"] != "NoCascade" or facts["reparent"] != "NoCascade"


def _is(chance: Chance) -> bool:
    return chance.one((False, True))


def _tree(chance: Chance, word: str, most: int, rest: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    names = [f"{word}{i}" for i in range(chance.number(1, most))]
    return {name: {"parent": chance.one(names[:i]) if i else None, **rest()} for i, name in enumerate(names)}


def _role(chance: Chance, units: dict[str, Any]) -> dict[str, Any]:
    """A role; its copies are in the units below the original's (SM-23)."""
    origin = chance.one(sorted(units)) if chance.number(0, 3) == 3 else "unit0"
    return {"inherited": _is(chance), "sysadmin": False, "privileges": privileges_of_role(chance), "unit": origin}


def privileges_of_role(chance: Chance) -> dict[tuple[str, str], str]:
    """Some rights on every table, each at some depth."""
    privileges: dict[tuple[str, str], str] = {}
    for table, facts in TABLES.items():
        rights = RIGHTS if facts["ownership"] == "user" else _OWNERLESS_RIGHTS
        for right in chance.some(rights, 4):
            privileges[table, right] = chance.one(depths_of(table, str(facts["ownership"])))
    return privileges


def _held(chance: Chance, units: dict[str, Any], roles: dict[str, Any]) -> list[tuple[str, str]]:
    ordinary = sorted(name for name in roles if name != "administrator")
    told = {"units": units}
    copies = [(role, unit) for role in ordinary for unit in sorted(subtree(told, roles[role]["unit"]))]
    held = chance.some(copies, 2)
    if chance.number(0, 11) == 11:
        held.append(("administrator", "unit0"))
    return held


def _users(chance: Chance, units: dict[str, Any], positions: dict[str, Any], roles: dict[str, Any]) -> dict[str, Any]:
    users: dict[str, Any] = {}
    for i in range(chance.number(1, 5)):
        users[f"user{i}"] = {
            "unit": chance.one(sorted(units)),
            "disabled": chance.number(0, 7) == 7,
            "mode": chance.one([0, 0, 0, 0, 1, 2, 3, 4, 5]),
            "roles": _held(chance, units, roles),
            "manager": chance.one([None, *sorted(users)]),
            "position": chance.one([None, *sorted(positions)]),
        }
    return users


def _team(chance: Chance, units: dict[str, Any], roles: dict[str, Any], users: dict[str, Any]) -> dict[str, Any]:
    type = chance.one(["owner", "owner", "access", "group"])
    return {
        "unit": chance.one(sorted(units)),
        "type": type,
        "default": False,
        "roles": [] if type == "access" else _held(chance, units, roles),
        "members": chance.some(sorted(users), 3),
    }


def _default_team(
    chance: Chance, unit: str, units: dict[str, Any], roles: dict[str, Any], users: dict[str, Any]
) -> dict[str, Any]:
    """The default team of a unit has the unit's users (SM-52, SM-53), and seldom a role."""
    return {
        "unit": unit,
        "type": "owner",
        "default": True,
        "roles": _held(chance, units, roles) if chance.number(0, 5) == 5 else [],
        "members": [name for name, user in users.items() if user["unit"] == unit],
    }


def _profile(chance: Chance, users: dict[str, Any], teams: dict[str, Any]) -> dict[str, Any]:
    return {
        "users": chance.some(sorted(users), 2),
        "teams": chance.some(sorted(name for name, team in teams.items() if team["type"] != "access"), 2),
        "columns": {place: set(chance.some(["read", "create", "update"], 3)) for place in _SECURED if _is(chance)},
    }


def _row(chance: Chance, world: World) -> dict[str, Any] | None:
    """A row of some table. Users and teams are rows of their own tables: each once, and None when all are there."""
    table = chance.one(_PLACES)
    row: dict[str, Any] = {"table": table, "owner": None, "unit": None, "shares": {}}
    if table in ("systemuser", "team"):
        known = {each["is"] for each in world["rows"].values() if "is" in each}
        rest = sorted(name for name in world[f"{table.removeprefix('system')}s"] if name not in known)
        if not rest:
            return None
        name = row["is"] = chance.one(rest)
        row["owner"] = name if table == "systemuser" else None
        row["unit"] = world[f"{table.removeprefix('system')}s"][name]["unit"]
    elif TABLES[table]["ownership"] == "user":
        owners = [*sorted(world["users"]), *sorted(n for n, t in world["teams"].items() if t["type"] != "access")]
        row["owner"] = chance.one(owners)
        row["unit"] = chance.one(sorted(world["units"]))
        for holder in chance.some([*sorted(world["users"]), *sorted(world["teams"])], 2):
            row["shares"][holder] = {which: set(chance.some(SHAREABLE_RIGHTS, 3)) for which in ("direct", "inherited")}
    return row
