"""Metadata as JSON documents, so that a store can keep what an environment has changed in the standard catalogue.

A store keeps only the differences: `diff_from_standard` says what they are, `schema_from` puts them back onto the
catalogue of the running version. A document is `Document(kind, name, deleted, body)`; its body holds plain JSON values,
without those that are the default of their field.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, fields
from enum import Enum
from functools import cache
from typing import TypeVar, cast

from strongroom.errors import IntegrityViolation
from strongroom.ids import Guid
from strongroom.schema.model import (
    AlternateKey,
    Cascade,
    Choice,
    Column,
    ColumnType,
    DateBehavior,
    Depth,
    ManyToMany,
    Option,
    Ownership,
    Privilege,
    Relationship,
    RequiredLevel,
    Rights,
    Schema,
    SourceType,
    Table,
)
from strongroom.schema.standard_tables import standard_schema

Json = dict[str, object]
_Part = TypeVar("_Part")


class Kind(Enum):
    """What a document describes."""

    TABLE = "table"
    RELATIONSHIP = "relationship"
    ASSOCIATION = "many_to_many"
    CHOICE = "choice"


@dataclass(frozen=True, slots=True)
class Document:
    """One difference from the standard catalogue. `body` is None when the part is `deleted`."""

    kind: Kind
    name: str
    deleted: bool
    body: Json | None


def diff_from_standard(schema: Schema) -> list[Document]:
    """What `schema` has that the standard catalogue lacks or has differently, and what it lacks."""
    standard = standard_schema()
    return [
        *_difference(Kind.TABLE, standard.tables, schema.tables, encode_table),
        *_difference(Kind.RELATIONSHIP, standard.relationships, schema.relationships, encode_relationship),
        *_difference(Kind.ASSOCIATION, standard.many_to_many, schema.many_to_many, encode_association),
        *_difference(Kind.CHOICE, standard.choices, schema.choices, encode_choice),
    ]


def schema_from(documents: Iterable[Document], version: int) -> Schema:
    """The standard catalogue with the differences applied, as `version`."""
    standard = standard_schema()
    found = list(documents)
    if not found and version == standard.version:
        return standard
    return Schema(
        version=version,
        tables=_applied(Kind.TABLE, standard.tables, found, decode_table),
        relationships=_applied(Kind.RELATIONSHIP, standard.relationships, found, decode_relationship),
        many_to_many=_applied(Kind.ASSOCIATION, standard.many_to_many, found, decode_association),
        choices=_applied(Kind.CHOICE, standard.choices, found, decode_choice),
        extra_privileges=standard.extra_privileges,
    )


def _difference(
    kind: Kind, standard: Mapping[str, _Part], present: Mapping[str, _Part], encode: Callable[[_Part], Json]
) -> list[Document]:
    made = [
        Document(kind, name, False, encode(part))
        for name, part in present.items()
        if (known := standard.get(name)) is not part and known != part
    ]
    return made + [Document(kind, name, True, None) for name in standard if name not in present]


def _applied(
    kind: Kind, standard: Mapping[str, _Part], documents: Iterable[Document], decode: Callable[[Json], _Part]
) -> dict[str, _Part]:
    parts = dict(standard)
    for document in documents:
        if document.kind is not kind:
            continue
        if document.body is None:
            parts.pop(document.name, None)
        else:
            try:
                parts[document.name] = decode(document.body)
            except (TypeError, ValueError) as error:
                raise IntegrityViolation(f"The stored {kind.value} '{document.name}' cannot be read.") from error
    return parts


# --- encoding ----------------------------------------------------------------------------------------------------


def encode_table(table: Table) -> Json:
    """A table with its columns, keys and privileges."""
    body = _plain(table, omit=("columns", "derived", "keys", "privileges"))
    body["columns"] = [encode_column(column) for column in table.columns.values()]
    body["derived"] = dict(table.derived)
    body["keys"] = [_plain(key) for key in table.keys]
    body["privileges"] = [encode_privilege(privilege) for privilege in table.privileges.values()]
    return body


def encode_relationship(relationship: Relationship) -> Json:
    body = _plain(relationship, omit=("cascade",))
    body["cascade"] = _plain(relationship.cascade)
    return body


def encode_association(association: ManyToMany) -> Json:
    return _plain(association)


def encode_choice(choice: Choice) -> Json:
    body = _plain(choice, omit=("options",))
    body["options"] = [_plain(option) for option in choice.options]
    return body


def encode_privilege(privilege: Privilege) -> Json:
    body = _plain(privilege, omit=("depths",))
    body["depths"] = sorted(depth.value for depth in privilege.depths)
    return body


def encode_column(column: Column) -> Json:
    """One column, as it lies in its table."""
    body = _plain(column, omit=("options",))
    if column.options:
        body["options"] = [_plain(option) for option in column.options]
    return body


def _plain(value: object, omit: tuple[str, ...] = ()) -> Json:
    """The fields of a dataclass that differ from their default, with enumerations as their values."""
    body: Json = {}
    for name, default in _defaults(type(value)):
        if name in omit:
            continue
        found: object = getattr(value, name)
        if found == default:
            continue
        if isinstance(found, Enum):
            body[name] = found.value
        elif isinstance(found, tuple):
            body[name] = list(cast(tuple[object, ...], found))
        else:
            body[name] = found
    return body


@cache
def _defaults(type_: type) -> tuple[tuple[str, object], ...]:
    return tuple((field.name, field.default if field.default is not MISSING else MISSING) for field in fields(type_))


# --- decoding ----------------------------------------------------------------------------------------------------

_ENUMERATIONS: dict[str, Callable[[object], object]] = {
    "type": ColumnType,
    "required": RequiredLevel,
    "behavior": DateBehavior,
    "source_type": SourceType,
    "ownership": Ownership,
}


def decode_table(body: Json) -> Table:
    """The reverse of `encode_table`; TypeError or ValueError when the body is not one of its."""
    parts = _scalars(body, omit=("columns", "derived", "keys", "privileges"))
    columns = [decode_column(column) for column in _bodies(body, "columns")]
    privileges = [decode_privilege(privilege) for privilege in _bodies(body, "privileges")]
    keys = [_made(AlternateKey, _scalars(key)) for key in _bodies(body, "keys")]
    return _made(
        Table,
        {
            **parts,
            "columns": {column.logical_name: column for column in columns},
            "derived": body.get("derived", {}),
            "keys": tuple(keys),
            "privileges": {privilege.right: privilege for privilege in privileges},
        },
    )


def decode_relationship(body: Json) -> Relationship:
    parts = _scalars(body, omit=("cascade",))
    cascade = cast(Json, body.get("cascade", {}))
    return _made(Relationship, {**parts, "cascade": _made(Cascade, cascade)})


def decode_association(body: Json) -> ManyToMany:
    return _made(ManyToMany, _scalars(body))


def decode_choice(body: Json) -> Choice:
    options = tuple(_made(Option, option) for option in _bodies(body, "options"))
    return _made(Choice, {**_scalars(body, omit=("options",)), "options": options})


def decode_privilege(body: Json) -> Privilege:
    depths = frozenset(Depth(value) for value in cast(list[int], body.get("depths", [])))
    right = Rights(cast(int, body.get("right", 0)))
    return _made(Privilege, {**_scalars(body, omit=("depths", "right")), "depths": depths, "right": right})


def decode_column(body: Json) -> Column:
    """The reverse of `encode_column`; TypeError or ValueError when the body is not one of its."""
    options = tuple(_made(Option, option) for option in _bodies(body, "options"))
    return _made(Column, {**_scalars(body, omit=("options",)), "options": options})


def _bodies(body: Json, name: str) -> list[Json]:
    return cast(list[Json], body.get(name, []))


def _scalars(body: Json, omit: tuple[str, ...] = ()) -> Json:
    parts: Json = {}
    for name, value in body.items():
        if name in omit:
            continue
        enumeration = _ENUMERATIONS.get(name)
        if enumeration is not None:
            parts[name] = enumeration(value)
        elif isinstance(value, list):
            parts[name] = tuple(cast(list[object], value))
        elif name == "metadata_id":
            parts[name] = Guid(str(value))
        else:
            parts[name] = value
    return parts


def _made(type_: Callable[..., _Part], parts: Json) -> _Part:
    return type_(**parts)
