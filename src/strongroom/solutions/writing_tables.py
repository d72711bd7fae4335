"""Tables, columns, choices and relationships as the XML of an export: what `tables` reads, written again."""

from collections.abc import Iterable, Mapping, Sequence
from xml.etree.ElementTree import Element, SubElement

from strongroom.schema.changes import NewAssociation, NewChoice, NewColumn, NewKey, NewOption
from strongroom.schema.model import Cascade, ColumnType, DateBehavior, Ownership, RequiredLevel
from strongroom.solutions.managed_properties import add_withheld
from strongroom.solutions.model import SolutionRelationship, SolutionTable
from strongroom.solutions.tables import BEHAVIORS, COLUMN_TYPES
from strongroom.solutions.xml import ENGLISH, add_flag, add_labels, add_text

_TYPE_NAMES: Mapping[ColumnType, str] = {type_: name for name, type_ in COLUMN_TYPES.items()}
_BEHAVIOR_NAMES: Mapping[DateBehavior, str] = {behavior: name for name, behavior in BEHAVIORS.items()}
_LEVELS = {
    RequiredLevel.APPLICATION_REQUIRED: "required",
    RequiredLevel.SYSTEM_REQUIRED: "required",
    RequiredLevel.RECOMMENDED: "recommended",
}
_OWNERSHIP = {Ownership.USER: "UserOwned", Ownership.ORGANIZATION: "OrgOwned"}
_MASK = "ValidForAdvancedFind|ValidForForm|ValidForGrid"
_CASCADES = ("assign", "share", "unshare", "reparent", "delete", "rollup_view")


Withheld = Mapping[tuple[str, str], tuple[str, ...]]


def table_element(table: SolutionTable, withheld: Withheld) -> Element:
    """The element `entity` inside of `EntityInfo`."""
    element = Element("entity", {"Name": table.schema_name})
    add_labels(element, "LocalizedNames", "LocalizedName", table.label)
    if table.collection_label:
        add_labels(element, "LocalizedCollectionNames", "LocalizedCollectionName", table.collection_label)
    if table.description:
        add_labels(element, "Descriptions", "Description", table.description)
    attributes = SubElement(element, "attributes")
    if table.primary_name is not None:
        attributes.append(_attribute(table, table.primary_name, withheld, is_primary=True))
    attributes.extend(_attribute(table, column, withheld, is_primary=False) for column in table.columns)
    if table.entity_set_name:
        add_text(element, "EntitySetName", table.entity_set_name)
    add_text(element, "OwnershipTypeMask", _OWNERSHIP[table.ownership])
    add_flag(element, "IsAuditEnabled", table.is_audited)
    add_flag(element, "IsActivity", table.is_activity)
    add_flag(element, "HasRelatedNotes", table.has_notes)
    add_flag(element, "ChangeTrackingEnabled", table.change_tracking)
    add_withheld(element, withheld.get(("table", table.logical_name), ()))
    if table.keys:
        keys = SubElement(element, "EntityKeys")
        keys.extend(_key(key) for key in table.keys)
    return element


def choice_element(choice: NewChoice, withheld: Withheld) -> Element:
    """A shared choice."""
    element = Element("optionset", {"Name": choice.name})
    add_flag(element, "IsGlobal", True)
    add_text(element, "OptionSetType", "picklist")
    add_labels(element, "displaynames", "displayname", choice.label or choice.name)
    _add_options(element, choice.options)
    add_withheld(element, withheld.get(("choice", choice.name), ()))
    return element


def relationship_element(found: SolutionRelationship | NewAssociation, withheld: Withheld) -> Element:
    """A relationship of either kind."""
    if isinstance(found, NewAssociation):
        element = Element("EntityRelationship", {"Name": found.schema_name})
        add_withheld(element, withheld.get(("relationship", found.schema_name), ()))
        add_text(element, "EntityRelationshipType", "ManyToMany")
        add_text(element, "FirstEntityName", found.table1)
        add_text(element, "SecondEntityName", found.table2)
        if found.intersect:
            add_text(element, "IntersectEntityName", found.intersect)
        if found.nav1 or found.nav2:
            roles = SubElement(element, "EntityRelationshipRoles")
            for ordinal, name in (("1", found.nav1), ("2", found.nav2)):
                role = SubElement(roles, "EntityRelationshipRole")
                add_text(role, "NavigationPropertyName", name or "")
                add_text(role, "AssociationRoleOrdinal", ordinal)
        return element
    relationship = found.relationship
    element = Element("EntityRelationship", {"Name": relationship.schema_name})
    add_withheld(element, withheld.get(("relationship", relationship.schema_name), ()))
    add_text(element, "EntityRelationshipType", "OneToMany")
    add_flag(element, "IsHierarchical", relationship.is_hierarchical)
    add_text(element, "ReferencingEntityName", relationship.referencing_table)
    add_text(element, "ReferencedEntityName", relationship.referenced_table)
    _add_cascade(element, relationship.cascade)
    add_text(element, "ReferencingAttributeName", found.lookup)
    roles = SubElement(element, "EntityRelationshipRoles")
    for kind, name in (("1", relationship.lookup_nav), ("0", relationship.collection_nav)):
        if name:
            role = SubElement(roles, "EntityRelationshipRole")
            add_text(role, "NavigationPropertyName", name)
            add_text(role, "RelationshipRoleType", kind)
    return element


def _attribute(table: SolutionTable, column: NewColumn, withheld: Withheld, *, is_primary: bool) -> Element:
    element = Element("attribute", {"PhysicalName": column.schema_name})
    add_text(element, "Type", _TYPE_NAMES[column.type])
    for name in ("Name", "LogicalName"):
        add_text(element, name, column.schema_name.lower())
    add_text(element, "RequiredLevel", _LEVELS.get(column.required or RequiredLevel.NONE, "none"))
    add_text(element, "DisplayMask", f"PrimaryName|{_MASK}" if is_primary else _MASK)
    add_flag(element, "IsCustomField", True)
    add_flag(element, "IsAuditEnabled", column.is_audited is not False)
    add_flag(element, "IsSecured", column.is_secured is True)
    add_withheld(element, withheld.get(("column", f"{table.logical_name}.{column.schema_name.lower()}"), ()))
    facts = {
        "MaxLength": column.max_length,
        "Accuracy": column.precision,
        "MinValue": _number(column.minimum),
        "MaxValue": _number(column.maximum) if column.max_size_kb is None else column.max_size_kb,
        "Format": _format(column),
        "Behavior": _BEHAVIOR_NAMES.get(column.behavior) if column.behavior is not None else None,
        "AppDefaultValue": column.default,
        "AutoNumberFormat": column.auto_number_format,
        "OptionSetName": column.global_choice,
        "SourceType": None if column.formula is None else column.source_type.value,
        "FormulaDefinition": column.formula,
    }
    for name, fact in facts.items():
        if fact is not None:
            add_text(element, name, str(fact))
    if column.options is not None and column.global_choice is None:
        own = SubElement(element, "optionset", {"Name": f"{column.schema_name.lower()}_options"})
        add_flag(own, "IsGlobal", False)
        _add_options(own, column.options)
    add_labels(element, "displaynames", "displayname", column.label or column.schema_name)
    if column.description:
        add_labels(element, "Descriptions", "Description", column.description)
    return element


def _format(column: NewColumn) -> str | None:
    if column.type is ColumnType.DATETIME:
        return "date" if column.format == "DateOnly" else "datetime"
    return column.format.lower() if column.format else None


def _number(value: float | None) -> str | None:
    if value is None:
        return None
    return str(int(value)) if value == int(value) else repr(value)


def _add_cascade(element: Element, cascade: Cascade) -> None:
    for action in _CASCADES:
        value: str = getattr(cascade, action)
        add_text(element, f"Cascade{''.join(part.capitalize() for part in action.split('_'))}", value)


def _add_options(element: Element, options: Iterable[NewOption]) -> None:
    listed = SubElement(element, "options")
    for option in options:
        added = SubElement(listed, "option", {"value": "" if option.value is None else str(option.value)})
        labels = SubElement(added, "labels")
        SubElement(labels, "label", {"description": option.label, "languagecode": ENGLISH})


def _key(key: NewKey) -> Element:
    element = Element("EntityKey", {"Name": key.schema_name})
    add_text(element, "LogicalName", key.schema_name.lower())
    add_labels(element, "displaynames", "displayname", key.label or key.schema_name)
    _add_names(element, key.columns)
    return element


def _add_names(element: Element, columns: Sequence[str]) -> None:
    listed = SubElement(element, "EntityKeyAttributes")
    for column in columns:
        add_text(listed, "AttributeName", column)
