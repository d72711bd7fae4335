"""Pieces that several resources need to read a query and to link to its next page."""

from collections.abc import Mapping
from dataclasses import replace

from strongroom.errors import NotFound, QueryError
from strongroom.ids import Guid, Reference, parse_guid
from strongroom.query.ast import Field, LookupTable, Output, Select, Source
from strongroom.query.odata import Options, read_query
from strongroom.records import Address, Session, require, retrieve
from strongroom.records.address import row_at
from strongroom.schema.model import Rights, Table
from strongroom.webapi.exchange import Exchange
from strongroom.webapi.headers import Condition
from strongroom.webapi.links import query_mark

_SINGLE = frozenset({"$select", "$expand"})


def fingerprint(exchange: Exchange) -> str:
    """What a skip token is bound to: the resource and every option of the query but the token (WA-234)."""
    options = exchange.options
    return query_mark(exchange.request.path, options.system, {**options.custom, **options.aliases})


def next_link(exchange: Exchange, token: str, path: str | None = None) -> str:
    """The request's own URL with `$skiptoken` replaced; `token` is percent-encoded already (WA-231)."""
    return link_with(exchange, {"$skiptoken": token}, path)


def link_with(exchange: Exchange, changed: Mapping[str, str | None], path: str | None = None) -> str:
    """The request's own URL with other values for some options, or without those that are None. The values are
    percent-encoded already."""
    request = exchange.request
    replaced = tuple(f"{sign}{name[1:].lower()}=" for name in changed for sign in ("$", "%24"))
    kept = [part for part in request.query.split("&") if part and not part.lower().startswith(replaced)]
    query = "&".join([*kept, *(f"{name}={value}" for name, value in changed.items() if value is not None)])
    return f"{request.root}{path or request.path.rstrip('/')}?{query.replace(' ', '%20')}"


def single_select(exchange: Exchange, session: Session, table: Table, *, expand: bool = True) -> Select:
    """The select for one row: only `$select` and `$expand` may be there (WA-170)."""
    options = exchange.options
    for name in options.system:
        if name not in _SINGLE:
            raise QueryError(f"The query option '{name}' cannot be used on a single row; only $select and $expand can.")
    if not expand and "$expand" in options.system:
        options = Options({k: v for k, v in options.system.items() if k != "$expand"}, options.custom, options.aliases)
    return replace(read_query(session.schema, table, options, exchange.read_context(session)), page_size=None)


def set_of_view(session: Session, table: Table, view: str, *, user: bool) -> str:
    """The FetchXML of a saved view (WA-262): 404 for an unknown one, 400 when it is of another table."""
    view_table = session.table("userquery" if user else "savedquery")
    view_id = parse_guid(view)
    if view_id is None:
        raise QueryError(f"'{view[:60]}' is not the id of a view.")
    row = require(session, view_table, view_id, Rights.READ)
    if row.values.get("returnedtypecode") != table.logical_name:
        raise QueryError(f"The view {view_id} is of the table '{row.values.get('returnedtypecode')}'.")
    fetch = row.values.get("fetchxml")
    if not isinstance(fetch, str):
        raise NotFound(f"The view {view_id} has no FetchXML.")
    return fetch


def lookup_target(
    session: Session, table: Table, address: Address, column_name: str, only: str | None = None
) -> Reference | None:
    """Where a lookup of a readable row points to. With `only`, None when it is a row of another table: the navigation
    properties of a multi-table lookup are one for each table, and at most one of them is not null (WA-117)."""
    column = table.columns[column_name]
    select = Select(Source(table), (Output("id", Field("", column)), Output("table", LookupTable("", column))))
    target_id, target_table = retrieve(session, select, address).values[:2]
    if target_id is None or (only is not None and target_table != only):
        return None
    return Reference(str(target_table), Guid(str(target_id)))


def expected_version(session: Session, table: Table, address: Address, condition: Condition | None) -> int | None:
    """The version that `If-Match` wants the row to have; of several tags the one that fits, if one does (WA-143)."""
    if condition is None or condition.any:
        return None
    first, *others = condition.versions
    if others:
        row = row_at(session, table, address)
        if row is not None and row.version in others:
            return row.version
    return first
