"""`CreateMultiple` and its kin: many rows of one table in one transaction (WA-300 to WA-306)."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import cast

from strongroom.errors import InvalidRequest, StrongroomError
from strongroom.messages.entities import type_of
from strongroom.query.odata import parse_reference, read_key
from strongroom.records import (
    Address,
    NewRecord,
    Session,
    create_multiple,
    delete_multiple,
    update_multiple,
    upsert_multiple,
)
from strongroom.records.create import each
from strongroom.schema.model import Table
from strongroom.webapi.exchange import Exchange
from strongroom.webapi.headers import check_json
from strongroom.webapi.http import Response, json_response, no_content
from strongroom.webapi.payload import Reading, read_record
from strongroom.webapi.rendering import encode
from strongroom.webapi.values import Json, read_object

MESSAGES = frozenset({"CreateMultiple", "UpdateMultiple", "UpsertMultiple", "DeleteMultiple"})


def respond(exchange: Exchange, session: Session, table: Table, message: str) -> Response:
    """Run one bulk message on the targets of the body."""
    check_json(exchange.request)
    body = read_object(exchange.request.body)
    targets = body.get("Targets")
    unknown = [name for name in body if name != "Targets" and "@" not in name]
    if unknown:
        raise InvalidRequest(f"'{message}' has no parameter '{unknown[0][:60]}'; it has Targets.")
    if not isinstance(targets, list) or not targets:
        raise InvalidRequest(f"'{message}' needs a non-empty array 'Targets'.")
    items = [_target(session, table, index, item) for index, item in enumerate(targets)]
    with _naming_the_only_target(len(items)):
        return _run(exchange, session, table, message, items)


def _run(exchange: Exchange, session: Session, table: Table, message: str, items: list[dict[str, Json]]) -> Response:
    match message:
        case "CreateMultiple":
            ids = create_multiple(session, table, _records(exchange.reading(session), table, items))
            return _answer(exchange, message, {"Ids": ids})
        case "UpdateMultiple":
            records = _records(exchange.reading(session, updating=True), table, items)
            updates = list(zip(_addresses(session, table, items), records, strict=True))
            if any(record.related for record in records):
                raise InvalidRequest("'UpdateMultiple' changes rows alone: change the parties of an activity by PATCH.")
            update_multiple(session, table, [(a, _without_id(table, record).values) for a, record in updates])
            return no_content()
        case "UpsertMultiple":
            records = _records(exchange.reading(session), table, items)
            upserts = zip(_addresses(session, table, items), records, strict=True)
            done = upsert_multiple(session, table, [(a, _without_id(table, record)) for a, record in upserts])
            type_name = f"#Microsoft.Dynamics.CRM.{table.logical_name}"
            results = [
                {"RecordCreated": d.created, "Target": {"@odata.type": type_name, table.primary_id: d.id}} for d in done
            ]
            return _answer(exchange, message, {"Results": results})
        case _:
            delete_multiple(session, table, _addresses(session, table, items))
            return no_content()


@contextmanager
def _naming_the_only_target(number: int) -> Generator[None]:
    """A block whose errors name the target also when there is one only; of several the verbs name it (WA-303)."""
    try:
        yield
    except StrongroomError as error:
        if number == 1 and "target" not in error.details:
            error.message = f"{error.message} (target 0)"
            error.args = (error.message,)
        raise


def _records(reading: Reading, table: Table, items: list[dict[str, Json]]) -> list[NewRecord]:
    return each(items, lambda item: read_record(reading, table, item))


def _addresses(session: Session, table: Table, items: list[dict[str, Json]]) -> list[Address]:
    return [_address(session, table, index, item) for index, item in enumerate(items)]


def _answer(exchange: Exchange, message: str, result: dict[str, object]) -> Response:
    context = f"{exchange.request.root}$metadata#Microsoft.Dynamics.CRM.{message}Response"
    return json_response(200, encode({"@odata.context": context, **result}))


def _target(session: Session, table: Table, index: int, item: Json) -> dict[str, Json]:
    if not isinstance(item, dict):
        raise InvalidRequest(f"Targets[{index}] must be an object.")
    named = item.get("@odata.type")
    if named is None:
        raise InvalidRequest(
            f"""Targets[{index}] needs "@odata.type": "Microsoft.Dynamics.CRM.{table.logical_name}"."""
        )
    if type_of(session.schema, named) is not table:
        raise InvalidRequest(
            f"Targets[{index}] has the type '{named}', the message is called on '{table.entity_set_name}'."
        )
    return item


def _address(session: Session, table: Table, index: int, item: dict[str, Json]) -> Address:
    row_id = item.get(table.primary_id)
    if isinstance(row_id, str):
        return read_key(session.schema, table, row_id)
    named = item.get("@odata.id")
    if isinstance(named, str):
        entity_set, key = parse_reference(named)
        if entity_set != table.entity_set_name:
            raise InvalidRequest(f"Targets[{index}] names a row of '{entity_set[:60]}'.")
        return read_key(session.schema, table, key)
    for key in table.keys:
        if key.is_active and all(name in item for name in key.columns):
            return cast(Address, {name: item[name] for name in key.columns})
    raise InvalidRequest(f'Targets[{index}] does not name its row: give {table.primary_id} or "@odata.id".')


def _without_id(table: Table, record: NewRecord) -> NewRecord:
    if table.primary_id not in record.values:
        return record
    return NewRecord({k: v for k, v in record.values.items() if k != table.primary_id}, record.related)
