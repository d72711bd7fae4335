"""The JSON body of a write → `NewRecord`: which column, lookup or related row each property means (WA-105 to WA-122).

A body is read against one table. Its properties are columns (lower-case logical names), navigation properties with
`@odata.bind` (ties to existing rows), and navigation properties with objects or arrays (rows created along). What the
server sets itself is ignored, what it does not know is refused by name.
"""

from collections.abc import Callable, Container, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn

from strongroom.errors import InvalidRequest, PayloadError
from strongroom.ids import Guid, Reference
from strongroom.query.odata import parse_reference, read_key
from strongroom.records import Address, NewRecord, Related, Session, find
from strongroom.records.parties import is_party_list
from strongroom.records.table_form import form_of
from strongroom.schema.model import Column, ColumnType, ManyToMany, Relationship, Schema, Table
from strongroom.store.protocol import Value
from strongroom.webapi.values import Json, convert, json_kind

MAX_DEEP_INSERT = 10
_BIND = "@odata.bind"
_IGNORED_ANNOTATION = "@"
_SET_BY_SERVER = frozenset({"createdby", "modifiedby", "createdonbehalfby", "modifiedonbehalfby"})
_BLAME = "Error identified in Payload provided by the user for Entity :"


def _blame(table: Table) -> str:
    return f"{_BLAME}'{table.entity_set_name}'"


@dataclass(frozen=True, slots=True)
class Reading:
    """How bodies are read in one request.

    `content` resolves `$1` of a change set to the address that it stands for (WA-290). With `updating`, objects
    inside the body are refused (WA-155) and columns are judged by whether they may be updated.
    """

    session: Session
    updating: bool = False
    content: Callable[[str], str] = str

    @property
    def schema(self) -> Schema:
        return self.session.schema

    def writable(self, table: Table) -> Container[str]:
        """The columns of `table` that the body may set; others are ignored (WA-111)."""
        form = form_of(table)
        return form.on_update if self.updating else form.on_create


@contextmanager
def blaming(table: Table) -> Generator[None]:
    """A block that reads and stores the body of a row: what does not fit is told in the words of WA-56."""
    try:
        yield
    except PayloadError as error:
        if not error.message.startswith(_BLAME):
            reason = error.message
            raise PayloadError(f"{_blame(table)}, {reason}", code=error.code, details=error.details) from error
        raise


def read_record(reading: Reading, table: Table, body: dict[str, Json], depth: int = 1) -> NewRecord:
    """The row that `body` describes. Raises `PayloadError` that names the property and what would be right."""
    if depth > MAX_DEEP_INSERT:
        raise PayloadError(f"Related rows are nested deeper than {MAX_DEEP_INSERT} levels.")
    values: dict[str, Value] = {}
    related: list[Related] = []
    for name, value in body.items():
        if name.endswith(_BIND):
            _bind(reading, table, name[: -len(_BIND)], value, values, related)
        elif _IGNORED_ANNOTATION not in name:
            _property(reading, table, name, value, values, related, depth)
    return NewRecord(values, tuple(related))


def read_reference(reading: Reading, text: Json) -> Reference:
    """The row that `@odata.id` or `@odata.bind` names; alternate keys are looked up (WA-114, WA-160)."""
    if not isinstance(text, str):
        raise PayloadError(f"A reference to a row is a string such as '/contacts(<id>)', not {json_kind(text)}.")
    entity_set, key = parse_reference(reading.content(text))
    table = reading.schema.entity_sets.get(entity_set)
    if table is None:
        raise PayloadError(f"'{text[:200]}' refers to '{entity_set[:100]}', which is not an entity set.")
    address: Address = read_key(reading.schema, table, key)
    if not isinstance(address, str):
        return Reference(table.logical_name, find(reading.session, table, address))
    return Reference(table.logical_name, address)


def _property(
    reading: Reading,
    table: Table,
    name: str,
    value: Json,
    values: dict[str, Value],
    related: list[Related],
    depth: int,
) -> None:
    column = table.columns.get(name)
    if column is not None and not column.type.is_lookup:
        if column.type is ColumnType.FILE:
            raise PayloadError(f"The file column '{name}' is not written in a body, but by PATCH …(<id>)/{name}.")
        if column.type is not ColumnType.PARTYLIST:
            if name == table.primary_id or name in reading.writable(table):
                values[name] = convert(column, value)
            return
    link = _navigation(reading.schema, table, name)
    if link is None:
        if column is None:
            column = _lookup_of_property(table, name)
        if column is None or (value is not None and not isinstance(value, str)):
            _undeclared(reading.schema, table, name)
        if value is None:
            values[column.logical_name] = None
            return
        raise InvalidRequest(
            "CRM do not support direct update of Entity Reference properties, Use Navigation properties instead. "
            f"Set '{column.logical_name}' through '{_bind_names(reading.schema, table, column)}'.",
            code="0x80048d19",
        )
    if value is None and isinstance(link, Relationship) and link.referencing_table == table.logical_name:
        _set(values, link.referencing_column, None, name)
        return
    if isinstance(value, str) and column is not None:
        raise InvalidRequest(
            "CRM do not support direct update of Entity Reference properties, Use Navigation properties instead. "
            f"Write '{name}@odata.bind': '/…(<id>)'.",
            code="0x80048d19",
        )
    if reading.updating and not (isinstance(link, Relationship) and is_party_list(link)):
        raise PayloadError(
            f"Deep updates are not supported: '{name}' holds {json_kind(value)}. Update that row by itself."
        )
    related.append(_deep(reading, table, name, value, link, depth))


def _deep(
    reading: Reading, table: Table, name: str, value: Json, link: Relationship | ManyToMany, depth: int
) -> Related:
    to_parent = isinstance(link, Relationship) and reading.schema.lookup_nav(table.logical_name, name) is link
    target = reading.schema.tables[_other_side(table, name, link, to_parent)]
    if to_parent:
        if not isinstance(value, dict):
            raise PayloadError(
                f"'{name}' holds {json_kind(value)}; a single-valued navigation property takes an object."
            )
        return Related(link, create=(read_record(reading, target, value, depth + 1),), to_parent=True)
    if not isinstance(value, list):
        raise PayloadError(
            f"'{name}' holds {json_kind(value)}; a collection-valued navigation property takes an array."
        )
    rows: list[NewRecord] = []
    for item in value:
        if not isinstance(item, dict):
            raise PayloadError(f"'{name}' holds {json_kind(item)} where an object is expected.")
        rows.append(read_record(reading, target, item, depth + 1))
    return Related(link, create=tuple(rows), from_first=_from_first(table, name, link))


def _bind(
    reading: Reading, table: Table, name: str, value: Json, values: dict[str, Value], related: list[Related]
) -> None:
    owner = table.columns.get(name)
    if owner is not None and owner.type is ColumnType.OWNER:
        reference = read_reference(reading, value)
        if reference.table not in ("systemuser", "team"):
            raise PayloadError(f"'{name}' takes a user or a team: '/systemusers(<id>)' or '/teams(<id>)'.")
        _set(values, name, reference, name)
        return
    link = _navigation(reading.schema, table, name)
    if link is None:
        _undeclared(reading.schema, table, name)
    if isinstance(link, Relationship) and reading.schema.lookup_nav(table.logical_name, name) is link:
        if link.referencing_column in _SET_BY_SERVER and link.referencing_column not in reading.writable(table):
            return
        if value is None:
            _set(values, link.referencing_column, None, name)
            return
        reference = read_reference(reading, value)
        if reference.table != link.referenced_table:
            wanted = reading.schema.tables[link.referenced_table].entity_set_name
            raise PayloadError(f"'{name}{_BIND}' takes a row of '{wanted}', such as '/{wanted}(<id>)'.")
        _set(values, link.referencing_column, reference, name)
        return
    if reading.updating:
        raise PayloadError(f"'{name}{_BIND}' ties rows on create only; use POST …/{name}/$ref.")
    related.append(
        Related(link, bind=_bound(reading, table, name, value, link), from_first=_from_first(table, name, link))
    )


def _bound(reading: Reading, table: Table, name: str, value: Json, link: Relationship | ManyToMany) -> tuple[Guid, ...]:
    if not isinstance(value, list):
        raise PayloadError(f"'{name}{_BIND}' holds {json_kind(value)}; a collection takes an array of references.")
    target = _other_side(table, name, link, to_parent=False)
    ids: list[Guid] = []
    for item in value:
        reference = read_reference(reading, item)
        if reference.table != target:
            wanted = reading.schema.tables[target].entity_set_name
            raise PayloadError(f"'{name}{_BIND}' takes rows of '{wanted}'.")
        ids.append(reference.id)
    return tuple(ids)


def _set(values: dict[str, Value], column: str, value: Value, name: str) -> None:
    if column in values:
        raise PayloadError(f"'{name}' sets the lookup '{column}', which the body sets already (WA-117).")
    values[column] = value


def _navigation(schema: Schema, table: Table, name: str) -> Relationship | ManyToMany | None:
    return (
        schema.lookup_nav(table.logical_name, name)
        or schema.collection_nav(table.logical_name, name)
        or schema.many_nav(table.logical_name, name)
    )


def _from_first(table: Table, name: str, link: Relationship | ManyToMany) -> bool:
    return isinstance(link, Relationship) or link.is_first(table.logical_name, name)


def _other_side(table: Table, name: str, link: Relationship | ManyToMany, to_parent: bool) -> str:
    if isinstance(link, Relationship):
        return link.referenced_table if to_parent else link.referencing_table
    return link.other_table(table.logical_name, name)


def _lookup_of_property(table: Table, name: str) -> Column | None:
    if not (name.startswith("_") and name.endswith("_value")):
        return None
    column = table.columns.get(name[1:-6])
    return column if column is not None and column.type.is_lookup else None


def _bind_names(schema: Schema, table: Table, column: Column) -> str:
    if column.type is ColumnType.OWNER:
        return f"{column.logical_name}{_BIND}"
    names = [
        r.lookup_nav + _BIND
        for r in schema.parents_of(table.logical_name)
        if r.referencing_column == column.logical_name
    ]
    return "' or '".join(names) or "its navigation property"


def _undeclared(schema: Schema, table: Table, name: str) -> NoReturn:
    hint = ""
    lower = name.lower()
    column = table.columns.get(lower)
    if column is not None and column.type.is_lookup:
        hint = f" Set it through '{_bind_names(schema, table, column)}'."
    elif column is not None:
        hint = f" Did you mean '{lower}'?"
    else:
        known = [r.lookup_nav for r in schema.parents_of(table.logical_name)]
        known += [r.collection_nav for r in schema.children_of(table.logical_name)]
        match = next((nav for nav in known if nav.lower() == lower), None)
        hint = f" Did you mean '{match}'?" if match else ""
    raise PayloadError(f"{_blame(table)}, An undeclared property '{name[:200]}' was found in the payload.{hint}")
