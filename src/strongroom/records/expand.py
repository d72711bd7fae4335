"""`$expand`: the rows behind navigation properties, one query for each expand and page (section 14 of the Web API).

The related rows are read under the plan of their own table, so that a row that may not be read is null or absent
(SM-153), and are then handed out to their parents. `$top` counts for each parent: the rows come in the expand's order
and each parent keeps its first ones. An expand whose select has a page size gives each parent the first page of its
collection.
"""

from dataclasses import replace
from typing import Any, cast

from strongroom.access.planned import PlannedSelect
from strongroom.errors import IntegrityViolation
from strongroom.query.ast import (
    Expand,
    Field,
    InList,
    Join,
    JoinKind,
    Link,
    Literal,
    LookupTable,
    Output,
    Select,
    Source,
    conjunction,
)
from strongroom.records.environment_facts import everything
from strongroom.records.session import Session
from strongroom.records.shapes import Layout, Page, Record
from strongroom.records.unmasked import tell
from strongroom.schema.activities import tables_behind
from strongroom.schema.model import Column, ColumnType, Table
from strongroom.store.layout import has_table_column
from strongroom.store.protocol import Value

MOST_CHILDREN = 5000
"""Expanded rows of one parent (WA-212)."""

VERSION = "versionnumber"
_PARENT = "~parent"
_Rows = list[tuple[Value, ...]]


def extended(select: Select) -> tuple[Layout, Select]:
    """`select` with its hidden outputs: the version, and the lookups that single-valued expands follow."""
    outputs = list(select.outputs)
    version = _append(outputs, VERSION, select.source.table.columns.get(VERSION))
    keys = tuple(_parent_keys(select, expand, outputs) for expand in select.expands)
    return Layout(len(select.outputs), version, keys), replace(select, outputs=tuple(outputs))


def records_of(session: Session, planned: PlannedSelect, layout: Layout, rows: _Rows) -> list[Record]:
    """Rows of an extended select as records, with what `planned.expands` brings."""
    width, version = layout.width, layout.version
    at = len(planned.select.outputs) + len(planned.select.order)  # the root's id; ids of joined rows may follow it
    found = cast("list[tuple[Any, ...]]", rows)  # once for all: the types of ids and versions are the store's promise
    if version is None:
        records = [Record(row[:width], row[at]) for row in found]
    else:
        records = [Record(row[:width], row[at], row[version]) for row in found]
    if planned.unmasked and rows:
        tell(session, planned, rows)
    if planned.expands and records:
        for expand, inner, key in zip(planned.select.expands, planned.expands, layout.keys, strict=True):
            if expand.to_parent:
                _expand_to_parent(session, expand, inner, key, records, rows)
            else:
                _expand_to_children(session, expand, inner, planned.select.source.table, records)
    return records


# --- hidden outputs ------------------------------------------------------------------------------------------------


def _append(outputs: list[Output], name: str, column: Column | None) -> int | None:
    if column is None:
        return None
    outputs.append(Output(name, Field("", column)))
    return len(outputs) - 1


def _parent_keys(select: Select, expand: Expand, outputs: list[Output]) -> tuple[int, int | None]:
    if not expand.to_parent or expand.relationship is None:
        return -1, None
    column = select.source.table.columns[expand.relationship.referencing_column]
    outputs.append(Output(column.logical_name, Field("", column)))
    at = len(outputs) - 1
    if not has_table_column(column):
        return at, None
    outputs.append(Output(column.logical_name, LookupTable("", column)))
    return at, at + 1


# --- single-valued -------------------------------------------------------------------------------------------------


def _expand_to_parent(
    session: Session,
    expand: Expand,
    inner: PlannedSelect,
    key: tuple[int, int | None],
    records: list[Record],
    rows: _Rows,
) -> None:
    """The row that a lookup points to, or None when it is empty or may not be read (WA-211)."""
    at, table_at = key
    table = inner.select.source.table
    behind = tables_behind(session.schema, table.logical_name)
    wanted = [row[at] if table_at is None or row[table_at] in behind else None for row in rows]
    ids = dict.fromkeys(target for target in wanted if target is not None)
    found: dict[Value, Record] = {}
    if ids:
        layout, select = extended(replace(inner.select, order=(), top=None))
        chosen = InList(Field("", table.id_column), _literals(ids))
        query = replace(inner, select=replace(select, where=conjunction(select.where, chosen)))
        for record in records_of(session, query, layout, session.transaction.select(query)):
            found[record.id] = record
    for record, target in zip(records, wanted, strict=True):
        record.expanded[expand.name] = found.get(target)


# --- collections ---------------------------------------------------------------------------------------------------


def _expand_to_children(
    session: Session, expand: Expand, inner: PlannedSelect, parent_table: Table, records: list[Record]
) -> None:
    """The rows that point to each parent, or that an N:N relationship ties to it."""
    size = inner.select.page_size
    limit = size or min(inner.select.top or MOST_CHILDREN, MOST_CHILDREN)
    ids: dict[Value, None] = {record.id: None for record in records}
    layout, select = extended(replace(inner.select, top=None, page_size=None))
    query, parent_at, table_at = _children_query(replace(inner, select=select), expand, parent_table, ids)
    rows = session.transaction.select(query)
    if table_at is not None:
        behind = tables_behind(session.schema, _parent_name(expand) or "")
        rows = [row for row in rows if row[table_at] in behind]
    kept: _Rows = []
    parents: list[Value] = []
    taken: dict[Value, int] = {}
    for row in rows:
        parent = row[parent_at]
        number = taken.get(parent, 0)
        taken[parent] = number + 1
        if number < limit:
            kept.append(row)
            parents.append(parent)
    groups: dict[Value, list[Record]] = {}
    for parent, record in zip(parents, records_of(session, query, layout, kept), strict=True):
        groups.setdefault(parent, []).append(record)
    if size is None:
        for record in records:
            record.expanded[expand.name] = groups.get(record.id, [])
        return
    last = dict(zip(parents, kept, strict=True))
    for record in records:
        has_more = taken.get(record.id, 0) > limit
        position = _position(query.select, last[record.id]) if has_more else None
        record.expanded[expand.name] = Page(groups.get(record.id, []), position)


def _position(select: Select, row: tuple[Value, ...]) -> tuple[Value, ...]:
    """Where the collection goes on behind `row`, in the query that reads it alone: the order's values and the id. Ids
    of joined rows, as of the parents here, are no part of that query."""
    start = len(select.outputs)
    return row[start : start + len(select.order) + 1]


def _children_query(
    inner: PlannedSelect, expand: Expand, parent_table: Table, parents: dict[Value, None]
) -> tuple[PlannedSelect, int, int | None]:
    """The query for the related rows of all `parents`, and where each row says which parent it belongs to."""
    select = inner.select
    at = len(select.outputs)
    if expand.relationship is None:
        return _linked_query(inner, expand, parent_table, parents), at, None
    column = select.source.table.columns[expand.relationship.referencing_column]
    outputs = [*select.outputs, Output(column.logical_name, Field("", column))]
    table_at = None
    if has_table_column(column):
        outputs.append(Output(column.logical_name, LookupTable("", column)))
        table_at = at + 1
    chosen = InList(Field("", column), _literals(parents))
    asked = replace(select, outputs=tuple(outputs), where=conjunction(select.where, chosen))
    return replace(inner, select=asked), at, table_at


def _linked_query(
    inner: PlannedSelect, expand: Expand, parent_table: Table, parents: dict[Value, None]
) -> PlannedSelect:
    """Related rows joined to their parents through the intersect table. The parents have been authorized already."""
    select, association = inner.select, expand.many_to_many
    if association is None:
        raise IntegrityViolation(f"The expand '{expand.name}' has no relationship.")
    parents_first = association.table1 == parent_table.logical_name and (
        association.table2 != association.table1 or association.nav1 == expand.name
    )
    near, far = association.column1, association.column2
    link = Link("", far if parents_first else near, near if parents_first else far, association)
    parent = Field(_PARENT, parent_table.id_column)
    asked = replace(
        select,
        outputs=(*select.outputs, Output(_PARENT, parent)),
        joins=(*select.joins, Join(JoinKind.INNER, Source(parent_table, _PARENT), link)),
        where=conjunction(select.where, InList(parent, _literals(parents))),
    )
    return replace(inner, select=asked, plans={**inner.plans, _PARENT: everything(parent_table)})


def _literals(ids: dict[Value, None]) -> tuple[Literal, ...]:
    return tuple(Literal(row_id, ColumnType.UNIQUEIDENTIFIER) for row_id in ids)


def _parent_name(expand: Expand) -> str | None:
    return None if expand.relationship is None else expand.relationship.referenced_table
