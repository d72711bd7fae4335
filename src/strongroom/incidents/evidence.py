"""Evidence of what somebody did: entries and activities with the proofs that they are in the log (TS-1604, TS-813).

Each item has its leaf, as canonical JSON and as hash, and the path to the root that a signed head names. Whoever gets
the package checks it with the public key alone: the head's signature, and for each item the path.
"""

import base64
from collections.abc import Sequence
from datetime import datetime

from strongroom.access.planned import planned
from strongroom.access.resolve import require_privilege
from strongroom.audit import merkle
from strongroom.audit.heads import shown_head
from strongroom.audit.leaf import leaf_data, members_of
from strongroom.audit.proofs import newest_head
from strongroom.audit.tree import LogHashes
from strongroom.clock import iso
from strongroom.errors import InvalidRequest
from strongroom.ids import Guid
from strongroom.query.ast import Comparison, Field, Literal, Operator, Or, Output, Select, Source, conjunction
from strongroom.records import Session
from strongroom.schema.activity_table import ACTIVITY_LOG
from strongroom.schema.model import ColumnType
from strongroom.store.leaves import AuditLog
from strongroom.store.protocol import Row

MOST = 2000
"""Items in one package."""


def evidence_of(session: Session, user: Guid, since: datetime, until: datetime) -> dict[str, object]:
    """The head, and each entry and activity of the user in this time that is under it, in the order of the log. Needs
    `prvReadActivityLog` and `prvReadAuditSummary`."""
    require_privilege(session.caller, "prvReadAuditSummary")
    log = session.transaction.log
    head = newest_head(log)
    rows = [row for name in ("audit", ACTIVITY_LOG) for row in _rows(session, name, user, since, until)]
    if len(rows) > MOST:
        raise InvalidRequest(f"A package has at most {MOST:,} items; choose a shorter time.")
    hashes = _KeptHashes(log)
    items: list[dict[str, object]] = []
    for row in sorted(rows, key=lambda each: each.key):
        leaf = log.leaf_of(row)
        if leaf is None or leaf.sequence >= head.tree_size:
            continue
        path = merkle.inclusion_path(hashes, leaf.sequence, head.tree_size)
        items.append(
            {
                "Sequence": leaf.sequence,
                "Table": row.table.logical_name,
                "Id": row.id,
                "Leaf": base64.b64encode(leaf_data(members_of(row), leaf.salt or "")).decode(),
                "LeafHash": base64.b64encode(bytes.fromhex(leaf.hash)).decode(),
                "Path": [base64.b64encode(each).decode() for each in path],
            }
        )
    return {"Head": shown_head(head), "Items": items}


class _KeptHashes(LogHashes):
    """Hashes of large subtrees are computed once: all proofs of a package share them."""

    def __init__(self, log: AuditLog) -> None:
        super().__init__(lambda start, end: _read(log, start, end))
        self._known: dict[tuple[int, int], bytes] = {}

    def complete(self, height: int, place: int) -> bytes:
        """The root of one complete subtree."""
        if height < 1:
            return super().complete(height, place)
        found = self._known.get((height, place))
        if found is None:
            found = self._known[height, place] = super().complete(height, place)
        return found


def _read(log: AuditLog, start: int, end: int) -> Sequence[bytes]:
    return [bytes.fromhex(leaf) for leaf in log.hashes(start, end)]


def _rows(session: Session, name: str, user: Guid, since: datetime, until: datetime) -> list[Row]:
    table = session.table(name)

    def of_user(column: str) -> Comparison:
        return Comparison(Operator.EQUAL, Field("", table.columns[column]), Literal(user, ColumnType.UNIQUEIDENTIFIER))

    def when(operator: Operator, moment: datetime) -> Comparison:
        return Comparison(operator, Field("", table.columns["createdon"]), Literal(iso(moment), ColumnType.DATETIME))

    select = Select(
        Source(table),
        (Output(table.primary_id, Field("", table.id_column)),),
        where=conjunction(
            when(Operator.GREATER_OR_EQUAL, since),
            when(Operator.LESS_OR_EQUAL, until),
            Or((of_user("userid"), of_user("callinguserid"))),
        ),
        page_size=MOST,
    )
    found = session.transaction.select(planned(select, session.caller))
    return list(session.transaction.rows(table, [Guid(str(row[0])) for row in found]).values())
