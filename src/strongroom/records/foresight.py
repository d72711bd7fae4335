"""What a change would do, before it is made: rows and columns that users gain and lose, with examples.

Nothing is written. The change is applied to a copy of what decides (`access.changes`), the plans before and after are
those that enforcement makes, and their difference is counted from counters and shares (`access.difference`). Shares
are rehearsed by the verbs themselves (`records.rehearsal`).

Only System Administrators may ask; examples are rows that the asker may read.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from strongroom.access.changes import Change, Effects, RolePrivileges, applied, effects
from strongroom.access.difference import ColumnDifference, Part, Seen, UserDifference, columns, compare, reaches
from strongroom.access.directory import Directory
from strongroom.access.ground import Ground, Lot, lots_of
from strongroom.access.plan import Branch, Guard, Plan, Reason
from strongroom.access.planned import PlannedSelect
from strongroom.access.rights import RIGHT_NAMES
from strongroom.errors import AccessDenied, InvalidRequest
from strongroom.ids import Guid, Key, Reference
from strongroom.query.ast import TRUE, Field, Output, OwnerIn, Predicate, Select, Source, UnitIn
from strongroom.records.authorize import reaches as may
from strongroom.records.backgrounds import open_name
from strongroom.records.explaining import is_somebodys
from strongroom.records.rehearsal import RehearsedTable, rehearse
from strongroom.records.session import Session
from strongroom.schema.model import Rights, Table
from strongroom.store.protocol import Row, SharedRow

MOST_EXAMPLES = 10


@dataclass(frozen=True, slots=True)
class Example:
    """A row that somebody gains or loses. `name` is its primary name, `user` one of those concerned."""

    row: Reference
    name: str
    user: str
    is_gained: bool


@dataclass(frozen=True, slots=True)
class TablePreview:
    """What changes on one table for one right. Rows count once, however many users gain or lose them."""

    table: Table
    right: Rights
    rows_gained: int
    rows_lost: int
    users: tuple[UserDifference, ...]
    """Those who gain or lose rows, most rows first."""
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change does to everybody. Empty when it changes nothing."""

    tables: tuple[TablePreview, ...]
    columns: tuple[ColumnDifference, ...] = ()


def preview(session: Session, change: Change, rights: Sequence[Rights] = ()) -> Preview:
    """What `change` would do, right by right; without any, the rights that it is about, or Read."""
    demand_foresight(session)
    before = session.transaction.directory()
    after = applied(before, change)
    moves = effects(before, change)
    tables = _Tables(session)
    found: list[TablePreview] = []
    for right in rights or _rights_of(session, before, change):
        _demand_countable(right)
        looked_at = tables.of(before, change, right)
        lots = {table.logical_name: lots_of(table, tables.counts(table), moves) for table in looked_at}
        moving = _moving(lots, moves)
        by_table = reaches(before, after, session.schema, looked_at, right, moving)
        for table in looked_at:
            seen = by_table[table.logical_name]
            if seen:
                shares = _shares_of(session, table, seen)
                ground = Ground(lots[table.logical_name], shares, shares, right)
                found += _table_preview(session, table, right, ground, seen)
    return Preview(tuple(found), tuple(columns(before, after, session.schema)))


def preview_sharing(session: Session, act: Callable[[Session], None], rights: Sequence[Rights] = ()) -> Preview:
    """What a verb of sharing would do, with all that it passes on along relationships. Raises what the verb raises."""
    demand_foresight(session)
    directory = session.transaction.directory()
    tables = _Tables(session)
    found: list[TablePreview] = []
    for change in rehearse(session, act):
        for right in rights or _rights_between(change):
            _demand_countable(right)
            table = change.table
            seen = reaches(directory, directory, session.schema, [table], right, frozenset({table.logical_name}))
            ground = Ground(lots_of(table, tables.counts(table), Effects()), change.before, change.after, right)
            found += _table_preview(session, table, right, ground, seen[table.logical_name])
    return Preview(tuple(found))


def demand_foresight(session: Session) -> None:
    """Previews tell of everybody and of all rows: they are for System Administrators."""
    if not session.caller.administers:
        raise AccessDenied("Only a System Administrator may ask what a change would do.")


# --- what is looked at ---------------------------------------------------------------------------------------------


class _Tables:
    """The tables of the environment that have rows, with their counters."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._counts: dict[str, dict[tuple[int, int], int]] = {}

    def counts(self, table: Table) -> dict[tuple[int, int], int]:
        """Rows by owner and unit."""
        known = self._counts.get(table.logical_name)
        if known is None:
            known = self._counts[table.logical_name] = self._session.transaction.counts(table)
        return known

    def of(self, before: Directory, change: Change, right: Rights) -> list[Table]:
        """Those on which the change could matter for `right`."""
        found = [table for table in self._session.schema.tables.values() if is_somebodys(table)]
        if isinstance(change, RolePrivileges):
            changed = _changed_privileges(before, change)
            wanted = (right, Rights.READ)  # Read brings hierarchy security along (SM-140)
            found = [
                table
                for table in found
                if any(each in table.privileges and table.privileges[each].id in changed for each in wanted)
            ]
        return [table for table in found if right in table.privileges and self.counts(table)]


def _rights_of(session: Session, before: Directory, change: Change) -> list[Rights]:
    """The rights that a preview is about when nobody says: those of changed privileges, else Read."""
    if isinstance(change, RolePrivileges):
        known = session.schema.privileges_by_id
        named = {known[each].right for each in _changed_privileges(before, change) if each in known}
        return [right for right in RIGHT_NAMES if right in named and right is not Rights.CREATE] or [Rights.READ]
    return [Rights.READ]


def _changed_privileges(before: Directory, change: RolePrivileges) -> set[Guid]:
    held = before.privileges.get(change.role, {})
    return {each for each in held.keys() | change.privileges.keys() if held.get(each) != change.privileges.get(each)}


def _rights_between(change: RehearsedTable) -> list[Rights]:
    """The rights that shares gain or lose."""
    masks: dict[tuple[Key, Key], list[Rights]] = {}
    for number, shares in enumerate((change.before, change.after)):
        for share in shares:
            masks.setdefault((share.row, share.principal), [Rights.NONE, Rights.NONE])[number] = (
                share.direct | share.inherited
            )
    changed = Rights.NONE
    for before, after in masks.values():
        changed |= before ^ after
    return [right for right in RIGHT_NAMES if right in changed]


def _moving(lots: dict[str, list[Lot]], moves: Effects) -> frozenset[str]:
    if moves.is_nothing:
        return frozenset()
    return frozenset(name for name, here in lots.items() if any(lot.before != lot.after for lot in here))


def _shares_of(session: Session, table: Table, seen: Iterable[Seen]) -> list[SharedRow]:
    if not table.has_owner:
        return []
    principals: set[int] = set()
    for each in seen:
        principals |= each.sharers
    return session.transaction.shared_rows(table, [Key(principal) for principal in sorted(principals)])


def _demand_countable(right: Rights) -> None:
    if right is Rights.CREATE:
        raise InvalidRequest("CreateAccess is about rows that are not there yet: there is nothing to count.")


# --- what is told --------------------------------------------------------------------------------------------------


def _table_preview(
    session: Session, table: Table, right: Rights, ground: Ground, seen: Iterable[Seen]
) -> list[TablePreview]:
    """The preview of a table; none when nobody gains or loses a row."""
    difference = compare(ground, seen)
    if not difference.users:
        return []
    examples = [
        example
        for part, is_gained in ((difference.gained, True), (difference.lost, False))
        for example in _examples(session, table, ground, part, is_gained=is_gained)
    ]
    return [
        TablePreview(
            table,
            right,
            difference.gained.count(ground),
            difference.lost.count(ground),
            tuple(sorted(difference.users, key=lambda each: (-(each.gained + each.lost), each.user.name))),
            tuple(examples),
        )
    ]


def _examples(session: Session, table: Table, ground: Ground, part: Part, *, is_gained: bool) -> list[Example]:
    found: list[Example] = []
    for lot, left_out in part.lots.items():
        if len(found) >= MOST_EXAMPLES:
            return found[:MOST_EXAMPLES]
        place = ground.lots[lot].before
        if place is None or place in ground.thinned:  # which of the rows there it is about, is not known yet
            continue
        hidden = {ground.shared_rows[row].id for row in left_out}
        ids = [each for each in _ids_at(session, table, place, MOST_EXAMPLES + len(hidden)) if each not in hidden]
        user = part.first[lot].name
        found += (Example(row.reference(), name, user, is_gained) for row, name in _readable(session, table, ids))
    singles = [row for row in part.singles if part.is_single(ground, row)][:MOST_EXAMPLES]
    users = {ground.shared_rows[row].id: part.singles[row].name for row in singles}
    found += (
        Example(row.reference(), name, users[row.id], is_gained) for row, name in _readable(session, table, list(users))
    )
    return found[:MOST_EXAMPLES]


def _ids_at(session: Session, table: Table, place: tuple[int, int], most: int) -> list[Guid]:
    """The ids of some rows of an owner in a unit."""
    owner, unit = place
    sets: list[Predicate] = []
    if owner:
        sets.append(OwnerIn("", frozenset({owner})))
    if unit:
        sets.append(UnitIn("", frozenset({unit})))
    here = Plan(
        table,
        Rights.READ,
        (Branch(sets[0] if sets else TRUE, ()),),
        tuple(Guard(each, Reason("place")) for each in sets[1:]),
    )
    select = Select(Source(table), (Output(table.primary_id, Field("", table.id_column)),), page_size=most)
    return [Guid(str(row[0])) for row in session.transaction.select(PlannedSelect(select, {"": here}))]


def _readable(session: Session, table: Table, ids: Sequence[Guid]) -> list[tuple[Row, str]]:
    """Those of some rows that the asker may read, with their names."""
    stored = session.transaction.rows(table, ids[: MOST_EXAMPLES * 2])
    return [(row, open_name(row)) for row in stored.values() if may(session, Rights.READ, row)]
