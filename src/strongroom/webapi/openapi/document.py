"""The whole document, rendered once for each version of the metadata."""

from collections.abc import Iterable
from functools import lru_cache

from strongroom import __version__
from strongroom.errors import QueryError
from strongroom.query.names import hint
from strongroom.schema.model import Schema, Table
from strongroom.webapi.definitions.snapshot import Snapshot
from strongroom.webapi.openapi.calls import call_paths, call_schemas
from strongroom.webapi.openapi.parts import (
    BEARER,
    SHARED_PARAMETERS,
    SHARED_RESPONSES,
    SHARED_SCHEMAS,
    Json,
    described,
    responses,
)
from strongroom.webapi.openapi.rows import row_paths, row_schemas
from strongroom.webapi.operations_listing import listed_operations
from strongroom.webapi.rendering import encode


def render_openapi(schema: Schema, root: str, tables: str | None) -> bytes:
    """The document as JSON. `tables` are the logical names that it tells of, separated by commas; all when None.

    Raises `QueryError` for a name that no table has.
    """
    names = None if tables is None else tuple(sorted({name.strip() for name in tables.split(",") if name.strip()}))
    for name in names or ():
        if name not in schema.tables:
            raise QueryError(f"There is no table '{name[:100]}'.{hint(name, schema.tables)}")
    return _rendered(Snapshot(schema), root, names)


@lru_cache(maxsize=8)
def _rendered(snapshot: Snapshot, root: str, names: tuple[str, ...] | None) -> bytes:
    schema = snapshot.schema
    shown = [table for name, table in sorted(schema.tables.items()) if names is None or name in names]
    return encode(_document(schema, root, shown))


def _document(schema: Schema, root: str, shown: Iterable[Table]) -> Json:
    tables = list(shown)
    listed = listed_operations()
    paths: Json = dict(_service_paths())
    schemas: Json = dict(SHARED_SCHEMAS)
    for table in tables:
        schemas.update(row_schemas(schema, table))
        paths.update(row_paths(schema, table))
    schemas.update(call_schemas(listed))
    paths.update(call_paths(listed, tables))
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "Strongroom Web API",
            "version": f"{__version__}+{schema.version}",
            "description": "The Dataverse Web API (OData 4.0) of one environment. $metadata has the same as CSDL.",
            "license": {"name": "Apache-2.0"},
        },
        "servers": [{"url": root.rstrip("/")}],
        "security": [{BEARER: []}],
        "tags": [{"name": table.logical_name, "description": table.description or table.label} for table in tables],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "parameters": SHARED_PARAMETERS,
            "responses": SHARED_RESPONSES,
            "securitySchemes": {BEARER: {"type": "http", "scheme": "bearer"}},
        },
    }


def _service_paths() -> Json:
    described_xml: Json = {
        "description": "The CSDL document.",
        "content": {"application/xml": {"schema": {"type": "string"}}},
    }
    mixed: Json = {"multipart/mixed": {"schema": {"type": "string"}}}
    answered: dict[str, Json] = {
        "200": {"description": "The answers.", "content": mixed},
        "400": {"description": "One failed."},
    }
    definition: Json = {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}
    return {
        "/": {"get": _get("service", "The entity sets", described("Their names.", {"type": "object"}))},
        "/$metadata": {"get": _get("metadata", "All types as CSDL", described_xml)},
        "/$batch": {
            "post": {
                "operationId": "batch",
                "tags": ["service"],
                "summary": "Several requests in one, in change sets or each by itself",
                "requestBody": {"required": True, "content": mixed},
                "responses": responses(answered),
            }
        },
        "/EntityDefinitions": {
            "get": _get("EntityDefinitions_list", "Tables as data", described("Definitions.", {"type": "object"}))
        },
        "/EntityDefinitions(LogicalName='{name}')": {
            "parameters": [definition],
            "get": _get("EntityDefinitions_get", "One table as data", described("It.", {"type": "object"})),
        },
    }


def _get(name: str, summary: str, answer: Json) -> Json:
    return {"operationId": name, "tags": ["service"], "summary": summary, "responses": responses({"200": answer})}
