"""`BulkDetectDuplicates`: looking for the duplicates of every row that a query finds (WA-422, WA-308).

A piece reads the next rows and holds each against the published rules of its table, with the eyes of whoever began the
job: a duplicate that they may not read is none. Each pair is a row of `duplicaterecord` once, whichever of the two was
looked at first; a pair that several rules find is told for each.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from strongroom.access.resolve import require_usable
from strongroom.background.jobs import AT_ONCE, Order, When, begin
from strongroom.background.queries import ids_only
from strongroom.background.tables import DUPLICATE
from strongroom.background.work import Piece, Running, Work
from strongroom.errors import InvalidRequest
from strongroom.ids import Reference
from strongroom.records import Session, retrieve_page
from strongroom.records.create import store_new
from strongroom.records.duplicate_rules import DuplicateRule, published_rules
from strongroom.records.duplicates import duplicates_of
from strongroom.store.protocol import Row

KIND = 8  # asyncoperation.operationtype
MOST_PAIRS = 5000
"""Pairs that a search tells: more are not looked through by people, who change the rule."""

_PIECE = 50


def begin_duplicate_search(session: Session, name: str, query: Mapping[str, object], when: When = AT_ONCE) -> Row:
    """A new job that looks for duplicates of the rows that `query` finds. The query is run once here for one row, so
    that what is wrong with it, or may not be read, is told at once."""
    require_usable(session.caller)
    select = ids_only(session, query)
    retrieve_page(session, replace(select, page_size=1))
    if not published_rules(session, select.source.table):
        table = select.source.table.logical_name
        raise InvalidRequest(f"No duplicate rule of '{table}' is published: publish one (PublishDuplicateRule) first.")
    return begin(session, Order(KIND, name, {"query": dict(query)}, "BulkDetectDuplicates", when))


def run(running: Running) -> str:
    """Look, piece by piece; what is to be said when it is over."""
    while (said := _look(running)) is None:
        pass
    return said


WORK = Work(run)


def _look(running: Running) -> str | None:
    """One piece; what is to be said when it was the last."""
    with running.piece() as piece:
        session, reached = piece.session, piece.reached
        select = ids_only(session, cast("Mapping[str, object]", piece.asked["query"]))
        after = reached.get("last")
        select = replace(select, page_size=_PIECE, after=(after,) if isinstance(after, str) else None)
        ids = [record.id for record in retrieve_page(session, select).rows if record.id is not None]
        looked, pairs = _number(reached, "looked") + len(ids), _number(reached, "pairs")
        rows = session.transaction.rows(select.source.table, ids)
        for rule in published_rules(session, select.source.table) if ids else ():
            for row_id in ids:
                pairs += _tell(piece, rule, rows[row_id], MOST_PAIRS - pairs)
        said = f"{looked} rows looked at, {pairs} pairs of duplicates found."
        if pairs >= MOST_PAIRS:
            return f"{said} The search ended there: it tells {MOST_PAIRS} pairs at most."
        if not ids:
            return said
        piece.note({"last": ids[-1], "looked": looked, "pairs": pairs}, said)
        return None


def _tell(piece: Piece, rule: DuplicateRule, row: Row, most: int) -> int:
    """Keep the pairs of a row by a rule, at most so many; how many are new."""
    session, number = piece.session, 0
    base, rule_at = row.reference(), Reference("duplicaterule", rule.id)
    for found in duplicates_of(session, rule, row):
        if number >= most:
            break
        other = Reference(rule.matching.logical_name, found)
        if _is_told(piece, other, base, rule_at):
            continue
        pair = {"baserecordid": base, "duplicaterecordid": other, "duplicateruleid": rule_at}
        store_new(session, session.table(DUPLICATE), {**pair, "asyncoperationid": piece.job.reference()})
        number += 1
    return number


def _is_told(piece: Piece, base: Reference, other: Reference, rule: Reference) -> bool:
    """Whether the pair was told from its other side."""
    known = {"baserecordid": base, "duplicaterecordid": other, "duplicateruleid": rule}
    table = piece.session.table(DUPLICATE)
    wanted = {**known, "asyncoperationid": piece.job.reference()}
    return base.table == other.table and bool(piece.session.transaction.rows_where(table, wanted, limit=1))


def _number(reached: Mapping[str, object], name: str) -> int:
    value = reached.get(name)
    return value if isinstance(value, int) else 0
