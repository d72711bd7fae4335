"""FetchXML text → `FetchQuery` (WA-240 to WA-259).

The order of reading follows from what may refer to what: first every join gets its alias, then joins and filters are
read (they may name any alias), then the columns of the result, last the orders (they may name columns of the result).
"""

from dataclasses import dataclass, replace

from strongroom.errors import FetchXmlError, NotOffered
from strongroom.query.ast import Order, ReadContext, Select, Source, conjunction
from strongroom.query.fetchxml.columns import Columns
from strongroom.query.fetchxml.document import Node, parse
from strongroom.query.fetchxml.filters import own_predicate, read_joins
from strongroom.query.fetchxml.links import declare_joins
from strongroom.query.fetchxml.scope import Scope, find_table
from strongroom.query.limits import MAX_CONDITIONS, MAX_TOP
from strongroom.query.names import shown
from strongroom.query.paging import MalformedCookie, fingerprint, read_fetch_cookie, stable_order
from strongroom.schema.model import Schema, Table

MAX_LINKS = 15
TOO_MANY_LINKS = "0x8004430d"

MAX_PASSED_OVER = 50_000
"""Rows that simple paging reaches (WA-252)."""

AGGREGATE_LIMIT = 50_000
_MOST_PAGES = 1_000_000_000
_OPTIONS = frozenset(
    {
        *("optimizeforunknown", "forceorder", "disablerowgoal", "enableoptimizerhotfixes", "loopjoin", "mergejoin"),
        *("hashjoin", "no_performance_spool", "enable_hist_amendment_for_asc_keys", "recompile"),
    }
)


@dataclass(frozen=True, slots=True)
class FetchQuery:
    """A query and what its document says about paging.

    `count` is the page size that the document asks for, None when it asks for none (WA-255). `allows_cookie` is
    false where only simple paging exists (WA-254). `paging_cookie` is the attribute as sent; `continued` reads it.
    """

    select: Select
    returns_total_count: bool
    page: int | None
    count: int | None
    paging_cookie: str | None
    allows_cookie: bool
    fingerprint: str


def read_fetchxml(schema: Schema, text: str, context: ReadContext, *, expected_table: Table | None) -> FetchQuery:
    """Read `text`. With `expected_table` (that of the entity set in the URL) the document must be about it (WA-240).

    Raises `FetchXmlError` with the codes of WA-56, or `InvalidRequest` for a value that does not fit its column.
    """
    fetch = parse(text)
    _check_limits(fetch)
    entities = list(fetch.all("entity"))
    if len(entities) != 1:
        raise fetch.error("<fetch> needs exactly one <entity>.")
    entity = entities[0]
    table = find_table(schema, entity, entity.required("name"))
    if expected_table is not None and table.logical_name != expected_table.logical_name:
        wanted = f"'{expected_table.entity_set_name}' holds '{expected_table.logical_name}'"
        raise entity.error(f"The FetchXML is about '{table.logical_name}', but the entity set {wanted}.")
    _check_hints(fetch)
    return _query(Scope(schema, context, table), fetch, entity, table)


def continued(query: FetchQuery, key: bytes) -> FetchQuery:
    """The query at the page that its paging cookie leads to; unchanged when it has none.

    A cookie of another query, or with a `page` that does not follow its own, is refused (WA-253).
    """
    if query.paging_cookie is None:
        return query
    position = read_fetch_cookie(query.paging_cookie, query.fingerprint, key)
    if query.page not in (None, position.page_number):
        raise MalformedCookie
    select = replace(query.select, after=position.values, page_number=position.page_number)
    return replace(query, select=select, page=position.page_number)


def _query(scope: Scope, fetch: Node, entity: Node, table: Table) -> FetchQuery:
    declare_joins(scope, entity, named=True)
    joins, late = read_joins(scope, entity, "", table)
    where = conjunction(own_predicate(scope, entity, "", table), late)

    is_aggregate, distinct = fetch.flag("aggregate"), fetch.flag("distinct")
    columns = Columns(scope, is_aggregate, distinct, raw_order=fetch.flag("useraworderby"))
    columns.read(entity, "", table)
    for node in _links(entity):
        columns.read(node, node.alias, scope.sources[node.get("alias") or node.alias][1])
    if not columns.outputs:
        raise entity.error("The query shows no column; add an <attribute>.")
    orders = list(columns.orders(entity, "", table))
    for node in _links(entity):
        orders += columns.orders(node, node.alias, scope.sources[node.get("alias") or node.alias][1])

    top, count, page = _paging(fetch)
    select = Select(
        source=Source(table),
        outputs=tuple(columns.outputs.values()),
        joins=tuple(joins),
        where=where,
        order=tuple(orders) if is_aggregate or distinct else stable_order(table, joins, orders),
        group_by=tuple(dict.fromkeys(columns.groups)),
        is_aggregate=is_aggregate,
        distinct=distinct and not is_aggregate,
        top=top,
        page_size=count,
        page_number=page or 1,
        count=fetch.flag("returntotalrecordcount"),
        aggregate_limit=fetch.number("aggregatelimit", 1, AGGREGATE_LIMIT) or AGGREGATE_LIMIT,
    )
    return FetchQuery(
        select=select,
        returns_total_count=select.count,
        page=page,
        count=count,
        paging_cookie=fetch.get("paging-cookie"),
        allows_cookie=not is_aggregate and not distinct and all(_is_of_root(order) for order in orders),
        fingerprint=_fingerprint(fetch),
    )


def _links(node: Node) -> list[Node]:
    """All joins in document order: those that `declare_joins` gave an alias."""
    found: list[Node] = []
    waiting = list(node.all("link-entity"))[::-1]
    while waiting:
        link = waiting.pop()
        if link.get("link-type") not in ("exists", "in"):
            found.append(link)
            waiting += list(link.all("link-entity"))[::-1]
    return found


def _is_of_root(order: Order) -> bool:
    return getattr(order.expression, "alias", None) == ""


def _paging(fetch: Node) -> tuple[int | None, int | None, int | None]:
    """(top, count, page). `page="1"` beside `top` is passed over: one client always writes it (WA-253)."""
    top = fetch.number("top", 1, MAX_TOP)
    count = fetch.number("count", 1, _MOST_PAGES)
    page = fetch.number("page", 1, _MOST_PAGES)
    if top is not None and (count is not None or (page or 1) > 1):
        raise fetch.error("'top' cannot be used together with 'count' or 'page'.")
    size = min(count, MAX_TOP) if count is not None else None
    passed_over = ((page or 1) - 1) * (size or MAX_TOP)
    if fetch.get("paging-cookie") is None and passed_over >= MAX_PASSED_OVER:
        message = f"Paging by number reaches only the first {MAX_PASSED_OVER:,} rows; send the paging cookie."
        raise fetch.error(message)
    return top, size, page


def _check_limits(fetch: Node) -> None:
    links = conditions = 0
    waiting = [fetch]
    while waiting:
        node = waiting.pop()
        links += node.name == "link-entity"
        conditions += node.name == "condition"
        waiting += node.children
    if links > MAX_LINKS:
        message = (
            f"Number of link entities in query exceeded maximum limit. There are {links}; {MAX_LINKS} are allowed."
        )
        raise FetchXmlError(message, code=TOO_MANY_LINKS)
    if conditions > MAX_CONDITIONS:
        raise FetchXmlError(f"The query has {conditions} conditions; {MAX_CONDITIONS} are allowed.")


def _check_hints(fetch: Node) -> None:
    """Attributes that change nothing must still be right (WA-242)."""
    for name in ("no-lock", "latematerialize"):
        fetch.flag(name)
    source = fetch.get("datasource")
    if source == "retained":
        raise NotOffered("Rows in long-term retention (datasource='retained') are not offered.")
    if source is not None:
        raise fetch.error(f"The datasource '{shown(source, 40)}' does not exist; only 'retained' does.")
    if fetch.flag("min-active-row-version"):
        raise fetch.error("'min-active-row-version' is not offered.")
    for option in (fetch.get("options") or "").split(","):
        if option.strip() and option.strip().lower() not in _OPTIONS:
            raise fetch.error(f"There is no query option '{shown(option, 60)}'.")


def _fingerprint(fetch: Node) -> str:
    """Stands for the document without what changes from page to page."""
    parts: list[str] = []
    waiting = [fetch]
    while waiting:
        node = waiting.pop()
        parts += [node.name, node.text]
        for name, value in sorted(node.attributes.items()):
            if node is not fetch or name not in ("page", "paging-cookie", "count"):
                parts += [name, value]
        parts.append(str(len(node.children)))
        waiting += node.children
    return fingerprint("fetchxml", *parts)
