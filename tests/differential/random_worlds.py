"""Random worlds for the oracle: small, crowded, and with every feature of the security model in them."""

from typing import Any

from access_world import TABLES
from hypothesis import strategies as st

from oracle.changes import depths_of
from oracle.decision import RIGHTS, SHAREABLE_RIGHTS

_OWNERLESS_RIGHTS = tuple(right for right in RIGHTS if right not in ("Share", "Assign"))
_SECURED = [("account", "ssn"), ("account", "iban")]


@st.composite
def worlds(draw: st.DrawFn) -> dict[str, Any]:
    """A world of up to 5 units, 5 users, 4 teams, 4 roles and 8 rows."""
    units = _tree(draw, "unit", 5, lambda: {"disabled": draw(st.integers(0, 11)) == 11})
    units["unit0"]["disabled"] = False
    positions = _tree(draw, "position", 4, lambda: {"active": draw(st.integers(0, 5)) > 0})
    roles = {f"role{i}": _role(draw) for i in range(draw(st.integers(1, 4)))}
    roles["administrator"] = {"inherited": True, "sysadmin": True, "privileges": {}}
    users = _users(draw, units, positions, roles)
    teams = {f"team{i}": _team(draw, units, roles, users) for i in range(draw(st.integers(0, 4)))}
    world = {
        "units": units,
        "positions": positions,
        "tables": TABLES,
        "roles": roles,
        "users": users,
        "teams": teams,
        "rows": {},
        "secured": set(_SECURED),
        "profiles": [_profile(draw, users, teams) for _ in range(draw(st.integers(0, 2)))],
        "settings": {
            "hierarchy": draw(st.sampled_from(["off", "manager", "position"])),
            "depth": draw(st.integers(1, 3)),
            "write_levels": draw(st.integers(1, 3)),
            "same_unit": draw(st.booleans()),
            "disabled_reports": draw(st.booleans()),
            "matrix": draw(st.booleans()),
            "always_move": draw(st.booleans()),
        },
    }
    world["rows"] = {f"row{i}": _row(draw, world) for i in range(draw(st.integers(1, 8)))}
    return world


def _tree(draw: st.DrawFn, word: str, most: int, rest: Any) -> dict[str, Any]:
    names = [f"{word}{i}" for i in range(draw(st.integers(1, most)))]
    return {name: {"parent": draw(st.sampled_from(names[:i])) if i else None, **rest()} for i, name in enumerate(names)}


def _role(draw: st.DrawFn) -> dict[str, Any]:
    privileges: dict[tuple[str, str], str] = {}
    for table, facts in TABLES.items():
        rights = RIGHTS if facts["ownership"] == "user" else _OWNERLESS_RIGHTS
        for right in draw(st.lists(st.sampled_from(rights), max_size=4, unique=True)):
            privileges[table, right] = draw(st.sampled_from(depths_of(str(facts["ownership"]))))
    return {"inherited": draw(st.booleans()), "sysadmin": False, "privileges": privileges}


def _held(draw: st.DrawFn, units: dict[str, Any], roles: dict[str, Any]) -> list[tuple[str, str]]:
    ordinary = sorted(name for name in roles if name != "administrator")
    held = [
        (role, draw(st.sampled_from(sorted(units)))) for role in draw(st.lists(st.sampled_from(ordinary), max_size=2))
    ]
    if draw(st.integers(0, 11)) == 11:
        held.append(("administrator", "unit0"))
    return held


def _users(draw: st.DrawFn, units: dict[str, Any], positions: dict[str, Any], roles: dict[str, Any]) -> dict[str, Any]:
    users: dict[str, Any] = {}
    for i in range(draw(st.integers(1, 5))):
        users[f"user{i}"] = {
            "unit": draw(st.sampled_from(sorted(units))),
            "disabled": draw(st.integers(0, 7)) == 7,
            "mode": draw(st.sampled_from([0, 0, 0, 0, 1, 2, 3, 4, 5])),
            "roles": _held(draw, units, roles),
            "manager": draw(st.sampled_from([None, *sorted(users)])),
            "position": draw(st.sampled_from([None, *sorted(positions)])),
        }
    return users


def _team(draw: st.DrawFn, units: dict[str, Any], roles: dict[str, Any], users: dict[str, Any]) -> dict[str, Any]:
    type = draw(st.sampled_from(["owner", "owner", "access", "group"]))
    return {
        "unit": draw(st.sampled_from(sorted(units))),
        "type": type,
        "default": type == "owner" and draw(st.integers(0, 3)) == 3,
        "roles": [] if type == "access" else _held(draw, units, roles),
        "members": draw(st.lists(st.sampled_from(sorted(users)), max_size=3, unique=True)),
    }


def _profile(draw: st.DrawFn, users: dict[str, Any], teams: dict[str, Any]) -> dict[str, Any]:
    return {
        "users": draw(st.lists(st.sampled_from(sorted(users)), max_size=2, unique=True)),
        "teams": draw(st.lists(st.sampled_from(sorted(teams)), max_size=2, unique=True)) if teams else [],
        "columns": {
            place: set(draw(st.lists(st.sampled_from(["read", "create", "update"]), unique=True)))
            for place in _SECURED
            if draw(st.booleans())
        },
    }


def _row(draw: st.DrawFn, world: dict[str, Any]) -> dict[str, Any]:
    table = draw(st.sampled_from(["account", "account", "account", "ticket", *sorted(TABLES)]))
    units = sorted(world["units"])
    owners = [*sorted(world["users"]), *sorted(n for n, t in world["teams"].items() if t["type"] != "access")]
    row: dict[str, Any] = {"table": table, "owner": None, "unit": None, "shares": {}}
    ownership = TABLES[table]["ownership"]
    if ownership == "user":
        row["owner"] = draw(st.sampled_from(owners))
        row["unit"] = draw(st.sampled_from(units))
        holders = [*sorted(world["users"]), *sorted(world["teams"])]
        for holder in draw(st.lists(st.sampled_from(holders), max_size=2, unique=True)):
            row["shares"][holder] = {
                "direct": set(draw(st.lists(st.sampled_from(SHAREABLE_RIGHTS), max_size=3))),
                "inherited": set(draw(st.lists(st.sampled_from(SHAREABLE_RIGHTS), max_size=3))),
            }
    elif ownership == "business":
        own = sorted(world["users"]) if table == "systemuser" else sorted(world["teams"]) or [None]
        row["owner"] = draw(st.sampled_from(own))
        row["unit"] = draw(st.sampled_from(units))
    return row
