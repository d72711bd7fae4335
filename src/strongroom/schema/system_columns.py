"""The columns that the platform keeps on its tables, and the relationships of its lookups (WA-441).

Both the standard catalogue (which adds what a table lacks) and the making of tables use these, so a table made by a
customer looks like one of ours.
"""

from collections.abc import Callable
from dataclasses import dataclass

from strongroom.ids import Guid
from strongroom.schema.model import (
    Cascade,
    Column,
    ColumnType,
    Option,
    Ownership,
    Relationship,
    RequiredLevel,
)

IdMaker = Callable[[str, str], Guid]
"""The metadata id for a kind (`column`, `relationship` …) and a name."""

LEFT_ALONE = Cascade(delete="NoCascade")
"""Nothing happens to a row when the row that it points to changes or goes: bookkeeping, not a bond."""

INTEGER_MINIMUM, INTEGER_MAXIMUM = -2_147_483_648, 2_147_483_647

PLATFORM_KEPT = frozenset(
    {
        "createdby",
        "createdon",
        "createdonbehalfby",
        "exchangerate",
        "importsequencenumber",
        "modifiedby",
        "modifiedon",
        "modifiedonbehalfby",
        "organizationid",
        "overriddencreatedon",
        "ownerid",
        "owningbusinessunit",
        "owningteam",
        "owninguser",
        "statecode",
        "statuscode",
        "timezoneruleversionnumber",
        "transactioncurrencyid",
        "utcconversiontimezonecode",
        "versionnumber",
    }
)
"""Bookkeeping columns, which can never be secured (SM-139) nor removed."""

_ACTIVE = (Option(0, "Active", default_status=1), Option(1, "Inactive", default_status=2))
_ACTIVE_REASONS = (Option(1, "Active", state=0), Option(2, "Inactive", state=1))


@dataclass(frozen=True, slots=True)
class _Lookup:
    name: str
    schema_name: str
    label: str
    target: str
    relationship: str
    """The schema name of the relationship, with `{}` for the logical name of the table."""


_AUTHORS = (
    _Lookup("createdby", "CreatedBy", "Created By", "systemuser", "lk_{}_createdby"),
    _Lookup("modifiedby", "ModifiedBy", "Modified By", "systemuser", "lk_{}_modifiedby"),
    _Lookup("createdonbehalfby", "CreatedOnBehalfBy", "Created By (Delegate)", "systemuser", "lk_{}_createdonbehalfby"),
    _Lookup(
        "modifiedonbehalfby", "ModifiedOnBehalfBy", "Modified By (Delegate)", "systemuser", "lk_{}_modifiedonbehalfby"
    ),
)
_OWNER_MIRRORS = (
    _Lookup("owningbusinessunit", "OwningBusinessUnit", "Owning Business Unit", "businessunit", "business_unit_{}"),
    _Lookup("owninguser", "OwningUser", "Owning User", "systemuser", "user_{}"),
    _Lookup("owningteam", "OwningTeam", "Owning Team", "team", "team_{}"),
)
_ORGANIZATION = _Lookup("organizationid", "OrganizationId", "Organization Id", "organization", "organization_{}")


def bookkeeping_columns(table: str, ownership: Ownership, new_id: IdMaker) -> list[Column]:
    """Who, when and which version; and for tables without owners the organization."""
    lookups = (*_AUTHORS, _ORGANIZATION) if ownership is Ownership.ORGANIZATION else _AUTHORS
    columns = [_lookup_column(table, lookup, new_id) for lookup in lookups]
    for name, schema_name, label in (
        ("createdon", "CreatedOn", "Created On"),
        ("modifiedon", "ModifiedOn", "Modified On"),
    ):
        columns.append(
            Column(
                name,
                schema_name,
                ColumnType.DATETIME,
                new_id("column", f"{table}.{name}"),
                label,
                format="DateAndTime",
                valid_for_create=False,
                valid_for_update=False,
                is_audited=False,
            )
        )
    columns.append(version_column(table, new_id))
    return columns


def version_column(table: str, new_id: IdMaker) -> Column:
    """`versionnumber`: raised by every change, the ETag of a row (WA-40)."""
    return Column(
        "versionnumber",
        "VersionNumber",
        ColumnType.BIGINT,
        new_id("column", f"{table}.versionnumber"),
        "Version Number",
        minimum=-9223372036854775808.0,
        maximum=9223372036854775807.0,
        valid_for_create=False,
        valid_for_update=False,
        is_audited=False,
    )


def import_columns(table: str, new_id: IdMaker) -> list[Column]:
    """What an import sets and what the platform notes about time zones."""
    made = [
        Column(
            "overriddencreatedon",
            "OverriddenCreatedOn",
            ColumnType.DATETIME,
            new_id("column", f"{table}.overriddencreatedon"),
            "Record Created On",
            format="DateOnly",
            valid_for_update=False,
            is_audited=False,
        )
    ]
    for name, schema_name, label, minimum in (
        ("importsequencenumber", "ImportSequenceNumber", "Import Sequence Number", INTEGER_MINIMUM),
        ("timezoneruleversionnumber", "TimeZoneRuleVersionNumber", "Time Zone Rule Version Number", -1),
        ("utcconversiontimezonecode", "UTCConversionTimeZoneCode", "UTC Conversion Time Zone Code", -1),
    ):
        made.append(
            Column(
                name,
                schema_name,
                ColumnType.INTEGER,
                new_id("column", f"{table}.{name}"),
                label,
                minimum=float(minimum),
                maximum=float(INTEGER_MAXIMUM),
                format="None",
                valid_for_update=name != "importsequencenumber",
                is_audited=False,
            )
        )
    return made


def owner_columns(table: str, new_id: IdMaker) -> list[Column]:
    """`ownerid` and the columns that mirror it (SM-10, SM-14)."""
    owner = Column(
        "ownerid",
        "OwnerId",
        ColumnType.OWNER,
        new_id("column", f"{table}.ownerid"),
        "Owner",
        required=RequiredLevel.SYSTEM_REQUIRED,
        targets=("systemuser", "team"),
    )
    return [owner, *(_lookup_column(table, lookup, new_id) for lookup in _OWNER_MIRRORS)]


def state_columns(table: str, new_id: IdMaker) -> list[Column]:
    """`statecode` (0 Active, 1 Inactive) and `statuscode` (1 Active, 2 Inactive)."""
    return [
        Column(
            "statecode",
            "statecode",
            ColumnType.STATE,
            new_id("column", f"{table}.statecode"),
            "Status",
            required=RequiredLevel.SYSTEM_REQUIRED,
            options=_ACTIVE,
            default=0,
            valid_for_create=False,
        ),
        Column(
            "statuscode",
            "statuscode",
            ColumnType.STATUS,
            new_id("column", f"{table}.statuscode"),
            "Status Reason",
            options=_ACTIVE_REASONS,
        ),
    ]


def system_relationships(table: str, columns: frozenset[str], new_id: IdMaker) -> list[Relationship]:
    """The relationships of the system lookups among `columns`. `ownerid` has none: its navigation property leads to
    the abstract type `principal`, not to one table (WA-72)."""
    made: list[Relationship] = []
    for lookup in (*_AUTHORS, *_OWNER_MIRRORS, _ORGANIZATION):
        if lookup.name not in columns:
            continue
        name = lookup.relationship.format(table)
        made.append(
            Relationship(
                schema_name=name,
                metadata_id=new_id("relationship", name),
                referenced_table=lookup.target,
                referenced_column=f"{lookup.target}id",
                referencing_table=table,
                referencing_column=lookup.name,
                lookup_nav=lookup.name,
                collection_nav=name,
                cascade=LEFT_ALONE,
            )
        )
    return made


def derived_names(column: Column) -> dict[str, str]:
    """The read-only companions of a column: `createdbyname` of `createdby` (FetchXML only)."""
    name = column.logical_name
    match column.type:
        case ColumnType.OWNER:
            return {f"{name}name": name, f"{name}yominame": name, f"{name}type": name}
        case ColumnType.CUSTOMER:
            return {f"{name}name": name, f"{name}yominame": name, f"{name}type": name}
        case ColumnType.LOOKUP:
            derived = {f"{name}name": name}
            if column.targets == ("systemuser",):
                derived[f"{name}yominame"] = name
            return derived
        case ColumnType.PICKLIST | ColumnType.STATE | ColumnType.STATUS | ColumnType.BOOLEAN | ColumnType.MULTISELECT:
            return {f"{name}name": name}
        case _:
            return {}


def _lookup_column(table: str, lookup: _Lookup, new_id: IdMaker) -> Column:
    return Column(
        lookup.name,
        lookup.schema_name,
        ColumnType.LOOKUP,
        new_id("column", f"{table}.{lookup.name}"),
        lookup.label,
        targets=(lookup.target,),
        valid_for_create=False,
        valid_for_update=False,
        is_audited=False,
    )
