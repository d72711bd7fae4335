"""Party lists: who an activity is from and to, as files hold them, in the columns `to`, `from`, `requiredattendees` …

Each column stands for one part of the list (`participationtypemask`). In JSON lines it is a list of objects with
`table`, `id`, `name` and `address`; in CSV and Excel a text, `contact:<id>; systemuser:<id> <bert@example.org>;
ada@example.org`; in packages `activitypointerrecords`.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from strongroom.errors import InvalidRequest
from strongroom.ids import Guid, Reference, parse_guid
from strongroom.jobs.data.lookups import Lookups
from strongroom.jobs.data.shapes import Cell, LookupCell, PartyCell
from strongroom.query.ast import Field, InList, Literal, LookupName, LookupTable, Output, Select, Source
from strongroom.records import NewRecord, Session, retrieve_page
from strongroom.records.activity import untold
from strongroom.schema.activities import PARTIES
from strongroom.schema.model import Column, ColumnType, Relationship, Schema, Table
from strongroom.store.protocol import Value

PARTS: Mapping[str, int] = {
    "from": 1,
    "to": 2,
    "cc": 3,
    "bcc": 4,
    "requiredattendees": 5,
    "optionalattendees": 6,
    "organizer": 7,
    "resources": 10,
    "customers": 11,
}
"""The part that each column's parties have."""

_MOST_ROWS = 200
"""Activities whose parties are read at once: each may have up to 1,000."""

_TEXT = re.compile(r"(?:(?P<table>[a-z0-9_]+):(?P<row>[^<>;]+?))?\s*(?:<(?P<address>[^<>;]*)>)?")


def is_party_column(table: Table, column: Column) -> bool:
    """Whether a file can hold what the column lists."""
    return table.is_activity and column.type is ColumnType.PARTYLIST and column.logical_name in PARTS


def link_of(schema: Schema, table: str) -> Relationship:
    """The relationship of an activity table to its parties."""
    for each in schema.children_of(table):
        if each.referencing_table == PARTIES and each.referencing_column == "activityid":
            return each
    raise InvalidRequest(f"'{table}' is no activity: it has no parties.")


def read_parties(column: str, cell: Cell | Sequence[PartyCell]) -> tuple[PartyCell, ...]:
    """The parties that a cell names. Raises `InvalidRequest`."""
    if cell is None or cell == "":
        return ()
    if isinstance(cell, tuple):
        return cell
    if isinstance(cell, str):
        return tuple(_of_text(column, part.strip()) for part in cell.split(";") if part.strip())
    if isinstance(cell, list):
        return tuple(_of_object(column, each) for each in cell)
    raise _unfit(column, str(cell))


def text_of(parties: Iterable[PartyCell]) -> str:
    """Parties as CSV and Excel hold them."""
    return "; ".join(_text(each) for each in parties)


def objects_of(parties: Iterable[PartyCell]) -> list[dict[str, str | None]]:
    """Parties as JSON lines hold them."""
    found: list[dict[str, str | None]] = []
    for each in parties:
        party = each.party or LookupCell()
        found.append({"table": party.table, "id": party.id, "name": party.name, "address": each.address})
    return found


def records_of(
    session: Session, lookups: Lookups, column: Column, parties: Sequence[PartyCell]
) -> list[dict[str, Value]]:
    """The values of rows of `activityparty`. Raises `InvalidRequest` for a party that is not there."""
    found: list[dict[str, Value]] = []
    party_column = session.table(PARTIES).columns["partyid"]
    for each in parties:
        party = lookups.reference(party_column, each.party, None) if each.party is not None else None
        values: dict[str, Value] = {"participationtypemask": PARTS[column.logical_name]}
        if party is not None:
            values["partyid"] = party
        if each.address:
            values["addressused"] = each.address
        found.append(values)
    return found


def new_records(parties: Iterable[Mapping[str, Value]]) -> tuple[NewRecord, ...]:
    """Rows of parties as a write takes them."""
    return tuple(NewRecord(each) for each in parties)


def parties_of(session: Session, activities: Sequence[Guid]) -> dict[Guid, list[tuple[int, PartyCell]]]:
    """Part and party of every party of these activities that the user may read, in the order in which they came."""
    table = session.table(PARTIES)
    columns = {name: table.columns[name] for name in ("activityid", "participationtypemask", "partyid", "addressused")}
    outputs = [Output(name, Field("", column)) for name, column in columns.items()]
    outputs += [Output("kind", LookupTable("", columns["partyid"])), Output("name", LookupName("", columns["partyid"]))]
    found: dict[Guid, list[tuple[int, PartyCell]]] = {}
    for first in range(0, len(activities), _MOST_ROWS):
        ids = tuple(Literal(each, ColumnType.UNIQUEIDENTIFIER) for each in activities[first : first + _MOST_ROWS])
        select = Select(Source(table), tuple(outputs), where=InList(Field("", columns["activityid"]), ids))
        with untold(session):
            rows = retrieve_page(session, select).rows
        for row in rows:
            activity, part, party, address, kind, name = cast("tuple[str | None, ...]", row.values)
            lookup = LookupCell(str(kind), Guid(party), name) if party and kind else None
            if activity is not None and isinstance(part, int):
                found.setdefault(Guid(activity), []).append((part, PartyCell(lookup, address)))
    return found


def same(first: Iterable[Mapping[str, Value]], second: Iterable[Mapping[str, Value]]) -> bool:
    """Whether two lists name the same parties in the same parts; their order says nothing. An address that comes with
    a party is told by the party."""
    return sorted(map(_key, first)) == sorted(map(_key, second))


def _key(values: Mapping[str, Value]) -> tuple[str, str]:
    party = values.get("partyid")
    who = f"{party.table}:{party.id}" if isinstance(party, Reference) else str(values.get("addressused") or "").lower()
    return str(values.get("participationtypemask")), who


def _text(each: PartyCell) -> str:
    if each.party is None:
        return each.address or ""
    said = f"{each.party.table}:{each.party.id or each.party.name}"
    return f"{said} <{each.address}>" if each.address else said


def _of_text(column: str, part: str) -> PartyCell:
    found = _TEXT.fullmatch(part)
    if found is not None and found["table"]:
        row = found["row"].strip()
        guid = parse_guid(row)
        lookup = LookupCell(found["table"], guid, None if guid else row)
        return PartyCell(lookup, found["address"] or None)
    if "@" in part:
        return PartyCell(None, part.strip("<> "))
    raise _unfit(column, part)


def _of_object(column: str, each: object) -> PartyCell:
    if isinstance(each, str):
        return _of_text(column, each)
    if not isinstance(each, dict):
        raise _unfit(column, str(each))
    parts = cast("dict[str, object]", each)
    shown = json.dumps(parts, default=str)
    if set(parts) - {"table", "id", "name", "address"} or not all(
        part is None or isinstance(part, str) for part in parts.values()
    ):
        raise _unfit(column, shown)
    table, row, name, address = (cast("str | None", parts.get(key)) for key in ("table", "id", "name", "address"))
    guid = parse_guid(row) if row else None
    if (row and guid is None) or not (row or name or address):
        raise _unfit(column, shown)
    return PartyCell(LookupCell(table, guid, name) if row or name else None, address)


def _unfit(column: str, said: str) -> InvalidRequest:
    return InvalidRequest(
        f"'{column}' takes parties such as contact:<id>, or addresses, parted by semicolons; not '{said[:100]}'."
    )
