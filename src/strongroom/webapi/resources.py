"""Which resource a path names, and which handler answers for it.

| path | handler |
| --- | --- |
| `` · `$metadata` · `EntityDefinitions…` and kin | `metadata` |
| `accounts` | `collections` |
| `accounts(…)` | `rows` |
| `accounts(…)/name`, `/primarycontactid`, `/Account_Tasks` | `properties`, `navigation` |
| `…/$ref` | `references` |
| `accounts/Microsoft.Dynamics.CRM.X`, `X`, `X(…)` | `operations` |
"""

from strongroom.errors import MethodNotAllowed
from strongroom.schema.model import Schema, Table
from strongroom.webapi import collections, metadata, navigation, operations, rows
from strongroom.webapi.exchange import Exchange
from strongroom.webapi.http import Response
from strongroom.webapi.paths import NAMESPACE, Segment

WRITING = frozenset({"POST", "PATCH", "PUT", "DELETE"})
METHODS = frozenset({"GET", "HEAD"}) | WRITING


def respond(exchange: Exchange, segments: tuple[Segment, ...]) -> Response:
    """Answer a request for one resource."""
    request = exchange.request
    if request.method not in METHODS:
        raise MethodNotAllowed(
            f"The requested resource does not support http method '{request.method[:20]}'.",
            details={"allow": "GET, HEAD, POST, PATCH, PUT, DELETE"},
        )
    if not segments or segments[0].name in metadata.ROOTS:
        return metadata.respond(exchange, segments)
    with exchange.session(write=request.method in WRITING or operations.is_changing(segments)) as session:
        schema = session.schema
        first = segments[0]
        table = schema.entity_sets.get(first.name)
        if table is None:
            return operations.respond_unbound(exchange, session, segments)
        if len(segments) > 1 and segments[-1].operation is not None:
            cast_target = _cast(schema, table, segments)
            if cast_target is None:
                return operations.respond_bound(exchange, session, table, segments)
            segments = cast_target
        if first.key is None:
            return collections.respond(exchange, session, table, segments)
        if len(segments) == 1:
            return rows.respond(exchange, session, table, first.key)
        return navigation.respond(exchange, session, table, segments)


def _cast(schema: Schema, table: Table, segments: tuple[Segment, ...]) -> tuple[Segment, ...] | None:
    """The path without a type cast to the table's own type (WA-80), or None when the last segment is an operation."""
    last = segments[-1]
    if last.key is None and last.name == f"{NAMESPACE}{table.logical_name}" and len(segments) == 2:
        return segments[:-1]
    return None
