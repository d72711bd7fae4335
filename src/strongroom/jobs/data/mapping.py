"""Which column of a table each header of a file means.

A header names a column by its logical name, schema name, Web API name (`_parentaccountid_value`) or, where only one
column has it, its label. `<lookup>.name` is what a lookup's row is called, for environments that do not know its id.
Headers that `--map` names go where it says; to nothing is allowed too. Of Dataverse's Excel exports, "(Do Not Modify)"
and the table's label is the row's id; their other such columns are passed over.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from strongroom.errors import InvalidRequest
from strongroom.jobs.data.party_lists import is_party_column
from strongroom.jobs.data.values import IMPORTED
from strongroom.records.table_form import form_of
from strongroom.schema.model import AlternateKey, Column, ColumnType, Table
from strongroom.store.layout import fold

NAME_SUFFIX = ".name"
_DYNAMIC = "(Do Not Modify) "


@dataclass(frozen=True, slots=True)
class Mapped:
    """A column of the table, and the headers that its values are under."""

    column: str
    header: str | None = None
    name_header: str | None = None


@dataclass(frozen=True, slots=True)
class TableMapping:
    """How a file's columns go into a table. `key` is the alternate key that tells rows apart when there is no id."""

    table: str
    columns: tuple[Mapped, ...]
    id_header: str | None
    key: AlternateKey | None
    left_out: tuple[str, ...]
    contents: tuple[Mapped, ...] = ()
    """Files and images, which come once the rows are there."""

    parties: tuple[Mapped, ...] = ()
    """Party lists, likewise."""

    compare: tuple[Mapped, ...] = ()
    """Columns by whose values rows are told apart, instead of by their ids."""


def read_map(words: Sequence[str]) -> dict[str, str]:
    """`--map` words, each `HEADER=COLUMN`; an empty column leaves the header out. Raises `InvalidRequest`."""
    found: dict[str, str] = {}
    for word in words:
        header, sign, column = word.rpartition("=")
        if not sign or not header.strip():
            raise InvalidRequest(f"'{word}' is no mapping: write HEADER=COLUMN, or HEADER= to leave a column out.")
        found[header.strip()] = column.strip()
    return found


def mapped(
    table: Table, headers: Sequence[str], chosen: Mapping[str, str], compare: Sequence[str] = ()
) -> TableMapping:
    """The columns behind `headers`. Raises `InvalidRequest` for headers that name none, or two that name one."""
    unknown = [header for header in chosen if header not in headers]
    if unknown:
        raise InvalidRequest(f"--map names '{unknown[0]}', which is no column of the file.")
    names = _Names(table)
    values: dict[str, str] = {}
    name_headers: dict[str, str] = {}
    strangers: list[str] = []
    left_out: list[str] = []
    for header in headers:
        said = chosen.get(header, header)
        if said == "" or (header not in chosen and names.is_passed_over(header)):
            continue
        base = said.removesuffix(NAME_SUFFIX)
        column = names.find(base if said.endswith(NAME_SUFFIX) else said)
        if column is None or (base != said and not column.type.is_lookup):
            strangers.append(said)
            continue
        place = name_headers if base != said else values
        if column.logical_name in place:
            raise InvalidRequest(f"'{place[column.logical_name]}' and '{header}' both mean '{column.logical_name}'.")
        place[column.logical_name] = header
        is_taken = is_importable(table, column) or holds_content(table, column) or is_party_column(table, column)
        if column.logical_name != table.primary_id and not is_taken:
            left_out.append(header)
    if strangers:
        raise InvalidRequest(
            f"'{table.logical_name}' has no column for {', '.join(repr(each) for each in strangers[:10])}; "
            "say which with --map HEADER=COLUMN, or --map HEADER= to leave it out."
        )
    id_header = values.pop(table.primary_id, None)
    importable = [
        Mapped(name, values.get(name), name_headers.get(name))
        for name in dict.fromkeys([*values, *name_headers])
        if is_importable(table, table.columns[name])
    ]
    present = {each.column for each in importable}
    key = next((each for each in table.keys if each.is_active and set(each.columns) <= present), None)
    others = [Mapped(name, header) for name, header in values.items()]
    unfit = [name for name in compare if name not in values or table.columns[name].type not in IMPORTED]
    if unfit:
        raise InvalidRequest(f"Rows of '{table.logical_name}' cannot be told apart by {', '.join(unfit)}.")
    return TableMapping(
        table.logical_name,
        tuple(importable),
        id_header,
        key,
        tuple(left_out),
        tuple(each for each in others if holds_content(table, table.columns[each.column])),
        tuple(each for each in others if is_party_column(table, table.columns[each.column])),
        tuple(Mapped(name, values[name]) for name in compare),
    )


def is_importable(table: Table, column: Column) -> bool:
    """Whether values of the column can come from a file: callers may write it, and a file can hold it."""
    if table.has_owner and column.logical_name == "ownerid":
        return True
    form = form_of(table)
    is_written = column.logical_name in form.on_create or column.logical_name in form.on_update
    return is_written and column.type in IMPORTED


def holds_content(table: Table, column: Column) -> bool:
    """Whether the column holds a file or an image that can come from a file."""
    return column.type in (ColumnType.FILE, ColumnType.IMAGE) and column.logical_name in form_of(table).on_update


class _Names:
    """The columns of a table by all their names."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._by_label: dict[str, list[Column]] = {}
        self._by_name = {column.schema_name.lower(): column for column in table.columns.values()}
        self._by_name |= {column.property_name.lower(): column for column in table.columns.values()}
        self._by_name |= dict(table.columns)
        for column in table.columns.values():
            self._by_label.setdefault(fold(column.label), []).append(column)

    def is_passed_over(self, header: str) -> bool:
        """What Dataverse's Excel exports have for themselves."""
        return header in (f"{_DYNAMIC}Row Checksum", f"{_DYNAMIC}Modified On")

    def find(self, header: str) -> Column | None:
        if header == f"{_DYNAMIC}{self._table.label}":
            return self._table.id_column
        named = self._by_name.get(header.lower())
        if named is not None:
            return named
        labelled = self._by_label.get(fold(header), [])
        if len(labelled) > 1:
            names = ", ".join(column.logical_name for column in labelled)
            raise InvalidRequest(f"'{header}' is the label of {names}; say which with --map '{header}=COLUMN'.")
        return labelled[0] if labelled else None
