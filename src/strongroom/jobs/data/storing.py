"""One batch of rows into one unit of work: each row created, changed where it differs, or left as it is.

A row is known by its id, else by an alternate key, else by an id that follows from the file and the row's number: the
same file imported again meets the rows it made. Rows that are as the file says are not written, so repeating a batch
leaves neither versions nor audit entries behind. An empty cell empties its column; a column that the file does not
have keeps its value, or gets its default.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import NAMESPACE_URL, uuid5

from strongroom.errors import InvalidRequest, NotFound, PayloadError, StrongroomError
from strongroom.ids import Guid, Reference, parse_guid
from strongroom.jobs.data.lookups import Lookups, NotThere
from strongroom.jobs.data.mapping import Mapped, TableMapping
from strongroom.jobs.data.shapes import Counts, InputRow, LookupCell, Refusal
from strongroom.jobs.data.values import value_of
from strongroom.query.ast import Field, InList, Literal, LookupTable, Output, Select, Source
from strongroom.records import NewRecord, Session, create_multiple, find, retrieve_page, update
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

    def add(self, other: "Stored") -> None:
        """Take another batch's too."""
        self.counts.add(other.counts)
        self.refusals += other.refusals
        self.postponed += other.postponed


@dataclass(frozen=True, slots=True)
class Place:
    """What a batch is part of: the file, and the tables that it has rows of."""

    fingerprint: str
    tables: frozenset[str]


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
        self._lookups = Lookups(session)
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
        given = row.cells.get(self._mapping.id_header) if self._mapping.id_header is not None else None
        if given:
            found = parse_guid(given) if isinstance(given, str) else None
            if found is None:
                raise _CellRefused(self._table.primary_id, f"'{self._table.primary_id}' takes a GUID.")
            return found
        key = self._mapping.key
        if key is not None and all(values.get(name) is not None for name in key.columns):
            try:
                return find(self._session, self._table, {name: values[name] for name in key.columns})
            except NotFound:
                pass
        return Guid(str(uuid5(NAMESPACE_URL, f"{self._place.fingerprint}:{self._table.logical_name}:{row.number}")))


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
