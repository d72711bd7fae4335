"""Naming one row: by id, or by alternate key (WA-75, WA-128, WA-144)."""

from collections.abc import Mapping

from strongroom.access.messages import does_not_exist
from strongroom.errors import InvalidRequest
from strongroom.ids import Guid, Reference, parse_guid
from strongroom.records import refusals
from strongroom.records.column_values import check_for
from strongroom.records.session import Session
from strongroom.records.shapes import Address, Key
from strongroom.schema.model import Table
from strongroom.store.protocol import Row, Value


def find(session: Session, table: Table, address: Address) -> Guid:
    """The id of the row at `address`, without any check of rights.

    An id is returned as it is, whether or not there is such a row; an unknown key is 404 `0x80060891`.
    """
    if isinstance(address, str):
        return address
    found = _row_at(session, table, address)
    if found is None:
        raise refusals.no_such_key(table)
    return found.id


def row_at(session: Session, table: Table, address: Address) -> Row | None:
    """The row at `address`, or None."""
    if isinstance(address, str):
        return session.transaction.row(table, address)
    return _row_at(session, table, address)


def missing(table: Table, address: Address) -> Exception:
    """404 for an address at which there is no row."""
    return does_not_exist(table, address) if isinstance(address, str) else refusals.no_such_key(table)


def key_values(table: Table, key: Key) -> dict[str, Value]:
    """The values of an alternate key as the store keeps them; 400 when `key` is not declared (WA-78)."""
    declared = any(set(alternate.columns) == set(key) for alternate in table.keys if alternate.is_active)
    if not declared and set(key) != {table.primary_id}:
        raise InvalidRequest(
            "The key in the request URI is not valid for resource "
            f"'Microsoft.Dynamics.CRM.{table.logical_name}'. Ensure that the names and number of key properties match "
            "the declared or alternate key properties for the resource."
        )
    return {name: _key_value(table, name, value) for name, value in key.items()}


def _row_at(session: Session, table: Table, key: Mapping[str, Value]) -> Row | None:
    values = key_values(table, key)
    if any(value is None for value in values.values()):
        return None
    return session.transaction.row_by_key(table, values)


def _key_value(table: Table, name: str, value: Value) -> Value:
    column = table.columns[name]
    if column.type.is_lookup and isinstance(value, str):
        target = parse_guid(value)
        if target is None or len(column.targets) != 1:
            raise InvalidRequest(f"The key value of '{name}' must be the GUID of a row.")
        return Reference(column.targets[0], target)
    return check_for(column, table.logical_name)(value)
