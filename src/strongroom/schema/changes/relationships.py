"""Making and removing relationships, with the lookups and intersect tables that hold them (WA-345, WA-347, WA-348)."""

from collections.abc import Sequence
from dataclasses import replace

from strongroom.errors import InvalidRequest, NotFound
from strongroom.schema.build import ids_for_next_version, next_version, with_relationships, with_tables
from strongroom.schema.changes.column_rules import checked_column_name, checked_secured, described
from strongroom.schema.changes.columns import existing_table, refuse_if_in_key, with_columns, without_columns
from strongroom.schema.changes.requests import NewAssociation, NewColumn, NewRelationship
from strongroom.schema.intersects import intersect_table
from strongroom.schema.model import Cascade, Column, ColumnType, ManyToMany, Relationship, Schema, Table
from strongroom.schema.naming import (
    checked_custom_name,
    checked_identifier,
    checked_relationship_name,
)
from strongroom.schema.platform_tables import PLATFORM_TYPE_CODES

FIRST_CUSTOM_TYPE_CODE = 10_100
"""Type codes of custom tables count from here."""

_ROW_ACTIONS = ("NoCascade", "Cascade", "Active", "UserOwned")
_CASCADES = {
    "assign": _ROW_ACTIONS,
    "share": _ROW_ACTIONS,
    "unshare": _ROW_ACTIONS,
    "reparent": _ROW_ACTIONS,
    "delete": ("RemoveLink", "Cascade", "Restrict", "NoCascade"),
    "merge": ("NoCascade", "Cascade"),
    "rollup_view": ("NoCascade", "Cascade"),
}


def create_lookup(schema: Schema, lookup: NewColumn, relationships: Sequence[NewRelationship]) -> Schema:
    """`schema` with a lookup column and one 1:N relationship for each table that it may point to.

    One relationship makes an ordinary lookup (WA-347), several a multi-table one (WA-348), account and contact with
    the type Customer a customer column. Navigation names not given follow WA-72 and WA-73.
    """
    if not relationships:
        raise InvalidRequest("A lookup needs at least one relationship.")
    child_names = {relationship.referencing_table for relationship in relationships}
    if len(child_names) > 1:
        raise InvalidRequest("The relationships of one lookup must have the same ReferencingEntity.")
    child = existing_table(schema, relationships[0].referencing_table)
    targets = tuple(relationship.referenced_table for relationship in relationships)
    if len(set(targets)) < len(targets):
        raise InvalidRequest(f"The lookup '{lookup.schema_name}' names a table twice.")
    if lookup.type is ColumnType.CUSTOMER and set(targets) != {"account", "contact"}:
        raise InvalidRequest("A customer column points to account and contact.")
    if child.is_intersect or any(existing_table(schema, target).is_intersect for target in targets):
        raise InvalidRequest("An intersect table cannot take part in a relationship.")
    new_id = ids_for_next_version(schema)
    name = checked_column_name(schema, child, lookup)
    blank = Column(
        name.lower(),
        name,
        lookup.type,
        new_id("column", f"{child.logical_name}.{name.lower()}"),
        label=name,
        targets=targets,
        can_be_secured=True,
        is_custom=True,
    )
    column = described(schema, blank, lookup)
    if lookup.is_secured:
        column = checked_secured(child, column, True)
    made: list[Relationship] = []
    for relationship in relationships:
        default_nav = name if len(targets) == 1 else f"{name}_{relationship.referenced_table}"
        made.append(_relationship(schema, relationship, column, relationship.lookup_nav or default_nav, made))
    return next_version(
        schema,
        tables=with_tables(schema, (with_columns(child, (column,)),)),
        relationships=with_relationships(schema, made),
    )


def replace_relationship(schema: Schema, schema_name: str, cascade: Cascade, *, is_hierarchical: bool) -> Schema:
    """`schema` with other cascades on the relationship (WA-344)."""
    relationship = schema.relationships.get(schema_name)
    if relationship is None:
        raise NotFound(f"There is no one-to-many relationship '{schema_name}'.")
    _check_hierarchy(schema, relationship, is_hierarchical)
    changed = replace(relationship, cascade=checked_cascade(cascade), is_hierarchical=is_hierarchical)
    return next_version(schema, relationships=with_relationships(schema, (changed,)))


def create_association(schema: Schema, new: NewAssociation) -> Schema:
    """`schema` with an N:N relationship and its intersect table (WA-347)."""
    name = checked_relationship_name(new.schema_name)
    _check_relationship_is_free(schema, name)
    first, second = existing_table(schema, new.table1), existing_table(schema, new.table2)
    if first.is_intersect or second.is_intersect:
        raise InvalidRequest("An intersect table cannot take part in a relationship.")
    intersect_name = checked_custom_name(new.intersect or _short(name), "intersect")
    intersect = intersect_name.lower()
    if intersect in schema.tables:
        raise InvalidRequest(f"A table with the name '{intersect}' already exists.", code="0x80047010")
    is_within_one = first is second
    nav1 = checked_identifier(new.nav1 or name, "navigation property")
    nav2 = checked_identifier(new.nav2 or (f"{name}_other" if is_within_one else name), "navigation property")
    if is_within_one and nav1 == nav2:
        raise InvalidRequest(f"The relationship '{name}' within one table needs two navigation property names.")
    check_nav_is_free(schema, first, nav1)
    check_nav_is_free(schema, second, nav2)
    new_id = ids_for_next_version(schema)
    association = ManyToMany(
        schema_name=name,
        metadata_id=new_id("relationship", name),
        table1=first.logical_name,
        column1=f"{first.primary_id}one" if is_within_one else first.primary_id,
        nav1=nav1,
        table2=second.logical_name,
        column2=f"{second.primary_id}two" if is_within_one else second.primary_id,
        nav2=nav2,
        intersect=intersect,
        is_custom=True,
    )
    if association.column1 == association.column2:  # two activity tables share the name of their key
        association = replace(association, column1=f"{new.table1}id", column2=f"{new.table2}id")
    table = intersect_table(association, next_type_code(schema), new_id, schema_name=intersect_name, is_custom=True)
    return next_version(
        schema,
        tables=with_tables(schema, (table,)),
        many_to_many={**schema.many_to_many, name: association},
    )


def delete_relationship(schema: Schema, schema_name: str) -> Schema:
    """`schema` without the relationship, its lookup or its intersect table (WA-345)."""
    association = schema.many_to_many.get(schema_name)
    if association is not None:
        _refuse_platform(association.is_custom, schema_name)
        return next_version(
            schema,
            tables={name: table for name, table in schema.tables.items() if name != association.intersect},
            many_to_many={name: found for name, found in schema.many_to_many.items() if name != schema_name},
        )
    relationship = schema.relationships.get(schema_name)
    if relationship is None:
        raise NotFound(f"There is no relationship '{schema_name}'.")
    _refuse_platform(relationship.is_custom, schema_name)
    table = schema.tables[relationship.referencing_table]
    return next_version(
        schema,
        tables=with_tables(schema, (without_target(table, relationship),)),
        relationships={name: found for name, found in schema.relationships.items() if name != schema_name},
    )


def without_target(table: Table, relationship: Relationship) -> Table:
    """`table` whose lookup no longer points to the relationship's parent; without the lookup when it was the last."""
    name = relationship.referencing_column
    column = table.columns[name]
    targets = tuple(target for target in column.targets if target != relationship.referenced_table)
    if targets:
        return replace(table, columns={**table.columns, name: replace(column, targets=targets)})
    refuse_if_in_key(table, name)
    return without_columns(table, (name,))


def checked_cascade(cascade: Cascade) -> Cascade:
    """`cascade`, when every action is one that the model knows; else 400."""
    for action, allowed in _CASCADES.items():
        value: str = getattr(cascade, action)
        if value not in allowed:
            raise InvalidRequest(
                f"The cascade '{value}' of {action.replace('_', '').capitalize()} is not one of {', '.join(allowed)}."
            )
    return cascade


def check_nav_is_free(schema: Schema, table: Table, nav: str) -> None:
    """400 when the table has a property or navigation property of this name."""
    name = table.logical_name
    taken = (schema.lookup_nav(name, nav) or schema.collection_nav(name, nav) or schema.many_nav(name, nav)) is not None
    is_column = nav in table.columns and not table.columns[nav].type.is_lookup
    if taken or is_column:
        raise InvalidRequest(
            f"The table '{name}' already has a property '{nav}'; give another navigation property name.",
            code="0x80047010",
        )


def next_type_code(schema: Schema) -> int:
    """The type code of the next custom table."""
    found = max(FIRST_CUSTOM_TYPE_CODE, 1 + max(code for code in schema.type_codes if code not in PLATFORM_TYPE_CODES))
    return PLATFORM_TYPE_CODES.stop if found in PLATFORM_TYPE_CODES else found


def _relationship(
    schema: Schema, new: NewRelationship, column: Column, lookup_nav: str, siblings: Sequence[Relationship]
) -> Relationship:
    name = checked_relationship_name(new.schema_name)
    _check_relationship_is_free(schema, name)
    parent, child = schema.tables[new.referenced_table], schema.tables[new.referencing_table]
    lookup_nav = checked_identifier(lookup_nav, "navigation property")
    collection_nav = checked_identifier(new.collection_nav or name, "navigation property")
    check_nav_is_free(schema, child, lookup_nav)
    check_nav_is_free(schema, parent, collection_nav)
    if any(s.schema_name == name or s.lookup_nav == lookup_nav for s in siblings):
        raise InvalidRequest(f"The name '{name}' or '{lookup_nav}' is given twice.", code="0x80047010")
    if parent is child and lookup_nav == collection_nav:
        raise InvalidRequest(f"The relationship '{name}' within one table needs two navigation property names.")
    relationship = Relationship(
        schema_name=name,
        metadata_id=ids_for_next_version(schema)("relationship", name),
        referenced_table=parent.logical_name,
        referenced_column=parent.primary_id,
        referencing_table=child.logical_name,
        referencing_column=column.logical_name,
        lookup_nav=lookup_nav,
        collection_nav=collection_nav,
        cascade=checked_cascade(new.cascade),
        is_hierarchical=new.is_hierarchical,
        is_custom=True,
    )
    _check_hierarchy(schema, relationship, new.is_hierarchical)
    return relationship


def _check_relationship_is_free(schema: Schema, name: str) -> None:
    lower = name.lower()
    if any(found.lower() == lower for found in (*schema.relationships, *schema.many_to_many)):
        raise InvalidRequest(f"A relationship with the name '{name}' already exists.", code="0x80047010")


def _check_hierarchy(schema: Schema, relationship: Relationship, is_hierarchical: bool) -> None:
    if not is_hierarchical:
        return
    table = relationship.referenced_table
    if table != relationship.referencing_table:
        raise InvalidRequest(f"The relationship '{relationship.schema_name}' is not within one table: no hierarchy.")
    for other in schema.children_of(table):
        if other.is_hierarchical and other.schema_name != relationship.schema_name:
            raise InvalidRequest(f"The table '{table}' has the hierarchy '{other.schema_name}' already.")


def _refuse_platform(is_custom: bool, schema_name: str) -> None:
    if not is_custom:
        raise InvalidRequest(f"The relationship '{schema_name}' belongs to the platform and cannot be deleted.")


def _short(name: str) -> str:
    return name if len(name) <= 50 else name[:50]
