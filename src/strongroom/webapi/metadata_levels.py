"""`Accept: application/json;odata.metadata=full` and `none` (WA-48).

What handlers write is `minimal`, which nearly every client wants. For the few others the finished answer is taken apart
and written anew: rows get their types and links, or lose everything that is no value.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, cast

from strongroom.query.odata.edm import PRINCIPALS, edm_type, type_name
from strongroom.schema.model import ColumnType, Schema, Table
from strongroom.webapi.exchange import Exchange
from strongroom.webapi.http import Response
from strongroom.webapi.rendering import JsonObject, encode

_LEVEL = re.compile(r"application/(?:json|\*)[^,]*;\s*(?:odata\.)?metadata=(full|none)\b", re.IGNORECASE)
_SET = re.compile(r"\$metadata#(\w+)(?=[(/]|$)")
_KEPT: Final = ("@odata.nextLink", "@odata.count", "@odata.deltaLink")
_PLAIN: Final = frozenset({"Edm.String", "Edm.Boolean", "Edm.Double", "Edm.Int32"})
"""Types that a reader takes JSON values to have."""


def shown(exchange: Exchange, response: Response) -> Response:
    """`response` with as much control information as the client asks for."""
    accept = exchange.request.headers.get("accept", "")
    asked = _LEVEL.search(accept) if "metadata=" in accept else None
    if asked is None or response.status >= 400 or response.stream:
        return response
    if not (response.header("content-type") or "").startswith("application/json"):
        return response
    level = asked[1].lower()
    body = cast(object, json.loads(response.body, parse_float=Decimal))
    if level == "none":
        body = _bare(body)
    elif isinstance(body, dict):
        with exchange.session(write=False) as session:
            body = _Full(session.schema, exchange.request.root).answer(cast(JsonObject, body))
    headers = tuple(
        (name, f"application/json; odata.metadata={level}") if name.lower() == "content-type" else (name, value)
        for name, value in response.headers
    )
    return Response(response.status, headers, encode(body))


def _bare(value: object) -> object:
    """The value without annotations, but for those by which a client goes on."""
    if isinstance(value, list):
        return [_bare(item) for item in cast("list[object]", value)]
    if not isinstance(value, dict):
        return value
    found = cast(JsonObject, value)
    return {name: _bare(item) for name, item in found.items() if "@" not in name or name.endswith(_KEPT)}


@dataclass(frozen=True, slots=True)
class _Full:
    """Adds types and links to the rows of one answer."""

    schema: Schema
    root: str

    def answer(self, body: JsonObject) -> JsonObject:
        named = _SET.search(str(body.get("@odata.context", "")))
        table = self.schema.entity_sets.get(named[1]) if named is not None else None
        if table is None:
            return body
        rows = body.get("value")
        if isinstance(rows, list):
            return {**body, "value": [self._value(table, row) for row in cast("list[object]", rows)]}
        return self._row(table, body)

    def _value(self, table: Table, value: object) -> object:
        if isinstance(value, list):
            return [self._value(table, item) for item in cast("list[object]", value)]
        return self._row(table, cast(JsonObject, value)) if isinstance(value, dict) else value

    def _row(self, table: Table, row: JsonObject) -> JsonObject:
        row_id = row.get(table.primary_id)
        if not isinstance(row_id, str) or "reason" in row:  # a group, a reference, or a row that is gone
            return row
        address = f"{table.entity_set_name}({row_id})"
        full: JsonObject = {name: value for name, value in row.items() if name.startswith("@odata.")}
        full |= {
            "@odata.type": f"#{type_name(table)}",
            "@odata.id": f"{self.root}{address}",
            "@odata.editLink": address,
        }
        types = _types(table)
        navigation = dict(self._navigation(table))
        for name, value in row.items():
            if name in types and value is not None:
                full[f"{name}@odata.type"] = types[name]
            target = navigation.get(name)
            full[name] = value if target is None else self._value(self._target(target, value), value)
        for name in navigation:
            full[f"{name}@odata.associationLink"] = f"{self.root}{address}/{name}/$ref"
            full[f"{name}@odata.navigationLink"] = f"{self.root}{address}/{name}"
        return full

    def _target(self, target: str, value: object) -> Table:
        """The table of an expanded row; that of an owner is seen from its key."""
        is_team = target == "systemuser" and isinstance(value, dict) and "teamid" in value
        return self.schema.tables["team" if is_team else target]

    def _navigation(self, table: Table) -> Iterator[tuple[str, str]]:
        """The navigation properties of a table, and where they lead."""
        name, schema = table.logical_name, self.schema
        if "ownerid" in table.columns and table.columns["ownerid"].type is ColumnType.OWNER:
            yield "ownerid", "systemuser"
        for parent in schema.parents_of(name):
            yield parent.lookup_nav, parent.referenced_table
        for child in schema.children_of(name):
            yield child.collection_nav, child.referencing_table
        for association in schema.many_to_many.values():
            if association.table1 == name:
                yield association.nav1, association.table2
            if association.table2 == name:
                yield association.nav2, association.table1


def _types(table: Table) -> dict[str, str]:
    """What `<property>@odata.type` says of the columns whose type JSON does not tell."""
    found: dict[str, str] = {}
    for column in table.columns.values():
        type_ = edm_type(column)
        if type_ not in _PLAIN and type_.startswith("Edm."):
            found[column.property_name] = f"#{type_.removeprefix('Edm.')}"
    if table.logical_name in PRINCIPALS:
        found["ownerid"] = "#Guid"
    return found
