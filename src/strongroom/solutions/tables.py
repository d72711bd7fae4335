"""Tables, columns, choices and relationships out of the XML of an export."""

from collections.abc import Mapping
from xml.etree.ElementTree import Element

from strongroom.errors import InvalidRequest
from strongroom.schema.changes import NewAssociation, NewChoice, NewColumn, NewKey, NewOption, NewRelationship
from strongroom.schema.model import Cascade, ColumnType, DateBehavior, Ownership, RequiredLevel, SourceType
from strongroom.solutions.model import SolutionRelationship, SolutionTable
from strongroom.solutions.xml import child_text, first_child, flag, localized, number, whole

COLUMN_TYPES: Mapping[str, ColumnType] = {
    "nvarchar": ColumnType.STRING,
    "ntext": ColumnType.MEMO,
    "int": ColumnType.INTEGER,
    "bigint": ColumnType.BIGINT,
    "decimal": ColumnType.DECIMAL,
    "float": ColumnType.DOUBLE,
    "money": ColumnType.MONEY,
    "bit": ColumnType.BOOLEAN,
    "datetime": ColumnType.DATETIME,
    "picklist": ColumnType.PICKLIST,
    "multiselectpicklist": ColumnType.MULTISELECT,
    "lookup": ColumnType.LOOKUP,
    "customer": ColumnType.CUSTOMER,
    "uniqueidentifier": ColumnType.UNIQUEIDENTIFIER,
    "file": ColumnType.FILE,
    "image": ColumnType.IMAGE,
}
_NOT_MADE = frozenset(
    {"primarykey", "owner", "state", "status", "partylist", "virtual", "managedproperty", "entityname"}
)
_LEVELS = {
    "required": RequiredLevel.APPLICATION_REQUIRED,
    "applicationrequired": RequiredLevel.APPLICATION_REQUIRED,
    "systemrequired": RequiredLevel.APPLICATION_REQUIRED,
    "recommended": RequiredLevel.RECOMMENDED,
}
BEHAVIORS = {"1": DateBehavior.USER_LOCAL, "2": DateBehavior.DATE_ONLY, "3": DateBehavior.TIME_ZONE_INDEPENDENT}
_FORMATS = {
    "text": "Text",
    "email": "Email",
    "textarea": "TextArea",
    "url": "Url",
    "ticker": "TickerSymbol",
    "tickersymbol": "TickerSymbol",
    "phone": "Phone",
    "richtext": "RichText",
    "json": "Json",
    "duration": "Duration",
    "timezone": "TimeZone",
    "language": "Language",
    "locale": "Locale",
}
_OWNERSHIP = {"UserOwned": Ownership.USER, "OrgOwned": Ownership.ORGANIZATION}


def read_table(entity: Element) -> SolutionTable | None:
    """A table; None for an element that only carries forms or views of one."""
    name = first_child(entity, "Name")
    info = entity.find("EntityInfo/entity")
    if info is None:
        return None
    schema_name = (info.get("Name") or (name.text if name is not None else "") or "").strip()
    if not schema_name:
        raise InvalidRequest("A table of the solution has no name.")
    attributes = [attribute for attribute in info.findall("attributes/attribute") if attribute.find("Type") is not None]
    columns = [(attribute, column) for attribute in attributes if (column := read_column(attribute)) is not None]
    primary = next((column for attribute, column in columns if _is_primary_name(attribute)), None)
    return SolutionTable(
        logical_name=schema_name.lower(),
        schema_name=schema_name,
        ownership=_OWNERSHIP.get(child_text(info, "OwnershipTypeMask"), Ownership.USER),
        entity_set_name=child_text(info, "EntitySetName") or None,
        label=localized(info, "LocalizedNames/LocalizedName") or schema_name,
        collection_label=localized(info, "LocalizedCollectionNames/LocalizedCollectionName"),
        description=localized(info, "Descriptions/Description"),
        primary_name=primary,
        columns=tuple(
            column for attribute, column in columns if column is not primary and flag(attribute, "IsCustomField")
        ),
        keys=tuple(_key(key) for key in info.iter("EntityKey")),
        is_audited=flag(info, "IsAuditEnabled"),
        is_activity=flag(info, "IsActivity"),
        has_notes=flag(info, "HasRelatedNotes"),
        change_tracking=flag(info, "ChangeTrackingEnabled"),
    )


def read_column(attribute: Element) -> NewColumn | None:
    """A column; None for those that the platform makes by itself."""
    kind = child_text(attribute, "Type").lower()
    if kind in _NOT_MADE or child_text(attribute, "CalculationOf"):
        return None  # the second: an amount in the base currency comes with its column
    type_ = COLUMN_TYPES.get(kind)
    name = attribute.get("PhysicalName") or child_text(attribute, "Name")
    if type_ is None:
        raise InvalidRequest(f"The column '{name}' has the type '{kind}', which no table here has.")
    options, choice, default = _choice_of(attribute, type_)
    # A formula of Dataverse's own lies in a file of its own, and is not worked out here: the column is a simple one.
    formula = child_text(attribute, "FormulaDefinition") or None
    is_number = type_ in (ColumnType.INTEGER, ColumnType.DECIMAL, ColumnType.DOUBLE, ColumnType.MONEY)
    return NewColumn(
        schema_name=name,
        type=type_,
        label=localized(attribute, "displaynames/displayname") or name,
        description=localized(attribute, "Descriptions/Description"),
        required=_LEVELS.get(child_text(attribute, "RequiredLevel").lower(), RequiredLevel.NONE),
        max_length=whole(child_text(attribute, "MaxLength")) if type_.is_text else None,
        precision=whole(child_text(attribute, "Accuracy")) if is_number and type_ is not ColumnType.INTEGER else None,
        minimum=number(child_text(attribute, "MinValue")) if is_number else None,
        maximum=number(child_text(attribute, "MaxValue")) if is_number else None,
        format=_format(attribute, type_),
        behavior=BEHAVIORS.get(child_text(attribute, "Behavior")) if type_ is ColumnType.DATETIME else None,
        options=options,
        global_choice=choice,
        default=default,
        is_secured=flag(attribute, "IsSecured") or None,
        is_audited=flag(attribute, "IsAuditEnabled"),
        auto_number_format=child_text(attribute, "AutoNumberFormat") or None,
        max_size_kb=whole(child_text(attribute, "MaxValue")) if type_ in (ColumnType.FILE, ColumnType.IMAGE) else None,
        source_type=SourceType(whole(child_text(attribute, "SourceType")) or 0) if formula else SourceType.SIMPLE,
        formula=formula,
    )


def read_choice(optionset: Element) -> NewChoice:
    """A choice that several columns share."""
    label = localized(optionset, "displaynames/displayname") or localized(optionset, "Descriptions/Description")
    name = optionset.get("Name") or ""
    return NewChoice(name, _options(optionset), label or name)


def read_relationship(element: Element) -> SolutionRelationship | NewAssociation:
    """A relationship of either kind."""
    name = element.get("Name") or ""
    if child_text(element, "EntityRelationshipType") == "ManyToMany":
        first = child_text(element, "FirstEntityName").lower()
        second = child_text(element, "SecondEntityName").lower()
        intersect = child_text(element, "IntersectEntityName") or None
        return NewAssociation(name, first, second, intersect, _side(element, "1"), _side(element, "2"))
    cascade = Cascade(
        assign=child_text(element, "CascadeAssign") or "NoCascade",
        share=child_text(element, "CascadeShare") or "NoCascade",
        unshare=child_text(element, "CascadeUnshare") or "NoCascade",
        reparent=child_text(element, "CascadeReparent") or "NoCascade",
        delete=child_text(element, "CascadeDelete") or "RemoveLink",
        rollup_view=child_text(element, "CascadeRollupView") or "NoCascade",
    )
    relationship = NewRelationship(
        schema_name=name,
        referenced_table=child_text(element, "ReferencedEntityName").lower(),
        referencing_table=child_text(element, "ReferencingEntityName").lower(),
        cascade=cascade,
        is_hierarchical=flag(element, "IsHierarchical"),
        lookup_nav=_navigation(element, "1"),
        collection_nav=_navigation(element, "0"),
    )
    return SolutionRelationship(relationship, child_text(element, "ReferencingAttributeName"))


def _navigation(element: Element, role: str) -> str | None:
    """The name of the navigation property on one side: `1` the child's, `0` the parent's."""
    for each in element.iterfind("EntityRelationshipRoles/EntityRelationshipRole"):
        if child_text(each, "RelationshipRoleType") == role:
            return child_text(each, "NavigationPropertyName") or None
    return None


def _side(element: Element, ordinal: str) -> str | None:
    """The name of the navigation property of a table in an N:N relationship: `1` the first, `2` the second."""
    for each in element.iterfind("EntityRelationshipRoles/EntityRelationshipRole"):
        if child_text(each, "AssociationRoleOrdinal") == ordinal:
            return child_text(each, "NavigationPropertyName") or None
    return None


def _is_primary_name(attribute: Element) -> bool:
    return "PrimaryName" in child_text(attribute, "DisplayMask").split("|")


def _key(key: Element) -> NewKey:
    columns = tuple((column.text or "").strip().lower() for column in key.iter("AttributeName"))
    name = key.get("Name") or child_text(key, "Name") or child_text(key, "LogicalName")
    return NewKey(name, columns, localized(key, "displaynames/displayname") or name)


def _format(attribute: Element, type_: ColumnType) -> str | None:
    given = child_text(attribute, "Format").lower()
    if type_ is ColumnType.DATETIME:
        return "DateOnly" if given == "date" else "DateAndTime"
    if type_ in (ColumnType.STRING, ColumnType.MEMO, ColumnType.INTEGER):
        return _FORMATS.get(given)
    return None


def _choice_of(attribute: Element, type_: ColumnType) -> tuple[tuple[NewOption, ...] | None, str | None, int | None]:
    """(options of its own, name of a shared choice, default value) of a column."""
    if type_ not in (ColumnType.PICKLIST, ColumnType.MULTISELECT, ColumnType.BOOLEAN):
        return None, None, None
    default = whole(child_text(attribute, "AppDefaultValue"))
    default = None if default == -1 else default
    own = attribute.find("optionset")
    if own is not None:
        return _options(own) or None, None, default
    return None, child_text(attribute, "OptionSetName") or None, default


def _options(optionset: Element) -> tuple[NewOption, ...]:
    return tuple(
        NewOption(localized(option, "labels/label") or option.get("value", ""), whole(option.get("value", "")))
        for option in optionset.findall("options/option")
    )
