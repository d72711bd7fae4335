"""What happens to rows and to what hangs on them: drawn once, made by the oracle and by the verbs (`moving`).

Most moves that ask for a right are made by a user instead of the administrator, so that refusals in the middle of a
cascade are compared too.
"""

from collections.abc import Mapping
from typing import Any

from moving import Drawing, Move, World, principal_of
from random_worlds import Chance
from stored_worlds import StoredWorld, lookup_of, mask_of
from tests.worlds import user as user_reference

from oracle import cascades, moves
from oracle.decision import SHAREABLE_RIGHTS, decide
from oracle.inheriting import below
from strongroom.access.resolve import resolve
from strongroom.errors import StrongroomError
from strongroom.ids import Reference
from strongroom.records import (
    NewRecord,
    Session,
    create,
    delete,
    grant_access,
    merge,
    modify_access,
    revoke_access,
    update,
)
from strongroom.store.protocol import Value


def row_move_of(chance: Chance, world: World) -> Move | None:
    """Something that could happen to a row; None when what was drawn has nothing to happen to."""
    name = chance.one(sorted(_DRAWN))
    arguments = _DRAWN[name](chance, world)
    return None if arguments is None else (name, arguments)


def _owned(world: World, table: str | None = None) -> list[str]:
    return sorted(name for name, row in world["rows"].items() if "parts" in row and table in (None, row["table"]))


def _by(chance: Chance, world: World, right: str, row: str) -> str | None:
    """The administrator, anybody, or one of those who may, who are few."""
    users = sorted(world["users"])
    may = [user for user in users if decide(world, user, right, world["rows"][row])[0]]
    return chance.one([None, chance.one(users), *may, *may])


def _owner(chance: Chance, world: World, table: str) -> str:
    """Mostly somebody who can own rows of a table."""
    fit = [
        name for name in sorted([*world["users"], *world["teams"]]) if moves.why_not_owner(world, table, name) is None
    ]
    return chance.one([principal_of(chance, world), *fit])


def _assign(chance: Chance, world: World) -> tuple[Any, ...] | None:
    rows = _owned(world)
    if not rows:
        return None
    row = chance.one([*rows, *(name for name in rows if len(below(world, name)) > 1)])
    return _by(chance, world, "Assign", row), row, _owner(chance, world, world["rows"][row]["table"])


def _place(chance: Chance, world: World) -> tuple[Any, ...] | None:
    rows = _owned(world)
    return (None, chance.one(rows), chance.one(sorted(world["units"]))) if rows else None


def _share(chance: Chance, world: World) -> tuple[Any, ...] | None:
    rows = _owned(world)
    if not rows:
        return None
    row = chance.one(rows)
    by = _by(chance, world, "Share", row)
    return by, row, principal_of(chance, world), set(chance.some(SHAREABLE_RIGHTS, 3))


def _revoke(chance: Chance, world: World) -> tuple[Any, ...] | None:
    rows = _owned(world)
    if not rows:
        return None
    row = chance.one(rows)
    by = _by(chance, world, "Share", row)
    return by, row, chance.one(sorted(world["rows"][row]["shares"]) or sorted(world["users"]))


def _remove(chance: Chance, world: World) -> tuple[Any, ...] | None:
    rows = _owned(world)
    if not rows:
        return None
    row = chance.one(rows)
    return _by(chance, world, "Delete", row), row


def _link(chance: Chance, world: World) -> tuple[Any, ...] | None:
    """No row comes under one that hangs on it."""
    rows = _owned(world)
    if not rows:
        return None
    row = chance.one(rows)
    told = world["rows"][row]
    name = chance.one(sorted(name for name, facts in world["relationships"].items() if facts["child"] == told["table"]))
    above = sorted({*_owned(world, world["relationships"][name]["parent"])} - below(world, row))
    return _by(chance, world, "Write", row), row, name, chance.one([None, *above, *above])


def _create(chance: Chance, world: World) -> tuple[Any, ...] | None:
    table = chance.one(("account", "ticket"))
    parents: dict[str, str] = {}
    for name, facts in world["relationships"].items():
        above = _owned(world, facts["parent"])
        if facts["child"] == table and above and chance.number(0, 1):
            parents[name] = chance.one(above)
    number = 1 + max((int(name.removeprefix("row")) for name in world["rows"]), default=0)
    by = chance.one([None, *sorted(world["users"])])
    owner = by if by is not None and chance.number(0, 1) else _owner(chance, world, table)
    return by, f"row{number}", table, owner, parents


def _set_active(chance: Chance, world: World) -> tuple[Any, ...] | None:
    rows = [name for name in _owned(world) if not world["rows"][name].get("merged")]
    if not rows:
        return None
    row = chance.one(rows)
    return _by(chance, world, "Write", row), row, chance.one((False, True))


def _merge(chance: Chance, world: World) -> tuple[Any, ...] | None:
    """Neither row has been merged before, and neither hangs on the other by more than one step."""
    rows = [name for name in _owned(world, "account") if not world["rows"][name].get("merged")]
    if len(rows) < 2:
        return None
    goes = chance.one(rows)
    stays = sorted({*rows} - below(world, goes))
    return (_by(chance, world, "Write", goes), chance.one(stays), goes) if stays else None


_DRAWN: Mapping[str, Drawing] = {
    "assign": _assign,
    "create": _create,
    "link": _link,
    "merge": _merge,
    "modify": _share,
    "place": _place,
    "remove": _remove,
    "revoke": _revoke,
    "set_active": _set_active,
    "share": _share,
}


# --- making --------------------------------------------------------------------------------------------------------


def make_rows_told(world: World, move: Move) -> str | None:
    """The oracle makes the move; the code of its refusal."""
    name, arguments = move
    refusal: str | None = getattr(cascades, name)(world, *arguments)
    return refusal


def make_rows_stored(stored: StoredWorld, move: Move) -> str | None:
    """The verbs make the move; the code of their refusal."""
    name, arguments = move
    try:
        getattr(_Verbs(stored), name)(*arguments)
    except StrongroomError as refusal:
        return refusal.code
    return None


class _Verbs:
    """The verb behind each move. `world` is as it was before the move."""

    def __init__(self, stored: StoredWorld) -> None:
        self._stored = stored

    def assign(self, by: str | None, row: str, to: str) -> None:
        self._change(by, row, {"ownerid": self._stored.principal(to)})

    def place(self, by: str | None, row: str, unit: str) -> None:
        self._change(by, row, {"owningbusinessunit": Reference("businessunit", self._stored.ids[unit])})

    def share(self, by: str | None, row: str, principal: str, rights: set[str]) -> None:
        grant_access(self._session(by), self._target(row), self._stored.principal(principal), mask_of(rights))

    def modify(self, by: str | None, row: str, principal: str, rights: set[str]) -> None:
        modify_access(self._session(by), self._target(row), self._stored.principal(principal), mask_of(rights))

    def revoke(self, by: str | None, row: str, principal: str) -> None:
        revoke_access(self._session(by), self._target(row), self._stored.principal(principal))

    def remove(self, by: str | None, row: str) -> None:
        target, session = self._target(row), self._session(by)
        delete(session, session.table(target.table), target.id)

    def link(self, by: str | None, row: str, relationship: str, parent: str | None) -> None:
        above = None if parent is None else self._target(parent)
        self._change(by, row, {lookup_of(relationship): above})

    def create(self, by: str | None, row: str, table: str, owner: str, parents: dict[str, str]) -> None:
        made = self._stored.table(table)
        values: dict[str, Value] = {made.primary_name or "": row, "ownerid": self._stored.principal(owner)}
        values |= {lookup_of(name): self._target(parent) for name, parent in parents.items()}
        values |= self._stored.secured_values(row, made)
        found = create(self._session(by), made, NewRecord(values))
        kept = self._stored.transaction.row(made, found)
        assert kept is not None
        self._stored.rows[row], self._stored.ids[row] = kept, found

    def set_active(self, by: str | None, row: str, active: bool) -> None:
        self._change(by, row, {"statecode": 0 if active else 1})

    def merge(self, by: str | None, stays: str, goes: str) -> None:
        merge(self._session(by), self._target(stays), self._target(goes), {})

    # --- pieces ---

    def _session(self, by: str | None) -> Session:
        stored = self._stored
        who = user_reference(stored.birthplace.admin) if by is None else stored.principal(by)
        facts = stored.transaction.facts(who)
        assert facts is not None
        caller = resolve(facts, stored.schema, stored.transaction.stamp.security_epoch)
        return Session(stored.transaction, caller, stored.birthplace.clock, stored.birthplace.rules)

    def _change(self, by: str | None, row: str, changes: Mapping[str, Value]) -> None:
        target, session = self._target(row), self._session(by)
        update(session, session.table(target.table), target.id, changes)

    def _target(self, row: str) -> Reference:
        return self._stored.rows[row].reference()
