"""The registered operations and the types they use, as `$metadata` lists them (WA-65, WA-410)."""

from functools import cache

from strongroom.access.rights import RIGHT_NAMES
from strongroom.messages import Kind, Operation, Parameter, operations
from strongroom.webapi.bulk import MESSAGES
from strongroom.webapi.operations_model import (
    ListedComplexType,
    ListedEnumType,
    ListedOperation,
    ListedParameter,
)
from strongroom.webapi.own_types import OWN_TYPES

_ENTITIES = "Collection(mscrm.crmbaseentity)"

_COMPLEX: dict[str, tuple[tuple[str, str], ...]] = {
    "RolePrivilege": (
        ("Depth", "mscrm.PrivilegeDepth"),
        ("PrivilegeId", "Edm.Guid"),
        ("BusinessUnitId", "Edm.Guid"),
        ("PrivilegeName", "Edm.String"),
        ("RecordFilterId", "Edm.Guid"),
    ),
    "PrincipalAccess": (("AccessMask", "mscrm.AccessRights"), ("Principal", "mscrm.principal")),
    "EndpointCollection": (
        ("Count", "Edm.Int32"),
        ("IsReadOnly", "Edm.Boolean"),
        ("Keys", "Collection(Edm.String)"),
        ("Values", "Collection(Edm.String)"),
    ),
    "OrganizationDetail": (
        ("OrganizationId", "Edm.Guid"),
        ("FriendlyName", "Edm.String"),
        ("OrganizationVersion", "Edm.String"),
        ("EnvironmentId", "Edm.String"),
        ("UrlName", "Edm.String"),
        ("UniqueName", "Edm.String"),
        ("State", "Edm.String"),
        ("Endpoints", "mscrm.EndpointCollection"),
    ),
    "EntityRecordCountCollection": (
        ("Count", "Edm.Int32"),
        ("IsReadOnly", "Edm.Boolean"),
        ("Keys", "Collection(Edm.String)"),
        ("Values", "Collection(Edm.Int64)"),
    ),
    "PagingInfo": (("PageNumber", "Edm.Int32"), ("Count", "Edm.Int32"), ("PagingCookie", "Edm.String")),
    "BusinessEntityChanges": (
        ("Changes", "Collection(mscrm.ChangedItem)"),
        ("MoreRecords", "Edm.Boolean"),
        ("PagingCookie", "Edm.String"),
        ("DataToken", "Edm.String"),
        ("GlobalMetadataVersion", "Edm.String"),
    ),
    "ChangedItem": (
        ("Type", "mscrm.ChangeType"),
        ("NewOrUpdatedEntity", "mscrm.crmbaseentity"),
        ("RemovedItem", "mscrm.EntityReference"),
    ),
    "EntityReference": (("LogicalName", "Edm.String"), ("Id", "Edm.Guid")),
    "AuditDetail": (("AuditRecord", "mscrm.audit"),),
    "AuditPartitionDetail": (
        ("PartitionNumber", "Edm.Int32"),
        ("StartDate", "Edm.DateTimeOffset"),
        ("EndDate", "Edm.DateTimeOffset"),
        ("Size", "Edm.Int64"),
    ),
    "AuditPartitionDetailCollection": (
        ("IsLogicalCollection", "Edm.Boolean"),
        ("AuditPartitionDetails", "Collection(mscrm.AuditPartitionDetail)"),
    ),
    "AuditDetailCollection": (
        ("MoreRecords", "Edm.Boolean"),
        ("PagingCookie", "Edm.String"),
        ("TotalRecordCount", "Edm.Int32"),
        ("Count", "Edm.Int32"),
        ("AuditDetails", "Collection(mscrm.AuditDetail)"),
    ),
    "StageSolutionResults": (
        ("SolutionDetails", "mscrm.SolutionDetails"),
        ("StageSolutionUploadId", "Edm.Guid"),
        ("StageSolutionStatus", "Edm.String"),
        ("Steps", "Collection(mscrm.SolutionStep)"),
        ("MissingDependencies", "Collection(mscrm.MissingDependency)"),
    ),
    "SolutionDetails": (
        ("SolutionUniqueName", "Edm.String"),
        ("SolutionVersion", "Edm.String"),
        ("IsManaged", "Edm.Boolean"),
    ),
    "SolutionStep": (
        ("Kind", "Edm.String"),
        ("Name", "Edm.String"),
        ("Verdict", "Edm.String"),
        ("Note", "Edm.String"),
    ),
    "MissingDependency": (("Kind", "Edm.String"), ("Name", "Edm.String"), ("Solution", "Edm.String")),
    "SolutionOperationResult": (
        ("Type", "Edm.String"),
        ("Status", "Edm.String"),
        ("ErrorMessages", "Collection(Edm.String)"),
        ("WarningMessages", "Collection(Edm.String)"),
        ("ActionLink", "mscrm.ActionLink"),
    ),
    "ActionLink": (("Label", "Edm.String"), ("Target", "Edm.String")),
    "MissingComponent": (
        ("RequiredComponent", "mscrm.ComponentDetail"),
        ("DependentComponent", "mscrm.ComponentDetail"),
    ),
    "ComponentDetail": (
        ("Id", "Edm.Guid"),
        ("Type", "Edm.Int32"),
        ("SchemaName", "Edm.String"),
        ("DisplayName", "Edm.String"),
        ("ParentId", "Edm.Guid"),
        ("ParentSchemaName", "Edm.String"),
        ("Solution", "Edm.String"),
    ),
    "ColumnSet": (("AllColumns", "Edm.Boolean"), ("Columns", "Collection(Edm.String)")),
    "ConditionExpression": (
        ("AttributeName", "Edm.String"),
        ("Operator", "Edm.String"),
        ("Values", "Collection(Edm.String)"),
    ),
    "FilterExpression": (
        ("FilterOperator", "Edm.String"),
        ("Conditions", "Collection(mscrm.ConditionExpression)"),
        ("Filters", "Collection(mscrm.FilterExpression)"),
    ),
    "QueryExpression": (
        ("EntityName", "Edm.String"),
        ("ColumnSet", "mscrm.ColumnSet"),
        ("Criteria", "mscrm.FilterExpression"),
    ),
    "UpsertResult": (("RecordCreated", "Edm.Boolean"), ("Target", "mscrm.crmbaseentity")),
}
_ENUMS: dict[str, ListedEnumType] = {
    "AccessRights": ListedEnumType(
        "AccessRights", (("None", 0), *((name, right.value) for right, name in RIGHT_NAMES.items())), is_flags=True
    ),
    "PrivilegeDepth": ListedEnumType("PrivilegeDepth", (("Basic", 0), ("Local", 1), ("Deep", 2), ("Global", 3))),
    "EndpointAccessType": ListedEnumType("EndpointAccessType", (("Default", 0), ("Internet", 1), ("Intranet", 2))),
    "ChangeType": ListedEnumType("ChangeType", (("NewOrUpdated", 0), ("RemoveOrDeleted", 1))),
    "TargetFieldType": ListedEnumType(
        "TargetFieldType", (("All", 0), ("ValidForCreate", 1), ("ValidForUpdate", 2), ("ValidForRead", 3))
    ),
}
_BULK_RESULTS: dict[str, tuple[tuple[str, str], ...] | None] = {
    "CreateMultiple": (("Ids", "Collection(Edm.Guid)"),),
    "UpdateMultiple": None,
    "UpsertMultiple": (("Results", "Collection(mscrm.UpsertResult)"),),
    "DeleteMultiple": None,
}


@cache
def listed_operations() -> tuple[ListedOperation, ...]:
    """Every operation that the server has, the bound ones once for each table they are called on."""
    found: list[ListedOperation] = []
    for operation in operations().values():
        if operation.bound_to:
            found += [_listed(operation, f"mscrm.{table}") for table in operation.bound_to]
        else:
            found.append(_listed(operation, None))
    found += [_bulk(message) for message in sorted(MESSAGES)]
    return tuple(found)


def members_of(type_name: str | None) -> tuple[str, ...]:
    """The names of an enumeration's members; none when `type_name` is no enumeration that is listed."""
    found = _ENUMS.get((type_name or "").removeprefix("mscrm."))
    return () if found is None else tuple(name for name, _ in found.members)


def _listed(operation: Operation, binding: str | None) -> ListedOperation:
    space = "Strongroom" if operation.is_own else "mscrm"
    result: str | None = None
    response: tuple[ListedComplexType, ...] = ()
    if operation.collection_of is not None:
        result = f"Collection(mscrm.{operation.collection_of})"
    elif operation.result is not None:
        result = f"{space}.{operation.result}"
        if operation.properties:
            properties = tuple(operation.properties.items())
            response = (ListedComplexType(operation.result, properties, operation.is_own),)
    parameters = tuple(ListedParameter(p.name, _type(p), not p.required) for p in operation.parameters)
    used = [p.type for p in parameters] + [t for c in response for _, t in c.properties]
    complex_types, enum_types = _used(used)
    return ListedOperation(
        (operation.own_name or operation.name.removeprefix("sr_")) if operation.is_own else operation.name,
        operation.is_function,
        parameters,
        result,
        binding,
        (*response, *complex_types),
        enum_types,
        import_name=operation.name if operation.is_own else None,
        is_own=operation.is_own,
    )


def _bulk(message: str) -> ListedOperation:
    properties = _BULK_RESULTS[message]
    response = () if properties is None else (ListedComplexType(f"{message}Response", properties),)
    complex_types, enum_types = _used([t for c in response for _, t in c.properties])
    return ListedOperation(
        message,
        False,
        (ListedParameter("Targets", _ENTITIES, False),),
        None if properties is None else f"mscrm.{message}Response",
        "Collection(mscrm.crmbaseentity)",
        (*response, *complex_types),
        enum_types,
    )


def _type(parameter: Parameter) -> str:
    if parameter.type is not None:
        return parameter.type
    return "Edm.String" if parameter.kind in (Kind.ENUM, Kind.COMPLEX, Kind.COMPLEXES) else parameter.kind.value


def _used(types: list[str]) -> tuple[tuple[ListedComplexType, ...], tuple[ListedEnumType, ...]]:
    """The complex and enum types that `types` name, directly or through other complex types."""
    complex_types: dict[str, ListedComplexType] = {}
    enum_types: dict[str, ListedEnumType] = {}
    waiting = list(types)
    while waiting:
        name = waiting.pop().removeprefix("Collection(").removesuffix(")")
        space, _, short = name.rpartition(".")
        known = OWN_TYPES if space == "Strongroom" else _COMPLEX
        if short in known and short not in complex_types:
            complex_types[short] = ListedComplexType(short, known[short], space == "Strongroom")
            waiting += [kind for _, kind in known[short]]
        elif short in _ENUMS and space == "mscrm":
            enum_types[short] = _ENUMS[short]
    return tuple(complex_types.values()), tuple(enum_types.values())
