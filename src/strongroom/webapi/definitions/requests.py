"""JSON bodies of the metadata API → what `schema.changes` takes (WA-340 to WA-349)."""

from enum import Enum
from typing import TypeVar

from strongroom.errors import InvalidRequest, NotOffered
from strongroom.schema.changes import (
    NewAssociation,
    NewChoice,
    NewColumn,
    NewKey,
    NewOption,
    NewRelationship,
    NewTable,
    TableChange,
)
from strongroom.schema.model import (
    Cascade,
    ColumnType,
    DateBehavior,
    Ownership,
    RequiredLevel,
    Schema,
    SourceType,
)
from strongroom.webapi.definitions.addresses import find_choice, read_address
from strongroom.webapi.definitions.attributes import TYPE_NAMES
from strongroom.webapi.definitions.bodies import (
    Json,
    as_object,
    boolean,
    check_type,
    integer,
    number,
    objects,
    text,
    texts,
    type_name,
)
from strongroom.webapi.definitions.labels import read_label

_Member = TypeVar("_Member", bound=Enum)

_COLUMN_TYPES: dict[str, ColumnType] = {
    **{name: type_ for type_, name in TYPE_NAMES.items()},
    "LookupAttributeMetadata": ColumnType.LOOKUP,
}
_CASCADE_NAMES = {
    "Assign": "assign",
    "Share": "share",
    "Unshare": "unshare",
    "Reparent": "reparent",
    "Delete": "delete",
    "Merge": "merge",
    "RollupView": "rollup_view",
}


def new_table(schema: Schema, body: Json) -> NewTable:
    """An EntityMetadata body, with exactly one primary name among its Attributes (WA-340)."""
    check_type(body, "EntityMetadata")
    attributes = objects(body, "Attributes")
    primary = [attribute for attribute in attributes if boolean(attribute, "IsPrimaryName")]
    name = text(body, "SchemaName") or ""
    if len(primary) != 1:
        raise InvalidRequest(
            f"The table '{name}' needs exactly one StringAttributeMetadata with IsPrimaryName true in Attributes; "
            f"{len(primary)} were given."
        )
    return NewTable(
        schema_name=name,
        ownership=_member(Ownership, text(body, "OwnershipType") or "UserOwned", "OwnershipType"),
        primary_name=new_column(schema, primary[0]),
        label=read_label(body, "DisplayName"),
        collection_label=read_label(body, "DisplayCollectionName"),
        description=read_label(body, "Description"),
        columns=tuple(new_column(schema, attribute) for attribute in attributes if attribute is not primary[0]),
        entity_set_name=text(body, "EntitySetName"),
        has_notes=boolean(body, "HasNotes") or False,
        has_activities=boolean(body, "HasActivities") or False,
        is_activity=boolean(body, "IsActivity") or False,
        is_audited=boolean(body, "IsAuditEnabled") is not False,
        is_retrieve_audited=boolean(body, "IsRetrieveAuditEnabled") or False,
        is_retrieve_multiple_audited=boolean(body, "IsRetrieveMultipleAuditEnabled") or False,
        change_tracking=boolean(body, "ChangeTrackingEnabled") is not False,
        is_hierarchy_security_enabled=boolean(body, "IsHierarchySecurityEnabled") is not False,
    )


def table_change(body: Json) -> TableChange:
    """An EntityMetadata body that replaces a definition (WA-344)."""
    check_type(body, "EntityMetadata")
    return TableChange(
        label=read_label(body, "DisplayName"),
        collection_label=read_label(body, "DisplayCollectionName"),
        description=read_label(body, "Description"),
        has_notes=boolean(body, "HasNotes"),
        has_activities=boolean(body, "HasActivities"),
        is_audited=boolean(body, "IsAuditEnabled"),
        is_retrieve_audited=boolean(body, "IsRetrieveAuditEnabled"),
        is_retrieve_multiple_audited=boolean(body, "IsRetrieveMultipleAuditEnabled"),
        change_tracking=boolean(body, "ChangeTrackingEnabled"),
        is_hierarchy_security_enabled=boolean(body, "IsHierarchySecurityEnabled"),
    )


def new_column(schema: Schema, body: Json) -> NewColumn:
    """A body of one of the attribute types (WA-343)."""
    type_ = _column_type(body)
    required = text(body, "RequiredLevel")
    behavior = text(body, "DateTimeBehavior")
    source = integer(body, "SourceType")
    default = integer(body, "DefaultValue" if type_ is ColumnType.BOOLEAN else "DefaultFormValue")
    options, choice = _options(schema, type_, body)
    return NewColumn(
        schema_name=text(body, "SchemaName") or "",
        type=type_,
        label=read_label(body, "DisplayName"),
        description=read_label(body, "Description"),
        required=_member(RequiredLevel, required, "RequiredLevel") if required else None,
        max_length=integer(body, "MaxLength"),
        precision=integer(body, "Precision"),
        minimum=number(body, "MinValue"),
        maximum=number(body, "MaxValue"),
        format=_format(type_, body),
        behavior=_member(DateBehavior, behavior, "DateTimeBehavior") if behavior else None,
        options=options,
        global_choice=choice,
        default=default,
        is_secured=boolean(body, "IsSecured"),
        is_audited=boolean(body, "IsAuditEnabled"),
        is_read_audited=boolean(body, "IsReadAuditEnabled"),
        auto_number_format=text(body, "AutoNumberFormat"),
        max_size_kb=integer(body, "MaxSizeInKB"),
        can_store_full_image=boolean(body, "CanStoreFullImage"),
        source_type=_member(SourceType, source or 0, "SourceType"),
        formula=text(body, "FormulaDefinition") or None,
    )


def new_relationship(body: Json) -> NewRelationship:
    """A OneToManyRelationshipMetadata body without its lookup (WA-347)."""
    check_type(body, "OneToManyRelationshipMetadata")
    return NewRelationship(
        schema_name=text(body, "SchemaName") or "",
        referenced_table=_table_name(body, "ReferencedEntity"),
        referencing_table=_table_name(body, "ReferencingEntity"),
        cascade=cascade(body),
        lookup_nav=text(body, "ReferencingEntityNavigationPropertyName") or None,
        collection_nav=text(body, "ReferencedEntityNavigationPropertyName") or None,
        is_hierarchical=boolean(body, "IsHierarchical") or False,
    )


def new_lookup(schema: Schema, body: Json) -> NewColumn:
    """The `Lookup` of a relationship body."""
    if body.get("Lookup") is None:
        raise InvalidRequest(
            "The relationship has no Lookup, a LookupAttributeMetadata with the SchemaName of its column."
        )
    lookup = as_object(body["Lookup"], "Lookup")
    check_type(lookup, "LookupAttributeMetadata")
    typed = {"SchemaName": text(body, "ReferencingAttribute"), **lookup, "@odata.type": None, "AttributeType": "Lookup"}
    return new_column(schema, typed)


def cascade(body: Json) -> Cascade:
    """The CascadeConfiguration of a relationship body; without one, NoCascade and RemoveLink (WA-347)."""
    if body.get("CascadeConfiguration") is None:
        return Cascade()
    configuration = as_object(body["CascadeConfiguration"], "CascadeConfiguration")
    given = {field: text(configuration, name) for name, field in _CASCADE_NAMES.items()}
    return Cascade(**{field: value for field, value in given.items() if value})


def new_association(body: Json) -> NewAssociation:
    """A ManyToManyRelationshipMetadata body (WA-347)."""
    return NewAssociation(
        schema_name=text(body, "SchemaName") or "",
        table1=_table_name(body, "Entity1LogicalName"),
        table2=_table_name(body, "Entity2LogicalName"),
        intersect=text(body, "IntersectEntityName") or None,
        nav1=text(body, "Entity1NavigationPropertyName") or None,
        nav2=text(body, "Entity2NavigationPropertyName") or None,
    )


def new_key(body: Json) -> NewKey:
    """An EntityKeyMetadata body (WA-346)."""
    check_type(body, "EntityKeyMetadata")
    return NewKey(
        schema_name=text(body, "SchemaName") or "",
        columns=tuple(name.lower() for name in texts(body, "KeyAttributes")),
        label=read_label(body, "DisplayName"),
    )


def new_choice(body: Json) -> NewChoice:
    """An OptionSetMetadata body (WA-349)."""
    check_type(body, "OptionSetMetadata")
    if (text(body, "OptionSetType") or "Picklist") != "Picklist":
        raise NotOffered("Only global choices with the OptionSetType Picklist are offered.")
    return NewChoice(
        name=text(body, "Name") or "",
        options=tuple(_option(option) for option in objects(body, "Options")),
        label=read_label(body, "DisplayName"),
    )


def _column_type(body: Json) -> ColumnType:
    name = type_name(body)
    if name is None:
        attribute_type = text(body, "AttributeType")
        name = f"{attribute_type}AttributeMetadata" if attribute_type else None
    if name is None:
        raise InvalidRequest(
            "An attribute needs an @odata.type, for example Microsoft.Dynamics.CRM.StringAttributeMetadata."
        )
    type_ = _COLUMN_TYPES.get(name)
    if type_ is None:
        raise InvalidRequest(f"The attribute type '{name}' is not known; one of {', '.join(sorted(_COLUMN_TYPES))} is.")
    return type_


def _format(type_: ColumnType, body: Json) -> str | None:
    """`FormatName` of texts is newer than `Format` and wins: a client that changes it sends the old `Format` along."""
    if type_.is_text:
        name = text(body, "FormatName")
        if name:
            return name
    return text(body, "Format") or None


def _options(schema: Schema, type_: ColumnType, body: Json) -> tuple[tuple[NewOption, ...] | None, str | None]:
    bound = text(body, "GlobalOptionSet@odata.bind")
    if bound is not None:
        if "GlobalOptionSetDefinitions(" not in bound:
            raise InvalidRequest(
                "GlobalOptionSet@odata.bind must be a reference such as /GlobalOptionSetDefinitions(<id>)."
            )
        address = read_address(bound[bound.index("GlobalOptionSetDefinitions(") :])
        return None, find_choice(schema, address).name
    if body.get("OptionSet") is None:
        return None, None
    option_set = as_object(body["OptionSet"], "OptionSet")
    if type_ is ColumnType.BOOLEAN:
        check_type(option_set, "BooleanOptionSetMetadata")
        return (_of_two(option_set, "TrueOption", 1), _of_two(option_set, "FalseOption", 0)), None
    check_type(option_set, "OptionSetMetadata")
    if boolean(option_set, "IsGlobal"):
        return None, (text(option_set, "Name") or "").lower()
    return tuple(_option(option) for option in objects(option_set, "Options")), None


def _option(body: Json) -> NewOption:
    label = read_label(body, "Label")
    if label is None:
        raise InvalidRequest("An option has no Label.")
    return NewOption(label, integer(body, "Value"), state=integer(body, "State"))


def _of_two(option_set: Json, name: str, default: int) -> NewOption:
    option = as_object(option_set.get(name), name)
    value = integer(option, "Value")
    return NewOption(read_label(option, "Label") or name.removesuffix("Option"), default if value is None else value)


def _table_name(body: Json, name: str) -> str:
    value = text(body, name)
    if not value:
        raise InvalidRequest(f"{name} is missing.")
    return value.lower()


def _member(enumeration: type[_Member], value: object, name: str) -> _Member:
    try:
        return enumeration(value)
    except ValueError as error:
        known = ", ".join(str(member.value) for member in enumeration)
        raise InvalidRequest(f"The {name} '{value}' is not one of {known}.") from error
