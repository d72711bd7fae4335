"""What a change of metadata would leave behind in rows, and what in rows forbids it (WA-344, WA-345).

A table that goes takes along what its relationships cascade to (notes, activities), empties the lookups of other rows
that pointed to it, and takes the permissions, masking rules and views that speak of it; so does a column, for what
speaks of the column. All of it happens in the platform's name and in the transaction of the change.
"""

from collections.abc import Iterator

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from strongroom.errors import InvalidRequest
from strongroom.ids import Reference
from strongroom.records.delete import delete_rows
from strongroom.records.inheritance import leave
from strongroom.records.session import Session
from strongroom.records.trail import record_deletions, record_update
from strongroom.schema.activities import POINTER
from strongroom.schema.model import Column, Relationship, Schema, Table
from strongroom.store.layout import is_stored
from strongroom.store.protocol import Row

_IN_USE = "0x8004f01f"
_NAMING_COLUMNS = ("fieldpermission", "attributemaskingrule")
"""Tables whose rows speak of a column, by `entityname` and `attributelogicalname`."""

_NAMING_TABLES = (
    ("savedquery", "returnedtypecode"),
    ("userquery", "returnedtypecode"),
    ("savedqueryvisualization", "primaryentitytypecode"),
    ("systemform", "objecttypecode"),
)
"""Tables whose rows are about one table, and the column that says which."""


def refuse_what_rows_forbid(session: Session, after: Schema) -> None:
    """400 when a text would no longer fit its column (WA-344), or when a view shows a column that goes (WA-345)."""
    for old, new in _kept_tables(session.schema, after):
        for name, column in new.columns.items():
            before = old.columns.get(name)
            if before is not None and _is_shorter(before, column) and is_stored(old, before):
                _refuse_longer_text(session, old, column)
        gone = [name for name in old.columns if name not in new.columns]
        if gone:
            _refuse_shown(session, old, gone)


def remove_leftovers(session: Session, after: Schema) -> None:
    """Remove what rows would still say of parts that `after` no longer has. Call it before the schema changes."""
    before = session.schema
    for relationship in before.relationships.values():
        if relationship.schema_name not in after.relationships:
            _cut(session, relationship, after)
    for name, table in before.tables.items():
        kept = after.tables.get(name)
        if kept is None:
            _forget_table(session, name)
        elif kept is not table:
            for column in table.columns.values():
                left = kept.columns.get(column.logical_name)
                if left is None or (column.is_secured and not left.is_secured):  # secured again, it is closed again
                    _forget_column(session, name, column)


def _kept_tables(before: Schema, after: Schema) -> Iterator[tuple[Table, Table]]:
    for name, old in before.tables.items():
        new = after.tables.get(name)
        if new is not None and new is not old:
            yield old, new


def _is_shorter(before: Column, after: Column) -> bool:
    return before.max_length is not None and after.max_length is not None and after.max_length < before.max_length


def _refuse_longer_text(session: Session, table: Table, column: Column) -> None:
    limit = column.max_length or 0
    if session.transaction.has_longer_text(table, column, limit):
        raise InvalidRequest(
            f"The MaxLength of column '{column.logical_name}' of table '{table.logical_name}' cannot be reduced to "
            f"{limit}: there are rows with longer values.",
            code="0x80044331",
        )


def _refuse_shown(session: Session, table: Table, gone: list[str]) -> None:
    views = session.table("savedquery")
    for view in session.transaction.rows_where(views, {}):
        for used in _columns_in(view.values.get("fetchxml"), table.logical_name):
            if used in gone:
                raise InvalidRequest(
                    f"The column '{used}' of table '{table.logical_name}' cannot be deleted: the view "
                    f"'{view.values.get('name')}' uses it.",
                    code=_IN_USE,
                )


def _columns_in(fetch: object, table: str) -> Iterator[str]:
    """The columns of `table` that a view's FetchXML names; what cannot be read names none."""
    if not isinstance(fetch, str) or not fetch:
        return
    try:
        root = fromstring(fetch)
    except (ParseError, DefusedXmlException):
        return
    for place in root.iter():
        if place.tag not in ("entity", "link-entity") or place.get("name") != table:
            continue
        waiting = list(place)
        while waiting:
            element = waiting.pop()
            if element.tag == "link-entity":
                continue
            waiting += element
            named = element.get("name") if element.tag == "attribute" else element.get("attribute")
            if named:
                yield named


def _cut(session: Session, relationship: Relationship, after: Schema) -> None:
    """Let go of the rows that pointed through a relationship which is no more, while their lookup stays."""
    child = after.tables.get(relationship.referencing_table)
    if child is None or child.logical_name == POINTER or relationship.referencing_column not in child.columns:
        return
    rows = session.transaction.pointing(relationship)
    if relationship.cascade.delete == "Cascade" and relationship.referenced_table not in after.tables:
        delete_rows(session, rows, is_platform=True)
        return
    column = relationship.referencing_column
    for row in rows:
        old = row.values.get(column)
        session.transaction.update(row, {column: None})
        record_update(session, row, {column: (old, None)})
        if isinstance(old, Reference):
            leave(session, relationship, row, old.id)


def _forget_table(session: Session, name: str) -> None:
    for about in _NAMING_COLUMNS:
        _delete(session, about, {"entityname": name})
    for about, column in _NAMING_TABLES:
        _delete(session, about, {column: name})


def _forget_column(session: Session, table: str, column: Column) -> None:
    for about in _NAMING_COLUMNS:
        _delete(session, about, {"entityname": table, "attributelogicalname": column.logical_name})
    _delete(session, "principalobjectattributeaccess", {"attributeid": column.metadata_id})


def _delete(session: Session, table_name: str, columns: dict[str, object]) -> None:
    table = session.schema.tables.get(table_name)
    if table is None:
        return
    rows: list[Row] = session.transaction.rows_where(table, columns)
    if rows:
        record_deletions(session, rows)
        session.transaction.delete(table, rows)
