"""`accounts(…)`: retrieve, update, upsert, delete one row (WA-125 to WA-156)."""

from strongroom.errors import InvalidRequest, MethodNotAllowed, PreconditionFailed, QueryError
from strongroom.ids import Guid
from strongroom.query.odata import read_key
from strongroom.records import Address, Session, delete, retrieve, update, upsert
from strongroom.records.address import row_at
from strongroom.records.shapes import NewRecord
from strongroom.schema.model import Table
from strongroom.webapi.collections import representation
from strongroom.webapi.exchange import Exchange
from strongroom.webapi.headers import ANNOTATIONS, RETURN, Condition, check_json, read_condition
from strongroom.webapi.http import Response, json_response, no_content
from strongroom.webapi.payload import blaming, read_record
from strongroom.webapi.queries import expected_version, single_select
from strongroom.webapi.rendering import encode
from strongroom.webapi.values import Json, read_row


def respond(exchange: Exchange, session: Session, table: Table, key: str) -> Response:
    """Answer for one row, named by the text between the parentheses."""
    address = read_key(session.schema, table, key)
    match exchange.request.method:
        case "GET" | "HEAD":
            return retrieve_one(exchange, session, table, address)
        case "PATCH":
            return _patch(exchange, session, table, address, key)
        case "DELETE":
            return _delete(exchange, session, table, address)
        case method:
            raise MethodNotAllowed(
                f"The requested resource does not support http method '{method}'.",
                details={"allow": "GET, HEAD, PATCH, DELETE"},
            )


def retrieve_one(exchange: Exchange, session: Session, table: Table, address: Address) -> Response:
    """200 with one row, or 304 when the client has this version already (WA-125, WA-129)."""
    select = single_select(exchange, session, table)
    renderer = exchange.renderer(session, select)
    record = retrieve(session, renderer.extended, address)
    etag = ("ETag", f'W/"{record.version}"')
    condition = read_condition(exchange.request.header("if-none-match"))
    plain = not select.expands and not exchange.preferences.annotations
    if condition is not None and plain and (condition.any or record.version in condition.versions):
        return Response(304, (etag,))
    _check_version(read_condition(exchange.request.header("if-match")), record.version)
    body = encode({"@odata.context": renderer.context(single=True), **renderer.object(record)})
    return json_response(200, body, etag, *exchange.applied(ANNOTATIONS))


def _check_version(condition: Condition | None, version: int | None) -> None:
    if condition is not None and not condition.any and version not in condition.versions:
        raise PreconditionFailed("The version of the existing record doesn't match the RowVersion property provided.")


def _patch(exchange: Exchange, session: Session, table: Table, address: Address, key: str) -> Response:
    check_json(exchange.request)
    with blaming(table):
        return _patched(exchange, session, table, address, key, read_row(exchange.request.body))


def _patched(
    exchange: Exchange, session: Session, table: Table, address: Address, key: str, body: dict[str, Json]
) -> Response:
    if_match = read_condition(exchange.request.header("if-match"))
    if_none_match = read_condition(exchange.request.header("if-none-match"))
    if if_match is not None:
        record = read_record(exchange.reading(session, updating=True), table, body)
        changes = _checked_id(table, address, record)
        expected = expected_version(session, table, address, if_match)
        row_id = update(session, table, address, changes.values, expected_version=expected, related=changes.related)
        return _changed(exchange, session, table, row_id, key, created=False)
    exists = _exists(session, table, address)
    record = read_record(exchange.reading(session, updating=exists), table, body)
    done = upsert(
        session,
        table,
        address,
        _checked_id(table, address, record),
        must_not_exist=if_none_match is not None and if_none_match.any,
    )
    return _changed(exchange, session, table, done.id, key, created=done.created)


def _exists(session: Session, table: Table, address: Address) -> bool:
    return row_at(session, table, address) is not None


def _checked_id(table: Table, address: Address, record: NewRecord) -> NewRecord:
    """The record without its primary key, which may repeat the URL but not contradict it (WA-145)."""
    given = record.values.get(table.primary_id)
    if given is None or not isinstance(address, str):
        return record
    if given != address:
        raise InvalidRequest(
            f"The body names {table.primary_id} '{given}', the URL '{address}'; an id cannot be changed."
        )
    return NewRecord({k: v for k, v in record.values.items() if k != table.primary_id}, record.related)


def _changed(exchange: Exchange, session: Session, table: Table, row_id: Guid, key: str, *, created: bool) -> Response:
    address = f"{exchange.request.root}{table.entity_set_name}({key if '=' in key else row_id})"
    if not exchange.preferences.representation:
        return no_content(("OData-EntityId", address))
    body = representation(exchange, session, table, row_id, expand=created)
    applied = exchange.applied(RETURN, ANNOTATIONS)
    return json_response(201 if created else 200, body, ("OData-EntityId", address), *applied)


def _delete(exchange: Exchange, session: Session, table: Table, address: Address) -> Response:
    if exchange.options.system:
        raise QueryError(f"The query option '{next(iter(exchange.options.system))}' has no meaning on DELETE.")
    condition = read_condition(exchange.request.header("if-match"))
    delete(session, table, address, expected_version=expected_version(session, table, address, condition))
    return no_content()
