"""Making one schema snapshot out of another."""

from collections.abc import Callable, Iterable, Mapping

from strongroom.ids import Guid
from strongroom.schema.model import Choice, ManyToMany, Privilege, Relationship, Schema, Table
from strongroom.schema.stable_ids import stable_id


def next_version(
    schema: Schema,
    *,
    tables: Mapping[str, Table] | None = None,
    relationships: Mapping[str, Relationship] | None = None,
    many_to_many: Mapping[str, ManyToMany] | None = None,
    choices: Mapping[str, Choice] | None = None,
    extra_privileges: Mapping[str, Privilege] | None = None,
) -> Schema:
    """`schema` with the given parts in place of its own, and the next version number."""
    made = Schema(
        version=schema.version + 1,
        tables=schema.tables if tables is None else tables,
        relationships=schema.relationships if relationships is None else relationships,
        many_to_many=schema.many_to_many if many_to_many is None else many_to_many,
        choices=schema.choices if choices is None else choices,
        extra_privileges=schema.extra_privileges if extra_privileges is None else extra_privileges,
    )
    for source, derived in _DERIVED.items():
        if getattr(made, source) is getattr(schema, source):
            made.__dict__.update({name: schema.__dict__[name] for name in derived if name in schema.__dict__})
    return made


_DERIVED = {
    "relationships": ("_lookup_navs", "_collection_navs", "_children", "_parents"),
    "many_to_many": ("_many_navs",),
}
"""What a schema has derived from its relationships, the next one need not derive again where those are the same: a
solution makes thousands of columns one after the other."""


def with_tables(schema: Schema, changed: Iterable[Table]) -> dict[str, Table]:
    """The tables of `schema` with those in `changed` replaced or added."""
    return {**schema.tables, **{table.logical_name: table for table in changed}}


def with_relationships(schema: Schema, added: Iterable[Relationship]) -> Mapping[str, Relationship]:
    """The 1:N relationships of `schema` with those in `added` replaced or added; its own when there are none."""
    new = {relationship.schema_name: relationship for relationship in added}
    return {**schema.relationships, **new} if new else schema.relationships


def ids_for_next_version(schema: Schema) -> Callable[[str, str], Guid]:
    """Makes the metadata ids of what the next version adds."""
    version = schema.version + 1

    def new_id(kind: str, name: str) -> Guid:
        return stable_id(kind, name, version)

    return new_id
