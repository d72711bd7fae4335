"""One batch of rows into one unit of work: each row created, changed where it differs, or left as it is.

A row is known by its id, else by an alternate key, else by an id that follows from the file and the row's number: the
same file imported again meets the rows it made. Rows that are as the file says are not written, so repeating a batch
leaves neither versions nor audit entries behind. An empty cell empties its column; a column that the file does not
have keeps its value, or gets its default.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from strongroom.errors import InvalidRequest, NotFound, PayloadError, StrongroomError
from strongroom.ids import Guid, Reference, parse_guid
from strongroom.jobs.data.lookups import Lookups, NotThere
from strongroom.jobs.data.mapping import Mapped, TableMapping
from strongroom.jobs.data.shapes import Counts, InputRow, LookupCell, Refusal
from strongroom.jobs.data.values import value_of
from strongroom.query.ast import (
    And,
    Comparison,
    Field,
    InList,
    IsNull,
    Literal,
    LookupTable,
    Operator,
    Output,
    Predicate,
    Select,
    Source,
)
from strongroom.records import NewRecord, Session, create_multiple, find, retrieve_page, update
from strongroom.records.activity import untold
from strongroom.records.table_form import TableForm, form_of
from strongroom.schema.model import Column, ColumnType, Table
from strongroom.store.protocol import Value

_OWNER = "ownerid"
_NEVER_EMPTIED = frozenset({ColumnType.STATE, ColumnType.STATUS, ColumnType.OWNER})


@dataclass(slots=True)
class Stored:
    """What became of a batch."""

    counts: Counts = field(default_factory=Counts)
    refusals: list[Refusal] = field(default_factory=list[Refusal])
    postponed: list[tuple[int, list[str]]] = field(default_factory=list[tuple[int, list[str]]])
    moved: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])
    """Table, id in the file and id here, of rows that were found by what they are compared by."""

    def add(self, other: "Stored") -> None:
        """Take another batch's too."""
        self.counts.add(other.counts)
        self.refusals += other.refusals
        self.postponed += other.postponed
        self.moved += other.moved


@dataclass(frozen=True, slots=True)
class Place:
    """What a batch is part of: the file, and the tables that it has rows of. `moved` are rows of the file that were
    found here under another id, by the columns that the file compares (`updateCompare`)."""

    fingerprint: str
    tables: frozenset[str]
    file: Path | None = None
    """Where contents lie beside the file; None where they are in it."""

    moved: dict[tuple[str, Guid], Guid] = field(default_factory=dict[tuple[str, Guid], Guid])


@dataclass(slots=True)
class _Draft:
    row: InputRow
    id: Guid
    values: dict[str, Value]
    postponed: list[str]


class _CellRefused(StrongroomError):
    """One cell does not fit its column."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column


def store_rows(session: Session, mapping: TableMapping, rows: Sequence[InputRow], place: Place) -> Stored:
    """Store a batch, all of its rows that can be read. What a verb refuses is raised, and undoes the batch: whoever
    calls tries the rows in smaller parts."""
    table = session.table(mapping.table)
    reader = _Reader(session, mapping, table, place)
    stored = Stored()
    drafts: list[_Draft] = []
    for row in rows:
        try:
            drafts.append(reader.draft(row, mapping.columns, may_postpone=True))
        except _CellRefused as error:
            stored.refusals.append(Refusal(mapping.table, row.line, error.column, error.message, row.cells))
    stored.counts.refused = len(stored.refusals)
    present = _current(session, table, {name for draft in drafts for name in draft.values}, [d.id for d in drafts])
    new = [draft for draft in drafts if draft.id not in present]
    if new:
        create_multiple(session, table, [NewRecord({**draft.values, table.primary_id: draft.id}) for draft in new])
        stored.counts.created = len(new)
    for draft in drafts:
        if draft.id in present:
            _change(session, table, draft, present[draft.id], stored.counts)
    stored.postponed = [(draft.row.number, draft.postponed) for draft in drafts if draft.postponed]
    stored.moved = reader.moved
    return stored


def store_lookups(
    session: Session,
    mapping: TableMapping,
    rows: Sequence[tuple[InputRow, Sequence[str]]],
    place: Place,
) -> Stored:
    """Set the lookups that had to wait until all rows were there."""
    table = session.table(mapping.table)
    reader = _Reader(session, mapping, table, place)
    stored = Stored()
    drafts: list[_Draft] = []
    for row, names in rows:
        columns = [each for each in mapping.columns if each.column in names]
        try:
            drafts.append(reader.draft(row, columns, may_postpone=False))
        except _CellRefused as error:
            stored.refusals.append(incomplete(mapping.table, row, error.column, error.message))
    stored.counts.incomplete = len(stored.refusals)
    present = _current(session, table, {name for draft in drafts for name in draft.values}, [d.id for d in drafts])
    for draft in drafts:
        changes = {k: v for k, v in draft.values.items() if present.get(draft.id, {}).get(k) != v}
        if changes:
            update(session, table, draft.id, changes)
    return stored


def incomplete(table: str, row: InputRow, column: str, message: str) -> Refusal:
    """Says that a row is in without one of its lookups."""
    return Refusal(table, row.line, column, f"The row is in, without this lookup. {message}", row.cells)


def _change(session: Session, table: Table, draft: _Draft, present: Mapping[str, Value], counts: Counts) -> None:
    writable = form_of(table).on_update
    changes = {
        name: value
        for name, value in draft.values.items()
        if (name in writable or name == _OWNER) and present.get(name) != value
    }
    if changes:
        update(session, table, draft.id, changes)
        counts.updated += 1
    else:
        counts.unchanged += 1


class _Reader:
    """Makes drafts of input rows, with the lookups of one unit of work."""

    def __init__(self, session: Session, mapping: TableMapping, table: Table, place: Place) -> None:
        self._session = session
        self._mapping = mapping
        self._table = table
        self._place = place
        self._form: TableForm = form_of(table)
        self._lookups = Lookups(session, place.moved)
        self._compared: set[tuple[Value, ...]] = set()
        self.moved: list[tuple[str, str, str]] = []
        self._time_zone = session.caller.facts.time_zone

    def draft(self, row: InputRow, columns: Sequence[Mapped], *, may_postpone: bool) -> _Draft:
        """The values of some columns of a row, and the id that the row has or gets. Raises `_CellRefused`."""
        if row.problem is not None:
            raise _CellRefused("", row.problem)
        values: dict[str, Value] = {}
        postponed: list[str] = []
        for mapped in columns:
            if mapped.header not in row.cells and mapped.name_header not in row.cells:
                continue
            column = self._table.columns[mapped.column]
            try:
                value = self._value(column, mapped, row)
            except NotThere as error:
                if not (may_postpone and self._may_come(column, row, mapped)):
                    raise _CellRefused(mapped.column, error.message) from None
                postponed.append(mapped.column)
                continue
            except InvalidRequest as error:
                raise _CellRefused(mapped.column, error.message) from None
            if value is None and (column.type in _NEVER_EMPTIED or mapped.column in self._form.kept):
                continue
            values[mapped.column] = value
        return _Draft(row, self._id(row, values if may_postpone else self._key_values(row)), values, postponed)

    def _value(self, column: Column, mapped: Mapped, row: InputRow) -> Value:
        cell = row.cells.get(mapped.header) if mapped.header is not None else None
        if column.type.is_lookup:
            name = row.cells.get(mapped.name_header) if mapped.name_header is not None else None
            return self._lookups.reference(column, cell, name)
        value = value_of(column, cell, self._time_zone)
        name = column.logical_name
        check = self._form.on_create.get(name) or self._form.on_update.get(name)
        return value if check is None else check(value)

    def _may_come(self, column: Column, row: InputRow, mapped: Mapped) -> bool:
        """Whether the row that a lookup means may be among those that this import brings."""
        cell = row.cells.get(mapped.header) if mapped.header is not None else None
        named = cell.table if isinstance(cell, LookupCell) else None
        targets = {named} if named is not None else set(column.targets)
        return column.type is not ColumnType.OWNER and bool(targets & self._place.tables)

    def _key_values(self, row: InputRow) -> dict[str, Value]:
        key = self._mapping.key
        if key is None:
            return {}
        columns = [each for each in self._mapping.columns if each.column in key.columns]
        return {each.column: self._value(self._table.columns[each.column], each, row) for each in columns}

    def _id(self, row: InputRow, values: Mapping[str, Value]) -> Guid:
        given = self._given(row)
        if self._mapping.compare:
            return self._compared_id(given, row) or given or self._made(row)
        if given is not None:
            return given
        key = self._mapping.key
        if key is not None and all(values.get(name) is not None for name in key.columns):
            try:
                return find(self._session, self._table, {name: values[name] for name in key.columns})
            except NotFound:
                pass
        return self._made(row)

    def _given(self, row: InputRow) -> Guid | None:
        given = row.cells.get(self._mapping.id_header) if self._mapping.id_header is not None else None
        if not given:
            return None
        found = parse_guid(given) if isinstance(given, str) else None
        if found is None:
            raise _CellRefused(self._table.primary_id, f"'{self._table.primary_id}' takes a GUID.")
        return found

    def _made(self, row: InputRow) -> Guid:
        return Guid(str(uuid5(NAMESPACE_URL, f"{self._place.fingerprint}:{self._table.logical_name}:{row.number}")))

    def _compared_id(self, given: Guid | None, row: InputRow) -> Guid | None:
        """The row that has the values by which the file tells rows apart; None when there is none yet.

        Raises `_CellRefused` when several have them, and `InvalidRequest` when two rows of one batch have: the batch is
        then tried in halves, and the second row meets the first."""
        names = [each.column for each in self._mapping.compare]
        columns = [self._table.columns[name] for name in names]
        try:
            wanted = tuple(self._value(c, m, row) for c, m in zip(columns, self._mapping.compare, strict=True))
        except NotThere:
            return None
        except InvalidRequest as error:
            raise _CellRefused(", ".join(names), error.message) from None
        if wanted in self._compared:
            raise InvalidRequest(f"Two rows have the same {', '.join(names)}.")
        self._compared.add(wanted)
        parts = tuple(_equals(column, value) for column, value in zip(columns, wanted, strict=True))
        output = Output(self._table.primary_id, Field("", self._table.id_column))
        select = Select(Source(self._table), (output,), where=And(parts), page_size=2)
        with untold(self._session):
            found = [record.id for record in retrieve_page(self._session, select).rows if record.id is not None]
        if len(found) > 1:
            said = ", ".join(names)
            raise _CellRefused(said, f"Several rows have this {said}, by which the file tells rows apart: {found[0]} …")
        if not found:
            return None
        if given is not None and given != found[0]:
            self.moved.append((self._table.logical_name, given, found[0]))
            self._place.moved[self._table.logical_name, given] = found[0]
        return found[0]


def existing(
    session: Session, mapping: TableMapping, table: Table, place: Place, rows: Sequence[InputRow], names: set[str]
) -> dict[int, tuple[Guid, dict[str, Value]]]:
    """The ids of rows that are in, by their numbers, with what these columns hold; rows that are not there, or not for
    this user, are not in it."""
    reader = _Reader(session, mapping, table, place)
    ids: dict[int, Guid] = {}
    for row in rows:
        try:
            ids[row.number] = reader.draft(row, (), may_postpone=False).id
        except _CellRefused:
            continue
    present = _current(session, table, names, list(ids.values()))
    return {number: (row_id, present[row_id]) for number, row_id in ids.items() if row_id in present}


def _equals(column: Column, value: Value) -> Predicate:
    if value is None:
        return IsNull(Field("", column))
    plain = value.id if isinstance(value, Reference) else value
    return Comparison(Operator.EQUAL, Field("", column), Literal(plain, column.type))


def _current(session: Session, table: Table, names: set[str], ids: Sequence[Guid]) -> dict[Guid, dict[str, Value]]:
    """What the rows hold now, of those that are there and that the user may read."""
    if not ids:
        return {}
    columns = [table.columns[name] for name in sorted(names)]
    outputs = [Output(column.logical_name, Field("", column)) for column in columns]
    lookups = [column for column in columns if column.type.is_lookup]
    outputs += [Output(f"{column.logical_name}.table", LookupTable("", column)) for column in lookups]
    outputs.append(Output(table.primary_id, Field("", table.id_column)))
    wanted = tuple(Literal(row_id, ColumnType.UNIQUEIDENTIFIER) for row_id in dict.fromkeys(ids))
    select = Select(Source(table), tuple(outputs), where=InList(Field("", table.id_column), wanted))
    found: dict[Guid, dict[str, Value]] = {}
    for record in retrieve_page(session, select).rows:
        if record.id is None:
            raise PayloadError(f"Rows of '{table.logical_name}' have no id to be known by.")
        values = {column.logical_name: value for column, value in zip(columns, record.values, strict=False)}
        kinds = record.values[len(columns) : len(columns) + len(lookups)]
        for column, kind in zip(lookups, kinds, strict=True):
            target = values[column.logical_name]
            if isinstance(target, str):
                values[column.logical_name] = Reference(str(kind or column.targets[0]), Guid(target))
        found[record.id] = values
    return found
