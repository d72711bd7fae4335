"""`accounts`: lists by OData, FetchXML, SQL and saved views; counting; creating (WA-105, WA-170, WA-230 to WA-277)."""

from dataclasses import replace

from strongroom.errors import MethodNotAllowed, QueryError
from strongroom.ids import Guid
from strongroom.query.ast import Select, conjunction
from strongroom.query.fetchxml import continued, read_fetchxml
from strongroom.query.odata import read_filter, read_query
from strongroom.query.paging import make_fetch_cookie, make_skiptoken, read_skiptoken
from strongroom.query.sql import read_sql
from strongroom.records import Page, Session, count, create, retrieve, retrieve_page
from strongroom.schema.model import Table
from strongroom.webapi import tracking
from strongroom.webapi.exchange import Exchange
from strongroom.webapi.headers import ANNOTATIONS, CRM, RETURN, check_json
from strongroom.webapi.headers import PAGE_SIZE as PREFERRED_SIZE
from strongroom.webapi.http import Response, json_response, no_content
from strongroom.webapi.kept import kept_list
from strongroom.webapi.paths import Segment, unknown_segment
from strongroom.webapi.payload import blaming, read_record
from strongroom.webapi.queries import fingerprint, next_link, set_of_view, single_select
from strongroom.webapi.rendering import JsonObject, Renderer, encode
from strongroom.webapi.values import read_row

COUNT_LIMIT = 5000
PAGE_SIZE = 5000
_ON_COLLECTIONS = ("$select", "$filter", "$orderby", "$top", "$count", "$expand", "$apply", "$skiptoken")
_BESIDE_OTHERS = ("$select", "$filter", "$orderby", "$top", "$expand", "$apply")
_BESIDE_VIEWS = ("$filter", "$top")


def respond(exchange: Exchange, session: Session, table: Table, segments: tuple[Segment, ...]) -> Response:
    """Answer for an entity set, or for `/$count` of one."""
    method = exchange.request.method
    if len(segments) == 2 and segments[1].name == "$count" and method in ("GET", "HEAD"):
        return _count(exchange, session, table)
    if len(segments) > 1:
        raise unknown_segment(str(segments[1]), ("$count",))
    if method in ("GET", "HEAD"):
        return list_rows(exchange, session, table)
    if method == "POST":
        return _create(exchange, session, table)
    raise MethodNotAllowed(
        f"The requested resource does not support http method '{method}'. It is a collection: name one row.",
        details={"allow": "GET, HEAD, POST"},
    )


def list_rows(exchange: Exchange, session: Session, table: Table) -> Response:
    """A page of rows, by whichever query language the request uses."""
    if tracking.is_tracking(exchange):
        return tracking.list_tracked(exchange, session, table)
    exchange.options.only(*_ON_COLLECTIONS, where="on a collection")
    custom = exchange.options.custom
    fetch = custom.get("fetchXml", custom.get("fetchxml"))
    view = custom.get("savedQuery") or custom.get("userQuery")
    if view is not None:
        text = set_of_view(session, table, view, user="userQuery" in custom)
        return _fetch(exchange, session, table, text, is_view=True)
    if fetch is not None:
        return _fetch(exchange, session, table, fetch)
    if "sql" in custom:
        _refuse_beside(exchange, "sql")
        select = read_sql(session.schema, custom["sql"], exchange.read_context(session))
        if select.source.table != table:
            wanted = select.source.table.entity_set_name
            raise QueryError(f"The SQL reads '{select.source.table.logical_name}': send it to {wanted}?sql=…")
        return page_of(exchange, session, replace(select, page_size=_page_size(exchange), count=exchange.options.count))
    kept = kept_list(exchange, session, table)
    if kept is not None:
        return page_of(exchange, session, kept.select, renderer=kept.renderer)
    context = exchange.read_context(session)
    select = read_query(session.schema, table, exchange.options, context, page_size=_page_size(exchange))
    return page_of(exchange, session, select)


def page_of(
    exchange: Exchange, session: Session, select: Select, path: str | None = None, renderer: Renderer | None = None
) -> Response:
    """Run `select` from the position of the request's `$skiptoken` and answer with one page (WA-178, WA-231)."""
    token = exchange.options.system.get("$skiptoken")
    mark = fingerprint(exchange)
    number, position = 1, None
    if token is not None:
        position = read_skiptoken(token, mark, exchange.environment.paging_key)
        number = position.page_number
    if renderer is None:
        renderer = exchange.renderer(session, select)
    extended = renderer.extended
    if position is not None:
        extended = replace(extended, after=position.values, page_number=number)
    page = retrieve_page(session, extended)
    head: JsonObject = {"@odata.context": renderer.context()}
    _totals(exchange, session, page, head)
    if page.total is not None and "$count" in exchange.options.system:
        head["@odata.count"] = page.total
    tail: JsonObject = {}
    if page.position is not None and not (select.top is not None and select.page_size is None):
        next_token = make_skiptoken(
            page.position or None,
            number + 1,
            mark,
            exchange.environment.paging_key,
            id_name=select.source.table.primary_id,
            first_id=_first_id(page),
        )
        tail["@odata.nextLink"] = next_link(exchange, next_token, path)
    answer = renderer.page(head, page.rows, tail)
    return json_response(200, answer, *exchange.applied(ANNOTATIONS, PREFERRED_SIZE))


def _fetch(exchange: Exchange, session: Session, table: Table, text: str, *, is_view: bool = False) -> Response:
    """A page of a FetchXML query. What a view says can be narrowed by `$filter` and `$top` (WA-262)."""
    _refuse_beside(exchange, "a view" if is_view else "fetchXml", allowed=_BESIDE_VIEWS if is_view else ())
    key = exchange.environment.paging_key
    query = read_fetchxml(session.schema, text, exchange.read_context(session), expected_table=table)
    select = continued(query, key).select
    if is_view:
        select = _narrowed(exchange, session, table, select)
    if select.page_size is None:
        select = replace(select, page_size=exchange.preferences.max_page_size or PAGE_SIZE)
    select = replace(select, count=query.returns_total_count or exchange.options.count)
    by_preference = query.count is None and exchange.preferences.max_page_size is not None
    if by_preference or "$skiptoken" in exchange.options.system:
        return page_of(exchange, session, select)
    renderer = exchange.renderer(session, select)
    page = retrieve_page(session, renderer.extended)
    body: JsonObject = {"@odata.context": renderer.context()}
    _totals(exchange, session, page, body)
    more = page.position is not None and select.top is None
    if more and exchange.preferences.wants(CRM + "morerecords"):
        body[f"@{CRM}morerecords"] = True
    if more and query.allows_cookie and exchange.preferences.wants(CRM + "fetchxmlpagingcookie"):
        following = select.page_number + 1
        body[f"@{CRM}fetchxmlpagingcookie"] = make_fetch_cookie(
            page.position, following, query.fingerprint, key, id_name=table.primary_id, first_id=_first_id(page)
        )
    body["value"] = renderer.objects(page.rows)
    return json_response(200, encode(body), *exchange.applied(ANNOTATIONS, PREFERRED_SIZE))


def _narrowed(exchange: Exchange, session: Session, table: Table, select: Select) -> Select:
    text, top = exchange.options.get("$filter"), exchange.options.top
    if text is not None:
        where, joins = read_filter(session.schema, table, text, exchange.read_context(session))
        if joins:  # their names could be those of the view's own links
            raise QueryError("Beside a view, $filter can only use columns of the table itself, and any and all.")
        select = replace(select, where=conjunction(select.where, where))
    if top is not None and exchange.preferences.max_page_size is None:  # as WA-175
        select = replace(select, top=top if select.top is None else min(top, select.top))
    return select


def _refuse_beside(exchange: Exchange, language: str, *, allowed: tuple[str, ...] = ()) -> None:
    """Options that another query language has its own words for cannot stand beside it (WA-240)."""
    refused = [name for name in _BESIDE_OTHERS if name in exchange.options.system and name not in allowed]
    if refused:
        raise QueryError(f"'{refused[0]}' cannot be used together with {language}; put it into the {language} text.")


def _first_id(page: Page) -> str | None:
    return page.rows[0].id if page.rows else None


def _totals(exchange: Exchange, session: Session, page: Page, body: JsonObject) -> None:
    preferences = exchange.preferences
    if preferences.wants(CRM + "totalrecordcount"):
        body[f"@{CRM}totalrecordcount"] = -1 if page.total is None else page.total
    if preferences.wants(CRM + "totalrecordcountlimitexceeded"):
        body[f"@{CRM}totalrecordcountlimitexceeded"] = page.total_exceeded
    if preferences.wants(CRM + "globalmetadataversion"):
        body[f"@{CRM}globalmetadataversion"] = str(session.schema.version)


def _count(exchange: Exchange, session: Session, table: Table) -> Response:
    if "$deltatoken" in exchange.options.system:
        return tracking.count_tracked(exchange, session, table)
    select = read_query(session.schema, table, exchange.options, exchange.read_context(session))
    number = count(session, select, COUNT_LIMIT)
    return Response(200, (("Content-Type", "text/plain"),), str(number).encode())


def _create(exchange: Exchange, session: Session, table: Table) -> Response:
    check_json(exchange.request)
    with blaming(table):
        body = read_row(exchange.request.body)
        new_id = create(session, table, read_record(exchange.reading(session), table, body))
    return created(exchange, session, table, new_id)


def created(exchange: Exchange, session: Session, table: Table, new_id: Guid) -> Response:
    """204 with the address of a new row, or 201 with the row when the client prefers it (WA-105, WA-106)."""
    address = f"{exchange.request.root}{table.entity_set_name}({new_id})"
    headers = (("OData-EntityId", address), ("Location", address))
    if not exchange.preferences.representation:
        return no_content(*headers)
    body = representation(exchange, session, table, new_id)
    return json_response(201, body, *headers, *exchange.applied(RETURN, ANNOTATIONS))


def representation(exchange: Exchange, session: Session, table: Table, row_id: Guid, *, expand: bool = True) -> bytes:
    """The row as GET would give it, with the request's `$select` (and `$expand` when `expand`, WA-46)."""
    select = single_select(exchange, session, table, expand=expand)
    renderer = exchange.renderer(session, select)
    record = retrieve(session, renderer.extended, row_id)
    return encode({"@odata.context": renderer.context(single=True), **renderer.object(record)})


def _page_size(exchange: Exchange) -> int | None:
    return exchange.preferences.max_page_size
