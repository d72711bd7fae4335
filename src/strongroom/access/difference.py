"""What a change would give to whom and take from whom, before it is made: the difference of two plans, in rows.

For every user the plans before and after are those that enforcement would use. Their reaches are compared on the
*ground* of a table (`access.ground`): lots that only one of them reaches, less the rows of these lots that a share
gives anyway, and rows that only the shares of one reach. The numbers are exact, and no row is scanned for them.

Example: *Seller* goes from Basic to Local. Ada of North reached her own 40 accounts; after it she reaches the 700 of
North. Gained 660, less the three of others in North that were shared with her: 657.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from strongroom.access.caller import Caller, SecurityFacts
from strongroom.access.columns import mask_of
from strongroom.access.directory import Directory, User
from strongroom.access.ground import Ground
from strongroom.access.plan import ColumnAccess, Reach
from strongroom.access.planning import plan_for
from strongroom.access.resolve import is_disabled, resolve
from strongroom.errors import IntegrityViolation
from strongroom.ids import Guid, Key
from strongroom.schema.model import Depth, Rights, Schema, Table

NO_REACH = Reach(False, frozenset(), frozenset(), frozenset(), frozenset(), ())


@dataclass(frozen=True, slots=True)
class Seen:
    """What one user reaches of one table before the change and after it."""

    user: User
    before: Reach
    after: Reach

    @property
    def sharers(self) -> frozenset[int]:
        """The principals whose shares count on either side."""
        found: set[int] = set()
        for reach in (self.before, self.after):
            found |= reach.shared_with | reach.shared_directly_with
        return frozenset(found)


@dataclass(frozen=True, slots=True)
class UserDifference:
    """How many rows of a table one user gains and loses."""

    user: User
    gained: int
    lost: int


@dataclass
class Part:
    """The rows of a table that at least one user gains (or loses)."""

    lots: dict[int, frozenset[Key]] = field(default_factory=dict[int, frozenset[Key]])
    """Lot → rows of it that are left out, because a share reached them for everybody who gains the lot."""
    singles: dict[Key, User] = field(default_factory=dict[Key, User])
    """Rows by share, with the first user."""
    first: dict[int, User] = field(default_factory=dict[int, User])
    """Lot → the first user."""
    _whole: set[int] = field(default_factory=set[int])

    def add(
        self, user: User, lots: frozenset[int], left_out: Iterable[tuple[int, Key]], singles: Iterable[Key]
    ) -> None:
        """Count in what `user` gains."""
        fresh = lots - self._whole
        if fresh:
            by_lot: dict[int, set[Key]] = {}
            for lot, row in left_out:
                by_lot.setdefault(lot, set()).add(row)
            for lot in fresh:
                rows = frozenset(by_lot.get(lot, ()))
                known = self.lots.get(lot)
                self.lots[lot] = rows if known is None else known & rows
                self.first.setdefault(lot, user)
                if not self.lots[lot]:
                    self._whole.add(lot)
        for row in singles:
            self.singles.setdefault(row, user)

    def count(self, ground: Ground) -> int:
        """How many rows these are, each counted once."""
        whole = ground.size(self.lots) - sum(map(len, self.lots.values()))
        return whole + sum(1 for row in self.singles if self.is_single(ground, row))

    def is_single(self, ground: Ground, row: Key) -> bool:
        """Whether a row by share is in none of the lots."""
        lot = ground.lot_of.get(row)
        return lot is None or row in self.lots.get(lot, (row,))


@dataclass(frozen=True, slots=True)
class TableDifference:
    """What changes on one table: user by user, and all together."""

    users: tuple[UserDifference, ...]
    gained: Part
    lost: Part


@dataclass(frozen=True, slots=True)
class ColumnDifference:
    """What one user may do with a secured column, before and after."""

    user: User
    table: str
    column: str
    before: ColumnAccess
    after: ColumnAccess


def reaches(
    before: Directory,
    after: Directory,
    schema: Schema,
    tables: Sequence[Table],
    right: Rights,
    moving: frozenset[str] = frozenset(),
) -> dict[str, list[Seen]]:
    """The users whose reach differs, by table. On the tables named in `moving`, where rows change place or shares
    change, every user counts: the same reach may find other rows."""
    eyes = _Eyes(schema, tables, right)
    found: dict[str, list[Seen]] = {table.logical_name: [] for table in tables}
    for user in after.users.values():
        facts, changed = before.facts_of(user.key), after.facts_of(user.key)
        is_same = same(facts, changed)
        looked_at = [table for table in tables if not is_same or table.logical_name in moving]
        if not looked_at:
            continue
        old = eyes.of(facts)
        new = old if is_same else eyes.of(changed)
        for table in looked_at:
            one, other = eyes.reach(old, table), eyes.reach(new, table)
            if one != other or (table.logical_name in moving and one != NO_REACH):
                found[table.logical_name].append(Seen(user, one, other))
    return found


def compare(ground: Ground, seen: Iterable[Seen]) -> TableDifference:
    """The difference in rows."""
    users: list[UserDifference] = []
    gained, lost = Part(), Part()
    lot_of = ground.lot_of
    for each in seen:
        lots_before, lots_after = ground.before.reached(each.before), ground.after.reached(each.after)
        shared_before, shared_after = ground.shares_before.reached(each.before), ground.shares_after.reached(each.after)
        more, less = lots_after - lots_before, lots_before - lots_after
        had = [(lot_of[row], row) for row in shared_before if lot_of[row] in more]
        kept = [(lot_of[row], row) for row in shared_after if lot_of[row] in less]
        reached = lots_before | lots_after
        new = [row for row in shared_after - shared_before if lot_of[row] not in reached]
        gone = [row for row in shared_before - shared_after if lot_of[row] not in reached]
        difference = UserDifference(
            each.user,
            ground.size(more) - len(had) + len(new),
            ground.size(less) - len(kept) + len(gone),
        )
        if difference.gained:
            gained.add(each.user, more, had, new)
        if difference.lost:
            lost.add(each.user, less, kept, gone)
        if difference.gained or difference.lost:
            users.append(difference)
    return TableDifference(tuple(users), gained, lost)


def columns(before: Directory, after: Directory, schema: Schema) -> list[ColumnDifference]:
    """Secured columns that users gain or lose (SM-131)."""
    secured = [table for table in schema.tables.values() if any(column.is_secured for column in table.columns.values())]
    found: list[ColumnDifference] = []
    if not secured:
        return found
    for user in after.users.values():
        facts, changed = before.facts_of(user.key), after.facts_of(user.key)
        if same(facts, changed):
            continue
        for table in secured:
            old, new = _mask(facts, schema, table), _mask(changed, schema, table)
            for column in old.keys() | new.keys():
                was, is_now = (mask.get(column, ColumnAccess.NONE) for mask in (old, new))
                if was != is_now:
                    found.append(ColumnDifference(user, table.logical_name, column, was, is_now))
    return sorted(found, key=lambda each: (each.table, each.column, each.user.key))


def same(one: SecurityFacts, other: SecurityFacts) -> bool:
    """Whether two facts of one user decide alike. Units and settings are compared by identity: they are big, and one
    directory has one of each."""
    return (
        one.units is other.units
        and one.settings is other.settings
        and one.unit == other.unit
        and one.is_disabled == other.is_disabled
        and one.access_mode is other.access_mode
        and one.teams == other.teams
        and one.roles == other.roles
        and one.role_privileges == other.role_privileges
        and one.subordinates == other.subordinates
        and one.column_permissions == other.column_permissions
    )


def _mask(facts: SecurityFacts, schema: Schema, table: Table) -> Mapping[str, ColumnAccess]:
    if is_disabled(facts) or not facts.roles:
        return {}
    return mask_of(resolve(replace(facts, role_privileges={}), schema, 0), table)


@dataclass
class _View:
    """A user as far as some tables go, with the reaches that are known already."""

    caller: Caller
    reaches: dict[tuple[object, ...], Reach] = field(default_factory=dict[tuple[object, ...], Reach])


class _Eyes:
    """Reaches of users on tables. Tables of one kind on which a user holds the same grants have the same reach, so
    one plan is made for all of them."""

    def __init__(self, schema: Schema, tables: Iterable[Table], right: Rights) -> None:
        self._schema = schema
        self._right = right
        self._privileges = {
            table.privileges[each].id for table in tables for each in (right, Rights.READ) if each in table.privileges
        }
        self._cut: dict[int, tuple[Mapping[Guid, Depth], dict[Guid, Depth]]] = {}

    def of(self, facts: SecurityFacts) -> _View | None:
        """The user as far as the tables go; None for users who may do nothing (SM-60 to SM-62)."""
        if is_disabled(facts) or not facts.roles:
            return None
        privileges = {role: self._wanted(held) for role, held in facts.role_privileges.items()}
        return _View(resolve(replace(facts, role_privileges=privileges), self._schema, 0))

    def _wanted(self, held: Mapping[Guid, Depth]) -> dict[Guid, Depth]:
        """The privileges that count, cut out once for all holders of a role."""
        known = self._cut.get(id(held))
        if known is None:  # `held` is kept beside it, so that no other value gets its identity
            known = self._cut[id(held)] = (held, {each: held[each] for each in self._privileges & held.keys()})
        return known[1]

    def reach(self, view: _View | None, table: Table) -> Reach:
        """What the user reaches of `table`."""
        privilege = table.privileges.get(self._right)
        if view is None or privilege is None:
            return NO_REACH
        grants = view.caller.grants
        reading = table.privileges.get(Rights.READ)
        kind = (
            table.ownership,
            table.is_hierarchy_security_enabled,
            table.logical_name == "systemuser",
            tuple(map(id, grants.get(privilege.id, ()))),  # the caller keeps them, so identities stay their own
            reading is not None and reading.id in grants,
        )
        found = view.reaches.get(kind)
        if found is None:
            plan = plan_for(view.caller, table, self._right)
            if plan.guards or plan.reach.others:
                raise IntegrityViolation(f"Rows of {table.logical_name} cannot be counted by owners, units and shares.")
            found = view.reaches[kind] = plan.reach
        return found
