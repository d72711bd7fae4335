"""Setting lookups: Append on the row that gets one, AppendTo and Read on the row it points to (SM-110 to SM-112,
SM-114, WA-115).
"""

from collections.abc import Iterable, Mapping
from typing import cast

from strongroom.access.messages import does_not_exist
from strongroom.ids import Guid, Reference
from strongroom.records.authorize import demand
from strongroom.records.column_values import Check
from strongroom.records.session import Session
from strongroom.schema.model import ColumnType, Rights, Table
from strongroom.store.protocol import Row, Value


def references_in(table: Table, values: Mapping[str, Value], checks: Mapping[str, Check]) -> list[Reference]:
    """The rows that lookups in `values` will point to, each in a table that its lookup takes (WA-116).

    Owner-type columns are never Append (SM-114); columns without a check are ignored anyway (WA-111).
    """
    columns = table.columns
    return [
        cast("Reference", checks[name](value))
        for name, value in values.items()
        if isinstance(value, Reference) and name in checks and columns[name].type is not ColumnType.OWNER
    ]


class Targets:
    """Rows that lookups point to, read in batches and authorized once each within a verb."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._rows: dict[Reference, Row | None] = {}
        self._approved: set[Reference] = set()

    def load(self, references: Iterable[Reference]) -> None:
        """Read many targets at once, so that `demand` finds them here."""
        wanted: dict[str, list[Guid]] = {}
        for reference in set(references) - self._rows.keys():
            wanted.setdefault(reference.table, []).append(reference.id)
        for name, ids in wanted.items():
            table = self._session.schema.tables.get(name)
            found = {} if table is None else self._session.transaction.rows(table, ids)
            for row_id in ids:
                self._rows[Reference(name, row_id)] = found.get(row_id)

    def demand(self, reference: Reference) -> Row:
        """The target, which the caller may append to and read: existence, AppendTo, Read, in this order (SM-124)."""
        row = self.row(reference)
        if reference not in self._approved:
            demand(self._session, Rights.APPEND_TO, row)
            demand(self._session, Rights.READ, row)
            self._approved.add(reference)
        return row

    def row(self, reference: Reference) -> Row:
        """The target whatever the caller's rights; 404 when it does not exist."""
        if reference not in self._rows:
            self.load((reference,))
        row = self._rows[reference]
        if row is None:
            raise missing(self._session, reference)
        return row


def missing(session: Session, reference: Reference) -> Exception:
    """404 for a row that a reference names."""
    return does_not_exist(session.table(reference.table), reference.id)
