"""The service document and `$metadata`, the CSDL document of the data API (section 5)."""

from collections.abc import Sequence
from functools import lru_cache

from strongroom.schema.model import Schema
from strongroom.webapi.csdl_entities import base_types, entity_set, entity_type
from strongroom.webapi.csdl_operations import operation_imports, operation_types, operations
from strongroom.webapi.definitions.snapshot import Snapshot
from strongroom.webapi.operations_model import ListedOperation

NAMESPACE = "Microsoft.Dynamics.CRM"

METADATA_SETS = (
    "EntityDefinitions",
    "GlobalOptionSetDefinitions",
    "ManagedPropertyDefinitions",
    "RelationshipDefinitions",
)

_EDM = 'xmlns="http://docs.oasis-open.org/odata/ns/edm"'
_VOCABULARIES = "".join(
    f'<edmx:Reference Uri="https://docs.oasis-open.org/odata/odata-vocabularies/v4.0/vocabularies/{name}.xml">'
    f'<edmx:Include Namespace="{name}" Alias="{alias}"/></edmx:Reference>'
    for name, alias in (("Org.OData.Core.V1", "Core"), ("Org.OData.Capabilities.V1", "Capabilities"))
)


def service_document(schema: Schema, base_url: str) -> dict[str, object]:
    """The list of entity sets, sorted by name (WA-60). It is the same for every caller."""
    root = base_url.rstrip("/")
    names = sorted((*schema.entity_sets, *METADATA_SETS))
    return {
        "@odata.context": f"{root}/$metadata",
        "value": [{"name": name, "kind": "EntitySet", "url": name} for name in names],
    }


def render_metadata(schema: Schema, operations: Sequence[ListedOperation], annotations: bool = False) -> bytes:
    """The CSDL 4.0 document (WA-61 to WA-67): rendered once for each schema, then remembered (WA-69).

    With `annotations` it also tells descriptions, which properties the server computes, alternate keys, and for
    which sets changes are tracked (WA-67).
    """
    return _rendered(Snapshot(schema), tuple(operations), annotations)


@lru_cache(maxsize=4)
def _rendered(snapshot: Snapshot, listed: tuple[ListedOperation, ...], annotations: bool) -> bytes:
    schema = snapshot.schema
    standard = [operation for operation in listed if not operation.is_own]
    own = [operation for operation in listed if operation.is_own]
    parts = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">',
        _VOCABULARIES if annotations else "",
        f'<edmx:DataServices><Schema Namespace="{NAMESPACE}" Alias="mscrm" {_EDM}>',
        operation_types(listed),
        base_types(schema, annotations),
    ]
    parts += [
        entity_type(schema, table, annotations)
        for table in schema.tables.values()
        if table.logical_name != "activitypointer"
    ]
    parts += [operations(standard), '<EntityContainer Name="System">']
    parts += [entity_set(schema, table, annotations) for table in schema.tables.values()]
    parts += [operation_imports(listed), "</EntityContainer></Schema>"]
    if own:
        parts += [
            f'<Schema Namespace="Strongroom" Alias="sr" {_EDM}>',
            operation_types(listed, own=True),
            operations(own),
            "</Schema>",
        ]
    parts.append("</edmx:DataServices></edmx:Edmx>")
    return "".join(parts).encode()
