"""Change tracking on the wire: `Prefer: odata.track-changes`, `@odata.deltaLink`, `$deltatoken` (WA-310 to WA-314)."""

from dataclasses import replace
from urllib.parse import quote

from strongroom.errors import QueryError
from strongroom.query.ast import Select
from strongroom.query.delta_tokens import DeltaToken, make_delta_token, read_delta_token
from strongroom.query.odata import Options, read_query
from strongroom.query.paging import MalformedCookie, make_skiptoken, read_skiptoken
from strongroom.records import Session, retrieve_page
from strongroom.records.tracking import (
    Difference,
    Place,
    Removed,
    Span,
    at_version,
    count_changes,
    difference,
    may_continue,
    require_known,
    require_tracked,
    start_tracking,
)
from strongroom.schema.model import Table
from strongroom.webapi.exchange import Exchange
from strongroom.webapi.headers import ANNOTATIONS, PAGE_SIZE, TRACK_CHANGES
from strongroom.webapi.http import Response, json_response
from strongroom.webapi.queries import fingerprint, link_with
from strongroom.webapi.rendering import JsonObject, encode

_MOST = 5000
_ALLOWED = frozenset({"$select", "$count", "$skiptoken", "$deltatoken"})
_OTHER_LANGUAGES = ("fetchXml", "savedQuery", "userQuery", "sql")
_MARK = 'istracking="True"'


def is_tracking(exchange: Exchange) -> bool:
    """Whether a list is to be followed: the client prefers it, or goes on with what it has begun."""
    system = exchange.options.system
    return (
        exchange.preferences.track_changes
        or "$deltatoken" in system
        or ("$skiptoken" in system and _MARK in system["$skiptoken"])
    )


def list_tracked(exchange: Exchange, session: Session, table: Table) -> Response:
    """The whole table, with a link to what will have changed; or what has changed since the token that is brought."""
    _check(exchange, table)
    token = exchange.options.system.get("$deltatoken")
    select = _select(exchange, session, table)
    return _whole(exchange, session, select) if token is None else _changes(exchange, session, select, token)


def count_tracked(exchange: Exchange, session: Session, table: Table) -> Response:
    """`/$count?$deltatoken=…`: how many entries the difference has (WA-313)."""
    _check(exchange, table)
    start_tracking(session, table)
    token = _token(exchange, session, table, exchange.options.system.get("$deltatoken", ""))
    number = count_changes(session, table, Span(token.version, session.transaction.tracking.version))
    return Response(200, (("Content-Type", "text/plain"),), str(number).encode())


def _check(exchange: Exchange, table: Table) -> None:
    refused = next((name for name in exchange.options.system if name not in _ALLOWED), None)
    if refused is None:
        refused = next((name for name in _OTHER_LANGUAGES if name in exchange.options.custom), None)
    if refused is not None:
        name = refused.removeprefix("$")
        raise QueryError(f'The "${{{name}}}" query parameter isn\'t supported when Change Tracking is enabled.')
    require_tracked(table)


def _select(exchange: Exchange, session: Session, table: Table) -> Select:
    shown = {name: text for name, text in exchange.options.system.items() if name == "$select"}
    return read_query(session.schema, table, Options(shown), exchange.read_context(session))


def _whole(exchange: Exchange, session: Session, select: Select) -> Response:
    table = select.source.table
    version = start_tracking(session, table)
    number, position = 1, None
    begun = exchange.options.system.get("$skiptoken")
    if begun is not None:
        number, (version, *position) = _position(exchange, begun)
    renderer = exchange.renderer(session, select)
    size = exchange.preferences.max_page_size or _MOST
    counted = exchange.options.count
    query = replace(at_version(renderer.extended, version), page_size=size, count=counted)
    page = retrieve_page(session, replace(query, after=None if position is None else tuple(position)))
    head: JsonObject = {"@odata.context": renderer.context()}
    if page.total is not None:
        head["@odata.count"] = page.total
    tail: JsonObject
    if page.position is not None:
        tail = _next(exchange, (version, *page.position), number)
    else:
        tail = {"@odata.deltaLink": _delta_link(exchange, session, table, version)}
    return json_response(200, renderer.page(head, page.rows, tail), *_applied(exchange))


def _changes(exchange: Exchange, session: Session, select: Select, text: str) -> Response:
    table = select.source.table
    begun = exchange.options.system.get("$skiptoken")
    number, until, place = 1, session.transaction.tracking.version, None
    goes_on = may_continue(session, table, is_own=True)
    token = _token(exchange, session, table, text)
    if not goes_on:
        may_continue(session, table, is_own=token.is_own)
    if begun is not None:
        number, (until, part, after) = _position(exchange, begun)
        place = Place(part, after)
    renderer = exchange.renderer(session, select)
    span, size = Span(token.version, until), exchange.preferences.max_page_size or _MOST
    found = difference(session, renderer.extended, span, size, place, goes_on=goes_on)
    context = f"{exchange.request.root}$metadata#{table.entity_set_name}"
    body: JsonObject = {"@odata.context": f"{renderer.context()}/$delta"}
    if exchange.options.count and goes_on:
        body["@odata.count"] = count_changes(session, table, span)
    body["value"] = [*renderer.objects(found.rows), *(_removed(context, each) for each in found.removed)]
    return json_response(200, encode(body | _tail(exchange, session, table, found, until, number)), *_applied(exchange))


def _tail(exchange: Exchange, session: Session, table: Table, found: Difference, until: int, number: int) -> JsonObject:
    if found.next is not None:
        return _next(exchange, (until, found.next.part, found.next.after), number)
    return {} if found.is_final else {"@odata.deltaLink": _delta_link(exchange, session, table, until)}


def _removed(context: str, row: Removed) -> JsonObject:
    reason = "deleted" if row.is_deleted else "changed"
    return {"@odata.context": f"{context}/$deletedEntity", "id": row.id, "reason": reason}


def _token(exchange: Exchange, session: Session, table: Table, text: str) -> DeltaToken:
    """The token, if what has happened since is still known (WA-313)."""
    token = read_delta_token(text, table, session.caller.id, exchange.environment.paging_key)
    require_known(session, token.version, token.made_on)
    return token


def _delta_link(exchange: Exchange, session: Session, table: Table, version: int) -> str:
    key = exchange.environment.paging_key
    token = make_delta_token(version, session.now, table, session.caller.id, key)
    return link_with(exchange, {"$skiptoken": None, "$deltatoken": quote(token, safe="")})


def _next(exchange: Exchange, place: tuple[object, ...], number: int) -> JsonObject:
    token = make_skiptoken(place, number + 1, _mark(exchange), exchange.environment.paging_key, is_tracking=True)
    return {"@odata.nextLink": link_with(exchange, {"$skiptoken": token})}


def _position(exchange: Exchange, text: str) -> tuple[int, tuple[int, ...]]:
    """The number of the page that is asked for, and what `_next` put into the link."""
    position = read_skiptoken(text, _mark(exchange), exchange.environment.paging_key)
    if position.values is None:
        raise MalformedCookie
    return position.page_number, position.values  # pyright: ignore[reportReturnType]  # signed: as `_next` wrote it


def _mark(exchange: Exchange) -> str:
    """Another than that of the same list without tracking, whose positions look different."""
    return f"{fingerprint(exchange)} tracking"


def _applied(exchange: Exchange) -> tuple[tuple[str, str], ...]:
    return exchange.applied(ANNOTATIONS, PAGE_SIZE, TRACK_CHANGES)
