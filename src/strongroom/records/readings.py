"""Reading that is told: who read which rows, with which sensitive columns and by what query (TS-808).

`isreadauditenabled` of the organization switches it on. Of a table then `IsRetrieveAuditEnabled` tells single rows and
`IsRetrieveMultipleAuditEnabled` lists, of a column `IsReadAuditEnabled` every reading that shows it. What is told of a
query is found out once, when the query is prepared; a request adds its rows.

Told are the tables that a query shows: its own, and those that it expands or joins. Of grouped and distinct rows nobody
can say which rows went into them, so these are told without ids. Numbers of rows (`$count`) are not told.
"""

from collections.abc import Iterable, Mapping, Sequence

from strongroom.audit.activities import Activity
from strongroom.ids import Guid
from strongroom.records.activity import tell
from strongroom.records.session import Session
from strongroom.records.shapes import Page, Record
from strongroom.records.watching import Watch
from strongroom.store.protocol import Value


def tell_readings(
    session: Session, watch: Watch, records: Sequence[Record], joined: Mapping[str, Sequence[Value]]
) -> None:
    """Tell what was shown: an activity for each table. `joined` has the ids of joined rows by alias."""
    for each in watch.watched:
        rows = _ids_of(records, each.path) if each.joined is None else _distinct(joined.get(each.joined, ()))
        is_one = each.activity is Activity.RETRIEVE and len(rows) == 1
        tell(
            session,
            each.activity,
            table=each.table,
            row=rows[0] if is_one else None,
            rows=None if is_one else rows,
            sensitive=each.sensitive,
            query=watch.query,
        )


def _ids_of(records: Sequence[Record], path: Sequence[str]) -> list[Guid]:
    """The ids of the records at the end of the path; each record of a list is another row."""
    if not path:
        return [record.id for record in records if record.id is not None]
    return list(dict.fromkeys(record.id for record in _at(records, path) if record.id is not None))


def _distinct(ids: Iterable[Value]) -> list[Guid]:
    return [Guid(str(row)) for row in dict.fromkeys(ids) if row is not None]


def _at(records: Iterable[Record], path: Sequence[str]) -> Iterable[Record]:
    """The records that the names of expands lead to."""
    for name in path:
        records = [below for record in records for below in _below(record.expanded.get(name))]
    return records


def _below(expanded: "Record | list[Record] | Page | None") -> Sequence[Record]:
    match expanded:
        case None:
            return ()
        case Record():
            return (expanded,)
        case Page(rows):
            return rows
        case _:
            return expanded
