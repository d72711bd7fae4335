"""Rows as arguments and results: `{"@odata.type": …, "accountid": …}` or `{"@odata.id": …}` (WA-381)."""

from collections.abc import Mapping
from typing import cast

from strongroom.errors import InvalidRequest
from strongroom.ids import Guid, Reference, parse_guid
from strongroom.query.odata import parse_reference, read_key
from strongroom.records import Session, find
from strongroom.schema.model import Schema, Table

_BIND = "@odata.bind"
_TYPE_PREFIXES = ("#Microsoft.Dynamics.CRM.", "Microsoft.Dynamics.CRM.", "#mscrm.", "mscrm.")


def entity(schema: Schema, reference: Reference) -> dict[str, object]:
    """A row as the value of a result: its type and its id."""
    table = schema.tables[reference.table]
    return {"@odata.type": f"#Microsoft.Dynamics.CRM.{table.logical_name}", table.primary_id: reference.id}


def reference_in(session: Session, value: object, where: str) -> Reference:
    """The row that an entity-typed argument names. `where` is the argument's name, for messages."""
    if not isinstance(value, Mapping):
        raise InvalidRequest(f"""'{where}' must be an object with the row's key and "@odata.type", or "@odata.id".""")
    body = cast("Mapping[str, object]", value)
    address = body.get("@odata.id")
    if isinstance(address, str):
        return reference_at(session, address)
    table = _typed(session.schema, body, where)
    id_text = body.get(table.primary_id, body.get("ownerid") if table.logical_name in ("systemuser", "team") else None)
    if isinstance(id_text, str):
        guid = parse_guid(id_text)
        if guid is None:
            raise InvalidRequest(f"'{id_text[:60]}' in '{where}' is not a GUID.")
        return Reference(table.logical_name, guid)
    keys = {name: body[name] for key in table.keys for name in key.columns if name in body}
    if keys:
        return Reference(table.logical_name, find(session, table, keys))
    raise InvalidRequest(f"'{where}' does not name its row: {table.primary_id} is missing.")


def reference_at(session: Session, address: str) -> Reference:
    """The row at an address such as `accounts(<id>)`, of any form (WA-114)."""
    entity_set, key = parse_reference(address)
    table = session.schema.entity_sets.get(entity_set)
    if table is None:
        raise InvalidRequest(f"'{entity_set[:100]}' is not an entity set.")
    found = read_key(session.schema, table, key)
    return Reference(table.logical_name, found if isinstance(found, str) else find(session, table, found))


def type_of(schema: Schema, text: object) -> Table | None:
    """The table that an `@odata.type` names, or None."""
    if not isinstance(text, str):
        return None
    name = next((text[len(p) :] for p in _TYPE_PREFIXES if text.startswith(p)), text)
    return schema.tables.get(name)


def _typed(schema: Schema, body: Mapping[str, object], where: str) -> Table:
    if "@odata.type" in body:
        table = type_of(schema, body["@odata.type"])
        if table is None:
            raise InvalidRequest(f"'{str(body['@odata.type'])[:100]}' in '{where}' is not a type of this environment.")
        return table
    fitting = [t for t in schema.tables.values() if t.primary_id in body and not t.is_intersect]
    if len(fitting) == 1 or (fitting and fitting[0].primary_id != "activityid"):
        return fitting[0]
    raise InvalidRequest(f"""'{where}' needs "@odata.type": "Microsoft.Dynamics.CRM.<table>".""")


def values_in(session: Session, table: Table, body: Mapping[str, object], where: str) -> dict[str, object]:
    """The columns that a row as an argument holds, by logical name: plain values as they are written, and lookups by
    `<navigation>@odata.bind`. The id and other annotations are left out."""
    values: dict[str, object] = {}
    navigations = {link.lookup_nav: link for link in session.schema.parents_of(table.logical_name)}
    for name, value in body.items():
        if name.endswith(_BIND):
            link = navigations.get(name[: -len(_BIND)])
            if link is None or not isinstance(value, str):
                raise InvalidRequest(f"'{name[:100]}' in '{where}' ties no lookup of '{table.logical_name}' to a row.")
            values[link.referencing_column] = reference_at(session, value)
        elif "@" not in name and name != table.primary_id:
            values[name] = value
    return values


def guid_of(value: object, where: str) -> Guid:
    """`value` as a GUID; 400 otherwise."""
    guid = parse_guid(value) if isinstance(value, str) else None
    if guid is None:
        raise InvalidRequest(f"'{where}' must be a GUID.")
    return guid
