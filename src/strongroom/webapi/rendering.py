"""Rows → JSON. One `Renderer` for each select prepares everything that does not depend on the rows (WA-125 to WA-136).

Annotations need values that the client did not select (a lookup's target name and table): `extended` adds them to the
select as outputs of their own, and rendering takes them away again. Values are put into the JSON as the store gave
them; decimals are the one type that the encoder must be told about.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property, lru_cache

import msgspec
import orjson

from strongroom.query.ast import Aggregate, DateGroup, Expand, Field, LookupName, LookupTable, Output, Select
from strongroom.query.odata.select import all_columns
from strongroom.query.paging import make_skiptoken
from strongroom.records import Page, Record
from strongroom.schema.model import Column, ColumnType, Schema, Table
from strongroom.store.protocol import Value
from strongroom.webapi.formatted import Formatter, formatter
from strongroom.webapi.headers import ATTRIBUTE_NAME, FORMATTED, LOOKUP_NAME, NAVIGATION, Preferences
from strongroom.webapi.links import link_to, query_mark

JsonObject = dict[str, object]


@dataclass(frozen=True, slots=True)
class Locale:
    """The caller's settings that formatted values depend on."""

    time_zone: str = "UTC"
    currency_symbol: str = "$"


@dataclass(frozen=True, slots=True)
class _Annotated:
    """Annotations of one output: `names`/`tables` are positions of extra outputs."""

    position: int
    name: str
    column: Column | None
    format: Formatter | None
    target_name: int | None
    target_table: int | None
    attribute: str | None


@dataclass(frozen=True, slots=True)
class _Expanded:
    """One expand of the select. `name` is the navigation property; `key` names its rows in the records.

    The two differ for `ownerid`, which is read as two expands, one over teams and one over users (WA-215).
    """

    name: str
    key: str
    expand: Expand
    renderer: "Renderer"


class Renderer:
    """Turns `Record`s of one select into JSON objects."""

    def __init__(
        self,
        schema: Schema,
        select: Select,
        preferences: Preferences,
        root: str,
        locale: Locale,
        paging_key: bytes,
        *,
        within: "Renderer | None" = None,
    ) -> None:
        """`paging_key` signs the tokens of links; `within` is the renderer of the rows that these hang on."""
        self._schema = schema
        self._select = select
        self._preferences = preferences
        self._root = root
        self._locale = locale
        self._paging_key = paging_key
        is_nested = any(expand.select.expands for expand in select.expands)
        self._collection_size: int | None
        """How many rows of each collection come at once, where nesting and a page size make pages of them (WA-212)."""
        self._collection_size = (
            within._collection_size if within is not None else preferences.max_page_size if is_nested else None
        )
        self._with_etag = not select.is_aggregate and not select.group_by and not select.distinct
        self._names = tuple(output.name for output in select.outputs)
        self._count = len(self._names)
        extra: list[Output] = []
        self._annotated = tuple(self._annotations(extra)) if preferences.annotations else ()
        is_grouped = select.is_aggregate or bool(select.group_by)
        self._dropped = frozenset(
            output.name for output in select.outputs if is_grouped and not isinstance(output.expression, Aggregate)
        )
        """Group keys, which are absent when they are null (WA-222); a sum over nothing is null (WA-223)."""
        self._expands = self._prepared(select.expands)
        self._is_plain = (
            self._with_etag and not self._annotated and not self._expands and all(map(_is_short, select.outputs))
        )
        """Whether rows are what their columns hold and nothing else, with no number that would need an exponent."""
        expands = tuple(replace(e.expand, name=e.key, select=self._read_as(e)) for e in self._expands)
        self.extended = replace(select, outputs=(*select.outputs, *extra), expands=expands)
        """The select to run: the client's outputs, then those that annotations need."""

    def page(self, head: JsonObject, records: list[Record], tail: JsonObject) -> bytes:
        """The body of a page: `head`, the rows as `value`, `tail`."""
        if self._is_plain and len(records) >= _WORTH_A_TYPE:
            row = _row_type(self._names)
            rows = [row(f'W/"{record.version}"', *record.values[: self._count]) for record in records]
            return _PLAIN.encode({**head, "value": rows, **tail})
        return encode({**head, "value": self.objects(records), **tail})

    def objects(self, records: list[Record]) -> list[JsonObject]:
        """All `records`, in order."""
        if self._with_etag and not self._annotated and not self._expands:
            names = ("@odata.etag", *self._names)
            return [dict(zip(names, (f'W/"{r.version}"', *r.values), strict=False)) for r in records]
        return [self.object(record) for record in records]

    def object(self, record: Record) -> JsonObject:
        """One record with its annotations and expanded rows."""
        row: JsonObject = {}
        if self._with_etag and record.version is not None:
            row["@odata.etag"] = f'W/"{record.version}"'
        if self._annotated:
            self._annotate(row, record.values)
        elif self._dropped:
            pairs = zip(self._names, record.values, strict=False)
            row.update((n, v) for n, v in pairs if v is not None or n not in self._dropped)
        else:
            row.update(zip(self._names, record.values, strict=False))
        for expanded in self._expands:
            self._expanded(row, record, expanded, record.expanded.get(expanded.key))
        return row

    def context(self, *, single: bool = False) -> str:
        """`@odata.context` of the answer, with the selected names unless all were (WA-106, WA-178)."""
        return self._single_context if single else self._list_context

    @cached_property
    def _list_context(self) -> str:
        """Kept, because a renderer is kept for a list that comes again."""
        return self._context("")

    @cached_property
    def _single_context(self) -> str:
        return self._context("/$entity")

    def _context(self, end: str) -> str:
        entity_set = self._select.source.table.entity_set_name
        return f"{self._root}$metadata#{entity_set}{self._shape()}{end}"

    def _shape(self) -> str:
        if self._select.is_aggregate or self._select.group_by:
            return ""
        shown = list(self._selected())
        by_name: dict[str, dict[str, None]] = {}
        for expanded in self._expands:
            by_name.setdefault(expanded.name, {}).update(dict.fromkeys(expanded.renderer._parts()))
        shown += [f"{name}({','.join(parts)})" for name, parts in by_name.items()]
        return f"({','.join(shown)})" if shown else ""

    def _parts(self) -> list[str]:
        shape = self._shape()
        return [shape[1:-1]] if shape else []

    def _selected(self) -> tuple[str, ...]:
        """The names that were asked for; none when all columns were, or nothing was."""
        table = self._select.source.table
        every = _everything(table)
        if len(self._names) >= len(every) and every <= set(self._names):
            return ()
        return tuple(output.name for output in self._select.outputs if not output.implied)

    def _prepared(self, expands: tuple[Expand, ...]) -> tuple[_Expanded, ...]:
        prepared: list[_Expanded] = []
        for number, expand in enumerate(expands):
            key = f"{expand.name} {number}" if any(e.name == expand.name for e in prepared) else expand.name
            renderer = Renderer(
                self._schema,
                expand.select,
                self._preferences,
                self._root,
                self._locale,
                self._paging_key,
                within=self,
            )
            prepared.append(_Expanded(expand.name, key, expand, renderer))
        return tuple(prepared)

    def _read_as(self, expanded: _Expanded) -> Select:
        size = None if expanded.expand.to_parent else self._collection_size
        return replace(expanded.renderer.extended, page_size=size)

    def _expanded(
        self, row: JsonObject, record: Record, expanded: _Expanded, value: Record | list[Record] | Page | None
    ) -> None:
        name, nested = expanded.name, expanded.renderer
        if value is None:
            row.setdefault(name, None)
        elif isinstance(value, Record):
            target = nested._select.source.table.entity_set_name
            row[name] = (
                {"@odata.id": f"{self._root}{target}({value.id})"}
                if expanded.expand.reference_only
                else nested.object(value)
            )
        elif isinstance(value, Page):
            row[name] = nested.objects(value.rows)
            if value.position is not None:
                row[f"{name}@odata.nextLink"] = self._collection_link(record, expanded, value)
        else:
            row[name] = nested.objects(value)
            row[f"{name}@odata.nextLink"] = self._collection_link(record, expanded)

    def _collection_link(self, record: Record, expanded: _Expanded, page: Page | None = None) -> str:
        """The collection by itself, as the expand shows it: from its first row on, or from where the page ended."""
        path = f"{self._select.source.table.entity_set_name}({record.id})/{expanded.name}"
        selected = expanded.renderer._selected()
        options = (*((("$select", ",".join(selected)),) if selected else ()), *expanded.expand.options)
        token = None
        if page is not None:
            mark = query_mark(path, dict(options))
            id_name, first_id = expanded.renderer._select.source.table.primary_id, page.rows[0].id
            token = make_skiptoken(page.position, 2, mark, self._paging_key, id_name=id_name, first_id=first_id)
        return link_to(f"{self._root}{path}", options, token)

    def _annotations(self, extra: list[Output]) -> list[_Annotated]:
        wants_text = self._preferences.wants(FORMATTED)
        wants_lookup = self._preferences.wants(LOOKUP_NAME) or self._preferences.wants(NAVIGATION)
        wants_attribute = self._preferences.wants(ATTRIBUTE_NAME)
        found: list[_Annotated] = []
        for position, output in enumerate(self._select.outputs):
            column, alias = _column(output)
            target_name = target_table = None
            if column is not None and column.type.is_lookup and isinstance(output.expression, Field):
                if wants_text:
                    target_name = self._add(extra, LookupName(alias, column))
                if wants_lookup:
                    target_table = self._add(extra, LookupTable(alias, column))
            text = (
                formatter(column, self._locale.time_zone, self._locale.currency_symbol)
                if column and wants_text
                else None
            )
            if isinstance(output.expression, Aggregate):
                text = _count_text if column is None and wants_text else text
            aliased = column is not None and output.name not in (column.property_name, column.logical_name)
            attribute = column.logical_name if wants_attribute and aliased and column else None
            found.append(_Annotated(position, output.name, column, text, target_name, target_table, attribute))
        return found

    def _add(self, extra: list[Output], expression: LookupName | LookupTable) -> int:
        extra.append(Output(f" {len(extra)}", expression))
        return self._count + len(extra) - 1

    def _annotate(self, row: JsonObject, values: tuple[Value, ...]) -> None:
        for entry in self._annotated:
            value = values[entry.position]
            if value is None:
                if entry.name not in self._dropped:
                    row[entry.name] = None
                continue
            text = entry.format(value) if entry.format else None
            if entry.target_name is not None:
                text = values[entry.target_name]
            if text is not None:
                row[f"{entry.name}@{FORMATTED}"] = text
            if entry.target_table is not None and values[entry.target_table] is not None:
                self._lookup(row, entry, str(values[entry.target_table]))
            if entry.attribute is not None:
                row[f"{entry.name}@{ATTRIBUTE_NAME}"] = entry.attribute
            row[entry.name] = value

    def _lookup(self, row: JsonObject, entry: _Annotated, target: str) -> None:
        if self._preferences.wants(LOOKUP_NAME):
            row[f"{entry.name}@{LOOKUP_NAME}"] = target
        if self._preferences.wants(NAVIGATION) and entry.column is not None and "." not in entry.name:
            nav = navigation_name(self._schema, self._select.source.table, entry.column, target)
            if nav is not None:
                row[f"{entry.name}@{NAVIGATION}"] = nav


def navigation_name(schema: Schema, table: Table, column: Column, target: str) -> str | None:
    """The single-valued navigation property by which `column` of `table` reaches rows of `target` (WA-136)."""
    if column.type is ColumnType.OWNER:
        return column.logical_name
    for relationship in schema.parents_of(table.logical_name):
        if relationship.referencing_column == column.logical_name and relationship.referenced_table == target:
            return relationship.lookup_nav
    return None


def encode(value: object) -> bytes:
    """JSON bytes; decimals as plain numbers, never in exponent form (WA-84)."""
    return orjson.dumps(value, default=_default)


def _default(value: object) -> object:
    if isinstance(value, Decimal):
        return orjson.Fragment(format(value, "f"))
    raise TypeError(type(value).__name__)


_WORTH_A_TYPE = 8
"""From so many rows on a type for them pays."""
_PLAIN = msgspec.json.Encoder(decimal_format="number")
_LONGEST_FRACTION = 6
"""Digits behind the point up to which Python writes a decimal without an exponent."""


@lru_cache(maxsize=512)
def _row_type(names: tuple[str, ...]) -> Callable[..., msgspec.Struct]:
    """A type for rows with these members: it is filled and written several times as fast as a dictionary."""
    fields = ["etag", *(f"value{number}" for number in range(len(names)))]
    wire = dict(zip(fields, ("@odata.etag", *names), strict=True))
    return msgspec.defstruct("Row", [(field, object) for field in fields], rename=wire, gc=False)


def _is_short(output: Output) -> bool:
    column, _ = _column(output)
    if column is None:
        return False
    return column.type not in (ColumnType.DECIMAL, ColumnType.MONEY) or (column.precision or 0) <= _LONGEST_FRACTION


def _column(output: Output) -> tuple[Column | None, str]:
    match output.expression:
        case Field(alias, column) | LookupName(alias, column) | LookupTable(alias, column):
            return column, alias
        case Aggregate(_, Field(alias, column)):
            return column, alias
        case DateGroup():
            return None, ""
        case _:
            return None, ""


@lru_cache(maxsize=512)
def _everything(table: Table) -> frozenset[str]:
    """The names of an answer without `$select`."""
    return frozenset(column.property_name for column in all_columns(table))


def _count_text(value: Value) -> str | None:
    return f"{value:,}" if isinstance(value, int) else None
