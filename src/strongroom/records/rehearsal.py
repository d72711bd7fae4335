"""Sharing without doing it: the verbs of `records.sharing` on a transaction that keeps changed shares in memory.

So a preview of a share follows the cascades of relationships (SM-80 to SM-86) by the very rules that would run, and
meets the same refusals, while nothing is written and no writer waits.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from strongroom.ids import Key
from strongroom.records.session import Session
from strongroom.schema.model import Rights, Table
from strongroom.store.protocol import InheritedPart, Row, Share, SharedRow, Transaction, Value


@dataclass(frozen=True, slots=True)
class RehearsedTable:
    """The shares of the rows of one table that would change: all of them, before and after."""

    table: Table
    before: tuple[SharedRow, ...]
    after: tuple[SharedRow, ...]


def rehearse(session: Session, act: Callable[[Session], None]) -> list[RehearsedTable]:
    """The shares that `act`, a verb of sharing, would change. Raises what it raises."""
    stage = _Stage(session.transaction)
    # `_Stage` passes on everything that it does not keep, which a structural type cannot say.
    act(Session(cast(Transaction, stage), session.caller, session.clock, session.rules, session.request))
    return stage.changes()


class _Stage:
    """A transaction whose shares can be changed for the time of a rehearsal."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._rows: dict[tuple[str, Key], Row] = {}
        self._shares: dict[tuple[str, Key], dict[Key, Share]] = {}
        self._parts: dict[tuple[str, Key], dict[tuple[Key, str, str], InheritedPart]] = {}

    def __getattr__(self, name: str) -> object:
        return getattr(self._transaction, name)

    def shares(self, table: Table, rows: Sequence[Key]) -> dict[Key, list[Share]]:
        """As it would be."""
        found = self._transaction.shares(table, rows)
        for row in rows:
            changed = self._shares.get((table.logical_name, row))
            if changed is not None:
                found[row] = list(changed.values())
        return {row: shares for row, shares in found.items() if shares}

    def set_share(self, row: Row, share: Share) -> None:
        """See `Transaction.set_share`."""
        shares = self._shares_of(row)
        if share.direct or share.inherited:
            shares[share.principal] = share
        else:
            shares.pop(share.principal, None)

    def inherited_parts(self, row: Row) -> list[InheritedPart]:
        """As it would be."""
        return list(self._parts_of(row).values())

    def set_inherited_part(self, row: Row, part: InheritedPart) -> None:
        """See `Transaction.set_inherited_part`: the inherited mask is the union of the parts."""
        parts = self._parts_of(row)
        place = (part.principal, part.relationship, part.parent)
        if part.rights:
            parts[place] = part
        else:
            parts.pop(place, None)
        inherited = Rights.NONE
        for each in parts.values():
            if each.principal == part.principal:
                inherited |= each.rights
        before = self._shares_of(row).get(part.principal, Share(part.principal, Rights.NONE, Rights.NONE))
        if before.inherited != inherited:
            self.set_share(row, Share(part.principal, before.direct, inherited))

    def append_audit(self, entries: Iterable[Mapping[str, Value]]) -> None:
        """Nothing happens, so there is nothing to tell."""

    def append_activity(self, activities: Iterable[Mapping[str, Value]]) -> None:
        """Nothing happens, so there is nothing to tell."""

    def changes(self) -> list[RehearsedTable]:
        """What would be different, by table."""
        by_table: dict[str, list[Row]] = {}
        for (table, _), row in self._rows.items():
            by_table.setdefault(table, []).append(row)
        found: list[RehearsedTable] = []
        for table, rows in by_table.items():
            stored = self._transaction.shares(rows[0].table, [row.key for row in rows])
            before = [each for row in rows for each in _shared(row, stored.get(row.key, ()))]
            after = [each for row in rows for each in _shared(row, self._shares[table, row.key].values())]
            if set(before) != set(after):
                found.append(RehearsedTable(rows[0].table, tuple(before), tuple(after)))
        return found

    def _shares_of(self, row: Row) -> dict[Key, Share]:
        place = (row.table.logical_name, row.key)
        known = self._shares.get(place)
        if known is None:
            self._rows[place] = row
            stored = self._transaction.shares(row.table, [row.key]).get(row.key, ())
            known = self._shares[place] = {share.principal: share for share in stored}
        return known

    def _parts_of(self, row: Row) -> dict[tuple[Key, str, str], InheritedPart]:
        place = (row.table.logical_name, row.key)
        known = self._parts.get(place)
        if known is None:
            parts = self._transaction.inherited_parts(row)
            known = self._parts[place] = {(part.principal, part.relationship, part.parent): part for part in parts}
        return known


def _shared(row: Row, shares: Iterable[Share]) -> list[SharedRow]:
    owner, unit = row.owner or Key(0), row.unit or Key(0)
    return [SharedRow(row.key, row.id, each.principal, each.direct, each.inherited, owner, unit) for each in shares]
