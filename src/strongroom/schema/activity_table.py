"""The table `activitylog`: what was read, taken out, tried and administered (TS-808, TS-818 to TS-822).

`audit` tells changes, row by row; `activitylog` tells everything else, one row for each act. It is a ledger: rows are
written by the platform, and no door changes or deletes one. Rows get leaves in the log that proves the trail, in one
order with the entries of `audit`. Read by `prvReadActivityLog`.

It is written so often that it has little besides what it tells: no state, no bookkeeping, one index.
"""

from collections.abc import Sequence
from dataclasses import replace

from strongroom.ids import Guid
from strongroom.schema.model import (
    Column,
    ColumnType,
    Option,
    Ownership,
    Privilege,
    Relationship,
    RequiredLevel,
    Rights,
    Table,
)
from strongroom.schema.privileges import GLOBAL_ONLY
from strongroom.schema.stable_ids import stable_id
from strongroom.schema.system_columns import LEFT_ALONE, derived_names, version_column

ACTIVITY_LOG = "activitylog"
AUDIT = "audit"
READ_ACTIVITY_LOG = "prvReadActivityLog"

CATEGORIES = ("Read", "Export", "Sign-in", "Administration", "Denied")
"""Labels of `category`, numbered from 1."""

OUTCOMES = ("Success", "Failure")
"""Labels of `outcome`, numbered from 1."""

_LONGEST_MEMO = 1_048_576


def activity_table() -> Table:
    """The declaration."""
    made = (
        _column("activitylogid", ColumnType.UNIQUEIDENTIFIER, "Activity", required=RequiredLevel.SYSTEM_REQUIRED),
        _column("createdon", ColumnType.DATETIME, "When", format="DateAndTime", is_indexed=True),
        _column("category", ColumnType.PICKLIST, "Category", options=_numbered(CATEGORIES)),
        _column("activity", ColumnType.STRING, "Activity", max_length=100),
        _column("outcome", ColumnType.PICKLIST, "Outcome", options=_numbered(OUTCOMES)),
        _column("userid", ColumnType.LOOKUP, "User", targets=("systemuser",)),
        _column("callinguserid", ColumnType.LOOKUP, "Real User", targets=("systemuser",)),
        _column("objecttypecode", ColumnType.ENTITYNAME, "Table"),
        _column("objectid", ColumnType.LOOKUP, "Row"),
        _column("objectids", ColumnType.MEMO, "Rows", max_length=_LONGEST_MEMO),
        _column("objectcount", ColumnType.INTEGER, "Number of Rows", minimum=0.0, maximum=2_147_483_647.0),
        _column("objectdigest", ColumnType.STRING, "Digest of the Rows", max_length=64),
        _column("sensitivecolumns", ColumnType.MEMO, "Sensitive Columns", max_length=_LONGEST_MEMO),
        _column("query", ColumnType.MEMO, "Query", max_length=_LONGEST_MEMO),
        _column("details", ColumnType.MEMO, "Details", max_length=_LONGEST_MEMO),
        _column("address", ColumnType.STRING, "Address", max_length=64),
        _column("client", ColumnType.STRING, "Client", max_length=300),
        _column("correlationid", ColumnType.STRING, "Request", max_length=100),
        version_column(ACTIVITY_LOG, stable_id),
    )
    columns = {column.logical_name: replace(column, column_number=number) for number, column in enumerate(made, 1)}
    return Table(
        logical_name=ACTIVITY_LOG,
        schema_name="ActivityLog",
        entity_set_name="activitylogs",
        object_type_code=10741,
        metadata_id=stable_id("table", ACTIVITY_LOG),
        ownership=Ownership.NONE,
        label="Activity Log",
        collection_label="Activity Log",
        description="What was read, taken out, tried and administered: a ledger.",
        primary_id="activitylogid",
        primary_name=None,
        columns=columns,
        derived={derived: base for column in made for derived, base in derived_names(column).items()},
        privileges={
            Rights.READ: Privilege(
                stable_id("privilege", READ_ACTIVITY_LOG), READ_ACTIVITY_LOG, Rights.READ, ACTIVITY_LOG, GLOBAL_ONLY
            )
        },
        is_audited=False,
        change_tracking=False,
    )


def activity_relationships() -> list[Relationship]:
    """Those of its users. Nothing happens to a row when its user goes."""
    return [_to_user("userid"), _to_user("callinguserid")]


def with_own_columns(audit: Table) -> Table:
    """The table `audit` with the columns that are ours: when an entry may go, and where the request came from."""
    made = (
        _column("expireson", ColumnType.DATETIME, "Kept Until", AUDIT, format="DateAndTime"),
        _column("clientaddress", ColumnType.STRING, "Address", AUDIT, max_length=64),
        _column("correlationid", ColumnType.STRING, "Request", AUDIT, max_length=100),
    )
    first = 1 + max(column.column_number for column in audit.columns.values())
    own = {column.logical_name: replace(column, column_number=number) for number, column in enumerate(made, first)}
    return replace(audit, columns={**audit.columns, **own})


def with_longer_settings(organization: Table) -> Table:
    """The table `organization` with room for a JSON object in `auditsettings` (`access.retention`), and with the switch
    that keeps credentials out of ordinary columns (TS-611)."""
    settings = replace(organization.columns["auditsettings"], max_length=4000)
    switch = replace(
        _column("blockcredentials", ColumnType.BOOLEAN, "Keep Credentials Out of Columns", "organization"),
        default=0,
        options=(Option(0, "No"), Option(1, "Yes")),
        valid_for_create=True,
        valid_for_update=True,
        is_audited=True,
        column_number=1 + max(column.column_number for column in organization.columns.values()),
    )
    own = {column.logical_name: column for column in (settings, switch)}
    return replace(organization, columns={**organization.columns, **own})


def _to_user(column: str) -> Relationship:
    name = f"systemuser_{ACTIVITY_LOG}_{column}"
    return Relationship(
        schema_name=name,
        metadata_id=stable_id("relationship", name),
        referenced_table="systemuser",
        referenced_column="systemuserid",
        referencing_table=ACTIVITY_LOG,
        referencing_column=column,
        lookup_nav=column,
        collection_nav=name,
        cascade=LEFT_ALONE,
    )


def _numbered(labels: Sequence[str]) -> tuple[Option, ...]:
    return tuple(Option(number, label) for number, label in enumerate(labels, 1))


def _column(
    name: str,
    type_: ColumnType,
    label: str,
    table: str = ACTIVITY_LOG,
    *,
    required: RequiredLevel = RequiredLevel.NONE,
    max_length: int | None = None,
    minimum: float | None = None,
    maximum: float | None = None,
    format: str | None = None,
    targets: tuple[str, ...] = (),
    options: tuple[Option, ...] = (),
    is_indexed: bool = False,
) -> Column:
    """A column that the platform writes and nobody changes."""
    ident: Guid = stable_id("column", f"{table}.{name}")
    return Column(
        name,
        name,
        type_,
        ident,
        label,
        required=required,
        max_length=max_length,
        minimum=minimum,
        maximum=maximum,
        format=format,
        targets=targets,
        options=options,
        valid_for_create=False,
        valid_for_update=False,
        is_audited=False,
        is_indexed=is_indexed,
    )
