"""Which indexes a table has, and why (performance, "Indexes per table").

The name of an index ends in a digest of its definition, so that a changed definition is a new index and a comparison
of names is enough to bring a database up to date.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from strongroom.schema.model import AlternateKey, Column, Schema, Table
from strongroom.store.dialect import quote
from strongroom.store.engine import Engine
from strongroom.store.layout import (
    SHARES,
    has_owner_key,
    has_unit,
    is_folded,
    is_stored,
    is_tracked,
    sort_column,
)

GUID = "guid"
KEY = "key"

_BOOKKEEPING = frozenset(
    {
        "createdby",
        "createdonbehalfby",
        "modifiedby",
        "modifiedonbehalfby",
        "organizationid",
        "transactioncurrencyid",
        "solutionid",
    }
)
"""Lookups that nobody follows backwards; an index on them would be paid for by every insert."""

_NONE: frozenset[str] = frozenset()
_ONLY = {"audit": frozenset({"objectid"}), "activitylog": _NONE}
"""Tables that are written so often that only these lookups have an index."""

_TESTED = {
    ("audit", "createdon"): ("userid", "action"),
    ("activitylog", "createdon"): ("userid", "callinguserid", "category", "objecttypecode"),
}
"""Columns that an index in the order of another one carries along, so that who looks for entries of a user or an action
in a time passes over the others without reading them. An index of its own would cost every write a page more."""

_ALSO = {"audit": ("expireson",), "systemuser": ("azureactivedirectoryobjectid",)}
"""Columns that the platform finds rows by, though no client declared them so."""


@dataclass(frozen=True, slots=True)
class Index:
    """One index: its name and the statement that makes it."""

    name: str
    sql: str
    key: AlternateKey | None = None


def table_indexes(table: Table, schema: Schema, engine: Engine) -> list[Index]:
    """All indexes that `table` should have; alternate keys that are not active have none."""
    make = _Maker(table, engine)
    guid = quote(table.primary_id)
    found = [make.index(GUID, guid, unique=True)]
    if table.is_intersect:
        return found + list(_link_indexes(table, schema, make))
    found += _list_indexes(table, engine, make, guid)
    if table.logical_name == SHARES:
        # It begins with the principal, so that nothing but a search by principal is drawn to an index that covers all.
        order = 'principal, objecttypecode, "sort"{nulls}, objectid, object'
        of_row = ("owner", "unit", "alone", "accessrightsmask", "inheritedaccessrightsmask")
        found.append(make.index("principal", order, include=of_row))
        found.append(
            make.index(
                "object",
                "objecttypecode, object, principal",
                unique=True,
                include=("accessrightsmask", "inheritedaccessrightsmask"),
            )
        )
    if is_tracked(table):
        found.append(make.index("version", "versionnumber"))
    for column in table.columns.values():
        if is_stored(table, column):
            found += _column_indexes(table, column, make, guid)
    for key in table.keys:
        if key.is_active:
            found += _key_indexes(table, key, engine, make)
    return found


def key_columns(table: Table, key: AlternateKey) -> list[str]:
    """The stored columns that an alternate key is compared by: text through its folded form."""
    return [f"{name}__fold" if is_folded(table, table.columns[name]) else name for name in key.columns]


def _list_indexes(table: Table, engine: Engine, make: "_Maker", guid: str) -> Iterator[Index]:
    sort = sort_column(table)
    order = f"{quote(sort)}{{nulls}}, {guid}" if sort else guid
    if sort:
        yield make.index("name", order)
    key = ("id",) if engine.name == "postgresql" else ()  # SQLite's indexes hold the integer key anyway
    if has_owner_key(table):
        yield make.index("owner", f"owner, {order}", include=key)
    if has_unit(table):
        tail = ", owner" if has_owner_key(table) else ""
        yield make.index("unit", f"unit, {order}{tail}", include=key)


def _column_indexes(table: Table, column: Column, make: "_Maker", guid: str) -> Iterator[Index]:
    name = column.logical_name
    if name == table.primary_id:
        return
    followed = column.type.is_lookup and name in _ONLY.get(table.logical_name, {name}) and name not in _BOOKKEEPING
    if followed or (table.logical_name in _ALSO and name in _ALSO[table.logical_name]):
        yield make.index(name, quote(name), where=f"{quote(name)} is not null")
    elif column.is_indexed and not column.is_encrypted and not column.type.is_lookup and name != table.primary_name:
        stored = f"{name}__fold" if is_folded(table, column) else name
        tested = "".join(f", {quote(other)}" for other in _TESTED.get((table.logical_name, name), ()))
        yield make.index(name, f"{quote(stored)}{{nulls}}, {guid}{tested}")


def _key_indexes(table: Table, key: AlternateKey, engine: Engine, make: "_Maker") -> Iterator[Index]:
    """Unique over rows without nulls, and over those with some; rows with nulls only are not compared (WA-346)."""
    columns = [quote(name) for name in key_columns(table, key)]
    yield make.index(KEY, ", ".join(columns), unique=True, key=key)
    if len(columns) > 1:
        some = " or ".join(f"{name} is null" for name in columns)
        every = " and ".join(f"{name} is null" for name in columns)
        yield make.index(
            f"{KEY}_nulls",
            ", ".join(engine.unique_null(name) for name in columns),
            unique=True,
            nulls_equal=True,
            where=f"({some}) and not ({every})",
            key=key,
        )


def _link_indexes(table: Table, schema: Schema, make: "_Maker") -> Iterator[Index]:
    """A pair of rows is linked once, and found from either side."""
    seen: set[frozenset[str]] = set()
    for association in schema.many_to_many.values():
        pair = frozenset({association.column1, association.column2})
        if association.intersect == table.logical_name and pair not in seen and pair <= table.columns.keys():
            seen.add(pair)
            first, second = quote(association.column1), quote(association.column2)
            yield make.index("link", f"{first}, {second}", unique=True)
            yield make.index("back", f"{second}, {first}")


class _Maker:
    """Writes the statements of one table's indexes in the words of one engine."""

    def __init__(self, table: Table, engine: Engine) -> None:
        self._table = table.logical_name
        self._engine = engine

    def index(
        self,
        purpose: str,
        columns: str,
        *,
        unique: bool = False,
        nulls_equal: bool = False,
        include: tuple[str, ...] = (),
        where: str | None = None,
        key: AlternateKey | None = None,
    ) -> Index:
        server = self._engine.name == "postgresql"
        body = columns.replace("{nulls}", " nulls first" if server else "")
        if include and (server or not unique):
            body += f") include ({', '.join(include)}" if server else f", {', '.join(include)}"
        tail = self._engine.same_or_null() if nulls_equal else ""
        if where:
            tail += f" where {where}"
        definition = f"on {quote(self._table)} ({body}){tail}"
        digest = hashlib.sha256(f"{unique} {definition}".encode()).hexdigest()[:8]
        name = f"{'uq' if unique else 'ix'}_{self._table[:24]}_{purpose[:20]}_{digest}"
        return Index(name, f"create {'unique ' if unique else ''}index {quote(name)} {definition}", key)


__all__ = ["GUID", "KEY", "Index", "key_columns", "table_indexes"]
