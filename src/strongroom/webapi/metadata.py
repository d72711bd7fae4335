"""The service document, `$metadata`, and the metadata API over HTTP (sections 5 and 23).

Reading depends on nothing but the schema; writing makes a new schema, which the store turns into tables in the same
transaction. Every authenticated user reads metadata; changing it needs the customization privileges (WA-340).
"""

from dataclasses import replace

from strongroom.access.resolve import require_privilege, require_usable
from strongroom.errors import MethodNotAllowed
from strongroom.records import Session
from strongroom.records.metadata_changes import change_schema
from strongroom.solutions.placing import option_prefix
from strongroom.webapi import csdl
from strongroom.webapi.definitions import OPTION_ACTIONS, read, require_method, write
from strongroom.webapi.exchange import Exchange
from strongroom.webapi.headers import check_json
from strongroom.webapi.http import Response, json_response, no_content
from strongroom.webapi.openapi import render_openapi
from strongroom.webapi.operations_listing import listed_operations
from strongroom.webapi.paths import Segment
from strongroom.webapi.rendering import encode
from strongroom.webapi.values import read_object

OPENAPI = "openapi.json"

METADATA_ACTIONS = OPTION_ACTIONS | {
    "CreateEntities",
    "CreatePolymorphicLookupAttribute",
    "CreateCustomerRelationships",
}
"""Actions that change metadata and are answered here."""

ROOTS = frozenset(
    {
        "",
        "$metadata",
        OPENAPI,
        "EntityDefinitions",
        "RelationshipDefinitions",
        "GlobalOptionSetDefinitions",
        "ManagedPropertyDefinitions",
        "RetrieveMetadataChanges",
        *METADATA_ACTIONS,
    }
)
_SOLUTION = "SolutionUniqueName"
"""The parameter of actions that names the solution of what they make."""

_VERBS = {"POST": "Create", "PUT": "Write", "PATCH": "Write", "DELETE": "Delete"}


def respond(exchange: Exchange, segments: tuple[Segment, ...]) -> Response:
    """Answer for anything that is metadata."""
    method = exchange.request.method
    if not segments or segments[0].name in ("$metadata", OPENAPI):
        if method not in ("GET", "HEAD"):
            raise MethodNotAllowed(
                f"The requested resource does not support http method '{method}'.", details={"allow": "GET, HEAD"}
            )
        return _described(exchange, segments)
    if method in ("GET", "HEAD"):
        with exchange.session(write=False) as session:
            shown = read(
                session.schema,
                [str(segment) for segment in segments],
                {**exchange.options.system, **exchange.options.aliases},
                exchange.request.root,
            )
        return json_response(200, shown)
    with exchange.session(write=True) as session:
        return _write(exchange, session, segments)


def _described(exchange: Exchange, segments: tuple[Segment, ...]) -> Response:
    with exchange.session(write=False) as session:
        schema = session.schema
    if segments and segments[0].name == OPENAPI:
        document = render_openapi(schema, exchange.request.root, exchange.options.custom.get("tables"))
        return json_response(200, document)
    if not segments:
        return json_response(200, encode(csdl.service_document(schema, exchange.request.root)))
    etag = f'W/"{schema.version}"'
    if exchange.request.header("if-none-match") == etag:
        return Response(304, (("ETag", etag),))
    annotated = exchange.options.custom.get("annotations") == "true" or bool(exchange.preferences.annotations)
    document = csdl.render_metadata(schema, listed_operations(), annotated)
    return Response(200, (("Content-Type", "application/xml"), ("ETag", etag)), document)


def _write(exchange: Exchange, session: Session, segments: tuple[Segment, ...]) -> Response:
    request = exchange.request
    names = [str(segment) for segment in segments]
    require_method(request.method, names)
    check_json(request)
    body = read_object(request.body)
    require_usable(session.caller)
    require_privilege(session.caller, _privilege(request.method, segments))
    name = body.get(_SOLUTION)
    if segments[0].name in METADATA_ACTIONS and isinstance(name, str) and name:
        session.request = replace(session.request, solution=name)
    prefix = option_prefix(session)
    change = write(session.schema, request.method, names, body, request.headers, option_prefix=prefix)
    change_schema(session, change.new_schema)
    if change.answer is not None:
        return json_response(200, encode(change.answer))
    if change.entity_id_path is None:
        return no_content()
    return no_content(("OData-EntityId", request.root + change.entity_id_path))


def _privilege(method: str, segments: tuple[Segment, ...]) -> str:
    """The customization privilege that a metadata write needs."""
    verb = _VERBS[method]
    names = {segment.name for segment in segments}
    first = segments[0].name
    if "Attributes" in names or "Keys" in names:
        return f"prv{verb}Attribute"
    if first in OPTION_ACTIONS:
        return "prvWriteOptionSet"
    if first in ("CreatePolymorphicLookupAttribute", "CreateCustomerRelationships"):
        return "prvCreateRelationship"
    if first == "RelationshipDefinitions":
        return f"prv{verb}Relationship"
    if first == "GlobalOptionSetDefinitions":
        return f"prv{verb}OptionSet"
    return f"prv{verb}Entity"
