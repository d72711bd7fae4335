"""Rows that mirror the schema, so that clients can query it as data: privileges, messages and their filters."""

from collections.abc import Iterator, Mapping

from strongroom.ids import Guid, Key, Reference
from strongroom.schema.model import Depth, Ownership, Rights, Schema, Table
from strongroom.schema.stable_ids import stable_id
from strongroom.store import rows
from strongroom.store.layout import is_stored
from strongroom.store.protocol import Row, Value
from strongroom.store.work import Work

_READ = ("Retrieve", "RetrieveMultiple")
_WRITE = (
    "Create",
    "CreateMultiple",
    "Delete",
    "DeleteMultiple",
    "Update",
    "UpdateMultiple",
    "Upsert",
    "UpsertMultiple",
    "Associate",
    "Disassociate",
)
_OWNED = (
    "Assign",
    "GrantAccess",
    "ModifyAccess",
    "RetrievePrincipalAccess",
    "RetrieveSharedPrincipalsAndAccess",
    "RevokeAccess",
)

_Rows = dict[Guid, dict[str, Value]]


def mirror_schema(work: Work) -> None:
    """Bring the rows of `privilege`, `sdkmessage` and `sdkmessagefilter` in line with the schema (SM-20, WA-307)."""
    schema = work.schema
    _bring_in_line(work, "privilege", _privileges(schema))
    _bring_in_line(work, "sdkmessage", _messages())
    _bring_in_line(work, "sdkmessagefilter", _filters(schema))


def _privileges(schema: Schema) -> _Rows:
    return {
        privilege.id: {
            "name": privilege.name,
            "accessright": int(privilege.right),
            "canbebasic": Depth.BASIC in privilege.depths,
            "canbelocal": Depth.LOCAL in privilege.depths,
            "canbedeep": Depth.DEEP in privilege.depths,
            "canbeglobal": Depth.GLOBAL in privilege.depths,
        }
        for privilege in schema.privileges_by_id.values()
    }


def _messages() -> _Rows:
    return {
        stable_id("sdkmessage", name): {"name": name, "isactive": True, "isprivate": False}
        for name in (*_READ, *_WRITE, *_OWNED)
    }


def _filters(schema: Schema) -> _Rows:
    return {
        stable_id("sdkmessagefilter", f"{message}.{table.logical_name}"): {
            "sdkmessageid": Reference("sdkmessage", stable_id("sdkmessage", message)),
            "primaryobjecttypecode": table.logical_name,
        }
        for table in schema.tables.values()
        if not table.is_intersect
        for message in _messages_of(table)
    }


def _messages_of(table: Table) -> Iterator[str]:
    yield from _READ
    if Rights.CREATE in table.privileges:
        yield from _WRITE
    if table.ownership is Ownership.USER:
        yield from _OWNED


def _bring_in_line(work: Work, name: str, wanted: _Rows) -> None:
    table = work.schema.tables.get(name)
    if table is None:
        return
    shape = work.shape(table)
    existing = {read.id: read for read in map(shape.read, work.connection.query(shape.select))}
    kept = [column for column, found in table.columns.items() if is_stored(table, found)]
    rows.delete(work, table, [row for identity, row in existing.items() if identity not in wanted])
    fresh: list[Row] = []
    for identity, values in wanted.items():
        values = _only(values, kept)
        row = existing.get(identity)
        if row is None:
            fresh.append(Row(table, Key(0), identity, None, None, 0, values))
        elif any(row.values.get(column) != value for column, value in values.items()):
            rows.update(work, row, values)
    rows.insert(work, table, fresh)


def _only(values: Mapping[str, Value], columns: list[str]) -> dict[str, Value]:
    return {name: value for name, value in values.items() if name in columns}
