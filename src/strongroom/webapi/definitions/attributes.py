"""Columns on the wire: the attribute types of the metadata API (WA-328, WA-329)."""

from collections.abc import Callable
from dataclasses import dataclass

from strongroom.schema.model import Column, ColumnType, RequiredLevel, Schema, Table
from strongroom.webapi.definitions.choices import OPTION_SET, global_choice_of, option_set_of
from strongroom.webapi.definitions.labels import label, managed
from strongroom.webapi.definitions.shapes import Declared, Node, Shape, Shown, declared


@dataclass(frozen=True, slots=True)
class AttributeItem:
    """A column in its place."""

    schema: Schema
    table: Table
    column: Column


Property = Callable[[AttributeItem], object]
_Properties = dict[str, Property]

BASE_TYPE = "AttributeMetadata"
ENUM_TYPE = "EnumAttributeMetadata"

TYPE_NAMES: dict[ColumnType, str] = {
    ColumnType.BIGINT: "BigIntAttributeMetadata",
    ColumnType.BOOLEAN: "BooleanAttributeMetadata",
    ColumnType.CUSTOMER: "LookupAttributeMetadata",
    ColumnType.DATETIME: "DateTimeAttributeMetadata",
    ColumnType.DECIMAL: "DecimalAttributeMetadata",
    ColumnType.DOUBLE: "DoubleAttributeMetadata",
    ColumnType.ENTITYNAME: "EntityNameAttributeMetadata",
    ColumnType.FILE: "FileAttributeMetadata",
    ColumnType.IMAGE: "ImageAttributeMetadata",
    ColumnType.INTEGER: "IntegerAttributeMetadata",
    ColumnType.LOOKUP: "LookupAttributeMetadata",
    ColumnType.MANAGEDPROPERTY: "ManagedPropertyAttributeMetadata",
    ColumnType.MEMO: "MemoAttributeMetadata",
    ColumnType.MONEY: "MoneyAttributeMetadata",
    ColumnType.MULTISELECT: "MultiSelectPicklistAttributeMetadata",
    ColumnType.OWNER: "LookupAttributeMetadata",
    ColumnType.PARTYLIST: "LookupAttributeMetadata",
    ColumnType.PICKLIST: "PicklistAttributeMetadata",
    ColumnType.STATE: "StateAttributeMetadata",
    ColumnType.STATUS: "StatusAttributeMetadata",
    ColumnType.STRING: "StringAttributeMetadata",
    ColumnType.UNIQUEIDENTIFIER: "UniqueIdentifierAttributeMetadata",
}

_VIRTUAL = frozenset({ColumnType.FILE, ColumnType.IMAGE, ColumnType.MULTISELECT})
_CHOICES = frozenset(
    {ColumnType.BOOLEAN, ColumnType.MULTISELECT, ColumnType.PICKLIST, ColumnType.STATE, ColumnType.STATUS}
)
_ENUM_TYPES = frozenset(TYPE_NAMES[type_] for type_ in _CHOICES - {ColumnType.BOOLEAN}) | {
    "EntityNameAttributeMetadata"
}


def attribute_type(column: Column) -> str:
    """`AttributeType`: files, images and multi-select choices count as Virtual (WA-329)."""
    return "Virtual" if column.type in _VIRTUAL else column.type.value


def _text(kind: str, text: Callable[[Column], str]) -> Property:
    def shown(item: AttributeItem) -> object:
        column = item.column
        return label(text(column), column.metadata_id, kind, is_managed=column.is_managed or not column.is_custom)

    return shown


def _managed(name: str, value: Callable[[AttributeItem], object]) -> Property:
    def shown(item: AttributeItem) -> object:
        column = item.column
        return managed(value(item), name, can_be_changed=column.is_custom and name not in column.withheld)

    return shown


def _open(name: str) -> Property:
    """A managed property itself: on, unless its maker has switched it off; nobody else changes it."""

    def shown(item: AttributeItem) -> object:
        column = item.column
        return managed(name not in column.withheld, name, can_be_changed=column.is_custom and not column.is_managed)

    return shown


def _required(item: AttributeItem) -> object:
    level = item.column.required
    return managed(
        level.value,
        "canmodifyrequirementlevelsettings",
        can_be_changed=level is not RequiredLevel.SYSTEM_REQUIRED
        and "canmodifyrequirementlevelsettings" not in item.column.withheld,
    )


def _can_secure(item: AttributeItem) -> object:
    return item.column.can_be_secured


def _whole(value: float | None) -> object:
    return None if value is None else int(value)


_BASE: _Properties = {
    "MetadataId": lambda item: item.column.metadata_id,
    "HasChanged": lambda item: None,
    "AttributeOf": lambda item: None,
    "AttributeType": lambda item: attribute_type(item.column),
    "AttributeTypeName": lambda item: {"Value": f"{item.column.type.value}Type"},
    "ColumnNumber": lambda item: item.column.column_number,
    "Description": _text("Description", lambda column: column.description),
    "DisplayName": _text("DisplayName", lambda column: column.label),
    "DeprecatedVersion": lambda item: None,
    "IntroducedVersion": lambda item: item.table.introduced_version,
    "EntityLogicalName": lambda item: item.table.logical_name,
    "IsAuditEnabled": _managed("canmodifyauditsettings", lambda item: item.column.is_audited),
    "IsReadAuditEnabled": lambda item: item.column.is_read_audited,
    "IsCustomAttribute": lambda item: item.column.is_custom,
    "IsPrimaryId": lambda item: item.column.logical_name == item.table.primary_id,
    "IsValidODataAttribute": lambda item: item.column.valid_for_read,
    "IsPrimaryName": lambda item: item.column.logical_name == item.table.primary_name,
    "IsValidForCreate": lambda item: item.column.valid_for_create,
    "IsValidForRead": lambda item: item.column.valid_for_read,
    "IsValidForUpdate": lambda item: item.column.valid_for_update,
    "CanBeSecuredForRead": _can_secure,
    "CanBeSecuredForCreate": _can_secure,
    "CanBeSecuredForUpdate": _can_secure,
    "IsEncrypted": lambda item: item.column.is_encrypted,
    "IsSecured": lambda item: item.column.is_secured,
    "IsRetrievable": lambda item: item.column.valid_for_read,
    "IsFilterable": lambda item: item.column.valid_for_read,
    "IsSearchable": lambda item: item.column.is_indexed and item.column.type.is_text,
    "IsManaged": lambda item: item.column.is_managed or not item.column.is_custom,
    "LinkedAttributeId": lambda item: None,
    "LogicalName": lambda item: item.column.logical_name,
    "IsCustomizable": _open("iscustomizable"),
    "IsRenameable": _open("isrenameable"),
    "IsValidForAdvancedFind": _managed("canmodifysearchsettings", lambda item: item.column.valid_for_read),
    "IsValidForForm": lambda item: True,
    "IsRequiredForForm": lambda item: False,
    "IsValidForGrid": lambda item: True,
    "RequiredLevel": _required,
    "CanModifyAdditionalSettings": _open("canmodifyadditionalsettings"),
    "SchemaName": lambda item: item.column.schema_name,
    "ExternalName": lambda item: None,
    "IsLogical": lambda item: item.column.is_logical,
    "IsDataSourceSecret": lambda item: False,
    "InheritsFrom": lambda item: None,
    "SourceType": lambda item: item.column.source_type.value,
    "AutoNumberFormat": lambda item: item.column.auto_number_format or "",
}

_BOUNDS: _Properties = {
    "MinValue": lambda item: item.column.minimum,
    "MaxValue": lambda item: item.column.maximum,
}
_WHOLE_BOUNDS: _Properties = {
    "MinValue": lambda item: _whole(item.column.minimum),
    "MaxValue": lambda item: _whole(item.column.maximum),
}
_FORMAT: _Properties = {"Format": lambda item: item.column.format}
_FORMULA: _Properties = {"FormulaDefinition": lambda item: item.column.formula or "", "SourceTypeMask": lambda item: 0}
_IME: _Properties = {"ImeMode": lambda item: "Auto"}
_LENGTH: _Properties = {"MaxLength": lambda item: item.column.max_length}
_PRECISION: _Properties = {"Precision": lambda item: item.column.precision}
_DEFAULT_OPTION: _Properties = {
    "DefaultFormValue": lambda item: -1 if item.column.default is None else item.column.default,
    "ParentPicklistLogicalName": lambda item: None,
    "ChildPicklistLogicalNames": lambda item: [],
}

_SPECIFIC: dict[ColumnType, _Properties] = {
    ColumnType.STRING: {
        **_FORMAT,
        "FormatName": lambda item: {"Value": item.column.format},
        **_IME,
        **_LENGTH,
        "DatabaseLength": lambda item: 2 * (item.column.max_length or 0),
        "IsLocalizable": lambda item: False,
        "YomiOf": lambda item: None,
        **_FORMULA,
    },
    ColumnType.MEMO: {
        **_FORMAT,
        "FormatName": lambda item: {"Value": item.column.format},
        **_IME,
        **_LENGTH,
        "IsLocalizable": lambda item: False,
    },
    ColumnType.INTEGER: {**_FORMAT, **_WHOLE_BOUNDS, **_FORMULA},
    ColumnType.BIGINT: _WHOLE_BOUNDS,
    ColumnType.DECIMAL: {**_BOUNDS, **_PRECISION, **_IME, **_FORMULA},
    ColumnType.DOUBLE: {**_BOUNDS, **_PRECISION, **_IME},
    ColumnType.MONEY: {
        **_BOUNDS,
        **_PRECISION,
        **_IME,
        "PrecisionSource": lambda item: 2,
        "CalculationOf": lambda item: _calculation_of(item),
        "IsBaseCurrency": lambda item: _calculation_of(item) is not None,
        **_FORMULA,
    },
    ColumnType.DATETIME: {
        **_FORMAT,
        **_IME,
        "DateTimeBehavior": lambda item: {"Value": item.column.behavior.value},
        "CanChangeDateTimeBehavior": _managed("canchangedatetimebehavior", lambda item: False),
        "MinSupportedValue": lambda item: "1753-01-01T00:00:00Z",
        "MaxSupportedValue": lambda item: "9999-12-30T23:59:59Z",
        **_FORMULA,
    },
    ColumnType.BOOLEAN: {"DefaultValue": lambda item: bool(item.column.default), **_FORMULA},
    ColumnType.PICKLIST: {**_DEFAULT_OPTION, **_FORMULA},
    ColumnType.MULTISELECT: {**_DEFAULT_OPTION, **_FORMULA},
    ColumnType.STATE: _DEFAULT_OPTION,
    ColumnType.STATUS: _DEFAULT_OPTION,
    ColumnType.FILE: {"MaxSizeInKB": lambda item: item.column.max_size_kb},
    ColumnType.IMAGE: {
        "MaxHeight": lambda item: 144,
        "MaxWidth": lambda item: 144,
        "MaxSizeInKB": lambda item: item.column.max_size_kb,
        "CanStoreFullImage": lambda item: item.column.can_store_full_image,
        "IsPrimaryImage": lambda item: item.column.logical_name == item.table.primary_image,
    },
    ColumnType.MANAGEDPROPERTY: {
        "ManagedPropertyLogicalName": lambda item: item.column.logical_name,
        "ValueAttributeTypeCode": lambda item: "Boolean",
        "ParentAttributeName": lambda item: None,
        "ParentComponentType": lambda item: None,
    },
    ColumnType.ENTITYNAME: {"IsEntityReferenceStored": lambda item: False},
}
_LOOKUP: _Properties = {
    "Targets": lambda item: list(item.column.targets),
    "Format": lambda item: item.column.format or "None",
}


def _calculation_of(item: AttributeItem) -> str | None:
    name = item.column.logical_name.removesuffix("_base")
    is_base = name != item.column.logical_name and name in item.table.columns
    return name if is_base else None


def _option_set(item: AttributeItem) -> Shown | None:
    return option_set_of(item.table, item.column)


def _global_option_set(item: AttributeItem) -> Shown | None:
    return global_choice_of(item.schema, item.column)


def _shape(type_: ColumnType) -> Shape[AttributeItem]:
    is_lookup = type_.is_lookup or type_ is ColumnType.PARTYLIST
    specific = _LOOKUP if is_lookup else _SPECIFIC.get(type_, {})
    navigation: dict[str, Callable[[AttributeItem], list[Shown] | Shown | None]] = {}
    if type_ in _CHOICES:
        navigation = {"OptionSet": _option_set, "GlobalOptionSet": _global_option_set}
    return Shape(TYPE_NAMES[type_], {**_BASE, **specific}, navigation, is_typed=True)


_SHAPES = {type_: _shape(type_) for type_ in ColumnType}
_CHOICE_NAVIGATION = {"OptionSet": OPTION_SET, "GlobalOptionSet": OPTION_SET}

ATTRIBUTE = declared(BASE_TYPE, *_SHAPES.values())
"""Attributes of any type. Properties that only some types have can be named too; items without them leave them out."""

_CASTS: dict[str, Declared] = {
    name: declared(
        name,
        *(_SHAPES[type_] for type_, type_name in TYPE_NAMES.items() if type_name == name),
        navigation=_CHOICE_NAVIGATION if any(TYPE_NAMES[type_] == name for type_ in _CHOICES) else None,
    )
    for name in set(TYPE_NAMES.values())
} | {BASE_TYPE: ATTRIBUTE, ENUM_TYPE: declared(ENUM_TYPE, *_SHAPES.values(), navigation=_CHOICE_NAVIGATION)}


def attribute(schema: Schema, table: Table, column: Column) -> Shown:
    """One column."""
    return Node(_SHAPES[column.type], AttributeItem(schema, table, column))


def attributes(schema: Schema, table: Table) -> list[Shown]:
    """All columns of a table, by logical name."""
    return [attribute(schema, table, table.columns[name]) for name in sorted(table.columns)]


def cast_to(type_name: str) -> Declared | None:
    """What the cast segment `Microsoft.Dynamics.CRM.<type_name>` leads to; None for an unknown type."""
    return _CASTS.get(type_name)


def is_of_type(shown: Shown, type_name: str) -> bool:
    """Whether the cast keeps this attribute."""
    if type_name == BASE_TYPE:
        return True
    return shown.type_name in _ENUM_TYPES if type_name == ENUM_TYPE else shown.type_name == type_name
