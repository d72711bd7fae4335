"""What follows one row in a path: a column, a related row, a collection of related rows (WA-131 to WA-134, WA-148)."""

from dataclasses import replace

from strongroom.errors import InvalidRequest, MethodNotAllowed, PayloadError, QueryError
from strongroom.ids import Guid, Reference
from strongroom.query.ast import (
    Comparison,
    Exists,
    Field,
    Link,
    Literal,
    Operator,
    Output,
    Predicate,
    Select,
    Source,
    conjunction,
)
from strongroom.query.odata import read_key, read_query
from strongroom.records import Address, Session, count, create, retrieve, set_null, update
from strongroom.records.parties import is_party_list, replace_parties
from strongroom.records.shapes import NewRecord
from strongroom.schema.model import Column, ColumnType, ManyToMany, Relationship, Rights, Table
from strongroom.webapi import casts, files, references
from strongroom.webapi.collections import COUNT_LIMIT, created, page_of
from strongroom.webapi.exchange import Exchange
from strongroom.webapi.headers import check_json
from strongroom.webapi.http import Response, json_response, no_content
from strongroom.webapi.paths import NAMESPACE, Segment, unknown_segment
from strongroom.webapi.payload import blaming, read_record
from strongroom.webapi.queries import lookup_target
from strongroom.webapi.rendering import encode
from strongroom.webapi.rows import retrieve_one
from strongroom.webapi.values import convert, read_object, read_row


def respond(exchange: Exchange, session: Session, table: Table, segments: tuple[Segment, ...]) -> Response:
    """Answer for `table(key)/…`. Single-valued properties on the way are followed, each under its own plan."""
    address: Address = read_key(session.schema, table, segments[0].key or "")
    rest: tuple[Segment, ...] = segments[1:]
    while len(rest) > 1 and rest[1].name not in ("$ref", "$value", "$count"):
        followed = _followed(session, table, rest[0].name)
        if followed is None or rest[0].key is not None:
            break
        kind = casts.type_named(session.schema, rest[1])
        target = lookup_target(session, table, address, *followed)
        if target is None:
            return no_content()
        if kind is not None:
            casts.demand(session.table(target.table), kind)
            rest = (rest[0], *rest[2:])
            continue
        table, address, rest = session.table(target.table), target.id, rest[1:]
    return _property(exchange, session, table, address, rest)


def _followed(session: Session, table: Table, name: str) -> tuple[str, str | None] | None:
    """Of a single-valued navigation property its lookup, and the table that it leads to (None: users or teams)."""
    relationship = session.schema.lookup_nav(table.logical_name, name)
    if relationship is not None:
        return relationship.referencing_column, relationship.referenced_table
    column = table.columns.get(name)
    return (name, None) if column is not None and column.type is ColumnType.OWNER else None


def _property(
    exchange: Exchange, session: Session, table: Table, address: Address, rest: tuple[Segment, ...]
) -> Response:
    nav, name = rest[0], rest[0].name
    method = exchange.request.method
    schema = session.schema
    column = table.columns.get(name)
    tail = rest[1].name if len(rest) > 1 else ""
    followed = _followed(session, table, name)
    if followed is not None and len(rest) <= 2:
        return _single(exchange, session, table, address, name, followed, tail)
    link = schema.collection_nav(table.logical_name, name) or schema.many_nav(table.logical_name, name)
    if link is not None:
        return _collection(exchange, session, table, address, link, rest)
    if len(rest) > 2:
        raise unknown_segment(rest[2].name, ())
    if column is None and name.startswith("_") and name.endswith("_value"):
        column = table.columns.get(name[1:-6])
    if column is not None and nav.key is None and _holds_content(exchange, column):
        return files.respond(exchange, session, table, address, column, tail)
    if column is not None and nav.key is None:
        return _value(exchange, session, table, address, column, tail)
    if method == "PUT" and not tail:
        raise QueryError(f"Could not find a property named '{name[:200]}' on type '{NAMESPACE}{table.logical_name}'.")
    raise unknown_segment(name, [*table.columns, *(r.lookup_nav for r in schema.parents_of(table.logical_name))])


def _holds_content(exchange: Exchange, column: Column) -> bool:
    """Whether the request is about a content: always for files; images may come as JSON too (WA-370)."""
    if column.type is not ColumnType.IMAGE:
        return column.type is ColumnType.FILE
    media = (exchange.request.header("content-type") or "").split(";", 1)[0].strip().lower()
    return exchange.request.method != "PUT" or media not in ("application/json", "text/json")


def _value(exchange: Exchange, session: Session, table: Table, address: Address, column: Column, tail: str) -> Response:
    method = exchange.request.method
    if tail not in ("", "$value"):
        raise unknown_segment(tail, ("$value",))
    if method in ("GET", "HEAD"):
        select = Select(Source(table), (Output(column.property_name, Field("", column)),))
        record = retrieve(session, select, address)
        value = record.values[0]
        if value is None:
            return no_content()
        if tail == "$value":
            text = value if isinstance(value, str) else encode(value).decode()
            return Response(200, (("Content-Type", "text/plain; charset=utf-8"),), text.encode())
        context = f"{exchange.request.root}$metadata#{table.entity_set_name}({record.id})/{column.property_name}"
        return json_response(200, encode({"@odata.context": context, "value": value}))
    if tail or method not in ("PUT", "DELETE"):
        raise _no_method(method, "GET, HEAD, PUT, DELETE")
    if column.type.is_lookup:
        raise InvalidRequest(f"The lookup '{column.logical_name}' is changed through its navigation property and $ref.")
    if method == "DELETE":
        set_null(session, table, address, column.logical_name)
        return no_content()
    check_json(exchange.request)
    body = read_object(exchange.request.body)
    if "value" not in body:
        raise PayloadError(f"""The body must be {{"value": …}} with the new value of '{column.logical_name}'.""")
    if not column.valid_for_update:
        raise PayloadError(f"The column '{column.logical_name}' is read-only.")
    with blaming(table):
        update(session, table, address, {column.logical_name: convert(column, body["value"])})
    return no_content()


def _single(
    exchange: Exchange,
    session: Session,
    table: Table,
    address: Address,
    name: str,
    followed: tuple[str, str | None],
    tail: str,
) -> Response:
    method = exchange.request.method
    if tail == "$ref":
        return references.single(exchange, session, table, address, name, followed[0])
    if method not in ("GET", "HEAD"):
        if method == "DELETE":
            raise InvalidRequest(f"To empty the lookup '{name}', send DELETE …/{name}/$ref.")
        raise _no_method(method, "GET, HEAD")
    if tail:
        raise unknown_segment(tail, ("$ref",))
    target = lookup_target(session, table, address, *followed)
    if target is None:
        return no_content()
    return retrieve_one(exchange, session, session.table(target.table), target.id)


def _collection(
    exchange: Exchange,
    session: Session,
    table: Table,
    address: Address,
    link: Relationship | ManyToMany,
    rest: tuple[Segment, ...],
) -> Response:
    method = exchange.request.method
    nav = rest[0]
    target = session.table(references.member_table(table, nav.name, link))
    path = nav.name
    if len(rest) > 1 and (kind := casts.type_named(session.schema, rest[1])) is not None:
        target = casts.derived(session.schema, target, kind)
        path = f"{path}/{rest[1].name}"
        rest = (nav, *rest[2:])
    if len(rest) > 2:
        raise unknown_segment(rest[2].name, ())
    tail = rest[1].name if len(rest) > 1 else ""
    parent = references.require_row(session, table, address, Rights.READ)
    if tail == "$ref" and method not in ("GET", "HEAD"):
        return references.collection(exchange, session, parent, link, nav)
    if nav.key is not None:
        raise QueryError(f"Address the related row by itself: {target.entity_set_name}({nav.key}).")
    if method == "PUT" and not tail and isinstance(link, Relationship) and is_party_list(link):
        return _put_parties(exchange, session, table, parent, link, target)
    if method == "POST" and not tail:
        return _create_in(exchange, session, table, parent, link, nav.name, target)
    if method not in ("GET", "HEAD"):
        raise _no_method(method, "GET, HEAD, POST")
    select = read_query(
        session.schema,
        target,
        exchange.options,
        exchange.read_context(session),
        page_size=exchange.preferences.max_page_size,
    )
    select = replace(select, where=conjunction(_tied_to(target, table, parent.id, link, nav.name), select.where))
    path = f"{table.entity_set_name}({parent.id})/{path}"
    if tail == "$count":
        return Response(200, (("Content-Type", "text/plain"),), str(count(session, select, COUNT_LIMIT)).encode())
    if tail == "$ref":
        return references.listed(exchange, session, select)
    if tail:
        raise unknown_segment(tail, ("$ref", "$count"))
    return page_of(exchange, session, select, path)


def _put_parties(
    exchange: Exchange, session: Session, table: Table, parent: Reference, link: Relationship, target: Table
) -> Response:
    """A list of parties in the place of the one that an activity has (WA-168)."""
    check_json(exchange.request)
    items = read_object(exchange.request.body).get("value")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise PayloadError("""The body must be {"value": [{…}, …]} with the parties of the activity.""")
    with blaming(target):
        parties = [read_record(exchange.reading(session), target, item) for item in items if isinstance(item, dict)]
        replace_parties(session, table, parent.id, link, parties)
    return no_content()


def _tied_to(child: Table, table: Table, parent: Guid, link: Relationship | ManyToMany, nav: str) -> Predicate:
    literal = Literal(parent, ColumnType.UNIQUEIDENTIFIER)
    if isinstance(link, Relationship):
        return Comparison(Operator.EQUAL, Field("", child.columns[link.referencing_column]), literal)
    from_first = link.is_first(table.logical_name, nav)
    outer, inner = (link.column2, link.column1) if from_first else (link.column1, link.column2)
    return Exists(
        Link("", outer, inner, link),
        Source(table, "parent"),
        Comparison(Operator.EQUAL, Field("parent", table.id_column), literal),
    )


def _create_in(
    exchange: Exchange,
    session: Session,
    table: Table,
    parent: Reference,
    link: Relationship | ManyToMany,
    nav: str,
    target: Table,
) -> Response:
    check_json(exchange.request)
    with blaming(target):
        record = read_record(exchange.reading(session), target, read_row(exchange.request.body))
        new_id = _created_in(session, table, parent, link, nav, target, record)
    return created(exchange, session, target, new_id)


def _created_in(
    session: Session,
    table: Table,
    parent: Reference,
    link: Relationship | ManyToMany,
    nav: str,
    target: Table,
    record: NewRecord,
) -> Guid:
    if isinstance(link, Relationship):
        return create(session, target, NewRecord({**record.values, link.referencing_column: parent}, record.related))
    new_id = create(session, target, record)
    references.tie(session, link, parent, Reference(target.logical_name, new_id), table, nav)
    return new_id


def _no_method(method: str, allow: str) -> MethodNotAllowed:
    return MethodNotAllowed(
        f"The requested resource does not support http method '{method}'.", details={"allow": allow}
    )
