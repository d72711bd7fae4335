"""A whole OData query → `Select` (sections 11 to 16)."""

from dataclasses import replace

from strongroom.errors import QueryError
from strongroom.query.ast import Field, Join, LookupName, Order, Predicate, ReadContext, Select, Source, conjunction
from strongroom.query.limits import MAX_TOP
from strongroom.query.names import shown
from strongroom.query.odata.apply import Aggregation, read_apply
from strongroom.query.odata.expand import read_expand
from strongroom.query.odata.filter import read_predicate
from strongroom.query.odata.lexer import tokens
from strongroom.query.odata.options import Options
from strongroom.query.odata.orderby import read_orderby
from strongroom.query.odata.scope import Query, Scope
from strongroom.query.odata.select import read_select
from strongroom.schema.model import Schema, Table

_BESIDE_APPLY = ("$top", "$select", "$expand")


def read_query(
    schema: Schema, table: Table, options: Options, context: ReadContext, *, page_size: int | None = None
) -> Select:
    """The query that `options` ask of the rows of `table`.

    `page_size` is the client's `odata.maxpagesize`; with it `$top` has no effect (WA-175). Without both, a page has
    5,000 rows. The aliases of the options replace those of `context`. Paging tokens are not looked at here.

    Raises `QueryError` with a position in the option that is wrong.
    """
    query = Query(schema, replace(context, aliases=options.aliases))
    scope = Scope(query, table)
    text = options.get("$filter")
    where = read_predicate(scope, text) if text is not None else None
    if (apply := options.get("$apply")) is not None:
        return _aggregating(scope, options, apply, where, page_size)
    order = read_orderby(scope, options.get("$orderby") or "")
    top = options.top
    expand = options.get("$expand")
    return Select(
        Source(table),
        read_select(scope, options.get("$select")),
        joins=scope.joins.all(),
        where=where,
        order=order,
        top=None if page_size is not None else top,
        page_size=_page(page_size, top),
        count=options.count,
        expands=read_expand(query, table, expand) if expand is not None and expand.strip() else (),
    )


def read_filter(
    schema: Schema, table: Table, text: str, context: ReadContext, *, alias: str = ""
) -> tuple[Predicate, tuple[Join, ...]]:
    """The condition in `text` on the rows of `table` under `alias`, and the joins that its paths need."""
    scope = Scope(Query(schema, context), table, alias)
    predicate = read_predicate(scope, text)
    return predicate, scope.joins.all()


def _page(page_size: int | None, top: int | None) -> int | None:
    if page_size is not None:
        return min(page_size, MAX_TOP)
    return MAX_TOP if top is None else None


def _aggregating(scope: Scope, options: Options, text: str, where: Predicate | None, page_size: int | None) -> Select:
    for name in _BESIDE_APPLY:
        if options.get(name) is not None:
            raise QueryError(f"The query option '{name}' cannot stand beside $apply.")
    _ = options.count  # a wrong value is still an error; a right one has no effect (WA-224)
    found = read_apply(scope, text)
    order_text = options.get("$orderby") or ""
    order = _group_order(scope, found, order_text)
    return Select(
        Source(scope.table),
        found.outputs,
        joins=scope.joins.all(),
        where=conjunction(where, found.where),
        order=order,
        group_by=tuple(found.groups.values()),
        is_aggregate=True,
        page_size=_page(page_size, None),
    )


def _group_order(scope: Scope, found: Aggregation, text: str) -> tuple[Order, ...]:
    """`$orderby` beside `$apply`: group columns only (WA-224)."""
    for token in tokens(text):
        if token.value in found.aggregates:
            message = f"The query node SingleValueOpenPropertyAccess is not supported: '{shown(token.value)}'."
            raise QueryError(message, position=token.position)
    known = len(scope.joins.by_path)
    order = tuple(_by_key(o) for o in read_orderby(scope, text))
    groups = set(found.groups.values())
    if len(scope.joins.by_path) > known or any(o.expression not in groups for o in order):
        names = ", ".join(found.groups) or "none"
        raise QueryError(f"$orderby beside $apply takes columns of the groups only: {names}.", position=0)
    return order


def _by_key(order: Order) -> Order:
    """Groups are ordered by their key itself, also when it is a lookup."""
    match order.expression:
        case LookupName(alias, column):
            return Order(Field(alias, column), order.descending)
        case _:
            return order
