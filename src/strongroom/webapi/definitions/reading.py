"""`GET` of metadata: what a path leads to, and the answer (WA-320 to WA-334)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import orjson

from strongroom.errors import NotFound
from strongroom.schema.model import Schema, Table
from strongroom.webapi.definitions.addresses import (
    Address,
    find_choice,
    find_column,
    find_key,
    find_relationship,
    find_table,
    no_such,
    read_address,
)
from strongroom.webapi.definitions.attributes import ATTRIBUTE, attribute, attributes, cast_to, is_of_type
from strongroom.webapi.definitions.choices import OPTION_SET, global_choices
from strongroom.webapi.definitions.metadata_changes import retrieve_metadata_changes
from strongroom.webapi.definitions.options import read_options
from strongroom.webapi.definitions.relationships import (
    MANY_TO_MANY,
    MANY_TO_MANY_TYPE,
    ONE_TO_MANY,
    ONE_TO_MANY_TYPE,
    all_relationships,
)
from strongroom.webapi.definitions.rendering import kept, render
from strongroom.webapi.definitions.shapes import Declared, Shown
from strongroom.webapi.definitions.snapshot import Snapshot
from strongroom.webapi.definitions.tables import KEY, TABLE, table, tables

_RELATIONSHIP = Declared("RelationshipMetadataBase", ONE_TO_MANY.properties | MANY_TO_MANY.properties, navigation={})
_CASTS: dict[str, Declared] = {
    ONE_TO_MANY_TYPE: ONE_TO_MANY,
    MANY_TO_MANY_TYPE: MANY_TO_MANY,
    "OptionSetMetadata": OPTION_SET,
    "EntityMetadata": TABLE,
    "EntityKeyMetadata": KEY,
}
_MANAGED_PROPERTY = Declared("ManagedPropertyMetadata", frozenset(), navigation={})


@dataclass(frozen=True, slots=True)
class _Many:
    """A collection."""

    declared: Declared
    items: Sequence[Shown]
    can_filter: bool = True


@dataclass(frozen=True, slots=True)
class _One:
    """One item."""

    declared: Declared
    shown: Shown


@dataclass(frozen=True, slots=True)
class _Plain:
    """The value of a property, or a count."""

    value: object


_Found = _Many | _One | _Plain


def read(schema: Schema, segments: Sequence[str], options: Mapping[str, str], base_url: str) -> bytes:
    """The JSON answer to a `GET` on `segments` (the decoded path below the service root, cut at its slashes).

    `options` are the query options by name, with parameter aliases (`@p1`) among them. What is asked of one table is
    remembered, because clients ask for a table's choices before each write (WA-327).
    """
    if not segments:
        raise no_such("")
    if len(segments) > 1 and segments[0].startswith("EntityDefinitions("):
        return _remembered(Snapshot(schema), tuple(segments), tuple(sorted(options.items())), base_url)
    return _answer(schema, segments, options, base_url)


@lru_cache(maxsize=16)
def _remembered(
    snapshot: Snapshot, segments: tuple[str, ...], options: tuple[tuple[str, str], ...], base_url: str
) -> bytes:
    return _answer(snapshot.schema, segments, dict(options), base_url)


def _answer(schema: Schema, segments: Sequence[str], options: Mapping[str, str], base_url: str) -> bytes:
    root = base_url.rstrip("/")
    if segments[0].startswith("RetrieveMetadataChanges"):
        return orjson.dumps(retrieve_metadata_changes(schema, segments[0], options, root))
    found = _found(schema, segments)
    context = f"{root}/$metadata#{'/'.join(segments)}"
    if isinstance(found, _Plain):
        return _plain(found.value, context, is_count=segments[-1] == "$count")
    can_filter = not isinstance(found, _Many) or found.can_filter
    shaping = read_options(options, found.declared, is_collection=isinstance(found, _Many), can_filter=can_filter)
    if shaping.select is not None:
        context += f"({','.join(shaping.select)})"
    if isinstance(found, _One):
        return orjson.dumps({"@odata.context": f"{context}/$entity", **render(found.shown, shaping)})
    items = kept(found.items, shaping)
    body: dict[str, object] = {"@odata.context": context}
    if shaping.count:
        body["@odata.count"] = len(items)
    body["value"] = [render(item, shaping) for item in items]
    return orjson.dumps(body)


def _plain(value: object, context: str, *, is_count: bool) -> bytes:
    if is_count:
        return orjson.dumps(value)
    if isinstance(value, Mapping):
        return orjson.dumps({"@odata.context": context, **cast("Mapping[str, object]", value)})
    return orjson.dumps({"@odata.context": context, "value": value})


# --- paths -------------------------------------------------------------------------------------------------------


def _found(schema: Schema, segments: Sequence[str]) -> _Found:
    first, *rest = (read_address(segment) for segment in segments)
    match first.name:
        case "EntityDefinitions":
            if first.key is None:
                return _collection(TABLE, tables(schema), rest)
            return _within_table(schema, find_table(schema, first), rest)
        case "RelationshipDefinitions":
            if first.key is None:
                return _collection(_RELATIONSHIP, all_relationships(schema), rest)
            return _walk(_One(_RELATIONSHIP, _relationship(schema, first)), rest)
        case "GlobalOptionSetDefinitions":
            if first.key is None:
                return _collection(OPTION_SET, global_choices(schema), rest, can_filter=False)
            wanted = find_choice(schema, first).metadata_id
            found = next(shown for shown in global_choices(schema) if shown.value("MetadataId") == wanted)
            return _walk(_One(OPTION_SET, found), rest)
        case "ManagedPropertyDefinitions" if first.key is None:
            return _collection(_MANAGED_PROPERTY, [], rest)
        case _:
            raise no_such(first.name)


def _within_table(schema: Schema, found: Table, rest: Sequence[Address]) -> _Found:
    one = _One(TABLE, table(schema, found))
    if not rest:
        return one
    head, *tail = rest
    if head.name == "Attributes":
        if head.key is None:
            return _collection(ATTRIBUTE, attributes(schema, found), tail)
        return _walk(_One(ATTRIBUTE, attribute(schema, found, find_column(found, head))), tail)
    if head.key is None or head.name not in TABLE.navigation:
        return _walk(one, rest)
    items = one.shown.follow(head.name)
    wanted = ("LogicalName", find_key(found, head)) if head.name == "Keys" else head.key
    for item in items if isinstance(items, list) else []:
        if wanted[0] in item.names and item.value(wanted[0]) == wanted[1]:
            return _walk(_One(TABLE.navigation[head.name], item), tail)
    raise NotFound(f"Could not find {head.name} with {wanted[0]} '{wanted[1]}' on '{found.logical_name}'.")


def _relationship(schema: Schema, address: Address) -> Shown:
    if address.key is not None and address.key[1].startswith("owner_"):
        wanted = address.key[1]
        for shown in all_relationships(schema):
            if shown.value("SchemaName") == wanted:
                return shown
    id_ = find_relationship(schema, address).metadata_id
    return next(shown for shown in all_relationships(schema) if shown.value("MetadataId") == id_)


def _collection(declared: Declared, items: list[Shown], rest: Sequence[Address], *, can_filter: bool = True) -> _Found:
    if not rest:
        return _Many(declared, items, can_filter)
    head, *tail = rest
    if head.name == "$count" and not tail:
        return _Plain(len(items))
    type_name = head.cast
    if type_name is None:
        raise no_such(head.name)
    narrower = _cast(declared, type_name)
    if narrower is None:
        raise no_such(head.name)
    return _collection(narrower, [item for item in items if _is_of(item, type_name)], tail, can_filter=can_filter)


def _walk(one: _One, rest: Sequence[Address]) -> _Found:
    if not rest:
        return one
    head, *tail = rest
    type_name = head.cast
    if type_name is not None:
        narrower = _cast(one.declared, type_name)
        if narrower is None:
            raise no_such(head.name)
        if not _is_of(one.shown, type_name):
            raise NotFound(f"The resource is of type {one.shown.type_name}, not {type_name}.")
        return _walk(_One(narrower, one.shown), tail)
    if head.name in one.declared.navigation and head.key is None:
        target = one.shown.follow(head.name)
        if target is None:
            raise NotFound(f"There is no {head.name} here.")
        declared = one.declared.navigation[head.name]
        return _collection(declared, target, tail) if isinstance(target, list) else _walk(_One(declared, target), tail)
    if head.name not in one.shown.names or head.key is not None:
        raise no_such(head.name)
    value = one.shown.value(head.name)
    for part in tail:
        if not isinstance(value, Mapping) or part.name not in value:
            raise no_such(part.name)
        value = cast("Mapping[str, object]", value)[part.name]
    return _Plain(value)


def _cast(declared: Declared, type_name: str) -> Declared | None:
    if "AttributeType" in declared.properties:
        return cast_to(type_name)
    if type_name == declared.type_name:
        return declared
    narrower = _CASTS.get(type_name)
    return narrower if narrower is not None and narrower.properties <= declared.properties else None


def _is_of(shown: Shown, type_name: str) -> bool:
    if "AttributeType" in shown.names:
        return is_of_type(shown, type_name)
    return shown.type_name == type_name or type_name not in _CASTS
