"""Which resource a path names, and which handler answers for it.

| path | handler |
| --- | --- |
| `` · `$metadata` · `EntityDefinitions…` and kin | `metadata` |
| `accounts` | `collections` |
| `accounts(…)` | `rows` |
| `accounts(…)/name`, `/primarycontactid`, `/Account_Tasks` | `properties`, `navigation` |
| `$entity?$id=accounts(…)` | as `accounts(…)` |
| `…/$ref` | `references` |
| `…/Microsoft.Dynamics.CRM.account` (a type) | `casts`, then as without it |
| `accounts/Microsoft.Dynamics.CRM.X`, `X`, `X(…)` | `operations` |
"""

import re
from dataclasses import replace

from strongroom.errors import MethodNotAllowed, QueryError
from strongroom.query.odata import Options, parse_reference
from strongroom.webapi import casts, collections, metadata, metadata_levels, navigation, operations, rows
from strongroom.webapi.bypassing import demand_bypasses
from strongroom.webapi.exchange import Exchange
from strongroom.webapi.http import Response
from strongroom.webapi.paths import Segment

WRITING = frozenset({"POST", "PATCH", "PUT", "DELETE"})
METHODS = frozenset({"GET", "HEAD"}) | WRITING
_ALIAS = re.compile(r"@\w{1,100}")


def respond(exchange: Exchange, segments: tuple[Segment, ...]) -> Response:
    """Answer a request for one resource."""
    if segments and segments[0].name == "$entity":
        exchange, segments = _entity(exchange)
    elif segments and "@" in (segments[0].key or ""):
        segments = (_with_alias(exchange, segments[0]), *segments[1:])
    return metadata_levels.shown(exchange, _respond(exchange, segments))


def _respond(exchange: Exchange, segments: tuple[Segment, ...]) -> Response:
    request = exchange.request
    if request.method not in METHODS:
        raise MethodNotAllowed(
            f"The requested resource does not support http method '{request.method[:20]}'.",
            details={"allow": "GET, HEAD, POST, PATCH, PUT, DELETE"},
        )
    if not segments or segments[0].name in metadata.ROOTS:
        return metadata.respond(exchange, segments)
    with exchange.session(write=request.method in WRITING or operations.is_changing(segments)) as session:
        demand_bypasses(session, request.headers)
        first = segments[0]
        table = session.schema.entity_sets.get(first.name)
        if table is None:
            return operations.respond_unbound(exchange, session, segments)
        while len(segments) > 1 and (kind := casts.type_named(session.schema, segments[1])) is not None:
            table = casts.derived(session.schema, table, kind)
            segments = (first, *segments[2:])
        last = (first, *segments[1:])[-1]
        if len(segments) > 1 and last.operation is not None and casts.type_named(session.schema, last) is None:
            return operations.respond_bound(exchange, session, table, segments)
        if first.key is None:
            return collections.respond(exchange, session, table, segments)
        if len(segments) == 1:
            return rows.respond(exchange, session, table, first.key)
        return navigation.respond(exchange, session, table, segments)


def _with_alias(exchange: Exchange, segment: Segment) -> Segment:
    """`accounts(@id)?@id=…` with the key in its place (WA-80)."""
    key = segment.key or ""
    name, _, alias = key.rpartition("=")
    if not _ALIAS.fullmatch(alias.strip()):
        return segment
    value = exchange.options.aliases.get(alias.strip())
    if value is None:
        raise QueryError(f"The parameter alias '{alias.strip()[:60]}' in the key has no value in the query.")
    return Segment(segment.name, f"{name}={value}" if name else value)


def _entity(exchange: Exchange) -> tuple[Exchange, tuple[Segment, ...]]:
    """The row that `$entity?$id=…` names, as if its own address had been asked for (WA-135)."""
    request = exchange.request
    address = exchange.options.system.get("$id")
    if request.method not in ("GET", "HEAD") or address is None:
        raise QueryError("'$entity' is read with GET and names a row: $entity?$id=accounts(<id>).")
    entity_set, key = parse_reference(address)
    system = {name: text for name, text in exchange.options.system.items() if name != "$id"}
    options = Options(system, exchange.options.custom, exchange.options.aliases)
    named = replace(request, path=f"{entity_set}({key})")
    return replace(exchange, request=named, options=options), (Segment(entity_set, key),)
