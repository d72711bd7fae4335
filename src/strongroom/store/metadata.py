"""The schema as stored: what it has that the standard catalogue of this program has not, one document per row.

Because the catalogue itself is not stored, a newer program may bring new standard tables and columns. `fingerprint`
tells whether the database's tables were last fitted to the same catalogue.
"""

import hashlib
import json
from typing import cast

from strongroom.schema.codec import Document, Json, Kind, diff_from_standard, schema_from
from strongroom.schema.model import Schema
from strongroom.store.ddl import stored_columns
from strongroom.store.engine import Connection, Engine
from strongroom.store.indexes import table_indexes

FINGERPRINT = "fingerprint"


def load_schema(connection: Connection, version: int) -> Schema:
    """The schema of the connection's snapshot."""
    found = connection.query(
        "select kind, name, body from metadata where kind <> ? order by kind, name", (FINGERPRINT,)
    )
    return schema_from((_document(kind, name, body) for kind, name, body in found), version)


def store_schema(engine: Engine, connection: Connection, schema: Schema) -> None:
    """Replace the stored documents by those of `schema`; only what differs is written."""
    stored: dict[tuple[str, str], str | None] = {
        (kind, name): body for kind, name, body in connection.query("select kind, name, body from metadata")
    }
    wanted: dict[tuple[str, str], str | None] = {
        (document.kind.value, document.name): None if document.body is None else json.dumps(document.body)
        for document in diff_from_standard(schema)
    }
    wanted[FINGERPRINT, ""] = fingerprint(engine, schema)
    for place in stored.keys() - wanted.keys():
        connection.execute("delete from metadata where kind = ? and name = ?", place)
    for place, body in wanted.items():
        if place not in stored:
            connection.execute("insert into metadata (kind, name, body) values (?, ?, ?)", (*place, body))
        elif stored[place] != body:
            connection.execute("update metadata set body = ? where kind = ? and name = ?", (body, *place))


def fits(engine: Engine, connection: Connection, schema: Schema) -> bool:
    """Whether the database's tables were last fitted to this very schema, row security included."""
    found = connection.query("select body from metadata where kind = ?", (FINGERPRINT,))
    return bool(found) and found[0][0] == fingerprint(engine, schema) and engine.is_guarded(connection)


def fingerprint(engine: Engine, schema: Schema) -> str:
    """A digest of everything that the schema asks of the database: columns, types, indexes, and mirrored rows."""
    digest = hashlib.sha256()
    for name, table in sorted(schema.tables.items()):
        digest.update(repr((name, stored_columns(table, engine))).encode())
        digest.update(repr([index.name for index in table_indexes(table, schema, engine)]).encode())
    digest.update(repr(sorted(schema.privileges_by_name)).encode())
    digest.update(b"twins of activities")
    return digest.hexdigest()


def _document(kind: str, name: str, body: str | None) -> Document:
    return Document(Kind(kind), name, body is None, None if body is None else cast("Json", json.loads(body)))
