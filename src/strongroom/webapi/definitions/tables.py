"""Tables and their keys on the wire (WA-322, WA-330)."""

from collections.abc import Callable
from dataclasses import dataclass

from strongroom.schema.model import AlternateKey, Depth, Privilege, Rights, Schema, Table
from strongroom.schema.naming import pluralized
from strongroom.schema.privileges import VERBS
from strongroom.webapi.definitions.attributes import ATTRIBUTE, attributes
from strongroom.webapi.definitions.labels import label, managed
from strongroom.webapi.definitions.relationships import (
    MANY_TO_MANY,
    ONE_TO_MANY,
    many_to_many,
    many_to_one,
    one_to_many,
)
from strongroom.webapi.definitions.shapes import Node, Shape, Shown, declared


@dataclass(frozen=True, slots=True)
class TableItem:
    """A table in its schema."""

    schema: Schema
    table: Table


@dataclass(frozen=True, slots=True)
class KeyItem:
    """An alternate key of a table."""

    table: Table
    key: AlternateKey


Property = Callable[[TableItem], object]


def _text(kind: str, text: Callable[[Table], str]) -> Property:
    def shown(item: TableItem) -> object:
        table = item.table
        return label(text(table), table.metadata_id, kind, is_managed=table.is_managed or not table.is_custom)

    return shown


def _managed(name: str, value: Callable[[Table], object]) -> Property:
    """A value that others may change, unless the maker of a managed solution has switched that off."""

    def shown(item: TableItem) -> object:
        table = item.table
        return managed(value(table), name, can_be_changed=table.is_custom and name not in table.withheld)

    return shown


def _open(name: str) -> Property:
    """A managed property itself: on, unless its maker has switched it off; nobody else changes it."""

    def shown(item: TableItem) -> object:
        table = item.table
        return managed(name not in table.withheld, name, can_be_changed=table.is_custom and not table.is_managed)

    return shown


def _always(value: object) -> Property:
    return lambda item: value


def _not_intersect(table: Table) -> bool:
    return not table.is_intersect


def _privilege(privilege: Privilege, right: Rights) -> dict[str, object]:
    return {
        "CanBeBasic": Depth.BASIC in privilege.depths,
        "CanBeDeep": Depth.DEEP in privilege.depths,
        "CanBeGlobal": Depth.GLOBAL in privilege.depths,
        "CanBeLocal": Depth.LOCAL in privilege.depths,
        "CanBeEntityReference": False,
        "CanBeParentEntityReference": False,
        "CanBeRecordFilter": False,
        "Name": privilege.name,
        "PrivilegeId": privilege.id,
        "PrivilegeType": VERBS[right],
    }


_PROPERTIES: dict[str, Property] = {
    "MetadataId": lambda item: item.table.metadata_id,
    "HasChanged": _always(None),
    "ActivityTypeMask": lambda item: 0,
    "AutoRouteToOwnerQueue": _always(False),
    "AutoCreateAccessTeams": _always(False),
    "ChangeTrackingEnabled": lambda item: item.table.change_tracking,
    "CanChangeTrackingBeEnabled": _open("canchangetrackingbeenabled"),
    "CanBeInManyToMany": _managed("canbeinmanytomany", _not_intersect),
    "CanBePrimaryEntityInRelationship": _managed("canbeprimaryentityinrelationship", _not_intersect),
    "CanBeRelatedEntityInRelationship": _managed("canberelatedentityinrelationship", _not_intersect),
    "CanBeInCustomEntityAssociation": _managed("canbeincustomentityassociation", _not_intersect),
    "CanCreateAttributes": _managed(
        "cancreateattributes", lambda table: not table.is_intersect and "cancreateattributes" not in table.withheld
    ),
    "CanCreateCharts": _open("cancreatecharts"),
    "CanCreateForms": _open("cancreateforms"),
    "CanCreateViews": _open("cancreateviews"),
    "CanEnableSyncToExternalSearchIndex": _managed("canenablesynctoexternalsearchindex", lambda table: False),
    "CanModifyAdditionalSettings": _open("canmodifyadditionalsettings"),
    "CollectionSchemaName": lambda item: pluralized(item.table.schema_name),
    "DataProviderId": _always(None),
    "DataSourceId": _always(None),
    "DaysSinceRecordLastModified": _always(0),
    "Description": _text("Description", lambda table: table.description),
    "DisplayCollectionName": _text("DisplayCollectionName", lambda table: table.collection_label),
    "DisplayName": _text("DisplayName", lambda table: table.label),
    "EnforceStateTransitions": _always(False),
    "EntityColor": _always(None),
    "EntityHelpUrl": _always(None),
    "EntityHelpUrlEnabled": _always(False),
    "EntitySetName": lambda item: item.table.entity_set_name,
    "ExternalCollectionName": _always(None),
    "ExternalName": _always(None),
    "HasActivities": lambda item: item.table.has_activities,
    "HasEmailAddresses": lambda item: "emailaddress1" in item.table.columns,
    "HasFeedback": _always(False),
    "HasNotes": lambda item: item.table.has_notes,
    "IconLargeName": _always(None),
    "IconMediumName": _always(None),
    "IconSmallName": _always(None),
    "IconVectorName": _always(None),
    "IntroducedVersion": lambda item: item.table.introduced_version,
    "IsAIRUpdated": _always(False),
    "IsActivity": lambda item: item.table.is_activity,
    "IsActivityParty": lambda item: item.table.logical_name in _PARTIES,
    "IsAuditEnabled": _managed("canmodifyauditsettings", lambda table: table.is_audited),
    "IsAvailableOffline": _always(False),
    "IsBPFEntity": _always(False),
    "IsBusinessProcessEnabled": _always(False),
    "IsChildEntity": lambda item: item.table.ownership.value == "None",
    "IsConnectionsEnabled": _managed("canmodifyconnectionsettings", lambda table: False),
    "IsCustomEntity": lambda item: item.table.is_custom,
    "IsCustomizable": _open("iscustomizable"),
    "IsDocumentManagementEnabled": _always(False),
    "IsDuplicateDetectionEnabled": _managed(
        "canmodifyduplicatedetectionsettings", lambda table: not table.is_intersect
    ),
    "IsEnabledForCharts": _always(True),
    "IsEnabledForExternalChannels": _always(False),
    "IsEnabledForTrace": _always(False),
    "IsHierarchySecurityEnabled": lambda item: item.table.is_hierarchy_security_enabled,
    "IsImportable": _always(True),
    "IsInteractionCentricEnabled": _always(False),
    "IsIntersect": lambda item: item.table.is_intersect,
    "IsKnowledgeManagementEnabled": _always(False),
    "IsLogicalEntity": _always(False),
    "IsMailMergeEnabled": _managed("canmodifymailmergesettings", lambda table: False),
    "IsManaged": lambda item: item.table.is_managed or not item.table.is_custom,
    "IsMappable": _managed("ismappable", lambda table: True),
    "IsOfflineInMobileClient": _managed("canmodifymobileclientoffline", lambda table: False),
    "IsOneNoteIntegrationEnabled": _always(False),
    "IsOptimisticConcurrencyEnabled": _always(True),
    "IsPrivate": _always(False),
    "IsQuickCreateEnabled": _always(False),
    "IsReadingPaneEnabled": _always(True),
    "IsReadOnlyInMobileClient": _managed("canmodifymobileclientreadonly", lambda table: False),
    "IsRenameable": _open("isrenameable"),
    "IsRetrieveAuditEnabled": lambda item: item.table.is_retrieve_audited,
    "IsRetrieveMultipleAuditEnabled": lambda item: item.table.is_retrieve_multiple_audited,
    "IsSLAEnabled": _always(False),
    "IsSolutionAware": _always(False),
    "IsStateModelAware": lambda item: "statecode" in item.table.columns,
    "IsValidForAdvancedFind": lambda item: not item.table.is_intersect,
    "IsValidForQueue": _managed("canmodifyqueuesettings", lambda table: False),
    "IsVisibleInMobile": _managed("canmodifymobilevisibility", lambda table: False),
    "IsVisibleInMobileClient": _managed("canmodifymobileclientvisibility", lambda table: False),
    "LogicalCollectionName": lambda item: pluralized(item.table.logical_name),
    "LogicalName": lambda item: item.table.logical_name,
    "MobileOfflineFilters": _always(None),
    "ObjectTypeCode": lambda item: item.table.object_type_code,
    "OwnershipType": lambda item: item.table.ownership.value,
    "PrimaryIdAttribute": lambda item: item.table.primary_id,
    "PrimaryImageAttribute": lambda item: item.table.primary_image,
    "PrimaryNameAttribute": lambda item: item.table.primary_name,
    "Privileges": lambda item: [_privilege(p, right) for right, p in item.table.privileges.items()],
    "RecurrenceBaseEntityLogicalName": _always(None),
    "ReportViewName": lambda item: f"Filtered{item.table.logical_name}",
    "SchemaName": lambda item: item.table.schema_name,
    "SettingOf": _always(None),
    "SyncToExternalSearchIndex": _always(False),
    "TableType": _always("Standard"),
    "UsesBusinessDataLabelTable": _always(False),
}
_PARTIES = frozenset({"account", "contact", "lead", "queue", "systemuser", "team"})

_KEY: dict[str, Callable[[KeyItem], object]] = {
    "MetadataId": lambda item: item.key.metadata_id,
    "HasChanged": lambda item: None,
    "DisplayName": lambda item: label(
        item.key.label, item.key.metadata_id, "DisplayName", is_managed=not item.table.is_custom
    ),
    "EntityLogicalName": lambda item: item.table.logical_name,
    "KeyAttributes": lambda item: list(item.key.columns),
    "IsCustomizable": lambda item: managed(True, "iscustomizable"),
    "IsManaged": lambda item: not item.table.is_custom,
    "IntroducedVersion": lambda item: item.table.introduced_version,
    "EntityKeyIndexStatus": lambda item: "Active" if item.key.is_active else "Failed",
    "IsSynchronous": lambda item: True,
    "IsExportKey": lambda item: False,
    "IsSecondaryKey": lambda item: False,
    "LogicalName": lambda item: item.key.logical_name,
    "SchemaName": lambda item: item.key.schema_name,
    "AsyncJob": lambda item: None,
}
_KEY_SHAPE = Shape("EntityKeyMetadata", _KEY)


def keys(item: TableItem) -> list[Shown]:
    """The alternate keys of a table."""
    return [Node(_KEY_SHAPE, KeyItem(item.table, key)) for key in item.table.keys]


_NAVIGATION: dict[str, Callable[[TableItem], list[Shown] | Shown | None]] = {
    "Attributes": lambda item: attributes(item.schema, item.table),
    "Keys": keys,
    "OneToManyRelationships": lambda item: one_to_many(item.schema, item.table),
    "ManyToOneRelationships": lambda item: many_to_one(item.schema, item.table),
    "ManyToManyRelationships": lambda item: many_to_many(item.schema, item.table),
}
_SHAPE = Shape("EntityMetadata", _PROPERTIES, _NAVIGATION)

KEY = declared("EntityKeyMetadata", _KEY_SHAPE)
TABLE = declared(
    "EntityMetadata",
    _SHAPE,
    navigation={
        "Attributes": ATTRIBUTE,
        "Keys": KEY,
        "OneToManyRelationships": ONE_TO_MANY,
        "ManyToOneRelationships": ONE_TO_MANY,
        "ManyToManyRelationships": MANY_TO_MANY,
    },
)


def table(schema: Schema, found: Table) -> Shown:
    """One table."""
    return Node(_SHAPE, TableItem(schema, found))


def tables(schema: Schema) -> list[Shown]:
    """All tables, by logical name."""
    return [table(schema, schema.tables[name]) for name in sorted(schema.tables)]
