"""Relationships on the wire (WA-331, WA-332)."""

from collections.abc import Callable
from dataclasses import dataclass

from strongroom.schema.model import Cascade, ColumnType, ManyToMany, Relationship, Schema, Table
from strongroom.schema.stable_ids import stable_id
from strongroom.webapi.definitions.labels import label, managed
from strongroom.webapi.definitions.shapes import Node, Shape, Shown, declared

_PARENTAL = ("assign", "share", "unshare", "reparent")


@dataclass(frozen=True, slots=True)
class _Owner:
    """The relationship behind `ownerid`: it leads to `principal`, users and teams together (WA-72)."""

    table: Table

    @property
    def schema_name(self) -> str:
        return f"owner_{self.table.entity_set_name}"


_One = Relationship | _Owner


_Any = Relationship | ManyToMany | _Owner


def _is_custom(item: _Any) -> bool:
    return not isinstance(item, _Owner) and item.is_custom


def _is_managed(item: _Any) -> bool:
    return isinstance(item, _Owner) or item.is_managed or not item.is_custom


def _id(item: _Any) -> str:
    return stable_id("relationship", item.schema_name) if isinstance(item, _Owner) else item.metadata_id


_COMMON: dict[str, Callable[[_Any], object]] = {
    "MetadataId": _id,
    "HasChanged": lambda item: None,
    "IsCustomRelationship": _is_custom,
    "IsValidForAdvancedFind": lambda item: True,
    "SchemaName": lambda item: item.schema_name,
    "IsManaged": lambda item: _is_managed(item),
    "IntroducedVersion": lambda item: "1.0.0.0",
    "IsCustomizable": lambda item: managed(_is_custom(item), "iscustomizable"),
}


def _menu(name: str) -> dict[str, object]:
    return {
        "Behavior": "UseCollectionName",
        "Group": "Details",
        "Order": 10_000,
        "IsCustomizable": True,
        "Icon": None,
        "ViewId": "00000000-0000-0000-0000-000000000000",
        "AvailableOffline": True,
        "MenuId": None,
        "QueryApi": None,
        "Label": label("", name, "Menu", is_managed=False),
    }


def _cascade(item: _One) -> dict[str, object]:
    cascade = Cascade(delete="NoCascade") if isinstance(item, _Owner) else item.cascade
    return {
        "Assign": cascade.assign,
        "Delete": cascade.delete,
        "Archive": "RemoveLink" if cascade.delete == "RemoveLink" else "NoCascade",
        "Merge": cascade.merge,
        "Reparent": cascade.reparent,
        "Share": cascade.share,
        "Unshare": cascade.unshare,
        "RollupView": cascade.rollup_view,
    }


def _security_types(item: _One) -> str:
    """`ParentChild` when rights come down from the parent by themselves, `Append` when a user links the rows."""
    if isinstance(item, _Owner):
        return "None"
    cascade = item.cascade
    return "ParentChild" if all(getattr(cascade, action) == "Cascade" for action in _PARENTAL) else "Append"


_ONE: dict[str, Callable[[_One], object]] = {
    **_COMMON,
    "SecurityTypes": _security_types,
    "RelationshipType": lambda item: "OneToManyRelationship",
    "ReferencedAttribute": lambda item: "ownerid" if isinstance(item, _Owner) else item.referenced_column,
    "ReferencedEntity": lambda item: "owner" if isinstance(item, _Owner) else item.referenced_table,
    "ReferencingAttribute": lambda item: "ownerid" if isinstance(item, _Owner) else item.referencing_column,
    "ReferencingEntity": lambda item: item.table.logical_name if isinstance(item, _Owner) else item.referencing_table,
    "IsHierarchical": lambda item: not isinstance(item, _Owner) and item.is_hierarchical,
    "EntityKey": lambda item: None,
    "IsRelationshipAttributeDenormalized": lambda item: False,
    "ReferencedEntityNavigationPropertyName": lambda item: (
        item.schema_name if isinstance(item, _Owner) else item.collection_nav
    ),
    "ReferencingEntityNavigationPropertyName": lambda item: "ownerid" if isinstance(item, _Owner) else item.lookup_nav,
    "RelationshipBehavior": lambda item: 1,
    "IsDenormalizedLookup": lambda item: False,
    "DenormalizedAttributeName": lambda item: None,
    "AssociatedMenuConfiguration": lambda item: _menu(item.schema_name),
    "CascadeConfiguration": _cascade,
    "RelationshipAttributes": lambda item: [],
}
_MANY: dict[str, Callable[[ManyToMany], object]] = {
    **_COMMON,
    "SecurityTypes": lambda item: "None",
    "RelationshipType": lambda item: "ManyToManyRelationship",
    "Entity1LogicalName": lambda item: item.table1,
    "Entity2LogicalName": lambda item: item.table2,
    "IntersectEntityName": lambda item: item.intersect,
    "Entity1IntersectAttribute": lambda item: item.column1,
    "Entity2IntersectAttribute": lambda item: item.column2,
    "Entity1NavigationPropertyName": lambda item: item.nav1,
    "Entity2NavigationPropertyName": lambda item: item.nav2,
    "Entity1AssociatedMenuConfiguration": lambda item: _menu(f"{item.schema_name}.1"),
    "Entity2AssociatedMenuConfiguration": lambda item: _menu(f"{item.schema_name}.2"),
}

ONE_TO_MANY_TYPE = "OneToManyRelationshipMetadata"
MANY_TO_MANY_TYPE = "ManyToManyRelationshipMetadata"

_ONE_TYPED = Shape(ONE_TO_MANY_TYPE, _ONE, is_typed=True)
_MANY_TYPED = Shape(MANY_TO_MANY_TYPE, _MANY, is_typed=True)

ONE_TO_MANY = declared(ONE_TO_MANY_TYPE, _ONE_TYPED)
MANY_TO_MANY = declared(MANY_TO_MANY_TYPE, _MANY_TYPED)


def all_relationships(schema: Schema) -> list[Shown]:
    """Every relationship of the environment, of both kinds."""
    owners = [_Owner(table) for table in schema.tables.values() if _has_owner(table)]
    found: list[Shown] = [_one(item) for item in (*schema.relationships.values(), *owners)]
    found += [_many(item) for item in schema.many_to_many.values()]
    return found


def one_to_many(schema: Schema, table: Table) -> list[Shown]:
    """Those in which the table is the parent."""
    return [_one(item) for item in schema.children_of(table.logical_name)]


def many_to_one(schema: Schema, table: Table) -> list[Shown]:
    """Those in which the table is the child."""
    found = [_one(item) for item in schema.parents_of(table.logical_name)]
    return [*found, _one(_Owner(table))] if _has_owner(table) else found


def many_to_many(schema: Schema, table: Table) -> list[Shown]:
    """Those with the table at one of two equal ends."""
    name = table.logical_name
    return [_many(item) for item in schema.many_to_many.values() if name in (item.table1, item.table2)]


def _one(item: _One) -> Shown:
    return Node(_ONE_TYPED, item)


def _many(item: ManyToMany) -> Shown:
    return Node(_MANY_TYPED, item)


def _has_owner(table: Table) -> bool:
    owner = table.columns.get("ownerid")
    return owner is not None and owner.type is ColumnType.OWNER
