"""Taking entries out of the trail in good order (TS-806, TS-807, TS-822): in pieces, with proof that it was allowed.

What is taken out leaves its leaf in the log, without the salt, so that nobody can guess what it said and all proofs
stand. An entry of action 111 tells who took out how many, of what, and which places of the log they had; entries that
tell of that are never taken out themselves. What a legal hold covers stays.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from strongroom.access.plan import Branch, Plan
from strongroom.access.planned import PlannedSelect
from strongroom.audit.entries import Action, Author, Operation, told
from strongroom.audit.removals import REMOVED_PLACES, ranges_of
from strongroom.ids import Guid, Reference
from strongroom.query.ast import (
    TRUE,
    Comparison,
    Field,
    Literal,
    Operator,
    Order,
    Output,
    Predicate,
    Select,
    Source,
    conjunction,
)
from strongroom.schema.model import ColumnType, Rights, Table
from strongroom.store.protocol import Row, Transaction, Value

PIECE = 1000
"""Entries in one transaction: writers wait for some tens of milliseconds."""

IsHeld = Callable[[Row], bool]


@dataclass(frozen=True, slots=True)
class TakenOut:
    """What one piece came to: entries that went, and entries that are held."""

    number: int
    held: int


def older_than(transaction: Transaction, name: str, column: str, moment: str, *, after: str | None = None) -> list[Row]:
    """Rows of `audit` or `activitylog` whose time in `column` is before `moment`, oldest first: one piece of them, from
    `after` on."""
    table = transaction.schema.tables[name]
    field = Field("", table.columns[column])
    before = Comparison(Operator.LESS, field, Literal(moment, ColumnType.DATETIME))
    behind: Predicate | None = None
    if after is not None:
        behind = Comparison(Operator.GREATER_OR_EQUAL, field, Literal(after, ColumnType.DATETIME))
    select = Select(
        Source(table),
        (Output(table.primary_id, Field("", table.id_column)),),
        where=conjunction(before, behind),
        order=(Order(field),),
        page_size=PIECE,
    )
    found = transaction.select(PlannedSelect(select, {"": _everything(table)}))
    ids = [Guid(str(row[0])) for row in found[:PIECE]]
    rows = transaction.rows(table, ids)
    return [rows[each] for each in ids if each in rows]


def take_out(
    transaction: Transaction, author: Author, about: Reference, rows: Iterable[Row], why: str, is_held: IsHeld
) -> TakenOut:
    """Take out these rows of one table, but those that are held or tell of a removal; one entry says so."""
    candidates = [row for row in rows if not tells_of_removal(row)]
    going = [row for row in candidates if not is_held(row)]
    places = transaction.log.mark_gone(going, author.now)
    if going:
        transaction.delete(going[0].table, going)
        transaction.append_audit((removal_entry(author, about, len(going), places, why),))
    return TakenOut(len(going), len(candidates) - len(going))


def removal_entry(author: Author, about: Reference, number: int, places: Sequence[int], why: str) -> dict[str, Value]:
    """The entry that tells of a removal: how many, by what, and which places of the log they had."""
    changes: dict[str, tuple[Value, Value]] = {
        "entries": (number, None),
        "filter": (None, why),
        REMOVED_PLACES: (ranges_of(places) or None, None),
    }
    return told(author, about, Operation.DELETE, Action.AUDIT_LOG_DELETION, changes)


def tells_of_removal(row: Row) -> bool:
    """Whether an entry tells of a removal: without those, it would look like a theft."""
    return row.values.get("action") == Action.AUDIT_LOG_DELETION.value


def _everything(table: Table) -> Plan:
    return Plan(table, Rights.READ, (Branch(TRUE, ()),))
