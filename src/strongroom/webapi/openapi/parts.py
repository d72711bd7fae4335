"""Pieces of an OpenAPI document that many paths refer to."""

from collections.abc import Iterable, Mapping
from typing import Final

Json = dict[str, object]

ERROR: Final = "ODataError"
BEARER: Final = "bearerAuth"

_PRIMITIVES: Mapping[str, Json] = {
    "Edm.Binary": {"type": "string", "format": "byte"},
    "Edm.Boolean": {"type": "boolean"},
    "Edm.Date": {"type": "string", "format": "date"},
    "Edm.DateTimeOffset": {"type": "string", "format": "date-time"},
    "Edm.Decimal": {"type": "number"},
    "Edm.Double": {"type": "number", "format": "double"},
    "Edm.Guid": {"type": "string", "format": "uuid"},
    "Edm.Int32": {"type": "integer", "format": "int32"},
    "Edm.Int64": {"type": "integer", "format": "int64"},
    "Edm.String": {"type": "string"},
}


def primitive(type_: str) -> Json:
    """The schema of an Edm type; an object of whatever form for any other name."""
    return dict(_PRIMITIVES.get(type_, {"type": "object"}))


def ref(name: str) -> Json:
    """A reference to a schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def parameter(name: str) -> Json:
    """A reference to a shared parameter."""
    return {"$ref": f"#/components/parameters/{name}"}


def described(text: str, schema: Json | None = None, headers: Iterable[str] = ()) -> Json:
    """A response with a JSON body, or without a body."""
    found: Json = {"description": text}
    if schema is not None:
        found["content"] = {"application/json": {"schema": schema}}
    names: Json = {name: {"schema": {"type": "string"}} for name in headers}
    if names:
        found["headers"] = names
    return found


def responses(by_status: Mapping[str, Json]) -> Json:
    """`by_status`, and the error that everything may be answered with."""
    return {**by_status, "default": {"$ref": "#/components/responses/Error"}}


def object_of(properties: Json, required: Iterable[str] = ()) -> Json:
    """The schema of an object. Annotations may stand beside its properties."""
    found: Json = {"type": "object", "properties": properties}
    names = list(required)
    if names:
        found["required"] = names
    return found


SHARED_SCHEMAS: Final[Json] = {
    ERROR: object_of(
        {"error": object_of({"code": {"type": "string"}, "message": {"type": "string"}}, ("code", "message"))},
        ("error",),
    ),
}

SHARED_RESPONSES: Final[Json] = {
    "Error": described("Refused, with a code that programs can tell apart.", ref(ERROR)),
}


def _query(name: str, text: str, schema: Json) -> Json:
    return {"name": name, "in": "query", "description": text, "schema": schema}


def _header(name: str, text: str) -> Json:
    return {"name": name, "in": "header", "description": text, "schema": {"type": "string"}}


SHARED_PARAMETERS: Final[Json] = {
    "filter": _query("$filter", "Which rows: name eq 'Contoso' and revenue gt 1000.", {"type": "string"}),
    "orderby": _query("$orderby", "The order: name desc,createdon.", {"type": "string"}),
    "expand": _query("$expand", "Related rows: primarycontactid($select=fullname).", {"type": "string"}),
    "apply": _query("$apply", "Groups and sums: groupby((name),aggregate($count as number)).", {"type": "string"}),
    "top": _query("$top", "At most so many rows.", {"type": "integer", "minimum": 1, "maximum": 5000}),
    "count": _query("$count", "Whether to count all rows, up to 5000.", {"type": "boolean"}),
    "fetchXml": _query("fetchXml", "A FetchXML query in the place of the other options.", {"type": "string"}),
    "savedQuery": _query("savedQuery", "The id of a view to run.", primitive("Edm.Guid")),
    "userQuery": _query("userQuery", "The id of a view of one's own to run.", primitive("Edm.Guid")),
    "skiptoken": _query("$skiptoken", "The position that @odata.nextLink has.", {"type": "string"}),
    "deltatoken": _query("$deltatoken", "The version that @odata.deltaLink has.", {"type": "string"}),
    "prefer": _header(
        "Prefer",
        'return=representation, odata.maxpagesize=50, odata.include-annotations="*", odata.track-changes, …',
    ),
    "if-match": _header("If-Match", "The ETag that the row must have; * for any row that is there."),
    "if-none-match": _header("If-None-Match", "* to create only; an ETag to read only what has changed."),
}
